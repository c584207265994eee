"""Who is told of what happens: the caller's `on_event`, and the log.

Knows events; must not know httpx or a provider. Where nobody listens, no event is made.
"""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from contextvars import copy_context
from typing import Any, Literal

from ._log import LOGGER, log
from .errors import CustomersError
from .events import Event, Listener, PageRead, SteppedBack, WalkBegan, WalkEnded

_numbers = itertools.count(1)


class Watch:
    """What one client tells to whom.

    Args:
        provider: The adapter's name.
        account: The account's name in a directory.
        on_event: The caller's.
    """

    def __init__(self, provider: str, account: str | None, on_event: Listener | None) -> None:
        self._provider, self._account, self.on_event = provider, account, on_event
        self._open: weakref.WeakSet[WalkWatch] = weakref.WeakSet()
        self._lock = threading.Lock()

    def hears(self, level: int = logging.DEBUG) -> bool:
        """Whether anybody listens to what is logged at this level."""
        return self.on_event is not None or LOGGER.isEnabledFor(level)

    def tell(self, kind: type[Event], walk: int | None, level: int = logging.DEBUG, **fields: Any) -> None:
        """Tell an event. What a listener raises comes out of here."""
        event = kind(provider=self._provider, account=self._account, walk=walk, **fields)
        if LOGGER.isEnabledFor(level):
            log(level, event)
        if self.on_event is not None:
            self.on_event(event)

    def opened(self, walk: WalkWatch) -> None:
        """Remember a walk that has begun, for when the client is closed under it."""
        with self._lock:
            self._open.add(walk)

    def close(self) -> None:
        """Say of each walk that has not ended that it was left."""
        with self._lock:
            walks = [*self._open]
            self._open.clear()
        for walk in walks:
            walk.left()


class WalkWatch:
    """What one walk tells: that it begins, its pages, and how it ends, once for each beginning.

    Attributes:
        walk: The walk's number.
        elapsed: Seconds that the last answer took.
        bad: Records of the last page that could not be read.
    """

    def __init__(self, watch: Watch, plan: Any, report: Any) -> None:
        self.walk = next(_numbers)
        self.elapsed = 0.0
        self.bad = 0
        self._watch, self._plan, self._report = watch, plan, report
        self._read = 0
        self._open = self._done = self._again = False
        self._state: weakref.ref[Any] | None = None  # so that no page is held on
        self._caller = None if watch.on_event is None else copy_context()  # a thread that reads has another

    def leaving(self) -> Leaving | None:
        """What whoever holds the walk has to hold too; `None` where nobody wants to know when it is dropped."""
        return Leaving(self) if self._watch.hears(logging.INFO) else None

    def began(self) -> None:
        """The walk is asked for more."""
        if self._open or self._done:
            return
        self._open, again, self._again = True, self._again, True
        if self._watch.hears(logging.INFO):
            self._watch.opened(self)
        if self._watch.hears():
            query = self._plan.query
            filters = (*query.given(), *self._plan.local_values)
            self._in_caller(WalkBegan, self.walk, filters=filters, page_size=query.page_size, again=again)

    def _in_caller(self, *args: Any, **fields: Any) -> None:
        caller, self._caller = self._caller, None
        if caller is None:
            self._watch.tell(*args, **fields)
        else:
            caller.run(self._watch.tell, *args, **fields)

    def page(self, state: Any, items: int, duplicates: int, moved: str) -> None:
        """A page was read; `moved` says why, where the walk steps back."""
        self.stands(state)
        self._read += items
        level = logging.WARNING if moved or self.bad else logging.DEBUG
        if not self._watch.hears(level):
            return
        report = self._report
        fields: dict[str, Any] = {"reason": moved} if moved else {}
        self._watch.tell(
            SteppedBack if moved else PageRead,
            self.walk,
            level,
            number=report.pages,
            items=items,
            read=self._read,
            total=report.total,
            elapsed=self.elapsed,
            requests=report.requests,
            bad=self.bad,
            duplicates=duplicates,
            **fields,
        )

    def stands(self, state: Any) -> None:
        """The walk is in this state now."""
        self._state = weakref.ref(state)

    def left(self) -> None:
        """Nobody reads on. There is no call that a listener's error could come out of, so it goes to the log."""
        try:
            self.ended("complete" if self._at_end() else "left")
        except Exception:  # noqa: BLE001 - whatever a listener raises
            LOGGER.exception("on_event raised when walk %s was left", self.walk)

    def _at_end(self) -> bool:
        """Whether all was handed out, though nobody asked once more to hear so."""
        state = None if self._state is None else self._state()
        if state is None or state.pool is not None or state.index < state.count:
            return False
        return bool(state.held.next is None or state.left == 0)

    def ended(self, outcome: Literal["complete", "failed", "left"], error: CustomersError | None = None) -> None:
        """The walk is at its end, for now at least."""
        if not self._open:
            return
        self._open, self._done = False, outcome == "complete"
        level = logging.INFO if error is None else logging.WARNING
        if not self._watch.hears(level):
            return
        report = self._report
        self._watch.tell(
            WalkEnded,
            self.walk,
            level,
            outcome=outcome,
            error=None if error is None else type(error).__name__,
            status=None if error is None else error.status,
            read=self._read,
            pages=report.pages,
            requests=report.requests,
            retries=report.retries,
            waited=report.waited,
            bad=report.bad,
            drift=report.drift,
        )


class Leaving:
    """Says that a walk was left, when the last who held it lets it go."""

    __slots__ = ("_told",)

    def __init__(self, told: WalkWatch) -> None:
        self._told = told

    def __del__(self) -> None:
        self._told.left()
