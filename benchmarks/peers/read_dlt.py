"""dlt's RESTClient with its stock paginators, set up as its guide and the paginators' own documentation say.

`OffsetPaginator` where the list is paged by offset and sends a total; `JSONResponseCursorPaginator` where it sends a
cursor and a flag. Sessions, retries and time-outs are dlt's own defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from asking import Flat, Job, serve
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator, OffsetPaginator


def flexprice(job: Job) -> Iterator[str]:
    """Offset and total."""
    client = RESTClient(
        base_url=f"{job['url']}/v1",
        auth=APIKeyAuth(name="x-api-key", api_key=job["settings"]["api_key"], location="header"),
        paginator=OffsetPaginator(limit=job["page_size"], total_path="pagination.total"),
        data_selector="items",
    )
    return Flat(client.paginate("customers", params=dict(job["filter"] or {})), lambda row: row["id"])


def flexportal(job: Job) -> Iterator[str]:
    """Cursor and flag in the body."""
    client = RESTClient(
        base_url=f"{job['url']}/v1",
        headers={"Tenant-ID": job["settings"]["tenant_id"]},
        auth=BearerTokenAuth(token=job["settings"]["api_key"]),
        paginator=JSONResponseCursorPaginator(
            cursor_path="nextCursor", cursor_param="startAfter", has_more_path="hasMore"
        ),
        data_selector="customers",
    )
    params = {"limit": job["page_size"], **(job["filter"] or {})}
    return Flat(client.paginate("customers", params=params), lambda row: row["customerId"])


if __name__ == "__main__":
    serve(lambda job: {"flexprice": flexprice, "flexportal": flexportal}[job["wire"]](job))
