"""README.md is a test too; `docs/conftest.py` takes the pages of docs, with the same code."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "docs"))

from sybil_setup import collector

pytest_collect_file = collector(Path(__file__).parent, "README.md")
