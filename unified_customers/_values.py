"""One provider's spelling of a time, an amount, a text or a country, turned into ours.

Pure functions of one value; what can't be read is `None` (and stays in `raw`), never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ._countries import code_of
from ._slots import maker
from .models import EMPTY, Address, ReadOnlyDict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")
_make_address = maker(Address)
_EARLIEST_MS = 10**11  # as seconds that is the year 5138, as milliseconds March 1973


def text(value: str | None) -> str | None:
    """`None` for an empty text, which is how providers write "unset"."""
    return value or None


def moment(value: Any) -> datetime | None:
    """Read a time in any of the forms that providers use.

    ISO 8601 with 0 to 9 fraction digits and any offset (none means UTC), epoch seconds or milliseconds, and
    Firestore's ``{"_seconds", "_nanoseconds"}`` or ``{"seconds", "nanoseconds"}`` (FlexPortal declares
    `createdAt` without a type; seed 000). Digits beyond microseconds are cut off.
    """
    try:
        if isinstance(value, str):
            return _from_text(value.strip())
        if type(value) is dict or isinstance(value, Mapping):
            return _from_firestore(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _from_epoch(Decimal(value))
    except (ValueError, OverflowError, ArithmeticError, TypeError):
        return None
    return None


def _from_text(value: str) -> datetime | None:
    if value.isascii() and value.isdigit() and len(value) >= 9:
        return _from_epoch(Decimal(value))
    parsed = datetime.fromisoformat(value.upper())  # RFC 3339 allows a small z
    if parsed.tzinfo is not None:
        return parsed.astimezone(UTC)
    if len(value) < 10 or value[4] != "-":
        return None  # "20240115" and "2024W031" are ISO too, but no provider means them
    return parsed.replace(tzinfo=UTC)


def _from_epoch(value: Decimal) -> datetime:
    seconds = value / 1000 if abs(value) >= _EARLIEST_MS else value
    return _EPOCH + timedelta(microseconds=int(seconds.scaleb(6)))


def _from_firestore(value: Mapping[str, Any]) -> datetime | None:
    seconds = value.get("_seconds", value.get("seconds"))
    nanos = value.get("_nanoseconds", value.get("nanoseconds", 0)) or 0
    if type(seconds) is not int or type(nanos) is not int:
        return None
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def whole(value: Decimal | None) -> int | Decimal | None:
    """A count: `int` where it is whole, as 3.0 is; else the fraction as sent."""
    if value is None or value.adjusted() > 18:
        return value
    number = int(value)
    return number if number == value else value


class Words(Generic[T]):
    """What `word_of` makes."""

    __slots__ = ("words",)

    def __init__(self, words: Mapping[str, T]) -> None:
        self.words = words

    def __call__(self, word: str | None) -> T | str | None:
        return self.words.get(word, word) if word else None


def word_of(words: Mapping[str, T]) -> Words[T]:
    """What reads a word as one of ours, by the provider's spelling; a word that is none of them stays itself."""
    return Words(words)


class Late:
    """What `late` marks."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def late(function: Callable[..., Any]) -> Late:
    """Mark a function of a table whose value may be made when somebody looks at it.

    It takes whatever the wire class lets through, and never fails. The fields that can wait are the addresses,
    `metrics` and `updated_at`; elsewhere the mark changes nothing.
    """
    return Late(function)


def full_name(first: str | None, last: str | None) -> str | None:
    """Both names, or the one that is there."""
    return f"{first} {last}" if first and last else first or last or None


def joined(one: str | None, other: str | None) -> str | None:
    """Two parts of a line with a comma between them, or the one that is there."""
    return f"{one}, {other}" if one and other else one or other or None


def address(
    *,
    name: str | None = None,
    company: str | None = None,
    line1: str | None = None,
    line2: str | None = None,
    city: str | None = None,
    state: str | None = None,
    postal_code: str | None = None,
    country: str | None = None,
) -> Address | None:
    """An `Address` of the fields that are set, or `None` where none is."""
    if not (line1 or city or country or name or company or line2 or state or postal_code):
        return None
    return _make_address(
        name or None,
        company or None,
        line1 or None,
        line2 or None,
        city or None,
        state or None,
        postal_code or None,
        country or None,
        code_of(country) if country else None,
    )


def read_only(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A provider's mapping, not to be changed; empty where it sent none."""
    return ReadOnlyDict(value) if value else EMPTY


def stamp(value: datetime) -> str:
    """A moment as providers read it: RFC 3339 in UTC with microseconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)
