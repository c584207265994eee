"""How the tests run the command: as a process of its own, in a pipe or on a terminal."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

# A process that was started by `… &` would ignore SIGINT, and the command respects that.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from unified_customers.cli import main; sys.exit(main())"
)
COMMAND = (sys.executable, "-c", _START)
SECONDS = 60
started = []  # what a failed test would leave behind


def environment(box=None, **more):
    """The environment of the tests, without any account but the sandbox's."""
    strange = ("FLEXPORTAL_", "FLEXPRICE_", "FLATPEAK_", "NO_COLOR", "FORCE_COLOR", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return {**kept, **(box.environment if box else {}), **more}


def run_alone(*words, box=None, cwd=None, **more):
    """Run to the end, with pipes, in an interpreter of its own."""
    return subprocess.run(
        [*COMMAND, *words], env=environment(box, **more), cwd=cwd, capture_output=True, timeout=SECONDS, check=False
    )


def run(*words, box=None, cwd=None, **more):
    """Run to the end, in a process that need not load anything; nothing is on a terminal."""
    if any(name.startswith(("LC_", "LANG", "PYTHON")) for name in more):  # what an interpreter looks at when it starts
        return run_alone(*words, box=box, cwd=cwd, **more)
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        out.touch()
        err.touch()
        job = {"words": words, "env": environment(box, **more), "cwd": str(cwd or Path.cwd()), "seconds": SECONDS}
        code = _nursery().ask({**job, "out": str(out), "err": str(err)})
        return subprocess.CompletedProcess(words, code, out.read_bytes(), err.read_bytes())


class _Nursery:
    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("cli_nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._process.communicate)

    def ask(self, job):
        """Its exit code."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@functools.cache
def _nursery():
    return _Nursery()


def start(*words, box=None, **options):
    """Start, with pipes."""
    process = subprocess.Popen(
        [*COMMAND, *words], env=environment(box), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    started.append(process)
    return process


def on_terminal(*words, box=None, columns=100, stderr=False, **more):
    """Run to the end with stdout (or stderr) on a terminal; returns the exit code and what was shown there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    other = {"stdout": theirs, "stderr": subprocess.DEVNULL}
    if stderr:
        other = {"stdout": subprocess.DEVNULL, "stderr": theirs}
    env = environment(box, TERM="xterm-256color", **more)
    process = subprocess.Popen([*COMMAND, *words], env=env, stdin=theirs, **other)
    os.close(theirs)
    try:
        shown = _read(ours, process)
    finally:
        os.close(ours)
    return process.wait(timeout=SECONDS), shown


def _read(ours, process):
    shown, end = b"", time.monotonic() + SECONDS
    with contextlib.suppress(OSError):  # EIO: the last one hung up
        while time.monotonic() < end:
            ready = select.select([ours], [], [], 0.2)[0]
            if ready:
                part = os.read(ours, 65536)
                if not part:
                    break
                shown += part
            elif process.poll() is not None:
                break
    return shown


def one_line(stderr):
    """The only line that was said, as text."""
    lines = stderr.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]
