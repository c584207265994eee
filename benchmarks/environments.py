"""One virtual environment for each peer that the benchmarks measure, with pinned versions.

Knows names, pins and pip. Must not know what is measured. Needs the standard library only, so that any
Python 3.11 runs it, as `python -m benchmarks.environments` or as a file; `python_of("dlt")` is for other scripts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# To renew a pin: `pip index versions NAME`, write the newest here, run this file, then both benchmarks again:
# a table must show the versions that it was made with. What a peer itself needs is left to its own pins.
_OURS = ("anyio==4.16.0", "attrs==26.1.0", "cattrs==26.2.1", "httpx==0.28.1", "msgspec==0.22.0")
PINS: dict[str, tuple[str, ...]] = {
    "dlt": ("dlt==1.31.0",),
    "singer": ("singer-sdk==0.54.9",),
    "stripe": ("stripe==16.1.0",),
    "flexprice": ("flexprice==2.1.43",),
    # what the library needs, for readings that take it from the tree, and an engine beside it
    "arrow": ("pyarrow==26.0.1", *_OURS),
    "sail": ("pysail==0.7.2", "pyspark-client==4.2.0", *_OURS),
    "spark": ("pyspark==4.3.0", "pyarrow==26.0.1", "pandas==2.3.3", *_OURS),
    "bare": ("httpx==0.28.1", "orjson==3.13.0"),  # no peer: the least that any client has to spend
}
FOLDER = Path(__file__).resolve().parent / ".envs"  # in .gitignore

_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment, which is made first where it is missing or has other pins."""
    python, stamp, wanted = _python(name), FOLDER / name / "made.json", _made_of(name)
    if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
        _make(name)
        stamp.write_text(wanted)  # last, so that a half-made environment is made again
    return python


def versions(name: str) -> dict[str, str]:
    """What is installed for each pin, as the environment itself says."""
    names = [pin.partition("==")[0] for pin in PINS[name]]
    asked = subprocess.run([python_of(name), "-c", _VERSIONS, *names], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def _python(name: str) -> Path:
    return FOLDER / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _made_of(name: str) -> str:
    return json.dumps({"pins": PINS[name], "python": sys.version})


def _make(name: str) -> None:
    print(f"making the environment of {name}: {' '.join(PINS[name])} …", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    venv.create(FOLDER / name, with_pip=True)
    install = [_python(name), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PINS[name]]
    subprocess.run(install, check=True)


def main() -> None:
    """Make what is missing and print what is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.environments", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PINS)}; all where none is given")
    names = parser.parse_args().names or list(PINS)
    if unknown := set(names) - set(PINS):
        parser.error(f"no such environment: {', '.join(sorted(unknown))}")
    for name in names:
        found = ", ".join(f"{package} {version}" for package, version in versions(name).items())
        print(f"{name:<10} {found:<32} {python_of(name)}")


if __name__ == "__main__":
    main()
