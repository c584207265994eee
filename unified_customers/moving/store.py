"""SQLite for plans and journals: opened with the right care, its errors told as ours.

Knows SQLite; must not know customers. A plan is a temporary file that nobody needs after a crash; a journal is
written through to the disk at every commit, and belongs to one process at a time.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from weakref import finalize

from ..errors import ConfigurationError

_BATCH = 500
_PREFIX = "unified-customers-plan-"
_AGE = {True: 60.0, False: 86_400.0}  # seconds before a plan counts as left behind: by its lock, or by its process
_SETTINGS = {
    # the system lets go of an exclusive lock when the process dies, however it dies
    "own": ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "temp_store=FILE"),
    "read": ("query_only=ON",),
    "scratch": ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE"),
}


class Store:
    """One connection, for threads to share.

    Args:
        path: The file.
        schema: Statements that make its tables.
        use: ``"own"``: nobody else may use the file, and every commit survives a crash of the machine; ``"read"``: it
            is there already, and only read; ``"scratch"``: nobody needs it after a crash.
    """

    def __init__(self, path: Path, schema: str, use: str) -> None:
        self.path = path
        self.lock = threading.RLock()
        with told(path):
            self.connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
            self.connection.row_factory = sqlite3.Row
            try:
                self._prepare(schema, use)
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self, schema: str, use: str) -> None:
        run = self.connection.execute
        names = {row[0] for row in run("SELECT name FROM sqlite_master")}
        if names and "about" not in names:
            raise ConfigurationError(f"{self.path}: this is no journal of ours, but another database")
        for setting in _SETTINGS[use]:
            run(f"PRAGMA {setting}")
        if use != "read":
            self.connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block, or nothing of it."""
        with self.lock, told(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a plan's file keeps no way back
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """One statement and all that it brings: for small answers."""
        with self.lock, told(self.path):
            return self.connection.execute(statement, values).fetchall()

    def one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The first value of the first row, or `None`."""
        rows = self.run(statement, values)
        return rows[0][0] if rows else None

    def each(self, columns: str, table: str, where: str = "1", values: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        """The rows of a table in order of `seq`, some hundred at a time, so that the table may change meanwhile."""
        last = 0
        while True:
            rows = self.run(
                f"SELECT seq, {columns} FROM {table} WHERE ({where}) AND seq > ? ORDER BY seq LIMIT {_BATCH}",
                (*values, last),
            )
            if not rows:
                return
            yield from rows
            last = rows[-1]["seq"]

    def close(self) -> None:
        """Let go of the file."""
        with self.lock, contextlib.suppress(sqlite3.Error):
            self.connection.close()


class Temporary(Store):
    """A store that is gone when nobody needs it any more."""

    def __init__(self, schema: str) -> None:
        clear_left_behind()
        number, name = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-", suffix=".lock")
        _lock(number)  # until this process ends, however it ends
        path = Path(name).with_suffix(".sqlite")
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # its owner's alone
        super().__init__(path, schema, "scratch")
        self._gone = finalize(self, _remove, self.connection, number, path)

    def close(self) -> None:
        """Let go of the file, and remove it."""
        self._gone()


def clear_left_behind() -> None:
    """Remove the plans of processes that were killed: they hold customers' data."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.lock"):
        with contextlib.suppress(OSError, ValueError):
            if time.time() - path.stat().st_mtime > _AGE[_locks()] and _is_left(path):
                path.with_suffix(".sqlite").unlink(missing_ok=True)
                path.unlink()


def _is_left(path: Path) -> bool:
    """Whether nobody holds it any more: by its lock, else by the process in its name."""
    if not _locks():
        return not _runs(int(path.name.removeprefix(_PREFIX).partition("-")[0]))
    number = os.open(path, os.O_RDWR)
    try:
        return _lock(number)
    finally:
        os.close(number)


def _locks() -> bool:
    """Whether files can be locked so that the system lets go when a process dies."""
    return importlib.util.find_spec("fcntl") is not None


def _lock(number: int) -> bool:
    if not _locks():
        return False
    import fcntl  # noqa: PLC0415 - not everywhere

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _runs(process: int) -> bool:
    """Whether there is such a process; where that can't be asked without harm, open files can't be removed anyhow."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(connection: sqlite3.Connection, lock: int, path: Path) -> None:
    with contextlib.suppress(sqlite3.Error):
        connection.close()
    path.unlink(missing_ok=True)
    path.with_suffix(".lock").unlink(missing_ok=True)
    os.close(lock)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, without what was written.

    Raises:
        ConfigurationError: The file can't be read or written, or another process holds it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"{path}: {_why(error)}") from None


def _why(error: sqlite3.Error) -> str:
    if isinstance(error, sqlite3.ProgrammingError):
        return "this plan or journal is closed already"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another process uses this journal; wait until it has ended"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return "this is no journal of ours, or it is damaged"
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full; make room and run it again"
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return "the file can't be opened for writing"
    return f"SQLite can't go on ({type(error).__name__} {getattr(error, 'sqlite_errorname', '')})".replace(" )", ")")
