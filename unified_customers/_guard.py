"""Notices a walk that goes round in circles, whatever the period, in constant memory.

Knows marks (what must not come again) and ids; must not know pages or providers.
"""

from __future__ import annotations

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
        return bool(mark == self._tortoise)

    def step(self, mark: Hashable) -> None:
        """Go on to `mark`."""
        if self._steps == self._power - 1:
            self._tortoise, self._power, self._steps = mark, self._power * 2, 0
        else:
            self._steps += 1


class Recent:
    """The last values, to find again: at least `size` of them, and fewer than two such and an addition."""

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._young: set[Any] = set()
        self._old: set[Any] = set()
        self._size = size

    def __contains__(self, value: object) -> bool:
        return value in self._young or value in self._old

    def has_none(self, values: Iterable[Any]) -> bool:
        """Whether none of the values is among them."""
        return self._young.isdisjoint(values) and self._old.isdisjoint(values)

    def add(self, values: Iterable[Any]) -> None:
        """Remember values, and forget the oldest, a generation at a time."""
        self._young.update(values)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()


class Guard:
    """All that a walk remembers of where it has been.

    Asking changes nothing, and noting the same twice does no harm: a walk notes a page when the next one comes, so
    that a signal between the two can't make it take a page for a repetition of itself.
    """

    __slots__ = ("_brent", "_contents", "_marks", "ids")

    def __init__(self) -> None:
        self._marks = Recent(_RECENT_MARKS)
        self._brent = Brent()
        self._contents = Brent()
        self.ids = Recent(_RECENT_IDS)

    def was_at(self, mark: Hashable) -> bool:
        """Whether the walk was at this place before."""
        return mark in self._marks or self._brent.repeats(mark)

    def read_before(self, content: Hashable) -> bool:
        """Whether a page of this content came before; each customer comes once, so no page may come twice."""
        return self._contents.repeats(content)

    def note_place(self, mark: Hashable) -> None:
        """The walk was here."""
        self._marks.add((mark,))
        self._brent.step(mark)

    def note_page(self, content: Hashable) -> None:
        """The walk read this."""
        self._contents.step(content)
