"""The pages of this folder are tests: `sybil_setup` says how."""

from __future__ import annotations

from pathlib import Path

from sybil_setup import collector

pytest_collect_file = collector(Path(__file__).parent, "*.md")
