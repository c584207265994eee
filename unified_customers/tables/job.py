"""What is exported: which customers of which source, and how to tell that an earlier export was of the same.

Knows clients and directories by the one method that both have; must not know formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol, Self

import attrs

from .._version import __version__
from ..errors import CheckpointError, CustomersError, InvalidRequestError, UnsupportedError
from ..models import Customer
from .columns import VERSION

_REFUSED = {
    "after": "resume= goes on with an export, since= begins one after an earlier one",
    "before": "a file holds customers in the order in which they come",
    "max_items": "a file is whole or not there",
    "created_after": "since= says it",
}
_CHECKPOINT = re.compile(r"ucd?\d+\.")
_WORDS = {
    "the checkpoint was made": "it was made",
    "repeat that query and add after=": "repeat that query, or name another file",
    "the checkpoint is that of a Directory, and one account is read here": "it is of several accounts, and one is read",
    "the checkpoint is that of one account, and a Directory is read here": "it is of one account, and several are read",
}
_WANTED = "since= takes a checkpoint, a date or a time, such as 2026-11-25 or 2026-11-25T08:00Z"
_HOW = {"unsupported", "on_bad_record", "on_account_error", "page_size", "ordered", "concurrency", "prefetch"}


class Source(Protocol):
    """A `Client` or a `Directory`."""

    @property
    def customers(self) -> Callable[..., Any]:
        """Takes a query, returns its listing."""


@attrs.frozen
class Mark:
    """How far an export has come, together with what is written.

    Attributes:
        checkpoint: After the customers written so far.
        rows: How many they are.
        bad: How many records were left out.
        done: Whether nothing is left but to put the file in its place.
        rounded: How many figures were rounded.
        failed: Whether accounts had failed when nothing else was left to read.
    """

    checkpoint: str
    rows: int = 0
    bad: int = 0
    done: bool = False
    rounded: int = 0
    failed: bool = False


@attrs.frozen
class Portion:
    """Some customers of one account, in the order of the walk."""

    account: str
    customers: Sequence[Customer]


@attrs.frozen
class Options:
    """What makes two exports of one query differ."""

    format: str
    raw: bool
    defuse: bool
    since: str | None = None

    def differ(self, other: Mapping[str, Any]) -> list[str]:
        """The names of those that another export had otherwise."""
        return [name for name, value in attrs.asdict(self).items() if other.get(name) != value]


@attrs.define
class Job:
    """An export's source and query.

    Attributes:
        start: The checkpoint before the first customer of the query: it knows account and query.
        accounts: The names of the accounts.
        since: A checkpoint, or a moment as text, or `None`.
        began: When the export began.
    """

    source: Source
    query: Mapping[str, Any]
    start: str
    accounts: tuple[str, ...]
    named: str | None
    since: str | None
    began: datetime = attrs.field(factory=lambda: datetime.now(UTC))
    listing: Any = None
    earlier_bad: int = 0
    earlier_failed: bool = False

    @classmethod
    def of(cls, source: Source, query: dict[str, Any], since: Any, account: str | None) -> Self:
        """Check everything that can be, before anything is sent."""
        _check(source, query)
        base = source.customers(**query)
        several = getattr(base.report, "accounts", None)
        names = (account or base.report.provider,) if several is None else tuple(several)
        named = names[0] if several is None else None
        if account is not None and named is None:
            raise InvalidRequestError("account= names the account of a Client; a Directory has names of its own")
        job = cls(source, query, base.checkpoint, names, named, None, listing=base)
        if since is not None:
            job.since = job._since(since)
        return job

    def _since(self, since: Any) -> str:
        """The checkpoint as it is, or the moment as text; refused where a provider can't."""
        if self.query.get("sort") is not None or self.query.get("order") == "desc":
            raise UnsupportedError("since= reads from the oldest to the newest: leave sort= and order= out")
        if isinstance(since, str) and _is_checkpoint(since.strip()):
            self._ask(datetime(1970, 1, 1, tzinfo=UTC))
            self.source.customers(**self.query, after=since)
            return since.strip()
        self._ask(since)
        return since if isinstance(since, str) else _moment(since)

    def _ask(self, moment: Any) -> None:
        """Whether every account can tell what was created since."""
        try:
            self.source.customers(**{**self.query, "unsupported": "raise"}, created_after=moment)
        except UnsupportedError as error:
            who = error.account or error.provider or "the provider"
            raise UnsupportedError(
                "since= needs a plain list that runs from the oldest to the newest and filters by time, and that of "
                f"{who} does not: leave since= out and export everything",
                provider=error.provider,
                account=error.account,
            ) from None
        except InvalidRequestError:  # the query without it was taken
            raise InvalidRequestError(_WANTED) from None

    def open(self, after: str | None) -> Any:
        """The listing, from its start or from a checkpoint; read it by the page."""
        by_checkpoint = self.since is not None and _is_checkpoint(self.since)
        query = dict(self.query)
        if by_checkpoint:
            after = after or self.since
        elif self.since is not None:
            query["created_after"] = self.since
        self.listing = self.source.customers(**query, after=after)
        return self.listing

    def same(self, start: Any, where: str) -> None:
        """Check that an earlier export was of this query and these accounts.

        Raises:
            CheckpointError: It was not; the message says what differs.
        """
        try:
            self.source.customers(**self.query, after=start)
        except CheckpointError as error:
            raise CheckpointError(f"{where} belongs to another export: {_of_files(error.message)}") from None

    @property
    def errors(self) -> dict[str, CustomersError]:
        """Errors of accounts that the others were finished without."""
        return dict(getattr(self.listing, "errors", {}))

    @property
    def bad(self) -> int:
        """How many records were left out, by all processes that worked at this export."""
        return self.earlier_bad + int(self.listing.report.bad)

    @property
    def whole(self) -> bool:
        """Whether every customer of the query is there, so that one who isn't is gone."""
        return self.since is None and not (self.bad or self.errors or self.earlier_failed)

    def provenance(self) -> dict[str, Any]:
        """Where a file comes from; of the query only the keywords' names, as values may be personal."""
        return {
            "version": __version__,
            "schema": VERSION,
            "accounts": list(self.accounts),
            "query": sorted(name for name, value in self.query.items() if value is not None and name not in _HOW),
            "since": None if self.since is None else "checkpoint" if _is_checkpoint(self.since) else self.since,
            "began": self.began.isoformat(),
        }


def _is_checkpoint(text: str) -> bool:
    """Whether it claims to be one, of an account or of several, of whatever version."""
    return _CHECKPOINT.match(text) is not None


def _of_files(message: str) -> str:
    """What is said of a checkpoint, for those who see files only."""
    for of_walks, of_files in _WORDS.items():
        message = message.replace(of_walks, of_files)
    return message


def _moment(since: Any) -> str:
    if isinstance(since, date):
        return since.isoformat()
    raise InvalidRequestError(_WANTED)


def _check(source: Any, query: Mapping[str, Any]) -> None:
    if not callable(getattr(source, "customers", None)) or hasattr(source, "__aenter__"):
        raise InvalidRequestError(
            "export takes a Client or a Directory, and the query as keywords: export(client, 'all.csv', status='any')"
        )
    for name, why in _REFUSED.items():
        if query.get(name) is not None:
            raise InvalidRequestError(f"{name}= is not for an export: {why}")
