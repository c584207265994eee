"""Where a walk's processor time goes: the stack, looked at every millisecond of it, sorted into stages.

Knows which file of the library (or of httpx) does what. A look that comes late, because a call into C took longer,
counts for all the time since the last; garbage collection is timed by its own hooks and taken out. Options: `base`,
`provider`, `asynchronous`, `walks`, how many to look at.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from talk import options, serve

import unified_customers as uc

OPTIONS = options()
HOME = str(Path(uc.__file__).parent)
HTTP, DECODE, MAP, PAGING, WALK, FREE, LOOP, GARBAGE = (
    "HTTP: httpx, httpcore, h11, sockets",
    "decoding and checking JSON",
    "mapping to `Customer`",
    "paging: requests, positions, order",
    "walk: client, conversation, each once",
    "freeing what the last page was made of",
    "the caller's loop",
    "garbage collection",
)
_MAPPERS = {"customer_of", "_address", "_metrics", "figure", "address", "moment", "text", "code_of", "_row"}
_DECODERS = {"decode", "parse", "_page", "_fast", "utf8", "_utf8", "_is_utf8", "_with_halves"}


class Looks:
    """What was seen: seconds by stage, and by function."""

    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()
        self._last = self._began = 0.0
        self._garbage, self._inside = 0.0, False

    def look(self, _signal: int, frame: FrameType | None) -> None:
        """Take one look; during a collection there is nothing to see, and the next look counts for this one."""
        if self._inside:
            return
        now = time.process_time()
        spent, self._last = max(0.0, now - self._last - self._garbage), now
        self._garbage = 0.0
        stage, name = _stage(frame)
        self.stages[stage] += spent
        self.functions[f"{name} ({stage.partition(':')[0]})"] += spent

    def collected(self, phase: str, _info: dict[str, int]) -> None:
        """Time a garbage collection."""
        now = time.process_time()
        self._inside = phase == "start"
        if self._inside:
            self._began = now
            return
        self._garbage += now - self._began
        self.stages[GARBAGE] += now - self._began

    def __enter__(self) -> Looks:
        signal.signal(signal.SIGPROF, self.look)
        gc.callbacks.append(self.collected)
        self._last = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(self.collected)


def _stage(frame: FrameType | None) -> tuple[str, str]:
    """The stage of the innermost frame that says one, and that frame's function."""
    while frame is not None:
        code = frame.f_code
        stage = _of(code.co_filename, code.co_name)
        if stage is not None:
            return stage, f"{Path(code.co_filename).stem}.{code.co_name}"
        frame = frame.f_back
    return LOOP, "?"


def _of(file: str, function: str) -> str | None:
    """The stage of a function; `None` for helpers, which count for whoever calls them."""
    if any(f"/{name}/" in file for name in ("httpx", "httpcore", "h11", "anyio", "asyncio")):
        return HTTP
    if file in {"<build>", "<make>"}:
        return MAP
    if file == __file__:
        return None if function == "collected" else LOOP
    if not file.startswith(HOME):
        return None
    return _room(file.removeprefix(HOME).lstrip("/"), function)


def _room(room: str, function: str) -> str:
    if function in _DECODERS or room == "_json.py":
        return DECODE
    if function in _MAPPERS or room in {"_values.py", "_records.py", "_slots.py", "models.py", "_countries.py"}:
        return MAP
    if room.endswith("records.py") or room == "_decode.py":
        return MAP
    if function in {"_turn", "_async_turn"}:  # they do nothing themselves, but all that a page needed ends with them
        return FREE
    if room.startswith(("paging/", "adapters/")) or room in {"_adapter.py", "_url.py", "_settings.py"}:
        return PAGING
    return WALK


def account() -> Any:
    """The settings of the account that is read."""
    if OPTIONS["provider"] == "flexprice":
        return uc.Flexprice(api_key="key-of-the-benchmark", base_url=OPTIONS["base"])
    return uc.FlexPortal(api_key="key-of-the-benchmark", tenant_id="tenant_7f3a91", base_url=OPTIONS["base"])


def walk(client: Any) -> int:
    """Some walks."""
    seen = 0
    for _ in range(OPTIONS["walks"]):
        for _ in client.customers():
            seen += 1
    return seen


async def walk_later() -> int:
    """The same, asynchronously."""
    seen = 0
    async with uc.AsyncClient(account()) as client:
        for _ in range(OPTIONS["walks"]):
            async for _ in client.customers():
                seen += 1
    return seen


def work(client: Any) -> dict[str, Any]:
    """Walk under observation."""
    with Looks() as looks:
        seen = asyncio.run(walk_later()) if OPTIONS.get("asynchronous") else walk(client)
    return {"customers": seen, "stages": dict(looks.stages), "functions": dict(looks.functions.most_common(25))}


def main() -> None:
    """Open a client, and serve."""
    client = uc.Client(account())
    serve(lambda: work(client), version=uc.__version__, file=uc.__file__)


main()
