"""The rows of all clusters: kept in a file without a name, read as often as wanted, written to tables.

Knows rows; must not know how they were found. A few stay in memory; more go to a temporary file that has no name, so
that nothing is left of it however the process ends.
"""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from .._files import told
from ..errors import ConfigurationError
from .files import write_rows

_SPOOLED = 1 << 20  # bytes that stay in memory
_PART = 1 << 16


@attrs.frozen(kw_only=True)
class Match:
    """One customer of one cluster: of customers that seem to be the same.

    Attributes:
        cluster: The cluster's number, from 1; clusters across accounts come first, the surest first.
        scope: ``"across"`` where the cluster has customers of several accounts, else ``"within"``.
        sure: How sure the whole cluster is: ``"very likely"``, ``"likely"``, ``"possible"`` or ``"doubtful"``.
        why: What this customer has in common with another of the cluster: ``"external_id"``, ``"email"``,
            ``"phone_and_name"``.
        account: The account's name; the other fields are the customer's, cut after 300 characters.
    """

    cluster: int
    scope: str
    sure: str
    why: tuple[str, ...]
    account: str
    provider: str
    id: str
    external_id: str | None = None
    name: str | None = None
    company: str | None = None
    email: str | None = None
    phone: str | None = None
    status: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {**attrs.asdict(self, recurse=False), "why": list(self.why)}

    def __repr__(self) -> str:
        return f"Match(cluster={self.cluster}, sure={self.sure!r}, account={self.account!r}, id={self.id!r})"


COLUMNS = tuple(field.name for field in attrs.fields(Match))


class Matches:
    """All rows, cluster after cluster; each `for` starts at the first."""

    def __init__(self, rows: Iterable[Match] = ()) -> None:
        self._lock = threading.Lock()
        self._count = 0
        # it lives as long as this object, and has no name that could be left behind
        self._file = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        try:
            with told(Path(tempfile.gettempdir()), ConfigurationError):
                for row in rows:
                    self._file.write(json.dumps(row.to_dict()).encode() + b"\n")
                    self._count += 1
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Match]:
        place = 0
        while True:
            with self._lock:
                self._file.seek(place)
                lines = self._file.readlines(_PART)
                place = self._file.tell()
            if not lines:
                return
            for line in lines:
                fields = json.loads(line)
                yield Match(**{**fields, "why": tuple(fields["why"])})

    def write(self, path: str | Path) -> None:
        """Write the rows to a file: whole, or not at all.

        Args:
            path: By its suffix: ``.csv`` (UTF-8, a cell that a spreadsheet would run begins with an apostrophe),
                ``.jsonl``, or ``.parquet`` where pyarrow is installed.

        Raises:
            ConfigurationError: Another suffix, pyarrow is missing, or the file can't be written.
        """
        write_rows(Path(path), COLUMNS, (row.to_dict() for row in self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Matches, (list(self),)

    def __repr__(self) -> str:
        return f"<{self._count} rows of matches>"
