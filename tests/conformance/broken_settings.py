"""The shop, broken in what it can, refuses, is, and gives away."""

from __future__ import annotations

import itertools
import json
import logging
from typing import ClassVar

import attrs
from proof import able, proves
from shop import KEY, OWN, FakeShop, Shop, answer

import unified_customers as uc
from unified_customers import adapter as a

# Filters, sorts, directions, totals


@proves("each_filter_brings_exactly_those_that_match", "a list with ids=")
class SendsTheFirstOfSeveral(Shop):
    def list_request(self, query, position):
        return super().list_request(attrs.evolve(query, ids=query.ids and query.ids[:1]), position)


@proves("each_filter_brings_exactly_those_that_match", "ended in FilterIgnoredError")
class SendsNoStatus(Shop):
    def list_request(self, query, position):
        return super().list_request(attrs.evolve(query, status=None), position)


@proves("each_filter_brings_exactly_those_that_match", "at least two different values of email")
class OneEmailForAll(FakeShop):
    def __init__(self, n):
        super().__init__(n)
        for record in self.records.values():
            record["email"] = "one@mail.example"


@proves("each_filter_brings_exactly_those_that_match", "there is no word for it")
class HasNoWordsForKinds(Shop):
    kind_words: ClassVar = {}


@proves("any_status_brings_all_that_a_plain_list_has_and_no_less", "status='any' lacks")
class TakesAnyForArchived(Shop):
    def list_request(self, query, position):
        word = "closed" if query.status == "any" else query.status
        return super().list_request(attrs.evolve(query, status=word), position)


@proves("an_ignored_filter_is_noticed", "a server that ignores email went unnoticed")
class BelievesInFilters(Shop):
    def breaks(self, query, customer):
        return None


@proves("each_sort_brings_everybody_once", "did not come in order of created_at, asc")
class SendsNoDirection(Shop):
    def list_request(self, query, position):
        return super().list_request(attrs.evolve(query, order=None), position)


@proves("a_walk_backwards_brings_those_before", "a walk backwards from customer")
class StartsBackwardsOneTooFar(FakeShop):
    def page(self, query):
        known = query.get("before", [None])[0] in self.records
        body = json.loads(super().page(query).body)
        return answer(200, {**body, "rows": body["rows"][1:]} if known and len(body["rows"]) > 1 else body)


@proves("count_agrees_with_the_list", "count() of 0 customers is 1")
class CountsOneMore(Shop):
    def count(self, query):
        [(request, read)] = super().count(query)
        return ((request, lambda response: read(response) + 1),)


@proves("check_finds_an_empty_account_and_a_full_one", "lists are read by 'pages'")
class ReadsByPages(Shop):
    def read_page(self, query, position, response, keep):
        return attrs.evolve(super().read_page(query, position, response, keep), scan="pages")


@proves("check_finds_an_empty_account_and_a_full_one", "check() of 0 customers found 1")
class FindsOneMore(Shop):
    def read_page(self, query, position, response, keep):
        batch = super().read_page(query, position, response, keep)
        return attrs.evolve(batch, items=[*batch.items, a.Customer(provider="shop", id="total")])


# Refusals


FILTERS = Shop.capabilities.filters
able("filters_that_are_not_listed_are_refused", "email is not in capabilities.filters", filters=("email"))
able(
    "filters_that_are_not_listed_are_refused",
    "status='any': status is not",
    filters=tuple(name for name in FILTERS if name != "status"),
)
able("words_that_are_not_listed_are_refused", "status='archived' is not in", statuses=("active", "any"))
able("sorts_orders_and_sizes_that_are_not_listed_are_refused", "sort='created_at' is not in", sorts=("created_at"))
able("calls_that_are_not_listed_are_refused", "customer(external_id=…) ended in", get_by=("external_id"))
able("what_is_listed_is_taken", "capabilities lists {'status': 'draft'}", statuses=("active", "archived", "draft"))


@proves("sorts_orders_and_sizes_that_are_not_listed_are_refused", "requests were sent before the refusal")
class RefusesTooLate(Shop):
    capabilities: ClassVar = attrs.evolve(Shop.capabilities, sorts="created_at")

    def read_page(self, query, position, response, keep):
        if query.sort:
            raise uc.UnsupportedError("can't sort by that")
        return super().read_page(query, position, response, keep)


@proves("parameters_that_the_adapter_sends_itself_are_refused", "call refuse_own() in check_query()")
class TakesAnyParameter(Shop):
    def check_query(self, query):
        a.refuse_own(query, [name for name in OWN if name != "limit"])
        return query


# The adapter as a value


@proves("the_adapter_is_a_frozen_value", "can be set")
class CanBeChanged(Shop):
    __setattr__ = object.__setattr__


