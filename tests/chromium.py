"""A headless Chromium for tests, spoken to over a pipe: no port, no driver, no network."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_START = """
import fcntl, os, sys
asked, answered = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3])
os.dup2(asked, 3), os.dup2(answered, 4)  # where Chromium looks for them
os.execv(sys.argv[3], sys.argv[3:])
"""
_SECONDS = 60


class Chromium:
    """One browser with one page; `heard` has every event."""

    def __init__(self, profile) -> None:
        theirs, self._out = os.pipe()
        self._in, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs), str(answers), CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(theirs, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(answers)
        self._rest, self._number, self._session = b"", 0, None
        self.heard: list[dict[str, Any]] = []

    def __enter__(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for name in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{name}.enable")
        return self

    def __exit__(self, *_):
        os.close(self._out)
        os.close(self._in)
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self._number += 1
        wanted = self._number
        message = {"id": wanted, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            found = self._hear()
            if found.get("id") == wanted:
                assert "error" not in found, found
                return found["result"]
            self.heard.append(found)

    def _hear(self) -> dict[str, Any]:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], max(0, end - time.monotonic()))[0], "Chromium says nothing"
            part = os.read(self._in, 1 << 20)
            assert part, "Chromium has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, url: str, *, width: int, scheme: str) -> None:
        """Load a page at a width, in light or dark, and wait until it is there."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.heard.clear()
        self.ask("Page.navigate", url=url)
        while not any(one.get("method") == "Page.loadEventFired" for one in self.heard):
            self.heard.append(self._hear())

    def value(self, script: str) -> Any:
        """What a script says."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def requests(self) -> list[str]:
        """What was asked for since the page was opened."""
        return [one["params"]["request"]["url"] for one in self.heard if one["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[Any]:
        """What the console has."""
        bad = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
        return [one["params"] for one in self.heard if one.get("method") in bad]
