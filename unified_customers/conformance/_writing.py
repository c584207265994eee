"""Checks of writing: what is written is what comes back, once, whatever is lost; and nobody else is touched.

What to write is taken from the made-up customers of the author's server: those have to be values that it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from .._wire import Unreachable
from ..adapter import Address, Customer
from ..errors import ConflictError, NotFoundError, UnknownOutcomeError
from ._driving import PATIENT, Direct
from ._saying import expect, no_error, result
from ._server import DROPPED, Reply, answered
from ._single import HOSTILE, stays
from ._stage import Setup, Stage

_LOST: dict[str, Reply] = {
    "a dropped connection": DROPPED,
    "a timeout": Unreachable(kind="timeout", reason="ReadTimeout"),
    "500": answered(500),
    "502 with HTML": answered(502, b"<html>Bad gateway</html>"),
    "504": answered(504),
    "a cut body": answered(201, b'{"cust'),
}
_NEW = "-uc-new"
_UNKNOWN = "uc-unknown-id"
Removal = Callable[[Direct, str], None]


class Writing(Setup):
    """`create`, `update`, `archive` and `delete`, as far as `capabilities` list them."""

    def test_a_created_customer_comes_back_as_it_was_sent(self) -> None:
        """With every field that `capabilities.creates` lists, and again when it is asked for."""
        stage, fields = self._creating(2)
        made, error = result(stage.client().create, **fields)
        no_error(error, f"create() with {', '.join(fields)}, all as your server's own customers have them")
        expect(len(stage.ids) == 3, f"after one create() your server has {len(stage.ids)} customers where it had 2")
        found, error = result(stage.client().customer, made.id)
        no_error(error, "customer(id) of the customer that create() returned")
        differ = stage.adapter.differences(fields | _words(stage, fields), found)
        expect(not differ, f"the created customer, read again, shows another {', '.join(differ)}")

    def test_a_create_whose_answer_is_lost_is_never_done_twice(self) -> None:
        """Whether the server had acted or not: found, done once, or `UnknownOutcomeError`."""
        for says, loss in _LOST.items():
            for acted in (True, False):
                stage, fields = self._creating(2)
                _lose(stage, loss, acted=acted)
                _, error = result(stage.client(PATIENT).create, **fields)
                where = f"a create() that {'was' if acted else 'was not'} heard and met {says}"
                expect(len(stage.ids) <= 3, f"{where} made {len(stage.ids) - 2} customers")
                if self.can.unique:
                    no_error(error, f"{where}, where capabilities.unique promises that a look settles it,")
                else:
                    expect(isinstance(error, UnknownOutcomeError), f"{where} ended in {error!r}, not UnknownOutcome…")

    def test_a_taken_external_id_is_a_conflict(self) -> None:
        """Where `capabilities.unique` says that no two customers have the same."""
        if not self.can.unique:
            pytest.skip("external ids need not be unique: capabilities.unique is false")
        stage, fields = self._creating(2)
        taken = stage.everybody()[0].external_id
        _, error = result(stage.client().create, **{**fields, "external_id": taken})
        expect(isinstance(error, ConflictError), f"create() with an external id that is taken ended in {error!r}")
        expect(len(stage.ids) == 2, "create() with an external id that is taken made a customer")

    def test_an_update_changes_what_is_named_and_nothing_else(self) -> None:
        """One field after the other, and nobody else's."""
        for name in self._updates():
            stage = self.stage(2)
            mine, other = stage.everybody()
            fields = _given(stage, other, (name,))
            changed, error = result(stage.client().update, mine.id, **fields)
            no_error(error, f"update({name}=…), as your server's own customers have it,")
            rest = [one for one in self.can.updates if one != name]
            differ = stage.adapter.differences(_as_read(stage, mine, rest), changed)
            expect(not differ, f"update({name}=…) changed {', '.join(differ)} as well")
            same, _ = result(stage.client().customer, other.id)
            expect(same == other, f"update({name}=…) of one customer changed another")

    def test_an_update_whose_answer_is_lost_is_repeated(self) -> None:
        """And ends as it was meant."""
        names = self._updates()
        for says, loss in _LOST.items():
            stage = self.stage(2)
            mine, other = stage.everybody()
            _lose(stage, loss, acted=True)
            _, error = result(stage.client(PATIENT).update, mine.id, **_given(stage, other, names[:1]))
            no_error(error, f"update({names[0]}=…) that was heard and met {says}")

    def test_a_removed_customer_is_gone(self) -> None:
        """Archived or deleted: it is not found, or its status tells; also where the answer was lost."""
        for name, remove in self._removals():
            for says, loss in ({"nothing": None} | _LOST).items():
                stage = self.stage(2)
                mine = stage.everybody()[0]
                if loss is not None:
                    _lose(stage, loss, acted=True)
                _, error = result(remove, stage.client(PATIENT), mine.id)
                no_error(error, f"{name}(id) that met {says}")
                found, error = result(stage.client().customer, mine.id)
                gone = isinstance(error, NotFoundError) or (found is not None and found.status != mine.status)
                expect(gone, f"after {name}(id) the customer is there as before")

    def test_nobody_to_change_or_remove_is_not_found(self) -> None:
        """Not a success, and not a new customer."""
        for name, act in self._acts():
            stage = self.stage(2)
            _, error = result(act, stage.client(), _UNKNOWN)
            expect(isinstance(error, NotFoundError), f"{name}() of an unknown id ended in {error!r}")
            expect(len(stage.ids) == 2, f"{name}() of an unknown id left {len(stage.ids)} customers of 2")

    def test_hostile_ids_stay_in_their_place_when_written(self) -> None:
        """An id is one segment of the path or one value."""
        for name, act in self._acts():
            for hostile in HOSTILE:
                stage = self.stage(1)
                _, error = result(act, stage.client(), hostile)
                for request in stage.line.requests:
                    stays(request, hostile)
                expect(error is not None, f"{name}({hostile[:40]!r}) found somebody to act on")

    # What these stand on

    def _creating(self, n: int) -> tuple[Stage, dict[str, Any]]:
        """A server with `n` customers, and the fields of one more."""
        if not self.can.creates:
            pytest.skip("nobody is created: capabilities.creates is empty")
        stage = self.stage(n)
        fields = _given(stage, stage.everybody()[0], self.can.creates)
        found = stage.client().check_create(**fields)
        expect(not found, f"check_create() refuses the values of a customer that your server made up: {found}")
        return stage, fields

    def _updates(self) -> tuple[str, ...]:
        if not self.can.updates:
            pytest.skip("nobody is changed: capabilities.updates is empty")
        stage = self.stage(2)
        known = _given(stage, stage.everybody()[1], self.can.updates)
        expect(known, "your fake server's made-up customers have none of the fields in capabilities.updates")
        return tuple(known)

    def _removals(self) -> list[tuple[str, Removal]]:
        both: list[tuple[str, bool, Removal]] = [
            ("archive", self.can.archives, lambda client, id_: client.archive(id_)),
            ("delete", self.can.deletes, lambda client, id_: client.delete(id_, cascade=True)),
        ]
        found = [(name, remove) for name, can, remove in both if can]
        if not found:
            pytest.skip("nobody is removed: capabilities.archives and .deletes are false")
        return found

    def _acts(self) -> Iterable[tuple[str, Callable[[Direct, str], object]]]:
        if self.can.updates:
            stage = self.stage(2)
            fields = _given(stage, stage.everybody()[1], self._updates()[:1])
            yield "update", lambda client, id_: client.update(id_, **fields)
        if self.can.archives or self.can.deletes:
            yield from self._removals()
        elif not self.can.updates:
            pytest.skip("nobody is changed or removed: capabilities.updates, .archives and .deletes")


