"""`sandbox` and `demo`, end to end."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest
from cli_running import COMMAND, environment, on_terminal, one_line, run, start
from click.testing import CliRunner

from unified_customers.cli import app, demo, exits
from unified_customers.cli.demo_show import LINES
from unified_customers.sandbox import Sandbox

VARIABLES = {
    "FLEXPORTAL_API_KEY",
    "FLEXPORTAL_TENANT_ID",
    "FLEXPORTAL_BASE_URL",
    "FLEXPRICE_API_KEY",
    "FLEXPRICE_BASE_URL",
    "FLATPEAK_ACCOUNT_ID",
    "FLATPEAK_API_KEY",
    "FLATPEAK_BASE_URL",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sandbox_prints_exports_serves_and_stops_with_0(number):
    """The variables at once, on stdout; Ctrl-C or SIGTERM is the ordinary end."""
    process = start("sandbox", "--customers", "9", "--seed", "5", "--fault", "flexprice:503")
    lines = process.stdout.read().decode().splitlines()  # ends though the sandbox does not
    found = dict(re.fullmatch(r"export (\w+)=(.+)", line).groups() for line in lines)
    assert set(found) == VARIABLES
    settings = {name: shlex.split(value)[0] for name, value in found.items()}
    done = run("count", "flexprice", "-v", **settings)
    assert done.stdout == b"9\n"
    assert b"503" in done.stderr
    process.send_signal(number)
    err = process.stderr.read().decode()
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    process.stderr.close()
    assert err.startswith("# serving on http://127.0.0.1:")
    assert "Traceback" not in err


def test_sandbox_can_be_evaluated_by_a_shell(tmp_path):
    """`eval "$(unified-customers sandbox &)"` returns and the variables are set."""
    said = tmp_path / "said"
    script = 'eval "$("$@" sandbox --customers 4 2>"$SAID" &)"; "$@" count flexprice'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND],
        env=environment(SAID=str(said)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    end = time.monotonic() + 20
    while not (found := re.search(r"kill (\d+)", said.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(int(found[1]), signal.SIGTERM)
    assert done.stdout == b"4\n"


def test_sandbox_takes_the_documents_flavour():
    """As the public page says: there is no search."""
    process = start("sandbox", "--customers", "3", "--flexprice", "documents", "-q")
    settings = dict(line.removeprefix("export ").split("=", 1) for line in process.stdout.read().decode().splitlines())
    assert run("list", "flexprice", "-o", "jsonl", **settings).stdout.count(b"\n") == 3
    process.terminate()
    assert process.communicate(timeout=20)[1] == b""


def test_a_taken_port_is_an_error():
    """Told in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "port is taken" in one_line(done.stderr)


def test_the_demo_reads_everything_and_tells_what_it_survived():
    """Every provider whole, each obstacle counted, in a few seconds, with exit code 0."""
    began = time.monotonic()
    done = run("demo")
    assert done.returncode == 0
    assert time.monotonic() - began < 15
    assert done.stderr == b""
    text = done.stdout.decode()
    assert "\x1b" not in text
    for name in ("flexportal", "flexprice", "flatpeak"):
        assert re.search(rf"^{name} +250 of 250 +\d+", text, re.MULTILINE)
    assert re.search(r"^together +750 of 750", text, re.MULTILINE)
    assert re.search(r"^flexportal +503 x 1, sent again after 0\.\d s$", text, re.MULTILINE)
    assert re.search(r"^flexprice +429 x 1, sent again after 1\.0 s$", text, re.MULTILINE)
    assert re.search(r"^flatpeak +expired token x 1,", text, re.MULTILINE)
    assert text.endswith(LINES)


def test_the_demo_takes_nothing_from_the_environment():
    """Settings of real accounts, right or wrong, don't matter."""
    more = {"FLEXPORTAL_REGION": "nowhere", "FLATPEAK_BEARER_TOKEN": "x", "FLEXPRICE_BASE_URL": "http://example.com"}
    assert run("demo", "-q", **more).returncode == 0


@pytest.mark.parametrize("more", [{}, {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_the_demo_runs_on_any_terminal(more):
    """With a live line per provider; without Unicode, too."""
    code, shown = on_terminal("demo", columns=80, **more)
    assert code == 0
    assert shown.count(b"250 of 250") >= 3
    assert b"reads" in shown or b"waits" in shown
    assert shown.isascii() == bool(more)


def test_the_demo_stops_with_130():
    """Ctrl-C in the middle: no traceback."""
    process = start("demo")
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert one_line(err) == "interrupted"


def test_the_demo_fails_if_a_provider_cannot_be_read(monkeypatch):
    """Its numbers are a proof, so a wrong one is an error."""

    def worse(box):
        box.flatpeak.fault("bad-record", after=1)

    monkeypatch.setattr(demo, "obstruct", worse)
    done = CliRunner().invoke(app.cli, ["demo", "-v"])
    assert done.exit_code == 1
    assert "flatpeak: " in done.stderr
    assert "nothing: no obstacle was met" in done.stdout
    assert re.search(r"^flatpeak +50 of 250", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "b"], ["a", "c"], ["a", "b", "c"], []])
def test_the_demo_fails_if_a_count_differs(ids):
    """One too few, one twice, another one."""
    with pytest.raises(exits.Failure, match="x: "):
        demo._prove([demo.Seen("x", held=["a", "b"], ids=ids)])
    demo._prove([demo.Seen("x", held=["a", "b"], ids=["b", "a"])])


def test_the_demos_ten_lines_run():
    """As printed, against accounts from the environment: every customer of all three."""
    assert len(LINES.splitlines()) == 10
    with Sandbox(customers=30) as box:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", LINES], env=environment(box), capture_output=True, check=True
        )
        *rows, last = done.stdout.decode().splitlines()
        printed = [line.split()[:2] for line in rows]
        assert "requests" in last
        assert sorted(printed) == sorted([p.name, one] for p in box.providers for one in p.ids)
