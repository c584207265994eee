"""Files that are whole or not there: written beside their place and renamed.

Knows rows and bytes; must not know what they mean.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigurationError
from .extras import need

Row = dict[str, Any]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BATCH = 5000  # rows


def broken(path: Path, error: OSError) -> ConfigurationError:
    """What to say when the disk is full, or the like."""
    return ConfigurationError(f"{path} can't be written: {os.strerror(error.errno or 0)}")


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


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to; it takes its place at the end of the block, or leaves no trace.

    Raises:
        ConfigurationError: It can't be written.
    """
    real = writable(path)
    beside = real.with_name(f".{real.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if real.exists():
            beside.chmod(real.stat().st_mode & 0o777)
        beside.replace(real)
    except OSError as error:
        raise broken(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def writer_for(path: Path) -> Callable[[IO[bytes], Sequence[str], Iterable[Row]], None]:
    """How rows are written to a file of that name.

    Raises:
        ConfigurationError: Its suffix is unknown, or what it needs is not installed.
    """
    suffix = path.suffix.casefold()
    if suffix not in _WRITERS:
        raise ConfigurationError(f"{path.name}: matches are written to {', '.join(_WRITERS)}, by the name's suffix")
    if suffix == ".parquet":
        need("pyarrow.parquet", "pyarrow", "a .parquet file", "arrow")
    return _WRITERS[suffix]


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows to a file, in the form that its suffix names.

    Raises:
        ConfigurationError: See `writer_for` and `written`.
    """
    write = writer_for(path)
    with written(path) as file:
        write(file, columns, rows)


def defused(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before = + - @ TAB CR."""
    if isinstance(value, list):
        value = " ".join(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=True)
    try:
        table = csv.writer(text, lineterminator="\r\n")
        table.writerow(columns)
        table.writerows([defused(row[name]) for name in columns] for row in rows)
    finally:
        text.detach()


def _jsonl(file: IO[bytes], _columns: Sequence[str], rows: Iterable[Row]) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=True).encode() + b"\n")


def _parquet(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    arrow = need("pyarrow", "pyarrow", "a .parquet file", "arrow")
    parquet = need("pyarrow.parquet", "pyarrow", "a .parquet file", "arrow")
    types = {"cluster": arrow.int64(), "why": arrow.list_(arrow.string())}
    schema = arrow.schema([(name, types.get(name, arrow.string())) for name in columns])
    with parquet.ParquetWriter(file, schema, compression="zstd") as table:
        rest = iter(rows)
        while batch := list(itertools.islice(rest, _BATCH)):
            table.write_table(arrow.Table.from_pylist(batch, schema=schema))


_WRITERS = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
