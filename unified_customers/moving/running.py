"""Carrying a plan out: threads that take moves from the journal, send them, and write down what came of each.

Knows the journal, threads and the clock; must not know what is sent. Unknown moves of an earlier run come first; those
of this run are settled at its end. A target that refuses, or fails again and again, stops all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from .._pace import Pace
from ..client import Client
from ..errors import ConflictError, CustomersError
from . import sending
from .events import MoveEvent, MoveStoppedError
from .fields import fingerprint
from .journal import UNKNOWN, Journal, Move
from .plans import MovePlan
from .reading import refuse_elsewhere
from .results import MoveResult, result_of
from .sending import LATER, Outcome, Sender
from .settings import refuse_concurrency
from .taking import fits, take

_TROUBLES = 3  # moves in a row of which nobody knows what came, each after all the repeats that the client allows
OnEvent = Callable[[MoveEvent], None]


def run(plan: MovePlan, path: Path, *, concurrency: int, rate: float | None, on_event: OnEvent | None) -> MoveResult:
    """As `MovePlan.run`."""
    refuse_concurrency(concurrency)
    pace = None if rate is None else Pace(rate)
    _refuse_conflicts(plan)
    with Journal(path) as journal:
        fits(journal, plan)
        if not plan.home:
            refuse_elsewhere(journal, plan.target)
        crew = _Crew(journal, plan.target, size=concurrency, pace=pace, on_event=on_event or _nobody)
        free = crew.settle()
        if crew.stop is None:
            take(journal, plan, free, sure=time.time() - sending.PATIENCE)
            crew.work()
        result = result_of(journal)
    if crew.stop is not None:
        raise _stopped(crew.stop, result)
    return result


def _nobody(_: MoveEvent) -> None:
    return None


def _refuse_conflicts(plan: MovePlan) -> None:
    number = plan.summary.counts["conflict"]
    if number and plan.settings.on_conflict == "refuse":
        raise ConflictError(
            f"the target has {number} of these customers already, with other values: nothing was sent; "
            "say on_conflict='skip' to leave them as they are, or 'update' to change them",
            provider=plan.identity.target,
        )


def _stopped(cause: CustomersError, result: MoveResult) -> MoveStoppedError:
    error = MoveStoppedError(
        f"the move stopped: {cause.message} ({result.sentence}); run it again with the same journal to go on",
        provider=cause.provider,
        status=cause.status,
        code=cause.code,
        request_id=cause.request_id,
        retry_after=cause.retry_after,
    )
    error.result = result
    error.__cause__ = cause
    return error


class _Crew:
    """The threads of a run, and what they share."""

    def __init__(self, journal: Journal, target: Client, *, size: int, pace: Pace | None, on_event: OnEvent) -> None:
        self._journal = journal
        self._target = target
        self._own = target.provider.capabilities.own
        self._size = size
        self._pace = pace
        self._on_event = on_event
        self._lock = threading.Lock()
        self._working = 0
        self._idle = threading.Event()
        self._done = self._total = 0
        self._at_home = False  # whether the key is known to open the account that the journal's customers are in
        self._doubtful: set[int] = set()  # of what this run sent, those of which nobody knows what came
        self._troubles = 0
        self._halt = threading.Event()
        self._broken: BaseException | None = None
        self.stop: CustomersError | None = None

    def settle(self) -> list[int]:
        """Find out what came of the moves that an earlier run left unknown; returns those that may be sent again."""
        self._total = self._journal.count(UNKNOWN)
        free: list[int] = []
        if self._total:
            sender = self._sender()
            self._pass(self._journal.open("sending", "unknown"), lambda move: self._look(sender, move, free))
        return free

    def work(self) -> None:
        """Carry out all there is; what is unknown then is settled once more.

        Raises:
            KeyboardInterrupt: After the requests under way were answered.
        """
        journal, sender = self._journal, self._sender()
        self._total = self._done + journal.count(f"state = 'planned' OR {UNKNOWN}")
        for states in (("planned",), ("sending", "unknown")):
            if not self._halt.is_set():
                self._pass(journal.open(*states), lambda move: self._carry_out(sender, move))

    def _sender(self) -> Sender:
        journal = self._journal
        return Sender(self._target, journal.account, journal.name, journal.touched, self._size)

    def _pass(self, moves: Iterator[Move], deal: Callable[[Move], None]) -> None:
        try:
            for number in range(min(self._size, max(1, self._total - self._done))):
                with self._lock:
                    self._working += 1
                threading.Thread(target=self._worker, args=(moves, deal), daemon=True, name=f"move-{number}").start()
            self._wait()
        except KeyboardInterrupt:
            self._halt.set()
            self._wait()
            raise
        if self._broken is not None:
            raise self._broken

    def _wait(self) -> None:
        """Until all threads have ended. Not by `join`: interrupted, it takes one that still runs for one that ended."""
        while self._working:
            self._idle.wait()
            self._idle.clear()

    def _worker(self, moves: Iterator[Move], deal: Callable[[Move], None]) -> None:
        try:
            while (move := self._next(moves)) is not None:
                deal(move)
        except BaseException as error:  # noqa: BLE001 - told in the thread that waits for this one
            self._broken = error
            self._halt.set()
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._idle.set()

    def _next(self, moves: Iterator[Move]) -> Move | None:
        with self._lock:
            return None if self._halt.is_set() else next(moves, None)

    def _look(self, sender: Sender, move: Move, free: list[int]) -> None:
        outcome = sender.look(move)
        if outcome.state == "planned":
            free.append(move.seq)
        else:
            self._settled(sender, move, outcome)

    def _carry_out(self, sender: Sender, move: Move) -> None:
        if self._pace is not None and self._halt.wait(self._pace.wait(time.monotonic())):
            return
        outcome = self._known(sender, move)
        if outcome is None:
            self._journal.sending(move.seq, sender.repeats)
            outcome = sender.send(move)
            if outcome.state == "unknown":
                self._doubtful.add(move.seq)
                outcome = attrs.evolve(outcome, sent_at=time.time())
        self._settled(sender, move, outcome)

    def _known(self, sender: Sender, move: Move) -> Outcome | None:
        """What is known of a move without sending it; `None` if it is to be sent."""
        if move.state == "planned":
            return sender.kept(move)
        if move.seq in self._doubtful:
            return sender.settle(move)
        outcome = sender.look(move)  # it could not be looked for in time, so it still has the last plan's values
        return LATER if outcome.state in ("planned", "done") else outcome

    def _settled(self, sender: Sender, move: Move, outcome: Outcome) -> None:
        if outcome.customer is not None and not self._at_home:
            self._journal.refuse_elsewhere(sender.home(outcome.customer))
            self._at_home = True
        self._write(move, outcome)
        self._judge(outcome)
        self._tell(move, outcome)

    def _write(self, move: Move, outcome: Outcome) -> None:
        if outcome.customer is None:
            self._journal.ended(move.seq, outcome.state, outcome.problem, sent_at=outcome.sent_at)
            return
        created = outcome.made or (move.created and outcome.customer.id == move.target_id)
        mark = move.fingerprint if outcome.untouched else fingerprint(outcome.customer, self._own)
        if outcome.touched and mark != move.fingerprint:  # else the edit was set back, and nothing is left of it
            mark = None
        self._journal.done(move.seq, outcome.customer.id, mark, created=created)

    def _judge(self, outcome: Outcome) -> None:
        with self._lock:
            self._troubles = 0 if outcome.trouble is None else self._troubles + 1
            stop = outcome.stop or (outcome.trouble if self._troubles >= _TROUBLES else None)
            if stop is not None:
                self.stop = self.stop or stop
                self._halt.set()

    def _tell(self, move: Move, outcome: Outcome) -> None:
        with self._lock:
            self._done += outcome.kind != "stopped"
            self._on_event(
                MoveEvent(
                    kind=outcome.kind,
                    source_id=move.source_id,
                    target_id=outcome.customer.id if outcome.customer else move.target_id,
                    done=min(self._done, self._total),
                    total=self._total,
                    reason=outcome.problem or "",
                )
            )
