"""Walking by offset over a list that may move: each page overlaps what was read, and must meet it.

Knows ranks, ids and moments; must not know whose they are.

An offset counts rows, so a row that goes or comes before it moves every later page. And where rows share a moment,
their order may differ from query to query (Flexprice sorts by `created_at` alone). So a page is asked for from one row
before the last moment's whole group. If its first row is older than that moment, everything from there on is in
the page, whatever its order. If it isn't, rows have moved: the walk steps back until it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import attrs

from .._adapter import Batch, Row, readable
from .._values import moment, stamp
from ..errors import DriftError, PaginationError

_TAIL = 16
_OLDER = 32
_STUCK = 3
_CREEP = 64
_FEW = 3
_BACK = 24


@attrs.frozen(kw_only=True)
class OffsetPosition:
    """Where a walk by offset stands.

    Attributes:
        offset: The rank to ask from.
        at: When the rows handed out last were created, or `None` where that can't be told.
        group: Ids handed out of that moment.
        older: Ids of some rows before that moment.
        cut: Whether `group` holds the last of that moment's ids only.
        tail: Ids of the last rows of the last page, in the order of that page.
        seen: How many customers were handed out.
        course: ``"up"`` or ``"down"`` in time, ``"mixed"``, or ``""`` as long as it isn't known.
        slack: Extra rows of overlap, learnt from how far rows have moved.
        by_id: Whether ids in order must prove the overlap: in a group too large for one page, or without moments.
        cap: The largest page that the server was seen to send, where that is less than was asked.
        back: Steps back in a row.
        stuck: Pages without news in a row.
        crept: Pages of known ground since the last step back.
        first: The total that the server sent first.
        total: The total that the server sent last.
        steady: Whether it has been the same all the time, as it is when nothing moves.
    """

    offset: int = 0
    at: str | None = None
    group: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    cut: bool = False
    tail: tuple[str, ...] = ()
    seen: int = 0
    course: str = ""
    slack: int = 0
    by_id: bool = False
    cap: int | None = None
    back: int = 0
    stuck: int = 0
    crept: int = 0
    first: int | None = None
    total: int | None = None
    steady: bool = True


def start_after(
    at: str | None, group: Sequence[str], seen: int, course: str, first: int | None = None
) -> OffsetPosition:
    """The position of a walk that handed out `seen` customers by other means, the last, `group`, created `at`."""
    return OffsetPosition(
        offset=max(0, seen - len(group) - 1),
        at=at,
        group=tuple(group),
        seen=seen,
        course=course if seen else "",
        first=first,
    )


def size_of(position: OffsetPosition, page_size: int, largest: int) -> int:
    """How many rows to ask for: a page and the overlap."""
    if position.offset == 0 and not position.seen:
        return page_size
    overlap = len(position.tail) or _TAIL if position.by_id else len(position.group) + 1
    return min(largest, page_size * (1 + position.stuck) + overlap + position.slack)


def foreseen(position: OffsetPosition, count: int, page_size: int, largest: int) -> list[OffsetPosition]:
    """Where the next pages start, if nothing moves and no two rows share a moment."""
    if not position.seen:
        return []
    reach = min(_TAIL, max(1, min(largest, position.cap or largest) // 2)) if position.by_id else 2
    ahead = position if position.by_id else attrs.evolve(position, group=position.group[:1])
    step = size_of(position, page_size, largest) - reach - position.slack
    ends = position.offset + step * count if position.total is None else position.total
    places = [position.offset + step * n for n in range(1, count + 1)] if step > 0 else []
    return [attrs.evolve(ahead, offset=place) for place in places if place < ends]


def advance(
    position: OffsetPosition,
    rows: Sequence[Row],
    *,
    asked: int,
    total: int | None,
    page_size: int,
    largest: int,
    unique: bool = False,
    moves: bool = False,
) -> Batch:
    """What a page adds to the walk.

    Args:
        position: Where the page was asked for.
        rows: The page.
        asked: How many rows were asked for.
        total: The server's count of all matches: a hint.
        page_size: How many customers the caller wants in a page.
        largest: The server's largest page.
        unique: Whether no two rows share a place in the order.
        moves: Whether rows change between lists, as archived ones do, so that a steady total proves nothing.

    Raises:
        DriftError: Nothing proves that no row was lost.
        PaginationError: The server promises rows that it doesn't send.
    """
    position = attrs.evolve(
        position,
        course=_course(position, rows),
        by_id=position.by_id or unique,
        steady=position.steady and not moves and position.total in {None, total},
        first=total if position.first is None else position.first,
        total=position.total if total is None else total,
    )
    fresh = _fresh(position, rows, unique=unique)
    if fresh is None and position.offset > 0:
        return _step_back(position, page_size)
    if fresh is None:
        return _ask_again(position, total)
    return _batch(position, rows, fresh, asked=asked, total=total, page_size=page_size, largest=largest)


def _fresh(position: OffsetPosition, rows: Sequence[Row], *, unique: bool) -> list[Row] | None:
    """The rows that were not handed out, or `None` where the page does not meet what was read."""
    if position.offset == 0 and not position.seen:
        return list(rows)
    if _by_ids(position):
        return _after_tail(position, rows, unique=unique)
    return _after_group(position, rows)


def _after_group(position: OffsetPosition, rows: Sequence[Row]) -> list[Row] | None:
    known = {*position.group, *position.older}
    if position.offset > 0 and not (rows and _older(position, rows[0])):
        return None
    fresh = [row for row in rows if row.id not in known and not _older(position, row)]
    return None if not fresh and _elsewhere(position, rows) else fresh


def _elsewhere(position: OffsetPosition, rows: Sequence[Row]) -> bool:
    """Whether a page without news may be another page altogether: nothing in it was read last.

    Where the rows read last were deleted, so it looks too; then a second answer, from further back, agrees.
    """
    if not rows:
        return True
    last = {*position.group, *position.older[-1:]}
    return position.offset > 0 and not position.back and not any(row.id in last for row in rows)


def _older(position: OffsetPosition, row: Row) -> bool:
    at = moment(position.at)
    if row.moment is None or at is None:
        return row.id in position.older
    return row.moment > at if position.course == "down" else row.moment < at


def _after_tail(position: OffsetPosition, rows: Sequence[Row], *, unique: bool) -> list[Row] | None:
    """Rows after the known ones, which must stand in the page in the order in which they were read."""
    tail = position.tail or position.group
    places = {row.id: n for n, row in enumerate(rows)}
    met = [places[id_] for id_ in tail if id_ in places]
    if not met:
        return None
    if met != sorted(met):
        raise _no_order()
    known = {*tail, *position.group}
    if not unique and any(row.id in known for row in rows[met[-1] + 1 :]):
        raise _no_order()  # read already, and now behind what was read last
    if unique or position.cut or position.at is None or position.course == "mixed":
        return [row for row in rows[met[-1] + 1 :] if row.id not in known]
    known.update(position.older)  # all ids of the moment are known, so a row that sorts elsewhere now is news too
    return [row for row in rows if row.id not in known and not _older(position, row)]


def _no_order() -> DriftError:
    return DriftError(
        "lists customers of the same moment in another order each time, and there are more of them than fit a page: "
        "nothing proves that none is lost. scan='keyset' reads such lists where the server has a search"
    )


def _step_back(position: OffsetPosition, page_size: int) -> Batch:
    """Ask again from further before: twice as far each time, or, where ids are the proof, a page at a time."""
    back = position.back + 1
    if back > _BACK or position.offset == 0:
        raise DriftError("moved its rows faster than they can be read: use scan='keyset', or try at a quieter time")
    reach = max(4, page_size // 2) if _by_ids(position) else max(8, page_size // 8) * 2**back
    following = attrs.evolve(
        position,
        offset=max(0, position.offset - reach),
        back=back,
        slack=min(page_size, max(8, 2 * position.slack)),
    )
    return Batch(items=(), at=lambda _: position, next=following, recovered=True, why="rows moved", scan="offset")


def _ask_again(position: OffsetPosition, total: int | None) -> Batch:
    """After a page that can't be the whole truth: ask once more, a bounded number of times."""
    if total == 0 and position.seen:
        return Batch(items=(), at=lambda _: position, next=None, total=total, scan="offset")  # all were deleted
    if position.stuck >= _STUCK:
        counted = "does not count its customers" if total is None else f"counts {total} customers"
        raise DriftError(
            f"{counted}, and {position.seen} were read: rows moved or share a place, so nothing proves that none is "
            "lost. scan='keyset' without sort= reads them all where the server has a search"
        )
    following = attrs.evolve(position, stuck=position.stuck + 1)
    return Batch(items=(), at=lambda _: position, next=following, recovered=True, why="asked again", scan="offset")


