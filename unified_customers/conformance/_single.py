"""Checks of one customer by id: the right one, or none; whatever the id is made of."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from ..adapter import Request
from ..errors import CustomersError, InvalidRequestError, NotFoundError, UnsupportedError
from ._bodies import id_name
from ._saying import expect, no_error, result
from ._stage import BASE, Setup, Stage

HOSTILE = (
    "../x",
    "..",
    ".",
    "a/b?c#d",
    "/",
    "?x=1&y=2",
    "a b+c",
    "100%25",
    "%2e%2e",
    "é",
    "人🦔",
    "a;b,c",
    "x@y.example",
    "'\"<>\\",
    "a\nb",
    "customers?limit=1",
    "x" * 600,
)


class Single(Setup):
    """`customer(id)` and `customer(external_id=…)`."""

    def test_one_customer_comes_by_its_id(self) -> None:
        """The same as in the list."""
        stage = self.stage(4)
        for customer in stage.everybody():
            found, error = result(stage.client().customer, customer.id)
            no_error(error, f"customer({customer.id!r})")
            expect(found.raw == customer.raw, f"customer({customer.id!r}) differs from the same one in the list")

    def test_an_unknown_id_is_not_found(self) -> None:
        """Not an empty customer, and not another."""
        stage = self.stage(2)
        found, error = result(stage.client().customer, "uc-unknown-id")
        expect(
            isinstance(error, NotFoundError), f"customer() of an unknown id ended in {error!r} and brought {found!r}"
        )

    def test_one_customer_comes_by_its_external_id(self) -> None:
        """Where `capabilities.get_by` says so; an unknown one is not found."""
        if "external_id" not in self.can.get_by:
            pytest.skip("no external id: capabilities.get_by does not list it")
        stage = self.stage(4)
        known = [customer for customer in stage.everybody() if customer.external_id]
        expect(known, "your fake server's made-up customers need external ids, which capabilities.get_by lists")
        for customer in known:
            _, error = result(stage.client().customer, external_id=customer.external_id)
            no_error(error, f"customer(external_id={customer.external_id!r})")
        found, error = result(stage.client().customer, external_id="uc-unknown-id")
        expect(isinstance(error, NotFoundError), f"an unknown external id ended in {error!r} and brought {found!r}")

    def test_another_customer_is_refused(self) -> None:
        """A server that answers with somebody else, or with a body that is no customer, is not believed."""
        for keyword in self.can.get_by:
            stage = self.stage(2)
            mine, other = stage.ids
            _, error = result(stage.client().customer, other)
            no_error(error, f"customer({other!r})")
            others = stage.line.answers[-1]
            asked = mine if keyword == "id" else _external_id(stage, mine)
            stage.line.meet(others)
            found, error = result(stage.client().customer, **{keyword: asked})
            expect(
                found is None and error is not None,
                f"customer({keyword}=…) took the answer for another customer: one() reads the id from the answer",
            )

    def test_hostile_ids_stay_in_their_place(self) -> None:
        """An id is one segment of the path or one value, and brings its own customer, or NotFoundError."""
        for hostile in HOSTILE:
            stage = self._with_hostile(hostile)
            _, error = result(stage.client().customer, hostile)
            for request in stage.line.requests:
                stays(request, hostile)
            _found_or_refused(error, f"customer({hostile[:40]!r})")

    def test_hostile_external_ids_stay_in_their_place(self) -> None:
        """The same, where customers are found by your own id."""
        if "external_id" not in self.can.get_by:
            pytest.skip("no external id: capabilities.get_by does not list it")
        for hostile in HOSTILE:
            stage = self.stage(1)
            _, error = result(stage.client().customer, external_id=hostile)
            for request in stage.line.requests:
                stays(request, hostile)
            _found_or_refused(error, f"customer(external_id={hostile[:40]!r})")

    def _with_hostile(self, hostile: str) -> Stage:
        """A server whose only customer has that id."""
        stage = self.stage(1)
        [(id_, record)] = stage.server.records.items()
        name = id_name(stage.server)
        del stage.server.records[id_]
        stage.server.records[hostile] = {**record, name: hostile}
        return stage


def _external_id(stage: Stage, id_: str) -> str:
    found = [customer.external_id for customer in stage.everybody() if customer.id == id_]
    return (found[0] if found else None) or "made-up"


def _found_or_refused(error: CustomersError | None, where: str) -> None:
    """Fail if the provider was asked for something else: then it sends another answer than a customer, or none."""
    __tracebackhide__ = True
    right = error is None or isinstance(error, NotFoundError | InvalidRequestError | UnsupportedError)
    expect(right, f"{where} ended in {error!r}: the customer, or NotFoundError, is right")


def stays(request: Request, hostile: str) -> None:
    """Fail if the id became something else than one value of the request."""
    __tracebackhide__ = True
    shown = hostile[:40]
    parts = urlsplit(request.url)
    expect(f"{parts.scheme}://{parts.netloc}" == BASE, f"the id {shown!r} leads the request to {parts.netloc!r}")
    expect(not parts.fragment and "#" not in request.url, f"the id {shown!r} became a fragment of the address")
    expect(request.url.isascii() and request.url.isprintable(), f"the id {shown!r} stands unencoded in the address")
    segments = [unquote(segment) for segment in parts.path.split("/")]
    raw = parts.path.split("/")
    dots = [segment for segment in raw if segment in {".", ".."}]
    values = [value for _, value in parse_qsl(parts.query, keep_blank_values=True)] if parts.query else []
    expect(not dots, f"the id {shown!r} became a step in the path, which HTTP clients resolve: use url()")
    expect(
        hostile in segments or hostile in values or hostile in list(_values(request)),
        f"the id {shown!r} is not one segment of the path, nor one value of the query or body, in {request.url!r}: use "
        "url() and body() of unified_customers.adapter",
    )


def _values(request: Request) -> Any:
    """Every text in a JSON body."""
    todo = [json.loads(request.body)] if request.body else []
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
