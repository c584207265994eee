"""`plan()`: reads both sides and writes down, for each customer of the source, what is to be done. Sends nothing else.

Knows customers, what the target takes, and the plan's file; must not know how anything is sent.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterable, Iterator
from typing import Any

from .._listing import Listing
from ..client import Client
from ..errors import ApiError, BadRecordError, ConfigurationError, Fault, InvalidRequestError
from ..models import Customer
from . import matching, targets
from .fields import digest, dumped, storable
from .matching import Match
from .origin import PATHS, origin_of
from .plans import SCHEMA, MovePlan
from .settings import ExternalId, Identity, Settings, account_digest
from .store import Temporary
from .targets import Target
from .translating import Moved, changed, differences, translate

_INSERT = """
INSERT INTO rows (source_id, external_id, email, action, target_id, ours, by_email, wanted, sends, differences, losses,
                  reasons)
VALUES (:source_id, :external_id, :email, :action, :target_id, :ours, :by_email, :wanted, :sends, :differences,
        :losses, :reasons)
"""
_TWICE = "the source has it twice"
_SHARED = "another customer of the source has the same external id"
_OTHER_VALUES = "the target has this external id with other values"
_OTHER_BY_EMAIL = "the target's customer with this e-mail has other values"
_UNREAD = """
INSERT INTO rows (source_id, action, reasons) SELECT :source_id, 'impossible', :reasons
WHERE NOT EXISTS (SELECT 1 FROM rows WHERE source_id = :source_id)
"""
_ONE_EMAIL = "several customers of the source have this e-mail"
_ONE_TARGET = "another customer of the source is the same one at the target"


def plan(
    source: Iterable[Customer],
    target: Client,
    *,
    external_id: ExternalId = "id",
    on_conflict: str = "refuse",
    on_loss: str = "metadata",
    match_email: bool = False,
) -> MovePlan:
    """Find out what moving these customers would do. Both sides are read; nothing is sent but reads.

    Args:
        source: A listing, or any iterable of customers of one account. Of a listing with ``on_bad_record="skip"``, who
            can't be read is impossible to move.
        target: A client of the account that they shall be moved to; `MovePlan.run` uses it too.
        external_id: What a customer's external id at the target shall be: its ``"id"`` or its ``"external_id"`` at the
            source, or a function that is given the source customer and returns a text, or `None` for none. By it
            customers are matched.
        on_conflict: What to do with a customer that the target has already, with other values, and not from an
            earlier move: ``"refuse"`` (`run` sends nothing at all), ``"skip"`` (it stays as it is) or ``"update"``.
        on_loss: What to do with a field that the target lacks or can't hold: keep it in the target's ``"metadata"``
            under ``moved_…``, ``"drop"`` it, or ``"refuse"`` to move that customer.
        match_email: Whether to look for customers by e-mail where nobody has their external id. Never where two share
            one: those are ambiguous.

    Raises:
        InvalidRequestError: An argument can't be right, or the source's customers come from several accounts.
        UnsupportedError: The target takes no writes, or has no metadata to keep losses in.
        CustomersError: Reading failed.
    """
    settings = Settings(external_id=external_id, on_conflict=on_conflict, on_loss=on_loss, match_email=match_email)
    if not isinstance(target, Client):
        raise ConfigurationError("plan() takes a Client as its target: moving is synchronous for now")
    if not isinstance(source, Iterable):
        raise InvalidRequestError("plan() takes customers: a listing of a Client, or an iterable of Customer")
    aim = targets.target_of(target, settings)
    store = Temporary(SCHEMA + matching.SCHEMA)
    try:
        made_at = time.time()
        there = iter(target.customers())
        first = next(there, None)
        home = "" if first is None else target.provider.home(first)
        matching.keep_target(store, itertools.chain([first] if first else [], there), aim.terms.own)
        planner = _Planner(store, aim, settings)
        planner.read(source)
        planner.refuse_itself(target)
        planner.settle()
        identity = planner.identity(source, target)
        return MovePlan(
            store, target, identity=identity, settings=settings, account=planner.account, home=home, made_at=made_at
        )
    except BaseException:
        store.close()
        raise


class _Planner:
    """Fills a plan's file."""

    def __init__(self, store: Temporary, target: Target, settings: Settings) -> None:
        self._store = store
        self._target = target
        self._settings = settings
        self._terms = target.terms
        self.account: tuple[str, str] | None = None

    def read(self, source: Iterable[Customer]) -> None:
        """Write down what each customer of the source comes to, and who of them can't be read."""
        unread: dict[str, BadRecordError] = {}
        if isinstance(source, Listing) and source.plan.on_bad_record == "skip":
            source = source._noting(functools.partial(_note, unread))
        with self._store.transaction() as run:
            run.executemany(_INSERT, self._rows(source))
            if unread:
                run.execute("CREATE INDEX rows_source_id ON rows (source_id)")
            run.executemany(_UNREAD, itertools.starmap(_unread_row, unread.items()))

    def _rows(self, source: Iterable[Customer]) -> Iterator[dict[str, Any]]:
        for customer in source:
            if not isinstance(customer, Customer):
                raise InvalidRequestError("plan() takes customers: a listing, or an iterable of Customer")
            self._same_account(customer)
            yield self._row(customer)

    def _same_account(self, customer: Customer) -> None:
        found = customer.provider, customer.account_id or ""
        if self.account not in (None, found):
            raise InvalidRequestError("the source's customers come from several accounts: plan each of them by itself")
        self.account = found

    def _row(self, customer: Customer) -> dict[str, Any]:
        external_id = self._settings.external_id_of(customer)
        row: dict[str, Any] = {
            "source_id": storable(customer.id),
            "external_id": external_id and storable(external_id),
            "email": matching.folded(customer.email),
            **dict.fromkeys(("target_id", "ours", "by_email", "wanted", "sends", "differences", "losses", "reasons")),
        }
        if not external_id:
            return {**row, "action": "impossible", "reasons": dumped(["no external id"])}
        try:
            moved = translate(customer, external_id, self._terms)
        except InvalidRequestError as error:  # what no text can be made of
            return {**row, "action": "impossible", "reasons": dumped([error.message])}
        return {**row, **self._action(customer, external_id, moved)}

    def _action(self, customer: Customer, external_id: str, moved: Moved) -> dict[str, Any]:
        losses = dumped([[loss.field, loss.fate, loss.where] for loss in moved.losses])
        row: dict[str, Any] = {"wanted": dumped(moved.wanted), "losses": losses}
        if moved.faults:
            return {**row, **_impossible(moved.faults)}
        email = customer.email if self._settings.match_email else None
        found = matching.match(self._store, external_id, origin_of(customer), email)
        row.update(target_id=found.id, ours=int(found.ours), by_email=int(found.by_email))
        if found.doubt:
            return {**row, "action": "ambiguous", "reasons": dumped([found.doubt])}
        if found.id is None:
            return {**row, **self._creation(moved)}
        return {**row, **self._change(moved, found)}

    def _creation(self, moved: Moved) -> dict[str, Any]:
        if self._target.refuses_create:
            return {"action": "impossible", "reasons": dumped([self._target.refuses_create])}
        return {"action": "create", "sends": dumped(moved.wanted)}

    def _change(self, moved: Moved, found: Match) -> dict[str, Any]:
        ignored = PATHS if found.ours or not found.by_email else PATHS | {"external_id"}
        differ = differences(moved.wanted, found.there, ignored)
        if not differ:
            return {"action": "same"}
        row = {"differences": dumped(differ)}
        if not found.ours and self._settings.on_conflict != "update":
            return {
                **row,
                "action": "conflict",
                "reasons": dumped([_OTHER_BY_EMAIL if found.by_email else _OTHER_VALUES]),
            }
        stamps = PATHS if found.ours else frozenset[str]()
        sends = changed(_without(moved.wanted, PATHS - stamps), found.there, differ)
        faults = self._target.update_faults(sends)
        return {**row, **_impossible(faults)} if faults else {**row, "action": "update", "sends": dumped(sends)}

    def refuse_itself(self, target: Client) -> None:
        """Two keys may open the same account: then its customers would be made a second time there."""
        same = "SELECT 1 FROM rows JOIN target ON target.id = rows.source_id LIMIT 1"
        if self.account is None or self.account[0] != target.provider.name:
            return
        if self._store.one(same) or self._knows(target):
            raise InvalidRequestError("the source's customers are the target's own: source and target are one account")

    def _knows(self, target: Client) -> bool:
        """Whether the target has the source's first customer, which its list need not show: an archived one."""
        first = self._store.one("SELECT source_id FROM rows LIMIT 1")
        try:
            return first is not None and target.customer(first).id == first
        except ApiError:  # not found, not its own, or nothing that it takes for an id
            return False

    def settle(self) -> None:
        """What only shows once all are read: customers that come twice, or that claim the same place."""
        with self._store.transaction() as run:
            for marks, column, where, action, reason in _DOUBLES:
                rows = f"SELECT {column} FROM rows WHERE {where} GROUP BY {column} HAVING count(*) > 1"
                run.execute(
                    f"UPDATE rows SET action = ?, reasons = ? WHERE {column} IN ({rows}) AND {marks}",
                    (action, dumped([reason])),
                )

    def identity(self, source: Any, target: Client) -> Identity:
        """Which move this is."""
        account = self.account or ("", "")
        listed = isinstance(source, Listing)
        adapter = source.plan.context.adapter if listed else None
        asked = {name: str(value) for name, value in source.plan.query.given().items()} if listed else "given"
        return Identity(
            source=account[0] if adapter is None else adapter.name,
            source_account=digest(*account) if adapter is None else digest(adapter.name, list(adapter.account())),
            query=digest(asked),
            target=target.provider.name,
            target_account=account_digest(target),
            settings=self._settings.named(),
        )


