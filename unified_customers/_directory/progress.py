"""Which account of a directory stands where, what comes next, and what there is to report.

Knows walks, turns and news; must not know threads, tasks or httpx. One thread or task asks at a time: readers only turn
a walk into news and touch nothing else, so nothing here needs a lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .._walk import OneReader, Plan, Report, State, Walk
from ..errors import BadRecordError, CustomersError, InvalidRequestError
from ..models import Customer, Page
from . import positions
from .positions import Position
from .turns import Turn, Turns

OnAccountError = str | Callable[[CustomersError], Any]


@attrs.frozen(kw_only=True)
class DirectoryReport:
    """What a walk over many accounts did so far: sums, and each account's own report.

    Attributes:
        items: Customers handed out.
        pages: Answers that brought customers, or the end; those read ahead count as well, and so in all that follows.
        requests: Requests sent, repeats and redirects included, sign-ins not.
        retries: Requests that were repeated.
        waited: Seconds spent waiting between repeats, by all accounts together.
        duplicates: Rows that the provider sent once more; those that the walk asked for again don't count.
        drift: How often rows moved under a walk, so that it stepped back.
        bad: Records that could not be read and were left out.
        filtered: Customers that filters applied here left out.
        accounts: Each account's report, by its name.
        errors: The error of each account that was given up, by its name.
    """

    items: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    duplicates: int = 0
    drift: int = 0
    bad: int = 0
    filtered: int = 0
    accounts: Mapping[str, Report] = attrs.field(factory=dict)
    errors: Mapping[str, CustomersError] = attrs.field(factory=dict)


_SUMS = ("items", "pages", "requests", "retries", "waited", "duplicates", "drift", "bad", "filtered")


def reported(accounts: Mapping[str, Report], errors: Mapping[str, CustomersError]) -> DirectoryReport:
    """The sums of some accounts' reports."""
    sums = {name: sum(getattr(report, name) for report in accounts.values()) for name in _SUMS}
    return DirectoryReport(accounts=accounts, errors=errors, **sums)


@attrs.frozen
class News:
    """What a reader has to say of an account: a page, an error, or that it is at its end.

    Attributes:
        page: What the walk brought.
        rest: What is left of it once it was handed out: where it ended.
        number: Of the page, from 1.
    """

    account: Account
    page: State | None = None
    rest: State | None = None
    number: int = 0
    error: BaseException | None = None


class Account:
    """One account's walk, as far as it was handed out.

    Attributes:
        at: What is handed out of it, and how far it was.
        rest: What takes its place when it was.
        number: Of that page, from 1.
    """

    __slots__ = ("_saved", "at", "key", "name", "news", "number", "rest", "turn", "walk")

    def __init__(self, name: str, key: str, plan: Plan, turn: Turn) -> None:
        self.name, self.key, self.turn = name, key, turn
        self.walk = Walk(plan)
        self.at, self.rest, self.number = self.walk.state, self.walk.state, 0
        self.news: deque[News] = deque()
        self._saved: tuple[State, int, str] | None = None

    @property
    def checkpoint(self) -> str:
        """The account's own; made once for each place, because many accounts are asked again and again."""
        at, index = self.at, self.at.index
        if self._saved is None or self._saved[0] is not at or self._saved[1] != index:
            self._saved = at, index, self.walk.save(at.held.position(index))
        return self._saved[2]

    @property
    def report(self) -> Report:
        """What its walk did so far; what was read ahead was not handed out yet."""
        report = self.walk.report
        bad = [*report.bad_records]
        return attrs.evolve(report, items=self.at.done + self.at.index, bad_records=bad)

    def page(self) -> Page | None:
        """What is handed out, as a page."""
        return self.walk.page_of(self.at, self.number, self.name)

    def told(self) -> News:
        """What the walk brought just now: it keeps nothing of it but where it ended."""
        number, page = self.walk.report.pages, self.walk.let_go()
        return News(self, page, self.walk.state, number)

    def ended(self) -> News:
        """That the walk is at its end, wherever that is: nothing of the last answers came through the filters."""
        self.walk.let_go()
        return News(self, rest=self.walk.state)


