"""Customers that seem to be the same: from values in common to clusters.

Knows values that customers have in common, and how much each says; must not know where they are kept. For each
customer a few bytes stay in memory, whatever the store.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from .evidence import SURE, WHY
from .matches import Match, Matches
from .stores import Label, Member, Store
from .values import Matching, Overlap, Shared

SHARED_LIMIT = 5
"""A value that more customers of one account have tells nobody apart: info@…, or a test's number."""
LARGE = 20
"""A larger cluster is doubtful, whatever holds it together: nobody has so many records."""
_OVERLAPS, _SHARED_SHOWN = 50, 10


class Unions:
    """Which customers belong together, and by what."""

    def __init__(self, size: int) -> None:
        self._parent = array("q", range(size))
        self._size = array("q", [1]) * size
        self._weakest = array("b", [0]) * size
        self._links = array("b", [0]) * size

    def root(self, number: int) -> int:
        """The cluster's own number."""
        parent = self._parent
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    def join(self, first: int, second: int, tier: int) -> None:
        """Two customers have a value of that tier in common; the surest tiers come first.

        A tier that joins nothing new doesn't weaken a cluster, so a cluster is as sure as its weakest necessary link.
        """
        self._links[first] |= 1 << tier
        self._links[second] |= 1 << tier
        a, b = self.root(first), self.root(second)
        if a == b:
            return
        if self._size[a] < self._size[b]:
            a, b = b, a
        self._parent[b] = a
        self._size[a] += self._size[b]
        self._weakest[a] = max(self._weakest[a], self._weakest[b], tier)

    def labels(self) -> Iterator[Label]:
        """The customers that are in a cluster, each with it."""
        for number, links in enumerate(self._links):
            if links:
                root = self.root(number)
                weakest = len(WHY) if self._size[root] > LARGE else self._weakest[root]
                yield number, root, links, weakest


def joined(store: Store, size: int, limit: int) -> Unions:
    """Join all customers of a store that have a value in common."""
    unions, last, before = Unions(size), None, 0
    for tier, value, number in store.links(limit):
        if last == (tier, value):
            unions.join(before, number, tier)
        last, before = (tier, value), number
    return unions


class _Numbers:
    """What is counted while the rows pass."""

    def __init__(self) -> None:
        self.clusters: Counter[str] = Counter()
        self.customers: Counter[str] = Counter()
        self.sure: Counter[str] = Counter()
        self.overlaps: Counter[tuple[str, str]] = Counter()

    def add(self, scope: str, sure: str, size: int, accounts: set[str]) -> None:
        """One more cluster."""
        self.clusters[scope] += 1
        self.customers[scope] += size
        if scope == "across":
            self.sure[sure] += 1
            if sure != SURE[-1]:
                self.overlaps.update(combinations(sorted(accounts), 2))


def found(store: Store, size: int, limit: int = SHARED_LIMIT) -> tuple[Matching, Matches]:
    """All clusters of a store, in numbers and row by row.

    Args:
        store: What was kept.
        size: How many customers that were.
        limit: See `SHARED_LIMIT`.
    """
    unions = joined(store, size, limit)
    numbers = _Numbers()
    matches = Matches(_rows(store.members(unions.labels()), numbers))
    count, shared = store.shared(limit, _SHARED_SHOWN)
    return Matching(
        across=numbers.clusters["across"],
        across_customers=numbers.customers["across"],
        within=numbers.clusters["within"],
        within_customers=numbers.customers["within"],
        by_sure={word: numbers.sure[word] for word in SURE},
        overlaps=_overlaps(numbers.overlaps),
        shared=tuple(
            Shared(why=WHY[tier], value=value.partition("|")[0] if tier == 2 else value, customers=customers)
            for tier, value, customers in shared
        ),
        shared_values=count,
        shared_limit=limit,
    ), matches


def _overlaps(counted: Counter[tuple[str, str]]) -> tuple[Overlap, ...]:
    largest = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_OVERLAPS]
    return tuple(Overlap(first=first, second=second, clusters=clusters) for (first, second), clusters in largest)


def _rows(members: Iterator[Member], numbers: _Numbers) -> Iterator[Match]:
    """Rows with their cluster's number; each cluster is counted when its last row has passed."""
    cluster, root, left = 0, None, 0
    accounts: set[str] = set()
    for member in members:
        scope, sure = "across" if member.accounts > 1 else "within", SURE[member.weakest]
        if member.root != root:
            cluster, root, left, accounts = cluster + 1, member.root, member.size, set()
        accounts.add(member.person[0])
        left -= 1
        if not left:
            numbers.add(scope, sure, member.size, accounts)
        yield _row(member, cluster, scope, sure)


def _row(member: Member, cluster: int, scope: str, sure: str) -> Match:
    account, provider, id_, external_id, name, company, email, phone, status = member.person
    why = tuple(word for tier, word in enumerate(WHY) if member.links & 1 << tier)
    return Match(
        cluster=cluster,
        scope=scope,
        sure=sure,
        why=why,
        account=account,
        provider=provider,
        id=id_,
        external_id=external_id,
        name=name,
        company=company,
        email=email,
        phone=phone,
        status=status,
    )
