"""What a run came to, and the map from the source's ids to the target's: read from the journal, never held in memory.

Knows the journal; must not know requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from .journal import UNKNOWN, Journal, opened
from .summary import FieldLoss

MAPPED = "target_id IS NOT NULL AND state != 'undone' AND (state = 'done' OR created OR action = 'same')"
_STUCK = "action IN ('conflict', 'ambiguous', 'impossible') AND state IN ('left', 'done')"
_PROBLEMS = f"state IN ('refused', 'unknown', 'sending') OR {_STUCK}"
_SAME = "NOT created AND (action = 'same' AND state IN ('left', 'done') OR action = 'create' AND state = 'done')"
_OPEN = ("planned", "sending", "unknown")


@attrs.frozen(kw_only=True)
class MoveProblem:
    """A customer that was not moved, or nobody knows.

    Attributes:
        source_id: Its id at the source.
        state: ``"impossible"``, ``"ambiguous"``, ``"conflict"``, ``"refused"`` (by the target) or ``"unknown"``.
        reasons: Each with field and rule, none with a value.
    """

    source_id: str
    state: str
    reasons: tuple[str, ...]


@attrs.frozen(kw_only=True)
class MoveResult:
    """What a journal says is done, and what is not.

    Attributes:
        journal: The file.
        source: The source's provider; empty where an iterable without customers told none.
        target: The target's provider.
        created: Customers that this journal created and that were not undone; one whose later update was refused or is
            still to be sent is counted there too. One that the target's list lacks is `left` to be looked for.
        updated: Customers that were there and were changed.
        same: Customers that were there with the same values, or came there by another journal's run meanwhile.
        refused: Customers that the target refused, or whose place another took.
        unknown: Customers of which nobody can say yet; running again looks them up.
        left: Customers that are still to be sent.
        not_moved: Customers that can't be moved, or not for certain, by action; of those that an earlier run moved, the
            ones that can't be brought up to date.
        vanished: Customers of earlier runs that the source no longer has; they are left alone.
    """

    journal: Path
    source: str
    target: str
    created: int
    updated: int
    same: int
    refused: int
    unknown: int
    left: int
    not_moved: Mapping[str, int]
    vanished: int

    @classmethod
    def read(cls, journal: str | Path) -> MoveResult:
        """What a journal says, without any request.

        Raises:
            ConfigurationError: It is no journal, or another process uses it.
        """
        with opened(journal) as held:
            return result_of(held)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to send, unknown or refused."""
        return not (self.left or self.unknown or self.refused)

    @property
    def map(self) -> MoveMap:
        """Source id → target id, of everybody who is at the target now."""
        return MoveMap(self.journal)

    @property
    def problems(self) -> Iterator[MoveProblem]:
        """Everybody who was not moved, with the reasons."""
        return problems(self.journal)

    @property
    def sentence(self) -> str:
        """The counts in a line."""
        counts = {
            "created": self.created,
            "updated": self.updated,
            "the same": self.same,
            "refused": self.refused,
            "unknown": self.unknown,
            "left": self.left,
            **{f"{action}": number for action, number in self.not_moved.items()},
            "gone at the source": self.vanished,
        }
        return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "nobody"

    def to_html(self) -> str:
        """What is done and what is not as one page of HTML: by ids, without customers' values.

        Raises:
            ConfigurationError: The extra `report` is not installed.
        """
        from .page import result_page  # noqa: PLC0415 - an extra

        with opened(self.journal) as journal:
            losses = [FieldLoss(**loss) for loss in journal.losses()]
        return result_page(self, losses, (self.source, self.target))

    def __str__(self) -> str:
        return self.sentence


class MoveMap(Mapping[str, str]):
    """Source id → target id, read from the journal when asked."""

    def __init__(self, journal: str | Path) -> None:
        self._path = Path(journal)
        self._last: tuple[str, str] | None = None  # of an iteration: whoever takes each key asks for its value next

    def __getitem__(self, source_id: str) -> str:
        if self._last is not None and self._last[0] == source_id:
            return self._last[1]
        with opened(self._path) as journal:
            for row in journal.each("target_id", f"source_id = ? AND {MAPPED}", (source_id,)):
                return str(row["target_id"])
        raise KeyError(source_id)

    def __iter__(self) -> Iterator[str]:
        try:
            for source_id, _external_id, target_id in self.rows():
                self._last = source_id, target_id
                yield source_id
        finally:
            self._last = None

    def __len__(self) -> int:
        with opened(self._path) as journal:
            return journal.count(MAPPED)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Source id, external id and target id of each."""
        with opened(self._path) as journal:
            for row in journal.each("source_id, external_id, target_id", MAPPED):
                yield row["source_id"], row["external_id"] or "", row["target_id"]

    def write(self, path: str | Path) -> int:
        """Write it to a file: `.csv`, `.jsonl` or `.parquet` (extra ``arrow``), by the suffix.

        Returns:
            How many customers it has.

        Raises:
            ConfigurationError: The suffix is another, an extra is missing, or the file can't be written.
        """
        from .mapfiles import write_map  # noqa: PLC0415 - few want a file

        with opened(self._path) as journal:
            source, target = journal.identity.source, journal.identity.target
        return write_map(Path(path), self.rows(), source, target)

    def __repr__(self) -> str:
        return f"<MoveMap of {self._path}>"


def result_of(journal: Journal) -> MoveResult:
    """What an open journal says."""
    count, identity = journal.count, journal.identity
    return MoveResult(
        journal=journal.path,
        source=identity.source,
        target=identity.target,
        created=count("created AND (state IN ('done', 'refused', 'left') OR state = 'planned' AND action = 'update')"),
        updated=count("state = 'done' AND NOT created AND action = 'update'"),
        same=count(_SAME),
        refused=count("state = 'refused'"),
        unknown=count(UNKNOWN),
        left=count("state = 'planned'"),
        not_moved=journal.counts("action", f"{_STUCK} AND present"),
        vanished=count("NOT present AND state != 'undone' AND target_id IS NOT NULL"),
    )


def problems(path: Path) -> Iterator[MoveProblem]:
    """Everybody who was not moved."""
    with opened(path) as journal:
        for row in journal.each("source_id, action, state, reasons, problem", _PROBLEMS):
            yield _problem(row)


def _problem(row: Any) -> MoveProblem:
    states = {"sending": "unknown", "left": row["action"], "done": row["action"]}
    reasons = [row["problem"]] if row["problem"] else json.loads(row["reasons"] or "[]")
    return MoveProblem(source_id=row["source_id"], state=states.get(row["state"], row["state"]), reasons=tuple(reasons))
