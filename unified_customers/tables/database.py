"""Exports into a table of a DuckDB file: what is new, changed and gone since the export before.

Knows duckdb and SQL; must not know how customers are read. Rows wait in a table of their own, in one transaction with
the checkpoint they stand for, and become the table `customers` in one last transaction: until then it is as it was.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from .._extras import need
from .._files import full, put, remove
from ..errors import CheckpointError, ExportError
from .batches import FILE, batch
from .columns import VERSION, columns
from .files import beside, check_place, told
from .job import Job, Mark, Options, Portion
from .state import compare

_WAITING, _STATE, _LOG = "unified_customers_unfinished", "unified_customers_state", "unified_customers_exports"
_KEY = ("account", "provider", "id")
_OWN = ("first_seen_at", "changed_at", "gone_at")
_SHORT = 200


@attrs.frozen
class Counts:
    """What an export changed in the table.

    Attributes:
        new: Customers that were not there before.
        changed: Customers with other content than before, those that came back included.
        gone: Customers that were there and are not in the list any more; `None` where that can't be known.
    """

    new: int
    changed: int
    gone: int | None


@attrs.define
class DatabaseTarget:
    """A DuckDB file.

    Attributes:
        path: Where it stands, or will.
        counts: What the export changed; known at its end.
    """

    path: Path
    job: Job
    options: Options
    counts: Counts | None = None
    _base: Any = None
    _begun: bool = False
    _waiting: tuple[tuple[Portion, ...], Mark | None] = ((), None)

    @property
    def _fresh(self) -> bool:
        return not self.path.exists()

    @property
    def _work(self) -> Path:
        return beside(self.path) if self._fresh else self.path

    def begin(self, *, resume: bool) -> Mark | None:
        """Start, or go on after the last transaction."""
        need("pyarrow", "DuckDB", "duckdb")
        check_place(self.path)
        with told(self.path), self._told():
            if not resume and self._fresh:
                self._remove_work()
            self._base = need("duckdb", "DuckDB", "duckdb").connect(str(self._work))
            self._check()
            if resume and self._has(_STATE):
                found = self._go_on()
                self._begun = True
                return found
            if resume and self._fresh and self._has(_LOG):
                return self._ended()
            self._start()
            self._begun = True
        return None

    def _remove_work(self) -> None:
        work = beside(self.path)
        remove(work)
        remove(work.with_name(work.name + ".wal"))

    def _has(self, table: str) -> bool:
        return bool(self._one("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [table])[0])

    def _sql(self, text: str, values: Any = None) -> Any:
        return self._base.execute(text, values)

    def _one(self, text: str, values: Any = None) -> Any:
        """The one row of an answer, read to its end: a result left open is in the way of what comes next."""
        return self._sql(text, values).fetchall()[0]

    def _check(self) -> None:
        """Refuse a table that isn't ours, or belongs to another query."""
        if not self._has(_LOG):
            if self._has("customers"):
                raise ExportError(f"{self.path} has a table customers that no export made: name another file")
            return
        start, raw, version = self._one(f"SELECT start, raw, schema FROM {_LOG} ORDER BY ended DESC LIMIT 1")
        if version != VERSION:
            raise CheckpointError(f"{self.path} has the schema of version {version}, not {VERSION}: name another file")
        self.job.same(start, str(self.path))
        if raw != self.options.raw:
            raise CheckpointError(f"{self.path} belongs to an export {'with' if raw else 'without'} raw: repeat that")

    def _start(self) -> None:
        self._sql("BEGIN")
        self._sql(f"DROP TABLE IF EXISTS {_WAITING}")
        self._sql(f"DROP TABLE IF EXISTS {_STATE}")
        self._base.register("arriving", batch([], raw=self.options.raw))
        self._sql(f"CREATE TABLE {_WAITING} AS SELECT * FROM arriving LIMIT 0")
        self._base.unregister("arriving")
        self._sql(
            f"CREATE TABLE {_STATE} (start VARCHAR, options VARCHAR, checkpoint VARCHAR, rows BIGINT, bad BIGINT, "
            "rounded BIGINT)"
        )
        options = json.dumps(attrs.asdict(self.options))
        self._sql(f"INSERT INTO {_STATE} VALUES (?, ?, '', 0, 0, 0)", [self.job.start, options])
        self._sql("COMMIT")

    def _go_on(self) -> Mark | None:
        found = self._one(f"SELECT start, options, checkpoint, rows, bad, rounded FROM {_STATE}")
        start, options, checkpoint, rows, bad, rounded = found
        compare(self.options, json.loads(options), str(self._work))
        self.job.same(start, str(self._work))
        return Mark(checkpoint, rows, bad, rounded=rounded) if checkpoint else None

    def _ended(self) -> Mark:
        """A whole file was killed before it was put in its place."""
        found = self._one(f"SELECT checkpoint, rows, bad, rounded, complete, new, changed, gone FROM {_LOG}")
        self.counts = Counts(*found[5:])
        failed = not found[4] and not found[2] and self.job.since is None
        return Mark(found[0], found[1], found[2], done=True, rounded=found[3], failed=failed)

    def write(self, portions: Sequence[Portion], mark: Mark) -> None:
        """Take some customers; now and then they are written, together with their mark."""
        self._waiting = ((*self._waiting[0], *portions), mark)
        if sum(len(one.customers) for one in self._waiting[0]) >= FILE:
            self._pour()

    def _pour(self) -> None:
        portions, mark = self._waiting
        if mark is None:
            return
        made = batch([(one.account, one.customers) for one in portions], raw=self.options.raw)
        with told(self.path), self._told():
            self._base.register("arriving", made)
            self._sql("BEGIN")
            self._sql(f"INSERT INTO {_WAITING} SELECT * FROM arriving")
            now = [mark.checkpoint, mark.rows, mark.bad, mark.rounded]
            self._sql(f"UPDATE {_STATE} SET checkpoint = ?, rows = ?, bad = ?, rounded = ?", now)
            self._sql("COMMIT")
            self._waiting = ((), None)
            self._base.unregister("arriving")

    def finish(self, mark: Mark) -> None:
        """Turn what waits into the table, and put a new file in its place."""
        if not mark.done:
            self._pour()
            with told(self.path), self._told():
                self._sql("BEGIN")
                self.counts = self._merge()
                self._log(mark, self.counts)
                self._sql(f"DROP TABLE {_WAITING}")
                self._sql(f"DROP TABLE {_STATE}")
                self._sql("COMMIT")
                self._sql("CHECKPOINT")
        with told(self.path), self._told():
            self._base.close()
            self._base = None
            if self._fresh:
                put(self._work, self.path)

    def _merge(self) -> Counts:
        names = [column.name for column in columns(raw=self.options.raw)]
        self._make()
        keys = ", ".join(_KEY)
        self._sql(
            f"CREATE TEMP TABLE fresh AS SELECT * FROM {_WAITING} "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY rowid DESC) = 1"
        )
        differs = " OR ".join(f"f.{name} IS DISTINCT FROM c.{name}" for name in names if name not in _KEY)
        self._sql(
            "CREATE TEMP TABLE news AS SELECT f.*, c.id IS NULL AS is_new, c.first_seen_at "
            f"FROM fresh f LEFT JOIN customers c USING ({keys}) "
            f"WHERE c.id IS NULL OR c.gone_at IS NOT NULL OR {differs}"
        )
        new, all_ = self._one("SELECT count(*) FILTER (is_new), count(*) FROM news")
        self._upsert(names)
        gone = self._mark_gone() if self.job.since is None and not self.job.bad else None
        self._sql("DROP TABLE fresh")
        self._sql("DROP TABLE news")
        return Counts(new, all_ - new, gone)

    def _make(self) -> None:
        """The table, with its key, if it isn't there."""
        found = self._sql(f"DESCRIBE {_WAITING}").fetchall()
        defined = [f"{name} {kind}{' NOT NULL' if name in _KEY else ''}" for name, kind, *_ in found]
        defined += [f"{name} TIMESTAMPTZ" for name in _OWN]
        self._sql(f"CREATE TABLE IF NOT EXISTS customers ({', '.join(defined)}, PRIMARY KEY ({', '.join(_KEY)}))")
        log = (
            "ended TIMESTAMPTZ, began TIMESTAMPTZ, start VARCHAR, checkpoint VARCHAR, schema VARCHAR, raw BOOLEAN, "
            "rows BIGINT, bad BIGINT, new BIGINT, changed BIGINT, gone BIGINT, complete BOOLEAN, provenance VARCHAR, "
            "rounded BIGINT"
        )
        self._sql(f"CREATE TABLE IF NOT EXISTS {_LOG} ({log})")
        self._sql(f"ALTER TABLE {_LOG} ADD COLUMN IF NOT EXISTS rounded BIGINT")  # of files from before there was one

    def _upsert(self, names: list[str]) -> None:
        set_ = ", ".join(f"{name} = excluded.{name}" for name in (*names, *_OWN) if name not in _KEY)
        self._sql(
            f"INSERT INTO customers ({', '.join((*names, *_OWN))}) "
            f"SELECT {', '.join(names)}, coalesce(first_seen_at, $now), $now, NULL FROM news "
            f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {set_}",
            {"now": self.job.began},
        )

    def _mark_gone(self) -> int:
        """Of accounts that were read to their end; a row is never deleted."""
        read = [name for name in self.job.accounts if name not in self.job.errors]
        found = self._one(
            "UPDATE customers SET gone_at = $now WHERE gone_at IS NULL AND account IN (SELECT unnest($read)) AND NOT "
            f"EXISTS (SELECT 1 FROM fresh f WHERE {' AND '.join(f'f.{one} = customers.{one}' for one in _KEY)})",
            {"now": self.job.began, "read": read},
        )
        return int(found[0])

    def _log(self, mark: Mark, counts: Counts) -> None:
        job, about = self.job, json.dumps(self.job.provenance())
        row = [job.began, job.start, mark.checkpoint, VERSION, self.options.raw, mark.rows, mark.bad]
        row += [counts.new, counts.changed, counts.gone, job.whole, about, mark.rounded]
        self._sql(f"INSERT INTO {_LOG} VALUES (now(), {', '.join('?' for _ in row)})", row)

    def stop(self) -> bool:
        """Keep what waits, after an error or an interruption; the table is as it was."""
        if self._base is None:
            return False
        with contextlib.suppress(Exception):
            self._base.rollback()
        begun = self._begun
        if begun:
            with contextlib.suppress(Exception):
                self._pour()
        with contextlib.suppress(Exception):
            self._base.close()
        self._base = None
        return begun

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn duckdb's errors into ours.

        Raises:
            ExportError: The file is none of DuckDB's, is open elsewhere, or can't be written.
        """
        duckdb = need("duckdb", "DuckDB", "duckdb")
        try:
            yield
        except duckdb.IOException as error:
            why = full(str(error))
            said = f"used: {_reason(str(error))}" if why is None else f"written: {why}"
            raise ExportError(f"{self.path} can't be {said}") from None
        except duckdb.Error as error:  # its text may hold a customer's data
            why = full(str(error)) or f"DuckDB says {type(error).__name__}"
            raise ExportError(f"{self.path} can't be written: {why}") from None


def _reason(text: str) -> str:
    if "lock" in text:
        return "another process has it open"
    if "not a valid DuckDB" in text:
        return "it is no DuckDB database"
    return text.removeprefix("IO Error: ").splitlines()[0][:_SHORT]
