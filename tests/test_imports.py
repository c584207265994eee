"""The rooms of the house know only what they may."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


LINT = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")


@pytest.mark.skipif(LINT is None, reason="import-linter is not installed")
def test_the_import_contracts_are_kept():
    """import-linter, as the project's configuration has it."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if not (ROOT / ".importlinter").exists() and "[tool.importlinter]" not in pyproject:
        pytest.skip("there are no contracts")
    done = subprocess.run([LINT, "--no-cache", "--no-timing"], capture_output=True, text=True, cwd=ROOT, check=False)
    done = (
        done
        if "No such option" not in done.stderr
        else subprocess.run([LINT, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_name_every_room_of_the_core():
    """A new room without a contract would be free to import anything."""
    if not (ROOT / ".importlinter").exists():
        pytest.skip("there are no contracts")
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    configparser.ConfigParser(interpolation=None).read_string(text)
    package = ROOT / "unified_customers"
    rooms = {p.stem for p in package.glob("*.py")} | {p.name for p in package.iterdir() if (p / "__init__.py").exists()}
    loose = {"__init__", "__main__", "_version", "py.typed"}
    assert sorted(room for room in rooms - loose if f"unified_customers.{room}" not in text) == []
