"""A limit of requests a second that one account's walks share: slower after a 429, and back again by and by.

Pure: is given the time, and says how long to wait; must not know clocks or who waits.
"""

from __future__ import annotations

import math
import threading
from typing import Any

from .errors import ConfigurationError

_SLOWEST = 1 / 64  # of the rate that was asked for
_LONGEST = 60.0  # seconds that one answer may hold everybody up; a longer wait is an error of its own
_REGAIN = 0.05  # of that rate, for each request that went well


class Pace:
    """When the next request may leave.

    Args:
        rate: Requests a second.

    Raises:
        ConfigurationError: It is no number above 0.
    """

    def __init__(self, rate: Any) -> None:
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise ConfigurationError("rate= is a number of requests a second above 0, or None for no limit")
        self._most = self._rate = float(rate)
        self._next = -math.inf
        self.slowed = 0
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Requests a second at present."""
        return self._rate

    def wait(self, now: float) -> float:
        """Take the next place in the queue, and say how many seconds it is away.

        Whoever waited while `slowed` changed takes a place again: the old one was given before the provider said no.
        """
        with self._lock:
            at = max(self._next, now)
            self._next = at + 1 / self._rate
            return at - now

    def heard(self, status: int, retry_after: float | None, now: float) -> None:
        """Learn from an answer: half as fast after a 429, and not before it says; else a little faster."""
        with self._lock:
            if status != 429:
                self._rate = min(self._most, self._rate + self._most * _REGAIN)
                return
            self._rate = max(self._most * _SLOWEST, self._rate / 2)
            self.slowed += 1
            self._next = now + max(min(retry_after or 0.0, _LONGEST), 1 / self._rate)