@proves("the_adapter_is_a_frozen_value", "two adapters of the same settings differ")
class IsEqualToItselfAlone(Shop):
    __eq__ = object.__eq__
    __hash__ = object.__hash__


@proves("the_adapter_is_a_frozen_value", "adapters of two addresses are equal")
class IsEqualToAll(Shop):
    def __eq__(self, other):
        return isinstance(other, Shop)

    def __hash__(self):
        return 1


@proves("the_adapter_says_what_it_is", "the adapter's name is 'My Shop'")
class HasANameOfTwoWords(Shop):
    name: ClassVar = "My Shop"


able("the_adapter_says_what_it_is", "capabilities.filters lists ['mail']", filters=("mail",))
able("the_adapter_says_what_it_is", "capabilities.sorts is a str", sorts=("created_at"))


@proves("the_adapter_says_what_it_is", "environment names the settings ['key']")
class NamesAnotherSetting(Shop):
    environment: ClassVar = {"key": "KEY"}


able("the_adapter_says_what_it_is", "a number of 1 or more", max_page_size=0)
able("the_adapter_says_what_it_is", "has to list 'id'", get_by=("external_id",))
able("the_adapter_says_what_it_is", "which status_words does not spell", statuses=("active", "gone"))


@proves("the_adapter_says_what_it_is", "the adapter's title is empty")
class HasNoTitle(Shop):
    title: ClassVar = ""


@proves("the_adapter_says_what_it_is", "capabilities is no Capabilities")
class SaysLittle(Shop):
    capabilities: ClassVar = {"filters": ()}


COUNTER = itertools.count()


@proves("the_same_question_makes_the_same_request", "list_request() of the same query and position differs")
class NumbersItsRequests(Shop):
    def list_request(self, query, position):
        return super().list_request(query, position).with_headers(("x-request-id", str(next(COUNTER))))


@proves("the_same_question_makes_the_same_request", "one() of the same id makes different requests")
class NumbersItsSingleRequests(Shop):
    def one(self, *, id, external_id):
        request, read = super().one(id=id, external_id=external_id)
        return request.with_headers(("x-request-id", str(next(COUNTER)))), read


@proves("the_same_answer_makes_the_same_batch", "read_page() of the same answer differs")
class NumbersItsBatches(Shop):
    def read_page(self, query, position, response, keep):
        return attrs.evolve(super().read_page(query, position, response, keep), total=next(COUNTER))


@proves("requests_go_to_the_account_s_own_address", "a request went to shop.example")
class SignsInElsewhere(Shop):
    def sign_in_request(self):
        return attrs.evolve(super().sign_in_request(), url="https://shop.example/token")


@proves("requests_go_to_the_account_s_own_address", "a request needs words in `what`")
class SaysNotWhatFor(Shop):
    def list_request(self, query, position):
        return attrs.evolve(super().list_request(query, position), what="")


@proves("requests_go_to_the_account_s_own_address", "a secret stands in a request's address")
class SendsItsKeyInTheAddress(Shop):
    def sign_in_request(self):
        request = super().sign_in_request()
        return attrs.evolve(request, url=f"{request.url}?key={KEY}")


# Secrets


@proves("the_adapter_shows_no_secret", "the adapter's repr shows a secret")
class ShowsItsKey(Shop):
    def __repr__(self):
        return f"Shop({self.api_key})"


@proves("the_adapter_shows_no_secret", "none of them empty")
class HasAnEmptySecret(Shop):
    def secrets(self):
        return (*super().secrets(), "")


@proves("the_adapter_shows_no_secret", "the headers ['x-api-key'] carry something")
@proves("errors_tell_nothing_about_anybody", "an error 400 of customer()")
class NamesNoSecret(Shop):
    def secrets(self):
        return ()


@proves("a_walk_tells_nothing_about_anybody", "a walk shows")
class LogsWhoCame(Shop):
    def customer_of(self, raw, path):
        logging.getLogger("shop").debug("read %s", raw.get("email"))
        return super().customer_of(raw, path)


@proves("bad_records_tell_nothing_about_anybody", "a bad record (")
class QuotesBadRecords(Shop):
    def customer_of(self, raw, path):
        try:
            return super().customer_of(raw, path)
        except uc.BadRecordError as error:
            raise uc.BadRecordError(f"sent a customer that can't be read: {raw}", path=error.path) from None


@proves("broken_answers_tell_nothing_about_anybody", "an answer that is")
class QuotesBrokenAnswers(Shop):
    def read_page(self, query, position, response, keep):
        try:
            return super().read_page(query, position, response, keep)
        except uc.MalformedResponseError:
            raise uc.MalformedResponseError(f"sent {response.body!r}") from None
