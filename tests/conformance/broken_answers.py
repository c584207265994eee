"""The shop, broken in how it takes answers: bodies, statuses, repeated requests, tokens."""

from __future__ import annotations

import json
from typing import ClassVar

import attrs
from proof import proves
from shop import TOKEN, Shop

import unified_customers as uc
from unified_customers import adapter as a

# Answers


@proves("a_body_that_is_no_page_is_never_the_end", "never came, and no error was raised")
class ReadsRowsIfThereAreAny(Shop):
    def read_page(self, query, position, response, keep):
        body = a.decode(response) if response.body.startswith(b"{") else {}
        whole = {"rows": body.get("rows", []), "more": body.get("more", False)}
        return super().read_page(query, position, attrs.evolve(response, body=a.body(whole)), keep)


@proves("a_cut_body_is_never_the_end", "never came, and no error was raised")
class ReadsWhatItCan(Shop):
    def read_page(self, query, position, response, keep):
        try:
            return super().read_page(query, position, response, keep)
        except uc.MalformedResponseError:
            return a.Batch(items=(), at=lambda n: position, next=None)


@proves("a_page_of_another_shape_is_never_the_end", "never came, and no error was raised")
class TakesNoListForAnEmptyOne(Shop):
    def read_page(self, query, position, response, keep):
        body = a.obj(a.decode(response))
        if not body.get("rows"):
            response = attrs.evolve(response, body=b'{"rows": [], "more": false}')
        return super().read_page(query, position, response, keep)


@proves("bytes_that_are_hard_to_read_are_read_or_refused", "Error through")
class ReadsWithJsonLoads(Shop):
    def read_page(self, query, position, response, keep):
        response = attrs.evolve(response, body=json.dumps(json.loads(response.body)).encode())
        return super().read_page(query, position, response, keep)


@proves("a_good_answer_may_have_another_good_status", "never came, and no error was raised")
class ReadsStatus200Only(Shop):
    def read_page(self, query, position, response, keep):
        if response.status not in {200, 410}:
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


# Error statuses


@proves("each_error_status_raises_its_class", "not in InvalidRequestError")
class BlamesTheServer(Shop):
    def problem(self, response):
        return a.Problem(cls=uc.ServerError)


@proves("each_error_status_raises_its_class", "let JSONDecodeError through")
class ExpectsJsonInErrors(Shop):
    def problem(self, response):
        return a.Problem(says=str(json.loads(response.body)))


@proves("each_error_status_raises_its_class", "ended a walk like an empty list")
class TakesNotFoundForNobody(Shop):
    def understands(self, query, position, response):
        return response.status == 404

    def read_page(self, query, position, response, keep):
        if response.status == 404:
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


@proves("each_error_status_of_one_customer_raises_its_class", "let KeyError through")
class ExpectsACodeInErrors(Shop):
    def problem(self, response):
        return a.Problem(code=a.error_body(response)["code"])


class ReadsAnyStatus(Shop):
    def understands(self, query, position, response):
        return True


proves("an_error_status_is_never_a_page", "was read")(ReadsAnyStatus)
proves("a_redirect_elsewhere_is_not_followed", "a redirect (301) to another host ended in MalformedResponse")(
    ReadsAnyStatus
)


# Repeated requests


@proves("a_fault_that_passes_is_not_noticed", "are your adapter's requests `safe`")
@proves("a_fault_that_stays_ends_in_an_error_after_so_many_attempts", "sent 1 requests")
class SendsUnsafely(Shop):
    def list_request(self, query, position):
        return attrs.evolve(super().list_request(query, position), safe=False)


@proves("what_can_not_help_is_not_repeated", "sent the same request again")
class TakesARefusalForAFault(Shop):
    def understands(self, query, position, response):
        return 400 <= response.status < 500

    def read_page(self, query, position, response, keep):
        if response.status >= 400:
            raise uc.MalformedResponseError("sent no list")
        return super().read_page(query, position, response, keep)


@proves("retry_after_is_waited_for", "ended in RateLimitedError")
class CountsItsOwnLimits(Shop):
    def understands(self, query, position, response):
        return response.status == 429

    def read_page(self, query, position, response, keep):
        if response.status == 429:
            raise uc.RateLimitedError("too many requests")
        return super().read_page(query, position, response, keep)


