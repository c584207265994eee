"""Exports to a folder of part files, which are resumed after the last whole part.

Knows folders and parts; must not know how customers are read.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from .._files import mode_of, put, remove, sync_folder
from ..errors import CheckpointError, ExportError
from .columnar import Sheet
from .files import beside, told, write_json
from .job import Job, Mark, Options, Portion
from .state import State

PART = 20_000
"""Customers in a part, at the least: what a kill costs is reading so many again."""

_STATE, _ABOUT = "_state.json", "_export.json"  # readers of Parquet folders pass names with _ over
_OURS = re.compile(r"part-\d{5}\.(parquet|arrow)|_state\.json(\.new)?|_export\.json(\.new)?")


@attrs.define
class PartsTarget:
    """A folder of Parquet or Arrow files.

    Attributes:
        path: Where the folder will stand.
    """

    path: Path
    job: Job
    options: Options
    _good: int = 0
    _mark: Mark | None = None
    _sheet: Sheet | None = None
    _torn: bool = False
    _begun: bool = False

    @property
    def _work(self) -> Path:
        return beside(self.path)

    @property
    def _old(self) -> Path:
        return self.path.with_name(f".{self.path.name}.replaced-by-export")

    @property
    def _state(self) -> State:
        return State(self._work / _STATE)

    def begin(self, *, resume: bool) -> Mark | None:
        """Start, or go on after the last whole part."""
        with told(self.path):
            self._check()
            found = self._state.load(self.job, self.options) if resume else None
            if found is None:
                remove(self._work)
                mode = mode_of(self.path)
                self._work.mkdir(mode=0o777 if mode is None else mode & 0o700)
                if mode is not None:
                    self._work.chmod(mode)
                self._begun = True
                return None
            mark, content = found
            self._good, self._mark = int(content.get("parts", 0)), mark
            self._cut()
            self._begun = True
            return mark

    def _check(self) -> None:
        if self._old.exists():  # killed between two renames
            if self.path.exists():
                remove(self._old)
            else:
                self._old.replace(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise ExportError(f"{self.path} is a file: name a folder, or leave the / out for a single file")
        strange = (
            [one.name for one in self.path.iterdir() if not _OURS.fullmatch(one.name)] if self.path.exists() else []
        )
        if strange:
            raise ExportError(f"{self.path} holds other files too, such as {strange[0]}: name a folder of its own")

    def _cut(self) -> None:
        """Remove what was begun after the last whole part."""
        whole = {self._part(number).name for number in range(self._good)}
        there = {one.name for one in self._work.glob("part-*")}
        if whole - there:
            raise CheckpointError(f"{self._work} lacks a part that it had: start again without resume=")
        for name in there - whole:
            remove(self._work / name)

    def _part(self, number: int) -> Path:
        return self._work / f"part-{number:05}.{self.options.format}"

    def write(self, portions: Sequence[Portion], mark: Mark) -> None:
        """Write some customers."""
        self._torn = True  # until rows and mark agree again, whatever strikes in between
        with told(self.path):
            if self._sheet is None:
                self._sheet = Sheet(self._part(self._good), self.job, self.options)
                self._sheet.open()
            self._sheet.add(portions)
            self._mark = mark
            if self._sheet.rows >= PART:
                self._close_part(mark)
        self._torn = False

    def _close_part(self, mark: Mark) -> None:
        if self._sheet is None:
            return
        self._sheet.close(complete=None)
        sync_folder(self._work)
        self._state.save(self.job, self.options, mark, parts=self._good + 1)
        self._good, self._sheet = self._good + 1, None

    def finish(self, mark: Mark) -> None:
        """Put the folder in its place."""
        self._torn = True
        with told(self.path):
            if self._sheet is None and not self._good:
                self._sheet = Sheet(self._part(0), self.job, self.options)
                self._sheet.open()
            self._close_part(mark)
            self._state.save(self.job, self.options, attrs.evolve(mark, done=True), parts=self._good)
            about = {**self.job.provenance(), "rows": mark.rows, "complete": self.job.whole}
            write_json(self._work / _ABOUT, about)
            if self.path.exists():
                self.path.replace(self._old)
            put(self._work, self.path)
            remove(self._old)
            remove(self.path / _STATE)

    def stop(self) -> bool:
        """Keep the parts, the one begun included, after an error or an interruption."""
        if self._sheet is not None and self._mark is not None and not self._torn:
            with contextlib.suppress(OSError):
                self._close_part(self._mark)
        if self._sheet is not None:
            self._sheet.leave()
        if not self._begun:  # refused: what lies there is another's
            return False
        with contextlib.suppress(OSError):
            if self._state.path.exists():
                return True
            remove(self._work)
        return False
