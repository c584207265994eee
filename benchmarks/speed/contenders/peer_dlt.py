"""dlt's `RESTClient`, handing out the plain dicts that it reads, page by page, as its documentation shows.

Knows dlt's public names and the providers' parameters. Options: `base`, `provider`.
"""

from __future__ import annotations

from typing import Any

from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator, OffsetPaginator
from talk import options, serve

OPTIONS = options()


def client() -> RESTClient:
    """A client with the paginator that fits the provider."""
    if OPTIONS["provider"] == "flexprice":
        return RESTClient(
            base_url=OPTIONS["base"],
            paginator=OffsetPaginator(limit=1000, total_path="pagination.total"),
            data_selector="items",
        )
    return RESTClient(
        base_url=OPTIONS["base"],
        paginator=JSONResponseCursorPaginator(cursor_path="nextCursor", cursor_param="startAfter"),
        data_selector="customers",
    )


def walk(rest: RESTClient, params: dict[str, Any]) -> dict[str, Any]:
    """One walk."""
    seen = 0
    for page in rest.paginate("/v1/customers", params=dict(params)):
        for _ in page:
            seen += 1
    return {"customers": seen}


def main() -> None:
    """Open a client, and serve."""
    rest, params = client(), {} if OPTIONS["provider"] == "flexprice" else {"limit": 100}
    serve(lambda: walk(rest, params))


main()
