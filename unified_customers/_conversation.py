"""One request carried through to its answer: signing in, following, judging, sending again.

A generator over plain values. Knows adapters only by their protocol; must not know httpx, the clock
or how long a sleep takes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import attrs

from ._adapter import Adapter
from ._redact import masked, masked_deeply
from ._retry import Retry, retry_after
from ._watch import Watch
from ._wire import Conversation, NeedToken, Ready, Reply, Request, Response, Send, Token, Unreachable
from .errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    CustomersError,
    MalformedResponseError,
    PermissionDeniedError,
    RequestTimeoutError,
    class_for,
)
from .events import Repeated, RequestEnded, SigningIn

T = TypeVar("T")
_HOPS = 5
_SHORT = 6  # of a header's words: none of them is a key
_PORTS = {"http": 80, "https": 443}


@attrs.define
class Tally:
    """What a conversation cost; the walk's report reads it.

    Attributes:
        walk: The walk that it belongs to, if any.
        ahead: Whether it is carried out before its turn.
        sends: How often the request that is under way was sent.
    """

    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    dated: tuple[str, float] | None = None
    tokens: tuple[str, ...] = attrs.field(default=(), repr=False)
    walk: int | None = None
    ahead: bool = False
    sends: int = 0

    def clock_skew(self) -> float | None:
        """Seconds by which the provider's clock was ahead of ours at the last answer, where it said its time."""
        try:
            return None if self.dated is None else parsedate_to_datetime(self.dated[0]).timestamp() - self.dated[1]
        except (ValueError, TypeError, IndexError, OverflowError):
            return None


@attrs.define(kw_only=True)
class Outcome:
    """How a request that was sent before its turn ended.

    Attributes:
        read: What its page adds to a walk that stands at a place, with that place, where it was read already.
        final: Whether it was repeated as often as it may be.
    """

    response: Response | None = None
    error: CustomersError | None = None
    tally: Tally = attrs.field(factory=Tally)
    read: tuple[Any, Any] | None = None
    final: bool = False

    def take(self, tally: Tally) -> Response:
        """The answer, now that it is its turn, or its error."""
        tally.requests += self.tally.requests
        tally.retries += self.tally.retries
        tally.waited += self.tally.waited
        tally.sends += self.tally.sends
        tally.dated, tally.tokens = self.tally.dated or tally.dated, self.tally.tokens
        if self.response is None:
            raise self.error or ConnectionFailedError("could not be asked before its turn")
        return self.response


