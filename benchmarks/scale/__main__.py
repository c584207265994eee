"""`python -m benchmarks.scale [--markdown]`: 200 accounts of 1,000 customers each, every answer 20 ms late.

Knows processes and their memory; must not know what they do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import attrs

from ..environments import python_of, versions
from ..speed.machine import describe
from ..speed.processes import ROOT, server

ENVIRONMENTS = {"rows": "arrow", "process": "arrow", "sail": "sail", "jvm": "spark"}
_READER = Path(__file__).with_name("reader.py")
_NAMES = {
    "rows": "one process, customers of `Directory(concurrency=32)`",
    "process": "one process, the same as Arrow batches",
    "sail": "Sail",
    "jvm": "JVM Spark, `local[2]`",
}


@attrs.frozen(kw_only=True)
class Reading:
    """What one reading cost: seconds until the engine stood, seconds of reading, MiB at the most."""

    start: float
    read: float
    memory: float


def accounts(url: str, folder: Path, count: int, size: int, delay: int) -> Path:
    """The file of the accounts; all have the same key, and a tenant of their own."""
    path = folder / "accounts.toml"
    path.write_text(
        "".join(
            f'[accounts.t{n:05}]\nprovider = "flexportal"\ntenant_id = "t{n}"\n'
            f'base_url = "{url}/n{size}-d{delay}"\napi_key = {{ env = "UC_SCALE_KEY" }}\n'
            for n in range(count)
        ),
        encoding="utf-8",
    )
    return path


def measure(engine: str, path: Path, expected: int) -> Reading:
    """One reading, weighed while it lasts."""
    environment = {**os.environ, "UC_SCALE_KEY": "key", "PYTHONPATH": str(ROOT), "RUST_LOG": "error"}
    command = [python_of(ENVIRONMENTS[engine]), _READER, engine, path, str(expected), str(time.time())]
    most, over = [0.0], threading.Event()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
        scale = threading.Thread(target=_weigh, args=(process.pid, most, over))
        scale.start()
        line = process.stdout.readline()
        over.set()
        scale.join()
        process.communicate("go on\n", timeout=120)
        if not line:
            said.seek(0)
            raise RuntimeError(f"{engine} ended without a word: {said.read()[-2000:]}")
    return Reading(memory=most[0], **json.loads(line))


def _weigh(pid: int, most: list[float], over: threading.Event) -> None:
    """The memory of a process and all that came of it, shared pages counted once, as often as there is time."""
    while not over.wait(0.25):
        most[0] = max(most[0], sum(map(_proportional, _family(pid))))


def _family(pid: int) -> list[int]:
    family, parents = [pid], {}
    for entry in Path("/proc").iterdir():
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family


def _proportional(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def table(found: dict[str, list[Reading]], customers: int) -> str:
    """For people, and for docs/scale.md: the quicker of the runs."""
    lines = ["| | start | reading | customers/s | peak memory |", "|---|---|---|---|---|"]
    for engine, readings in found.items():
        best = min(readings, key=lambda one: one.read)
        lines.append(
            f"| {_NAMES[engine]} | {best.start:.1f} s | {best.read:.1f} s | {customers / best.read:,.0f} | "
            f"{best.memory:,.0f} MiB |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "engines", nargs="*", metavar="ENGINE", help="rows, process, sail, jvm; all where none is given"
    )
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--customers", type=int, default=1000, help="of each account")
    parser.add_argument("--delay", type=int, default=20, help="of each answer, in milliseconds")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    engines = options.engines or list(ENVIRONMENTS)
    if unknown := set(engines) - set(ENVIRONMENTS):
        parser.error(f"there is no engine {', '.join(sorted(unknown))}")
    total = options.accounts * options.customers
    found: dict[str, list[Reading]] = {}
    with tempfile.TemporaryDirectory() as folder, server() as url:
        path = accounts(url, Path(folder), options.accounts, options.customers, options.delay)
        for _ in range(options.rounds):
            for engine in engines:
                found.setdefault(engine, []).append(measure(engine, path, total))
                print(engine, found[engine][-1], file=sys.stderr, flush=True)
    about = describe(ROOT)
    pins = {name: versions(ENVIRONMENTS[name]) for name in engines}
    print(f"{options.accounts} accounts of {options.customers:,} customers, {options.delay} ms an answer\n")
    print(table(found, total))
    print(f"\n{about['machine']}, {about['python']}, load {about['load']:.1f}, commit {about['commit']}; {pins}")


if __name__ == "__main__":
    main()
