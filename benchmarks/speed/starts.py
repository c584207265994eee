"""How long it takes to start: whole processes, in turns, because `-X importtime` sees neither all nor the same twice.

Knows interpreters and lines of code. httpx imports click and rich where they are installed, so the same is measured
in a lean environment, which holds the library's wheel with what that needs and no extra, and in the present one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.environments import FOLDER

from .outcome import Outcome, Setup, Target, compared
from .processes import BrokenContenderError, Sample
from .rounds import Samples

_NOTHING = "pass"
_BASE = "import httpx, attrs, cattrs"
_PACKAGE = "import unified_customers"
_CLIENT = "from unified_customers import Client, Customer, Flexprice"
_CHECK = (
    "import sys; from unified_customers.cli import main; main(['--version']); "
    "sys.exit('imports httpx' if 'httpx' in sys.modules else 0)"
)
Command = Sequence[str | Path]


def starts(setup: Setup) -> list[Outcome]:
    """Importing, and answering `--version`."""
    lean = _lean(setup.tree)
    rows = _rows("lean", _commands(lean, lean.parent / "unified-customers"), {}, setup)
    present = Path(sys.executable)
    environment = {"PYTHONPATH": str(setup.tree)}
    return [*rows, *_rows("present", _commands(present, present.parent / "unified-customers"), environment, setup)]


def _commands(python: Path, script: Path) -> dict[str, Command]:
    lines = {"nothing": _NOTHING, "base": _BASE, "package": _PACKAGE, "client": _CLIENT}
    return {**{name: (python, "-c", line) for name, line in lines.items()}, "version": (script, "--version")}


def _rows(where: str, commands: Mapping[str, Command], environment: dict[str, str], setup: Setup) -> list[Outcome]:
    named = f"{where} environment"
    _run((*commands["nothing"][:2], _CHECK), environment)
    samples = _interleave(commands, environment, 9 if setup.quick else 25)
    hard = where == "lean"
    return [
        compared(
            f"import-{where}", f"{named}: import of `Client`, `Customer`, `Flexprice` / of httpx, attrs, cattrs",
            samples, "client", "base", target=Target(most=1.35), note=_millis(samples, "client", "base", "nothing"),
        ),
        compared(
            f"import-package-{where}", f"{named}: `import unified_customers` / of httpx, attrs, cattrs",
            samples, "package", "base", target=Target(most=1.35) if hard else None,
            note=_millis(samples, "package", "base") + "; the rest is imported at first use",
        ),
        compared(
            f"version-{where}", f"{named}: `unified-customers --version` / `python -c pass`",
            samples, "version", "nothing", target=Target(most=3) if hard else None,
            note=_millis(samples, "version", "nothing") + "; no httpx was imported",
        ),
    ]  # fmt: skip


def _millis(samples: Samples, *names: str) -> str:
    medians = {name: sorted(sample.wall for sample in samples[name])[len(samples[name]) // 2] for name in names}
    return ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in medians.items())


def _interleave(commands: Mapping[str, Command], environment: dict[str, str], rounds: int) -> Samples:
    samples: Samples = {name: [] for name in commands}
    for number in range(rounds + 2):  # the first write and read byte code
        for name in list(commands)[:: -1 if number % 2 else 1]:
            sample = _run(commands[name], environment)
            if number >= 2:
                samples[name].append(sample)
    return samples


def _run(command: Command, environment: dict[str, str]) -> Sample:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:  # so that nothing is imported from where this is run
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=kept | environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BrokenContenderError(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Sample(wall=wall, cpu=used.ru_utime + used.ru_stime)


def _lean(tree: Path) -> Path:
    """The interpreter of an environment with the wheel of this tree; what it depends on is installed once."""
    python = FOLDER / "lean" / "bin" / "python"
    made = python.exists()
    if not made:
        venv.create(python.parents[1], with_pip=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = ("-m", "pip", "-q", "--disable-pip-version-check")
        subprocess.run([sys.executable, *pip, "wheel", "--no-deps", *_built_here(), "-w", folder, tree], check=True)
        wheel = next(Path(folder).glob("*.whl"))
        subprocess.run([python, *pip, "install", wheel], check=True)  # what it needs, where that has changed
        subprocess.run([python, *pip, "install", "--no-deps", "--force-reinstall", wheel], check=True)
    return python


def _built_here() -> tuple[str, ...]:
    """The build backend is one of the development tools, so that no other has to be fetched."""
    found = subprocess.run([sys.executable, "-c", "import hatchling"], check=False, capture_output=True)
    return () if found.returncode else ("--no-build-isolation",)
