"""The DAG of docs/scale.md, run by Airflow itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("airflow")

BIN = Path(sys.executable).parent


@pytest.fixture
def dag(work, monkeypatch):
    """What runs the DAG for a day; Airflow waits a second before it tries again, and not five minutes."""
    home = work.folder / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "customers.py").write_text(work.recipe("Airflow"), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    monkeypatch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY", "1")
    subprocess.run([BIN / "airflow", "db", "migrate"], check=True, capture_output=True)
    return lambda: work.command([BIN / "airflow", "dags", "test", "customers", "2026-11-05"])


def test_every_customer_of_every_account_comes_once(work, dag):
    """In the folder of the day."""
    status, said = dag()
    assert status == 0, said
    assert work.found("2026-11-05") == work.truth


def test_a_try_that_is_killed_is_gone_on_with(work, dag, killed_export):
    """The next one keeps the part that was whole."""
    status, said = dag()
    assert work.killed
    assert status == 0, said
    assert "return code -9" in said
    assert "up_for_retry" in said
    assert work.found("2026-11-05") == work.truth
    assert (work.folder / "lake" / "2026-11-05" / killed_export["name"]).stat().st_mtime_ns == killed_export["at"]


def test_a_dead_account_fails_the_task(work, dag, dead):
    """Its name is in the task's log, and nothing is in the folder."""
    _, said = dag()
    assert f"error: account {dead}: FlexPortal" in said
    assert re.search(r"Marking run .* failed", said)
    assert not (work.folder / "lake" / "2026-11-05").exists()
