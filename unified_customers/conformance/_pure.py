"""Checks of the adapter as a value: frozen, comparable, and with methods that always say the same."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import attrs

from ..adapter import Adapter, Address, Batch, Capabilities, raised
from ..models import CustomerFields
from ._resume import some_filters
from ._saying import expect, result
from ._stage import BASE, Setup, Stage

_FILTERS = {"email", "status", "kind", "external_id", "ids", "parent_ids"}
_WRITTEN = {*CustomerFields.__annotations__} - {"params"}
_WRITES = ("creates", "requires", "updates", "clears", "address")
_PARTS = {field.name for field in attrs.fields(Address)} - {"country_code"}
_SHAPES: dict[str, set[str]] = {
    "orders": {"asc", "desc"},
    "get_by": {"id", "external_id"},
    "filters": _FILTERS,
    "creates": _WRITTEN,
    "updates": _WRITTEN,
    "address": _PARTS,
}


class Pure(Setup):
    """Settings as fields, ways as pure methods."""

    def test_the_adapter_is_a_frozen_value(self) -> None:
        """Equal settings are equal, hash alike and can't be changed; another address is another account."""
        stage = self.stage(0)
        one, same, other = stage.adapter, stage.same_account(), stage.other_account()
        expect(one == same and hash(one) == hash(same), "two adapters of the same settings differ: use @attrs.frozen")
        expect(one != other, "adapters of two addresses are equal: compare by value, base_url included")
        for name in [*_fields(one), "uc_conformance"]:
            expect(_is_frozen(one, name), f"the adapter's {name!r} can be set: make it @attrs.frozen(kw_only=True)")

    def test_the_adapter_says_what_it_is(self) -> None:
        """Name, title and capabilities are spelt as the library spells them."""
        adapter = self.stage(0).adapter
        expect(re.fullmatch("[a-z][a-z0-9_-]*", adapter.name), f"the adapter's name is {adapter.name!r}: small letters")
        expect(adapter.title.strip(), "the adapter's title is empty: it stands in errors")
        can = adapter.capabilities
        expect(type(can) is Capabilities, "capabilities is no Capabilities")
        for name in ("filters", "sorts", "orders", "statuses", "get_by", *_WRITES):
            kind = type(getattr(can, name)).__name__
            expect(
                kind == "tuple",
                f"capabilities.{name} is a {kind}, no tuple: a tuple of one has a comma",
            )
        for name, words in _SHAPES.items():
            strange = [word for word in getattr(can, name) if word not in words]
            expect(not strange, f"capabilities.{name} lists {strange}: it may hold {sorted(words)}")
        for name, among in (("requires", "creates"), ("clears", "updates")):
            strange = [word for word in getattr(can, name) if word not in getattr(can, among)]
            expect(not strange, f"capabilities.{name} lists {strange}, which capabilities.{among} does not")
        lost = can.unique and "external_id" not in can.get_by
        expect(not lost, "capabilities.unique needs external_id in capabilities.get_by, to look a lost create up")
        expect(can.max_page_size >= 1, "capabilities.max_page_size is a number of 1 or more")
        expect("id" in can.get_by, "capabilities.get_by has to list 'id'")
        unknown = [word for word in can.statuses if word not in {*adapter.status_words, "any"}]
        expect(not unknown, f"capabilities.statuses lists {unknown}, which status_words does not spell")
        settings = [name for name in adapter.environment if name not in _fields(adapter)]
        expect(not settings, f"environment names the settings {settings}, which the adapter does not have")

    def test_the_same_question_makes_the_same_request(self) -> None:
        """At every place of every list, and for one customer; asked twice, and of a fresh adapter."""
        stage = self.pages(2, 1)
        for keywords in ({}, *some_filters(stage.adapter, self.can)):
            query = stage.query(page_size=self.small, **keywords)
            for position, _, _ in stage.steps(query):
                asked = [one.list_request(query, position) for one in _three(stage)]
                expect(asked[0] == asked[1] == asked[2], "list_request() of the same query and position differs")
        single = [one.one(id="made-up", external_id=None)[0] for one in _three(stage)]
        expect(single[0] == single[1] == single[2], "one() of the same id makes different requests")

    def test_the_same_answer_makes_the_same_batch(self) -> None:
        """Read twice, and by a fresh adapter: the same customers, and the same places."""
        stage = self.pages(2, 1)
        query = stage.query(page_size=self.small)
        for position, response, _ in stage.steps(query):
            read = [_plain(one.read_page(query, position, response, raised)) for one in _three(stage)]
            expect(read[0] == read[1] == read[2], "read_page() of the same answer differs: it may keep nothing")

    def test_requests_go_to_the_account_s_own_address(self) -> None:
        """All of them, and none with a secret in its address, where logs and proxies see it."""
        stage = self.pages(2, 1)
        for keywords in ({}, *some_filters(stage.adapter, self.can)):
            result(list, stage.client().customers(page_size=self.small, **keywords))
        for name in self.can.get_by:
            result(stage.client().customer, **{name: "made-up"})
        for request in [*stage.line.requests, *stage.line.sign_ins]:
            parts = urlsplit(request.url)
            expect(f"{parts.scheme}://{parts.netloc}" == BASE, f"a request went to {parts.netloc}, not to base_url")
            for secret in stage.adapter.secrets():
                spelt = {secret, quote(secret, safe=""), quote_plus(secret)}
                expect(not any(one in request.url for one in spelt), "a secret stands in a request's address")
            expect(request.what.strip(), "a request needs words in `what`: they stand in errors and logs")


def _three(stage: Stage) -> list[Adapter]:
    return [stage.adapter, stage.adapter, stage.same_account()]


def _plain(batch: Batch) -> tuple[Any, ...]:
    places = [batch.at(n) for n in range(len(batch.items) + 1)]
    return list(batch.items), places, batch.next, batch.total, batch.dropped, batch.recovered


def _fields(adapter: Adapter) -> list[str]:
    cls: Any = type(adapter)
    return [field.name for field in attrs.fields(cls)] if attrs.has(cls) else list(vars(adapter))


def _is_frozen(adapter: Any, name: str) -> bool:
    try:
        setattr(adapter, name, getattr(adapter, name, None))
    except (AttributeError, TypeError):
        return True
    return False