def _given(stage: Stage, customer: Customer, names: Iterable[str]) -> dict[str, Any]:
    """Fields of a made-up customer as a caller would write them; its external id is made new."""
    found = {name: getattr(customer, name) for name in names}
    fields = {name: _writable(stage, name, value) for name, value in found.items() if value not in (None, {})}
    return fields | ({"external_id": f"{fields['external_id']}{_NEW}"} if fields.get("external_id") else {})


def _writable(stage: Stage, name: str, value: Any) -> Any:
    if name in {"kind", "status"}:
        return str(value)
    if not isinstance(value, Address):
        return dict(value) if name == "metadata" else value
    can = stage.adapter.capabilities.address
    kept = {part: getattr(value, part) for part in can}
    return Address(**kept, country_code=value.country_code if "country" in can else None)


def _words(stage: Stage, fields: dict[str, Any]) -> dict[str, Any]:
    """Status and kind in the provider's own words, as `differences` gets them."""
    words = {"status": stage.adapter.status_words, "kind": stage.adapter.kind_words}
    return {name: words[name].get(fields[name], fields[name]) for name in words if name in fields}


def _as_read(stage: Stage, customer: Customer, names: Iterable[str]) -> dict[str, Any]:
    """What a customer shows, in the form of fields."""
    fields = {name: getattr(customer, name) for name in names}
    return fields | ({"status": customer.raw_status} if "status" in fields else {})


def _lose(stage: Stage, loss: Reply, *, acted: bool) -> None:
    """Lose the answer to the next write that is sent; reads pass."""
    left = [loss]

    def lost(n: int) -> bool:
        return bool(left) and stage.line.requests[n - 1].method != "GET"

    if acted:
        stage.line.bend = lambda answer, n: left.pop() if lost(n) else answer
    else:
        stage.line.instead = lambda n: left.pop() if lost(n) else None
