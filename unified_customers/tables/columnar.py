"""Exports to one Parquet or Arrow file: from start to end by one process, as neither can be added to.

Knows pyarrow's writers; must not know how customers are read.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import attrs

from .._extras import need
from .._files import create, put, remove, sync
from ..errors import UnsupportedError
from .batches import FILE, batch
from .files import beside, check_place, told
from .job import Job, Mark, Options, Portion
from .schema import arrow, schema

PROVENANCE = "unified_customers.export"


@attrs.define
class Sheet:
    """One file of record batches while it is written.

    Attributes:
        rows: How many customers are in it, those that still wait for their batch included.
        replaces: The file whose place it will take, if it does.
    """

    path: Path
    job: Job
    options: Options
    rows: int = 0
    replaces: Path | None = None
    _file: IO[bytes] | None = None
    _writer: Any = None
    _waiting: list[Portion] = attrs.field(factory=list)
    _held: int = 0

    def open(self) -> None:
        """Start the file."""
        arrow()
        self._file = create(self.path, self.replaces or self.path)
        made = schema(raw=self.options.raw)
        if self.options.format == "parquet":
            parquet = need("pyarrow.parquet", "Parquet", "arrow")
            self._writer = parquet.ParquetWriter(self._file, made, compression="zstd")
        else:
            ipc = need("pyarrow.ipc", "Arrow", "arrow")
            begun = {PROVENANCE: json.dumps(self.job.provenance())}
            named = made.with_metadata({**made.metadata, **begun})
            self._writer = ipc.new_file(
                self._file, named, options=ipc.IpcWriteOptions(compression="zstd", use_threads=False)
            )

    def add(self, portions: Sequence[Portion]) -> None:
        """Add some customers."""
        count = sum(len(one.customers) for one in portions)
        self._waiting.extend(portions)
        self._held += count
        self.rows += count
        if self._held >= FILE:
            self._pour()

    def _pour(self) -> None:
        if self._held:
            self._writer.write_batch(
                batch([(one.account, one.customers) for one in self._waiting], raw=self.options.raw)
            )
            self._waiting, self._held = [], 0

    def close(self, *, complete: bool | None) -> None:
        """Write what is left, and where it comes from, and have it on the disk."""
        self._pour()
        content = {**self.job.provenance(), "ended": datetime.now(UTC).isoformat(), "complete": complete}
        if self.options.format == "parquet":
            self._writer.add_key_value_metadata({PROVENANCE: json.dumps(content)})
        else:
            empty = batch([], raw=self.options.raw)
            self._writer.write_batch(empty, custom_metadata={PROVENANCE: json.dumps(content)})
        self._writer.close()
        if self._file is not None:
            sync(self._file)
            self._file.close()

    def leave(self) -> None:
        """Let go of the file, as it is."""
        if hasattr(self._writer, "is_open"):
            self._writer.is_open = False  # else its end would write to a closed file
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.close()


@attrs.define
class SheetTarget:
    """A single Parquet or Arrow file."""

    path: Path
    job: Job
    options: Options
    _sheet: Sheet | None = None

    def begin(self, *, resume: bool) -> Mark | None:
        """Start.

        Raises:
            UnsupportedError: It was to be resumed.
        """
        if resume:
            raise UnsupportedError(
                f"a single .{self.options.format} file can't be resumed, as nothing can be added to it: leave resume= "
                f"out, or export to a folder of part files ({self.path.name}/)"
            )
        check_place(self.path)
        with told(self.path):
            self._sheet = Sheet(beside(self.path), self.job, self.options, replaces=self.path)
            self._sheet.open()
        return None

    def write(self, portions: Sequence[Portion], mark: Mark) -> None:
        """Write some customers."""
        assert self._sheet is not None  # noqa: S101 - begun
        with told(self.path):
            self._sheet.add(portions)

    def finish(self, mark: Mark) -> None:
        """Put the file in its place."""
        assert self._sheet is not None  # noqa: S101 - begun
        with told(self.path):
            self._sheet.close(complete=self.job.whole)
            put(self._sheet.path, self.path)

    def stop(self) -> bool:
        """Leave nothing behind."""
        if self._sheet is not None:
            self._sheet.leave()
            with contextlib.suppress(OSError):
                remove(self._sheet.path)
        return False
