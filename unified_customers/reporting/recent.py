"""Months as a row without gaps, up to a report's own month.

Knows months as text, such as "2026-02"; must not know what is counted in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .values import Month


def span(now: datetime, months: Iterable[str], most: int) -> list[str]:
    """The months up to that of `now`: from the first that has customers, but so many at the most."""
    end = f"{now.year:04}-{now.month:02}"
    past = [month for month in months if month <= end]
    if not past:
        return []
    last = now.year * 12 + now.month - 1
    first = max(int(min(past)[:4]) * 12 + int(min(past)[5:]) - 1, last - most + 1)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]


def earlier(months: Iterable[Month], first: str) -> int:
    """Customers of the months before that one."""
    return sum(one.customers for one in months if one.month < first)
