"""What a walk will ask for next, as far as that can be known, and what of it was answered before its turn.

Pure: knows positions, requests and outcomes; must not know threads, tasks or httpx. The walk itself stays as it is:
when its turn comes, a request that was sent already is not sent again, and everything else about it is decided then.
So a guess that proves wrong costs a request, never a customer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from ._adapter import Batch, Position, raised
from ._conversation import Context, Outcome
from ._wire import Conversation, Request, Response
from .errors import CustomersError
from .models import Query

_Key = tuple[str, str, bytes | None]


def _key(request: Request) -> _Key:
    """What a request asks for; a key that rotates may differ from one time to the next."""
    return request.method, request.url, request.body


class Job(Protocol):
    """A request on its way."""

    @property
    def begun(self) -> bool:
        """Whether it was sent off."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""

    def wait_sent(self) -> Any:
        """Wait until it has left, or what is to be awaited for that."""

    def result(self) -> Any:
        """Its outcome, or what is to be awaited for it."""

    def cancel(self) -> None:
        """Nobody wants its outcome any more."""


class Lookahead:
    """The requests of one walk that were sent before their turn.

    Args:
        context: The client's.
        query: The walk's.
        hide: Values that the caller sent, to be masked in errors.
        width: How many requests may be in flight at the same time.
        depth: How many pages may be ready beyond the one that is handed out.
        walk: The walk's number, for whoever watches.
    """

    def __init__(
        self, context: Context, query: Query, hide: tuple[str, ...], width: int, depth: int, *, walk: int | None = None
    ) -> None:
        self._context, self._query, self._hide, self._walk = context, query, hide, walk
        self._width, self._depth = width, depth
        self._trust = width
        self._lock = threading.Lock()  # jobs of threads start jobs of their own
        self._jobs: dict[_Key, Job] = {}
        self.unused = 0
        self._read: tuple[Position, Response, Batch] | None = None
        self._pages = depth
        self._edge: tuple[Position, Request] | None = None
        self.bell: Any = None  # the client's, which its jobs ring

    @property
    def at_once(self) -> bool:
        """Whether several requests may be in flight, so that it pays to begin before the first answer."""
        return self._width > 1

    @property
    def jobs(self) -> list[Job]:
        """What was sent and not taken yet."""
        with self._lock:
            return [*self._jobs.values()]

    def aims(self, position: Position, left: int | None) -> Sequence[tuple[Position, Request]]:
        """Places to ask for now, the walk's own first, and their requests; without those that were sent.

        Args:
            position: Where the walk goes on.
            left: How many customers are still wanted, if not all.
        """
        pages = max(self._width, self._depth) if left is None else -(-left // self._query.page_size)
        if self._width == 1:
            return self._further(position, min(self._depth, pages))
        adapter, count = self._context.adapter, min(self._trust, pages)
        places = [position, *(adapter.foresee(self._query, position, count - 1) if count > 1 else ())]
        wanted = [(place, adapter.list_request(self._query, place)) for place in places]
        self._keep({_key(request) for _, request in wanted})
        return [(place, request) for place, request in wanted if _key(request) not in self._jobs]

    def _keep(self, keys: set[_Key]) -> None:
        """Drop guesses that proved wrong, and guess less far for a while."""
        with self._lock:
            wrong = [self._jobs.pop(key) for key in [*self._jobs] if key not in keys]
        if wrong:
            self._trust = max(1, self._trust // 2)
        for job in wrong:
            job.cancel()

    def _further(self, position: Position, pages: int) -> Sequence[tuple[Position, Request]]:
        """The page behind the last that was read ahead, if there is room for one."""
        request = self._context.adapter.list_request(self._query, position)
        with self._lock:
            self._pages = pages
            if _key(request) not in self._jobs:
                self._edge = None
                return [(position, request)] if pages else []
            edge = self._edge if len(self._jobs) < pages else None
            if edge is not None:
                self._edge = None
        return [] if edge is None else [edge]

    def started(self, request: Request, job: Job) -> None:
        """Remember a request that was sent."""
        with self._lock:
            self._jobs[_key(request)] = job
            self.unused += 1

    def taken(self, request: Request) -> Job | None:
        """The job of a request whose turn has come; if there is none, the guesses were wrong and are dropped."""
        with self._lock:
            job = self._jobs.pop(_key(request), None)
            if job is not None and job.begun:
                self.unused -= 1
                self._trust = min(self._width, self._trust + 1)
                return job
        self._keep(set())
        return None

    def places(self, position: Position) -> Sequence[tuple[Position, Request]]:
        """Where the walk may go on, and the requests; empty where it reads in order."""
        return ()

    def answered(self, requests: Sequence[Request]) -> int | None:
        """Which of these requests was answered first, as far as it is known."""
        return 0

    def fetch(self, position: Position, request: Request) -> Conversation[Outcome]:
        """Send a request before its turn."""
        return self._context.fetch(request, self._hide, self._walk)

    def onward(self, position: Position, outcome: Outcome) -> tuple[Position, Request] | None:
        """Read a page before its turn; where to go on at once, if there is room and nothing is odd about the page."""
        response = outcome.response
        if self._width > 1 or response is None or not 200 <= response.status < 300:
            return None  # a guessed place differs from the walk's own, so what is read for it would be of no use
        adapter = self._context.adapter
        try:
            batch = adapter.read_page(self._query, position, response, raised)
            outcome.read = position, batch
            if batch.next is None or batch.recovered:
                return None
            edge = batch.next, adapter.list_request(self._query, batch.next)
        except CustomersError:
            return None
        with self._lock:
            self._edge = None if len(self._jobs) < self._pages else edge
            return edge if self._edge is None else None

    def note(self, outcome: Any) -> Any:
        """Remember what a page was read to be, for the walk that takes its answer now."""
        if outcome is not None and outcome.read is not None and outcome.response is not None:
            self._read = outcome.read[0], outcome.response, outcome.read[1]
        return outcome

    def already_read(self, position: Position, response: Response) -> Batch | None:
        """What an answer adds to a walk that stands at `position`, if it was read for that place."""
        read, self._read = self._read, None
        if read is not None and read[1] is response and read[0] == position:
            return read[2]
        return None


class InAnyOrder(Lookahead):
    """The requests of a walk that reads whichever is answered first.

    There are no wrong guesses here: each request is that of a place where the walk goes on, however the others fare.
    And a request that fails is repeated where it runs, so that its waiting holds up no other.
    """

    def places(self, position: Position) -> Sequence[tuple[Position, Request]]:
        """All ways to go on from `position`, and their requests."""
        adapter = self._context.adapter
        found = adapter.places(self._query, position, self._width)
        return [(place, adapter.list_request(self._query, place)) for place in found]

    def aims(self, position: Position, left: int | None) -> Sequence[tuple[Position, Request]]:
        places = [*self.places(position)]
        if len(places) == 1:  # as long as the walk goes one way, what follows may be known all the same
            adapter = self._context.adapter
            further = adapter.foresee(self._query, places[0][0], self._width - 1)
            places += [(place, adapter.list_request(self._query, place)) for place in further]
        pages = self._width if left is None else -(-left // self._query.page_size)
        with self._lock:
            wanted = [(place, request) for place, request in places if _key(request) not in self._jobs]
            room = min(self._width, pages) - len(self._jobs)
        return wanted[: max(0, room)]

    def taken(self, request: Request) -> Job | None:
        with self._lock:
            job = self._jobs.pop(_key(request), None)
            if job is None or not job.begun:
                return None
            self.unused -= 1
            return job

    def answered(self, requests: Sequence[Request]) -> int | None:
        """Which of these requests was answered, the foremost if several; 0 if none of them is on its way."""
        with self._lock:
            jobs = [self._jobs.get(_key(request)) for request in requests]
        begun = [(n, job) for n, job in enumerate(jobs) if job is not None and job.begun]
        return next((n for n, job in begun if job.done), None if begun else 0)

    def fetch(self, position: Position, request: Request) -> Conversation[Outcome]:
        def understood(answer: Response) -> bool:
            return self._context.adapter.understands(self._query, position, answer)

        return self._context.insist(request, self._hide, understood, self._walk)
