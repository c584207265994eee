"""Whose page is read next: bounded, fair, so many of one host, and in order where that is wanted."""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from unified_customers._directory.turns import AHEAD, TURN, Turn, Turns

SIZES = st.lists(st.integers(0, 25), min_size=1, max_size=40)


class Play:
    """Readers and a consumer over a line of accounts, in an order of Hypothesis' choice; checks every bound."""

    def __init__(self, sizes, width, per_host, *, ordered, hosts=1):
        self.left = list(sizes)
        self.turns = [Turn(rank, f"host-{rank % hosts}") for rank in range(len(sizes))]
        self.line = Turns(self.turns, width, per_host, ordered=ordered)
        self.width, self.per_host, self.ordered = width, per_host, ordered
        self.reading, self.arrived = [], deque()
        self.waiting = [deque() for _ in sizes]
        self.begun, self.taken, self.ended = [], [], 0

    def give(self):
        while (turn := self.line.next()) is not None:
            assert turn not in self.reading
            self.reading.append(turn)
            self.begun.append(turn.rank)
        self.bounds()

    def bounds(self):
        hosts = Counter(turn.host for turn in self.reading)
        assert len(self.reading) == self.line.reading <= self.width
        assert self.per_host is None or max(hosts.values(), default=0) <= self.per_host
        held = sum(page for waiting in self.waiting for page in waiting)
        assert held + len(self.reading) <= self.width * (AHEAD if self.ordered else 1)

    def answer(self, at):
        turn = self.reading.pop(at % len(self.reading))
        page, more = self.left[turn.rank] > 0, self.left[turn.rank] > 1
        self.left[turn.rank] -= page
        self.line.arrived(turn, page=page, more=more)
        self.waiting[turn.rank].append(page)
        self.arrived.append(turn)
        self.last = [*getattr(self, "last", []), turn.rank] if not more else getattr(self, "last", [])

    def take(self):
        turn = self.line.head if self.ordered else self.arrived.popleft() if self.arrived else None
        if turn is None or not self.waiting[turn.rank]:
            return False
        if self.waiting[turn.rank].popleft():
            self.line.taken(turn)
            self.taken.append(turn.rank)
        if turn.state == "ended" and not self.waiting[turn.rank]:
            self.ended += 1
            if self.ordered and self.ended < len(self.turns):
                self.line.passed()
        return True

    def run(self, draw):
        while self.ended < len(self.turns):
            self.give()
            assert self.reading or self.arrived, "everybody waits for ever"
            if not self.reading or (draw(st.booleans()) and self.take()):
                assert self.reading or self.take() or self.ended == len(self.turns)
            else:
                self.answer(draw(st.integers(0, 99)))


@given(SIZES, st.integers(1, 9), st.none() | st.integers(1, 3), st.booleans(), st.integers(1, 4), st.data())
def test_every_page_is_read_and_no_bound_is_broken(sizes, width, per_host, ordered, hosts, data):
    """However long each answer takes, and however slow the consumer is."""
    play = Play(sizes, width, per_host, ordered=ordered, hosts=hosts)
    play.run(data.draw)
    assert Counter(play.taken) == Counter({rank: size for rank, size in enumerate(sizes) if size})
    assert play.taken == sorted(play.taken) or not ordered


@given(st.integers(1, 9), st.integers(1, 30), st.data())
def test_a_huge_account_starves_no_small_one(width, small, data):
    """Each waits for a turn of those before it, and for no more, whoever is huge."""
    sizes = [10_000] * width + [1] * small
    play = Play(sizes, width, None, ordered=False)
    while not all(rank in play.taken for rank in range(width, width + small)):
        play.give()
        play.answer(data.draw(st.integers(0, 99)) if width < 3 else 0)
        play.take()
        assert len(play.taken) <= width * TURN * (2 + small // width) + small + width


def test_an_account_keeps_its_turn_for_some_pages():
    """So that a small one is through before the next begins, and nothing of it is left lying."""
    play = Play([TURN, TURN + 1, 1], 1, None, ordered=False)
    while play.ended < 3:
        play.give()
        play.answer(0)
        play.take()
    assert play.begun == [0] * TURN + [1] * TURN + [2, 1]


def test_an_ordered_walk_reads_the_next_accounts_ahead():
    """A few pages of each of the next, while the first is slow."""
    play = Play([9] * 5, 3, None, ordered=True)
    play.give()
    assert play.begun == [0, 1, 2]
    while len(play.reading) > 1:
        play.answer(1)
        play.give()
    assert Counter(play.begun) == {0: 1, 1: AHEAD, 2: AHEAD}
