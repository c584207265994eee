"""Which account goes into which bundle. Pure: knows names and costs, and nothing of accounts."""

from __future__ import annotations

import heapq
from collections.abc import Mapping


def pack(costs: Mapping[str, int | None], most: int) -> list[list[str]]:
    """Names in bundles of about the same cost, each name in exactly one.

    Args:
        costs: What each name costs; `None` where that is not known, which counts as an average one.
        most: How many names a bundle has on average, at the most.
    """
    count = -(-len(costs) // most)
    known = [cost for cost in costs.values() if cost is not None]
    if not known:
        names = list(costs)
        return [names[number::count] for number in range(count)]
    average = max(1, sum(known) // len(known))
    return _balanced({name: average if cost is None else cost for name, cost in costs.items()}, count)


def _balanced(costs: Mapping[str, int], count: int) -> list[list[str]]:
    """The costliest first, each to the bundle that has least so far."""
    bundles: list[list[str]] = [[] for _ in range(count)]
    loads = [(0, 0, number) for number in range(count)]
    for name in sorted(costs, key=lambda name: -costs[name]):
        load, names, number = heapq.heappop(loads)
        bundles[number].append(name)
        heapq.heappush(loads, (load + costs[name], names + 1, number))
    return [names for names in bundles if names]
