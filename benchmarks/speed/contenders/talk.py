"""What every contender does: take orders on standard input, and measure itself.

Knows clocks and JSON lines; must not know what is measured. Runs in the environments of peers, so it needs the
standard library only, and its folder must not hold a module called like one of theirs.

A contender is started with one JSON object of options, makes its client ready, says so, and from then on answers each
order with one line. The clock runs around the work alone: clients are open, and rubbish is collected, before it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

Found = dict[str, Any]


def options() -> dict[str, Any]:
    """What this contender was started with."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def serve(work: Callable[[], Found], **about: Any) -> None:
    """Do the work at each order, until there are no more; `work` returns what it found, such as how many customers."""
    _say({"ready": True, **about})
    for _ in sys.stdin:
        with _told():
            began = _start()
            found = work()
            _say({**_since(*began), **found})


async def serve_later(work: Callable[[], Awaitable[Found]], **about: Any) -> None:
    """The same for work that is awaited; waiting for an order blocks the loop, on which nothing else runs."""
    _say({"ready": True, **about})
    for _ in sys.stdin:
        with _told():
            began = _start()
            found = await work()
            _say({**_since(*began), **found})


def refuse(why: str) -> None:
    """Say that this can't be measured here, and why."""
    _say({"refused": why})


def _start() -> tuple[float, float]:
    gc.collect()
    return time.perf_counter(), time.process_time()


def _since(wall: float, cpu: float) -> Found:
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Whatever goes wrong, the other end has to hear of it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - nobody else would tell it
        _say({"failed": f"{type(error).__name__}: {error}"})


def _say(what: Found) -> None:
    print(json.dumps(what), flush=True)