@attrs.frozen(kw_only=True)
class Context:
    """What every conversation of one client shares."""

    adapter: Adapter
    retry: Retry
    watch: Watch

    def ask(
        self,
        request: Request,
        read: Callable[[Response], T],
        tally: Tally,
        *,
        hide: tuple[str, ...] = (),
        accept: Callable[[Response], bool] = lambda _: False,
        ahead: bool = False,
        after: float = 0.0,
    ) -> Conversation[T]:
        """Send `request` until `read` makes a value of the answer, or nothing more can be done.

        Args:
            request: What to send.
            read: Turns the answer into a value; may raise one of our errors.
            tally: Counts requests and waits.
            hide: Values that the caller sent, to be masked in errors.
            accept: Whether an error status is an answer that `read` understands.
            ahead: Whether it may have been sent already.
            after: Seconds to wait before it is sent.
        """
        spent, wait = 0.0, after
        attempt = tally.sends = 0
        final = False
        while True:
            attempt += 1
            try:
                outcome: Outcome | None = (yield Ready(request)) if ahead and attempt == 1 else None
                if outcome is None:
                    response = yield from self._send(request, wait, tally, hide)
                else:
                    attempt, spent = 1 + outcome.tally.retries, outcome.tally.waited
                    final = outcome.final
                    response = outcome.take(tally)
                spent += response.elapsed
                return read(self._judged(response, accept, (*hide, *tally.tokens, *_credentials(request))))
            except CustomersError as error:
                spent += error.elapsed
                self._describe(error, request)
                again = self.retry.wait(error, attempt, spent) if request.safe and not final else None
                if again is None:
                    raise
                wait = again
                spent += wait
                tally.retries += 1
                tally.waited += wait
                self.tell_retry(error, request, wait, attempt, tally.walk)

    def fetch(self, request: Request, hide: tuple[str, ...], walk: int | None = None) -> Conversation[Outcome]:
        """Send a request before its turn, once; its errors wait for their turn as well."""
        outcome = Outcome(tally=Tally(walk=walk, ahead=True))
        try:
            outcome.response = yield from self._send(request, 0.0, outcome.tally, hide)
        except CustomersError as error:
            outcome.error = error
        return outcome

    def insist(
        self, request: Request, hide: tuple[str, ...], accept: Callable[[Response], bool], walk: int | None = None
    ) -> Conversation[Outcome]:
        """Send a request before its turn, and again as `ask` would; its last error waits for its turn."""
        outcome = Outcome(tally=Tally(walk=walk, ahead=True))
        try:
            outcome.response = yield from self.ask(request, _whole, outcome.tally, hide=hide, accept=accept)
        except CustomersError as error:
            outcome.error, outcome.final = error, True
        return outcome

    def tell_retry(self, error: CustomersError, request: Request, wait: float, attempt: int, walk: int | None) -> None:
        """Say that a request failed and will be sent again."""
        if self.watch.hears(logging.WARNING):
            self.watch.tell(
                Repeated,
                walk,
                logging.WARNING,
                what=request.what,
                wait=wait,
                attempt=attempt,
                reason=type(error).__name__,
                status=error.status,
            )

    def _tell_request(self, request: Request, reply: Reply, tally: Tally) -> None:
        parts = urlsplit(request.url)
        self.watch.tell(
            RequestEnded,
            tally.walk,
            what=request.what,
            method=request.method,
            template=request.template,
            host=parts.hostname or "",
            port=parts.port or _PORTS.get(parts.scheme),
            status=None if isinstance(reply, Unreachable) else reply.status,
            error=reply.reason if isinstance(reply, Unreachable) else None,
            elapsed=reply.elapsed,
            resends=tally.sends - 1,
            ahead=tally.ahead,
        )

    def _send(self, request: Request, wait: float, tally: Tally, hide: tuple[str, ...]) -> Conversation[Response]:
        """Send once, signed in; once more with a new token where the old one is refused."""
        if not (request.signed and self.adapter.signs_in()):
            return (yield from self._follow(request, wait, tally))
        token: Token = yield NeedToken(walk=tally.walk)
        tally.tokens = (token.text,)
        response = yield from self._follow(self.adapter.signed(request, token), wait, tally)
        if response.status not in {401, 403}:
            return response
        token = yield NeedToken(rejected=token, walk=tally.walk)
        tally.tokens = (*tally.tokens, token.text)
        again = yield from self._follow(self.adapter.signed(request, token), 0.0, tally)
        if again.status in {401, 403}:
            raise self.refused(again, (*hide, *tally.tokens), AuthenticationError)
        return again

    def _follow(self, request: Request, wait: float, tally: Tally) -> Conversation[Response]:
        """Send and follow redirects that stay at the same origin; a key never goes elsewhere."""
        for _ in range(_HOPS):
            tally.requests += 1
            tally.sends += 1
            reply: Reply = yield Send(request=request, after=wait)
            if self.watch.hears():
                self._tell_request(request, reply, tally)
            if isinstance(reply, Unreachable):
                raise _unreachable(reply)
            if "date" in reply.headers:
                tally.dated = reply.headers["date"], reply.received
            target = _redirect(request, reply)
            if target is None:
                return reply
            request, wait = attrs.evolve(request, url=target), 0.0
        raise ApiError("redirects from place to place at the same host: check base_url")

    def _judged(self, response: Response, accept: Callable[[Response], bool], hide: tuple[str, ...]) -> Response:
        if 200 <= response.status < 300 or accept(response):
            return response
        raise self.refused(response, hide)

    def refused(self, response: Response, hide: tuple[str, ...] = (), cls: type[ApiError] | None = None) -> ApiError:
        """The error for an answer with an error status; the status decides, the body only explains."""
        if 300 <= response.status < 400:
            return _elsewhere(response)
        problem = self.adapter.problem(response)
        cls = cls or problem.cls or class_for(response.status)
        values = (*self.adapter.secrets(), *hide)
        theirs = masked(problem.says, values)
        says = f" ({response.status}{' ' + theirs if theirs else ''})"
        advice = problem.advice or self._advice(cls)
        return cls(
            f"{_VERB.get(cls, 'answered with an error')}{says}{': ' + advice if advice else ''}",
            status=response.status,
            code=masked(problem.code, values) if problem.code else None,
            details=masked_deeply(problem.details, values),
            request_id=masked(problem.request_id, values) if problem.request_id else None,
            retry_after=retry_after(response.headers, response),
        )

    def _advice(self, cls: type[ApiError]) -> str:
        if issubclass(cls, AuthenticationError | PermissionDeniedError):
            return self.adapter.key_advice
        return _ADVICE.get(cls.__name__, "")

    def _describe(self, error: CustomersError, request: Request) -> None:
        """Say who answered what, once for every error."""
        if error.provider is None:
            error.provider = self.adapter.name
            error.message = f"{self.adapter.title} {error.message} [{request.what}]"
            error.args = (error.message,)

    def sign_in(self, need: NeedToken, held: Token | None, now: float) -> Conversation[Token]:
        """The token to use: the one that is held if it is fresh and not the rejected one, else a new one.

        The caller holds a lock around this, so that one sign-in runs at a time.

        Args:
            need: What was asked for.
            held: The token of the last sign-in, if any.
            now: Seconds on the clock that `Token.stale_at` is measured on.
        """
        if held is not None and held is not need.rejected and held.stale_at > now:
            return held
        request = self.adapter.sign_in_request()
        if self.watch.hears():
            self.watch.tell(SigningIn, need.walk, what=request.what)
        tally = Tally(walk=need.walk)
        return (yield from self.ask(request, lambda response: self.adapter.read_token(response, now), tally))


