"""The least that a client can do: httpx and orjson, a loop over pages, nothing built.

Knows the providers' parameters by heart. Must not check, map or keep anything: it is what the others are held against.
Options: `base`, `provider`, `size` of a page, `walk` (``"all"``, or ``"first"`` page only), `asynchronous`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
from talk import options, serve, serve_later

OPTIONS = options()
SIZE, FIRST = OPTIONS["size"], OPTIONS.get("walk") == "first"
PATHS = {"flexprice": "/v1/customers", "flexportal": "/v1/customers", "flatpeak": "/customers"}
URL = OPTIONS["base"] + PATHS[OPTIONS["provider"]]
HEADERS = {"accept": "application/json", "authorization": "Bearer key-of-the-benchmark"}


def start() -> dict[str, Any]:
    """The parameters of the first page."""
    return {"limit": SIZE, "offset": 0} if OPTIONS["provider"] == "flexprice" else {"limit": SIZE}


def step(asked: dict[str, Any], content: bytes) -> tuple[int, dict[str, Any] | None]:
    """How many rows a page has, and the parameters of the next, if there is one."""
    body = orjson.loads(content)
    if OPTIONS["provider"] == "flexprice":
        count = len(body["items"])
        return count, None if count < SIZE else {"limit": SIZE, "offset": asked["offset"] + SIZE}
    if OPTIONS["provider"] == "flexportal":
        rows = body["customers"]
        return len(rows), {"limit": SIZE, "startAfter": body["nextCursor"]} if body["hasMore"] else None
    rows = body["data"]
    return len(rows), {"limit": SIZE, "starting_after": rows[-1]["id"]} if body["has_more"] else None


def walk(client: httpx.Client) -> dict[str, Any]:
    """One walk."""
    seen, asked = 0, start()
    while asked is not None:
        count, asked = step(asked, client.get(URL, params=asked).content)
        seen += count
        if FIRST:
            break
    return {"customers": seen}


async def walk_later(client: httpx.AsyncClient) -> dict[str, Any]:
    """The same, asynchronously."""
    seen, asked = 0, start()
    while asked is not None:
        count, asked = step(asked, (await client.get(URL, params=asked)).content)
        seen += count
        if FIRST:
            break
    return {"customers": seen}


async def open_later() -> None:
    """Open an async client, and serve."""
    client = httpx.AsyncClient(headers=HEADERS, timeout=30)
    await serve_later(lambda: walk_later(client))


def main() -> None:
    """Open a client, and serve."""
    if OPTIONS.get("asynchronous"):
        asyncio.run(open_later())
    else:
        client = httpx.Client(headers=HEADERS, timeout=30)
        serve(lambda: walk(client))


main()
