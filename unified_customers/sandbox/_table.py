"""One provider's stored customers, kept in order so that a page costs no sort.

Knows rows, moments and groups. Must not know HTTP, JSON or what a field means.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Any

Fields = dict[str, Any]
Entry = tuple[Any, str, "Row"]
KeyOf = Callable[["Row"], Any]


class Row:
    """A stored customer: its fields in the provider's spelling, and the moment that orders it."""

    __slots__ = ("body", "fields", "group", "id", "moment")

    def __init__(self, id: str, moment: int, fields: Fields, group: str = "") -> None:
        self.id = id
        self.moment = moment
        self.fields = fields
        self.group = group
        self.body: bytes | None = None  # the row's JSON, written once


def _by_moment(row: Row) -> int:
    return row.moment


class Table:
    """Rows by id, and per group in order of (moment, id); other orders are kept until the next write."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._lists: dict[str | None, list[Entry]] = {None: []}
        self._orders: dict[tuple[str | None, str], list[Entry]] = {}

    def fill(self, rows: Iterable[Row]) -> None:
        """Put in many rows at once: one sort per group instead of one search per row."""
        for row in rows:
            self.rows[row.id] = row
            entry = (row.moment, row.id, row)
            self._lists[None].append(entry)
            self._lists.setdefault(row.group, []).append(entry)
        for entries in self._lists.values():
            entries.sort()
        self._orders.clear()

    def add(self, row: Row) -> None:
        """Put in one row whose id is new."""
        self.rows[row.id] = row
        for group in (None, row.group):
            insort(self._lists.setdefault(group, []), (row.moment, row.id, row))
        self._orders.clear()

    def remove(self, id: str) -> Row:
        """Take a row out and return it; KeyError if there is none."""
        row = self.rows.pop(id)
        for group in (None, row.group):
            entries = self._lists[group]
            del entries[bisect_left(entries, (row.moment, row.id))]
        self._orders.clear()
        return row

    def clear(self) -> None:
        """Take all rows out."""
        self.rows.clear()
        self._lists = {None: []}
        self._orders.clear()

    def group(self, group: str | None) -> list[Entry]:
        """The rows of a group (None: all) by (moment, id). The list itself: not to be changed."""
        return self._lists.get(group, [])

    def ordered(self, group: str | None, name: str, key: KeyOf = _by_moment) -> list[Entry]:
        """The rows of a group by (key, id); `name` says under which name to keep that order."""
        if key is _by_moment:
            return self.group(group)
        if (group, name) not in self._orders:
            entries = [(key(row), row.id, row) for _, _, row in self.group(group)]
            self._orders[group, name] = sorted(entries, key=lambda entry: entry[:2])
        return self._orders[group, name]
