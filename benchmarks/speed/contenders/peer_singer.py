"""singer-sdk's `RESTStream`, handing out the dicts that it reads, as the taps that are made with it do.

Knows singer-sdk's public names. Options: `base`.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from singer_sdk import RESTStream, Tap
from singer_sdk.pagination import BaseAPIPaginator, OffsetPaginator
from talk import options, serve

BASE, SIZE = options()["base"], 1000


class UpToTotal(OffsetPaginator):
    """Goes on until the total is reached; it is read off the end of the answer, which is not decoded a second time."""

    def has_more(self, response: Any) -> bool:
        """Whether there is another page."""
        _, _, hints = response.content.rpartition(b'"total":')
        return self.current_value + SIZE < int(hints.partition(b",")[0])


class Customers(RESTStream[int]):
    """The stream of customers."""

    name, path, url_base = "customers", "/v1/customers", BASE
    records_jsonpath = "$.items[*]"
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}  # noqa: RUF012 - singer-sdk's own way

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        """The parameters of a page."""
        return {"limit": SIZE, "offset": next_page_token or 0}

    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        """A paginator for one walk."""
        return UpToTotal(start_value=0, page_size=SIZE)


class Customs(Tap):
    """A tap of that one stream."""

    name = "tap-benchmark"

    def discover_streams(self) -> list[Any]:
        """Its streams."""
        return [Customers(tap=self)]


def walk(stream: Customers) -> dict[str, Any]:
    """One walk."""
    seen = 0
    for _ in stream.get_records(None):
        seen += 1
    return {"customers": seen}


def main() -> None:
    """Make the stream, and serve."""
    logging.disable(logging.CRITICAL)  # a line of log for each page would be measured too
    warnings.simplefilter("ignore")
    stream = Customs(config={}, catalog=None).streams["customers"]
    serve(lambda: walk(stream))


main()
