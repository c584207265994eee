"""What the figures were measured on: the machine, the versions, the commit.

Knows where Linux and git tell such things; must not name paths of this machine, as what it says is published.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

PACKAGES = ("httpx", "httpcore", "h11", "anyio", "attrs", "cattrs", "msgspec", "orjson")


def describe(tree: Path) -> dict[str, object]:
    """Machine, versions and commit, for the JSON and the documentation."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": commit(tree),
        "load": os.getloadavg()[0],
    }


def commit(tree: Path) -> str:
    """The commit of a tree, and whether it was changed since."""
    head = _git(tree, "rev-parse", "--short", "HEAD")
    return f"{head} and changes" if head and _git(tree, "status", "--porcelain", "--", "unified_customers") else head


def _git(tree: Path, *words: str) -> str:
    ran = subprocess.run(["git", "-C", tree, *words], check=False, capture_output=True, text=True)
    return ran.stdout.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return f"{int(line.split()[1]) / 1024**2:.0f} GiB"
    return "memory unknown"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
