"""The profile: where the processor time of a walk goes, stage by stage, a customer at a time.

Knows the profiling contender and how to print what it saw; for a figure to compare with, the bare loop runs beside it.
"""

from __future__ import annotations

from collections import Counter

from .outcome import Setup
from .processes import Program
from .rounds import Samples, interleave
from .walks import bare

_LISTS = {"flexprice": 9_500, "flexportal": 4_950}


def profile(setup: Setup) -> str:
    """The stages of both providers' walks, sync and async, as text."""
    return "\n\n".join(
        _profile(setup, provider, asynchronous=asynchronous)
        for provider in _LISTS
        for asynchronous in ((False,) if setup.quick else (False, True))
    )


def _profile(setup: Setup, provider: str, *, asynchronous: bool) -> str:
    customers, walks = _LISTS[provider], 5
    base = setup.address(customers)
    told = {"base": base, "provider": provider, "walks": walks, "asynchronous": asynchronous}
    programs = {
        "ours": Program(script="ours_stages", options=told, tree=setup.tree),
        "bare": bare(base, provider, asynchronous=asynchronous),
    }
    samples = interleave(programs, setup.rounds, expect={"ours": customers * walks, "bare": customers})
    return _text(f"{provider}, {'async' if asynchronous else 'sync'}", samples)


def _text(title: str, samples: Samples) -> str:
    seen = sum(sample.customers for sample in samples["ours"])
    spent = sum(sample.cpu for sample in samples["ours"])
    bare_spent = sum(s.cpu for s in samples["bare"]) / sum(s.customers for s in samples["bare"])
    stages, functions = _sum(samples, "stages"), _sum(samples, "functions")
    lines = [f"{title}: {1e6 * spent / seen:.2f} µs of CPU a customer; the bare loop {1e6 * bare_spent:.2f} µs"]
    lines += [f"  {1e6 * s / seen:6.2f} µs  {100 * s / spent:4.0f} %  {stage}" for stage, s in stages.most_common()]
    lines += ["  by function:"]
    lines += [f"  {1e6 * s / seen:6.2f} µs  {100 * s / spent:4.0f} %  {name}" for name, s in functions.most_common(15)]
    return "\n".join(lines)


def _sum(samples: Samples, part: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for sample in samples["ours"]:
        total.update(sample.found[part])
    return total