@proves("retry_after_is_waited_for", "a Retry-After of 30 years ended in RateLimitedError")
class GivesUpOnLongWaits(Shop):
    def understands(self, query, position, response):
        return response.status == 429 and len(response.headers.get("retry-after", "")) > 5

    def read_page(self, query, position, response, keep):
        if response.status == 429:
            raise uc.RateLimitedError("too many requests")
        return super().read_page(query, position, response, keep)


@proves("retry_after_is_waited_for", "waits of")
class WaitsOneSecond(Shop):
    def understands(self, query, position, response):
        return response.status == 429

    def read_page(self, query, position, response, keep):
        if response.status == 429:
            raise uc.MalformedResponseError("too many requests", retry_after=1.0)
        return super().read_page(query, position, response, keep)


@proves("a_fault_that_stays_ends_in_an_error_after_so_many_attempts", "met 429 for ever and ended without an error")
@proves("what_can_not_help_is_not_repeated", "was refused with 400 and ended without an error")
@proves("a_failed_page_is_asked_for_again_by_next", "a list in which request 1 met 429 ended without an error")
class TakesAnyRefusalForTheEnd(Shop):
    def understands(self, query, position, response):
        return 400 <= response.status < 500

    def read_page(self, query, position, response, keep):
        if response.status >= 400:
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


@proves("a_failed_page_is_asked_for_again_by_next", "gone on with by next(),: ")
class TakesASecondTryForTheEnd(Shop):
    def list_request(self, query, position):
        asked = self.__dict__.setdefault("asked", [])
        asked.append(position)
        return super().list_request(query, position)

    def read_page(self, query, position, response, keep):
        if self.__dict__.get("asked", []).count(position) > 1:
            return a.Batch(items=(), at=lambda n: position, next=None)
        return super().read_page(query, position, response, keep)


# Signing in


@proves("capabilities_say_whether_a_token_is_fetched", "say sign_in=True")
class HidesItsSignIn(Shop):
    capabilities: ClassVar = attrs.evolve(Shop.capabilities, sign_in=False)


@proves("one_token_serves_a_whole_walk", "one walk signed in")
@proves("a_token_is_used_until_it_is_stale", "stale at once")
class TokensAreStaleAtOnce(Shop):
    def read_token(self, response, now):
        return attrs.evolve(super().read_token(response, now), stale_at=now - 1)


@proves("one_token_serves_a_whole_walk", "sign_in_request() needs signed=False")
class WaitsForItsOwnToken(Shop):
    def sign_in_request(self):
        return attrs.evolve(super().sign_in_request(), signed=True)


@proves("one_token_serves_a_whole_walk", "signed() has to send token.text in a header")
class SendsOneTokenForEver(Shop):
    def signed(self, request, token):
        return request.with_headers(("authorization", f"Bearer {TOKEN}"))


@proves("one_token_serves_a_whole_walk", "where logs and proxies see it")
class SendsItsTokenInTheAddress(Shop):
    def signed(self, request, token):
        sign = "&" if "?" in request.url else "?"
        return attrs.evolve(super().signed(request, token), url=f"{request.url}{sign}token={token.text}")


@proves("a_token_that_dies_is_renewed_in_the_middle_of_a_walk", "ended in AuthenticationError")
class KeepsItsToken(Shop):
    def read_token(self, response, now):
        self.__dict__["token"] = super().read_token(response, now)
        return self.__dict__["token"]

    def list_request(self, query, position):
        request = super().list_request(query, position)
        held = self.__dict__.get("token")
        return request if held is None else attrs.evolve(self.signed(request, held), signed=False)


@proves("a_refused_sign_in_ends_in_an_error", "refused with 401 ended in NotFoundError")
class CallsARefusalNotFound(Shop):
    def problem(self, response):
        return a.Problem(cls=uc.NotFoundError)


@proves("a_sign_in_without_a_token_ends_in_an_error", "a list was asked for")
class TakesAnythingForAToken(Shop):
    def read_token(self, response, now):
        return a.Token(text=str(a.error_body(response).get("token")))


@proves("a_token_is_used_until_it_is_stale", "count stale_at from `now`")
class CountsFromZero(Shop):
    def read_token(self, response, now):
        return attrs.evolve(super().read_token(response, now), stale_at=3600.0)
