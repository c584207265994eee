"""`export`: files on disk, nothing on stdout, one line on stderr, and how to go on."""

from __future__ import annotations

import csv
import json
import signal
import time

import pytest
from cli_running import SECONDS, one_line, run, start

import unified_customers as uc

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

import pyarrow.parquet


def test_an_account_is_exported(box, tmp_path):
    """To each kind of file; stdout stays empty, stderr says how many."""
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.arrow", "p/"):
        done = run("export", "flexprice", "--to", name, "--page-size", "9", box=box, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b"")
        assert one_line(done.stderr) == f"{name.rstrip('/')}: 60 customers"
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == len(box.flexprice.ids)
    assert run("export", "flexprice", "--to", "a.csv", "--quiet", box=box, cwd=tmp_path).stderr == b""


def accounts_file(box, folder):
    """Three accounts, their keys in variables."""
    text = ""
    for name, provider in (("doha", "flexportal"), ("pune", "flexprice"), ("graz", "flatpeak")):
        text += f'[accounts.{name}]\nprovider = "{provider}"\n'
        for key, value in getattr(box, provider).settings.items():
            secret = key.endswith(("key", "token"))
            text += f'{key} = {{ env = "{name.upper()}_KEY" }}\n' if secret else f"{key} = {json.dumps(value)}\n"
    (folder / "accounts.toml").write_text(text)
    found = {"doha": box.flexportal, "pune": box.flexprice, "graz": box.flatpeak}
    return {f"{name.upper()}_KEY": server.settings["api_key"] for name, server in found.items()}


def test_without_a_name_every_account_of_the_file_is_exported(box, tmp_path):
    """And several that are named, in one file; each row has its account's name."""
    keys = accounts_file(box, tmp_path)
    done = run("export", "--accounts", "accounts.toml", "--to", "a.csv", cwd=tmp_path, **keys)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 180
    assert {row["account"] for row in rows} == {"doha", "pune", "graz"}
    done = run("export", "doha", "graz", "--accounts", "accounts.toml", "--to", "b.jsonl", cwd=tmp_path, **keys)
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").splitlines()]
    assert {row["account"] for row in rows} == {"doha", "graz"}
    assert not any(key in done.stderr.decode() for key in keys.values())


def test_a_second_export_into_a_database_says_what_happened(box, tmp_path):
    """In one line."""
    assert one_line(run("export", "flexprice", "--to", "a.duckdb", box=box, cwd=tmp_path).stderr) == (
        "a.duckdb: 60 customers read: 60 new, 0 changed, 0 gone"
    )
    box.flexprice.update(box.flexprice.ids[0], name="another")
    box.flexprice.delete(box.flexprice.ids[1])
    assert one_line(run("export", "flexprice", "--to", "a.duckdb", "--resume", box=box, cwd=tmp_path).stderr) == (
        "a.duckdb: 59 customers read: 0 new, 1 changed, 1 gone"
    )


def test_an_account_that_failed_is_told_and_the_others_are_there(box, tmp_path):
    """With exit code 1, so that a script hears of it."""
    box.flatpeak.fault("refused", times=99, on="list", status=403)
    words = ("export", "flexprice", "flatpeak", "--to", "a.csv")
    done = run(*words, box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: account flatpeak: ")
    assert one_line(done.stderr).count("flatpeak: ") == 1
    assert not (tmp_path / "a.csv").exists()
    done = run(*words, "--on-account-error", "collect", "--quiet", box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: 1 accounts failed and are not in a.csv: flatpeak: ")
    assert len((tmp_path / "a.csv").read_text("utf-8").splitlines()) > 60


def test_an_account_that_failed_before_a_kill_at_the_very_end_is_told(box, tmp_path, monkeypatch):
    """With exit code 1 too, though nobody is asked any more."""

    def struck(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("unified_customers.tables.lines.put", struck)
    accounts = {"flexprice": uc.Flexprice(**box.flexprice.settings), "flatpeak": uc.Flatpeak(**box.flatpeak.settings)}
    box.flatpeak.fault("garbage", times=99, on="list")
    with uc.Directory(accounts, retry=uc.Retry(attempts=1)) as directory, pytest.raises(KeyboardInterrupt):
        uc.export(directory, tmp_path / "a.csv", on_account_error="collect")
    words = ("export", "flexprice", "flatpeak", "--to", "a.csv", "--resume", "--on-account-error", "collect", "--quiet")
    done = run(*words, box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: accounts failed before and are not in a.csv: export again")
    assert len((tmp_path / "a.csv").read_text("utf-8").splitlines()) > 60


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("flexprice", "--to", "a.xls"), "the format is not known by 'a.xls'"),
        (("flexprice", "--to", "no/a.csv"), "no is no folder"),
        (("flexprice", "--to", "a.parquet", "--resume"), "leave --resume out"),
        (("flatpeak", "--to", "a.csv", "--since", "2026-01-01"), "that of flatpeak does not: leave --since out"),
        (("flexprice", "--to", "a.csv", "--since", "yesterday"), "--since takes a checkpoint, a date or a time, such"),
        (("flatpeak", "--to", "a.csv", "--kind", "business"), "can't filter by kind"),
        (("nobody", "--to", "a.csv"), "there is no account 'nobody'"),
    ],
)
def test_what_can_not_be_is_told_in_a_line(box, tmp_path, words, says):
    """In the words of the command line; nothing is left behind."""
    done = run("export", *words, box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert says in one_line(done.stderr)
    assert "--after" not in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.duckdb", "p/"])
def test_an_interrupted_export_says_how_to_go_on(box, tmp_path, name):
    """Ctrl-C while it waits for a page: 130, --resume, and every customer once in the end."""
    box.flexprice.insert(2000)
    words = ("export", "flexprice", "--to", name, "--page-size", "100")
    box.flexprice.fault("slow", times=1, on="list", after=15, seconds=30)
    process = start(*words, box=box, cwd=tmp_path)
    end = time.monotonic() + SECONDS
    while len(box.flexprice.requests) < 16 and time.monotonic() < end:
        process.poll()
        if process.returncode is not None:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, said
    assert one_line(said).startswith("interrupted")
    assert not (tmp_path / name.rstrip("/")).exists()
    box.flexprice.clear_faults()
    done = run(*words, "--resume", box=box, cwd=tmp_path)
    assert (done.returncode, b"2060 customers" in done.stderr) == (0, True), done.stderr


def test_no_account_and_no_file_of_accounts_is_wrong_usage(tmp_path):
    """Exit code 2, as of any command that is not whole."""
    done = run("export", "--to", "a.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert b"name an ACCOUNT" in done.stderr


def test_a_providers_error_says_one_way_to_go_on(box, tmp_path):
    """The command's own, not the one for programs."""
    box.flexprice.fault("refused", times=99, on="list", after=2, status=403)
    done = run("export", "flexprice", "--to", "p/", "--page-size", "9", box=box, cwd=tmp_path)
    said = one_line(done.stderr)
    assert done.returncode == 1
    assert "checkpoint" not in said
    assert said.endswith("; to go on: --resume")


def test_a_failed_parquet_file_is_told_in_one_line(box, tmp_path):
    """Nothing of the file's writer is said afterwards, when it is thrown away; nothing is left behind."""
    box.flexprice.fault("refused", times=99, on="list", after=2, status=403)
    done = run("export", "flexprice", "--to", "a.parquet", "--page-size", "9", box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: ")
    assert list(tmp_path.iterdir()) == []
