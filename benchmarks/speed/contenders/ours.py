"""The library through its public API: every customer of a walk, typed, validated and normalised, with `raw`.

Knows the public names of `unified_customers` only, so that it runs against any commit. Options: `base`, `provider`,
`settings` (further ones of the adapter), `asks` (keywords of `customers`), `asynchronous`, `read` (``"raw"`` reads
`raw` of each customer, ``"fields"`` every field), `walk` (``"all"``, ``"first"`` customer, ``"pages"`` with `work`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import attrs
from talk import options, refuse, serve, serve_later

import unified_customers as uc

OPTIONS = options()
CLASSES = {"flexprice": "Flexprice", "flexportal": "FlexPortal", "flatpeak": "Flatpeak"}
KEYS: dict[str, dict[str, str]] = {
    "flexprice": {"api_key": "key-of-the-benchmark"},
    "flexportal": {"api_key": "key-of-the-benchmark", "tenant_id": "tenant_7f3a91"},
    "flatpeak": {"bearer_token": "key-of-the-benchmark"},
}
ASKS: dict[str, Any] = OPTIONS.get("asks", {})
FIELDS = [field.name for field in attrs.fields(uc.Customer)]


def account() -> Any:
    """The settings of the account that is read."""
    provider = OPTIONS["provider"]
    settings = {"base_url": OPTIONS["base"], **KEYS[provider], **OPTIONS.get("settings", {})}
    return getattr(uc, CLASSES[provider])(**settings)


def read_raw(customer: Any) -> None:
    """What someone does who wants a field that the model lacks."""
    customer.raw.get("status")


def read_fields(customer: Any) -> None:
    """What someone does who wants everything."""
    for name in FIELDS:
        getattr(customer, name)
    customer.raw.get("status")


def found(listing: Any, seen: int) -> dict[str, Any]:
    """What a walk found."""
    return {"customers": seen, "scan": listing.report.scan, "requests": listing.report.requests}


def walk(client: Any, touch: Callable[[Any], None] | None) -> dict[str, Any]:
    """One walk over all customers."""
    seen, listing = 0, client.customers(**ASKS)
    if touch is None:
        for _ in listing:
            seen += 1
    else:
        for customer in listing:
            touch(customer)
            seen += 1
    return found(listing, seen)


async def walk_later(client: Any, touch: Callable[[Any], None] | None) -> dict[str, Any]:
    """The same, asynchronously."""
    seen, listing = 0, client.customers(**ASKS)
    if touch is None:
        async for _ in listing:
            seen += 1
    else:
        async for customer in listing:
            touch(customer)
            seen += 1
    return found(listing, seen)


def first(client: Any) -> dict[str, Any]:
    """The first customer of a walk, and no more."""
    next(iter(client.customers(**ASKS)))
    return {"customers": 1}


def pages(client: Any) -> dict[str, Any]:
    """One walk by pages, with a consumer that works on each: it waits, or it computes."""
    seen, listing, work = 0, client.customers(**ASKS), OPTIONS["work"]
    for page in listing.pages():
        seen += len(page)
        labour(work["seconds"], work["kind"])
    return found(listing, seen)


async def pages_later(client: Any) -> dict[str, Any]:
    """The same, asynchronously."""
    seen, listing, work = 0, client.customers(**ASKS), OPTIONS["work"]
    async for page in listing.pages():
        seen += len(page)
        if work["kind"] == "waits":
            await asyncio.sleep(work["seconds"])
        else:
            labour(work["seconds"], work["kind"])
    return found(listing, seen)


def labour(seconds: float, kind: str) -> None:
    """Work for so long."""
    if kind == "waits":
        time.sleep(seconds)
        return
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


ABOUT = {"version": uc.__version__, "file": uc.__file__}


def open_now(touch: Callable[[Any], None] | None) -> None:
    """Open a client, and serve."""
    client = uc.Client(account())
    client.customers(**ASKS)  # a keyword that this release refuses is refused here
    way = OPTIONS.get("walk", "all")
    works = {"all": lambda: walk(client, touch), "pages": lambda: pages(client), "first": lambda: first(client)}
    serve(works[way], **ABOUT)


async def open_later(touch: Callable[[Any], None] | None) -> None:
    """Open an async client, and serve."""
    async with uc.AsyncClient(account()) as client:
        client.customers(**ASKS)
        way = OPTIONS.get("walk", "all")
        works = {"all": lambda: walk_later(client, touch), "pages": lambda: pages_later(client)}
        await serve_later(works[way], **ABOUT)


def main() -> None:
    """Serve, or say what this release refuses."""
    touch = {"raw": read_raw, "fields": read_fields}.get(OPTIONS.get("read", ""))
    try:
        if OPTIONS.get("asynchronous"):
            asyncio.run(open_later(touch))
        else:
            open_now(touch)
    except uc.UnsupportedError as error:
        refuse(str(error))


main()
