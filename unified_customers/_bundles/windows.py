"""Slices of time of one account, from one moment up to another: side by side, so that none is missing or read twice.

Knows moments and counts; must not know who counts, or how a provider is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import attrs

from .._values import stamp
from ..models import Customer

_NARROWEST = timedelta(seconds=1)


@attrs.frozen
class Window:
    """Customers created at `since` or later, and before `until`; `None` for no bound."""

    since: str | None = None
    until: str | None = None

    def holds(self, customer: Customer) -> bool:
        """Whether a customer lies before its end; one without a time lies in the last window."""
        if self.until is None:
            return True
        return customer.created_at is not None and stamp(customer.created_at) < self.until


def cut(
    first: datetime,
    last: datetime,
    total: int,
    most: int,
    count: Callable[[datetime, datetime], int],
) -> list[Window]:
    """Windows of `most` customers at the most, where a second is not fuller; the first and the last have no outer end.

    Args:
        first: When the oldest customer was created.
        last: When the newest one was.
        total: How many there are.
        most: How many a window should have.
        count: How many lie between two moments; a hint, which decides where to cut and nothing else.
    """
    inner = _ends(first, last, total, most, count)
    bounds = [None, *(stamp(moment) for moment in inner), None]
    return [Window(since, until) for since, until in pairwise(bounds)]


def _ends(
    first: datetime, last: datetime, total: int, most: int, count: Callable[[datetime, datetime], int]
) -> list[datetime]:
    """Moments between two, so that as many lie between neighbours as there should."""
    if total <= most or last - first <= _NARROWEST:
        return []
    middle = first + (last - first) / 2
    before = min(total, count(first, middle))
    return [
        *_ends(first, middle, before, most, count),
        middle,
        *_ends(middle, last, total - before, most, count),
    ]
