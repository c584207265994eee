"""Walking by keyset: ask for what was created after the last row, except the rows already read at that moment.

Knows moments and ids; must not know whose they are.

Rows that come or go elsewhere can't shift such a walk, and rows that share a moment can't hide. When more rows
share one moment than may be named in a request, the walk goes on by offset inside that moment, in the order of ids, and
each page must meet ids that were read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import attrs

from .._adapter import Batch, Row, ids_of, moments_of, readable
from .._values import moment, stamp
from ..errors import DriftError, PaginationError

MOST_IDS = 1000
_TAIL = 128
_OVERLAP = 8
_DOUBTS = 2
_BACK = 12
_FEW = 8
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen(kw_only=True)
class KeysetPosition:
    """Where a walk by keyset stands.

    Attributes:
        at: When the rows handed out last were created; `None` before the first.
        ids: Ids of that moment read by other means, in no order.
        run: Ids of that moment read by this walk, in the server's order of ids; once `rank` is set, the last of them.
        rank: The offset inside the moment, once its ids are too many to be named.
        seen: How many customers were handed out.
        down: Whether the walk goes from the newest to the oldest.
        back: Steps back in a row, inside a moment.
        doubts: Empty answers in a row that came with a total above zero.
        ordered: Whether a page has shown that the server sorts as asked: two moments in the right order.
        left: How many rows the last answer left to come, by its own total.
        first: How many customers there were at the start, where the server counted.
        fine: Whether a moment finer than a millisecond was seen, so that the server shows what it sorts by.
        audit: Whether all that is left is to count once more: fewer customers were read than there were.
        top: When the first row of a walk from the newest was created.
        newer: Whether all that is left is to count what was created since.
        came: How many that were.
    """

    at: str | None = None
    ids: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    rank: int | None = None
    seen: int = 0
    down: bool = False
    back: int = 0
    doubts: int = 0
    ordered: bool = False
    left: int | None = None
    first: int | None = None
    fine: bool = False
    audit: bool = False
    top: str | None = None
    newer: bool = False
    came: int = 0


def bound(position: KeysetPosition) -> str | None:
    """The moment that wanted rows lie strictly beyond: one microsecond before (or after) the last one's."""
    at = moment(position.at)
    try:
        return None if at is None else stamp(at + _MICROSECOND if position.down else at - _MICROSECOND)
    except OverflowError:  # the first or last moment there is: everything lies on this side of it
        return None


def without(position: KeysetPosition) -> tuple[str, ...]:
    """Ids to leave out: those read at that moment."""
    return () if position.rank is not None else (*position.ids, *position.run)


def size_of(position: KeysetPosition, page_size: int, largest: int) -> int:
    """How many rows to ask for: a page, and the overlap where there is one."""
    return page_size if position.rank is None else min(largest, page_size + _OVERLAP)


