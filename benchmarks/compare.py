"""Two commits of the library against each other, row by row, in the same rounds.

    python -m benchmarks.compare HEAD~3 HEAD
    python -m benchmarks.compare main . --only flexprice flexportal --rounds 15     # a folder stands for itself

Each commit is checked out into a worktree of its own, below a temporary folder, and removed again. The benchmarks are
those of this checkout for both, so a row means the same on either side. Knows git and which rows can be compared.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .speed import report
from .speed.machine import describe
from .speed.outcome import Outcome, Setup, compared
from .speed.processes import ROOT, Program, RefusedError, server
from .speed.rounds import interleave

Made = Callable[[Setup], Program]


def _walk(provider: str, customers: int, **options: object) -> tuple[Made, int]:
    return lambda setup: setup.ours(setup.address(customers), provider, **options), customers


def _accounts(setup: Setup) -> Program:
    base = f"{setup.base}/n450-d50-a{{account}}"
    return Program(
        script="ours_directory", options={"base": base, "accounts": 100, "way": "directory"}, tree=setup.tree
    )


ROWS: dict[str, tuple[Made, int]] = {
    "flexprice": _walk("flexprice", 19_500),
    "flexprice-async": _walk("flexprice", 19_500, asynchronous=True),
    "flexprice-fields": _walk("flexprice", 19_500, read="fields"),
    "flexportal": _walk("flexportal", 4_950),
    "flexportal-async": _walk("flexportal", 4_950, asynchronous=True),
    "flatpeak": _walk("flatpeak", 4_950),
    "small-pages": _walk("flexprice", 500, asks={"page_size": 10}),
    "directory": (_accounts, 45_000),
}
_USUAL = ("flexprice", "flexprice-async", "flexportal", "flexportal-async", "flatpeak")


def main() -> None:
    """Measure both, print one table, write JSON."""
    words = _words()
    with tree_of(words.before) as before, tree_of(words.after) as after, server() as base:
        setups = {
            "before": Setup(base=base, rounds=words.rounds, tree=before),
            "after": Setup(base=base, rounds=words.rounds, tree=after),
        }
        outcomes = [_compare(name, setups) for name in words.only or _USUAL]
        about = {"date": report.today(), "rounds": words.rounds, **describe(after)}
    about |= {"before": words.before, "after": words.after}
    print(f"{words.after} / {words.before}: below 1 is faster\n\n{report.table(outcomes)}")
    if words.json:
        report.write_json(words.json, outcomes, about)


def _compare(name: str, setups: dict[str, Setup]) -> Outcome:
    make, expect = ROWS[name]
    programs = {side: make(setup) for side, setup in setups.items()}
    try:
        samples = interleave(programs, setups["before"].rounds, expect=expect)
    except RefusedError as error:
        return Outcome(key=name, what=name, missing=str(error))
    return compared(name, name, samples, "after", "before")


@contextlib.contextmanager
def tree_of(what: str) -> Iterator[Path]:
    """A folder as it is, or a commit in a worktree that goes away again."""
    if Path(what).is_dir():
        yield Path(what).resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        subprocess.run(["git", "-C", ROOT, "worktree", "add", "-q", "--detach", tree, what], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=True)


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=main.__doc__)
    parser.add_argument("before", help="a commit, or a folder")
    parser.add_argument("after", help="a commit, or a folder")
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=9, help="how many rounds to keep; 9 by default")
    parser.add_argument("--json", type=Path, help="where to write everything that was measured")
    return parser.parse_args()


if __name__ == "__main__":
    main()
