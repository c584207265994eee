"""What a row of the table is: a figure, how far it spreads, and whether the target is met.

Knows targets and spreads; must not know how anything was measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from .processes import ROOT, Program, Sample
from .rounds import Samples, Spread, cpu, ratio, wall


@attrs.frozen(kw_only=True)
class Target:
    """A bound: ``at most`` or ``at least`` a value, and what would be better still."""

    most: float | None = None
    least: float | None = None
    aim: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value keeps to it."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        bound = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"
        return bound if self.aim is None else f"{bound}, aim {self.aim:g}"


@attrs.frozen(kw_only=True)
class Outcome:
    """One row.

    Attributes:
        key: The row's short name.
        what: What is compared with what.
        target: The bound, or `None` where the row only tells.
        unit: ``"×"`` for a ratio.
        wall: By the clock.
        cpu: By processor time, where that means something.
        note: What else a reader has to know.
        missing: Why there is no figure.
        samples: All that was measured, for the JSON.
    """

    key: str
    what: str
    target: Target | None = None
    unit: str = "×"
    wall: Spread | None = None
    cpu: Spread | None = None
    note: str = ""
    missing: str = ""
    samples: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict, repr=False)

    @property
    def verdict(self) -> str:
        """Whether the target is met, by the clock and by processor time where both were measured."""
        if self.missing or self.target is None:
            return "–"
        kept = [self.target.met(spread.median) for spread in (self.wall, self.cpu) if spread is not None]
        return "yes" if all(kept) else "partly" if any(kept) else "no"


def compared(
    key: str,
    what: str,
    samples: Samples,
    above: str,
    below: str,
    *,
    target: Target | None = None,
    scale: float = 1.0,
    by_cpu: bool = True,
    note: str = "",
) -> Outcome:
    """The row that divides one contender's time by another's."""
    return Outcome(
        key=key,
        what=what,
        target=target,
        wall=ratio(samples[above], samples[below], wall, scale),
        cpu=ratio(samples[above], samples[below], cpu, scale) if by_cpu else None,
        note=note or _each(samples, above, below),
        samples={name: plain(samples[name]) for name in (above, below)},
    )


def _each(samples: Samples, *names: str) -> str:
    """Microseconds of processor time for a customer: medians, to give the ratio a size."""
    spent = {name: Spread.of([sample.cpu / sample.customers for sample in samples[name]]).median for name in names}
    return ", ".join(f"{name} {1e6 * seconds:.2f} µs" for name, seconds in spent.items())


def plain(samples: list[Sample]) -> list[dict[str, Any]]:
    """Samples as JSON values."""
    return [attrs.asdict(sample) for sample in samples]


@attrs.frozen(kw_only=True)
class Setup:
    """What every row is measured with.

    Attributes:
        base: The server's address.
        rounds: How many rounds to keep.
        quick: Whether to be done within a minute.
        peers: Whether to measure other libraries, beside the bare loop.
        tree: Where the library is taken from.
    """

    base: str
    rounds: int
    quick: bool = False
    peers: bool = True
    tree: Path = ROOT

    def address(self, customers: int, delay: int = 0, account: int = 0) -> str:
        """The address of a list of so many customers, each answer so many milliseconds late."""
        return f"{self.base}/n{customers}-d{delay}-a{account}"

    def ours(self, base: str, provider: str, **options: Any) -> Program:
        """The library, reading that list."""
        return Program(script="ours", options={"base": base, "provider": provider, **options}, tree=self.tree)
