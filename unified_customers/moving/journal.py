"""The journal of a move: what was planned, what was about to be sent, and what came of it.

Knows its file; must not know requests. A move is `sending` from the commit before its request to the commit after its
answer, so that whoever is killed between them leaves it to be looked up. One process at a time holds the file.

    planned ──► sending ──► done ──► undoing ──► undone
                   ├──► refused       by the target, or found to be another's; a later plan tries again
                   ├──► unknown       nobody can say yet whether it happened
                   └──► planned       it surely did not happen
    left                              nothing to do, or nothing that may be done: `action` says why
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigurationError
from .fields import dumped, storable
from .settings import Identity, path_of
from .store import Store

FORMAT = 1
UNKNOWN = "state IN ('sending', 'unknown')"
ELSEWHERE = "its customers are in another account or environment of the target than this client's key opens"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS moves (
    seq INTEGER PRIMARY KEY, source_id TEXT UNIQUE, external_id TEXT, action TEXT, state TEXT, target_id TEXT,
    ours INTEGER, created INTEGER DEFAULT 0, present INTEGER DEFAULT 1, wanted TEXT, sends TEXT, differences TEXT,
    losses TEXT, reasons TEXT, problem TEXT, fingerprint TEXT, sent_at REAL, done_at REAL);
CREATE INDEX IF NOT EXISTS moves_state ON moves (state);
"""
COLUMNS = "source_id, external_id, action, target_id, ours, wanted, sends, differences, losses, reasons"
_SENDING = """
UPDATE moves SET state = 'sending', sent_at = ?, target_id = CASE WHEN action != 'create' THEN target_id END,
       created = created AND action != 'create' WHERE seq = ?
"""
MOVE = (
    "source_id, external_id, action, state, target_id, created, present, wanted, sends, differences, fingerprint, "
    "sent_at"
)


@attrs.frozen(kw_only=True)
class Move:
    """One customer's line in the journal; see the columns above. `sent_at` is when its last request can have left."""

    seq: int
    source_id: str
    external_id: str
    action: str
    state: str
    target_id: str | None
    created: bool
    present: bool
    wanted: dict[str, str] = attrs.field(repr=False)
    sends: dict[str, str] = attrs.field(repr=False)
    differences: dict[str, list[Any]] = attrs.field(repr=False)
    fingerprint: str | None
    sent_at: float | None


