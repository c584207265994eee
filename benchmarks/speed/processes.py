"""The processes that a measurement is made of: the server, and one for each contender.

Knows how they are started and spoken to; must not know what they do. All end with their `with` block.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[2]
_CONTENDERS = Path(__file__).resolve().parent / "contenders"


class RefusedError(Exception):
    """A contender says that it can't do this: a keyword that a release lacks, a package that isn't there."""


class BrokenContenderError(Exception):
    """A contender failed, or measured something else than it was meant to."""


@attrs.frozen(kw_only=True)
class Sample:
    """One measurement.

    Attributes:
        wall: Seconds by the clock.
        cpu: Seconds of the contender's processor time, all its threads together.
        customers: How many customers it saw.
        found: What else it reports.
    """

    wall: float
    cpu: float
    customers: int = 0
    found: dict[str, Any] = attrs.field(factory=dict)


@contextlib.contextmanager
def server(keep: int | None = None) -> Iterator[str]:
    """A server, and its address; `keep` is how many bytes of rendered pages it remembers."""
    command = [sys.executable, "-m", "benchmarks.speed.server", *([] if keep is None else [str(keep)])]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


@attrs.frozen(kw_only=True)
class Program:
    """How a contender is started.

    Attributes:
        script: A file of `contenders/`, without its ending.
        options: What it is told at its start.
        python: The interpreter of its environment.
        tree: Where `unified_customers` is taken from, for those that need it.
    """

    script: str
    options: dict[str, Any] = attrs.field(factory=dict)
    python: Path = Path(sys.executable)
    tree: Path | None = None


class Contender:
    """A running contender, ready to measure."""

    def __init__(self, program: Program) -> None:
        command = [program.python, _CONTENDERS / f"{program.script}.py", json.dumps(program.options)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        if program.tree is not None:
            environment["PYTHONPATH"] = str(program.tree)
        self.name = program.script
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self.about = self._hear()
            _refuse_other_tree(program, self.about)
        except BaseException:
            self.close()
            raise

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        said = json.loads(line) if line else {"failed": "it ended without a word"}
        if "refused" in said or said.get("failed", "").startswith("UnsupportedError"):
            raise RefusedError(said.get("refused") or said["failed"])
        if "failed" in said:
            raise BrokenContenderError(f"{self.name}: {said['failed']}")
        return said

    def measure(self) -> Sample:
        """One run of what it does."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        said = self._hear()
        return Sample(wall=said.pop("wall"), cpu=said.pop("cpu"), customers=said.pop("customers", 0), found=said)

    def close(self) -> None:
        """End the process."""
        _end(self._process)


def _refuse_other_tree(program: Program, about: dict[str, Any]) -> None:
    """An installed copy of the library that is measured instead of the tree would go unnoticed otherwise."""
    if program.tree is not None and not Path(about["file"]).is_relative_to(program.tree.resolve()):
        raise BrokenContenderError(f"{program.script} took unified_customers from {about['file']}, not {program.tree}")
