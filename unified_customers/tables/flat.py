"""CSV and JSON lines: pure texts, some customers at a time; for `export` and for `list` at the command line.

Knows the table of columns; must not know files or streams.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from .._cells import defused
from .._json import FAULTS, respell
from ..models import Customer, but_raw, to_dict, unread
from .columns import Column, flattened
from .texts import dump, exact, quick

_ZEROS = 40  # a number with more of them is written with its exponent
Getter = Callable[[Customer], str]


def columns(*, raw: bool = False) -> tuple[str, ...]:
    """The names of the flat columns: `account`, plain fields, and a column for each part of a struct."""
    return tuple(name for name, _, _ in flattened(raw=raw))


@attrs.define
class Csv:
    """Comma-separated values after RFC 4180, but with a bare newline between lines.

    Attributes:
        account: The name of the account, where pages don't say; the provider's name if there is none.
        raw: Whether the provider's own object is in a column.
        defuse: Whether texts that a spreadsheet would run get an apostrophe before them.
    """

    account: str | None = None
    raw: bool = False
    defuse: bool = True
    _getters: Sequence[Getter] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        found = list(flattened(raw=self.raw))[1:]  # without the account
        self._getters = [_getter(column, member, defuse=self.defuse) for _, column, member in found]

    def begin(self) -> str:
        """The columns' names."""
        return _lines([columns(raw=self.raw)])

    def page(self, customers: Iterable[Customer], account: str | None = None) -> str:
        """A line for each.

        Args:
            customers: The customers.
            account: The account's name, where they come from one of several.
        """
        safe: Callable[[str], str] = defused if self.defuse else str
        named = account or self.account
        return _lines([safe(named or one.provider), *(get(one) for get in self._getters)] for one in customers)

    def end(self) -> str:
        """Nothing."""
        return ""


def line(customer: Customer, account: str | None) -> str:
    """A customer as a line of JSON: all of `to_dict`, and the account's name."""
    named = account or customer.provider
    text = _straight(customer, named)
    return (dump({"account": named, **to_dict(customer)}) if text is None else text) + "\n"


def _straight(customer: Customer, account: str) -> str | None:
    """The same, straight from the record's bytes, where nobody has looked at it and nothing in it is odd."""
    words = unread(customer)
    if words is None:
        return None
    try:
        return quick({"account": account, **but_raw(customer)}, raw=respell(words))
    except FAULTS:
        return None


class _Sink:
    """Where the csv module writes lines to."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text[:-2] + "\n")


def _lines(rows: Iterable[Sequence[str]]) -> str:
    sink = _Sink()
    csv.writer(sink, lineterminator="\r\n").writerows(rows)  # with both in it, a cell that holds either is quoted
    return "".join(sink.lines)


def _getter(column: Column, member: Column | None, *, defuse: bool) -> Getter:
    outer, inner = column.name, None if member is None else member.name
    as_text = _TEXTS[column.kind if member is None else member.kind]
    safe = defuse and (column if member is None else member).kind == "text"

    def get(customer: Customer) -> str:
        value = getattr(customer, outer)
        if inner is not None and value is not None:
            value = getattr(value, inner)
        if value is None:
            return ""
        text = as_text(value)
        return defused(text) if safe else text

    return get


def _json(value: Any) -> str:
    return exact(value) if value else ""


def _time(value: datetime) -> str:
    return value.isoformat()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _number(value: Any) -> str:
    text = str(value)
    plain = "E" in text and abs(value.adjusted()) < _ZEROS
    return format(value, "f") if plain else text


_TEXTS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "time": _time,
    "flag": _flag,
    "decimal": _number,
    "map": _json,
    "json": _json,
}
