"""A pretend provider with an adversary in it, and the record of who was in its list all the time.

Knows the sandbox and how many requests are too many. Must not know which tool is reading, nor judge what it read.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import attrs

import unified_customers as uc
from unified_customers.sandbox._provider import Provider
from unified_customers.sandbox._wire import Reply, Request

CUSTOMERS = 1200
PAGE_SIZE = 100
MOST_REQUESTS = 200  # twelve pages are enough; who asks so often goes in a circle
ID_KEYS = {"flexprice": "id", "flexportal": "customerId", "flatpeak": "id"}

Answer = Callable[["Stage", Request], Reply]
After = Callable[["Stage", list[str]], None]


@attrs.define
class Stage:
    """One provider while one tool reads it.

    Attributes:
        provider: The sandbox's provider.
        random: Seeded, for whatever an adversary draws.
        size: How many customers an adversary starts with.
        answer: How a list request is answered; an adversary may put its own in.
        after: What happens after each answer with rows, given the ids in it.
        filter: What the tools ask for, in the provider's spelling; None for everybody.
        pages: How many list requests were answered with rows so far.
        told: Whether the tool raised an error to its caller.
        overrun: Set when the tool asked more often than any end can need.
        notes: What an adversary has to say beside what was read.
    """

    provider: Provider
    random: Random
    size: int
    answer: Answer
    after: After = lambda _stage, _ids: None
    filter: dict[str, str] | None = None
    pages: int = 0
    requests: int = 0
    told: bool = False
    overrun: threading.Event = attrs.field(factory=threading.Event)
    notes: set[str] = attrs.field(factory=set)
    wanted: set[str] = attrs.field(factory=set)
    clock: Callable[[], float] = time.monotonic
    honest: Callable[[Request], Reply] = attrs.field(init=False)

    def open(self) -> None:
        """Stand between the server and the provider; whoever is in the list from now on has to be read."""
        self.honest = self.provider.handle
        self.provider.handle = self._handle  # type: ignore[method-assign]
        self.wanted = set(self.matching())

    def matching(self) -> list[str]:
        """Ids in the list now, of those that the filter asks for."""
        if self.filter is None:
            return self.provider.ids
        key = ID_KEYS[self.provider.name]
        return [row[key] for row in self.provider.rows if self.filter.items() <= row.items()]

    def there_throughout(self) -> set[str]:
        """Who was in the list from the first request to the last."""
        return self.wanted & set(self.matching())

    def _handle(self, request: Request) -> Reply:
        # stripe-python's first request has Stripe's own path; the next ones have the path that the list tells
        path = request.path.replace("/v1/customers", "/customers") if self.provider.name == "flatpeak" else request.path
        if path == "/told":
            self.told = True
            return Reply(204)
        request = attrs.evolve(request, path=path)
        if self.provider.place(request) != "list":
            return self.honest(request)
        self.requests += 1
        if self.requests > MOST_REQUESTS:
            self.overrun.set()
            return self.provider.problem(503)
        return self._listed(request)

    def _listed(self, request: Request) -> Reply:
        reply = self.answer(self, request)
        ids = ids_in(self.provider, reply)
        if ids:
            self.pages += 1
            self.after(self, ids)
        return reply


def honestly(stage: Stage, request: Request) -> Reply:
    """The provider's own answer, with the faults that were ordered from it."""
    return stage.honest(request)


def ids_in(provider: Provider, reply: Reply) -> list[str]:
    """The ids of the customers in a good answer."""
    try:
        rows: list[dict[str, Any]] = json.loads(reply.body)[provider.rows_key] if reply.status == 200 else []
    except (ValueError, LookupError, TypeError):
        return []
    return [row[ID_KEYS[provider.name]] for row in rows]


@contextmanager
def on_stage(wire: str, seed: int, prepare: Callable[[Stage], None], size: int = CUSTOMERS) -> Iterator[Stage]:
    """A provider that serves, filled and made hostile."""
    with uc.sandbox(customers=0, seed=seed) as box:
        provider: Provider = getattr(box, wire)
        stage = Stage(provider, Random(f"{seed}/{wire}"), size, honestly)
        prepare(stage)
        stage.open()
        yield stage


def job_for(stage: Stage, page_size: int = PAGE_SIZE) -> dict[str, Any]:
    """What a tool has to know in order to read the list."""
    provider = stage.provider
    issue_token = getattr(provider, "issue_token", None)
    return {
        "wire": provider.name,
        "url": provider.base_url,
        "settings": provider.settings,
        "token": None if issue_token is None else issue_token(),
        "page_size": page_size,
        "filter": stage.filter,
        "told": f"{provider.base_url}/told",
    }
