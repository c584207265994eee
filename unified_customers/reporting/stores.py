"""Where matching keeps what it compares: in memory while that is little, in a database on disk beyond.

Knows rows and keys; must not know what they mean. Both kinds of store give the same answers in the same order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import attrs

Person = tuple[str, str, str, str | None, str | None, str | None, str | None, str | None, str | None]
"""account, provider, id, external_id, name, company, email, phone, status"""
Key = tuple[int, str]
Label = tuple[int, int, int, int]
"""A customer's number, its cluster's, what links it (a bit for each tier), the cluster's weakest tier."""
Joint = str


@attrs.frozen
class Member:
    """A customer of a cluster.

    Attributes:
        root: The cluster's number in this store.
        accounts: How many accounts the cluster has.
        size: How many customers.
        links: A bit for each tier that links this customer.
        weakest: The weakest tier that holds the cluster together.
    """

    root: int
    accounts: int
    size: int
    links: int
    weakest: int
    person: Person


class Store(Protocol):
    """Keeps customers with their keys; customers are numbered from 0 as they come."""

    def add(self, people: Sequence[Person], keys: Sequence[Sequence[Key]]) -> None:
        """Keep some more."""

    def links(self, limit: int) -> Iterator[tuple[int, str, int]]:
        """Tier, value and customer of each value that several have, in that order.

        Args:
            limit: A value that more customers of one account have is left out.
        """

    def shared(self, limit: int, most: int) -> tuple[int, list[tuple[int, str, int]]]:
        """How many values were left out, and the most frequent of them: tier, value, customers."""

    def members(self, labels: Iterable[Label]) -> Iterator[Member]:
        """The customers of all clusters, cluster after cluster."""

    def close(self) -> None:
        """Delete what was kept."""


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.keys: list[Sequence[Key]] = []

    def add(self, people: Sequence[Person], keys: Sequence[Sequence[Key]]) -> None:
        """Keep some more."""
        self.people += people
        self.keys += keys

    def _groups(self) -> dict[Key, list[int]]:
        groups: dict[Key, list[int]] = defaultdict(list)
        for number, keys in enumerate(self.keys):
            for key in keys:
                groups[key].append(number)
        return groups

    def _most(self, numbers: Iterable[int]) -> int:
        """How many of them are of one account, at most."""
        return max(Counter(self.people[number][0] for number in numbers).values())

    def links(self, limit: int) -> Iterator[tuple[int, str, int]]:
        """See `Store`."""
        for (tier, value), numbers in sorted(self._groups().items()):
            if len(numbers) > 1 and self._most(numbers) <= limit:
                yield from ((tier, value, number) for number in numbers)

    def shared(self, limit: int, most: int) -> tuple[int, list[tuple[int, str, int]]]:
        """See `Store`."""
        found = [(*key, len(numbers)) for key, numbers in self._groups().items() if self._most(numbers) > limit]
        return len(found), sorted(found, key=lambda one: (-one[2], one[0], one[1]))[:most]

    def members(self, labels: Iterable[Label]) -> Iterator[Member]:
        """See `Store`."""
        clusters: dict[int, list[Label]] = defaultdict(list)
        for label in labels:
            clusters[label[1]].append(label)
        made = [self._cluster(root, found) for root, found in clusters.items()]
        for cluster in sorted(made, key=lambda found: (found[0].accounts == 1, found[0].weakest, _first(found))):
            yield from cluster

    def _cluster(self, root: int, labels: list[Label]) -> list[Member]:
        people = [self.people[label[0]] for label in labels]
        accounts = len({person[0] for person in people})
        members = [
            Member(root, accounts, len(labels), links, weakest, person)
            for (_, _, links, weakest), person in zip(labels, people, strict=True)
        ]
        return sorted(members, key=lambda member: member.person[:3])

    def close(self) -> None:
        """Forget."""
        self.people, self.keys = [], []


def _first(cluster: Sequence[Member]) -> tuple[tuple[str, ...], int]:
    return cluster[0].person[:3], cluster[0].root
