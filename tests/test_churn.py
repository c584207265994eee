"""Walks over servers whose rows move: nothing that stays is lost, nothing comes twice, and few walks give up.

A seeded scheduler creates, deletes and archives rows between requests; nothing sleeps. `UC_WALKS=200000 pytest -m slow
tests/test_churn.py` runs as many walks as it says.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import attrs
import pytest
from fakes import FakeFlatpeak, FakeFlexPortal, FakeFlexprice, Person, flatpeak, flexportal, flexprice, people
from strategies import DOCUMENTS, Mode

import unified_customers as uc


def _mode(server, name, adapter, keywords=None, both=False, **options):
    return Mode(name, server, options, adapter, keywords or {}, "any", both)


def _portal(name, keywords=None, **options):
    return _mode(FakeFlexPortal, f"flexportal {name}", flexportal, keywords, True, **options)


def _price(name, scan, keywords=None, **options):
    both = bool(keywords and keywords.get("status") == "any")
    return _mode(FakeFlexprice, f"flexprice {name}", lambda: flexprice(scan=scan), keywords, both, **options)


MOVING = [
    _portal("400", lost=400),
    _portal("404", lost=404),
    _portal("restart", lost="restart"),
    _portal("empty", lost="empty"),
    _portal("ascending", {"order": "asc"}, lost=400),
    _portal("opaque 400", cursor="opaque", lost=400),
    _portal("opaque restart", cursor="opaque", lost="restart"),
    _portal("place", cursor="place"),
    _portal("any", {"status": "any"}, lost=400),
    _portal("any, hidden", {"status": "any"}, lost=404, hides=True),
    _price("auto", "auto"),
    _price("auto descending", "auto", {"order": "desc"}),
    _price("keyset", "keyset"),
    _price("keyset descending", "keyset", {"order": "desc"}),
    _price("offset", "offset"),
    _price("offset descending", "offset", {"order": "desc"}),
    _price("offset, ties by id", "offset", ties="id"),
    _price("any", "auto", {"status": "any"}),
    _price("any descending", "auto", {"status": "any", "order": "desc"}),
    _price("any keyset", "keyset", {"status": "any"}),
    _price("any offset", "offset", {"status": "any"}),
    _price("documents", "auto", **DOCUMENTS),
    _price("documents descending", "auto", {"order": "desc"}, **DOCUMENTS),
    _price("documents any", "auto", {"status": "any"}, **DOCUMENTS),
    _portal("400, reading ahead", {"prefetch": 3}, lost=400),
    _portal("any, reading ahead", {"status": "any", "prefetch": 1}, lost=400),
    _price("auto, reading ahead", "auto", {"prefetch": 2}),
    _price("auto, 4 at once", "auto", {"concurrency": 4}),
    _price("keyset, 8 at once", "keyset", {"concurrency": 8}),
    _price("offset, 4 at once", "offset", {"concurrency": 4}),
    _price("documents, 4 at once", "auto", {"concurrency": 4}, **DOCUMENTS),
    _price("auto, 4 at once in any order", "auto", {"concurrency": 4, "ordered": False}),
    _price("keyset, 8 at once in any order", "keyset", {"concurrency": 8, "ordered": False}),
    _price("documents, 4 at once in any order", "auto", {"concurrency": 4, "ordered": False}, **DOCUMENTS),
    _mode(FakeFlatpeak, "flatpeak, reading ahead", flatpeak, {"prefetch": 2}, both=True),
    _mode(FakeFlatpeak, "flatpeak", flatpeak, both=True),
    _mode(FakeFlatpeak, "flatpeak 400", flatpeak, both=True, lost=400),
    _mode(FakeFlatpeak, "flatpeak backwards", flatpeak, {"before": "oldest"}, both=True),
]


@attrs.define
class Churn:
    """Moves rows before a request: each of these happens `rate` times a page on average."""

    server: object
    mode: Mode
    random: Random
    rate: float
    ties: float
    now: int
    keep: frozenset[str] = frozenset()
    left: set[str] = attrs.field(factory=set)
    born: int = 0

    def __call__(self) -> None:
        while self.random.random() < self.rate / (1 + self.rate):
            self.random.choice((self._insert, self._delete, self._archive))()

    def _insert(self) -> None:
        rows = self.server.people
        self.born += 1
        self.now += self.random.choice((0, 1, 1_000_000))
        tie = rows and self.random.random() < self.ties
        at = rows[self.random.choice(list(rows))].at if tie else self.now
        person = Person(id=f"new_{self.random.randrange(10**6):06d}_{self.born}", at=at)
        rows[person.id] = person

    def _delete(self) -> None:
        id_ = self._any()
        if id_ is not None:
            del self.server.people[id_]
            self.left.add(id_)

    def _archive(self) -> None:
        id_ = self._any()
        if id_ is not None:
            self.server.people[id_].status = "archived"
            if not self.mode.both:
                self.left.add(id_)

    def _any(self) -> str | None:
        rows = [id_ for id_ in self.server.people if id_ not in self.keep]
        return self.random.choice(rows) if rows else None


def one_walk(mode: Mode, seed: int, rate: float) -> str:
    """Walk once under churn, perhaps resumed on the way; `complete` or the class of the error that ended it."""
    random = Random(f"{mode.name}/{seed}")
    n, size = random.randrange(0, 70), random.randrange(2, 12)
    gaps = random.choice(((0, 1, 1, 5), (1_000_000,), (1, 3_600_000_000)))
    times, at = [], 0
    for _ in range(n):
        at += random.choice(gaps)
        times.append(at)
    # archive as well as publish at the start, where a walk reads both
    statuses = ["published", "published", "archived"]
    server = mode.serve([*people(times, statuses), Person(id="anchor", at=0)], seed=seed)
    keywords = mode.start(server)
    # A walk backwards is started at a customer: that one stays.
    keep = frozenset({keywords["before"]} if "before" in keywords else ())
    churn = Churn(server, mode, random, rate, 0.3 if "flexprice" in mode.name else 0.0, at + 1, keep)
    begun = frozenset(mode.expected(server))
    server.meanwhile = churn
    got: list[str] = []
    ending = _finish(mode, server, keywords, size, random, got)
    twice = [id_ for id_, times_ in Counter(got).items() if times_ > 1]
    assert not twice, f"{mode.name}, seed {seed}: {twice} came twice"
    if ending == "complete":
        stayed = {id_ for id_ in mode.expected(server) if id_ in begun} - churn.left
        missing = stayed - set(got)
        assert not missing, f"{mode.name}, seed {seed}: {len(missing)} of {len(stayed)} lost"
    return ending


def _finish(mode, server, keywords, size, random, got) -> str:
    resume = random.random() < 0.3
    while True:
        walk = iter(mode.account(server).customers(page_size=size, **keywords))
        until = random.randrange(1, 30) if resume else -1
        try:
            for customer in walk:
                got.append(customer.id)
                until -= 1
                if until == 0:
                    break
            else:
                return "complete"
        except uc.PaginationError as error:
            return type(error).__name__
        keywords = {**keywords, ("before" if "before" in keywords else "after"): walk.checkpoint}


WALKS = 100


@pytest.mark.parametrize("mode", MOVING, ids=str)
def test_ordinary_churn_loses_nothing_and_doubles_nothing(mode):
    """Half a row in or out per page: at most one walk in twenty gives up, the others are complete."""
    endings = Counter(one_walk(mode, seed, 0.5) for seed in range(WALKS))
    assert endings["complete"] >= 0.95 * WALKS, endings


@pytest.mark.parametrize("mode", MOVING, ids=str)
def test_heavy_churn_is_complete_or_loud(mode):
    """Many rows in and out per page: a walk may give up, but never ends short or doubles."""
    for seed in range(30):
        one_walk(mode, 10_000 + seed, 4.0)


FOUND = [
    ("flexportal any", 2, 0.5),
    ("flexportal any", 20273, 0.5),
    ("flexportal any, hidden", 10_000_093, 6.0),
    ("flexprice any descending", 21, 0.5),
    ("flexprice offset descending", 10_000_060, 2.0),
    ("flatpeak backwards", 24, 0.5),
]


@pytest.mark.parametrize(("name", "seed", "rate"), FOUND)
def test_found_before(name, seed, rate):
    """Walks that long runs found to lose or double a customer, kept as examples."""
    one_walk(next(mode for mode in MOVING if mode.name == name), seed, rate)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MOVING, ids=str)
def test_churn_at_length(mode):
    """As many walks as UC_WALKS says (200,000 is the measure), over all modes and rates."""
    if "UC_WALKS" not in os.environ:
        pytest.skip("set UC_WALKS, such as UC_WALKS=200000")
    walks = int(os.environ["UC_WALKS"]) // len(MOVING) + 1
    ordinary = Counter(one_walk(mode, 20_000 + seed, 0.5) for seed in range(walks * 3 // 4))
    assert ordinary["complete"] >= 0.95 * ordinary.total(), ordinary
    for seed in range(walks // 4):
        one_walk(mode, 10**7 + seed, Random(seed).choice((0.1, 1.0, 2.0, 6.0)))
