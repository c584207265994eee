"""What every check starts from: a server with so many customers, the account's settings, and clients over a line.

Knows the author's two makers; must not know what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from .._retry import Retry
from .._wire import NeedToken
from ..adapter import Adapter, Batch, Capabilities, Customer, Position, Query, Request, Response, raised
from ._driving import ONCE, Direct
from ._saying import exactly, expect, no_error, outcome, result
from ._server import Line, MakesAdapter, MakesServer, answered

BASE = "https://provider.example"
OTHER = "https://other.example"
_SIZES = (1, 2, 3, 5)


class Stage:
    """One fake server, with an adapter and a line to it."""

    def __init__(self, make_adapter: MakesAdapter, make_server: MakesServer, n: int) -> None:
        self._make = make_adapter
        self.adapter = make_adapter(BASE)
        self.server = make_server(n)
        self.line = Line(self.server, self.adapter)
        found = len(getattr(self.server, "records", ()))
        expect(
            found == n, f"server({n}) has to make a fake server with {n} records by id in `.records`: it has {found}"
        )

    @property
    def ids(self) -> list[str]:
        """The ids of all records that the server has at this moment."""
        return list(self.server.records)

    def client(self, retry: Retry = ONCE, on_event: Any = None) -> Direct:
        """A fresh client with a fresh adapter, as another process would have."""
        return Direct(self._make(BASE), self.line, retry, on_event)

    def other_account(self) -> Adapter:
        """The settings of an account at another address."""
        return self._make(OTHER)

    def same_account(self) -> Adapter:
        """The same settings, made anew."""
        return self._make(BASE)

    def query(self, **keywords: Any) -> Query:
        """The query that these keywords mean."""
        return self.client().customers(**keywords).plan.query

    def first_request(self, page_size: int) -> Request:
        """The request with which a plain list begins."""
        query = self.query(page_size=page_size)
        return self.adapter.list_request(query, self.adapter.start(query))

    def ask(self, request: Request) -> Response:
        """The answer to a request, signed in where that is needed."""
        if request.signed and self.adapter.signs_in():
            token = self.client()._sign_in(NeedToken())
            request = self.adapter.signed(request, token)
        return cast(Response, self.line(request))  # where nothing is put in its way

    def everybody(self) -> list[Customer]:
        """Who comes in a plain list, one page where they fit; fails the check if that does not work at all."""
        got, error = outcome(self.client().customers())
        no_error(error, f"a list of {len(self.ids)} customers")
        exactly(got, self.ids, f"a list of {len(self.ids)} customers")
        return got

    def understands(self, status: int, body: bytes = b"") -> bool:
        """Whether the adapter says that an error status means something in its first request."""
        query = self.query()
        return self.adapter.understands(query, self.adapter.start(query), answered(status, body))

    def steps(self, query: Query) -> Iterator[tuple[Position, Response, Batch]]:
        """The pages of a query as the adapter itself has them: position, answer and batch."""
        position = self.adapter.start(query)
        while position is not None:
            response = self.ask(self.adapter.list_request(query, position))
            batch, error = result(self.adapter.read_page, query, position, response, raised)
            no_error(error, "a walk by list_request() and read_page()")
            yield position, response, batch
            position = batch.next


class Setup:
    """What an author gives: `adapter` and `server`."""

    adapter: ClassVar[MakesAdapter]
    server: ClassVar[MakesServer]

    def stage(self, n: int) -> Stage:
        """A fresh server with `n` customers."""
        return Stage(self._maker("adapter"), self._maker("server"), n)

    def pages(self, n: int, more: int = 0) -> Stage:
        """A fresh server with `n` small pages of customers, and some more."""
        return self.stage(n * self.small + more)

    def _maker(self, name: str) -> Any:
        # from the class, so that a plain function is not bound to the test
        found = getattr(type(self), name, None)
        expect(found is not None, f"{type(self).__name__} needs {name}=…: see unified_customers.conformance")
        return found

    @property
    def can(self) -> Capabilities:
        """What the adapter says that it can do."""
        made: Adapter = self._maker("adapter")(BASE)
        return made.capabilities

    def page_sizes(self) -> list[int]:
        """Small pages, so that a few customers fill several."""
        return [size for size in _SIZES if size <= self.can.max_page_size]

    @property
    def small(self) -> int:
        """A page of two, where the provider has that."""
        return min(2, self.can.max_page_size)
