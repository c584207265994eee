"""`undo()`: takes back what a journal created, as far as nobody has changed it since. Dry unless told otherwise.

Knows the journal and what the target can do; must not know any provider. Updates are not taken back. Each customer is
`undoing` in the journal before its request and `undone` after it, so that undo can be killed and repeated too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from ..client import Client
from ..errors import ConfigurationError, ConflictError, InvalidRequestError, NotFoundError, UnsupportedError
from ..models import Customer
from .fields import fingerprint
from .journal import Journal, Move, opened
from .reading import read_back, refuse_stranger
from .targets import gone

_CREATED = "created AND state IN ('done', 'planned', 'refused', 'left', 'undoing')"
ARCHIVE = "archive"


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


def undo(journal: str | Path, target: Client, *, apply: bool = False, confirm: str | None = None) -> Undo:
    """Take back what a journal created: archived where the target archives, else deleted for good.

    Only customers that this journal created, and only those that are as the move left them.

    Args:
        journal: The journal of the move.
        target: A client of the account that was moved to.
        apply: Whether to do it; else it is only said what would be done.
        confirm: With `apply`, ``"archive"``; where the target deletes for good, ``"delete N irreversibly"`` with the
            number that a dry run told (`Undo.word`).

    Raises:
        ConfigurationError: It is no journal, of another target, another process uses it, or `confirm` is not the word.
        UnsupportedError: The target neither archives nor deletes.
        CustomersError: The target failed; the journal knows how far it came.
    """
    with opened(journal, "own" if apply else "read") as held:
        refuse_stranger(held, target)
        undoing = _Undoing(held, target)
        if not apply:
            return undoing.dry()
        would = undoing.dry()
        if confirm != would.word:
            raise ConfigurationError(
                f"undo would take back {would.undone} customers: to do it, say confirm={would.word!r}",
                provider=target.provider.name,
            )
        return undoing.apply()


class _Undoing:
    def __init__(self, journal: Journal, target: Client) -> None:
        can = target.provider.capabilities
        if not can.archives and not can.deletes:
            raise UnsupportedError(f"{target.provider.title} neither archives nor deletes customers")
        self._journal = journal
        self._target = target
        self._archives = can.archives

    def dry(self) -> Undo:
        return self._through(apply=False)

    def apply(self) -> Undo:
        return self._through(apply=True)

    def _through(self, *, apply: bool) -> Undo:
        undone = lost = 0
        changed: list[str] = []
        refused: list[tuple[str, str]] = []
        for move, there in self._candidates():
            if there is None or gone(there):
                lost += 1
                if apply:
                    self._journal.ended(move.seq, "undone")
            elif fingerprint(there) != move.fingerprint:
                changed.append(move.source_id)
            elif apply and (why := self._take_back(move, there)):
                refused.append((move.source_id, why))
            else:
                undone += 1
        return self._told(apply=apply, undone=undone, gone=lost, changed=tuple(changed), refused=tuple(refused))

    def _candidates(self) -> Iterator[tuple[Move, Customer | None]]:
        return read_back(self._target, self._journal.moves(_CREATED))

    def _take_back(self, move: Move, there: Customer) -> str | None:
        """Send it; returns why not, if the target would not."""
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

    def _told(
        self, *, apply: bool, undone: int, gone: int, changed: tuple[str, ...], refused: tuple[tuple[str, str], ...]
    ) -> Undo:
        return Undo(
            applied=apply,
            irreversible=not self._archives,
            undone=undone,
            changed=changed,
            gone=gone,
            refused=refused,
            unsettled=self._journal.count("state IN ('sending', 'unknown')"),
            updated=self._journal.count("state = 'done' AND NOT created AND action = 'update'"),
        )
