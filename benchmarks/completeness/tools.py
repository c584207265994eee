"""The tools that read, and the processes in which they do.

Knows the environments and how to talk to the scripts in `peers/`. Must not know what is wrong with the server.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, Self

import attrs

from benchmarks.environments import python_of, versions

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 90.0  # singer-sdk's own repeats take 30 to 35 of them


@attrs.frozen
class Tool:
    """One way to read one provider's list.

    Attributes:
        key: Unique for the provider.
        title: The head of its column.
        how: What of the tool is used.
        script: In `peers/`.
        wire: The provider.
        environment: Whose interpreter runs the script; None for this one.
        options: Settings beyond the provider's own.
    """

    key: str
    title: str
    how: str
    script: str
    wire: str
    environment: str | None = None
    options: dict[str, str] = attrs.field(factory=dict, hash=False)

    @property
    def versions(self) -> str:
        """Name and version, as installed."""
        if self.environment is None:
            return f"unified-customers {importlib.metadata.version('unified-customers')}"
        return ", ".join(f"{name} {version}" for name, version in versions(self.environment).items())


_OURS, _DLT, _SINGER = "read_unified.py", "read_dlt.py", "read_singer.py"
TOOLS = (
    Tool("ours", "this library", "`customers()`", _OURS, "flexprice"),
    Tool("ours-offset", "this library", '`scan="offset"`', _OURS, "flexprice", options={"scan": "offset"}),
    Tool("dlt", "dlt `RESTClient`", "`OffsetPaginator`", _DLT, "flexprice", "dlt"),
    Tool("singer", "singer-sdk `RESTStream`", "`OffsetPaginator`", _SINGER, "flexprice", "singer"),
    Tool("flexprice", "the official SDK", "`query_customer`", "read_flexprice.py", "flexprice", "flexprice"),
    Tool("ours", "this library", "`customers()`", _OURS, "flexportal"),
    Tool("dlt", "dlt `RESTClient`", "`JSONResponseCursorPaginator`", _DLT, "flexportal", "dlt"),
    Tool("singer", "singer-sdk `RESTStream`", "`JSONPathPaginator`", _SINGER, "flexportal", "singer"),
    Tool("ours", "this library", "`customers()`", _OURS, "flatpeak"),
    Tool("stripe", "stripe-python", "`auto_paging_iter`", "read_stripe.py", "flatpeak", "stripe"),
)


class StoppedError(Exception):
    """We had to end the reading: too many requests, too much time, or the process died."""


class Reader:
    """A process that reads for one tool; it is started when needed and again after it had to be stopped."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._home = tempfile.TemporaryDirectory()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._home.cleanup()

    def read(self, job: dict[str, Any], overrun: threading.Event) -> dict[str, Any]:
        """What the tool made of the list.

        Raises:
            StoppedError: It would not end; the process was stopped.
        """
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps({**job, "options": self._tool.options}) + "\n")
        process.stdin.flush()
        deadline = time.monotonic() + MOST_SECONDS
        while not overrun.is_set() and time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(queue.Empty):
                said: dict[str, Any] = json.loads(self._lines.get(timeout=0.05))
                return said
        died = process.poll() is not None
        self.stop()
        raise StoppedError("never stops" if overrun.is_set() else "its process died" if died else "no end in time")

    def stop(self) -> None:
        """End the process that this object started."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            tool = self._tool
            python = sys.executable if tool.environment is None else str(python_of(tool.environment))
            script = str(ROOT / "benchmarks" / "peers" / tool.script)
            self._process = subprocess.Popen(
                [python, script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=self._home.name,
                env=_environment(self._home.name, str(ROOT) if tool.environment is None else ""),
            )
            self._lines = queue.Queue()
            threading.Thread(target=_copy, args=(self._process.stdout, self._lines), daemon=True).start()
        return self._process


def _copy(stream: IO[str], lines: queue.Queue[str]) -> None:
    with contextlib.suppress(ValueError):  # closed while waiting
        for line in stream:
            lines.put(line)


def _environment(home: str, path: str) -> dict[str, str]:
    """Nothing of the user's settings, no proxy, no telemetry: loopback only."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    quiet = {"DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": home}
    return {**kept, **quiet, "HOME": home, "NO_PROXY": "*", "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
