"""Many accounts of one provider, read at the same time through a directory, or one after another.

Knows the public names of `unified_customers` only. Options: `base`, an address with ``{account}`` in it; `accounts`,
how many; `way`: ``"directory"``, ``"async"``, or ``"one by one"``; `asks`, keywords of `customers`; `at_once`, how
many are read at the same time.
"""

from __future__ import annotations

import asyncio
from typing import Any

from talk import options, serve, serve_later

import unified_customers as uc

OPTIONS = options()
ASKS: dict[str, Any] = OPTIONS.get("asks", {})


def opened(directory: Any) -> Any:
    """A directory, with as many accounts at once as the options say; earlier commits called that `in_flight`."""
    if "at_once" not in OPTIONS:
        return directory(accounts())
    try:
        return directory(accounts(), concurrency=OPTIONS["at_once"])
    except TypeError:
        return directory(accounts(), in_flight=OPTIONS["at_once"])


def accounts() -> list[Any]:
    """The settings of the accounts."""
    bases = [OPTIONS["base"].format(account=number) for number in range(1, OPTIONS["accounts"] + 1)]
    return [uc.FlexPortal(api_key="key-of-the-benchmark", tenant_id="tenant_7f3a91", base_url=base) for base in bases]


def one_by_one(clients: list[Any]) -> dict[str, Any]:
    """What a loop over accounts takes."""
    seen = 0
    for client in clients:
        for _ in client.customers(**ASKS):
            seen += 1
    return {"customers": seen}


def together(directory: Any) -> dict[str, Any]:
    """What a directory takes, with threads."""
    seen = 0
    for _ in directory.customers(**ASKS):
        seen += 1
    return {"customers": seen}


async def together_later(directory: Any) -> dict[str, Any]:
    """What a directory takes, with tasks."""
    seen = 0
    async for _ in directory.customers(**ASKS):
        seen += 1
    return {"customers": seen}


ABOUT = {"version": uc.__version__, "file": uc.__file__}


async def open_later() -> None:
    """Open an async directory, and serve."""
    async with opened(uc.AsyncDirectory) as directory:
        await serve_later(lambda: together_later(directory), **ABOUT)


def main() -> None:
    """Open the clients, and serve."""
    if OPTIONS["way"] == "async":
        asyncio.run(open_later())
    elif OPTIONS["way"] == "directory":
        with opened(uc.Directory) as directory:
            serve(lambda: together(directory), **ABOUT)
    else:
        clients = [uc.Client(account) for account in accounts()]
        serve(lambda: one_by_one(clients), **ABOUT)


main()
