"""Walking an ordered list of rows from a cursor, in either direction.

Knows entries ordered by (key, id). Must not know HTTP, JSON or a provider.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ._table import Entry, Row

Keep = Callable[[Row], bool]


def after(entries: list[Entry], start: tuple[Any, str] | None, *, descending: bool) -> Iterator[Row]:
    """The rows that follow the position (key, id), or all of them, in the asked direction."""
    if descending:
        end = len(entries) if start is None else bisect_left(entries, start)
        return (entries[at][2] for at in range(end - 1, -1, -1))
    begin = 0 if start is None else bisect_right(entries, start, key=lambda entry: entry[:2])
    return (entries[at][2] for at in range(begin, len(entries)))


def take(rows: Iterator[Row], limit: int, keep: Keep | None) -> tuple[list[Row], bool]:
    """Up to `limit` rows that are kept, and whether there is one more."""
    found = list(islice(filter(keep, rows) if keep else rows, limit + 1))
    return found[:limit], len(found) > limit
