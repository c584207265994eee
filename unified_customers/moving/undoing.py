"""`undo()`: takes back what a journal created, as far as nobody has changed it since. Dry unless told otherwise.

Knows the journal and what the target can do; must not know any provider. Updates are not taken back. Each customer is
`undoing` in the journal before its request and `undone` after it, so that undo can be killed and repeated too.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import attrs

from .._pace import Pace
from ..client import Client
from ..errors import ConfigurationError, ConflictError, InvalidRequestError, NotFoundError, UnsupportedError
from ..models import Customer
from .fields import fingerprint
from .journal import ELSEWHERE, UNKNOWN, Journal, Move, opened
from .reading import AT_ONCE, read_back, refuse_stranger
from .settings import refuse_concurrency
from .targets import gone

_CREATED = "created AND state IN ('done', 'planned', 'refused', 'left', 'undoing')"
ARCHIVE = "archive"
_FRESH = 3.0  # seconds that a reading may be old, about, when it is acted on


@attrs.frozen(kw_only=True)
class Undo:
    """What undoing did, or would do.

    Attributes:
        applied: Whether anything was sent.
        irreversible: Whether the target deletes for good, rather than archives.
        undone: How many customers were, or would be, taken back.
        changed: Source ids of customers that somebody has changed since; they are left alone.
        gone: How many are gone already.
        refused: Source ids of customers that the target would not let go, each with its reason.
        unsettled: How many moves nobody knows the outcome of; run the move again first to settle them.
        updated: How many customers the move changed; that is not taken back.
    """

    applied: bool
    irreversible: bool
    undone: int
    changed: tuple[str, ...]
    gone: int
    refused: tuple[tuple[str, str], ...]
    unsettled: int
    updated: int

    @property
    def word(self) -> str:
        """What `confirm=` has to say to do it."""
        return f"delete {self.undone} irreversibly" if self.irreversible else ARCHIVE

    def __str__(self) -> str:
        verb = "deleted for good" if self.irreversible else "archived"
        lines = [f"{self.undone} {'' if self.applied else 'would be '}{verb}"]
        counts = {
            "changed since the move, left alone": len(self.changed),
            "gone already": self.gone,
            "refused by the target": len(self.refused),
            "unknown: run the move again to settle them": self.unsettled,
            "updated by the move, not taken back": self.updated,
        }
        return "\n".join(lines + [f"{number} {said}" for said, number in counts.items() if number])


def undo(
    journal: str | Path,
    target: Client,
    *,
    apply: bool = False,
    confirm: str | None = None,
    concurrency: int = 1,
    rate: float | None = None,
) -> Undo:
    """Take back what a journal created: archived where the target archives, else deleted for good.

    Only customers that this journal created, and only those that are as the move left them.

    Args:
        journal: The journal of the move.
        target: A client of the account that was moved to.
        apply: Whether to do it; else it is only said what would be done.
        confirm: With `apply`, ``"archive"``; where the target deletes for good, ``"delete N irreversibly"`` with the
            number that a dry run told (`Undo.word`).
        concurrency: How many customers are taken back at the same time.
        rate: Of them, how many a second; `None` for any.

    Raises:
        InvalidRequestError: `concurrency` is no such number.
        ConfigurationError: It is no journal, of another target, another process uses it, or `confirm` is not the word.
        UnsupportedError: The target neither archives nor deletes.
        CustomersError: The target failed; the journal knows how far it came.
    """
    refuse_concurrency(concurrency)
    pace = None if rate is None else Pace(rate)
    with opened(journal, "own" if apply else "read") as held:
        refuse_stranger(held, target)
        undoing = _Undoing(held, target, concurrency, pace)
        would = undoing.dry()
        if not apply:
            return would
        if confirm != would.word:
            raise ConfigurationError(
                f"undo would take back {would.undone} customers: to do it, say confirm={would.word!r}",
                provider=target.provider.name,
            )
        held.used()
        return undoing.apply()


@attrs.frozen
class _Fate:
    """What becomes of one customer: ``"undone"``, ``"changed"``, ``"gone"``, ``"missing"``, or ``"refused"``."""

    what: str
    source_id: str
    why: str = ""


class _Undoing:
    def __init__(self, journal: Journal, target: Client, concurrency: int, pace: Pace | None) -> None:
        can = target.provider.capabilities
        if not can.archives and not can.deletes:
            raise UnsupportedError(f"{target.provider.title} neither archives nor deletes customers")
        self._journal = journal
        self._target = target
        self._concurrency = concurrency
        self._pace = pace
        self._archives = can.archives
        self._own = can.own

    def dry(self) -> Undo:
        return self._told(apply=False, fates=(self._fate(*pair) for pair in self._candidates(AT_ONCE)))

    def apply(self) -> Undo:
        with ThreadPoolExecutor(self._concurrency, "undo") as pool:
            return self._told(apply=True, fates=self._applied(pool))

    def _applied(self, pool: ThreadPoolExecutor) -> Iterator[_Fate]:
        """A few ahead of the one that is waited for; an error, or Ctrl-C, comes out when those at work are answered."""
        size = 4 * self._concurrency
        if self._pace is not None:  # what is edited by hand in the meantime would not be seen
            size = max(1, min(size, int(_FRESH * self._pace.rate)))
        ahead: deque[Future[_Fate]] = deque()
        try:
            for move, there in self._candidates(size):
                ahead.append(pool.submit(self._settled, move, there))
                if len(ahead) >= size:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

    def _candidates(self, at_once: int) -> Iterator[tuple[Move, Customer | None]]:
        return read_back(self._target, self._journal, self._journal.moves(_CREATED), at_once)

    def _fate(self, move: Move, there: Customer | None) -> _Fate:
        if there is None:
            return _Fate("missing", move.source_id)
        if gone(there):
            return _Fate("gone", move.source_id)
        return _Fate("undone" if fingerprint(there, self._own) == move.fingerprint else "changed", move.source_id)

    def _settled(self, move: Move, there: Customer | None) -> _Fate:
        """The same, with what has to be done about it done."""
        fate = self._fate(move, there)
        if fate.what in ("gone", "missing"):
            self._journal.ended(move.seq, "undone")
        elif fate.what == "undone" and there is not None and (why := self._take_back(move, there)):
            return _Fate("refused", move.source_id, why)
        return fate

    def _take_back(self, move: Move, there: Customer) -> str | None:
        """Send it; returns why not, if the target would not."""
        if self._pace is not None:
            time.sleep(self._pace.wait(time.monotonic()))
        self._journal.ended(move.seq, "undoing")
        try:
            if self._archives:
                self._target.archive(there.id)
            else:
                self._target.delete(there.id, cascade=True)
        except NotFoundError:
            pass  # somebody was faster
        except (InvalidRequestError, ConflictError) as error:
            self._journal.ended(move.seq, move.state, error.message)
            return error.message
        self._journal.ended(move.seq, "undone")
        return None

    def _told(self, *, apply: bool, fates: Iterator[_Fate]) -> Undo:
        numbers = {"gone": 0, "missing": 0, "undone": 0}
        changed: list[str] = []
        refused: list[tuple[str, str]] = []
        for fate in fates:
            if fate.what == "changed":
                changed.append(fate.source_id)
            elif fate.what == "refused":
                refused.append((fate.source_id, fate.why))
            else:
                numbers[fate.what] += 1
        if self._archives and numbers["missing"] and not (numbers["gone"] or numbers["undone"] or changed or refused):
            raise ConfigurationError(f"{self._journal.path}: {ELSEWHERE}, which has none of them")
        return Undo(
            applied=apply,
            irreversible=not self._archives,
            undone=numbers["undone"],
            changed=tuple(changed),
            gone=numbers["gone"] + numbers["missing"],
            refused=tuple(refused),
            unsettled=self._journal.count(UNKNOWN),
            updated=self._journal.count("state = 'done' AND NOT created AND action = 'update'"),
        )
