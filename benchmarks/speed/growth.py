"""Whether a long list costs more than a short one: memory, and time for each customer.

Knows sizes; must not know how a walk works. The server keeps no pages here: a million customers are more than it
should hold, and every list has to cost it the same. That is its own processor time, which is not counted.
"""

from __future__ import annotations

from typing import Any

import attrs

from .outcome import Outcome, Setup, Target, compared, plain
from .processes import Program, Sample, server
from .rounds import Samples, Spread, interleave

MIB = 1024 * 1024
_SETTLED = 50_000
_LISTS = {1000: (1_000, 10_000, 100_000), 100: (1_000, 10_000, 50_000), 10: (500, 5_000)}
_FLAT = Target(most=1.15)


def growth(setup: Setup) -> list[Outcome]:
    """Memory over one long walk, and time for each customer over lists of different lengths."""
    with server(keep=0) as base:
        here = attrs.evolve(setup, base=base)
        sizes = {1000: (1_000, 10_000)} if setup.quick else _LISTS
        return [*memory(here), *(_flat(here, size, lists) for size, lists in sizes.items())]


def memory(setup: Setup) -> list[Outcome]:
    """One walk over a million customers."""
    customers = 200_000 if setup.quick else 1_000_000
    told = {"base": setup.address(customers), "settled": _SETTLED}
    program = Program(script="ours_memory", options=told, tree=setup.tree)
    samples = interleave({"ours": program}, 1, warm=0, expect=customers)
    found = samples["ours"][0].found
    return [_memory(samples, found, customers), _within(samples, found["marks"], customers)]


def _memory(samples: Samples, found: dict[str, Any], customers: int) -> Outcome:
    grown = (found["peak"] - found["before"]) / MIB
    at = {mark["customers"]: mark["resident"] / MIB for mark in found["marks"]}
    note = (
        f"peak {found['peak'] / MIB:.1f} MiB; resident {at[_SETTLED]:.1f} MiB after {_SETTLED:,}, "
        f"{at[customers]:.1f} MiB at the end"
    )
    return Outcome(
        key="memory",
        what=f"growth of the peak while streaming {customers:,} customers, after the first {_SETTLED:,}",
        target=Target(most=8),
        unit=" MiB",
        wall=Spread.of([grown]),
        note=note,
        samples={"ours": plain(samples["ours"])},
    )


def _within(samples: Samples, marks: list[dict[str, Any]], customers: int) -> Outcome:
    """The last tenth of the long walk against its first, without what the first page builds."""
    tenth = customers // 10
    at = {mark["customers"]: mark["cpu"] for mark in marks}
    early, late = at[2 * tenth] - at[tenth], at[customers] - at[customers - tenth]
    return Outcome(
        key="flat-million",
        what=f"{customers:,} customers in one walk: CPU of the last tenth / of the second",
        target=_FLAT,
        cpu=Spread.of([late / early]),
        note=f"{1e6 * early / tenth:.2f} µs and {1e6 * late / tenth:.2f} µs a customer",
        samples={"ours": plain(samples["ours"])},
    )


def _flat(setup: Setup, size: int, lists: tuple[int, ...]) -> Outcome:
    programs = {
        f"{count:,}": setup.ours(setup.address(count), "flexprice", asks={"page_size": size}) for count in lists
    }
    expect = {f"{count:,}": count for count in lists}
    samples = {name: _each(of) for name, of in interleave(programs, max(3, setup.rounds // 2), expect=expect).items()}
    shortest, longest = next(iter(programs)), list(programs)[-1]
    note = ", ".join(f"{name}: {1e6 * Spread.of([s.cpu for s in of]).median:.2f} µs" for name, of in samples.items())
    what = f"pages of {size}: time for a customer, {longest} / {shortest} customers"
    row = compared(f"flat-{size}", what, samples, longest, shortest, target=_FLAT, note=note)
    return attrs.evolve(row, samples={name: plain(of) for name, of in samples.items()})


def _each(samples: list[Sample]) -> list[Sample]:
    """Samples as the time for one customer."""
    return [attrs.evolve(s, wall=s.wall / s.customers, cpu=s.cpu / s.customers, found={}) for s in samples]
