"""What breaks the checks of writing: an adapter or a server that is wrong in one way."""

from __future__ import annotations

import json

import attrs
from proof import able, proves
from shop import FakeShop, Shop, answer

import unified_customers as uc
from unified_customers import adapter as a


@proves("a_created_customer_comes_back_as_it_was_sent", "shows other values than were sent: email")
class ForgetsTheEmail(Shop):
    def writing(self, method, path, what, fields):
        return super().writing(method, path, what, {name: fields[name] for name in fields if name != "email"})


@proves("a_created_customer_comes_back_as_it_was_sent", "check_create() refuses the values of a customer")
class MindsTooMuch(Shop):
    def faults(self, fields, *, creating):
        return [a.Fault("name", "is not nice")]


@proves("a_created_customer_comes_back_as_it_was_sent", "read again, shows another email")
class SaysAndForgets(FakeShop):
    def make(self, sent):
        made = super().make(sent)
        next(reversed(self.records.values()))["email"] = None
        return made


@proves("a_created_customer_comes_back_as_it_was_sent", "your server has 2 customers where it had 2")
class MakesNobody(FakeShop):
    def make(self, sent):
        made = super().make(sent)
        self.records.popitem()
        return made


@proves("a_create_whose_answer_is_lost_is_never_done_twice", "where capabilities.unique promises")
class NeverFindsAnybody(Shop):
    def only(self, response):
        raise uc.NotFoundError("has no customer with this external_id")


@proves("a_create_whose_answer_is_lost_is_never_done_twice", "made 2 customers")
class NeverFindsAndKeepsNothingApart(FakeShop):
    def taken(self, ref):
        return False

    def rows(self, query):
        return [] if "ref" in query else super().rows(query)


@proves("a_taken_external_id_is_a_conflict", "that is taken ended in None")
class KeepsNothingApart(FakeShop):
    def taken(self, ref):
        return False


@proves("an_update_changes_what_is_named_and_nothing_else", "changed metadata as well")
class ClearsTheRest(Shop):
    def writing(self, method, path, what, fields):
        rest = {"metadata": {}} if method == "PATCH" and "metadata" not in fields else {}
        return super().writing(method, path, what, {**fields, **rest})


@proves("an_update_changes_what_is_named_and_nothing_else", "of one customer changed another")
class ChangesEverybody(FakeShop):
    def write(self, request, id, query):
        if request.method == "PATCH":
            for record in self.records.values():
                record.update(json.loads(request.body))
        return super().write(request, id, query)


@proves("an_update_whose_answer_is_lost_is_repeated", "that was heard and met a dropped connection")
class UpdatesUnsafely(Shop):
    def update(self, id, fields, current):
        return [(attrs.evolve(request, safe=False), read) for request, read in super().update(id, fields, current)]


@proves("a_removed_customer_is_gone", "the customer is there as before")
class RemovesNobody(FakeShop):
    def write(self, request, id, query):
        return answer(204, None) if request.method == "DELETE" else super().write(request, id, query)


@proves("a_removed_customer_is_gone", "archive(id) that met a dropped connection")
class FindsNobodyTwice(Shop):
    def problem(self, response):
        return attrs.evolve(super().problem(response), cls=uc.ConflictError if response.status == 404 else None)


@proves("nobody_to_change_or_remove_is_not_found", "update() of an unknown id ended in None")
class MakesWhomItMisses(FakeShop):
    def write(self, request, id, query):
        self.records.setdefault(id, {**self.made_up(9), "id": id})
        return super().write(request, id, query)


@proves("hostile_ids_stay_in_their_place_when_written", "use url()")
class GluesIds(Shop):
    def removal(self, id, *query):
        request, read = super().removal("x", *query)
        return attrs.evolve(request, url=f"{self.base_url}/customers/{id}"), read


able("the_adapter_says_what_it_is", "capabilities.creates lists ['mail']", creates=("mail",), requires=())
able("the_adapter_says_what_it_is", "capabilities.address lists ['country_code']", address=("country_code",))
able("the_adapter_says_what_it_is", "capabilities.requires lists ['company']", requires=("company",))
able("the_adapter_says_what_it_is", "capabilities.clears lists ['company']", clears=("company",))
able("the_adapter_says_what_it_is", "capabilities.unique needs external_id", get_by=("id",))
