"""The recipe for Ray Data, as docs/scale.md prints it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

import unified_customers as uc

pytest.importorskip("ray")


@pytest.fixture(autouse=True)
def logs(monkeypatch):
    """Where Ray writes: a short path, because its sockets are there; searched for keys."""
    folder = Path(tempfile.mkdtemp(prefix="uc-"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    yield folder
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".log" for file in files)
    assert not [file for file in files if b"key-of-" in file.read_bytes()]
    shutil.rmtree(folder)


def reading(argv):
    """Whether a process is a worker of Ray's that reads."""
    return argv[0].startswith("ray::") and "read" in argv[0]


def test_every_customer_of_every_account_comes_once(work):
    """In the columns of the schema."""
    status, said = work.run(work.recipe("Ray Data"))
    assert status == 0, said
    assert work.found("customers") == work.truth
    assert work.types("customers") == dict(zip(uc.SCHEMA.names, uc.SCHEMA.types, strict=True))


def test_a_worker_that_is_killed_in_the_middle_is_made_good(work, later_page):
    """Ray tries its bundle again."""
    work.kill(reading, once=later_page)
    status, said = work.run(work.recipe("Ray Data"))
    assert work.killed
    assert status == 0, said
    assert work.found("customers") == work.truth


def test_a_bundle_is_one_block(work):
    """However large: of several, Ray would keep those that came before a worker was killed, and add others to them."""
    text = work.recipe("Ray Data").replace('accounts.toml")', 'accounts.toml", batch_size=100)', 1)
    status, said = work.run(f"{text}\nprint('blocks', customers.materialize().num_blocks(), 'of', len(bundles))\n")
    assert status == 0, said
    assert "blocks 2 of 2" in said


def test_a_dead_account_ends_the_job_with_its_name(work, dead):
    """And with the library's own error."""
    status, said = work.run(work.recipe("Ray Data"))
    assert status != 0
    assert "PermissionDeniedError" in said
    assert f"{dead}: FlexPortal" in said
