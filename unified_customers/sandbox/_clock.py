"""The sandbox's own clock: starts at a fixed moment and moves only when told to.

Knows nanoseconds since the epoch and how moments are spelled. Must not know the wall clock, HTTP or a
provider.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
# Not a round number, so that created moments end in every digit; above 1 µs, so that no two are equal.
TICK_NS = 2_137

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)\Z",
)


class Clock:
    """UTC time that stands still until `advance` or a write moves it; safe to use from any thread."""

    def __init__(self) -> None:
        self._ns = microseconds(START) * 1000
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The sandbox's present moment, in UTC."""
        return EPOCH + timedelta(microseconds=self._ns // 1000)

    def nanoseconds(self) -> int:
        """The present moment as nanoseconds since 1970."""
        return self._ns

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward by so many seconds and return the new moment."""
        if seconds < 0:
            msg = f"the sandbox's clock only goes forward, not by {seconds} seconds"
            raise ValueError(msg)
        with self._lock:
            self._ns += round(seconds * 1_000_000_000)
        return self.now()

    def tick(self) -> int:
        """Move on by a couple of microseconds (a write took place) and return the new nanoseconds."""
        with self._lock:
            self._ns += TICK_NS
            return self._ns


def microseconds(moment: datetime) -> int:
    """An aware datetime as whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def parse_nanoseconds(text: str) -> int | None:
    """An RFC 3339 time as nanoseconds since 1970, or None if it is not one."""
    found = _RFC3339.match(text)
    if not found:
        return None
    fraction = (found[7] or "").ljust(9, "0")
    try:
        moment = datetime(*(int(found[n]) for n in range(1, 7)), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return (microseconds(moment) - _offset_seconds(found[8]) * 1_000_000) * 1000 + int(fraction)


def _offset_seconds(zone: str) -> int:
    if zone in "Zz":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def round_to_microseconds(nanoseconds: int) -> int:
    """Nanoseconds as a database with microsecond precision keeps them: rounded, not cut."""
    return (nanoseconds + 500) // 1000


def spell_nanoseconds(nanoseconds: int) -> str:
    """RFC 3339 in UTC with zero to nine fraction digits, trailing zeros trimmed."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    text = (EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z" if fraction else text + "Z"


def spell_microseconds(micro: int) -> str:
    """RFC 3339 in UTC with zero to six fraction digits, trailing zeros trimmed."""
    return spell_nanoseconds(micro * 1000)


def spell_seconds(micro: int) -> str:
    """RFC 3339 in UTC with whole seconds."""
    return spell_nanoseconds(micro // 1_000_000 * 1_000_000_000)


def moment_of(spelling: Any, default: int) -> int:
    """The moment that a given `createdAt` orders by; the default where it says none."""
    if isinstance(spelling, datetime):
        return microseconds(spelling)
    if isinstance(spelling, int | float) and not isinstance(spelling, bool):
        return int(spelling * (1000 if spelling > 10**11 else 1_000_000))
    nanoseconds = parse_nanoseconds(spelling) if isinstance(spelling, str) else None
    return default if nanoseconds is None else round_to_microseconds(nanoseconds)
