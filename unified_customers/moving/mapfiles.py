"""The map from source to target as a file: CSV, JSON lines or Parquet.

Knows formats; must not know journals. A file appears whole, under its name, or not at all.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .._cells import defused
from .._extras import need
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
    _replaced(path, lambda fresh: writer(fresh, counted))
    return counted.number


class _Counted(Iterator[tuple[str, ...]]):
    def __init__(self, rows: Iterator[tuple[str, ...]]) -> None:
        self._rows = rows
        self.number = 0

    def __next__(self) -> tuple[str, ...]:
        row = next(self._rows)
        self.number += 1
        return row


def _replaced(path: Path, write: Callable[[Path], None]) -> None:
    try:
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(number)
        fresh = Path(name)
        try:
            write(fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {os.strerror(error.errno or 0)}") from None


def _csv(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")  # with both in it, a cell that holds either is quoted
        writer.writerow(NAMES)
        writer.writerows([defused(cell) for cell in row] for row in rows)


def _jsonl(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=True) + "\n" for row in rows)


def _parquet(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    arrow, parquet = (need(name, "a map in Parquet", "arrow") for name in ("pyarrow", "pyarrow.parquet"))
    schema = arrow.schema([(name, arrow.string()) for name in NAMES])
    with parquet.ParquetWriter(str(path), schema) as out:
        for group in _groups(rows):
            columns = [list(column) for column in zip(*group, strict=True)]
            out.write_table(arrow.table(dict(zip(NAMES, columns, strict=True)), schema=schema))


def _groups(rows: Iterable[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    left = iter(rows)
    while group := list(itertools.islice(left, _GROUP)):
        yield group


_WRITERS = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
