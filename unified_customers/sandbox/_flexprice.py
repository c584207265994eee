"""What both flavours of the pretend Flexprice share: stored customers, selecting, one page of them.

Knows how a list is selected, ordered and cut, ties included. Must not know paths, headers or how a query is
written: `_flexprice_real` and `_flexprice_documents` do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ._clock import (
    START,
    microseconds,
    parse_nanoseconds,
    round_to_microseconds,
    spell_microseconds,
)
from ._flexprice_rows import REAL_ORDER, STRANGE, blank, made_up, moments
from ._ids import Ulids
from ._json import dump, dump_go, load
from ._provider import Provider
from ._table import Entry, Fields, Row

if TYPE_CHECKING:
    from ._clock import Clock
    from ._wire import Reply, Request

Keep = Callable[[Row], bool]
SortKeys = tuple[tuple[str, bool], ...]  # (column, descending), most significant first
_YEARS_US = 2 * 365 * 86_400_000_000
ARCHIVED_SHARE = 0.05


@attrs.frozen
class ListQuery:
    """What a list or search asks for, whoever wrote it down."""

    limit: int = 50
    offset: int = 0
    status: str | None = "published"
    sort: SortKeys = ()
    descending: bool = True
    keep: tuple[Keep, ...] = ()
    after: int | None = None  # created_at bounds, in microseconds, both strict
    before: int | None = None

    @property
    def keys(self) -> SortKeys:
        """All sort keys: the asked ones, then `created_at`; there is no tie-break after that."""
        return (*self.sort, ("created_at", self.descending))


class Flexprice(Provider):
    """The rows of a pretend Flexprice, and pages of them."""

    name: ClassVar[str] = "flexprice"
    rows_key: ClassVar[str] = "items"
    created_key: ClassVar[str] = "created_at"
    bad_record: ClassVar[tuple[str, Any]] = ("name", 42)

    api_key = "sk_sandbox_flexprice"
    # Set: keys are a configuration file's, and each request must name this in X-Environment-ID (real only).
    environment_id: str | None = None

    def __init__(self, clock: Clock, seed: int, *, odd: bool = True, strange: bool = False) -> None:
        super().__init__(clock, seed, odd=odd, strange=strange)
        self._ulids = Ulids(Random(f"{seed}/ulids"))

    @property
    def settings(self) -> dict[str, str]:
        """Keyword arguments for the client's `Flexprice` settings."""
        return {"api_key": self.api_key, "base_url": self.base_url}

    def fill(self, count: int) -> None:
        """Start with so many published customers, and a few archived ones beside them."""
        archived = round(count * ARCHIVED_SHARE)
        start = microseconds(START) - _YEARS_US
        spans = [moments(self._random, start, _YEARS_US, size) for size in (count, archived)]
        born = [(micro, status) for micros, status in zip(spans, ("published", "archived"), strict=True)
                for micro in micros]  # fmt: skip
        self._table.fill(self._row(micro, micro * 1000, {"status": status}) for micro, status in sorted(born))

    def make_row(self, nanoseconds: int, fields: Fields) -> Row:
        """A new customer created at that moment, or at the given `created_at`."""
        given = _spelled(fields)
        born = parse_nanoseconds(given["created_at"]) if "created_at" in given else None
        micro = round_to_microseconds(nanoseconds if born is None else born)
        return self._row(micro, nanoseconds, given)

    def _row(self, micro: int, nanoseconds: int, given: Fields) -> Row:
        number, self._made = self._made, self._made + 1
        fields = self.shape(number, blank("cust_" + self._ulids.next(nanoseconds), micro), micro)
        if self.strange and number % 3 == 0:
            fields |= STRANGE[number // 3 % len(STRANGE)]
        fields |= given
        if "created_at" in given and "updated_at" not in given:
            fields["updated_at"] = given["created_at"]
        return self.stored(fields, micro)

    def shape(self, number: int, fields: Fields, micro: int) -> Fields:
        """The made-up customer of that number in this flavour's spelling."""
        del micro
        return fields | made_up(self._random, number, odd=self.odd)

    def stored(self, fields: Fields, micro: int) -> Row:
        """A row with its keys in the server's order; unknown keys stay at the end."""
        ordered = {name: fields[name] for name in REAL_ORDER if name in fields}
        return Row(str(fields["id"]), micro, ordered | fields, str(fields.get("status")))

    def row_of(self, fields: Fields, moment: int) -> Row:
        """A changed row moves to the list of its status."""
        return self.stored(_spelled(fields), moment)

    def delete(self, id: str) -> None:
        """Archive a customer, as the API does."""
        with self._lock:
            moment = round_to_microseconds(self._clock.tick())
            self.update(id, status="archived", updated_at=spell_microseconds(moment))

    def default_list(self) -> list[Row]:
        """Published, newest first; rows that share a moment by id, newest first."""
        return [row for _, _, row in reversed(self._table.group("published"))]

    def write(self, value: Any) -> bytes:
        """JSON as this flavour spells it."""
        return dump_go(value)

    def body_of(self, row: Row) -> bytes:
        """A row's JSON, written once."""
        if row.body is None:
            row.body = self.write(row.fields)
        return row.body

    # Selecting -------------------------------------------------------------------------------

    def select(self, query: ListQuery) -> tuple[list[Row], int]:
        """One page of rows and the number of all that match."""
        entries = self._matching(query)
        keys = query.keys
        if keys[:1] == (("created_at", True),):
            if keys[:2] != (("created_at", True), ("id", False)):
                return self._window(entries, query, reverse=True), len(entries)
        elif keys[:2] == (("created_at", False), ("id", False)) or keys == (("created_at", False),):
            return self._window(entries, query, reverse=False), len(entries)
        return self._window(arrange(entries, keys), query, reverse=False), len(entries)

    def _matching(self, query: ListQuery) -> list[Entry]:
        entries = self._table.group(query.status)
        low = 0 if query.after is None else bisect_right(entries, query.after, key=_moment)
        high = len(entries) if query.before is None else bisect_left(entries, query.before, key=_moment)
        if low or high < len(entries):
            entries = entries[low:high]
        for keep in query.keep:
            entries = [entry for entry in entries if keep(entry[2])]
        return entries

    def _window(self, entries: Sequence[Entry], query: ListQuery, *, reverse: bool) -> list[Row]:
        """Rows offset … offset+limit; rows that tie come in an order that differs from query to query."""
        size = len(entries)
        low, high = min(query.offset, size), min(query.offset + query.limit, size)
        at: Callable[[int], Row] = (lambda i: entries[size - 1 - i][2]) if reverse else (lambda i: entries[i][2])
        names = [name for name, _ in query.keys]
        if "id" in names or low == high:
            return [at(i) for i in range(low, high)]
        key = _tie_key(names)
        first, last = low, high
        while first > 0 and key(at(first - 1)) == key(at(low)):
            first -= 1
        while last < size and key(at(last)) == key(at(high - 1)):
            last += 1
        rows = self._untied([at(i) for i in range(first, last)], key, query)
        return rows[low - first : high - first]

    def _untied(self, rows: list[Row], key: Callable[[Row], Any], query: ListQuery) -> list[Row]:
        if all(key(a) != key(b) for a, b in pairwise(rows)):
            return rows
        random = Random(f"{self.seed}/{query.limit}/{query.offset}/{query.keys}")
        mixed: list[Row] = []
        for _, group in groupby(rows, key):
            tied = list(group)
            random.shuffle(tied)
            mixed += tied
        return mixed

    # Faults ----------------------------------------------------------------------------------

    def capped(self, request: Request, cap: int, proceed: Callable[[Request], Reply]) -> Reply:
        """A smaller page that claims the size asked for."""
        reply = proceed(request)
        if reply.status != 200:
            return reply
        page = load(reply.body)
        page["items"] = page["items"][:cap]
        return attrs.evolve(reply, body=dump(page))

    def promise_more(self, page: Fields) -> None:
        """A total beyond this page."""
        page["pagination"]["total"] = max(page["pagination"]["total"], page["pagination"]["offset"] + 1)

    def promise_without_cursor(self, page: Fields) -> None:
        """A page that says nothing about others."""
        del page["pagination"]

    def empty_out(self, page: Fields, rows: list[Any], request: Request) -> None:
        """No rows, with the total still promising them."""
        del request
        rows.clear()
        self.promise_more(page)

    def lie(self, page: Fields, by: int) -> None:
        """A wrong total."""
        page["pagination"]["total"] += by


def arrange(entries: list[Entry], keys: SortKeys) -> list[Entry]:
    """The entries by those keys; nulls last ascending and first descending, as PostgreSQL puts them."""
    entries = list(entries)
    for name, descending in reversed(keys):
        value = column(name)
        entries.sort(key=lambda entry: _nulls_last(value(entry[2])), reverse=descending)
    return entries


def column(name: str) -> Callable[[Row], Any]:
    """How to read a column of a row; times as microseconds."""
    if name == "created_at":
        return lambda row: row.moment
    if name == "updated_at":
        return lambda row: parse_nanoseconds(str(row.fields.get("updated_at"))) or 0
    return lambda row: row.fields.get(name)


def _nulls_last(value: Any) -> tuple[bool, Any]:
    if value is None:
        return (True, "")
    return (False, value if isinstance(value, str | int) else str(value))


def _moment(entry: Entry) -> int:
    moment: int = entry[0]
    return moment


def _tie_key(names: list[str]) -> Callable[[Row], Any]:
    if names == ["created_at"]:
        return lambda row: row.moment
    values = [column(name) for name in names]
    return lambda row: tuple(str(value(row)) for value in values)


def _spelled(fields: Fields) -> Fields:
    """Times given as datetime objects, spelled as the server does."""
    return {
        name: spell_microseconds(microseconds(value)) if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
