"""How a stage is made hostile: one function for each thing that a server may do.

Knows the sandbox's faults and rows. Must not know which tool is reading. Everything is drawn from the stage's seed
and happens between two answers, so that every tool meets the same thing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from unified_customers.sandbox._wire import Reply, Request

from .stage import Stage, honestly

TIED = 70  # customers that share one moment, as after a bulk import
CHANGES = 5  # rows created or removed between two answers
BURST = 20
CAP = 40
TOO_MANY = 17
RETRY_AFTER = 4.0
GOOD_PAGES = 3  # what goes wrong goes wrong after these

_SLACK = 0.05  # seconds; two clocks never agree
_FIRST = datetime(2024, 3, 2, 9, 30, tzinfo=UTC)

Count = Callable[[Stage], int]


def fill(stage: Stage, tied: int = 1) -> None:
    """Customers a minute apart, or so many to one moment."""
    key = stage.provider.created_key
    for number in range(stage.size):
        moment = _FIRST + timedelta(minutes=number // tied)
        born: dict[str, Any] = {key: moment.isoformat().replace("+00:00", "Z")}
        stage.provider.insert(**born)


def ties(stage: Stage) -> None:
    """As after bulk imports; the sandbox puts equal times in another order for each page, as a database may."""
    fill(stage, TIED)


def fault(kind: str, after: int = GOOD_PAGES) -> Callable[[Stage], None]:
    """A fault of the sandbox's own."""

    def prepare(stage: Stage) -> None:
        fill(stage)
        stage.provider.fault(kind, after=after, on="list")

    return prepare


# Lists that change ---------------------------------------------------------------------------


def moving(created: Count, removed: Count) -> Callable[[Stage], None]:
    """Customers come and go between any two answers."""
    return partial(_moving, created, removed)


def none(_stage: Stage) -> int:
    """Nothing changes."""
    return 0


def some(_stage: Stage) -> int:
    """The same number each time."""
    return CHANGES


def burst(stage: Stage) -> int:
    """Now many, now none."""
    return stage.random.randint(0, BURST)


def _moving(created: Count, removed: Count, stage: Stage) -> None:
    fill(stage)

    def change(stage: Stage, ids: list[str]) -> None:
        for _ in range(removed(stage)):
            # not the row that a cursor names: that is an adversary of its own
            _remove(stage, stage.random.choice([one for one in stage.provider.ids if one != ids[-1]]))
        stage.provider.insert(created(stage))

    stage.after = change


def lost_cursor(answer: str) -> Callable[[Stage], None]:
    """The last customer of a page is removed before the next one is asked for; the server answers as told."""
    return partial(_lost_cursor, answer)


def _lost_cursor(answer: str, stage: Stage) -> None:
    fill(stage)
    if stage.provider.name == "flexportal":  # its documents don't say what happens; Flatpeak's list has a 404
        stage.provider.lost_cursor = answer  # type: ignore[attr-defined]

    def remove(stage: Stage, ids: list[str]) -> None:
        if stage.pages == GOOD_PAGES:
            _remove(stage, ids[-1])

    stage.after = remove


def _remove(stage: Stage, one: str) -> None:
    hard: dict[str, Any] = {"hard": True} if stage.provider.name == "flexportal" else {}
    stage.provider.delete(one, **hard)


# Answers that are wrong ----------------------------------------------------------------------


def capped(stage: Stage) -> None:
    """Smaller pages than asked for, and not a word of it."""
    fill(stage)
    stage.provider.fault("page-cap", cap=CAP)


def half_the_total(stage: Stage) -> None:
    """As a count from a cache may be."""
    fill(stage)
    stage.provider.fault("lying-total", by=-stage.size // 2)


def too_many_in_total(stage: Stage) -> None:
    """As a count that includes what the list does not show."""
    fill(stage)
    stage.provider.fault("lying-total", by=TOO_MANY)


def bad_record(stage: Stage) -> None:
    """One customer in the middle of the list with a field of a wrong type."""
    fill(stage)
    field, value = stage.provider.bad_record
    stage.provider.update(stage.provider.ids[stage.size // 2], **{field: value})


def ignored_filter(stage: Stage) -> None:
    """One customer is asked for, and everybody is sent."""
    field = {"flatpeak": "reference_id"}.get(stage.provider.name, "email")
    wanted: dict[str, Any] = {field: "only-one@example.com"}
    fill(stage)
    stage.provider.insert(**wanted)
    stage.filter = wanted
    stage.provider.fault("ignore-filters")


# Requests that fail --------------------------------------------------------------------------


def limited(stage: Stage) -> None:
    """Refuses until the seconds that it asks for are over."""
    fill(stage)
    first: list[float] = []

    def answer(stage: Stage, request: Request) -> Reply:
        # a caller who was told of the limit waits the seconds before asking again
        over = stage.told or (bool(first) and stage.clock() >= first[0] + RETRY_AFTER - _SLACK)
        if stage.pages < GOOD_PAGES or over:
            return honestly(stage, request)
        if first:
            stage.notes.add("after asking again too early")
        first.append(stage.clock())
        return stage.provider.problem(429).with_header("retry-after", str(int(RETRY_AFTER)))

    stage.answer = answer


def outage(stage: Stage) -> None:
    """Fails until the tool has told its caller so."""
    fill(stage)

    def answer(stage: Stage, request: Request) -> Reply:
        down = stage.pages >= GOOD_PAGES and not stage.told
        return stage.provider.problem(503) if down else honestly(stage, request)

    stage.answer = answer