def _by_ids(position: OffsetPosition) -> bool:
    return position.by_id or position.course == "mixed" or position.at is None


def _batch(
    position: OffsetPosition,
    rows: Sequence[Row],
    fresh: list[Row],
    *,
    asked: int,
    total: int | None,
    page_size: int,
    largest: int,
) -> Batch:
    items, behind = readable(fresh)
    after = _after(position, rows, fresh, count=len(fresh), page_size=page_size, largest=largest)
    reached = position.offset + len(rows)
    ended = not rows or (len(rows) < asked and (total is None or total <= reached))
    if not ended and len(rows) < asked:
        after = attrs.evolve(after, cap=len(rows))
    if ended and (_falls_short(position, rows, total, len(fresh)) or _denies_itself(position, total, reached)):
        if not fresh:
            return _ask_again(position, total)
        ended = False
    following = None if ended else _unstuck(position, after, rows, fresh, full=len(rows) >= asked < largest)

    def at(count: int) -> OffsetPosition:
        if count >= len(items):
            return after
        return _after(position, rows, fresh, count=behind(count), page_size=page_size, largest=largest)

    return Batch(
        items=items,
        at=at,
        next=following,
        total=total,
        dropped=0,
        scan="offset",
        recovered=position.back > 0 and not fresh,
        why="rows moved" if position.back else "",
        strict=position.cut,
        unseen=_unseen(position) if following is None and position.course == "down" else None,
    )


