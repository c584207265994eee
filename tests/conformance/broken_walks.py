"""The shop, broken in how it walks: pages, circles, checkpoints, lists that move."""

from __future__ import annotations

import asyncio
import json
from typing import ClassVar

import attrs
from proof import proves
from shop import FakeShop, Shop, answer

import unified_customers as uc
from unified_customers import adapter as a

# Whole walks


@proves("every_customer_comes_once_whatever_the_size", "never came, and no error was raised")
class EndsAtAPageOfOne(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        return attrs.evolve(batch, next=None) if len(batch.items) == 1 else batch


@proves("every_customer_comes_once_whatever_the_size", "came, which")
class MakesOneUp(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        return attrs.evolve(batch, items=[*batch.items, a.Customer(provider="shop", id="total")])


@proves("the_largest_page_is_taken", "read without page_size")
class GrantsFive(FakeShop):
    def page(self, query):
        return answer(400, {}) if int(query.get("limit", ["1"])[0]) > 5 else super().page(query)


@proves("page_size_is_asked_for", "query.page_size")
class AlwaysAsksForTen(Shop):
    def list_request(self, query, position):
        return super().list_request(attrs.evolve(query, page_size=10), position)


@proves("the_end_is_found_at_exact_multiples", "full pages of 1 ended in PaginationError")
class NeverExpectsAnEmptyPage(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        if position.cursor and not batch.items and not batch.recovered:
            raise uc.PaginationError("sent an empty page")
        full = len(batch.items) == query.page_size
        return attrs.evolve(batch, next=batch.at(len(batch.items)) if full else None)


@attrs.frozen(kw_only=True)
class Doubt:
    """A position that was asked for so many times."""

    of: a.Position
    times: int = 0


@proves("the_end_is_found_at_exact_multiples", "requests to find its end")
class AsksEachPageTenTimes(Shop):
    positions: ClassVar = (Doubt, *Shop.positions)

    def start(self, query):
        return Doubt(of=super().start(query))

    def list_request(self, query, position):
        return super().list_request(query, position.of)

    def read_page(self, query, position, response, keep):
        if position.times < 9:
            again = attrs.evolve(position, times=position.times + 1)
            return a.Batch(items=(), at=lambda n: position, next=again, recovered=True)
        batch = super().read_page(query, position.of, response, keep)
        following = None if batch.next is None else Doubt(of=batch.next)
        return attrs.evolve(batch, at=lambda n: Doubt(of=batch.at(n)), next=following)


@proves("max_items_hands_out_so_many_and_the_checkpoint_has_the_rest", "the rest from its checkpoint,: ")
class StandsAfterItsPage(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        return attrs.evolve(batch, at=lambda n: batch.at(len(batch.items) if n else 0))


@proves("a_second_walk_brings_the_same", "the second walk of one client")
class RemembersWhoCame(Shop):
    def read_page(self, query, position, response, keep):
        seen = self.__dict__.setdefault("seen", set())
        batch = super().read_page(query, position, response, keep)
        fresh = [customer for customer in batch.items if customer.id not in seen]
        seen.update(customer.id for customer in fresh)
        return attrs.evolve(batch, items=fresh)


@proves("two_walks_in_turns_do_not_disturb_each_other", "one of two walks read in turns")
class KeepsItsPlace(Shop):
    def list_request(self, query, position):
        mine = self.__dict__.get("cursor") if position.cursor else None
        return super().list_request(query, attrs.evolve(position, cursor=mine))

    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        self.__dict__["cursor"] = batch.next.cursor if batch.next else None
        return batch


@proves("sync_and_async_clients_bring_the_same", "your fake server raised ValueError: who is that?")
class KnowsItsClients(FakeShop):
    def __call__(self, request):
        if "user-agent" in dict(request.headers):
            raise ValueError("who is that?")
        return super().__call__(request)


@proves("sync_and_async_clients_bring_the_same", "your adapter let RuntimeError through")
class CanNotBeAwaited(Shop):
    def list_request(self, query, position):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().list_request(query, position)
        raise RuntimeError("asyncio.run() cannot be called from a running event loop")


@proves("sync_and_async_clients_bring_the_same", "a walk with Client over httpx ended in ConnectionFailedError")
class SendsANumberInAHeader(Shop):
    def list_request(self, query, position):
        return super().list_request(query, position).with_headers(("x-page-size", query.page_size))


# Servers that lead in circles


@attrs.frozen(kw_only=True)
class Step:
    """Counts its pages, so that no place ever comes again."""

    cursor: str | None = None
    known: tuple[str, ...] = ()
    n: int = 0


@proves("a_page_that_is_sent_for_ever_ends_the_walk", "goes on and on")
@proves("a_promise_of_more_that_is_never_kept_ends_the_walk", "goes on and on")
class CountsItsPages(Shop):
    positions: ClassVar = (Step,)

    def start(self, query):
        return Step()

    def read_page(self, query, position, response, keep):
        body = a.obj(a.decode(response))
        customers = [self.customer_of(raw, f"$.rows[{n}]") for n, raw in enumerate(body["rows"])]
        fresh = [customer for customer in customers if customer.id not in position.known]

        def at(count):
            known = (*position.known, *(customer.id for customer in fresh[:count]))
            return Step(cursor=known[-1] if known else None, known=known, n=position.n + 1)

        return a.Batch(items=fresh, at=at, next=at(len(fresh)) if body["more"] else None)


@proves("a_page_that_is_sent_for_ever_ends_the_walk", "never came, and no error was raised")
@proves("pages_in_a_circle_end_the_walk", "never came, and no error was raised")
@proves("a_page_that_is_sent_twice_loses_nobody", "never came, and no error was raised")
class TakesKnownCustomersForTheEnd(Shop):
    def read_page(self, query, position, response, keep):
        ids = [raw["id"] for raw in json.loads(response.body).get("rows", [])] if response.status == 200 else []
        if ids and all(id_ in position.trail for id_ in ids):
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


# Checkpoints


@proves("a_walk_goes_on_after_every_customer", "came more than once")
class StandsBeforeItsPage(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        return attrs.evolve(batch, at=lambda n: batch.at(n) if n == len(batch.items) else position)


@attrs.frozen(kw_only=True)
class Handle:
    """The number of a position that is kept elsewhere."""

    number: int


@proves("a_walk_goes_on_after_every_page", "let KeyError through")
class KeepsItsPositionsInMemory(Shop):
    positions: ClassVar = (Handle,)

    def start(self, query):
        return self.kept(super().start(query))

    def kept(self, position):
        memory = self.__dict__.setdefault("memory", {})
        memory[len(memory)] = position
        return Handle(number=len(memory) - 1)

    def real(self, position):
        return self.__dict__.get("memory", {})[position.number]

    def list_request(self, query, position):
        return super().list_request(query, self.real(position))

    def understands(self, query, position, response):
        return super().understands(query, self.real(position), response)

    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, self.real(position), response, keep)
        at = batch.at
        following = None if batch.next is None else self.kept(batch.next)
        return attrs.evolve(batch, at=lambda n: self.kept(at(n)), next=following)


@proves("every_position_survives_as_text", "is missing in your adapter's `positions`")
class ListsNoPositions(Shop):
    positions: ClassVar = ()


@proves("every_position_survives_as_text", "is no attrs class")
class StandsAtAText(Shop):
    def read_page(self, query, position, response, keep):
        return attrs.evolve(super().read_page(query, position, response, keep), at=lambda n: f"place {n}")


@attrs.frozen(kw_only=True)
class Lossy:
    """Its cursor has another mark after each reading."""

    cursor: str | None = attrs.field(default=None, converter=lambda cursor: cursor and f"{cursor}'")
    trail: tuple[str, ...] = ()


@proves("every_position_survives_as_text", "as another value")
class MarksItsCursors(Shop):
    positions: ClassVar = (Lossy,)

    def start(self, query):
        return Lossy(cursor="c")

    def list_request(self, query, position):
        return super().list_request(query, a.cursors.CursorPosition())

    def read_page(self, query, position, response, keep):
        return attrs.evolve(super().read_page(query, a.cursors.CursorPosition(), response, keep), next=None)


@proves("a_checkpoint_of_another_account_is_refused", "went on at another base_url")
class KnowsOneAccount(Shop):
    def account(self):
        return ("shop",)


@proves("a_checkpoint_of_another_account_is_refused", "account() holds a secret")
class IsKnownByItsKey(Shop):
    def account(self):
        return self.base_url, self.api_key


@proves("a_checkpoint_of_another_query_is_refused", "keep the query's filters")
class ForgetsTheFilters(Shop):
    def check_query(self, query):
        return a.Query(page_size=query.page_size)


# Lists that move


@proves("who_stays_comes_once_while_others_go_and_come", "never came, without an error")
class TakesALostCursorForTheEnd(Shop):
    def read_page(self, query, position, response, keep):
        if response.status == 410:
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


@proves("who_stays_comes_once_while_others_go_and_come", "ended in NotFoundError")
class KnowsNoLostCursor(Shop):
    def understands(self, query, position, response):
        return False


@proves("who_stays_comes_once_while_others_go_and_come", "walks gave up")
class GivesUpSoon(Shop):
    def read_page(self, query, position, response, keep):
        if position.cursor:
            raise uc.DriftError("may have moved")
        return super().read_page(query, position, response, keep)
