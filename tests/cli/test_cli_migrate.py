"""`migrate` as a process: nothing is written before --apply, Ctrl-C and errors tell how to go on, no value is shown."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest
from cli_running import one_line, run, start

from unified_customers.sandbox import Sandbox

PAIR = ("migrate", "flexportal", "flexprice", "--journal", "move.sqlite")


@pytest.fixture
def box():
    """Nine customers to move, none at the target."""
    with Sandbox(customers=0, strange=False) as made:
        made.flexportal.insert(9)
        yield made


def writes(box):
    return [method for method, path, _status in box.flexprice.requests if method != "GET" and "search" not in path]


def moved(box):
    return sorted(row["metadata"]["moved_id"] for row in box.flexprice.rows if row["status"] == "published")


def test_a_plan_is_shown_and_nothing_is_written_anywhere(box, tmp_path):
    """Not at the target, and no journal."""
    done = run(*PAIR, box=box, cwd=tmp_path)
    assert done.returncode == 0
    assert b"flexportal to flexprice: 9 customers" in done.stdout
    assert b"kept in metadata as moved_first_name" in done.stdout
    assert one_line(done.stderr) == "nothing was sent; --apply does it"
    assert writes(box) == []
    assert [*tmp_path.iterdir()] == []


def test_a_plan_is_json_or_a_line_for_each_customer(box, tmp_path):
    """For programs; neither holds a value."""
    found = json.loads(run(*PAIR, "-o", "json", box=box, cwd=tmp_path).stdout)
    assert (found["counts"]["create"], found["total"], found["problems"]) == (9, 9, [])
    lines = run(*PAIR, "-o", "jsonl", box=box, cwd=tmp_path).stdout
    assert [json.loads(line)["source_id"] for line in lines.splitlines()] == box.flexportal.ids
    assert b"@" not in lines


def test_apply_verify_map_and_undo(box, tmp_path):
    """One after another, with the same journal."""
    done = run(*PAIR, "--apply", "--verify", "--map", "map.csv", "--html", "move.html", box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"9 created\n9 read back, 9 as planned, 0 not\n")
    assert len((tmp_path / "map.csv").read_text().splitlines()) == 10
    assert "Moving customers from flexportal to flexprice" in (tmp_path / "move.html").read_text()
    assert moved(box) == sorted(box.flexportal.ids)
    dry = run(*PAIR, "--undo", box=box, cwd=tmp_path)
    assert (dry.returncode, dry.stdout) == (0, b"9 would be archived\n")
    assert "--confirm 'archive'" in one_line(dry.stderr)
    wordless = run(*PAIR, "--undo", "--apply", box=box, cwd=tmp_path)
    assert wordless.returncode == 1
    assert "to do it, say --confirm 'archive'" in one_line(wordless.stderr)
    assert len(moved(box)) == 9
    done = run(*PAIR, "--undo", "--apply", "--confirm", "archive", box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout, moved(box)) == (0, b"9 archived\n", [])


def test_json_is_one_document_whatever_is_asked(box, tmp_path):
    """Both if both were asked, and what was done where a run stops; the page is written then, too."""
    box.flexprice.fault("quota", creates=4)
    done = run(*PAIR, "--apply", "-o", "json", "--html", "m.html", "--concurrency", "1", box=box, cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["created"]) == (1, 4)
    assert (tmp_path / "m.html").stat().st_size > 1000
    box.flexprice.clear_faults()
    done = json.loads(run(*PAIR, "--apply", "--verify", "-o", "json", box=box, cwd=tmp_path).stdout)
    assert (done["run"]["created"], done["run"]["source"], done["verification"]["good"]) == (9, "flexportal", True)
    assert json.loads(run(*PAIR, "--verify", "-o", "json", box=box, cwd=tmp_path).stdout)["good"] is True


@pytest.mark.parametrize("words", [["--verify"], ["--undo"], ["--undo", "--apply"], ["--map", "m.csv"]], ids=" ".join)
def test_a_journal_of_another_source_is_refused_where_the_source_is_not_asked(box, tmp_path, words):
    """By its provider: keys of the source are not wanted for these."""
    run(*PAIR, "--apply", box=box, cwd=tmp_path)
    done = run("migrate", "flatpeak", "flexprice", "--journal", "move.sqlite", *words, box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert one_line(done.stderr) == "error: move.sqlite is the journal of a move from flexportal, not from flatpeak"


def test_a_read_that_fails_says_nothing_of_options_that_there_are_not(box, tmp_path):
    """A walk's checkpoint is of no use here."""
    run(*PAIR, "--apply", box=box, cwd=tmp_path)
    box.flexprice.fault("refused", status=403, times=9, on="list")
    for words in ([], ["--verify"]):
        done = run(*PAIR, *words, box=box, cwd=tmp_path)
        assert done.returncode == 1
        assert "--after" not in one_line(done.stderr)


