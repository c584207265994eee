"""Identifiers as the providers shape them, drawn from a seeded source.

Knows ULIDs, hex and base-36 ids. Must not know which customer gets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _CROCKFORD for b in _CROCKFORD]
_LOWER = [pair.lower() for pair in _PAIRS]


class Ulids:
    """Monotonic ULIDs: within one millisecond each is greater than the one before."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._millisecond = -1
        self._entropy = 0

    def next(self, nanoseconds: int) -> str:
        """A ULID for that moment; its text sorts as it was made."""
        millisecond = max(nanoseconds // 1_000_000, self._millisecond)
        if millisecond == self._millisecond:
            self._entropy += 1 + self._random.getrandbits(32)
        else:
            self._millisecond, self._entropy = millisecond, self._random.getrandbits(79)
        return _spell((millisecond << 80) | self._entropy)


def _spell(value: int) -> str:
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def hexadecimal(random: Random, digits: int) -> str:
    """So many lower-case hex digits."""
    return f"{random.getrandbits(digits * 4):0{digits}x}"


def base36(random: Random, length: int) -> str:
    """So many of 0-9a-z."""
    # Pairs at a time: ids are most of what is made up.
    value = random.getrandbits(10 * (length // 2 + 1))
    return "".join([_LOWER[(value >> shift) & 1023] for shift in range(0, 5 * length, 10)])[:length]
