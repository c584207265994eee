"""Whether to send again, and when: decisions over plain numbers.

Must not know the clock, sleep, or which provider it serves. Only what is safe to send again ever gets here: reads,
writes that do no harm twice, and creates that were certainly not done or may be done once only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import attrs

from ._wire import Response
from .errors import (
    ApiError,
    BadRecordError,
    ConfigurationError,
    CustomersError,
    MalformedResponseError,
    TransportError,
)

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how long a request is repeated; a create only where it can't make a second customer.

    Attributes:
        attempts: How many times a request is sent at the most; 1 never repeats.
        budget: Seconds that one request, its repeats and its waits may take together.
        first_wait: Seconds before the second attempt; each further wait doubles.
        max_wait: The longest wait in seconds that is chosen here (a provider's `Retry-After` may be longer).
        jitter: 0 waits exactly, 1 anything between nothing and the full wait.
        random: Where the jitter comes from: a callable that returns a number in [0, 1).
    """

    attempts: int = 5
    budget: float = 120.0
    first_wait: float = 0.5
    max_wait: float = 20.0
    jitter: float = 0.5
    random: Callable[[], float] = attrs.field(default=random.random, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        attempts: Any = self.attempts
        if type(attempts) is not int or attempts < 1:
            raise ConfigurationError("Retry: attempts is a whole number of 1 or more; 1 never repeats")
        for name in ("budget", "first_wait", "max_wait"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
                raise ConfigurationError(f"Retry: {name} is a number of seconds, 0 or more")
        jitter: Any = self.jitter
        if not isinstance(jitter, int | float) or not 0 <= jitter <= 1:
            raise ConfigurationError("Retry: jitter is a number from 0 to 1")

    def wait(self, error: CustomersError, attempt: int, spent: float) -> float | None:
        """Seconds to wait before attempt `attempt` + 1, or `None` to give up.

        Args:
            error: What the last attempt ended in.
            attempt: How many times it was sent so far.
            spent: Seconds that the attempts and their waits took so far.
        """
        if attempt >= self.attempts or not may_help(error):
            return None
        wait = self._backoff(attempt) if error.retry_after is None else error.retry_after
        return wait if spent + wait <= self.budget else None

    def _backoff(self, attempt: int) -> float:
        full = min(self.max_wait, self.first_wait * 2.0 ** min(attempt - 1, 60))
        return full * (1 - self.jitter * self.random())


def may_help(error: CustomersError) -> bool:
    """Whether sending the same request again could end otherwise."""
    if isinstance(error, ApiError):
        return error.status in RETRIED
    if isinstance(error, BadRecordError):
        return False
    return isinstance(error, TransportError | MalformedResponseError)


def retry_after(headers: Mapping[str, str], response: Response) -> float | None:
    """Seconds that the provider asks to wait, from `Retry-After` as seconds or as a date; `None` if unsaid.

    A date is measured against the answer's own `Date`, so that a wrong clock on either side does no harm.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value) if not value[:1].isalpha() else _until(value, headers, response)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124 - NaN alone differs from itself


def _until(date: str, headers: Mapping[str, str], response: Response) -> float:
    there = headers.get("date")
    try:
        now = parsedate_to_datetime(there).timestamp() if there else response.received
    except (ValueError, TypeError, IndexError, OverflowError):
        now = response.received
    return parsedate_to_datetime(date).timestamp() - now
