"""The asset of docs/scale.md, materialised by Dagster in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("dagster")

_RUN = """
from dagster import materialize

raise SystemExit(not materialize([customers], raise_on_error=False).success)
"""


@pytest.fixture
def asset(work, monkeypatch):
    """What materialises it."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: work.run(work.recipe("Dagster") + _RUN)


def test_every_customer_of_every_account_comes_once(work, asset):
    """In the folder of the asset."""
    status, said = asset()
    assert status == 0, said
    assert work.found("customers") == work.truth


def test_a_try_that_is_killed_is_gone_on_with(work, asset, killed_export):
    """The next one keeps the part that was whole."""
    status, said = asset()
    assert work.killed
    assert status == 0, said
    assert "attempt # 2" in said
    assert work.found("customers") == work.truth
    assert (work.folder / "lake" / "customers" / killed_export["name"]).stat().st_mtime_ns == killed_export["at"]


def test_a_dead_account_fails_the_asset(work, asset, dead):
    """Its name is in the log, and nothing is in the folder."""
    status, said = asset()
    assert status == 1
    assert f"error: account {dead}: FlexPortal" in said
    assert not (work.folder / "lake" / "customers").exists()