_SENT = "action NOT IN ('impossible')"
_DOUBLES = (
    # which of them, by what they are counted, among whom, and what they become
    ("1", "source_id", "1", "impossible", _TWICE),
    (f"external_id IS NOT NULL AND reasons IS NOT '{dumped([_TWICE])}'", "external_id", "external_id IS NOT NULL",
     "impossible", _SHARED),
    (f"by_email = 1 AND {_SENT}", "email", "email IS NOT NULL", "ambiguous", _ONE_EMAIL),
    (f"by_email = 1 AND {_SENT}", "target_id", f"target_id IS NOT NULL AND {_SENT}", "ambiguous", _ONE_TARGET),
)  # fmt: skip


def _note(unread: dict[str, BadRecordError], error: BadRecordError) -> None:
    """Keep a record that can't be read; one whose id can't be read either can't be told of, which ends the plan."""
    if error.record_id is None:
        raise error
    unread[error.record_id] = error


def _unread_row(id: str, error: BadRecordError) -> dict[str, str]:
    place = (error.path or "").rpartition("]")[2].lstrip(".")  # not which one of its page it was
    return {"source_id": storable(id), "reasons": dumped([f"{place or 'record'}: can't be read"])}


def _impossible(faults: Iterable[Fault]) -> dict[str, Any]:
    return {"action": "impossible", "reasons": dumped([f"{fault.field}: {fault.rule}" for fault in faults])}


def _without(wanted: Any, paths: Iterable[str]) -> dict[str, str]:
    left_out = frozenset(paths)
    return {path: value for path, value in wanted.items() if path not in left_out}
