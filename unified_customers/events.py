"""What a client tells whoever watches it: one small frozen class for each kind of event.

Knows names, counts and seconds; holds no key, no value of a filter and no customer's data, and must not know who
listens.

    match event:
        case events.PageRead(number=number, read=read):
            print(f"page {number}, {read} customers so far")
        case events.Repeated(wait=wait, status=status):
            print(f"waits {wait:.0f} s after {status}")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, TypeAlias

import attrs

__all__ = ["Event", "Listener", "PageRead", "Repeated", "RequestEnded", "SigningIn", "SteppedBack", "WalkBegan",
           "WalkEnded", "each"]  # fmt: skip


@attrs.frozen(kw_only=True)
class Event:
    """Something that a watcher may want to know; `on_event` is given one of the classes below.

    There may be further kinds in later versions: end a `match` with ``case _``.

    Attributes:
        kind: The class's name for logs and tables, such as ``"page"``.
        provider: The adapter's name.
        account: The account's name, where a `Directory` reads it; else `None`.
        walk: Which walk it belongs to: a number that no other walk of this process has, so that walks that go on at
            the same time can be told apart. `None` outside a walk, as in `client.count()`.
    """

    kind: ClassVar[str] = ""

    provider: str
    account: str | None = None
    walk: int | None = None


Listener: TypeAlias = Callable[[Event], None]
"""What `on_event=` takes."""


@attrs.frozen(kw_only=True)
class WalkBegan(Event):
    """A walk is about to ask for its first page, or goes on after an error.

    It is told in the context (`contextvars`) of whoever started the walk, also where a thread reads.

    Attributes:
        filters: Names of the filters, without their values.
        page_size: Customers a page.
        again: Whether this walk had ended with an error, and was asked to go on.
    """

    kind: ClassVar[Literal["begin"]] = "begin"

    filters: tuple[str, ...] = ()
    page_size: int = 0
    again: bool = False


@attrs.frozen(kw_only=True)
class RequestEnded(Event):
    """A request was answered, or it is certain that no answer comes. Told from the thread that sent it.

    Attributes:
        what: What it was for, such as ``"list customers"``.
        method: Such as ``"GET"``.
        template: The path with names in place of values, such as ``"/v1/customers/{id}"``; `None` where the adapter
            doesn't say.
        host: The server's name.
        port: Its port.
        status: The HTTP status; `None` where no answer came.
        error: Why none came: the class of the HTTP library's error, such as ``"ConnectTimeout"``.
        elapsed: Seconds from sending to the last byte.
        resends: How often this request had been sent before, redirects and repeats included.
        ahead: Whether it was sent before its turn (`prefetch=`, `concurrency=`).
    """

    kind: ClassVar[Literal["request"]] = "request"

    what: str
    method: str
    template: str | None = None
    host: str = ""
    port: int | None = None
    status: int | None = None
    error: str | None = None
    elapsed: float = 0.0
    resends: int = 0
    ahead: bool = False


@attrs.frozen(kw_only=True)
class Repeated(Event):
    """A request failed and will be sent again after a wait.

    Attributes:
        what: What the request is for.
        wait: Seconds until it is sent again.
        attempt: How many times it was tried so far.
        reason: The error's class, such as ``"RateLimitedError"``.
        status: The HTTP status, where there was an answer.
    """

    kind: ClassVar[Literal["retry"]] = "retry"

    what: str
    wait: float
    attempt: int
    reason: str
    status: int | None = None


@attrs.frozen(kw_only=True)
class SigningIn(Event):
    """A token is about to be asked for.

    Attributes:
        what: What the request is for.
    """

    kind: ClassVar[Literal["sign-in"]] = "sign-in"

    what: str


@attrs.frozen(kw_only=True)
class _Progress(Event):
    number: int
    items: int
    read: int
    total: int | None = None
    elapsed: float = 0.0
    requests: int = 0
    bad: int = 0
    duplicates: int = 0


@attrs.frozen(kw_only=True)
class PageRead(_Progress):
    """A page was read; its customers are handed out next.

    Attributes:
        number: 1 for the first page of the walk.
        items: Customers that it brought.
        read: Customers that the walk brought so far, this page included.
        total: The provider's count of all matches, a hint; `None` where it doesn't say.
        elapsed: Seconds that its answer took.
        requests: Requests of the walk so far.
        bad: Records of this page that could not be read and were left out.
        duplicates: Rows of this page that had been handed out.
    """

    kind: ClassVar[Literal["page"]] = "page"


@attrs.frozen(kw_only=True)
class SteppedBack(_Progress):
    """Rows moved under the walk, or its method changed, so that it asks again from an earlier place.

    Attributes:
        reason: Why, in a few words.
        number: Pages so far.
        items: As for `PageRead`, and so are the rest.
        read: See `PageRead`.
        total: See `PageRead`.
        elapsed: See `PageRead`.
        requests: See `PageRead`.
        bad: See `PageRead`.
        duplicates: See `PageRead`.
    """

    kind: ClassVar[Literal["recover"]] = "recover"

    reason: str


@attrs.frozen(kw_only=True)
class WalkEnded(Event):
    """A walk is at its end, or failed, or was left before its end. For each `WalkBegan` there is one of these.

    Of requests that were sent ahead in vain, some may be told after it.

    Attributes:
        outcome: ``"complete"``; ``"failed"``: an error was raised, and asking on begins again; ``"left"``: the iterator
            was dropped, or its client closed, before the end. A process that is killed tells nothing.
        error: The error's class, such as ``"ServerError"``, for a walk that failed.
        status: The error's HTTP status, where there was one.
        read: Customers that the walk brought, over all of its beginnings.
        pages: Pages, and so on, as in `Report`.
        requests: Requests sent.
        retries: Requests that were repeated.
        waited: Seconds spent waiting between repeats.
        bad: Records that could not be read and were left out.
        drift: How often it stepped back.
    """

    kind: ClassVar[Literal["end"]] = "end"

    outcome: Literal["complete", "failed", "left"]
    error: str | None = None
    status: int | None = None
    read: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    bad: int = 0
    drift: int = 0


def each(*listeners: Listener) -> Listener:
    """Several listeners as one, for `on_event=`.

    Each of them hears every event, also where one before it raised; the first error is raised afterwards.

    Args:
        listeners: Callables that take an `Event`.
    """

    def tell(event: Event) -> None:
        first: BaseException | None = None
        for listener in listeners:
            try:
                listener(event)
            except BaseException as error:  # noqa: BLE001 - raised below, whatever it is
                first = first or error
        if first is not None:
            raise first

    return tell
