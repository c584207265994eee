"""Whose page is read next: a bounded number at a time, in turns, so many of one host, and in order where it is wanted.

Pure: knows accounts by their turn alone; must not know walks, pages, threads or tasks. One thread or task asks at a
time.

A turn is `TURN` pages at the most: an account that has had them goes to the end of the line. So a small account is
read in one go, with nothing of it left behind, and a huge one lets all others go first every few pages.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Sequence

import attrs

TURN = 8  # pages
AHEAD = 4  # pages of one account that wait for their place in an ordered walk


@attrs.define(eq=False)
class Turn:
    """One account in the line.

    Attributes:
        rank: Its place among the accounts, from 0.
        host: Where it is read; all accounts of one host share its limit.
        ticket: Its place in the line: the lowest goes first.
        pages: How many pages it had of its present turn.
        ahead: How many of its pages wait to be handed out.
        state: ``"waiting"`` in the line, ``"reading"``, ``"resting"`` with enough pages ahead, or ``"ended"``.
    """

    rank: int
    host: str = ""
    ticket: int = 0
    pages: int = 0
    ahead: int = 0
    state: str = "resting"


class Turns:
    """The line, and who is being read.

    Args:
        turns: One for each account, in the caller's order.
        width: How many may be read at the same time; no more pages than that wait to be handed out or are being read.
        per_host: How many of one host may be read at the same time; `None` for any.
        ordered: Whether accounts come one after another: the next `width` are then read `AHEAD` pages ahead each.
    """

    def __init__(self, turns: Sequence[Turn], width: int, per_host: int | None, *, ordered: bool) -> None:
        self._turns, self._width, self._per_host, self._ordered = turns, width, per_host, ordered
        self._line: list[tuple[int, int, Turn]] = []
        self._parked: dict[str, deque[Turn]] = {}
        self._busy: Counter[str] = Counter()
        self._tickets = itertools.count()
        self._admitted = self._head = 0
        self._held = 0
        self.reading = 0
        self._admit()

    def next(self) -> Turn | None:
        """The account to read a page of now, if there is one and room for its page."""
        room = self._ordered or self.reading + self._held < self._width
        while self._line and room and self.reading < self._width:
            turn = heapq.heappop(self._line)[2]
            if self._per_host is None or self._busy[turn.host] < self._per_host:
                turn.state = "reading"
                self.reading += 1
                self._busy[turn.host] += 1
                return turn
            self._parked.setdefault(turn.host, deque()).append(turn)
        return None

    def arrived(self, turn: Turn, *, page: bool, more: bool) -> None:
        """What was asked for is there: a page to hand out or not, and more to ask for or not."""
        self.reading -= 1
        self._busy[turn.host] -= 1
        parked = self._parked.get(turn.host)
        if parked:
            self._push(parked.popleft())
        turn.ahead += page
        self._held += page
        turn.pages += 1
        turn.state = "resting" if more else "ended"
        self._rejoin(turn)

    def taken(self, turn: Turn) -> None:
        """One of its pages is being handed out."""
        turn.ahead -= 1
        self._held -= 1
        self._rejoin(turn)

    def again(self, turn: Turn) -> None:
        """It failed, and is to be tried once more."""
        turn.state = "resting"
        self._rejoin(turn)

    @property
    def head(self) -> Turn:
        """The account whose pages come now, in an ordered walk."""
        return self._turns[self._head]

    def passed(self) -> None:
        """The head is through: the next is the head, and one more may be read ahead."""
        self._head += 1
        self._admit()

    def _admit(self) -> None:
        """Let accounts into the line, as far as may be read ahead of the head."""
        until = min(len(self._turns), self._head + self._width) if self._ordered else len(self._turns)
        for turn in self._turns[self._admitted : until]:
            self._rejoin(turn)
        self._admitted = max(until, self._admitted)

    def _rejoin(self, turn: Turn) -> None:
        """Into the line, unless it is there, is at its end, or has enough pages ahead."""
        if turn.state != "resting" or (self._ordered and turn.ahead >= AHEAD):
            return
        if self._ordered:
            turn.ticket = turn.rank
        elif turn.pages == 0 or turn.pages >= TURN:
            turn.ticket, turn.pages = next(self._tickets), 0
        turn.state = "waiting"
        self._push(turn)

    def _push(self, turn: Turn) -> None:
        heapq.heappush(self._line, (turn.ticket, turn.rank, turn))
