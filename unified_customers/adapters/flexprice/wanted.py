"""Walking a list of wanted ids: a few at a time, in whichever spelling this server understands.

The real server wants a repeated key, the documents say commas; either takes the other for one strange id. So the
first few are asked for by repeated keys; where some are missing, once more with commas; what brings more is kept.

Knows ids and two spellings; must not know requests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import attrs

from ..._adapter import Batch, Position
from ...models import Customer, Query

REPEAT, PROBE, COMMAS = "repeat", "probe", "commas"
_MOST, _ROOM = 100, 4000  # ids and characters in one address; proxies refuse some 8,000


@attrs.frozen(kw_only=True)
class WantedPosition:
    """Where such a walk stands.

    Attributes:
        index: Which few ids are read.
        inner: The position in the walk over them.
        style: ``""`` as long as it isn't known, ``"repeat"``, ``"commas"``, or ``"probe"`` while commas are tried.
        found: Which of these few were found, by their place: an id may be personal data.
    """

    index: int = 0
    inner: Any
    style: str = ""
    found: tuple[int, ...] = ()


def field_of(query: Query) -> str:
    """Which of the query's lists is walked."""
    return "ids" if query.ids is not None else "external_ids"


def few(query: Query) -> list[tuple[str, ...]]:
    """The wanted ids in groups that fit an address."""
    groups: list[list[str]] = [[]]
    room = _ROOM
    for value in getattr(query, field_of(query)):
        need = len(quote(value, safe="")) + len("external_ids=&")
        if groups[-1] and (need > room or len(groups[-1]) >= _MOST):
            groups.append([])
            room = _ROOM
        groups[-1].append(value)
        room -= need
    return [tuple(group) for group in groups]


def narrowed(query: Query, position: WantedPosition) -> Query:
    """The query for the few ids that are read."""
    group = few(query)[position.index]
    return attrs.evolve(query, ids=group) if query.ids is not None else attrs.evolve(query, external_ids=group)


def advance(query: Query, position: WantedPosition, batch: Batch, start: Callable[[], Position]) -> Batch:
    """What a batch of the inner walk adds."""
    batch = batch.built()
    groups = few(query)
    wanted = groups[position.index]
    key: Callable[[Customer], str | None] = (lambda c: c.id) if query.ids is not None else (lambda c: c.external_id)
    unasked = any(key(customer) not in wanted for customer in batch.items)
    if unasked and position.style == "" and len(wanted) > 1:
        following = attrs.evolve(position, inner=start(), style=PROBE)
        return Batch(items=(), at=lambda _: position, next=following, recovered=True, scan=batch.scan)
    had = {wanted[n] for n in position.found} if position.style == PROBE else set()
    places = [n for n, customer in enumerate(batch.items, 1) if key(customer) not in had]
    items = tuple(batch.items[n - 1] for n in places)
    style = COMMAS if position.style == PROBE and items else position.style

    def found(count: int) -> tuple[int, ...]:
        now = {key(customer) for customer in items[:count]}
        return tuple(n for n, value in enumerate(wanted) if n in position.found or value in now)

    def at(count: int) -> WantedPosition:
        return attrs.evolve(position, inner=batch.at(places[count - 1] if count else 0), found=found(count))

    here = attrs.evolve(position, style=style, found=found(len(items)))
    onward = _following(here, batch, wanted, len(groups), start)
    return attrs.evolve(batch, items=items, at=at, next=onward, total=None, recovered=True, why=batch.why)


def _following(
    here: WantedPosition, batch: Batch, wanted: tuple[str, ...], groups: int, start: Callable[[], Position]
) -> WantedPosition | None:
    if batch.next is not None:
        return attrs.evolve(here, inner=batch.next)
    if here.style == "" and len(wanted) > 1 and len(here.found) < len(wanted):
        return attrs.evolve(here, inner=start(), style=PROBE)
    if here.index + 1 >= groups:
        return None
    style = REPEAT if here.style == PROBE else here.style
    return WantedPosition(index=here.index + 1, inner=start(), style=style)
