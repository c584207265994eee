"""Checks of repeated requests: what may help is sent again, as often and as late as asked; what may not, is not."""

from __future__ import annotations

from .._wire import Unreachable
from ..errors import CustomersError, RateLimitedError
from ._driving import PATIENT, Direct
from ._saying import exactly, expect, no_error, outcome, result
from ._server import DROPPED, Reply, answered
from ._stage import Setup, Stage

_PASSING: dict[str, Reply] = {
    "429": answered(429, b"{}"),
    "500": answered(500),
    "502 with HTML": answered(502, b"<html>Bad gateway</html>"),
    "503": answered(503, b'{"error": "later"}'),
    "504": answered(504),
    "a dropped connection": DROPPED,
    "a timeout": Unreachable(kind="timeout", reason="ReadTimeout"),
    "a cut body": answered(200, b'{"cust'),
    "an empty body": answered(200),
}
_LASTING = (400, 404, 409, 422)


class Retries(Setup):
    """Faults that pass, and faults that stay."""

    def test_a_fault_that_passes_is_not_noticed(self) -> None:
        """Up to three times in a row, at each request of a walk."""
        for says, fault in _PASSING.items():
            for at in (1, 2, 3):
                stage = self.pages(3)
                stage.line.meet(fault, first=at, times=3)
                got, error = outcome(stage.client(PATIENT).customers(page_size=self.small))
                where = f"a list in which request {at} met {says} three times"
                no_error(error, f"{where} (are your adapter's requests `safe`, as reads are?)")
                exactly(got, stage.ids, where)

    def test_a_fault_that_stays_ends_in_an_error_after_so_many_attempts(self) -> None:
        """No more requests than `Retry` allows, for a list and for one customer."""
        for says, fault in _PASSING.items():
            for call in ("customers()", "customer(id)"):
                stage = self.pages(3)
                stage.line.meet(fault)
                error = _asked(stage.client(PATIENT), call, stage.ids[0])
                expect(error is not None, f"{call} met {says} for ever and ended without an error")
                expect(
                    len(stage.line.requests) == PATIENT.attempts,
                    f"{call} met {says} for ever and sent {len(stage.line.requests)} requests, where "
                    f"Retry(attempts={PATIENT.attempts}) was asked for: reads are safe=True, which is the default",
                )

    def test_what_can_not_help_is_not_repeated(self) -> None:
        """A refusal is sent once."""
        for status in _LASTING:
            for call in ("customers()", "customer(id)"):
                stage = self.pages(3)
                stage.line.meet(answered(status))
                error = _asked(stage.client(PATIENT), call, stage.ids[0])
                expect(error is not None, f"{call} was refused with {status} and ended without an error")
                sent = stage.line.requests
                expect(
                    not any(request in sent[:n] for n, request in enumerate(sent)),
                    f"{call} was refused with {status} and sent the same request again",
                )

    def test_retry_after_is_waited_for(self) -> None:
        """Seven seconds are seven seconds; more than the budget is an error at once that says how long."""
        stage = self.pages(3)
        stage.line.meet(answered(429, retry_after="7"), first=2, times=1)
        client = stage.client(PATIENT)
        got, error = outcome(client.customers(page_size=self.small))
        no_error(error, "a list with a 429 that asks for 7 seconds")
        exactly(got, stage.ids, "a list with a 429 that asks for 7 seconds")
        expect(client.slept == [7.0], f"Retry-After: 7 was answered with waits of {client.slept}")
        stage = self.pages(3)
        stage.line.meet(answered(429, retry_after="1000000000"))
        client = stage.client(PATIENT)
        _, error = outcome(client.customers())
        expect(
            isinstance(error, RateLimitedError) and error.retry_after == 1e9 and not client.slept,
            f"a Retry-After of 30 years ended in {error!r} after waits of {client.slept}: problem() leaves 429 to the "
            "library, which reads the header",
        )

    def test_a_failed_page_is_asked_for_again_by_next(self) -> None:
        """An error at any request ends no walk: `next()` goes on, and so does the error's checkpoint elsewhere."""
        for says, fault in _PASSING.items():
            for at in range(1, self._requests_of_a_walk() + 1):
                stage = self.pages(3)
                stage.line.meet(fault, first=at, times=1)
                self._goes_on_after_error(stage, f"a list in which request {at} met {says}")

    def _goes_on_after_error(self, stage: Stage, where: str) -> None:
        walk = iter(stage.client().customers(page_size=self.small))
        before, error = outcome(walk)
        if error is None:
            raise AssertionError(f"{where} ended without an error")
        elsewhere = stage.client().customers(page_size=self.small, after=error.checkpoint)
        for rest, how in ((elsewhere, "from the error's checkpoint"), (walk, "by next()")):
            after, error = outcome(rest)
            no_error(error, f"{where}, gone on with {how},")
            exactly([*before, *after], stage.ids, f"{where}, gone on with {how},")

    def _requests_of_a_walk(self) -> int:
        stage = self.pages(3)
        outcome(stage.client().customers(page_size=self.small))
        return len(stage.line.requests)


def _asked(client: Direct, call: str, id_: str) -> CustomersError | None:
    if call == "customer(id)":
        return result(client.customer, id_)[1]
    return outcome(client.customers())[1]
