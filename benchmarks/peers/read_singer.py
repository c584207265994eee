"""A tap of singer-sdk with its stock paginators, run whole as Meltano runs it.

`OffsetPaginator` where the list is paged by offset (it goes on until a page is empty), `JSONPathPaginator` where the
body has a cursor. Retries and time-outs are the SDK's own defaults. A tap that raises has failed: there is nothing
that a caller could ask again, and the next run of a full table starts anew.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any, ClassVar

from asking import Job, serve
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator, BearerTokenAuthenticator
from singer_sdk.pagination import JSONPathPaginator, OffsetPaginator


class Customers(RESTStream):
    """What both lists have in common."""

    path = "/v1/customers"

    @property
    def url_base(self) -> str:
        return self.config["url"]


class FlexpriceCustomers(Customers):
    """Offset."""

    name = "flexprice"
    records_jsonpath = "$.items[*]"
    primary_keys = ("id",)
    schema = th.PropertiesList(th.Property("id", th.StringType)).to_dict()

    @property
    def authenticator(self) -> Any:
        return APIKeyAuthenticator(key="x-api-key", value=self.config["settings"]["api_key"], location="header")

    def get_new_paginator(self) -> OffsetPaginator:
        return OffsetPaginator(start_value=0, page_size=self.config["page_size"])

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:
        return {"limit": self.config["page_size"], "offset": next_page_token, **(self.config["filter"] or {})}


class FlexPortalCustomers(Customers):
    """Cursor in the body."""

    name = "flexportal"
    records_jsonpath = "$.customers[*]"
    primary_keys = ("customerId",)
    schema = th.PropertiesList(th.Property("customerId", th.StringType)).to_dict()

    @property
    def authenticator(self) -> Any:
        return BearerTokenAuthenticator(token=self.config["settings"]["api_key"])

    @property
    def http_headers(self) -> dict[str, str]:
        return {"Tenant-ID": self.config["settings"]["tenant_id"]}

    def get_new_paginator(self) -> JSONPathPaginator:
        return JSONPathPaginator("$.nextCursor")

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, Any]:
        return {"limit": self.config["page_size"], "startAfter": next_page_token, **(self.config["filter"] or {})}


STREAMS = {"flexprice": FlexpriceCustomers, "flexportal": FlexPortalCustomers}


class CustomersTap(Tap):
    """One stream, told by the order."""

    name = "tap-customers"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}

    def discover_streams(self) -> list[RESTStream]:
        return [STREAMS[self.config["wire"]](self)]


def customers(job: Job) -> Iterator[str]:
    """The ids in the tap's RECORD messages, then its error if it failed."""
    written, failure = io.StringIO(), None
    with redirect_stdout(written):
        tap = CustomersTap(config=dict(job))
        logging.disable(logging.CRITICAL)
        try:
            tap.sync_all()
        except Exception as error:  # noqa: BLE001 - handed on below, after what was written before it
            failure = error
    messages = map(json.loads, written.getvalue().splitlines())
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    yield from (record.get("id") or record["customerId"] for record in records)
    if failure is not None:
        raise failure


if __name__ == "__main__":
    serve(customers, asks_again=False)
