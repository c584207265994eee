"""What `report` writes, where, and how it ends."""

from __future__ import annotations

import csv
import json

import pytest
from cli_running import on_terminal, one_line, run

from unified_customers.cli.reporting import currency


@pytest.fixture
def book(box, tmp_path):
    """A folder with an accounts file of the sandbox's three providers, and the environment's keys."""
    lines = []
    for name, provider in (("doha", "flexportal"), ("berlin", "flexprice"), ("london", "flatpeak")):
        made = getattr(box, provider)
        lines += [f"[accounts.{name}]", f'provider = "{provider}"', f'base_url = "{made.base_url}"']
        for key, value in made.settings.items():
            if key.endswith("key"):
                lines.append(f'{key} = {{ env = "{name.upper()}_KEY" }}')
            elif key != "base_url":
                lines.append(f"{key} = {json.dumps(value)}")
    (tmp_path / "unified-customers.toml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def keys(box):
    """Variables that the accounts file names."""
    named = {"DOHA": box.flexportal, "BERLIN": box.flexprice, "LONDON": box.flatpeak}
    return {f"{name}_KEY": provider.api_key for name, provider in named.items()}


def lines(done):
    """What was written, as cells, by section."""
    found = {}
    for line in done.stdout.decode().splitlines()[1:]:
        section, *cells = line.split("\t")
        found.setdefault(section, []).append(cells)
    return found


def test_every_account_of_the_file_is_reported(box, book, keys):
    """Tab-separated in a pipe; archived customers count."""
    done = run("report", cwd=book, **keys)
    assert (done.returncode, done.stderr) == (0, b"")
    found = lines(done)
    want = {"berlin": box.flexprice, "doha": box.flexportal, "london": box.flatpeak}
    assert found["account"] == [[name, str(len(provider.rows)), ""] for name, provider in want.items()]
    assert ["complete", "yes", ""] in found["report"]
    assert found["revenue"][0][0] == "doha"
    assert found["revenue"][0][2] == "currency not known"


def test_json_is_the_summary_and_currencies_are_the_callers(box, book, keys):
    """By the accounts' names."""
    done = run("report", "doha", "berlin", "-o", "json", "--currency", "doha=eur", cwd=book, **keys)
    found = json.loads(done.stdout)
    assert found["version"] == 1
    assert [one["name"] for one in found["accounts"]] == ["berlin", "doha"]
    assert [one["currency"] for one in found["revenue"]] == ["EUR"]
    assert done.returncode == 0


def test_one_account_is_known_by_the_name_that_was_typed(box):
    """A provider's, with its settings from the environment; filters are those of `list`."""
    done = run("report", "flexprice", "--status", "archived", "-o", "json", box=box)
    found = json.loads(done.stdout)
    assert [one["name"] for one in found["accounts"]] == ["flexprice"]
    assert {one["value"] for one in found["by_status"]["counts"]} == {"archived"}


def test_page_and_matches_are_written_beside_the_report(box, book, keys):
    """And told on stderr, unless --quiet."""
    words = ("report", "--html", "r.html", "--matches", "m.csv", "--title", "Every <Monday>")
    done = run(*words, cwd=book, **keys)
    assert done.stderr.decode().splitlines() == ["wrote r.html", "wrote m.csv"]
    page = (book / "r.html").read_text(encoding="utf-8")
    assert "<title>Every &lt;Monday&gt;</title>" in page
    assert not any(key in page for key in keys.values())
    with (book / "m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {row["account"] for row in rows} <= {"berlin", "doha", "london"}
    assert run(*words, "--quiet", cwd=book, **keys).stderr == b""


def test_an_account_that_fails_is_told_and_the_report_is_written_all_the_same(box, book, keys):
    """With exit code 1, and no key anywhere."""
    done = run("report", "--html", "r.html", "-q", "-o", "json", cwd=book, **{**keys, "LONDON_KEY": "wrong-key"})
    assert done.returncode == 1
    assert "incomplete: 1 of 3 accounts could not be read to the end; london:" in one_line(done.stderr)
    found = json.loads(done.stdout)
    assert found["complete"] is False
    assert found["customers"] == len(box.flexportal.rows) + len(box.flexprice.rows)
    page = (book / "r.html").read_text(encoding="utf-8")
    assert "This report is incomplete" in page
    assert "wrong-key" not in page + done.stdout.decode() + done.stderr.decode()


def test_an_account_that_fails_ends_the_command_if_that_is_wanted(box, book, keys):
    """Nothing is written then, and an old page stays."""
    (book / "r.html").write_text("old", encoding="utf-8")
    words = ("report", "--html", "r.html", "--on-account-error", "raise")
    done = run(*words, cwd=book, **{**keys, "LONDON_KEY": "wrong"})
    assert (done.returncode, done.stdout) == (1, b"")
    assert one_line(done.stderr).startswith("error: ")
    assert (book / "r.html").read_text(encoding="utf-8") == "old"


def test_bad_records_are_left_out_and_told(box):
    """Exit code 0, as with `list --on-bad-record skip`; or an error, if that is wanted."""
    box.flatpeak.insert(1, personal_details="none")
    done = run("report", "flatpeak", "-o", "json", box=box)
    assert done.returncode == 0
    assert "1 records could not be read" in one_line(done.stderr)
    assert json.loads(done.stdout)["quality"]["bad_records"] == 1
    done = run("report", "flatpeak", "--on-bad-record", "raise", "--on-account-error", "raise", box=box)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("report",), 2, b"name an ACCOUNT"),
        (("report", "nobody"), 1, b"there is no account 'nobody'"),
        (("report", "flexprice", "--matches", "m.xlsx"), 1, b".csv, .jsonl, .parquet"),
        (("report", "flexprice", "--html", "no/such/r.html"), 1, b"there is no folder"),
        (("report", "flexprice", "--matches", "m.csv", "--no-matching"), 2, b"exclude each other"),
        (("report", "flexprice", "--currency", "EUR"), 2, b"write ACCOUNT=EUR"),
        (("report", "flexprice", "--currency", "x=EUR"), 1, b"--currency names the account 'x'"),
        (("report", "flatpeak", "--email", "a@example.com"), 1, b"email"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(box, tmp_path, words, code, said):
    """In a line, with nothing written."""
    done = run(*words, box=box, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in b" ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []
    assert box.flexprice.requests == box.flatpeak.requests == []


def test_a_terminal_gets_tables_and_bars_and_no_name_steers_it(box):
    """Escape sequences of a name are shown, not obeyed."""
    box.flexportal.insert(1, firstName="\x1b[31mred\x07", lastName="\u202eevil", totalMonthlyRevenue=10**20)
    code, shown = on_terminal("report", "flexportal", box=box, columns=100)
    text = shown.decode()
    assert code == 0
    assert "New a month" in text
    assert "█" in text
    assert "\\x1b[31mred" in text
    assert not set(text) & {"\x07", "\u202e"}
    assert b"\x1b[31m" not in shown


def test_an_incomplete_report_says_so_in_a_pipe_and_on_a_terminal(box, book, keys):
    """At the top, at the account, and in the notes."""
    wrong = {**keys, "LONDON_KEY": "wrong"}
    found = lines(run("report", cwd=book, **wrong))
    assert ["complete", "NO", ""] in found["report"]
    assert found["account"][2][2].startswith("INCOMPLETE: ")
    assert "incomplete" in found["note"][0][0]
    code, shown = on_terminal("report", "--accounts", str(book / "unified-customers.toml"), columns=120, **wrong)
    assert code == 1
    assert b"This report is INCOMPLETE" in shown


def test_currencies_are_read_from_the_last_equals_sign():
    """An account's name may have one."""
    assert currency(("a=b=EUR", "c=USD")) == {"a=b": "EUR", "c": "USD"}
