"""Exports to CSV and JSON lines: resumed by cutting the file back to the last byte that is known to be good.

Knows bytes and marks; must not know what a line holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import attrs

from .._files import create, put, remove, sync
from ..errors import CheckpointError
from .files import beside, check_place, told
from .flat import Csv, line
from .job import Job, Mark, Options, Portion
from .state import State

Text = Callable[[Portion], str]


def csv_text(options: Options) -> tuple[str, Text]:
    """The head of a CSV file, and its lines."""
    csv = Csv(raw=options.raw, defuse=options.defuse)
    return csv.begin(), lambda portion: csv.page(portion.customers, portion.account)


def json_text(_: Options) -> tuple[str, Text]:
    """JSON lines have no head."""
    return "", lambda portion: "".join(line(one, portion.account) for one in portion.customers)


@attrs.define
class LinesTarget:
    """A file of lines.

    Attributes:
        path: Where it will stand.
    """

    path: Path
    job: Job
    options: Options
    _head: str
    _text: Text
    _bytes: int = 0
    _file: IO[bytes] | None = None

    @property
    def _work(self) -> Path:
        return beside(self.path)

    @property
    def _state(self) -> State:
        return State(self._work.with_name(self._work.name + ".json"))

    def begin(self, *, resume: bool) -> Mark | None:
        """Start, or go on after what is good."""
        check_place(self.path)
        with told(self.path):
            found = self._state.load(self.job, self.options) if resume else None
            if found is None:
                self._start()
                return None
            mark, content = found
            if mark.done and not self._work.exists():  # killed after it was put in its place
                return mark
            self._go_on(int(content.get("bytes", -1)))
        return mark

    def _start(self) -> None:
        remove(self._state.path)
        self._file = create(self._work, self.path)
        self._file.write(self._head.encode())
        self._bytes = len(self._head.encode())

    def _go_on(self, size: int) -> None:
        if not self._work.exists() or not 0 <= size <= self._work.stat().st_size:
            raise CheckpointError(f"{self._work} is shorter than it was: start again without resume=")
        self._file = self._work.open("r+b")
        self._file.truncate(size)
        self._file.seek(size)
        self._bytes = size

    def write(self, portions: Sequence[Portion], mark: Mark) -> None:
        """Write some customers; `mark` is what the walk says after them."""
        assert self._file is not None  # noqa: S101 - begun
        data = "".join(map(self._text, portions)).encode("utf-8", "replace")
        with told(self.path):
            self._file.write(data)
            self._save(self._bytes + len(data), mark)

    def _save(self, size: int, mark: Mark) -> None:
        if self._file is not None:
            sync(self._file)
        self._state.save(self.job, self.options, mark, bytes=size)
        self._bytes = size

    def finish(self, mark: Mark) -> None:
        """Put the file in its place."""
        with told(self.path):
            self._save(self._bytes, attrs.evolve(mark, done=True))
            if self._file is not None:
                self._file.close()
                put(self._work, self.path)
            remove(self._state.path)

    def stop(self) -> bool:
        """Keep what the state stands for, after an error or an interruption; without one, nothing."""
        if self._file is None:
            return False
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            if self._state.path.exists():
                return True
            remove(self._work)
        return False
