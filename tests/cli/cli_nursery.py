"""Commands, each in a process that is forked from this one, which has loaded all: so that none waits for imports.

Reads jobs from stdin, a line of JSON each, and answers with the exit code. What the command writes goes to files.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import threading
import traceback

import unified_customers
from unified_customers import cli


def load():
    """Import whatever a command may ask for."""
    for module in pkgutil.walk_packages(unified_customers.__path__, "unified_customers."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(Exception):  # an extra that is missing, or that pytest alone can import
                importlib.import_module(module.name)


def redirect(job):
    """Put the job's files in the place of the streams, as a shell would."""
    for number, path in enumerate((os.devnull, job["out"], job["err"])):
        file = os.open(path, os.O_RDONLY if not number else os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    reading, writing, saying = (
        open(number, "wb" if number else "rb", closefd=False)  # noqa: SIM115 - as long as the process
        for number in range(3)
    )
    sys.stdin = io.TextIOWrapper(reading, encoding="utf-8")
    sys.stdout = io.TextIOWrapper(writing, encoding="utf-8")
    sys.stderr = io.TextIOWrapper(saying, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def carry_out(job):
    """The command; returns its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(job["seconds"])
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    sys.argv = ["unified-customers", *job["words"]]
    try:
        return cli.main() or 0
    except SystemExit as end:
        return end.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        return 1


def end(code):
    """As the interpreter ends."""
    threading._shutdown()
    atexit._run_exitfuncs()
    with contextlib.suppress(ValueError, OSError):
        sys.stdout.flush()
    os._exit(code)


def main():
    """Job after job."""
    load()
    gc.freeze()
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            redirect(job)
            end(carry_out(job))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
