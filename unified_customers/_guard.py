"""Notices a walk that goes round in circles, whatever the period, in constant memory.

Knows marks (what must not come again) and ids; must not know pages or providers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Any

_RECENT_MARKS = 1024
_RECENT_IDS = 4096


class Brent:
    """Brent's cycle detection: one remembered value, moved ahead at each power of two."""

    __slots__ = ("_power", "_steps", "_tortoise")

    def __init__(self) -> None:
        self._tortoise: Hashable = self  # equal to no mark
        self._power = 1
        self._steps = 0

    def repeats(self, mark: Hashable) -> bool:
        """Whether `mark` closes a circle; every circle is found after at most a few rounds."""
        if mark == self._tortoise:
            return True
        if self._steps == self._power - 1:
            self._tortoise, self._power, self._steps = mark, self._power * 2, 0
        else:
            self._steps += 1
        return False


class Recent:
    """The last few values, to find again."""

    __slots__ = ("_known", "_order", "_size")

    def __init__(self, size: int) -> None:
        self._order: deque[Any] = deque()
        self._known: set[Any] = set()
        self._size = size

    def __contains__(self, value: object) -> bool:
        return value in self._known

    def add(self, values: Iterable[Any]) -> None:
        """Remember values, and forget the oldest."""
        for value in values:
            if value not in self._known:
                self._known.add(value)
                self._order.append(value)
        while len(self._order) > self._size:
            self._known.discard(self._order.popleft())


class Guard:
    """All that a walk remembers of where it has been."""

    __slots__ = ("_brent", "_contents", "_marks", "ids")

    def __init__(self) -> None:
        self._marks = Recent(_RECENT_MARKS)
        self._brent = Brent()
        self._contents = Brent()
        self.ids = Recent(_RECENT_IDS)

    def was_at(self, mark: Hashable) -> bool:
        """Whether the walk was at this place before."""
        again = mark in self._marks or self._brent.repeats(mark)
        self._marks.add((mark,))
        return again

    def read_before(self, content: Hashable) -> bool:
        """Whether a page of this content came before; each customer comes once, so no page may come twice."""
        return self._contents.repeats(content)
