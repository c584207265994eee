"""How the command ends: exit codes, one line on stderr, closed pipes, interruptions."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_running import COMMAND, environment, on_terminal, one_line, run, start
from click.testing import CliRunner

from unified_customers.cli import accounts, app
from unified_customers.cli.interrupts import Interrupts

ROOMS = Path(app.__file__).parent


def test_version_loads_neither_httpx_nor_click_nor_rich():
    """`--version` answers from one small file."""
    code = (
        "import sys; from unified_customers.cli import main; code = main(['--version']); "
        "print([name for name in ('httpx', 'click', 'rich', 'attrs', 'msgspec') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment())
    first, second = done.stdout.decode().splitlines()
    assert re.fullmatch(r"unified-customers \d+\.\d+\.\d+\S*", first)
    assert second == "[] 0"


@pytest.mark.parametrize("words", [["--version"], ["-q", "--version"]])
def test_version_ends_with_0(words):
    """Wherever it stands."""
    assert run(*words).returncode == 0


def test_python_m_is_the_same_command():
    """`python -m unified_customers` for where scripts are not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "unified_customers", "providers", "-o", "json"], capture_output=True, check=True
    )
    assert json.loads(done.stdout)


@pytest.mark.parametrize("name", ["click", "rich"])
def test_a_missing_extra_is_named_with_the_line_that_mends_it(name):
    """Without click or rich: one line on stderr, exit code 1."""
    code = f"import sys; sys.modules[{name!r}] = None; from unified_customers.cli import main; sys.exit(main(['list']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
    assert 'pip install "unified-customers[cli]"' in one_line(done.stderr)


@pytest.mark.parametrize("command", ["sandbox", "demo"])
@pytest.mark.parametrize("name", ["uvicorn", "h11"])
def test_a_missing_server_is_named_with_the_line_that_mends_it(command, name):
    """Without the extra `sandbox`: one line on stderr, exit code 1."""
    code = (
        f"import sys; sys.modules[{name!r}] = None; "
        f"from unified_customers.cli import main; sys.exit(main([{command!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert 'pip install "unified-customers[cli,sandbox]"' in line
    assert name in line


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["nonsense"],
        ["get", "flexprice"],
        ["get", "flexprice", "a", "--external-id", "b"],
        ["list", "flexprice", "-o", "xml"],
        ["list", "flexprice", "--max-items", "-1"],
        ["list", "flexprice", "--param", "novalue"],
        ["list", "flexprice", "--param", "a=1", "--param", "a=2"],
        ["list", "flexprice", "--raw"],
        ["sandbox", "--fault", "flexprice:nonsense"],
        ["sandbox", "--port", "70000"],
        ["export"],
        ["report"],
        ["migrate"],
    ],
)
def test_wrong_usage_ends_with_2(words):
    """Commands that are not in this release included: they are unknown, not stubs."""
    done = run(*words)
    assert done.returncode == 2
    assert not done.stdout


@pytest.mark.parametrize("command", ["demo", "list", "get", "count", "check", "providers", "sandbox"])
def test_each_command_has_help(command):
    """On stdout, with exit code 0."""
    done = run(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: ")
    assert not done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["list", "flexportal", "--external-id", "x"], "--unsupported 'local'"),
        (["list", "flexprice", "--page-size", "5000"], "--page-size is a whole number from 1 to 1000"),
        (["list", "flexprice", "--after", "nonsense"], "no checkpoint"),
        (["list", "flexprice", "--id", ""], "--id is empty"),
        (["get", "flexprice", "nobody"], "404"),
        (["get", "flexportal", "--external-id", "x"], "stores no external id"),
        (["count", "flatpeak"], "list -o jsonl | wc -l"),
    ],
)
def test_an_error_of_the_library_is_one_line_and_ends_with_1(box, words, says):
    """In the words of the command line: options, not keywords."""
    done = run(*words, "--quiet", box=box)
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert line.startswith("error: ")
    assert says in line
    assert not done.stdout


def test_a_missing_variable_is_named():
    """Without settings in the environment."""
    done = run("list", "flexprice")
    assert done.returncode == 1
    assert "FLEXPRICE_API_KEY" in one_line(done.stderr)


def test_an_error_in_the_middle_tells_the_checkpoint_to_go_on_from(box):
    """At the end of its one line; what was written and what comes after it are all there is, each once."""
    box.flexportal.fault("bad-record", after=2)
    broken = run("list", "flexportal", "-o", "jsonl", "--page-size", "10", box=box)
    assert broken.returncode == 1
    checkpoint = re.search(r"to go on: --after (\S+)$", one_line(broken.stderr))[1]
    box.flexportal.clear_faults()
    rest = run("list", "flexportal", "-o", "jsonl", "--page-size", "10", "--after", checkpoint, box=box)
    assert rest.returncode == 0
    assert ids(broken.stdout) + ids(rest.stdout) == box.flexportal.ids


def ids(stdout):
    return [json.loads(line)["id"] for line in stdout.decode().splitlines()]


