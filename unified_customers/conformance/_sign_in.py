"""Checks of the sign-in, where there is one: tokens are fetched, sent, renewed when they die, and never guessed."""

from __future__ import annotations

from functools import partial

import pytest

from ..adapter import Request, Response, Token
from ..errors import AuthenticationError, PermissionDeniedError
from ._bodies import with_body
from ._saying import exactly, expect, no_error, outcome
from ._server import Reply, answered
from ._stage import Setup, Stage

_TOKEN = "uc-made-up-token-1"  # noqa: S105 - made up
_NO_TOKEN = {
    "an empty body": b"",
    "an empty object": b"{}",
    "a list": b"[]",
    "null": b"null",
    "an HTML page": b"<html>Sign in</html>",
    "a cut body": b'{"tok',
    "odd types": b'{"token": 5, "access_token": null, "bearer_token": {}, "expires_in": "soon"}',
    "an empty token": b'{"token": "", "access_token": "", "bearer_token": ""}',
}


class SignIn(Setup):
    """Tokens that expire."""

    def test_capabilities_say_whether_a_token_is_fetched(self) -> None:
        """`capabilities.sign_in` is what `signs_in()` says, unless the account's settings bring a token along."""
        signs_in = self.stage(0).adapter.signs_in()
        expect(
            not signs_in or self.can.sign_in,
            "signs_in() is true and capabilities.sign_in is not: say sign_in=True, or the checks of tokens are skipped",
        )

    def test_one_token_serves_a_whole_walk(self) -> None:
        """It is fetched once, unsigned, from the account's own address, and sent with each request in a header."""
        stage = self._signing_in()
        signed = stage.adapter.sign_in_request().signed
        expect(not signed, "sign_in_request() needs signed=False, or it waits for its own token")
        got, error = outcome(stage.client().customers(page_size=self.small))
        no_error(error, "a walk that signs in")
        exactly(got, stage.ids, "a walk that signs in")
        expect(len(stage.line.sign_ins) == 1, f"one walk signed in {len(stage.line.sign_ins)} times")
        _carries(stage)

    def test_a_token_that_dies_is_renewed_in_the_middle_of_a_walk(self) -> None:
        """Refused with 401 or 403, a request is sent once more with a new token, and nobody is lost."""
        for status in (401, 403):
            for at in (1, 2, 3):
                stage = self._signing_in()
                _kill_token(stage, status, at)
                got, error = outcome(stage.client().customers(page_size=self.small))
                where = f"a walk whose token is refused with {status} at request {at}"
                no_error(error, where)
                exactly(got, stage.ids, where)
                expect(len(stage.line.sign_ins) == 2, f"{where} signed in {len(stage.line.sign_ins)} times")

    def test_a_refused_sign_in_ends_in_an_error(self) -> None:
        """Of the key, or of the rights; after one more try with a new token, not after many."""
        for status in (401, 403):
            stage = self._signing_in()
            stage.line.sign_in = partial(_instead, reply=answered(status, b'{"message": "no"}'))
            _, error = outcome(stage.client().customers())
            refused = isinstance(error, AuthenticationError | PermissionDeniedError)
            expect(refused, f"a sign-in that is refused with {status} ended in {type(error).__name__}")
            stage = self._signing_in()
            stage.line.meet(answered(status, b"{}"))
            _, error = outcome(stage.client().customers())
            where = f"a walk whose every token is refused with {status}"
            expect(isinstance(error, AuthenticationError), f"{where} ended in {type(error).__name__}")
            expect(len(stage.line.requests) == 2, f"{where} sent {len(stage.line.requests)} requests for one page")

    def test_a_sign_in_without_a_token_ends_in_an_error(self) -> None:
        """Whatever comes instead of a token; nothing is sent with half of one."""
        for says, body in _NO_TOKEN.items():
            stage = self._signing_in()
            stage.line.sign_in = partial(with_body, body=body)
            outcome(stage.client().customers())
            expect(not stage.line.requests, f"after a sign-in that is answered with {says}, a list was asked for")

    def test_a_token_is_used_until_it_is_stale(self) -> None:
        """`read_token` says so on the clock that it is given: what is good for an hour is not stale at once."""
        stage = self._signing_in()
        response = stage.server(stage.adapter.sign_in_request())
        early, late = (stage.adapter.read_token(response, now) for now in (0.0, 1000.0))
        expect(early.stale_at > 0, "read_token() gave a token that is stale at once: stale_at is now + its lifetime")
        expect(
            late.stale_at == early.stale_at + 1000 or early.stale_at == float("inf") == late.stale_at,
            "read_token() has to count stale_at from `now`, the client's own clock",
        )

    def _signing_in(self) -> Stage:
        stage = self.pages(3)
        if not stage.adapter.signs_in():
            pytest.skip("no sign-in: signs_in() is false")
        return stage


def _carries(stage: Stage) -> None:
    plain = Request(method="GET", url="https://provider.example/")
    signed = stage.adapter.signed(plain, Token(text=_TOKEN))
    headers = " ".join(value for _, value in signed.headers)
    expect(_TOKEN in headers, "signed() has to send token.text in a header")
    expect(_TOKEN not in signed.url, "signed() sends the token in the address, where logs and proxies see it")


def _kill_token(stage: Stage, status: int, at: int) -> None:
    """From request `at` on, nothing is answered until a new token was fetched."""
    line = stage.line

    def refused(n: int) -> Reply | None:
        return answered(status, b'{"message": "token expired"}') if n >= at and len(line.sign_ins) < 2 else None

    line.instead = refused


def _instead(_: Response, reply: Reply) -> Reply:
    return reply
