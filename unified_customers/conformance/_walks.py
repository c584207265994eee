"""Checks of whole walks over a server at rest: everybody, once each, however many there are."""

from __future__ import annotations

from ..adapter import Customer
from ..errors import CustomersError
from ._driving import over_async_http, over_http, run
from ._saying import exactly, expect, no_error, outcome, result
from ._stage import Setup


class Walks(Setup):
    """Walks of every size."""

    def test_every_customer_comes_once_whatever_the_size(self) -> None:
        """None, one, a full page, one more: in pages of several sizes, nobody is missing and nobody comes twice."""
        for size in self.page_sizes():
            for n in range(2 * size + 2):
                stage = self.stage(n)
                where = f"a list of {n} customers, read in pages of {size},"
                got, error = outcome(stage.client().customers(page_size=size))
                no_error(error, where)
                exactly(got, stage.ids, where)

    def test_the_largest_page_is_taken(self) -> None:
        """Without `page_size`, the adapter asks for its `max_page_size`, which the provider grants."""
        stage = self.stage(self.small + 1)
        got, error = outcome(stage.client().customers())
        no_error(error, "a list read without page_size")
        exactly(got, stage.ids, "a list read without page_size")

    def test_page_size_is_asked_for(self) -> None:
        """Pages of one take as many requests as there are customers."""
        stage = self.stage(4)
        listing = stage.client().customers(page_size=1)
        outcome(listing)
        expect(
            listing.report.requests >= 4,
            f"4 customers in pages of 1 came with {listing.report.requests} requests: list_request() has to send "
            "query.page_size, and your fake server has to keep to it, or no check of paging means anything",
        )

    def test_the_end_is_found_at_exact_multiples(self) -> None:
        """When the last page is just full, the walk ends there: soon, and without an error."""
        for size in self.page_sizes():
            for full in (1, 2, 3):
                stage = self.stage(full * size)
                where = f"a list of {full} full pages of {size}"
                got, error = outcome(stage.client().customers(page_size=size))
                no_error(error, where)
                exactly(got, stage.ids, where)
                asked = len(stage.line.requests)
                expect(asked <= 3 * full + 6, f"{where} took {asked} requests to find its end")

    def test_max_items_hands_out_so_many_and_the_checkpoint_has_the_rest(self) -> None:
        """Also when it cuts a page."""
        n = 2 * self.small + 1
        for most in range(n + 2):
            stage = self.stage(n)
            listing = stage.client().customers(page_size=self.small, max_items=most)
            first, error = outcome(listing)
            no_error(error, f"a walk with max_items={most}")
            expect(len(first) == min(most, n), f"max_items={most} brought {len(first)} of {n} customers")
            rest, error = outcome(stage.client().customers(page_size=self.small, after=listing.checkpoint))
            no_error(error, f"the rest of a walk with max_items={most}")
            exactly([*first, *rest], stage.ids, f"a walk with max_items={most}, and the rest from its checkpoint,")

    def test_a_second_walk_brings_the_same(self) -> None:
        """Nothing of the first walk is left in the adapter."""
        stage = self.pages(2, 1)
        client = stage.client()
        for turn in ("first", "second"):
            got, error = outcome(client.customers(page_size=self.small))
            no_error(error, f"the {turn} walk of one client")
            exactly(got, stage.ids, f"the {turn} walk of one client")

    def test_two_walks_in_turns_do_not_disturb_each_other(self) -> None:
        """Each has its own place: an adapter is shared by all walks of a client."""
        stage = self.pages(2, 1)
        client = stage.client()
        walks = [iter(client.customers(page_size=self.small)) for _ in range(2)]
        got: list[list[Customer]] = [[], []]
        for _ in stage.ids:
            for walk, mine in zip(walks, got, strict=True):
                customer, error = result(next, walk, None)
                no_error(error, "one of two walks read in turns")
                mine.extend([] if customer is None else [customer])
        for mine in got:
            exactly(mine, stage.ids, "one of two walks read in turns")

    def test_sync_and_async_clients_bring_the_same(self) -> None:
        """Over real httpx clients, which refuse requests that can't be sent."""
        n = 2 * self.small + 1
        stage, later = self.stage(n), self.stage(n)
        got, error = outcome(over_http(stage.adapter, stage.line).customers(page_size=self.small))
        self._came(stage.line.broken, error, "a walk with Client over httpx")
        exactly(got, stage.ids, "a walk with Client over httpx")

        async def read() -> list[Customer]:
            client = over_async_http(later.adapter, later.line)
            return [customer async for customer in client.customers(page_size=self.small)]

        found, error = result(run, read)
        self._came(later.line.broken, error, "a walk with AsyncClient over httpx")
        exactly(found, later.ids, "a walk with AsyncClient over httpx")

    @staticmethod
    def _came(broken: AssertionError | None, error: CustomersError | None, where: str) -> None:
        if broken is not None:
            raise broken
        no_error(error, where)
