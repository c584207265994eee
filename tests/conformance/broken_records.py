"""The shop, broken in how it reads records, the fields in them, and one customer."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import quote

import attrs
from proof import proves, reading
from shop import FakeShop, Record, Shop, answer

import unified_customers as uc
from unified_customers import adapter as a

# Odd records


reading("numeric_ids_are_their_digits", "never came", lambda c, raw, _: attrs.evolve(c, id=raw["id"]))
reading("unknown_keys_are_kept_and_do_no_harm", "missing in raw", lambda c, raw, _: attrs.evolve(c, raw=known(raw)))
reading("long_and_strange_ids_come_as_they_are", "never came", lambda c, *_: attrs.evolve(c, id=c.id.strip()))


def known(raw: Any) -> a.ReadOnlyDict:
    names = {field.name for field in attrs.fields(Record)}
    return a.ReadOnlyDict({name: value for name, value in raw.items() if name in names})


@proves("a_record_without_an_id_is_a_bad_record_that_can_be_left_out", "not in BadRecordError")
@proves("a_record_that_is_no_object_is_a_bad_record_that_can_be_left_out", "not in BadRecordError")
class DropsBadRecords(Shop):
    def row(self, raw, path, keep):
        return super().row(raw, path, lambda error: None)


@proves("a_record_without_an_id_is_a_bad_record_that_can_be_left_out", "the record stands at [1]")
class SaysNotWhere(Shop):
    def row(self, raw, path, keep):
        return super().row(raw, "$", keep)


@proves("a_record_without_an_id_is_a_bad_record_that_can_be_left_out", "is counted 2 times")
class CountsTwice(Shop):
    def row(self, raw, path, keep):
        def twice(error):
            keep(error)
            return keep(error)

        return super().row(raw, path, twice)


@proves("a_stand_in_takes_the_place_of_a_bad_record", "'uc-stand-in' never came")
class TakesNoStandIns(Shop):
    def row(self, raw, path, keep):
        def dropped(error):
            keep(error)

        return super().row(raw, path, dropped)


@proves("a_record_that_stands_twice_in_a_page_comes_once", "the report counts no duplicate")
class DropsDoubles(Shop):
    def read_page(self, query, position, response, keep):
        body = a.error_body(response)
        rows = {str(raw): raw for raw in body.get("rows", [])}
        once = {**body, "rows": list(rows.values())}
        return super().read_page(query, position, attrs.evolve(response, body=a.body(once)), keep)


@proves("a_record_that_stands_twice_in_a_page_comes_once", "ended in PaginationError")
class RefusesDoubles(Shop):
    def read_page(self, query, position, response, keep):
        ids = [str(raw) for raw in json.loads(response.body).get("rows", [])]
        if len(ids) > len(set(ids)):
            raise uc.PaginationError("sent the same customer twice")
        return super().read_page(query, position, response, keep)


# Fields


@proves("null_in_any_field_is_none", "the text 'None'")
@proves("a_value_of_another_type_is_never_coerced", "is the text '5'")
class Careless(Shop):
    """Reads names and e-mails as Python's str() makes them."""

    def customer_of(self, raw, path):
        loose = {**raw, "name": None, "email": None} if isinstance(raw, dict) else raw
        customer = super().customer_of(loose, path)
        return attrs.evolve(customer, name=str(raw.get("name")), email=str(raw.get("email")), raw=a.ReadOnlyDict(raw))


@proves("null_in_any_field_is_none", "ended in BadRecordError")
class WantsAName(Shop):
    def customer_of(self, raw, path):
        customer = super().customer_of(raw, path)
        if customer.name is None:
            raise uc.BadRecordError("sent a customer without a name", path=path)
        return customer


@proves("null_in_any_field_is_none", "brought 0 of 2 customers")
@proves("records_of_nulls_are_customers_with_an_id", "brought 0 of 2 customers")
@proves("a_value_of_another_type_is_never_coerced", "brought 0 of 2 customers")
class DropsWhoHasNoName(Shop):
    def row(self, raw, path, keep):
        return super().row(raw, path, keep) if isinstance(raw.get("name"), str) else None


@proves("records_of_nulls_are_customers_with_an_id", "the text 'None'")
class NamesThemAll(Shop):
    def customer_of(self, raw, path):
        customer = super().customer_of(raw, path)
        return customer if customer.email else attrs.evolve(customer, phone=str(customer.phone))


@proves("a_value_of_another_type_is_never_coerced", "error.path is '$.ref'")
class NamesNoPlace(Shop):
    def row(self, raw, path, keep):
        return super().row(raw, "$", keep)


@proves("records_of_nulls_are_customers_with_an_id", "ended in BadRecordError")
class WantsSomething(Shop):
    def customer_of(self, raw, path):
        customer = super().customer_of(raw, path)
        if not any((customer.name, customer.email, customer.external_id, customer.status)):
            raise uc.BadRecordError("sent a customer without anything", path=path)
        return customer


def known_status(customer: a.Customer) -> a.Customer:
    return customer if isinstance(customer.status, a.Status) else attrs.evolve(customer, status=None)


def provider_s_word(customer: a.Customer) -> a.Customer:
    return attrs.evolve(customer, status=customer.raw_status)


def unsendable(customer: a.Customer) -> a.Customer:
    return attrs.evolve(customer, metadata={"later": (n for n in ())})


def only_known(customer: a.Customer) -> a.Customer:
    return customer if isinstance(customer.status, a.Status) else attrs.evolve(customer, raw_status="open")


