"""A store on disk, for more customers than memory should hold.

Knows DuckDB; must not know what is kept. The database is in a folder of its own that nobody else may read; it is
deleted when the store is closed, also after an error.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._extras import need
from ..errors import ConfigurationError
from .stores import Key, Label, Member, Person

_MEMORY = "256MB"  # what DuckDB may use before it writes to disk
_BATCH = 5000
_TABLES = """
CREATE TABLE people (n BIGINT, account VARCHAR, provider VARCHAR, id VARCHAR, external_id VARCHAR, name VARCHAR,
    company VARCHAR, email VARCHAR, phone VARCHAR, status VARCHAR);
CREATE TABLE keys (tier TINYINT, value VARCHAR, n BIGINT, account VARCHAR);
CREATE TABLE labels (n BIGINT, root BIGINT, links TINYINT, weakest TINYINT);
"""
_GROUPS = """
CREATE OR REPLACE TABLE groups AS
SELECT tier, value, sum(number)::BIGINT AS customers, max(number) AS most
FROM (SELECT tier, value, account, count(*) AS number FROM keys GROUP BY ALL) GROUP BY ALL
HAVING sum(number) > 1
"""
_LINKS = """
SELECT keys.tier, keys.value, keys.n FROM keys JOIN groups ON keys.tier = groups.tier AND keys.value = groups.value
WHERE groups.most <= ? ORDER BY keys.tier, keys.value, keys.n
"""
_SHARED = "SELECT tier, value, customers FROM groups WHERE most > ? ORDER BY customers DESC, tier, value LIMIT ?"
_MEMBERS = """
WITH first AS (
    SELECT root, count(DISTINCT account) AS accounts, count(*) AS size,
        min({'a': account, 'p': provider, 'i': id}) AS lowest
    FROM labels JOIN people USING (n) GROUP BY root
)
SELECT root, accounts, size, links, weakest, account, provider, id, external_id, name, company, email, phone, status
FROM labels JOIN people USING (n) JOIN first USING (root)
ORDER BY accounts = 1, weakest, lowest, root, account, provider, id
"""


@contextmanager
def _told(module: Any) -> Iterator[None]:
    """Turn what DuckDB says into one of ours; its texts may hold what it was given, so they are not repeated."""
    try:
        yield
    except (module.Error, OSError) as error:
        raise ConfigurationError(
            f"the temporary database in {tempfile.gettempdir()} can't be used ({type(error).__name__}): "
            "is there room on the disk? The variable TMPDIR names another folder"
        ) from None


def on_disk(count: int, most: int) -> OnDisk | None:
    """A store on disk; `None` where DuckDB is not installed and memory has to do.

    Raises:
        ConfigurationError: It is not installed, and there are too many customers for memory.
    """
    try:
        module = need("duckdb", f"matching more than {most:,} customers (matching=False leaves it out)", "report")
    except ConfigurationError:
        if count > most:
            raise
        return None
    return OnDisk(module)


class OnDisk:
    """A store in a DuckDB file."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._count = 0
        with _told(module):
            self.folder = Path(tempfile.mkdtemp(prefix="unified-customers-"))  # made with mode 0700
        try:
            with _told(module):
                self._open()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _open(self) -> None:
        path = self.folder / "matching.duckdb"
        self._base = self._module.connect(str(path))
        path.chmod(0o600)
        spill = str(self.folder).replace("'", "''")
        self._base.execute(
            f"SET temp_directory = '{spill}'; SET memory_limit = '{_MEMORY}'; SET preserve_insertion_order = false"
        )
        self._base.execute(_TABLES)
        self._base.begin()  # one transaction for all: nobody needs a part of it after a crash

    def add(self, people: Sequence[Person], keys: Sequence[Sequence[Key]]) -> None:
        """See `Store`."""
        start, self._count = self._count, self._count + len(people)
        rows = [(number, *person) for number, person in enumerate(people, start)]
        flat = [
            (tier, value, number, person[0])
            for number, (person, found) in enumerate(zip(people, keys, strict=True), start)
            for tier, value in found
        ]
        self._insert("people", ("BIGINT", *["VARCHAR"] * 9), rows)
        self._insert("keys", ("TINYINT", "VARCHAR", "BIGINT", "VARCHAR"), flat)

    def _insert(self, table: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows a column at a time, which is many times faster than a row at a time."""
        if not rows:
            return
        columns = ", ".join(f"unnest(?::{kind}[])" for kind in types)
        with _told(self._module):
            statement = f"INSERT INTO {table} SELECT {columns}"
            self._base.execute(statement, [list(column) for column in zip(*rows, strict=True)])

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        with _told(self._module):
            found = self._base.execute(statement, values)
        while True:
            with _told(self._module):
                rows = found.fetchmany(_BATCH)
            if not rows:
                return
            yield from rows

    def links(self, limit: int) -> Iterator[tuple[int, str, int]]:
        """See `Store`."""
        with _told(self._module):
            self._base.execute(_GROUPS)
        yield from self._rows(_LINKS, [limit])

    def shared(self, limit: int, most: int) -> tuple[int, list[tuple[int, str, int]]]:
        """See `Store`; after `links`."""
        count = next(self._rows("SELECT count(*) FROM groups WHERE most > ?", [limit]))[0]
        return count, list(self._rows(_SHARED, [limit, most]))

    def members(self, labels: Iterable[Label]) -> Iterator[Member]:
        """See `Store`."""
        batch: list[Label] = []
        for label in labels:
            batch.append(label)
            if len(batch) == _BATCH:
                self._insert("labels", ("BIGINT", "BIGINT", "TINYINT", "TINYINT"), batch)
                batch = []
        self._insert("labels", ("BIGINT", "BIGINT", "TINYINT", "TINYINT"), batch)
        for root, accounts, size, links, weakest, *person in self._rows(_MEMBERS):
            yield Member(root, accounts, size, links, weakest, tuple(person))

    def close(self) -> None:
        """Delete the database."""
        try:
            self._base.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
