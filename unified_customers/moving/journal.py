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

import json
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigurationError
from .fields import dumped, storable
from .plans import MovePlan
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
_COLUMNS = "source_id, external_id, action, target_id, ours, wanted, sends, differences, losses, reasons"
_STATE = "CASE WHEN action IN ('create', 'update') THEN 'planned' ELSE 'left' END"
# Whether this journal made the customer that the plan means: not one who took its place at the target since.
_MINE = "(created AND state != 'undone' AND coalesce(rows.target_id, moves.target_id) IS moves.target_id)"
_KNOWN = "SELECT 1 FROM moves WHERE moves.source_id = rows.source_id"
_ADD = f"""
INSERT OR IGNORE INTO moves ({_COLUMNS}, state)
SELECT {_COLUMNS}, {_STATE} FROM plan.rows AS rows WHERE NOT EXISTS ({_KNOWN}) ORDER BY seq
"""
_TAKE = ", ".join(f"{name} = rows.{name}" for name in _COLUMNS.split(", ") if name != "target_id")
_AGAIN = f"""
UPDATE moves SET {_TAKE}, problem = NULL,
       state = CASE WHEN rows.action = 'same' AND {_MINE} THEN 'done'
                    ELSE {_STATE.replace("action", "rows.action")} END,
       created = {_MINE}, fingerprint = CASE WHEN {_MINE} THEN fingerprint END,
       target_id = coalesce(rows.target_id, CASE WHEN state = 'undone' THEN NULL ELSE moves.target_id END)
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('planned', 'refused', 'left', 'undone')
"""
# Whether the plan found somebody else at the target than the journal's customer, and whether that one lives.
_OTHER = "(rows.target_id IS NOT NULL AND rows.target_id IS NOT moves.target_id)"
_ALIVE = "EXISTS (SELECT 1 FROM plan.target WHERE id = moves.target_id)"
_STUCK = "('conflict', 'ambiguous', 'impossible')"
_TWO = "the target has another customer under its external id, beside the one that the move made"
# The journal's customer is gone, and the plan means another one, whom no run of this journal made.
_ADOPTED = f"""
UPDATE moves SET target_id = rows.target_id, created = 0, fingerprint = NULL, state = 'left'
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'undoing')
      AND {_OTHER} AND NOT {_ALIVE}
"""
# Done, and the source has changed since; or the target's list lacks it: `sending` looks whether it is gone.
_CHANGED = f"""
UPDATE moves SET state = 'planned', problem = NULL, external_id = rows.external_id, action = rows.action,
       wanted = rows.wanted, sends = rows.sends,
       differences = rows.differences, losses = rows.losses, reasons = rows.reasons
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'undoing')
      AND rows.action IN ('create', 'update') AND NOT {_OTHER}
"""
# Done, or perhaps, and what the source would have now can't be sent: it stays as it is, and is told of.
_HELD = f"""
UPDATE moves SET action = CASE WHEN rows.action IN {_STUCK} THEN rows.action ELSE 'ambiguous' END,
       reasons = CASE WHEN rows.action IN {_STUCK} THEN rows.reasons ELSE '{dumped([_TWO])}' END
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'unknown', 'sending')
      AND (rows.action IN {_STUCK} OR state = 'done' AND {_OTHER})
"""
# An undoing ended before it came to this one, and the move is made again.
_STAYED = """
UPDATE moves SET state = 'done' FROM plan.rows AS rows
WHERE rows.source_id = moves.source_id AND state = 'undoing' AND rows.action = 'same'
"""
# Done, and the source has changed since as the target has: that is what it should be like now.
_SAME = f"""
UPDATE moves SET wanted = rows.wanted, reasons = NULL,
       action = CASE WHEN moves.action IN {_STUCK} THEN 'same' ELSE moves.action END
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state = 'done' AND rows.action = 'same'
"""
_PRESENT = "UPDATE moves SET present = EXISTS (SELECT 1 FROM plan.rows AS rows WHERE rows.source_id = moves.source_id)"
# Never sent, and the source has it no longer.
_WITHDRAWN = """
UPDATE moves SET state = 'left', problem = 'gone at the source' WHERE NOT present AND state IN ('planned', 'refused')
"""
_LEFT = (_PRESENT, _WITHDRAWN)
_PLAN_INDEX = "CREATE INDEX IF NOT EXISTS plan.rows_source_id ON rows (source_id)"
_WANTED = (
    "SELECT 1 FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND rows.action IN ('create', 'update')"
)
_FREED = f"UPDATE moves SET state = 'planned' WHERE seq = ? AND {UNKNOWN} AND EXISTS ({_WANTED})"
_TAKEN = (_ADOPTED, _ADD, _AGAIN, _STAYED, _SAME)
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
        if self._about("format") is None:
            raise ConfigurationError(f"{self.path} holds no move yet")
        if self._about("format") != FORMAT:
            raise ConfigurationError(f"{self.path} was written by another version of this library")
        return Identity(**self._about("identity"))

    def _about(self, name: str) -> Any:
        if not self._store.one("SELECT 1 FROM sqlite_master WHERE name = 'about'"):
            return None
        text = self._store.one("SELECT value FROM about WHERE name = ?", (name,))
        return None if text is None else json.loads(text)

    @property
    def account(self) -> tuple[str, str]:
        """The source's provider and account, as moved customers tell it."""
        provider, account = self._about("account")
        return provider, account

    @property
    def name(self) -> str:
        """What the customers that it makes bear, so that they are told from those of another journal."""
        name: str = self._about("name")
        return name

    @property
    def home(self) -> str:
        """The target's account, as customers there tell it; empty until one does."""
        home: str = self._about("home") or ""
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

    def fits(self, plan: MovePlan) -> None:
        """Make sure that a plan is of this move.

        Raises:
            ConfigurationError: The journal belongs to another move, or the plan is older than its last run.
        """
        self._fits(plan)

    def take(self, plan: MovePlan, free: Iterable[int] = ()) -> None:
        """Take a plan in: what is new is added, what is open or has changed is renewed, what is done stays done.

        Args:
            plan: The plan.
            free: Moves whose outcome was unknown and that may be sent again: they are, if the plan still wants them.

        Raises:
            ConfigurationError: As for `fits`.
        """
        last = self._fits(plan)
        # A newer plan that would do the same is another: what was done may have been taken away since.
        again = last is not None and last["digest"] == plan.digest and plan.made_at <= last["started_at"]
        self._attach(plan)
        try:
            with self._store.transaction() as run:
                run.execute(_PLAN_INDEX)
                run.executemany(_FREED, ((seq,) for seq in free))
                for statement in (*_TAKEN, *(() if again else (_CHANGED,)), _HELD, *_LEFT):
                    run.execute(statement)
                for name, value in self._words(plan).items():
                    run.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, dumped(value)))
        finally:
            self._store.run("DETACH plan")

    def _words(self, plan: MovePlan) -> dict[str, Any]:
        summary = plan.summary
        named = self._about("identity") or {"source": ""}
        who = {"identity": attrs.asdict(plan.identity)}
        told = {"account": list(plan.account)} if plan.told or self._about("account") is None else {}
        return {
            "format": FORMAT,
            "home": self.home or plan.home,
            "name": self._about("name") or secrets.token_hex(8),
            **({} if named["source"] else who),
            **told,  # a source without customers that can be read doesn't tell
            "last": {"digest": plan.digest, "started_at": time.time()},
            "losses": [attrs.asdict(loss) for loss in summary.losses],
        }

    def _fits(self, plan: MovePlan) -> Any:
        if self._about("format") is None:
            return None
        differs = plan.identity.differs(self.identity)
        if differs:
            raise ConfigurationError(
                f"{self.path} is the journal of {differs}: give the journal of this move, or a new file"
            )
        last = self._about("last")
        if last["digest"] != plan.digest and plan.made_at < last["started_at"]:
            raise ConfigurationError(f"{self.path} was used since this plan was made: plan again")
        if plan.home and self.home and plan.home != self.home:
            raise ConfigurationError(f"{self.path}: {ELSEWHERE}")
        return last

    def _attach(self, plan: MovePlan) -> None:
        if not plan.path.exists():  # SQLite would make an empty one
            raise ConfigurationError(f"{plan.path}: this plan is closed already")
        self._store.run("ATTACH ? AS plan", (str(plan.path),))

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
        return list(self._about("losses") or ())

    # What happens

    def sending(self, seq: int, last: float) -> None:
        """Before a request, of which the last repeat can leave so many seconds later."""
        self._commit("UPDATE moves SET state = 'sending', sent_at = ? WHERE seq = ?", time.time() + last, seq)

    def unknown(self, seq: int, problem: str | None) -> None:
        """Nobody knows what came of the last request, which has left by now."""
        self._commit(
            "UPDATE moves SET state = 'unknown', problem = ?, sent_at = ? WHERE seq = ?", problem, time.time(), seq
        )

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

    def ended(self, seq: int, state: str, problem: str | None = None) -> None:
        """It is `planned` again, `refused`, `unknown`, `undoing` or `undone`."""
        self._commit("UPDATE moves SET state = ?, problem = ? WHERE seq = ?", state, problem, seq)

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
