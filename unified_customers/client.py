"""`Client`: carries conversations out with httpx, synchronously; may be shared by threads.

Knows httpx, time and locks; must not know a provider's spelling. The pump is a few lines; whatever it and that of
`AsyncClient` would say twice stands in `_account`, `_conversation` and `_client` instead.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from . import _account, _quiet, _writing, registry
from ._account import CheckResult
from ._adapter import Adapter, Position
from ._client import PATIENCE, Several, Shared
from ._conversation import Outcome
from ._http import READ, Timeout, built, nothing, own, response_of, traced, unreachable
from ._jobs import ThreadBell, ThreadJob
from ._listing import Listing
from ._lookahead import Lookahead
from ._pool import Pool
from ._query import Wanted, known_keywords
from ._retry import Retry
from ._walk import OnBadRecord, Walk
from ._wire import Conversation, First, NeedToken, Ready, Reply, Request, Send, Step, Token
from .errors import ConfigurationError, CustomersError
from .events import Listener
from .models import Customer, CustomerFields

T = TypeVar("T")


class Client(Shared):
    """One account, read synchronously; may be shared by threads.

    Args:
        provider: The account's settings, such as `Flexprice(api_key=…)`.
        timeout: Seconds to wait for an answer, 30 by default; or (connect, read); or ``"never"``.
        retry: How often and how long requests are repeated.
        http_client: Your own `httpx.Client`: used as it is, with its own timeouts, and not closed.
        on_event: Called with an `Event` for each request, wait, sign-in and page, and as walks begin and end. What it
            raises comes out of the call that was reading; no customer is lost by it.
        rate: Requests a second that all walks of this client share, slower for a while after a 429; `None` for any.
        http2: Whether to offer HTTP/2 (with the extra ``http2``); an injected client decides for itself.

    Raises:
        ConfigurationError: A setting can't be right.
    """

    def __init__(
        self,
        provider: Adapter,
        *,
        timeout: Timeout | None = READ,
        retry: Retry | None = None,
        http_client: httpx.Client | None = None,
        on_event: Listener | None = None,
        rate: float | None = None,
        http2: bool = False,
        _sleep: Callable[[float], None] = time.sleep,
        _account_name: str | None = None,
    ) -> None:
        super().__init__(provider, timeout, retry, on_event, rate, account=_account_name)
        if http_client is not None and not hasattr(http_client, "build_request"):
            raise ConfigurationError("http_client= takes an httpx.Client")
        if isinstance(http_client, httpx.AsyncClient):
            raise ConfigurationError("http_client= takes an httpx.Client; an httpx.AsyncClient goes with AsyncClient")
        self._http: Any = own(httpx.Client, self._timeout, http2) if http_client is None else http_client
        self._owned = http_client is None
        self._pool = None if http2 or not self._owned else Pool(self._another, first=self._http)
        self._lock = threading.Lock()
        self._jobs: weakref.WeakSet[ThreadJob] = weakref.WeakSet()
        self._counted = threading.Lock()  # jobs begin jobs, and a set can't be gone through meanwhile
        self._sleep = _sleep
        self._closing = threading.Event()
        self._nap: Callable[[float], Any] = self._closing.wait if _sleep is time.sleep else _sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back; an injected client stays open."""
        self._closed = True
        self._closing.set()
        until = time.monotonic() + PATIENCE
        with self._counted:
            jobs = [*self._jobs]
        for job in jobs:
            job.ended(max(0.0, until - time.monotonic()))
        if self._owned:
            for http in (self._http,) if self._pool is None else self._pool.all:
                http.close()
        self._context.watch.close()

    def _another(self) -> httpx.Client:
        """One more HTTP client, for a thread that finds the others at work.

        httpcore 1.0 lets a thread that looks for a connection close one that another thread is about to use (it takes
        the answer that has come for the end of an idle connection), so no two of ours share a client.
        """
        made: httpx.Client = own(httpx.Client, self._timeout, http2=False)
        return made

    def pump(
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
                    step = self._signed(conversation, step)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if isinstance(step, Send):
                reply = self._send(step, sent)
            elif isinstance(step, Ready):
                job = None if look is None else look.taken(step.request)
                reply = None if look is None or job is None else look.note(job.result())
            else:
                reply = 0 if look is None else self._first(look, step)

    def turn(self, walk: Walk) -> bool:
        """Carry a walk's turn out, and send what it will ask for next."""
        if walk.look is not None and walk.look.bell is None:
            walk.look.bell = ThreadBell()
        walk.told.began()  # before anything of it is sent
        if walk.look is not None and walk.look.at_once:
            self._look_ahead(walk)
        found = self.pump(walk.turn(), walk.look)
        begun = self._look_ahead(walk)
        for job in begun[:1] if walk.look is None or walk.look.at_once else walk.look.jobs:
            job.wait_sent()
        return found

    def _look_ahead(self, walk: Walk) -> list[ThreadJob]:
        look = walk.look
        return [] if look is None else [self._begin(look, *aim) for aim in walk.aims()]

    def _begin(self, look: Lookahead, position: Position, request: Request) -> ThreadJob:
        def work(sent: Callable[[], None]) -> Outcome:
            outcome = self.pump(look.fetch(position, request), None, sent)
            onward = look.onward(position, outcome)
            if onward is not None:
                self._begin(look, *onward)
            return outcome

        job = ThreadJob(work, look.bell.ring)
        with self._counted:
            self._jobs.add(job)
        look.started(request, job)
        with contextlib.suppress(RuntimeError):  # no thread or task can be had: it is sent when its turn comes
            job.start()
        return job

    def _first(self, look: Lookahead, step: First) -> int:
        for aim in step.begin:
            self._begin(look, *aim)
        return int(look.bell.wait(lambda: look.answered(step.requests)))

    def _send(self, step: Send, sent: Callable[[], None]) -> Reply:
        self._wait(step.after, sent)
        slowed = -1
        while self._pace is not None and slowed != self._pace.slowed:  # a 429 meanwhile gives everybody a new place
            slowed = self._pace.slowed
            self._wait(self._pace.wait(time.monotonic()), sent)
        began = time.monotonic()
        try:
            with _quiet.quietly(step.request.what), self._lent() as http:
                request = built(http, step.request, traced(sent))
                answer = http.send(request, auth=None, follow_redirects=False)
            return self._heard(response_of(answer, answer.content, began))
        except Exception as error:  # noqa: BLE001 - whatever an HTTP client raises, no answer came
            self._refuse_closed()  # closed under the request: asking again would not help
            return unreachable(error, began)

    def _lent(self) -> AbstractContextManager[Any]:
        return contextlib.nullcontext(self._http) if self._pool is None else self._pool.lend("")

    def _wait(self, seconds: float, sent: Callable[[], None]) -> None:
        if seconds:
            sent()  # it will be long
            (self._sleep if sent is nothing else self._nap)(seconds)  # what runs ahead of its turn wakes to be closed
            self._refuse_closed()

    def _signed(self, conversation: Conversation[Any], need: NeedToken) -> Step:
        """Go on with a token, or with the error that none could be had, which is the conversation's own to end with."""
        try:
            token = self._sign_in(need)
        except CustomersError as error:
            return conversation.throw(error)
        return conversation.send(token)

    def _sign_in(self, need: NeedToken) -> Token:
        with self._lock:  # one sign-in at a time, however many walks run
            self._token = self.pump(self._context.sign_in(need, self._token, time.monotonic()))
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
    ) -> Listing:
        """The customers of this account; nothing is sent before the first is asked for.

        Args:
            email: Exactly this address.
            status: A unified word, the provider's own, or ``"any"``; `None` is what the provider lists by default.
            kind: ``"individual"`` or ``"business"``.
            external_id: Your own id, or several.
            ids: The provider's id, or several.
            parent_ids: Customers below these.
            created_after: At this time or later, where the provider can (`Capabilities.since`); a date is its beginning
                in UTC, and so is a time without a zone.
            sort: A field to sort by, where the provider can.
            order: ``"asc"`` or ``"desc"``.
            params: The provider's own parameters, sent as they are.
            page_size: How many customers a request brings; the provider's largest page by default.
            max_items: How many customers to hand out in all.
            after: A checkpoint to go on from.
            before: A checkpoint or a customer's id to walk backwards from, where the provider can.
            concurrency: How many requests may be in flight at the same time, where the provider can: Flexprice, oldest
                first or by `sort=`. What comes, and in what order, stays the same.
            prefetch: How many pages to read ahead of what is handed out. Leaving a walk early wastes those.
            ordered: `False` hands pages out as their answers come, so that a slow one holds up no other: for
                `concurrency` of 2 or more, where the provider can (Flexprice by keyset).
            unsupported: ``"local"`` applies filters that the provider lacks here, to every row read; a sort that it
                lacks as well, once all are read, so such a walk holds all its customers in memory.
            on_bad_record: ``"raise"``, ``"skip"``, or a callable that is given each `BadRecordError`.

        Raises:
            UnsupportedError: The provider can't do that; nothing was sent.
            InvalidRequestError: A value can't be right; nothing was sent.
            CheckpointError: The checkpoint belongs elsewhere, or is damaged.
        """
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
        return Listing(plan, self)

    def customer(self, id: str | None = None, *, external_id: str | None = None) -> Customer:
        """One customer, by the provider's id or, where it stores one, by yours.

        Raises:
            NotFoundError: There is none.
            ConflictError: Several have that external id.
        """
        return self.pump(_account.one(self._context, id, external_id))

    @known_keywords
    def count(
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
        """How many customers there are, as the provider counts them.

        Raises:
            UnsupportedError: The provider tells no total.
        """
        wanted = Wanted(
            email=email,
            status=status,
            kind=kind,
            external_id=external_id,
            ids=ids,
            parent_ids=parent_ids,
            params=params,
        )
        return self.pump(_account.count(self._context, wanted))

    def create(self, **fields: Unpack[CustomerFields]) -> Customer:
        """Create a customer; whatever becomes of the answer, never two.

        Args:
            fields: As they are named in `Customer`: which ones the provider takes, and which it needs, is told by
                `providers()`. `params` holds the provider's own. `None` is as if left out.

        Raises:
            UnsupportedError: The provider creates no customers, or lacks a field; nothing was sent.
            InvalidRequestError: Without `status`, values that it would refuse, all in `faults`; nothing was sent.
            ConflictError: The external id is taken.
            UnknownOutcomeError: The answer was lost, and what became of the customer can't be found out.
            MalformedResponseError: It was created, but not as sent; `details` has its id.
        """
        doubt = _writing.doubt_of(self._context)
        with doubt:
            return self.pump(_writing.create(self._context, fields, doubt))

    def update(self, id: str, **fields: Unpack[CustomerFields]) -> Customer:
        """Change a customer: what is not named stays, `None` clears, metadata and addresses are replaced whole.

        It is repeated as `Retry` allows, which does no harm. An error that leaves it open whether the change was made
        (`TransportError`, `ServerError`) is mended by updating again.

        Args:
            id: The provider's id.
            fields: As they are named in `Customer`, and `params` for the provider's own.

        Raises:
            UnsupportedError: The provider lacks a field, or can't clear it; nothing was changed.
            InvalidRequestError: Without `status`, values that it would refuse, all in `faults`; nothing was sent.
            NotFoundError: There is no such customer.
            ConflictError: The external id is taken.
            MalformedResponseError: The answer shows other values than were sent.
        """
        return self.pump(_writing.update(self._context, id, fields))

    def archive(self, id: str) -> None:
        """Take a customer out of use; it stays stored. An answer that was lost is no failure: it is asked again.

        Raises:
            UnsupportedError: The provider archives none; nothing was sent.
            NotFoundError: There is no such customer, or it is archived already.
        """
        self.pump(_writing.archive(self._context, id))

    def delete(self, id: str, *, cascade: bool = False) -> None:
        """Erase a customer for good, with everything that hangs on it.

        Args:
            id: The provider's id.
            cascade: Has to be `True`: the word for what goes along.

        Raises:
            UnsupportedError: The provider erases none; nothing was sent.
            InvalidRequestError: Without `cascade=True`; nothing was sent.
            NotFoundError: There is no such customer.
        """
        self.pump(_writing.delete(self._context, id, cascade))

    def check(self) -> CheckResult:
        """Sign in, read one page, and say what was found."""
        return self.pump(_account.check(self._context))


def connect(
    name: str,
    *,
    timeout: Timeout | None = READ,
    retry: Retry | None = None,
    http_client: httpx.Client | None = None,
    on_event: Listener | None = None,
    rate: float | None = None,
    http2: bool = False,
    **settings: Any,
) -> Client:
    """Open a client by its provider's name.

    Args:
        name: Such as ``"flexprice"``; `providers()` lists them, plugins included.
        timeout: As for `Client`, and so are the next five.
        retry: See `Client`.
        http_client: See `Client`.
        on_event: See `Client`.
        rate: See `Client`.
        http2: See `Client`.
        settings: The provider's own settings; what is missing is read from the environment (``FLEXPRICE_API_KEY``, …).

    Raises:
        ConfigurationError: There is no such provider, or a setting is missing; the variable to set is named.
    """
    account = registry.settings(name, settings)
    return Client(
        account, timeout=timeout, retry=retry, http_client=http_client, on_event=on_event, rate=rate, http2=http2
    )
