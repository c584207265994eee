"""One move: its request, what came of it, and how a lost answer is settled.

Knows clients and moves; must not know files or threads. Whatever happens, the outcome is one of the journal's states,
so nothing is ever both forgotten and sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import attrs

from ..client import Client
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    CustomersError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnknownOutcomeError,
    UnsupportedError,
)
from ..models import Capabilities, Customer
from .fields import METADATA, chosen, field_of, fingerprint, flat, keywords, shown
from .journal import Move
from .origin import JOURNAL, PATHS, Origin, told
from .targets import gone
from .translating import changed, differences

Differences = Mapping[str, Sequence[str | None]]
_REFUSES_ALL = (ConfigurationError, AuthenticationError, PermissionDeniedError, RateLimitedError)
_REFUSES_ONE = (InvalidRequestError, UnsupportedError, NotFoundError, ConflictError)
PATIENCE = 120.0
"""Seconds after which a request that left has surely had its effect, or never will; for creates that can't be found
where external ids need not be unique."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a move.

    Attributes:
        state: The journal's state.
        kind: The event's kind.
        customer: As the target has it now.
        untouched: Whether this one did nothing to it, so that what an earlier run left is still what counts.
        touched: Whether somebody else changed it between the move's own writes, so that undo leaves it alone.
        made: Whether this move made it, in this run or an earlier one, so that undo may take it back.
        sent_at: When its last request had surely left, where nobody knows what came of it.
        problem: Why not, without values.
        stop: The error for which the run has to stop.
        trouble: The error that says that the target is not well; a few of them in a row stop the run.
    """

    state: str
    kind: str
    customer: Customer | None = None
    untouched: bool = False
    touched: bool = False
    made: bool = False
    sent_at: float | None = None
    problem: str | None = None
    stop: CustomersError | None = None
    trouble: CustomersError | None = None


class Sender:
    """Carries moves out, one at a time; threads may share it.

    Args:
        client: Of the target.
        account: The source's provider and account, as moved customers tell it.
        journal: The journal's name, which they bear too where the target has metadata.
        touched: Told, before an update leaves, that somebody else changed that customer since an earlier run.
        size: How many threads share it.
    """

    def __init__(
        self, client: Client, account: tuple[str, str], journal: str, touched: Callable[[int], None], size: int
    ) -> None:
        self._client = client
        self._account = account
        self._journal = journal
        self._touched = touched
        self._can: Capabilities = client.provider.capabilities
        self._stamp = {METADATA + JOURNAL: journal} if "metadata" in self._can.creates else {}
        retry = client._context.retry
        queue = 0.0 if client._pace is None else size * retry.attempts / client._pace.rate
        self.repeats = queue + (retry.budget if retry.attempts > 1 else 0.0)  # seconds that a request may leave later

    def kept(self, move: Move) -> Outcome | None:
        """That who is to be created is there from an earlier run, and the target's list merely did not show it yet."""
        if move.action == "update" or move.target_id is None:
            return None
        try:
            there = self._client.customer(move.target_id)
        except NotFoundError:
            return None
        except _REFUSES_ALL as error:
            return Outcome(state="planned", kind="stopped", problem=error.message, stop=error)
        except CustomersError as error:
            return Outcome(state="planned", kind="stopped", problem=error.message, trouble=error)
        stranger = not move.created and there.external_id != move.external_id  # an earlier plan met that one
        return None if gone(there) or stranger else self._kept(move, there)

    def send(self, move: Move) -> Outcome:
        """Carry out a move that nobody has sent yet."""
        try:
            return self._update(move) if move.action == "update" else self._create(move)
        except _REFUSES_ALL as error:
            return Outcome(state="planned", kind="stopped", problem=error.message, stop=error)
        except _REFUSES_ONE as error:
            return _refused(error.message)
        except CustomersError as error:
            return _unsure(error)

    def home(self, customer: Customer) -> str:
        """The account that a customer of the target lies in."""
        return self._client.provider.home(customer)

    def look(self, move: Move) -> Outcome:
        """Find out what came of a move of an earlier run; `planned` if it may be sent again, or anew."""
        try:
            if move.action == "update":
                return self._updated(move) or _AGAIN
        except _REFUSES_ALL as error:
            return Outcome(state="unknown", kind="stopped", problem=error.message, stop=error)
        except NotFoundError:
            return _AGAIN
        except CustomersError as error:
            return _unsure(error)
        return self.settle(move) or _AGAIN

    def settle(self, move: Move) -> Outcome | None:
        """Find out what came of a move that was sent, or may have been; `None` if it may be sent again.

        An update may: the same one twice is one. So may a create that can't be found, where the target itself refuses a
        second customer with the same external id, or once it is certain that the first will not come any more; but not
        for a customer that the source has no longer.
        """
        if move.action == "update":
            return None
        try:
            there = self._found(move)
        except _REFUSES_ALL as error:
            return Outcome(state="unknown", kind="stopped", problem=error.message, stop=error)
        except CustomersError as error:
            return _unsure(error)
        wait = (move.sent_at or 0.0) + PATIENCE - time.time()
        wanted = move.present and move.action == "create"
        if there is None and wait > 0 and not (self._can.unique and wanted):
            return _refuse_haste(wait)
        return _withdrawn(move) if there is None and not wanted else there

    def _kept(self, move: Move, there: Customer) -> Outcome:
        """As it is, unless somebody made another's of it; what was changed by hand stays a change for `undo`."""
        if not self._is_ours(there, move):
            return _refused(_NO_LONGER)
        return attrs.evolve(_done(there, "settled"), untouched=True)

    def _create(self, move: Move) -> Outcome:
        try:
            customer = self._client.create(**keywords({**move.sends, **self._stamp}))
        except (ConflictError, UnknownOutcomeError) as error:  # somebody has that external id: perhaps we, a moment ago
            found = self._looked_up(move, error)
            return attrs.evolve(found, made=False) if _others(move, error) else found
        if self._is_ours(customer, move):
            return _done(customer, "created", made=self._made_it(customer))
        return _refused(_TAKEN)

    def _looked_up(self, move: Move, error: CustomersError) -> Outcome:
        try:
            return self._found(move) or _unsure(error)
        except _REFUSES_ALL as stop:
            return Outcome(state="unknown", kind="stopped", problem=error.message, stop=stop)
        except CustomersError:
            return _unsure(error)

    def _found(self, move: Move) -> Outcome | None:
        """What the target has under the move's external id; `None` if nobody."""
        there = list(self._client.customers(external_id=move.external_id, max_items=2))
        ours = [customer for customer in there if self._is_ours(customer, move)]
        if len(there) == 1 and ours:
            made = self._made_it(ours[0])
            return attrs.evolve(_done(ours[0], "settled", made=made), touched=made and self._differs(ours[0], move))
        return _refused(_TAKEN) if there else None

    def _is_ours(self, customer: Customer, move: Move) -> bool:
        """Whether it came from this source customer; where the target has no metadata, the external id has to do."""
        if "metadata" not in self._can.creates:
            return customer.external_id == move.external_id
        return told(customer.metadata) == Origin(*self._account, move.source_id)

    def _differs(self, customer: Customer, move: Move) -> bool:
        """Whether somebody changed a customer since it was created by a request whose answer nobody heard."""
        sent, there = {**move.sends, **self._stamp}, flat(customer)
        return chosen(sent, self._can.creates) != chosen(there, self._can.creates)

    def _made_it(self, customer: Customer) -> bool:
        """Whether it was this journal's run, rather than another's, that moved it."""
        return not self._stamp or customer.metadata.get(JOURNAL) == self._journal

    def _updated(self, move: Move, there: Customer | None = None) -> Outcome | None:
        """That an earlier attempt at an update did it, if so."""
        there = there or self._client.customer(move.target_id)
        if gone(there) or differences(move.sends, flat(there, self._can.own), frozenset()):
            return None
        touched = self._was_touched(move, there) and self._was_touched(move, there, back=move.differences)
        return attrs.evolve(_done(there, "updated"), touched=touched)

    def _was_touched(self, move: Move, there: Customer, back: Differences | None = None) -> bool:
        """Whether somebody else changed what the move made; without the change that it means to make, or with it."""
        return move.created and move.fingerprint != fingerprint(there, self._can.own, back)

    def _update(self, move: Move) -> Outcome:
        there = self._client.customer(move.target_id)
        if gone(there):
            return _refused(_GONE)
        if done := self._updated(move, there):
            return done
        now, touched = flat(there, self._can.own), self._was_touched(move, there)
        for path, (was, wanted) in move.differences.items():
            if now.get(path) not in (was, wanted):
                return _refused(f"{shown(path)} was changed at the target since the plan: plan again")
        if touched and move.fingerprint is not None:
            self._touched(move.seq)
        sends = changed(_own(move), now, move.differences)
        keys = keywords(chosen(sends, {field_of(path) for path in move.sends}))
        return attrs.evolve(_done(self._client.update(there.id, **keys), "updated"), touched=touched)


