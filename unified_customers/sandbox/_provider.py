"""What the three pretend providers share: their customers, their log, their faults, one lock.

Knows that a provider has rows and answers requests. Must not know any provider's paths or fields,
nor a socket: `handle` is called with plain values.
"""

from __future__ import annotations

import threading
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ._clock import moment_of
from ._faults import Faults, FaultText, make_fault
from ._table import Fields, Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clock import Clock
    from ._wire import Reply, Request

# As a field's value: the key is left out of the customer altogether.
MISSING: Final = object()


class Provider:
    """One pretend provider; every public member may be used from any thread while it serves."""

    name: ClassVar[str]
    rows_key: ClassVar[str]  # under which key of a page its rows stand
    created_key: ClassVar[str]  # the field from which a row takes its place in time
    bad_record: ClassVar[tuple[str, Any]]  # the field, and a value of a wrong type for it

    def __init__(self, clock: Clock, seed: int, *, odd: bool = True, strange: bool = False) -> None:
        self.base_url = f"http://127.0.0.1/{self.name}"  # the sandbox puts its port in when it starts
        self.seed = seed
        self.odd = odd
        self.strange = strange
        self._clock = clock
        self._random = Random(f"{seed}/{self.name}")
        self._lock = threading.RLock()
        self._table = Table()
        self._faults = Faults()
        self._requests: list[tuple[str, str, int]] = []
        self._made = 0
        self._put_off: list[tuple[int, Request]] = []

    # What a provider must say for itself -----------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """Keyword arguments for the client's settings of this provider."""
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        """The honest answer to a request, `path` being relative to `base_url`."""
        raise NotImplementedError

    def place(self, request: Request) -> str:
        """What a request is for: list, get, write, login or other."""
        raise NotImplementedError

    def make_row(self, nanoseconds: int, fields: Fields) -> Row:
        """A new customer created at that moment, with the given fields instead of made-up ones."""
        raise NotImplementedError

    def row_of(self, fields: Fields, moment: int) -> Row:
        """A row with those fields, in the group in which lists look for it."""
        raise NotImplementedError

    def default_list(self) -> list[Row]:
        """The rows of the list without parameters, in its order."""
        raise NotImplementedError

    def problem(self, status: int) -> Reply:
        """The provider's own error body for that status."""
        raise NotImplementedError

    def delete(self, id: str) -> None:
        """Take a customer away as the provider's own delete does."""
        raise NotImplementedError

    # What faults ask of a provider -----------------------------------------------------------

    def without_filters(self, request: Request) -> Request:
        """The list request with its filters taken out."""
        raise NotImplementedError

    def without_sort(self, request: Request) -> Request:
        """The list request with its order taken out."""
        raise NotImplementedError

    def capped(self, request: Request, cap: int, proceed: Callable[[Request], Reply]) -> Reply:
        """The answer with at most `cap` rows, which nothing else in it admits."""
        raise NotImplementedError

    def promise_more(self, page: Fields) -> None:
        """Make a page say that another follows, if it does not."""
        raise NotImplementedError

    def promise_without_cursor(self, page: Fields) -> None:
        """Make a page say that another follows and not where."""
        raise NotImplementedError

    def empty_out(self, page: Fields, rows: list[Any], request: Request) -> None:
        """Take the rows out of a page that promises more."""
        raise NotImplementedError

    def lie(self, page: Fields, by: int) -> None:
        """Make the page's own count wrong."""
        raise NotImplementedError

    def revoke_tokens(self) -> None:
        """Make every issued token invalid; nothing where keys are static."""

    def shorten_next_token(self, uses: int) -> None:
        """Let the next token die after so many uses; nothing where keys are static."""

    # What tests hold in their hands ----------------------------------------------------------

    def insert(self, n: int = 1, **fields: Any) -> list[str]:
        """Create `n` customers now, by the sandbox's clock, and return their ids.

        `fields`, in the provider's spelling, win over what would be made up; `MISSING` leaves a key out.
        """
        with self._lock:
            made = [self._insert(fields) for _ in range(n)]
            return [row.id for row in made]

    def _insert(self, fields: Fields) -> Row:
        row = self.make_row(self._clock.tick(), dict(fields))
        if row.id in self._table.rows:
            msg = f"{self.name} has a customer {row.id!r} already"
            raise ValueError(msg)
        row.fields = {name: value for name, value in row.fields.items() if value is not MISSING}
        self._table.add(row)
        return row

    def update(self, id: str, **fields: Any) -> None:
        """Change a customer's fields in place; KeyError if there is none with that id."""
        with self._lock:
            row = self._table.rows[id]
            merged = {**row.fields, **fields}
            self.store({name: value for name, value in merged.items() if value is not MISSING}, row)

    def store(self, fields: Fields, old: Row) -> Row:
        """Put changed fields in the place of a row."""
        moment = old.moment
        if fields.get(self.created_key) != old.fields.get(self.created_key):
            moment = moment_of(fields.get(self.created_key), moment)
        row = self.row_of(fields, moment)
        self._table.remove(old.id)
        self._table.add(row)
        return row

    def fill(self, count: int) -> None:
        """Start with so many made-up customers in the default list."""
        raise NotImplementedError

    def clear(self) -> None:
        """Take every customer away, without a trace."""
        with self._lock:
            self._table.clear()

    @property
    def ids(self) -> list[str]:
        """Ids of the customers that the list without parameters returns, in its order."""
        with self._lock:
            return [row.id for row in self.default_list()]

    @property
    def rows(self) -> list[Fields]:
        """Copies of all stored customers, oldest first, in the provider's spelling."""
        with self._lock:
            return [_copied(row.fields) for _, _, row in self._table.group(None)]

    @property
    def requests(self) -> list[tuple[str, str, int]]:
        """What was asked so far: method, path with query (relative to `base_url`), status (0: reset)."""
        with self._lock:
            return list(self._requests)

    def fault(self, kind: str, times: int | None = None, after: int = 0, **options: Any) -> None:
        """Order a fault: after `after` matching requests it meets `times` of them.

        Without `times` a kind that stands for a server's habit (`loop`, `ignore-filters`, `page-cap`, …)
        lasts until `clear_faults`, any other happens once. `on=` says which requests match: `data`
        (all but signing in), `list`, `get`, `write`, `login` or `any`.

        Raises:
            ValueError: an unknown kind or option.
        """
        with self._lock:
            self._faults.add(make_fault(kind, times, after, options))

    def order(self, text: FaultText) -> None:
        """Order a fault that was written as text."""
        self.fault(text.kind, text.times, text.after, **text.options)

    def clear_faults(self) -> None:
        """Call all ordered faults off."""
        with self._lock:
            self._faults.clear()

    def handle(self, request: Request) -> Reply:
        """The answer to a request, faults included, and a line in the log."""
        with self._lock:
            waiting, self._put_off = self._put_off, []
            reply = self._faults.answer(self, request, self.answer)
            target = f"{request.path}?{request.query}" if request.query else request.path
            self._requests.append((request.method, target, reply.status))
            self._act_on(waiting)
            return reply

    def put_off(self, request: Request, requests: int) -> None:
        """Act on a request when so many more were answered; nobody will hear of it."""
        self._put_off.append((requests, request))

    def _act_on(self, waiting: list[tuple[int, Request]]) -> None:
        for left, request in waiting:
            if left > 1:
                self._put_off.append((left - 1, request))
            else:
                self.answer(request)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