def offset(position: KeysetPosition, asked: int) -> int:
    """The offset to ask from, past the bound; steps back go a page at a time, so that no row is passed over."""
    if position.rank is None:
        return 0
    overlap = min(_OVERLAP, asked // 2)
    return max(0, position.rank - overlap - position.back * max(1, asked - overlap))


def in_bounds(position: KeysetPosition, rows: Sequence[Row]) -> bool:
    """Whether the answer is what was asked for: in order of time, beyond the bound, without the ids left out."""
    times = moments_of(rows)
    if not all(times):
        return False  # without its moment a row has no place in this order
    if times != sorted(times, reverse=position.down):  # type: ignore[type-var]  # none of them is None
        return False
    left_out = frozenset(without(position))
    return not times or (_beyond(position, times[0]) and left_out.isdisjoint(ids_of(rows)))


def _beyond(position: KeysetPosition, first: datetime | None) -> bool:
    at = moment(position.at)
    if at is None or first is None:
        return True
    return first <= at if position.down else first >= at


def advance(
    position: KeysetPosition, rows: Sequence[Row], *, asked: int, total: int | None, counts: bool = True
) -> Batch:
    """What a page adds to the walk; the page must be `in_bounds`.

    Args:
        position: Where the page was asked for.
        rows: The page.
        asked: How many rows were asked for.
        total: The server's count of what lies beyond the bound: a hint.
        counts: Whether the count at the start still means something at the end: not where rows change lists.

    Raises:
        DriftError: Inside a very large moment, none of the last rows read is left to go on from.
        PaginationError: The server promises rows that it doesn't send.
    """
    _refuse_jump(position, total)
    fresh: Sequence[Row] = rows
    if position.rank is not None:
        met = _met(position, rows)
        if met is None:
            return _step_back(position, asked)
        fresh = [row for row in rows[met:] if row.id not in frozenset(position.ids)]
    return _batch(position, rows, fresh, asked=asked, total=total, counts=counts)


def _refuse_jump(position: KeysetPosition, total: int | None) -> None:
    """Pages of one moment each don't show their order; a total that falls by far more than was taken betrays a jump."""
    if not position.ordered and position.left is not None and total is not None and 2 * total < position.left:
        raise PaginationError("seems to ignore the order of its search, so rows were passed over: use scan='offset'")


def _met(position: KeysetPosition, rows: Sequence[Row]) -> int | None:
    """How many rows of the page are known ground: all up to the last id that was read."""
    if position.rank == 0:
        return 0
    known = frozenset(position.run)
    places = [n for n, row in enumerate(rows, 1) if row.id in known]
    return places[-1] if places else None


def _step_back(position: KeysetPosition, asked: int) -> Batch:
    if offset(position, asked) == 0 or position.back >= _BACK:
        raise DriftError(
            f"no longer has any of the last {len(position.run)} customers read at one moment that very many share: "
            "start again without after="
        )
    following = attrs.evolve(position, back=position.back + 1)
    return Batch(items=(), at=lambda _: position, next=following, recovered=True, why="rows moved", scan="keyset")


def _batch(
    position: KeysetPosition,
    rows: Sequence[Row],
    fresh: Sequence[Row],
    *,
    asked: int,
    total: int | None,
    counts: bool,
) -> Batch:
    items, behind = readable(fresh)
    reached = offset(position, asked) + len(rows)
    first = total if position.first is None and position.at is None else position.first
    fine = position.fine or any(at is not None and at.microsecond % 1000 for at in moments_of(rows))
    ordered = position.ordered or (len(rows) > 1 and rows[0].moment != rows[-1].moment)
    seen = attrs.evolve(position, ordered=ordered, first=first, fine=fine)
    left = None if total is None or position.rank is not None else total - len(rows)
    after = attrs.evolve(after_rows(seen, fresh), left=left)
    ended = len(rows) < asked and (total is None or total <= reached)
    if not rows and total is None and position.left is not None:
        ended = False  # it counted before, so an empty answer without a count proves nothing
    following = None if ended else after if rows else _doubt(position, total)
    if following is None and counts and position.down and position.at is not None and after.top is not None:
        following = attrs.evolve(after, newer=True)
    elif following is None and counts and first is not None and after.seen < first:
        following = attrs.evolve(after, audit=True)

    def at(count: int) -> KeysetPosition:
        return after if count >= len(items) else after_rows(position, fresh[: behind(count)])

    return Batch(
        items=items,
        at=at,
        next=following,
        total=None if total is None or position.rank is not None else position.seen + total,
        scan="keyset",
        dropped=0,
        recovered=following is not None and not fresh and not following.newer,
        why="asked again" if not rows else "rows moved",
    )


def audited(position: KeysetPosition, total: int | None) -> Batch:
    """The end of a walk that read fewer customers than there were: were they deleted, or passed over?

    Raises:
        DriftError: There still are more than were read, and than can have come behind the walk.
    """
    if total is None or total - position.seen > _may_have_come(position, total):
        raise DriftError(
            f"counts {total} customers, and {position.seen} were read: its times may be coarser than those that it "
            "sorts by. Use scan='offset'"
        )
    return Batch(
        items=(),
        at=lambda _: attrs.evolve(position, audit=False),
        next=None,
        total=total,
        scan="keyset",
    )


def asking(position: KeysetPosition, rows: int) -> tuple[KeysetPosition, int]:
    """From where to ask for how many rows: those that follow, or one, where all that is wanted is a count."""
    if position.audit:
        return KeysetPosition(down=position.down), 1
    top = moment(position.top)
    if position.newer and top is not None:
        return KeysetPosition(at=stamp(top + _MICROSECOND)), 1  # what was created after the first row
    return position, rows


def _may_have_come(position: KeysetPosition, total: int) -> int:
    """How many of the rows that are counted at the end may have come behind the walk."""
    if position.down:  # all that was created since the start, and a little more since that was counted
        return _FEW + position.came + position.came // 4
    if total == position.first and not position.fine:
        return 0
    return _FEW + max(0, total - (position.first or 0))


def counted(position: KeysetPosition, total: int | None) -> Batch:
    """The end of a walk from the newest, which could not see what was created since."""
    after = attrs.evolve(position, newer=False, came=total or 0)
    short = position.first is not None and position.seen < position.first
    following = attrs.evolve(after, audit=True) if short else None
    return Batch(items=(), at=lambda _: after, next=following, scan="keyset", unseen=total)


def _doubt(position: KeysetPosition, total: int | None) -> KeysetPosition | None:
    """Ask again after an empty answer whose count says otherwise; a count of what was read already is no promise."""
    if position.doubts < _DOUBTS:
        return attrs.evolve(position, doubts=position.doubts + 1)
    if total is not None and total <= position.seen:
        return None
    counted = "stopped counting" if total is None else f"counts {total} customers"
    raise PaginationError(
        f"{counted} and sends nothing after the {position.seen} that were read, however often it is asked"
    )


def after_rows(position: KeysetPosition, rows: Sequence[Row]) -> KeysetPosition:
    """The position after further rows in the walk's order."""
    if not rows:
        return attrs.evolve(position, doubts=0)
    last = rows[-1].moment
    at = position.at if last is None else stamp(last)
    here = tuple(row.id for row in takewhile(lambda row: row.moment == last, reversed(rows)))[::-1]
    stays = at == position.at
    ids = position.ids if stays else ()
    run = (*position.run, *here) if stays else here
    rank = position.rank if stays else None
    first = rows[0].moment
    top = stamp(first) if position.top is None and position.at is None and position.down and first else position.top
    if rank is not None:
        rank += len(here)
    elif len(ids) + len(run) > MOST_IDS:
        rank = len(run) + sum(1 for id_ in ids if id_ < run[-1])  # a guess where ids sort otherwise; `_met` checks it
    return KeysetPosition(
        at=at,
        ids=ids,
        run=run[-_TAIL:] if rank is not None else run,
        rank=rank,
        seen=position.seen + len(rows),
        down=position.down,
        ordered=position.ordered,
        first=position.first,
        fine=position.fine,
        top=top,
    )