_TAKEN = "the target has another customer with this external id since the plan"
_NO_LONGER = "the target's customer has another external id or origin than the move gave it: mend that there"
_GONE = "the target archived it since the move: plan again"


def _others(move: Move, error: CustomersError) -> bool:
    """Whether the first request for this customer was answered that it is there: then another journal's run made it."""
    return move.sent_at is None and isinstance(error, ConflictError) and error.status == 409


def _own(move: Move) -> dict[str, str]:
    """What the update means to change: not what merely goes along, which may be newer at the target."""
    return {path: value for path, value in move.sends.items() if path in move.differences or path in PATHS}


def _done(customer: Customer, kind: str, *, made: bool = False) -> Outcome:
    return Outcome(state="done", kind=kind, customer=customer, made=made)


def _refused(problem: str) -> Outcome:
    return Outcome(state="refused", kind="refused", problem=problem)


def _unsure(error: CustomersError) -> Outcome:
    return Outcome(state="unknown", kind="unknown", problem=error.message, trouble=error)


_AGAIN = Outcome(state="planned", kind="planned")
LATER = Outcome(state="unknown", kind="unknown", problem="not settled in time: run the move again")


def _withdrawn(move: Move) -> Outcome:
    """It never happened, and is not wanted any more: the reason is the plan's, if the source has the customer still."""
    return Outcome(state="left", kind="refused", problem=None if move.present else "gone at the source")


def _refuse_haste(wait: float) -> Outcome:
    said = f"not found yet; in {wait:.0f} seconds a later run may send it again"
    return Outcome(state="unknown", kind="unknown", problem=said)
