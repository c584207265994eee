"""Files that a page builds from blocks: a fence such as ```` ```python ledgerly.py ```` adds its text to that file.

Knows Markdown fences and how Python finds modules and entry points; must not know any page. The same function puts a
file together for the page's own blocks and for tests, so that what is shown and what is tried can't differ.
"""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sybil import Document, Example, Region

_BLOCK = re.compile(r"^```\w+ (?P<name>[\w-]+\.\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def files_of(page: Path) -> dict[str, str]:
    """The files that a page builds, whole, by name."""
    found: dict[str, str] = {}
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        found[block["name"]] = _with(found.get(block["name"], ""), block["text"])
    return found


def _with(text: str, piece: str) -> str:
    """A file with one more piece, set apart as Python's style asks: methods by one empty line, others by two."""
    return text + ("\n" if piece.startswith(" ") else "\n\n") + piece if text else piece


def parse(document: Document) -> Iterable[Region]:
    """A parser for Sybil: each such block is written to its file in the current folder."""
    for block in _BLOCK.finditer(document.text):
        yield Region(block.start(), block.end(), parsed=(block["name"], block["text"]), evaluator=_write)


def _write(example: Example) -> None:
    name, text = example.parsed
    file = Path(name)
    file.write_text(_with(file.read_text(encoding="utf-8") if file.exists() else "", text), encoding="utf-8")
    _start_anew(example.namespace, file.stem)
    if name == "pyproject.toml":
        install(Path.cwd())
    importlib.invalidate_caches()


def _start_anew(namespace: dict[str, Any], module: str) -> None:
    """Forget what the page's blocks imported and named, as its reader is told to: each has to bring its own imports."""
    sys.modules.pop(module, None)
    for name in [name for name in namespace if not name.startswith("_") and name != "box"]:
        del namespace[name]


def install(folder: Path) -> None:
    """Do for a folder on `sys.path` what ``pip install -e .`` does there: tell of the project's entry points."""
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    says = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(says, encoding="utf-8")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def forget(folder: Path) -> None:
    """Take the folder's modules out of this process."""
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or ".").parent == folder:
            del sys.modules[name]
