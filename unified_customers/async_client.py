"""`AsyncClient`: carries conversations out with httpx, on asyncio or trio.

Knows httpx, time and locks; must not know a provider's spelling. What it has in common with `Client` stands in
`_account`, `_conversation` and `_client`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import anyio
import httpx

from . import _account, _quiet, _writing, registry
from ._account import CheckResult
from ._adapter import Adapter, Position
from ._client import Several, Shared
from ._conversation import Outcome
from ._http import READ, Timeout, built, nothing, own, read, response_of, traced_async, unreachable
from ._jobs import TaskBell, TaskJob
from ._listing import AsyncListing
from ._lookahead import Lookahead
from ._query import Wanted, known_keywords
from ._retry import Retry
from ._walk import OnBadRecord, Walk
from ._wire import Conversation, First, NeedToken, Ready, Reply, Request, Send, Step, Token
from .errors import ConfigurationError, CustomersError
from .events import Listener
from .models import Customer, CustomerFields

T = TypeVar("T")


class AsyncClient(Shared):
    """One account, read asynchronously, on asyncio or trio; may be shared by tasks of one event loop.

    Arguments are those of `Client`; `http_client` takes an `httpx.AsyncClient`.
    """

    def __init__(
        self,
        provider: Adapter,
        *,
        timeout: Timeout | None = READ,
        retry: Retry | None = None,
        http_client: httpx.AsyncClient | None = None,
        on_event: Listener | None = None,
        rate: float | None = None,
        http2: bool = False,
        _sleep: Callable[[float], Any] | None = None,
        _account_name: str | None = None,
    ) -> None:
        super().__init__(provider, timeout, retry, on_event, rate, account=_account_name)
        if http_client is not None and not hasattr(http_client, "build_request"):
            raise ConfigurationError("http_client= takes an httpx.AsyncClient")
        if isinstance(http_client, httpx.Client):
            raise ConfigurationError("http_client= takes an httpx.AsyncClient; an httpx.Client goes with Client")
        self._http: Any = own(httpx.AsyncClient, self._timeout, http2) if http_client is None else http_client
        self._owned = http_client is None
        self._lock = anyio.Lock()
        self._jobs: set[TaskJob] = set()
        self._sleep = _sleep or anyio.sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give the connections back; an injected client stays open."""
        self._closed = True
        jobs = [*self._jobs]
        for job in jobs:
            job.cancel()
        with anyio.CancelScope(shield=True):  # also where the whole of it was cancelled
            for job in jobs:
                await job.ended()
            if self._owned:
                await self._http.aclose()
        self._context.watch.close()

    async def pump(
        self, conversation: Conversation[T], look: Lookahead | None = None, sent: Callable[[], None] = nothing
    ) -> T:
        """Carry a conversation out.

        Args:
            conversation: What to carry out.
            look: What of it was sent before its turn.
            sent: Called when a request has left, or waits.
        """
        self._refuse_closed()
        reply: Any = None
        while True:
            try:
                step = conversation.send(reply)
                while isinstance(step, NeedToken):
                    step = await self._signed(conversation, step)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if isinstance(step, Send):
                reply = await self._send(step, sent)
            elif isinstance(step, Ready):
                job = None if look is None else look.taken(step.request)
                reply = None if look is None or job is None else look.note(await job.result())
            else:
                reply = 0 if look is None else await self._first(look, step)

    def task(self) -> int:
        """Which task this is."""
        return anyio.get_current_task().id

    async def turn(self, walk: Walk) -> bool:
        """Carry a walk's turn out, and send what it will ask for next."""
        if walk.look is not None and walk.look.bell is None:
            walk.look.bell = TaskBell()
        walk.told.began()  # before anything of it is sent
        if walk.look is not None and walk.look.at_once:
            self._look_ahead(walk)
        found = await self.pump(walk.turn(), walk.look)
        begun = self._look_ahead(walk)
        for job in begun[:1] if walk.look is None or walk.look.at_once else walk.look.jobs:
            await job.wait_sent()
        return found

    def _look_ahead(self, walk: Walk) -> list[TaskJob]:
        look = walk.look
        return [] if look is None else [self._begin(look, *aim) for aim in walk.aims()]

    def _begin(self, look: Lookahead, position: Position, request: Request) -> TaskJob:
        async def work(sent: Callable[[], None]) -> Outcome:
            outcome = await self.pump(look.fetch(position, request), None, sent)
            onward = look.onward(position, outcome)
            if onward is not None:
                self._begin(look, *onward)
            return outcome

        job = TaskJob(work, self._jobs, look.bell.ring)
        look.started(request, job)
        with contextlib.suppress(RuntimeError):  # no thread or task can be had: it is sent when its turn comes
            job.start()
        return job

    async def _first(self, look: Lookahead, step: First) -> int:
        for aim in step.begin:
            self._begin(look, *aim)
        return int(await look.bell.wait(lambda: look.answered(step.requests)))

    async def _send(self, step: Send, sent: Callable[[], None]) -> Reply:
        await self._wait(step.after, sent)
        slowed = -1
        while self._pace is not None and slowed != self._pace.slowed:
            slowed = self._pace.slowed
            await self._wait(self._pace.wait(time.monotonic()), sent)
        began = time.monotonic()
        try:
            with _quiet.quietly(step.request.what):
                request = built(self._http, step.request, traced_async(sent))
                answer = await self._http.send(request, auth=None, follow_redirects=False, stream=True)
                try:
                    body = await read(answer)
                finally:
                    await answer.aclose()
            return self._heard(response_of(answer, body, began))
        except Exception as error:  # noqa: BLE001 - whatever an HTTP client raises, no answer came
            self._refuse_closed()  # closed under the request: asking again would not help
            return unreachable(error, began)

    async def _wait(self, seconds: float, sent: Callable[[], None]) -> None:
        if seconds:
            sent()  # it will be long
            await self._sleep(seconds)

    async def _signed(self, conversation: Conversation[Any], need: NeedToken) -> Step:
        """Go on with a token, or with the error that none could be had, which is the conversation's own to end with."""
        try:
            token = await self._sign_in(need)
        except CustomersError as error:
            return conversation.throw(error)
        return conversation.send(token)

    async def _sign_in(self, need: NeedToken) -> Token:
        async with self._lock:  # one sign-in at a time, however many walks run
            self._token = await self.pump(self._context.sign_in(need, self._token, time.monotonic()))
            return self._token

    @known_keywords
    def customers(
        self,
        *,
        email: str | None = None,
        status: str | None = None,
        kind: str | None = None,
        external_id: Several = None,
        ids: Several = None,
        parent_ids: Several = None,
        created_after: datetime | date | str | None = None,
        sort: str | None = None,
        order: str | None = None,
        params: Mapping[str, Any] | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        after: str | None = None,
        before: str | None = None,
        concurrency: int = 1,
        prefetch: int = 0,
        ordered: bool = True,
        unsupported: str = "raise",
        on_bad_record: OnBadRecord = "raise",
    ) -> AsyncListing:
        """The customers of this account, for `async for`; arguments and errors are those of `Client.customers`."""
        wanted = Wanted(
            email=email,
            status=status,
            kind=kind,
            external_id=external_id,
            ids=ids,
            parent_ids=parent_ids,
            created_after=created_after,
            sort=sort,
            order=order,
            params=params,
            page_size=page_size,
            backwards=before is not None,
            unsupported=unsupported,
        )
        plan = self._plan(
            wanted,
            max_items=max_items,
            after=after,
            before=before,
            concurrency=concurrency,
            prefetch=prefetch,
            ordered=ordered,
            on_bad_record=on_bad_record,
        )
        return AsyncListing(plan, self)

    async def customer(self, id: str | None = None, *, external_id: str | None = None) -> Customer:
        """One customer; arguments and errors are those of `Client.customer`."""
        return await self.pump(_account.one(self._context, id, external_id))

    @known_keywords
    async def count(
        self,
        *,
        email: str | None = None,
        status: str | None = None,
        kind: str | None = None,
        external_id: Several = None,
        ids: Several = None,
        parent_ids: Several = None,
        params: Mapping[str, Any] | None = None,
    ) -> int:
        """How many customers there are; arguments and errors are those of `Client.count`."""
        wanted = Wanted(
            email=email,
            status=status,
            kind=kind,
            external_id=external_id,
            ids=ids,
            parent_ids=parent_ids,
            params=params,
        )
        return await self.pump(_account.count(self._context, wanted))

    async def create(self, **fields: Unpack[CustomerFields]) -> Customer:
        """Create a customer; arguments and errors are those of `Client.create`.

        One that is cancelled on its way may have happened.
        """
        doubt = _writing.doubt_of(self._context)
        with doubt:
            return await self.pump(_writing.create(self._context, fields, doubt))

    async def update(self, id: str, **fields: Unpack[CustomerFields]) -> Customer:
        """Change a customer; arguments and errors are those of `Client.update`."""
        return await self.pump(_writing.update(self._context, id, fields))

    async def archive(self, id: str) -> None:
        """Take a customer out of use; errors are those of `Client.archive`."""
        await self.pump(_writing.archive(self._context, id))

    async def delete(self, id: str, *, cascade: bool = False) -> None:
        """Erase a customer for good; arguments and errors are those of `Client.delete`."""
        await self.pump(_writing.delete(self._context, id, cascade))

    async def check(self) -> CheckResult:
        """Sign in, read one page, and say what was found."""
        return await self.pump(_account.check(self._context))


def connect_async(
    name: str,
    *,
    timeout: Timeout | None = READ,
    retry: Retry | None = None,
    http_client: httpx.AsyncClient | None = None,
    on_event: Listener | None = None,
    rate: float | None = None,
    http2: bool = False,
    **settings: Any,
) -> AsyncClient:
    """Open an async client by its provider's name; arguments and errors are those of `connect`."""
    account = registry.settings(name, settings)
    return AsyncClient(
        account, timeout=timeout, retry=retry, http_client=http_client, on_event=on_event, rate=rate, http2=http2
    )
