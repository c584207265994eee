"""Interleaved rounds, and what they say: medians of ratios within a round, and how far they spread.

Knows samples and numbers; must not know what was measured. The machine's speed changes from minute to minute by more
than what is to be seen, so contenders take turns, and only those of one round are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from statistics import median

import attrs

from .processes import BrokenContenderError, Contender, Program, Sample

Samples = dict[str, list[Sample]]


def interleave(
    programs: Mapping[str, Program], rounds: int, *, expect: Mapping[str, int] | int | None = None, warm: int = 1
) -> Samples:
    """Measure all programs in turns.

    Args:
        programs: What to measure, by name.
        rounds: How many measurements of each to keep.
        expect: How many customers each has to see; a client that loses some is no contender.
        warm: Rounds that are thrown away: they fill the server's pages, and what clients build at their first page.

    Raises:
        RefusedError: One of them can't do it.
        BrokenContenderError: One of them failed, or saw another number of customers.
    """
    with ExitStack() as stack:
        running: dict[str, Contender] = {}
        for name, program in programs.items():
            running[name] = Contender(program)
            stack.callback(running[name].close)
        samples: Samples = {name: [] for name in running}
        for number in range(warm + rounds):
            for name in _turns(list(running), number):
                sample = running[name].measure()
                _refuse_wrong_count(name, sample, expect)
                if number >= warm:
                    samples[name].append(sample)
        return samples


def _turns(names: list[str], number: int) -> Sequence[str]:
    """Every round starts with another one, every second goes backwards: nobody always follows the same."""
    start = number // 2 % len(names)
    turned = names[start:] + names[:start]
    return turned[::-1] if number % 2 else turned


def _refuse_wrong_count(name: str, sample: Sample, expect: Mapping[str, int] | int | None) -> None:
    wanted = expect.get(name) if isinstance(expect, Mapping) else expect
    if wanted is not None and sample.customers != wanted:
        raise BrokenContenderError(f"{name} saw {sample.customers} customers of {wanted}")


@attrs.frozen(kw_only=True)
class Spread:
    """A median, and the smallest and largest value."""

    median: float
    least: float
    most: float
    values: tuple[float, ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """That of some values."""
        return cls(median=median(values), least=min(values), most=max(values), values=tuple(values))


def ratio(
    above: Sequence[Sample], below: Sequence[Sample], of: Callable[[Sample], float], scale: float = 1.0
) -> Spread:
    """How the one compares with the other, round by round."""
    return Spread.of([scale * of(a) / of(b) for a, b in zip(above, below, strict=True)])


def wall(sample: Sample) -> float:
    """By the clock."""
    return sample.wall


def cpu(sample: Sample) -> float:
    """Of the processor."""
    return sample.cpu