def test_an_error_before_the_first_customer_tells_no_checkpoint(box):
    """There is nothing to go on from."""
    box.flexprice.fault("bad-record")
    done = run("list", "flexprice", box=box)
    assert done.returncode == 1
    assert "--after" not in one_line(done.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_with_130_and_an_exact_checkpoint(box, number):
    """What was written before Ctrl-C (or SIGTERM), and what follows the checkpoint, are all there is, each once."""
    box.flexportal.fault("slow", times=1000, after=2, seconds=30)
    process = start("list", "flexportal", "-o", "jsonl", "--page-size", "10", box=box)
    before = b"".join(process.stdout.readline() for _ in range(20))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    checkpoint = re.fullmatch(r"interrupted; to go on: --after (\S+)", one_line(err))[1]
    box.flexportal.clear_faults()
    rest = run("list", "flexportal", "-o", "jsonl", "--page-size", "10", "--after", checkpoint, box=box)
    assert ids(before + out) + ids(rest.stdout) == box.flexportal.ids


def test_an_interruption_does_not_wait_for_a_repeat(box):
    """Not even when the provider asked for a minute."""
    box.flexprice.fault("429", retry_after=60)
    process = start("list", "flexprice", "-v", box=box)
    assert b"waits 60.0 s" in process.stderr.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 10


def test_a_signal_waits_until_the_page_is_written():
    """The first one; so that the checkpoint is neither before nor behind what was written."""
    interrupts, written = Interrupts(), []

    def write(signals):
        with interrupts.held():
            for _ in range(signals):
                signal.raise_signal(signal.SIGINT)
            written.append(signals)

    with interrupts.caught():
        for signals in (1, 2):
            with pytest.raises(KeyboardInterrupt):
                write(signals)
    assert written == [1]


@pytest.mark.parametrize("output", ["json", "jsonl", "csv", "table"])
def test_a_closed_pipe_is_no_error(box, output):
    """`| head -n 1`: exit code 0, and not a word, also not when Python ends."""
    box.flexportal.insert(3000)
    script = '"$@" | head -n 1; exit "${PIPESTATUS[0]}"'
    words = [*COMMAND, "list", "flexportal", "-o", output, "--page-size", "100"]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], env=environment(box), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["providers"], ["--version"]])
def test_a_pipe_that_nobody_reads_is_no_error(words):
    """Whatever is written."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *words], env=environment(), stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_an_error(box):
    """A short file must not pass for a whole one."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "list", "flexprice"],
            env=environment(box),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: the output can't be written (No space left on device)")


def test_an_unexpected_exception_is_one_line_without_its_text(monkeypatch):
    """The text may hold a key; the type and the place don't. --verbose adds the frames."""

    text = "{}@example.com".format("sk_live_secret")

    def broken(*_):
        raise TypeError(text) from ValueError(text)

    monkeypatch.setattr(accounts, "connect", broken)
    short = CliRunner().invoke(app.cli, ["list", "flexprice"])
    assert short.exit_code == 1
    assert re.fullmatch(r"error: unexpected TypeError at \S+:\d+; this is a bug: .*\n", short.stderr)
    long = CliRunner().invoke(app.cli, ["--verbose", "list", "flexprice"])
    assert "in list_" in long.stderr
    for said in (short.stderr, long.stderr):
        assert text not in said


def test_stderr_holds_neither_keys_nor_customers(box):
    """Not with --verbose, not with an error in the middle."""
    box.flatpeak.fault("token-dies", after=1)
    box.flatpeak.fault("bad-record", after=3)
    done = run("-v", "list", "flatpeak", "--page-size", "10", "-o", "csv", box=box)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert said.count("signs in") == 2
    assert not re.search(r"\w@\w", said)
    assert box.environment["FLATPEAK_API_KEY"] not in said
    assert "Basic " not in said


def test_nothing_is_said_in_a_pipe_unless_asked(box):
    """No bar, no summary."""
    box.flexprice.fault("503")
    assert run("list", "flexprice", box=box).stderr == b""


def test_verbose_tells_of_repeats_and_quiet_of_nothing(box):
    """Before the command's name or after it."""
    box.flexprice.fault("503")
    loud = run("list", "flexprice", "--verbose", box=box).stderr.decode()
    assert "503" in loud
    assert "60 customers" in loud
    assert run("--quiet", "list", "flexprice", "--max-items", "3", box=box).stderr == b""


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_and_no_color_is_honoured(box, more, coloured):
    """Escape sequences on a terminal only, and there unless NO_COLOR is set."""
    code, shown = on_terminal("list", "flexprice", "--max-items", "3", box=box, **more)
    assert code == 0
    assert (b"\x1b[1m" in shown) is coloured
    assert (b"\x1b" in shown) is coloured


def test_a_pipe_is_never_coloured(box):
    """Whatever the environment says."""
    done = run("list", "flexprice", box=box, FORCE_COLOR="1", TERM="xterm-256color", CLICOLOR_FORCE="1")
    assert b"\x1b" not in done.stdout


def test_a_bar_is_drawn_on_a_terminal_and_not_when_quiet(box):
    """On stderr, while stdout goes elsewhere."""
    box.flexportal.fault("slow", times=2, seconds=0.4)
    assert b"customers" in on_terminal("list", "flexportal", "--page-size", "30", box=box, stderr=True)[1]
    assert on_terminal("list", "flexportal", "-q", box=box, stderr=True)[1] == b""


def test_only_the_public_surface_is_used():
    """No room of the command line imports a private room, nor an adapter's."""
    for path in ROOMS.glob("*.py"):
        for line in re.findall(r"^\s*(?:from|import) .+", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert not re.search(r"unified_customers\.(_(?!version)|adapters|providers|paging)", line), (path, line)
            assert not re.match(r"\s*from \.\.", line), (path, line)
