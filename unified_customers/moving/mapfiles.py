"""The map from source to target as a file: CSV, JSON lines or Parquet.

Knows formats; must not know journals. A file appears whole, under its name, or not at all.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TextIO

from .._cells import defused
from .._extras import need
from .._files import written
from ..errors import ConfigurationError

Rows = Iterable[tuple[str, str, str]]
NAMES = ("source", "source_id", "external_id", "target", "target_id")
_GROUP = 50_000  # rows of Parquet that are in memory at once


def write_map(path: Path, rows: Rows, source: str, target: str) -> int:
    """Write the map by the file's suffix.

    Returns:
        How many rows.

    Raises:
        ConfigurationError: The suffix is another, an extra is missing, or the file can't be written.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigurationError(f"{path} has no suffix that a map is written in: .csv, .jsonl or .parquet")
    counted = _Counted((source, one, external, target, other) for one, external, other in rows)
    with written(path.resolve(), ConfigurationError) as file:
        writer(file, counted)
    return counted.number


class _Counted(Iterator[tuple[str, ...]]):
    def __init__(self, rows: Iterator[tuple[str, ...]]) -> None:
        self._rows = rows
        self.number = 0

    def __next__(self) -> tuple[str, ...]:
        row = next(self._rows)
        self.number += 1
        return row


def _csv(file: IO[bytes], rows: Iterable[tuple[str, ...]]) -> None:
    with _text(file) as out:
        writer = csv.writer(out, lineterminator="\r\n")  # with both in it, a cell that holds either is quoted
        writer.writerow(NAMES)
        writer.writerows([defused(cell) for cell in row] for row in rows)


def _jsonl(file: IO[bytes], rows: Iterable[tuple[str, ...]]) -> None:
    with _text(file) as out:
        out.writelines(json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=True) + "\n" for row in rows)


@contextlib.contextmanager
def _text(file: IO[bytes]) -> Iterator[TextIO]:
    out = io.TextIOWrapper(file, encoding="utf-8", newline="")
    yield out
    out.detach()  # flushed; the file is closed by whoever opened it


def _parquet(file: IO[bytes], rows: Iterable[tuple[str, ...]]) -> None:
    arrow, parquet = (need(name, "a map in Parquet", "arrow") for name in ("pyarrow", "pyarrow.parquet"))
    schema = arrow.schema([(name, arrow.string()) for name in NAMES])
    with parquet.ParquetWriter(file, schema) as out:
        for group in _groups(rows):
            columns = [list(column) for column in zip(*group, strict=True)]
            out.write_table(arrow.table(dict(zip(NAMES, columns, strict=True)), schema=schema))


def _groups(rows: Iterable[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    left = iter(rows)
    while group := list(itertools.islice(left, _GROUP)):
        yield group


_WRITERS = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
