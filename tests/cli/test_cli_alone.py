"""Each command in an interpreter of its own: what it needs, it imports itself."""

from __future__ import annotations

import re

import pytest
from cli_running import run, run_alone

COMMANDS = [
    ("list", "flexprice", "-o", "jsonl"),
    ("list", "flexportal"),
    ("get", "flexportal", "nobody"),
    ("count", "flexprice"),
    ("check", "flatpeak"),
    ("providers",),
    ("report", "flexprice", "flatpeak"),
    ("report", "flexprice", "--html", "report.html"),
    ("export", "flexprice", "--to", "a.csv"),
    ("export", "flexprice", "--to", "a.parquet"),
    ("export", "flexprice", "--to", "a.duckdb"),
    ("migrate", "flexportal", "flexprice", "--journal", "m.sqlite", "--html", "plan.html"),
    ("list", "nobody"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_does_the_same_in_an_interpreter_of_its_own(box, tmp_path, words):
    """As the other tests have it, which fork a process that has loaded all; times apart."""
    found = []
    for how in (run_alone, run):
        folder = tmp_path / how.__name__
        folder.mkdir()
        done = how(*words, box=box, cwd=folder)
        said = (re.sub(rb"[\d.]+", b"1", text) for text in (done.stdout, done.stderr))
        found.append((done.returncode, *said, sorted(path.name for path in folder.iterdir())))
    assert found[0] == found[1]