def _unseen(position: OffsetPosition) -> int | None:
    """How many customers came in front of a walk from the newest; those that went meanwhile hide as many."""
    if position.total is None or position.first is None:
        return None
    return max(0, position.total - position.first)


def _unstuck(
    position: OffsetPosition,
    after: OffsetPosition,
    rows: Sequence[Row],
    fresh: Sequence[Row],
    *,
    full: bool,
) -> OffsetPosition:
    """Where to go on; after a page without news, a bounded number of times."""
    if fresh:
        return after
    end = position.offset + len(rows) - 1
    if position.back and len(rows) > 1 and position.crept < _CREEP:  # stepped back too far: known ground
        return attrs.evolve(position, offset=end, crept=position.crept + 1)
    if position.stuck >= _STUCK:
        left = "" if position.total is None else f" ({position.total} in all, {position.seen} read)"
        raise PaginationError(f"promises more customers than it sends{left}")
    if full and not position.by_id:  # a larger page from the same place: ids prove nothing where ties have no order
        return attrs.evolve(position, stuck=position.stuck + 1)
    tail = tuple(row.id for row in rows[-min(_TAIL, max(1, len(rows) // 2)) :])
    return attrs.evolve(after, offset=end + 1 - len(tail), tail=tail, by_id=True, stuck=position.stuck + 1)


def _falls_short(position: OffsetPosition, rows: Sequence[Row], total: int | None, count: int) -> bool:
    """Whether an end contradicts the count: fewer customers than there are, or no count where there was one."""
    if not rows and (position.seen or total):
        return total is None or total > position.seen
    if total is None:
        return position.total is not None
    return total - position.seen - count > _came_behind(position, total)


def _denies_itself(position: OffsetPosition, total: int | None, reached: int) -> bool:
    """Whether an answer counts far fewer customers than stand before its own last row, and than it counted before."""
    return total is not None and total + _FEW < min(reached, position.first or 0)


def _came_behind(position: OffsetPosition, total: int) -> int:
    """How many of the customers that are counted may have come behind the walk: none in a list at rest.

    A total that changed tells of a list that moves; a newest-first list grows behind every walk.
    """
    if position.steady and position.course != "down":
        return 0
    return _FEW + max(0, total - (position.first or 0))


def _after(
    position: OffsetPosition,
    rows: Sequence[Row],
    fresh: Sequence[Row],
    *,
    count: int,
    page_size: int,
    largest: int,
) -> OffsetPosition:
    """The position after the first `count` fresh rows."""
    if not count:
        return position
    handed, last = fresh[:count], fresh[count - 1]
    places = {row.id: n for n, row in enumerate(rows)}
    end = places[last.id]
    group, older = _grouped(position, handed, last)
    first = next((n for n, row in enumerate(rows) if _same(row, last)), end)
    room = min(largest, position.cap or largest)  # of which the overlap may take a part only
    stays = position.cut and last.moment is not None and position.at == stamp(last.moment)
    large = stays or len(group) + 1 + min(page_size, _TAIL, max(1, room // 2)) > room
    by_id = large or last.moment is None or position.course == "mixed"
    reach = min(_TAIL, max(1, room // 2))
    tail = tuple(row.id for row in rows[max(0, end + 1 - reach) : end + 1] if _handed(row, position, handed))
    return OffsetPosition(
        offset=max(0, position.offset + (end + 1 - len(tail) if by_id else first - 1) - position.slack),
        at=None if last.moment is None else stamp(last.moment),
        group=group[-2 * _TAIL :] if large else group,
        older=older,
        cut=large,
        tail=tail,
        seen=position.seen + count,
        course=position.course,
        slack=position.slack,
        by_id=by_id,
        cap=position.cap,
        first=position.first,
        total=position.total,
        steady=position.steady,
    )


def _handed(row: Row, position: OffsetPosition, handed: Sequence[Row]) -> bool:
    return row in handed or row.id in position.group or row.id in position.tail or _older(position, row)


def _same(row: Row, last: Row) -> bool:
    return row.id == last.id if last.moment is None else row.moment == last.moment


def _grouped(position: OffsetPosition, handed: Sequence[Row], last: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids handed out of the last row's moment, and of some rows before it."""
    group = tuple(row.id for row in handed if _same(row, last))
    before = tuple(row.id for row in handed if not _same(row, last))
    if last.moment is not None and position.at == stamp(last.moment):
        return (*position.group, *group), position.older
    return group, (*position.older, *position.group, *before)[-_OLDER:]


def _course(position: OffsetPosition, rows: Sequence[Row]) -> str:
    """Which way time runs in this list, learnt from its pages."""
    moments = [row.moment for row in rows if row.moment is not None]
    if len(moments) < len(rows):
        return "mixed"
    ups = any(a < b for a, b in pairwise(moments))
    downs = any(a > b for a, b in pairwise(moments))
    here = "mixed" if ups and downs else "up" if ups else "down" if downs else ""
    if not here or position.course in {"", here}:
        return here or position.course
    return "mixed"