def test_a_record_that_can_not_be_read_is_named_and_the_others_are_moved(box, tmp_path):
    """Or ends it, if that is wanted."""
    bad = box.flexportal.ids[0]
    box.flexportal.update(bad, phone=["no", "text"])
    done = run(*PAIR, "--on-bad-record", "raise", box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    done = run(*PAIR, "--apply", box=box, cwd=tmp_path)
    assert done.returncode == 0
    assert f"{bad}\timpossible\tphone: can't be read".encode() in done.stdout
    assert len(moved(box)) == 8


def test_an_undoing_that_leaves_customers_ends_with_exit_code_1(box, tmp_path):
    """The target would not let one go; the table names it, and stderr says that it is still there."""
    run(*PAIR, "--apply", box=box, cwd=tmp_path)
    box.flexprice.fault("refused", status=400, times=1)
    done = run(*PAIR, "--undo", "--apply", "--confirm", "archive", box=box, cwd=tmp_path)
    assert (done.returncode, len(moved(box))) == (1, 1)
    assert done.stdout.startswith(b"8 archived\n1 refused by the target\n")
    assert "would not let 1 customers go" in one_line(done.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_waits_for_what_is_under_way_and_tells_how_to_go_on(box, tmp_path, number):
    """Exit code 130, nothing unknown; the same command goes on."""
    handle, seen, process = type(box.flexprice).handle, threading.Semaphore(3), None

    def interrupting(request):
        if request.method == "POST" and not request.path.endswith("search") and not seen.acquire(blocking=False):
            os.kill(process.pid, number)
            box.flexprice.handle = lambda request: handle(box.flexprice, request)
        return handle(box.flexprice, request)

    box.flexprice.handle = interrupting
    process = start(*PAIR, "--apply", "--concurrency", "1", "--rate", "20", box=box, cwd=tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert one_line(said).startswith(f"interrupted ({len(moved(box))} created, {9 - len(moved(box))} left)")
    assert one_line(said).endswith("to go on, repeat the command with the same --journal")
    assert run(*PAIR, "--apply", box=box, cwd=tmp_path).stdout == b"9 created\n"
    assert moved(box) == sorted(box.flexportal.ids)


def test_a_target_that_refuses_ends_with_one_line_and_the_same_command_goes_on(box, tmp_path):
    """What is done and what is not stands in it."""
    box.flexprice.fault("quota", creates=4)
    done = run(*PAIR, "--apply", "--concurrency", "1", box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert "(4 created, 5 left); run it again with the same journal to go on" in one_line(done.stderr)
    box.flexprice.clear_faults()
    assert run(*PAIR, "--apply", box=box, cwd=tmp_path).returncode == 0
    assert len(moved(box)) == 9


def test_bad_rows_are_named_and_the_others_are_moved(box, tmp_path):
    """By their ids, with field and rule, never with the value."""
    (bad,) = box.flexportal.insert(email="no address at all")
    shown = run(*PAIR, box=box, cwd=tmp_path)
    assert f"{bad}\timpossible\temail: ".encode() in shown.stdout
    done = run(*PAIR, "--apply", box=box, cwd=tmp_path)
    assert (done.returncode, len(moved(box))) == (0, 9)
    assert one_line(done.stderr).startswith("warning: 1 customers were not moved")
    assert b"no address at all" not in shown.stdout + done.stdout + done.stderr


def test_a_conflict_sends_nothing_until_it_is_said_what_to_do(box, tmp_path):
    """In the words of the command line."""
    box.flexprice.insert(external_id=box.flexportal.ids[0], name="Somebody else")
    done = run(*PAIR, "--apply", box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert "say --on-conflict 'skip' to leave them as they are, or 'update' to change them" in one_line(done.stderr)
    assert writes(box) == []
    assert run(*PAIR, "--apply", "--on-conflict", "skip", box=box, cwd=tmp_path).returncode == 0


def test_two_accounts_of_one_provider(box, tmp_path):
    """From a file, each with its own settings."""
    box.flexprice.insert(3)
    with Sandbox(customers=0, seed=1) as other:
        accounts = tmp_path / "accounts.toml"
        tables = {"old": box.flexprice.settings, "new": other.flexprice.settings}
        lines = []
        for name, settings in tables.items():
            lines += [f"[accounts.{name}]", 'provider = "flexprice"', f'api_key = {{ env = "{name.upper()}_KEY" }}']
            lines += [f'base_url = "{settings["base_url"]}"']
        accounts.write_text("\n".join(lines))
        keys = {f"{name.upper()}_KEY": settings["api_key"] for name, settings in tables.items()}
        done = run("migrate", "old", "new", "--accounts", "accounts.toml", "--journal", "m.sqlite",
                   "--external-id", "external_id", "--apply", cwd=tmp_path, **keys)  # fmt: skip
        assert (done.returncode, done.stdout) == (0, b"3 created\n")
        was, came = ({row["external_id"] for row in one.flexprice.rows} for one in (box, other))
        assert came == was


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--undo", "--verify"], "--undo goes alone"),
        (["--confirm", "archive"], "--confirm goes with --undo --apply"),
        (["--apply", "-o", "jsonl"], "-o jsonl writes the plan"),
        (["--verify", "--html", "x.html"], "--html goes with a plan, or with --apply"),
        (["--rate", "0"], "--rate"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(box, tmp_path, words, says):
    """Exit code 2, and nothing is sent."""
    done = run(*PAIR, *words, box=box, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert box.flexprice.requests == box.flexportal.requests == []


@pytest.mark.parametrize("option", ["--verify", "--undo", "--map"])
def test_without_a_journal_there_is_nothing_to_do(box, tmp_path, option):
    """It says so in one line, and makes none."""
    words = ["--map", "map.csv"] if option == "--map" else [option]
    done = run(*PAIR, *words, box=box, cwd=tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr) == "error: there is no journal move.sqlite: a run makes it"
    assert [*tmp_path.iterdir()] == []
