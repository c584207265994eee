"""A plan as its user holds it: what it comes to, its customers one by one, and the way to carry it out.

Knows the plan's file; must not know how it was made or how anything is sent.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from ..client import Client
from .fields import digest
from .settings import Identity, Settings, path_of
from .store import Temporary
from .summary import ACTIONS, FieldLoss, MoveSummary

if TYPE_CHECKING:
    from .events import MoveEvent
    from .results import MoveResult

SCHEMA = """
CREATE TABLE rows (seq INTEGER PRIMARY KEY, source_id TEXT, external_id TEXT, email TEXT, action TEXT, target_id TEXT,
                   ours INTEGER, by_email INTEGER, wanted TEXT, sends TEXT, differences TEXT, losses TEXT,
                   reasons TEXT);
"""
COLUMNS = "source_id, external_id, action, target_id, ours, wanted, sends, differences, losses, reasons"
_LOSSES = """
SELECT json_extract(value, '$[0]') AS field, json_extract(value, '$[1]') AS fate, json_extract(value, '$[2]') AS kept,
       count(*) AS number
FROM rows, json_each(rows.losses) WHERE action IN ('create', 'update', 'same')
GROUP BY field, fate, kept ORDER BY number DESC, field
"""
_COUNTS = "SELECT action, count(*) AS number FROM rows GROUP BY action"
_REASONS = """
SELECT value AS reason, count(*) AS number FROM rows, json_each(rows.reasons)
GROUP BY reason ORDER BY number DESC, reason
"""
_VANISHED = """
FROM target WHERE json_extract(origin, '$[0]') = ? AND json_extract(origin, '$[1]') = ?
AND NOT EXISTS (SELECT 1 FROM rows WHERE source_id = json_extract(target.origin, '$[2]'))
"""
_DIGESTS = 2**128


@attrs.frozen(kw_only=True)
class PlannedMove:
    """What is to be done about one customer of the source.

    Attributes:
        source_id: Its id at the source.
        external_id: The external id that it shall have at the target.
        action: ``"create"``, ``"update"``, ``"same"``, ``"conflict"``, ``"ambiguous"`` or ``"impossible"``.
        target_id: Who it is at the target, where that is known.
        differences: For each field that differs, what the target has and what it shall have.
        losses: The fields that don't arrive as they were.
        reasons: Why it can't be moved, or not for certain: each with field and rule, none with a value.

    Its `repr` shows ids and no values; `differences` hold customers' data.
    """

    source_id: str
    external_id: str | None
    action: str
    target_id: str | None
    differences: Mapping[str, tuple[str | None, str]] = attrs.field(factory=dict, repr=False)
    losses: tuple[FieldLoss, ...] = attrs.field(default=(), repr=False)
    reasons: tuple[str, ...] = ()


class MovePlan:
    """What moving would do; made by `plan`. Close it, or use it in a `with`, to free its temporary file."""

    def __init__(
        self,
        store: Temporary,
        target: Client,
        *,
        identity: Identity,
        settings: Settings,
        account: tuple[str, str] | None,
        home: str,
        made_at: float,
    ) -> None:
        self._store = store
        self._target = target
        self._account = account or (identity.source, "")
        self.told = account is not None  # whether a customer of the source told it
        self.identity = identity
        self.settings = settings
        self.home = home  # which of the accounts behind the target's address was read; empty where nobody is there
        self.made_at = made_at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary file."""
        self._store.close()

    @property
    def path(self) -> Path:
        """The temporary file."""
        return self._store.path

    @property
    def account(self) -> tuple[str, str]:
        """The source's provider and account, as its customers name it."""
        return self._account

    @property
    def target(self) -> Client:
        """The client that it was made with."""
        return self._target

    @functools.cached_property
    def summary(self) -> MoveSummary:
        """What it comes to."""
        counts = dict.fromkeys(ACTIONS, 0)
        counts.update({row["action"]: row["number"] for row in self._store.run(_COUNTS)})
        losses = tuple(
            FieldLoss(field=row["field"], fate=row["fate"], where=row["kept"], customers=row["number"])
            for row in self._store.run(_LOSSES)
        )
        return MoveSummary(
            source=self.identity.source,
            target=self.identity.target,
            counts=counts,
            losses=losses,
            reasons={row["reason"]: row["number"] for row in self._store.run(_REASONS)},
            vanished=self._store.one(f"SELECT count(*) {_VANISHED}", self._account),
        )

    @functools.cached_property
    def digest(self) -> str:
        """A name for what it would do: the same inputs give the same."""
        found = 0
        for row in self._store.each(COLUMNS, "rows"):
            found = (found + int(digest(list(row)[1:]), 16)) % _DIGESTS  # a sum: their order makes no difference
        return digest(attrs.asdict(self.identity), str(found))

    def __iter__(self) -> Iterator[PlannedMove]:
        """Each customer of the source, in its order."""
        return (_planned(row) for row in self._store.each(COLUMNS, "rows"))

    def only(self, *actions: str) -> Iterator[PlannedMove]:
        """The customers with one of these actions."""
        marks = ", ".join("?" * len(actions))
        return (_planned(row) for row in self._store.each(COLUMNS, "rows", f"action IN ({marks})", actions))

    def vanished(self) -> Iterator[tuple[str, str]]:
        """Source id and target id of those that were moved before and that the source no longer has."""
        found = self._store.each("origin, id", "target", _VANISHED.partition("WHERE")[2], self._account)
        return ((json.loads(row["origin"])[2], row["id"]) for row in found)

    def run(
        self,
        journal: str | Path,
        *,
        concurrency: int = 1,
        rate: float | None = None,
        on_event: Callable[[MoveEvent], None] | None = None,
    ) -> MoveResult:
        """Carry the plan out, or go on with it: the same journal resumes, however the last run ended.

        Args:
            journal: A file of its own for this move; made if it is not there. It holds customers' data.
            concurrency: How many requests may be in flight at the same time.
            rate: Requests a second, all together; `None` for any.
            on_event: Called with a `MoveEvent` for each customer that was dealt with.

        Raises:
            InvalidRequestError: An argument can't be right; nothing was sent.
            ConfigurationError: The journal belongs to another move, or can't be used; nothing was sent.
            ConflictError: `on_conflict="refuse"`, and the target has some of the customers with other values; nothing
                was sent.
            MoveStoppedError: The target refuses, or is out of reach; `result` says what is done and what is not.
        """
        from .running import run  # noqa: PLC0415 - planning needs none of it

        return run(self, path_of(journal), concurrency=concurrency, rate=rate, on_event=on_event)

    def to_html(self) -> str:
        """The plan as one page of HTML: counts, losses, problems; by ids, without customers' values.

        Raises:
            ConfigurationError: The extra `report` is not installed.
        """
        from .page import plan_page  # noqa: PLC0415 - an extra

        return plan_page(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{action}={number}" for action, number in self.summary.counts.items() if number)
        return f"<MovePlan {self.identity.source} to {self.identity.target}: {counts or 'nobody'}>"


def _planned(row: Any) -> PlannedMove:
    return PlannedMove(
        source_id=row["source_id"],
        external_id=row["external_id"],
        action=row["action"],
        target_id=row["target_id"],
        differences={path: tuple(pair) for path, pair in json.loads(row["differences"] or "{}").items()},
        losses=tuple(FieldLoss(field=f, fate=t, where=w, customers=1) for f, t, w in json.loads(row["losses"] or "[]")),
        reasons=tuple(json.loads(row["reasons"] or "[]")),
    )