class Progress(OneReader):
    """One walk over all accounts.

    Args:
        plans: What is read of each account, by its name.
        keys: What each is known by in a checkpoint.
        hosts: Where each is read, where that matters.
        width: How many are read at the same time.
        per_host: How many of one host.
        ordered: Whether they come one after another.
        on_error: What to do about an account that failed.
        gone: Positions of accounts that are not there now.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        keys: Mapping[str, str],
        hosts: Mapping[str, str],
        *,
        width: int,
        per_host: int | None,
        ordered: bool,
        on_error: OnAccountError,
        gone: Sequence[Position] = (),
    ) -> None:
        turns = [Turn(rank, hosts.get(name, "")) for rank, name in enumerate(plans)]
        self.accounts = [
            Account(name, keys[name], plan, turn) for (name, plan), turn in zip(plans.items(), turns, strict=True)
        ]
        self.turns = Turns(turns, width, per_host, ordered=ordered)
        self.width, self._ordered, self._on_error, self._gone = width, ordered, on_error, gone
        self.errors: dict[str, CustomersError] = {}
        self.now: Account | None = None
        self._arrived: deque[Account] = deque()
        self._failed: list[Account] = []
        self._open = len(self.accounts)
        super().__init__()

    @property
    def finished(self) -> bool:
        """Whether all that will come was taken."""
        return not self._open

    def to_read(self) -> Account | None:
        """The account to read a page of now, if there is one and room for its page."""
        turn = self.turns.next()
        return None if turn is None else self.accounts[turn.rank]

    def again(self) -> None:
        """Accounts whose error was raised are tried once more."""
        failed, self._failed = self._failed, []
        for account in failed:
            self.turns.again(account.turn)

    def hear(self, news: News) -> None:
        """Note what a reader said, until its turn comes."""
        page = news.page is not None
        self.turns.arrived(news.account.turn, page=page, more=page)
        news.account.news.append(news)
        if not self._ordered:
            self._arrived.append(news.account)

    def take(self) -> News | None:
        """What comes next, if it is there already."""
        account = self._next()
        if account is None:
            return None
        news = account.news.popleft()
        if news.page is not None:
            self.turns.taken(account.turn)
        elif news.error is None:
            self._ended()
        return news

    def _next(self) -> Account | None:
        if not self._ordered:
            return self._arrived.popleft() if self._arrived else None
        account = self.accounts[self.turns.head.rank] if self._open else None
        return account if account is not None and account.news else None

    def _ended(self) -> None:
        self._open -= 1
        if self._ordered and self._open:
            self.turns.passed()

    def accept(self, news: News) -> bool:
        """Take a page over, or an account's end (then `False`), or raise its error.

        Raises:
            CustomersError: An account failed and errors are not collected; asking on tries that account again.
        """
        last = self.now
        if last is not None:
            rest = last.rest
            last.at, self.now = rest, None  # what was handed out is held no longer
        if news.error is not None:
            self._fail(news.account, news.error)
        account = news.account
        if news.rest is None:
            return False
        if news.page is None:
            account.at = account.rest = news.rest
            return False
        account.number, account.rest, account.at = news.number, news.rest, news.page
        self.now = account
        return True

    def _fail(self, account: Account, error: BaseException) -> None:
        self._failed.append(account)
        if not isinstance(error, CustomersError):
            raise error
        error.provider = error.provider or account.walk.plan.context.adapter.name
        error.checkpoint = account.checkpoint
        name(error, account.name)
        if self._on_error == "raise":
            raise error
        if callable(self._on_error):
            self._on_error(error)
        self.errors[account.name] = error
        self._failed.remove(account)
        self._ended()

    def judge(self, errors: Sequence[BadRecordError], account: str | None) -> list[Customer | None]:
        """For tables: what takes the place of an account's customers that they can't hold."""
        walk = next(one.walk for one in self.accounts if one.name == account)
        try:
            return walk.judge(errors)
        except CustomersError as error:
            name(error, str(account))
            raise

    @property
    def checkpoint(self) -> str:
        """Where every account stands, those that are not there now included."""
        here = [Position(account.key, account.name, account.checkpoint) for account in self.accounts]
        return positions.save([*here, *self._gone])

    @property
    def report(self) -> DirectoryReport:
        """What the walk did so far."""
        return reported({account.name: account.report for account in self.accounts}, dict(self.errors))


class Told:
    """What every iterator tells of its own walk."""

    _progress: Progress

    @property
    def checkpoint(self) -> str:
        """Where this walk stands."""
        return self._progress.checkpoint

    @property
    def report(self) -> DirectoryReport:
        """What this walk did so far."""
        return self._progress.report

    def judge(self, errors: Sequence[BadRecordError], account: str | None) -> list[Customer | None]:
        """For tables: what takes the place of an account's customers that they can't hold."""
        return self._progress.judge(errors, account)


def name(error: CustomersError, account: str) -> None:
    """Say whose error it is, once."""
    if error.account is None:
        error.account = account
        error.message = f"{account}: {error.message}"
        error.args = (error.message, *error.args[1:])


def checked(on_account_error: Any) -> OnAccountError:
    """What to do about an account that failed.

    Raises:
        InvalidRequestError: It is none of the words, and can't be called.
    """
    if on_account_error not in ("raise", "collect") and not callable(on_account_error):
        raise InvalidRequestError("on_account_error= is 'raise', 'collect' or a callable that is given each error")
    given: OnAccountError = on_account_error
    return given
