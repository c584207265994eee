"""Walking two lists as one: what leaves the first for the second meanwhile is read once, and never missed.

Knows two walks in order of time; must not know whose they are.

Where a provider lists, say, archived customers apart, a row may move from the first list (the lead) to the second
(the follower) during the walk. So the follower stays behind the lead: after each page of the lead, it is read up to
the lead's last moment, and drops what the lead gave there. A row that moves then is either given by the lead
already, or still ahead of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from .._adapter import Batch, Position
from .._values import moment, stamp
from ..errors import PaginationError
from ..models import Customer

_MOST_GIVEN = 20_000


@attrs.frozen(kw_only=True)
class WindowPosition:
    """Where such a walk stands.

    Attributes:
        lead: The position in the first list; `None` before its start.
        follow: The position in the second.
        phase: ``"lead"`` or ``"follow"``: which is read next.
        until: The moment up to which the follower may be read; `None` once the lead has ended.
        since: Where the window starts: what the follower has before it was given, by the lead or by itself.
        given: Ids that the lead gave and the follower has not passed.
        edge: Those of them from `until` on, where the next window starts.
        timeless: Those that have no moment, so that no window can ever be behind them.
        ended: Whether the lead has ended.
    """

    lead: Any
    follow: Any
    phase: str = "lead"
    until: str | None = None
    since: str | None = None
    given: tuple[str, ...] = ()
    edge: tuple[str, ...] = ()
    timeless: tuple[str, ...] = ()
    ended: bool = False


def current(position: WindowPosition) -> Position:
    """The position in the list that is read next."""
    return position.lead if position.phase == "lead" else position.follow


def advance(position: WindowPosition, batch: Batch, *, down: bool) -> Batch:
    """What a batch of the list that is read next adds to the walk of both."""
    back = batch.fallback
    if back is not None:
        batch = attrs.evolve(batch, fallback=lambda: advance(position, back(), down=down))
    batch = batch.built()
    if batch.recovered and not batch.items and batch.next is not None:
        return attrs.evolve(batch, next=_moved(position, batch.next), at=lambda _: position)
    return _lead(position, batch, down) if position.phase == "lead" else _follow(position, batch, down)


def _moved(position: WindowPosition, to: Position) -> WindowPosition:
    return attrs.evolve(position, **{position.phase: to})


def _lead(position: WindowPosition, batch: Batch, down: bool) -> Batch:
    ended = batch.next is None
    items = batch.items

    def at(count: int) -> WindowPosition:
        given = (*position.given, *(customer.id for customer in items[:count]))
        until, edge = _edge(position, items[:count], down)
        timeless = (*position.timeless, *(customer.id for customer in items[:count] if customer.created_at is None))
        if count < len(items):
            return attrs.evolve(position, lead=batch.at(count), given=given, until=until, edge=edge, timeless=timeless)
        if len(given) > _MOST_GIVEN:
            raise PaginationError("sent too many customers without the time of their creation to read two lists as one")
        lead = batch.at(count) if batch.next is None else batch.next
        return attrs.evolve(
            position,
            lead=lead,
            given=given,
            edge=edge,
            timeless=timeless,
            phase="follow",
            until=None if ended else until,
            ended=ended,
        )

    return attrs.evolve(batch, at=at, next=at(len(items)))


def _edge(position: WindowPosition, items: Sequence[Customer], down: bool) -> tuple[str | None, tuple[str, ...]]:
    """The last moment that the lead reached, and the ids given from its first customer on; some may have no moment."""
    times = [None if customer.created_at is None else stamp(customer.created_at) for customer in items]
    last = next((time for time in reversed(times) if time is not None), None)
    ids = tuple(customer.id for customer in items)
    stands = last is not None and position.until is not None and (last > position.until) == down
    if last is None or last == position.until or stands:  # a window never moves back, whatever comes late
        return position.until, (*position.edge, *ids)
    return last, ids[times.index(last) :]


def _follow(position: WindowPosition, batch: Batch, down: bool) -> Batch:
    """The follower's rows that are news; the others are no duplicates, as each list was asked for them."""
    inside = _inside(position, batch.items, down)
    known = frozenset(position.given)
    places = [
        n for n, customer in enumerate(inside, 1) if customer.id not in known and not _passed(position, customer, down)
    ]
    cut = len(inside) < len(batch.items)
    after = _after(position, batch, len(inside), cut=cut)

    def at(count: int) -> WindowPosition:
        if count >= len(places):
            return after
        return attrs.evolve(position, follow=batch.at(places[count - 1] if count else 0))

    return attrs.evolve(
        batch,
        items=tuple(inside[n - 1] for n in places),
        at=at,
        next=None if position.ended and batch.next is None else after,
        recovered=True,
        why="",
    )


def _passed(position: WindowPosition, customer: Customer, down: bool) -> bool:
    """Whether a row lies before the window: it came to the follower after the window it belongs to was read."""
    since, at = moment(position.since), customer.created_at
    if since is None or at is None:
        return False
    return at > since if down else at < since


def _inside(position: WindowPosition, items: Sequence[Customer], down: bool) -> Sequence[Customer]:
    """The follower's rows on this side of the lead's last moment, whose own rows may not all have been read."""
    until = moment(position.until)
    if until is None:
        return items if position.ended else ()
    for n, customer in enumerate(items):
        at = customer.created_at
        if at is not None and (at <= until if down else at >= until):
            return items[:n]
    return items


def _after(position: WindowPosition, batch: Batch, inside: int, *, cut: bool) -> WindowPosition:
    """Where to go on: with the follower while it has rows in the window, else with the lead."""
    if not cut and batch.next is not None:
        return attrs.evolve(position, follow=batch.next)
    follow = batch.at(inside) if inside else position.follow
    if position.ended:
        return attrs.evolve(position, follow=follow)
    given = tuple(dict.fromkeys((*position.timeless, *position.edge)))
    return attrs.evolve(position, follow=follow, phase="lead", given=given, since=position.until)
