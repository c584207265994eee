"""Checks of refusals: what the adapter can't do is refused by name, before anything is sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import ConflictError, InvalidRequestError, UnsupportedError
from ._resume import some_filters
from ._saying import expect, result
from ._stage import Setup

_FILTERS = ("email", "status", "kind", "external_id", "ids", "parent_ids")
_WORD = "uc-no-such-word"


class Refusals(Setup):
    """What `capabilities` does not list."""

    def test_filters_that_are_not_listed_are_refused(self) -> None:
        """Each of the library's filters that `capabilities.filters` leaves out."""
        words = self.stage(0).adapter.status_words
        for name in _FILTERS:
            if name in set(self.can.filters):
                continue
            for value in ("made-up", "any") if name == "status" and words else ("made-up",):
                self._refused({name: value}, f"{name}={value!r}: {name} is not in capabilities.filters")

    def test_words_that_are_not_listed_are_refused(self) -> None:
        """Statuses and kinds: unknown words, and words that `capabilities.statuses` leaves out."""
        adapter = self.stage(0).adapter
        for name in ("status", "kind"):
            if name in self.can.filters:
                self._refused({name: _WORD}, f"nobody knows this {name}")
        own = set(adapter.status_words.values())
        for word in (*adapter.status_words, *(["any"] if adapter.status_words else [])):
            if word not in self.can.statuses and word not in own:
                self._refused({"status": word}, f"status={word!r} is not in capabilities.statuses")

    def test_sorts_orders_and_sizes_that_are_not_listed_are_refused(self) -> None:
        """Names for `sort=`, both orders, pages larger than the largest."""
        for name in {_WORD, "created_at", "email", "id"} - set(self.can.sorts):
            self._refused({"sort": name}, f"sort={name!r} is not in capabilities.sorts")
        for order in {"asc", "desc"} - set(self.can.orders):
            self._refused({"order": order}, f"order={order!r} is not in capabilities.orders")
        self._refused({"page_size": self.can.max_page_size + 1}, "page_size is above capabilities.max_page_size")

    def test_calls_that_are_not_listed_are_refused(self) -> None:
        """`before=`, `count()` and `customer(external_id=…)`."""
        if not self.can.backwards:
            self._refused({"before": "made-up"}, "capabilities.backwards is false")
        stage = self.stage(1)
        if not self.can.total:
            _, error = result(stage.client().count)
            expect(isinstance(error, UnsupportedError), f"count() without capabilities.total ended in {error!r}")
        if "external_id" not in set(self.can.get_by):
            _, error = result(stage.client().customer, external_id="made-up")
            expect(isinstance(error, UnsupportedError), f"customer(external_id=…) ended in {error!r}")
        self._nothing_sent(stage.line.requests, "a call that capabilities does not list")

    def test_what_is_listed_is_taken(self) -> None:
        """Each filter, status, sort and order of `capabilities` makes a query."""
        adapter = self.stage(0).adapter
        listed: list[dict[str, Any]] = [*some_filters(adapter, self.can)]
        listed += [{"status": word} for word in self.can.statuses]
        listed += [{"sort": name} for name in self.can.sorts] + [{"order": order} for order in self.can.orders]
        for keywords in listed:
            _, error = result(self.stage(1).client().customers, **keywords)
            expect(error is None, f"capabilities lists {keywords}, and it is refused: {error}")

    def test_parameters_that_the_adapter_sends_itself_are_refused(self) -> None:
        """In `params=`, they would contradict the keywords: each name in the addresses of its own lists."""
        stage = self.stage(2 * self.small)
        for keywords in ({}, *some_filters(stage.adapter, self.can), *self._orders()):
            result(list, stage.client().customers(page_size=self.small, **keywords))
        names = {name for request in stage.line.requests for name, _ in parse_qsl(urlsplit(request.url).query)}
        for name in sorted(names):
            self._refused(
                {"params": {name: "1"}}, f"the adapter sends {name} itself: call refuse_own() in check_query()"
            )

    def _orders(self) -> list[dict[str, Any]]:
        return [{"sort": name} for name in self.can.sorts[:1]] + [{"order": name} for name in self.can.orders[:1]]

    def _refused(self, keywords: dict[str, Any], why: str) -> None:
        stage = self.stage(1)
        listing, error = result(stage.client().customers, **keywords)
        if error is None and listing is not None:
            _, error = result(list, listing)
        right = isinstance(error, UnsupportedError | InvalidRequestError) and not isinstance(error, ConflictError)
        expect(right, f"{why}, and customers({', '.join(keywords)}=…) was not refused but ended in {error!r}")
        self._nothing_sent([*stage.line.requests, *stage.line.sign_ins], f"{why}, and it is refused, but")

    @staticmethod
    def _nothing_sent(requests: list[Any], where: str) -> None:
        expect(not requests, f"{where} {len(requests)} requests were sent before the refusal")
