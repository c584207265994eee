"""What `Client` and `AsyncClient` are made of alike: the account, its pace, its plans.

Knows accounts and the clock; must not know how requests are sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Unpack

from . import _account, _fields, _quiet
from ._adapter import Adapter
from ._conversation import Context
from ._http import Timeout, timeout_of
from ._pace import Pace
from ._query import Wanted
from ._retry import Retry, retry_after
from ._walk import OnBadRecord, Plan
from ._wire import Response, Token
from .errors import ConfigurationError, Fault
from .events import Listener
from .models import CustomerFields

Several = str | Iterable[str] | None
PATIENCE = 5.0  # seconds that closing waits for requests that were sent ahead


class Shared:
    """What both clients are made of."""

    def __init__(
        self,
        provider: Adapter,
        timeout: Timeout | None,
        retry: Retry | None,
        on_event: Listener | None,
        rate: float | None,
        *,
        account: str | None,
    ) -> None:
        self._context: Context = _account.context_of(provider, retry, on_event, account)
        self._pace = None if rate is None else Pace(rate)
        self._timeout = timeout_of(timeout)
        self._token: Token | None = None
        self._closed = False
        _quiet.install()

    @property
    def provider(self) -> Adapter:
        """The account's settings."""
        return self._context.adapter

    def _plan(
        self,
        wanted: Wanted,
        *,
        max_items: int | None,
        after: str | None,
        before: str | None,
        concurrency: int,
        prefetch: int,
        ordered: bool,
        on_bad_record: OnBadRecord,
    ) -> Plan:
        return _account.plan(
            self._context,
            wanted,
            after=after,
            before=before,
            max_items=max_items,
            concurrency=concurrency,
            prefetch=prefetch,
            ordered=ordered,
            on_bad_record=on_bad_record,
        )

    def check_create(self, **fields: Unpack[CustomerFields]) -> tuple[Fault, ...]:
        """Everything for which `create` would refuse these fields; nothing is sent.

        Raises:
            UnsupportedError: There is no such keyword.
        """
        return _fields.faults(self.provider, fields, creating=True)

    def check_update(self, **fields: Unpack[CustomerFields]) -> tuple[Fault, ...]:
        """Everything for which `update` would refuse these fields, as far as that can be told without asking.

        Raises:
            UnsupportedError: There is no such keyword.
        """
        return _fields.faults(self.provider, fields, creating=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._context.adapter.name}>"

    def _heard(self, response: Response) -> Response:
        if self._pace is not None:
            self._pace.heard(response.status, retry_after(response.headers, response), time.monotonic())
        return response

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed: open a new one, or keep it open with `with`")
