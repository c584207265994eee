"""Checks of error statuses: each becomes the error that says what to do, whatever body comes with it."""

from __future__ import annotations

from ..adapter import Response
from ..errors import (
    ApiError,
    AuthenticationError,
    CustomersError,
    PermissionDeniedError,
    class_for,
)
from ._saying import expect, outcome, result
from ._server import answered
from ._stage import Setup, Stage

_STATUSES = (400, 401, 403, 404, 409, 410, 412, 418, 422, 429, 500, 502, 503, 504)
_ERROR = (
    b'{"error": {"code": "E17", "message": "no", "details": [1]}, "code": "E17", "message": "no", "details": [1],'
    b' "type": "x", "title": "no", "request_id": "r1", "status": 4}'
)
_BODIES = {
    "a JSON error": _ERROR,
    "no body": b"",
    "an HTML page": b"<html><body>Bad gateway</body></html>",
    "JSON of odd types": b'{"error": 5, "message": {"a": [1]}, "code": [null], "details": true, "errors": "x"}',
    "a JSON list": b"[1, 2]",
    "a cut body": b'{"error": {"mess',
}


class Statuses(Setup):
    """Answers with an error status."""

    def test_each_error_status_raises_its_class(self) -> None:
        """In a list: 401 is a wrong key, 404 is not found, 429 too many requests, 5xx the server's fault."""
        for status in _STATUSES:
            for says, body in _BODIES.items():
                stage = self._refusing(answered(status, body))
                got, error = outcome(stage.client().customers())
                expect(error is not None, f"status {status} with {says} ended a walk like an empty list ({len(got)})")
                if not stage.understands(status, body):
                    _right(error, status, f"a list answered with {status} and {says}")

    def test_each_error_status_of_one_customer_raises_its_class(self) -> None:
        """The same where one customer is asked for."""
        for status in _STATUSES:
            for says, body in _BODIES.items():
                stage = self._refusing(answered(status, body))
                _, error = result(stage.client().customer, stage.ids[0])
                _right(error, status, f"customer(id) answered with {status} and {says}")

    def test_an_error_status_is_never_a_page(self) -> None:
        """A page of customers that comes with an error status is an error."""
        for status in _STATUSES:
            stage = self.stage(2)
            honest, _ = outcome(stage.client().customers())
            page = stage.line.answers[0]
            if not isinstance(page, Response) or not honest:
                continue
            refused = self._refusing(answered(status, page.body))
            got, error = outcome(refused.client().customers())
            expect(error is not None and not got, f"a page that came with status {status} was read")

    def test_a_redirect_elsewhere_is_not_followed(self) -> None:
        """The key would go along; and it is no empty list."""
        for status in (301, 302, 303, 307, 308):
            stage = self._refusing(answered(status, b"", location="https://elsewhere.example/customers"))
            _, error = outcome(stage.client().customers())
            expect(isinstance(error, ApiError), f"a redirect ({status}) to another host ended in {_named(error)}")

    def _refusing(self, answer: Response) -> Stage:
        stage = self.stage(1)
        stage.line.meet(answer)
        return stage


def _right(error: CustomersError | None, status: int, where: str) -> None:
    __tracebackhide__ = True
    wanted: tuple[type[ApiError], ...] = (class_for(status),)
    if status in {401, 403}:
        wanted = (AuthenticationError, PermissionDeniedError)
    names = " or ".join(one.__name__ for one in wanted)
    expect(
        isinstance(error, wanted),
        f"{where} ended in {_named(error)}, not in {names}: problem() should set cls only where it knows better",
    )


def _named(error: CustomersError | None) -> str:
    return "no error" if error is None else f"{type(error).__name__} ({error})"