class Journal:
    """A journal that is open."""

    def __init__(self, path: Path, use: str = "own") -> None:
        self.path = path
        if use == "own":
            _made(path)
        self._store = Store(path, _SCHEMA, use)
        self._queue = threading.Lock()
        self._waiting: list[_Entry] = []

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    # Which move this is

    @property
    def identity(self) -> Identity:
        """The move that it belongs to.

        Raises:
            ConfigurationError: None: the file is new, or of another version.
        """
        if self.about("format") is None:
            raise ConfigurationError(f"{self.path} holds no move yet")
        if self.about("format") != FORMAT:
            raise ConfigurationError(f"{self.path} was written by another version of this library")
        return Identity(**self.about("identity"))

    def about(self, name: str) -> Any:
        """What stands in the journal under a name; `None` if nothing does."""
        if not self._store.one("SELECT 1 FROM sqlite_master WHERE name = 'about'"):
            return None
        text = self._store.one("SELECT value FROM about WHERE name = ?", (name,))
        return None if text is None else json.loads(text)

    @property
    def account(self) -> tuple[str, str]:
        """The source's provider and account, as moved customers tell it."""
        provider, account = self.about("account")
        return provider, account

    @property
    def name(self) -> str:
        """What the customers that it makes bear, so that they are told from those of another journal."""
        name: str = self.about("name")
        return name

    @property
    def home(self) -> str:
        """The target's account, as customers there tell it; empty until one does."""
        home: str = self.about("home") or ""
        return home

    def refuse_elsewhere(self, home: str) -> None:
        """Make sure that a customer's account is that of the others; the first one tells which it is.

        Raises:
            ConfigurationError: It is another.
        """
        if self.home and home != self.home:
            raise ConfigurationError(f"{self.path}: {ELSEWHERE}")
        if not self.home:
            self._commit("INSERT OR REPLACE INTO about VALUES ('home', ?)", dumped(home))

    @contextlib.contextmanager
    def beside(self, plan: Path) -> Iterator[sqlite3.Connection]:
        """A transaction in which a plan's file is there too, as `plan`."""
        if not plan.exists():  # SQLite would make an empty one
            raise ConfigurationError(f"{plan}: this plan is closed already")
        self._store.run("ATTACH ? AS plan", (str(plan),))
        try:
            with self._store.transaction() as run:
                yield run
        finally:
            self._store.run("DETACH plan")

    # What is to be done

    def open(self, *states: str) -> Iterator[Move]:
        """The moves in these states."""
        marks = ", ".join("?" * len(states))
        return (_move(row) for row in self._store.each(MOVE, "moves", f"state IN ({marks})", states))

    def each(self, columns: str, where: str = "1", values: Sequence[Any] = ()) -> Iterator[Any]:
        """Rows of the journal, in its order."""
        return self._store.each(columns, "moves", where, values)

    def moves(self, where: str) -> Iterator[Move]:
        """The moves of which that is so."""
        return (_move(row) for row in self._store.each(MOVE, "moves", where))

    def count(self, where: str) -> int:
        """How many moves of which that is so."""
        found: int = self._store.one(f"SELECT count(*) FROM moves WHERE {where}")
        return found

    def counts(self, column: str, where: str = "1") -> dict[str, int]:
        """How many moves by a column."""
        found = self._store.run(f"SELECT {column}, count(*) FROM moves WHERE {where} GROUP BY {column}")
        return {row[0]: row[1] for row in found if row[0] is not None}

    def losses(self) -> list[dict[str, Any]]:
        """What the last plan said that each field loses."""
        return list(self.about("losses") or ())

    # What happens

    def sending(self, seq: int, last: float) -> None:
        """Before a request, of which the last repeat can leave so many seconds later.

        A customer who is created is another than whoever an earlier run made, who is gone.
        """
        self._commit(_SENDING, time.time() + last, seq)

    def used(self) -> None:
        """No plan that was made before this moment counts any more."""
        self._commit(
            "UPDATE about SET value = json_set(value, '$.started_at', ?, '$.digest', '') WHERE name = 'last'",
            time.time(),
        )

    def touched(self, seq: int) -> None:
        """Somebody else changed it since an earlier run: no later state is taken for the move's own."""
        self._commit("UPDATE moves SET fingerprint = NULL WHERE seq = ?", seq)

    def done(self, seq: int, target_id: str, fingerprint: str | None, *, created: bool) -> None:
        """The target has it; without a fingerprint, undo leaves it alone."""
        self._commit(
            "UPDATE moves SET state = 'done', target_id = ?, fingerprint = ?, created = ?, problem = NULL, done_at = ? "
            "WHERE seq = ?",
            *(storable(target_id), fingerprint, int(created), time.time(), seq),
        )

    def ended(self, seq: int, state: str, problem: str | None = None, *, sent_at: float | None = None) -> None:
        """It is `planned` again, `refused`, `unknown`, `undoing` or `undone`; `sent_at` is when it surely had left."""
        self._commit(
            "UPDATE moves SET state = ?, problem = ?, sent_at = coalesce(?, sent_at) WHERE seq = ?",
            *(state, problem, sent_at, seq),
        )

    def _commit(self, statement: str, *values: Any) -> None:
        """Write this to the disk, together with whatever other threads wait to have written."""
        entry = _Entry(statement, values)
        with self._queue:
            self._waiting.append(entry)
        with self._store.lock:
            if not entry.tried:
                with self._queue:
                    entries, self._waiting = self._waiting, []
                self._write(entries)
        if entry.error is not None:
            raise entry.error

    def _write(self, entries: list[_Entry]) -> None:
        error = None
        try:
            with self._store.transaction() as run:
                for one in entries:
                    run.execute(one.statement, one.values)
        except BaseException as failed:  # noqa: BLE001 - nothing was written, so each that waits has to hear of it
            error = failed
        for one in entries:
            one.tried, one.error = True, error


@attrs.define(eq=False)
class _Entry:
    statement: str
    values: tuple[Any, ...]
    tried: bool = False
    error: BaseException | None = None


def _made(path: Path) -> None:
    """Make the file, for its owner alone: it will hold customers' data."""
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder: journal= names a file")
    try:
        path.touch(mode=0o600, exist_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no name of a file"
        raise ConfigurationError(f"{path} can't be made: {why}") from None


def opened(path: str | Path, use: str = "read") -> Journal:
    """A journal that is there already; only to be read, or ``"own"`` to write in it.

    Raises:
        ConfigurationError: It is not, or it holds no move, or another process uses it.
    """
    path = path_of(path)
    if not path.is_file():
        raise ConfigurationError(f"there is no journal {path}: a run makes it")
    journal = Journal(path, use)
    try:
        _ = journal.identity
    except BaseException:
        journal.__exit__()
        raise
    return journal


def _move(row: Any) -> Move:
    return Move(
        **{name: row[name] for name in ("seq", "source_id", "external_id", "action", "state", "target_id")},
        created=bool(row["created"]),
        present=bool(row["present"]),
        **{name: json.loads(row[name] or "{}") for name in ("wanted", "sends", "differences")},
        fingerprint=row["fingerprint"],
        sent_at=row["sent_at"],
    )