def _whole(response: Response) -> Response:
    return response


_VERB: dict[type[CustomersError], str] = {
    AuthenticationError: "refused the key",
    PermissionDeniedError: "denied access",
}
_ADVICE = {
    "RateLimitedError": "slow down, or allow more waiting with Retry(attempts=…, budget=…)",
    "ServerError": "the provider failed; try again later, from the error's checkpoint if it has one",
}


def _credentials(request: Request) -> tuple[str, ...]:
    """What the request was signed with: a key that rotates may be another one by now."""
    found = [value for name, value in request.headers if name in {"authorization", "x-api-key"}]
    return tuple(part for value in found for part in value.split() if len(part) > _SHORT)


def _unreachable(reply: Unreachable) -> CustomersError:
    error: CustomersError
    if reply.kind == "timeout":
        error = RequestTimeoutError(f"did not answer in time ({reply.reason}): allow more with timeout=…")
    elif reply.kind == "unreadable":
        error = MalformedResponseError(f"sent an answer that can't be decoded ({reply.reason})", path="$")
    else:
        error = ConnectionFailedError(f"could not be reached ({reply.reason}): check base_url and the network")
    error.elapsed = reply.elapsed
    return error


def _redirect(request: Request, response: Response) -> str | None:
    """Where to go on at the same origin, or `None`."""
    keeps_method = response.status in {307, 308} or (request.method == "GET" and response.status in {301, 302, 303})
    location = response.headers.get("location", "")
    if not keeps_method or not location:
        return None
    try:
        target = urljoin(request.url, location)
        same = _origin(target) == _origin(request.url)
    except ValueError:
        return None
    return target if same and target.isascii() and target.isprintable() else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _elsewhere(response: Response) -> ApiError:
    return ApiError(
        f"answered with a redirect ({response.status}) that is not followed, because the key would go along: "
        "set base_url to the address that you mean",
        status=response.status,
    )
