"""One question to many accounts: how many customers each has, when the newest was created.

Knows clients that share their connections, and threads; must not know what is asked, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from .._adapter import Adapter
from .._http import small_http
from .._pool import Pool
from ..client import Client
from ..errors import CustomersError

T = TypeVar("T")


def ask(
    accounts: Mapping[str, Adapter], question: Callable[[str, Client], T], *, width: int, **client: Any
) -> tuple[dict[str, T], dict[str, CustomersError]]:
    """Each account's answer, or its error.

    Args:
        accounts: Whom to ask.
        question: Given a name and a client, asks.
        width: How many are asked at the same time.
        client: `timeout`, `rate` and `retry`, as for `Client`.
    """
    pool = Pool(small_http("sync", client.pop("timeout"), http2=False), width)

    def answer(name: str) -> T | CustomersError:
        try:
            one = Client(accounts[name], http_client=cast(Any, pool), _account_name=name, **client)
            with pool.lend(""):
                return question(name, one)
        except CustomersError as error:
            error.account = error.account or name
            return error

    try:
        with ThreadPoolExecutor(max_workers=max(1, min(width, len(accounts)))) as threads:
            told = dict(zip(accounts, threads.map(answer, accounts), strict=True))
    finally:
        for http in pool.all:
            http.close()
    errors = {name: one for name, one in told.items() if isinstance(one, CustomersError)}
    return {name: one for name, one in told.items() if not isinstance(one, CustomersError)}, errors
