"""All speed benchmarks in one command.

    python -m benchmarks.speed --quick          # under a minute: fewer rows, fewer customers
    python -m benchmarks.speed --json out.json  # all, some minutes
    python -m benchmarks.speed --only flexprice flexportal --no-peers --tree ../other
    python -m benchmarks.speed --profile        # where the time goes

The server runs in a process of its own, each contender in one of its own, in its own environment.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.environments import PINS

from . import growth, report, stages, starts, waits, walks
from .machine import describe
from .outcome import Outcome, Setup
from .processes import ROOT, BrokenContenderError, RefusedError, server

SUITES: dict[str, Callable[[Setup], list[Outcome]]] = {
    "flexprice": walks.flexprice,
    "flexportal": walks.flexportal,
    "flatpeak": walks.flatpeak,
    "first": waits.first,
    "concurrency": waits.concurrency,
    "prefetch": waits.prefetch,
    "directory": waits.directory,
    "growth": growth.growth,
    "starts": starts.starts,
}
_QUICK = ("flexprice", "flexportal", "first")


def main() -> None:
    """Measure, print one table, write JSON."""
    words = _words()
    setup = {"rounds": words.rounds or 15, "quick": words.quick, "peers": words.peers}
    about = {"date": report.today(), "rounds": setup["rounds"], "quick": words.quick, **describe(words.tree)}
    about["peers"] = PINS
    outcomes: list[Outcome] = []
    with server() as base:
        if words.profile:
            _profile(Setup(base=base, tree=words.tree, **setup), words.docs)
            return
        for name in words.only or (_QUICK if words.quick else SUITES):
            began = time.monotonic()
            print(f"{name} …", end=" ", flush=True)
            outcomes += _run(name, Setup(base=base, tree=words.tree, **setup))
            print(f"{time.monotonic() - began:.0f} s")
    print("\n" + report.table(outcomes))
    if words.json:
        report.write_json(words.json, outcomes, about)
    if words.docs:
        report.write_docs(words.docs, "the last run", report.markdown(outcomes, about))
    if any(outcome.missing.startswith("failed") for outcome in outcomes):
        raise SystemExit("some rows could not be measured")


def _profile(setup: Setup, docs: Path | None) -> None:
    text = stages.profile(setup)
    print(text)
    if docs:
        report.write_docs(docs, "the profile", f"```text\n{text}\n```")


def _run(name: str, setup: Setup) -> list[Outcome]:
    """The rows of a suite; one that can't be measured says why, and costs the others nothing."""
    try:
        return SUITES[name](setup)
    except RefusedError as error:
        return [Outcome(key=name, what=name, missing=f"not in this release: {error}")]
    except BrokenContenderError as error:
        return [Outcome(key=name, what=name, missing=f"failed: {error}")]


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute: the rows that change most")
    parser.add_argument("--profile", action="store_true", help="print where a walk's time goes, and nothing else")
    parser.add_argument("--only", nargs="+", choices=SUITES, metavar="SUITE", help=f"some of {', '.join(SUITES)}")
    parser.add_argument("--rounds", type=int, help="how many rounds to keep; 15 by default")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="the bare loop alone to compare with")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the checkout to measure; this one by default")
    parser.add_argument("--json", type=Path, help="where to write everything that was measured")
    parser.add_argument("--docs", type=Path, help="a page to put the table (or profile) into, between its marks")
    words = parser.parse_args()
    words.tree = words.tree.resolve()
    return words


if __name__ == "__main__":
    main()
