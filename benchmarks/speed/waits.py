"""Rows about time spent waiting for a provider: pages at the same time, pages ahead, accounts at the same time.

Knows delays and keywords of `customers`; must not know how they are carried out. By the clock alone: while a walk
waits it costs no processor time, so that would compare nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .outcome import Outcome, Setup, Target, compared
from .processes import Program, RefusedError
from .rounds import Samples, Spread, interleave
from .walks import bare

_PAGES, _AHEAD = 33, 24
_ACCOUNTS, _SOME = 200, 10
_SOON = Target(most=1.15)


def concurrency(setup: Setup) -> list[Outcome]:
    """33 pages by offset, 100 ms a round trip."""
    customers = 1000 * _PAGES - 500
    base = setup.address(customers, 100)
    programs = {
        f"concurrency={n}": setup.ours(base, "flexprice", settings={"scan": "offset"}, asks={"concurrency": n})
        for n in (1, 8)
    }
    what = f"{_PAGES} offset pages at 100 ms a round trip: `concurrency=1` / `concurrency=8`"
    return [_one_row(setup, "concurrency", what, Target(least=4), programs, customers), _as_they_come(setup)]


def _as_they_come(setup: Setup) -> Outcome:
    """Slices of a keyset, and a server of which one answer in five is slow; small pages, so that waiting is all."""
    customers = 100 * _PAGES - 50
    asks = {"concurrency": 8, "page_size": 100}
    ways = {"in order": {}, "as they come": {"ordered": False}}
    programs = {
        way: setup.ours(f"{setup.base}/n{customers}-d100-s500-a{account}", "flexprice", asks={**asks, **more})
        for account, (way, more) in enumerate(ways.items())
    }
    what = f"{_PAGES} pages of 100, one answer in five takes 500 ms, not 100, `concurrency=8`: in order / as they come"
    return _one_row(setup, "ordered", what, None, programs, customers)


def prefetch(setup: Setup) -> list[Outcome]:
    """Pages by cursor, 20 ms a round trip, and a consumer that takes 20 ms for each page."""
    ways = [("waits", False), ("computes", False), ("computes", True)]  # on one loop, computing stops all else
    return [_prefetch(setup, kind, asynchronous=later) for kind, later in ways[: 2 if setup.quick else 3]]


def _prefetch(setup: Setup, kind: str, *, asynchronous: bool) -> Outcome:
    customers = 100 * _AHEAD - 50
    base = setup.address(customers, 20)
    told = {"walk": "pages", "work": {"seconds": 0.02, "kind": kind}, "asynchronous": asynchronous}
    programs = {
        "no prefetch": setup.ours(base, "flexportal", **told),
        "prefetch=2": setup.ours(base, "flexportal", asks={"prefetch": 2}, **told),
    }
    who = f"an async consumer that {kind}" if asynchronous else f"a consumer that {kind}"
    what = f"{_AHEAD} pages by cursor at 20 ms, {who} 20 ms a page: no prefetch / `prefetch=2`"
    key = f"prefetch-{kind}{'-async' if asynchronous else ''}"
    return _one_row(setup, key, what, Target(least=1.6), programs, customers)


def _one_row(
    setup: Setup, key: str, what: str, target: Target | None, programs: Mapping[str, Program], customers: int
) -> Outcome:
    """The first of two programs against the second; what a release refuses is a row without a figure."""
    above, below = programs
    try:
        samples = interleave(programs, _rounds(setup), expect=customers)
    except RefusedError:
        return Outcome(key=key, what=what, target=target, missing="not in this release")
    sent = {name: of[0].found["requests"] for name, of in samples.items()}
    note = ", ".join(f"{name}: {_took(samples, name):.2f} s, {sent[name]} requests" for name in programs)
    return compared(key, what, samples, above, below, target=target, by_cpu=False, note=note)


def first(setup: Setup) -> list[Outcome]:
    """How long until the first customer is there, with the client open."""
    delays = (50,) if setup.quick else (50, 0)
    return [_first(setup, provider, delay) for delay in delays for provider in ("flexprice", "flexportal")]


def _first(setup: Setup, provider: str, delay: int) -> Outcome:
    base = setup.address(10_000, delay)
    programs = {"ours": setup.ours(base, provider, walk="first"), "bare": bare(base, provider, walk="first")}
    samples = interleave(programs, setup.rounds if setup.quick else 2 * setup.rounds, warm=3)
    page = {"flexprice": "Flexprice, 1000 rows", "flexportal": "FlexPortal, 100 rows"}[provider]
    what = f"{page}, {delay} ms a round trip: time to the first customer / to the first page of the bare loop"
    note = ", ".join(f"{name} {1000 * _took(samples, name):.1f} ms" for name in programs)
    target = _SOON if delay else None  # without a network there is nothing but the page's own work to compare
    return compared(f"first-{provider}-{delay}", what, samples, "ours", "bare", target=target, by_cpu=False, note=note)


def directory(setup: Setup) -> list[Outcome]:
    """200 accounts of 5 pages at 50 ms; one after another they take a minute, so that is measured on a few."""
    return [*_directory(setup, 100, ("Directory", "AsyncDirectory")), *_directory(setup, 20, ("Directory",))]


def _directory(setup: Setup, size: int, names: Sequence[str]) -> list[Outcome]:
    each = 5 * size - size // 2
    told = {"base": f"{setup.base}/n{each}-d50-a{{account}}", "asks": {"page_size": size}}
    ways = {"Directory": "directory", "AsyncDirectory": "async", "loop": "one by one"}
    counts = dict.fromkeys(names, _ACCOUNTS) | {"loop": _SOME}
    programs = {
        name: Program(script="ours_directory", options={**told, "way": ways[name], "accounts": count}, tree=setup.tree)
        for name, count in counts.items()
    }
    samples = interleave(programs, _rounds(setup), expect={name: each * count for name, count in counts.items()})
    return [_accounts_row(samples, name, size) for name in names]


def _accounts_row(samples: Samples, name: str, size: int) -> Outcome:
    what = f"{_ACCOUNTS} accounts of 5 pages of {size} at 50 ms: one after another / `{name}`"
    times = _ACCOUNTS // _SOME
    note = f"{_took(samples, name):.2f} s; one after another: {_took(samples, 'loop'):.2f} s for {_SOME}, times {times}"
    key = f"{name.lower()}-{size}"
    return compared(key, what, samples, "loop", name, target=Target(least=20), scale=times, by_cpu=False, note=note)


def _rounds(setup: Setup) -> int:
    return 3 if setup.quick else min(setup.rounds, 9)  # delays don't swing as processors do, and each round takes long


def _took(samples: Samples, name: str) -> float:
    return Spread.of([sample.wall for sample in samples[name]]).median
