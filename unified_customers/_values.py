"""One provider's spelling of a time, an amount, a text or a country, turned into ours.

Pure functions of one value; what can't be read is `None` (and stays in `raw`), never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ._countries import code_of
from .models import Address

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        if isinstance(value, Mapping):
            return _from_firestore(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _from_epoch(Decimal(value))
    except (ValueError, OverflowError, ArithmeticError, TypeError):
        return None
    return None


def _from_text(value: str) -> datetime | None:
    if value.isascii() and value.isdigit() and len(value) >= 9:
        return _from_epoch(Decimal(value))
    if len(value) < 10 or value[4:5] != "-":
        return None  # "20240115" and "2024-W03-1" are ISO too, but no provider means them
    parsed = datetime.fromisoformat(value.upper())  # RFC 3339 allows a small z
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


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
    return int(value) if value == value.to_integral_value() else value


def joined(*parts: str | None, by: str = " ") -> str | None:
    """The parts that are there, joined; `None` where none is."""
    return by.join(part for part in parts if part) or None


def address(**fields: str | None) -> Address | None:
    """An `Address` of the fields that are set, or `None` where none is."""
    known = {name: value for name, value in fields.items() if value}
    if not known:
        return None
    return Address(**known, country_code=code_of(known.get("country")))


def stamp(value: datetime) -> str:
    """A moment as providers read it: RFC 3339 in UTC with microseconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)