def spelt(customer: a.Customer) -> a.Customer:
    return attrs.evolve(customer, raw_status=(customer.raw_status or "").upper())


def naive(customer: a.Customer) -> a.Customer:
    return attrs.evolve(customer, created_at=dt.datetime(2024, 1, 1))  # noqa: DTZ001 - that is what is wrong with it


reading("unknown_words_for_status_and_kind_stay_plain_text", "brought None", lambda c, *_: known_status(c))
reading("known_words_for_status_and_kind_are_ours", "status_words gives for", lambda c, *_: provider_s_word(c))
reading("times_are_aware_and_in_utc", "not an aware datetime", lambda c, *_: naive(c))
reading("raw_is_the_whole_record_and_read_only", "raw can be changed", lambda c, *_: attrs.evolve(c, raw=dict(c.raw)))
reading(
    "raw_is_the_whole_record_and_read_only", "whole: raw=", lambda c, *_: attrs.evolve(c, raw=a.ReadOnlyDict(id=c.id))
)
reading("customers_are_values_that_travel", "provider is 'Shop'", lambda c, *_: attrs.evolve(c, provider="Shop"))
reading("customers_are_values_that_travel", "name is int, and a text", lambda c, *_: attrs.evolve(c, name=5))
reading("customers_are_values_that_travel", "survive pickle", lambda c, *_: unsendable(c))
reading("customers_are_values_that_travel", "survive to_dict()", lambda c, *_: attrs.evolve(c, metadata={1: ""}))
reading("unknown_words_for_status_and_kind_stay_plain_text", "stands nowhere in", lambda c, *_: spelt(c))
reading("unknown_words_for_status_and_kind_stay_plain_text", "not the word as sent", lambda c, *_: only_known(c))
reading("customers_are_values_that_travel", "email is an empty text", lambda c, *_: attrs.evolve(c, email=""))


# One customer


class Single(Shop):
    """Makes requests for one customer, and reads their answers, in its own way."""

    def one(self, *, id, external_id):
        request, read = super().one(id=id, external_id=external_id)
        url = self.address(id, external_id) or request.url
        return attrs.evolve(request, url=url), lambda response: self.found(read(response), id)

    def address(self, id, external_id):
        return None

    def found(self, customer, id):
        return customer


@proves("one_customer_comes_by_its_id", "differs from the same one in the list")
class KeepsNoRaw(Single):
    def found(self, customer, id):
        return attrs.evolve(customer, raw=a.EMPTY)


@proves("an_unknown_id_is_not_found", "ended in ConflictError")
class CallsNobodyAConflict(Shop):
    def problem(self, response):
        return a.Problem(cls=uc.ConflictError if response.status == 404 else None)


@proves("one_customer_comes_by_its_external_id", "ended in MalformedResponseError")
class AsksForAnyReference(Single):
    def address(self, id, external_id):
        return f"{self.base_url}/customers" if external_id else None


@proves("one_customer_comes_by_its_external_id", "an unknown external id ended in ConflictError")
class CallsNobodyTwo(Shop):
    def only(self, response):
        try:
            return super().only(response)
        except uc.NotFoundError:
            raise uc.ConflictError("has several") from None


@proves("one_customer_comes_by_its_external_id", "made-up customers need external ids")
class HasNoReferences(FakeShop):
    def made_up(self, k):
        return {**super().made_up(k), "ref": None}


@proves("another_customer_is_refused", "took the answer for another customer")
class BelievesWhatItAskedFor(Single):
    def found(self, customer, id):
        return attrs.evolve(customer, id=id or customer.id)


@proves("hostile_ids_stay_in_their_place", "the id '../x'")
class WritesAddressesByHand(Single):
    def address(self, id, external_id):
        return f"{self.base_url}/customers/{id}" if id else None


@proves("hostile_ids_stay_in_their_place", "the id '../x' leads the request to 'provider.example..'")
class ForgetsASlash(Single):
    def address(self, id, external_id):
        return f"{self.base_url}{id}" if id else None


@proves("hostile_ids_stay_in_their_place", "stands unencoded in the address")
class EncodesAFewLetters(Single):
    def address(self, id, external_id):
        few = str.maketrans({letter: f"%{ord(letter):02X}" for letter in "%/?#. &=+;,@'\"<>\\\n"})
        return f"{self.base_url}/customers/{id.translate(few)}" if id else None


@proves("hostile_ids_stay_in_their_place", "is not one segment of the path")
class EncodesTwice(Single):
    def address(self, id, external_id):
        return a.url(self.base_url, "customers", quote(id, safe="")) if id else None


@proves("hostile_ids_stay_in_their_place", "became a step in the path")
class EncodesAllButDots(Single):
    def address(self, id, external_id):
        return f"{self.base_url}/customers/{quote(id, safe='')}" if id else None


@proves("hostile_ids_stay_in_their_place", "became a fragment")
class EncodesAllButHashes(Single):
    def address(self, id, external_id):
        dotted = quote(id, safe="#").replace(".", "%2E")
        return f"{self.base_url}/customers/{dotted}" if id else None


@proves("hostile_ids_stay_in_their_place", "customer('a b+c') ended in")
class ReadsPlusAsABlank(FakeShop):
    def __call__(self, request):
        answered = super().__call__(request)
        return answer(200, {"id": "a b c"}) if "b%2Bc" in request.url else answered


@proves("hostile_external_ids_stay_in_their_place", "the id '")
class WritesQueriesByHand(Single):
    def address(self, id, external_id):
        return f"{self.base_url}/customers?ref={external_id}" if external_id else None
