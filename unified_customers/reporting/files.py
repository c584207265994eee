"""Rows as files, in the form that a name's suffix says: whole or not there.

Knows rows and bytes; must not know what they mean.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

from .. import _files as files
from .._cells import defused
from .._extras import need
from ..errors import ConfigurationError

Row = dict[str, Any]
_BATCH = 5000  # rows


def writable(path: Path) -> Path:
    """The place that is meant, links followed.

    Raises:
        ConfigurationError: It can't be a file of ours.
    """
    real = path.resolve()
    if real.exists() and not real.is_file():
        raise ConfigurationError(f"{path} is not a file: give the name of one")
    if not real.parent.is_dir():
        raise ConfigurationError(f"{path} can't be written: there is no folder {real.parent}")
    return real


def written(path: Path) -> AbstractContextManager[IO[bytes]]:
    """A file to write to; it takes its place at the end of the block, or leaves no trace.

    Raises:
        ConfigurationError: It can't be written.
    """
    return files.written(writable(path), ConfigurationError)


def writer_for(path: Path) -> Callable[[IO[bytes], Sequence[str], Iterable[Row]], None]:
    """How rows are written to a file of that name.

    Raises:
        ConfigurationError: Its suffix is unknown, or what it needs is not installed.
    """
    suffix = path.suffix.casefold()
    if suffix not in _WRITERS:
        raise ConfigurationError(f"{path.name}: matches are written to {', '.join(_WRITERS)}, by the name's suffix")
    if suffix == ".parquet":
        need("pyarrow.parquet", "a .parquet file", "arrow")
    return _WRITERS[suffix]


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows to a file, in the form that its suffix names.

    Raises:
        ConfigurationError: See `writer_for` and `written`.
    """
    write = writer_for(path)
    with written(path) as file:
        write(file, columns, rows)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = " ".join(value)
    return "" if value is None else defused(str(value))


def _csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=True)
    try:
        table = csv.writer(text, lineterminator="\r\n")
        table.writerow(columns)
        table.writerows([_cell(row[name]) for name in columns] for row in rows)
    finally:
        text.detach()


def _jsonl(file: IO[bytes], _columns: Sequence[str], rows: Iterable[Row]) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=True).encode() + b"\n")


def _parquet(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    arrow = need("pyarrow", "a .parquet file", "arrow")
    parquet = need("pyarrow.parquet", "a .parquet file", "arrow")
    types = {"cluster": arrow.int64(), "why": arrow.list_(arrow.string())}
    schema = arrow.schema([(name, types.get(name, arrow.string())) for name in columns])
    with parquet.ParquetWriter(file, schema, compression="zstd") as table:
        rest = iter(rows)
        while batch := list(itertools.islice(rest, _BATCH)):
            table.write_table(arrow.Table.from_pylist(batch, schema=schema))


_WRITERS = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
