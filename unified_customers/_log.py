"""Events as records of the logger `unified_customers`, which is silent unless a program sets logging up.

Knows logging and events; must not know who else is told. Costs nothing where the level is not enabled.
"""

from __future__ import annotations

import logging
from typing import Any

import attrs

from .events import Event, PageRead, Repeated, RequestEnded, SigningIn, SteppedBack, WalkBegan, WalkEnded

LOGGER = logging.getLogger("unified_customers")
LOGGER.addHandler(logging.NullHandler())  # else Python itself would print warnings where logging was not set up


def log(level: int, event: Event) -> None:
    """Write an event down."""
    LOGGER.log(level, "%s: %s", event.account or event.provider, _Sentence(event), extra=_extra(event))


class _Sentence:
    """An event in words, made when a handler asks for them."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    def __str__(self) -> str:
        return _said(self._event)


def _extra(event: Event) -> dict[str, Any]:
    """The event's fields as attributes of the log record; with a prefix, as `LogRecord` has names of its own."""
    fields = {f"uc_{field.name}": getattr(event, field.name) for field in attrs.fields(type(event))}
    return {"uc_kind": event.kind, **fields}


def _said(event: Event) -> str:
    match event:
        case WalkBegan():
            by = f" by {', '.join(event.filters)}" if event.filters else ""
            return f"walk {event.walk} {'goes on' if event.again else 'begins'}{by}, {event.page_size} a page"
        case RequestEnded():
            answer = event.status if event.error is None else event.error
            return f"{event.method} ({event.what}): {answer} after {event.elapsed:.3f} s"
        case Repeated():
            status = "" if event.status is None else f"{event.status} "
            return f"{status}{event.reason}; waits {event.wait:.1f} s, then sends it again ({event.what})"
        case SigningIn():
            return "signs in"
        case PageRead() | SteppedBack():
            return _page(event)
        case WalkEnded():
            return _ended(event)
        case _:
            return event.kind


def _page(event: PageRead | SteppedBack) -> str:
    bad = f", {event.bad} records could not be read" if event.bad else ""
    back = f"; {event.reason}; steps back" if isinstance(event, SteppedBack) else ""
    return f"walk {event.walk}, page {event.number}: {event.items} customers, {event.read} so far{bad}{back}"


def _ended(event: WalkEnded) -> str:
    how = {"complete": "is complete", "left": "was left before its end"}.get(event.outcome, f"failed: {event.error}")
    return (
        f"walk {event.walk} {how}: {event.read} customers, {event.pages} pages, {event.requests} requests, "
        f"{event.retries} repeated, {event.waited:.1f} s waited"
    )
