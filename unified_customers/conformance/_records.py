"""Checks of odd records among good ones: the others come, the odd one comes right, or is named and may be left out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..adapter import Customer, Response
from ..errors import BadRecordError, CustomersError, PaginationError
from ._bodies import Record, changed, id_name
from ._saying import exactly, expect, no_error, outcome
from ._stage import Setup, Stage

_NO_IDS: dict[str, Any] = {"missing": ..., "null": None, "empty": "", "a list": [1], "an object": {}, "true": True}
_HOSTILE_RECORDS: dict[str, Any] = {"null": None, "a number": 7, "a text": "x", "a list": []}


class Records(Setup):
    """Records that are not as they should be."""

    def test_numeric_ids_are_their_digits(self) -> None:
        """An id that is a number is the same customer as its digits, or a bad record; never a number."""
        stage, name, odd = self._a_page()
        self._change(stage, odd, partial(_with_id, name=name, value=9000017))
        got, error = outcome(stage.client().customers())
        if isinstance(error, BadRecordError):
            return
        no_error(error, "a list with a numeric id")
        wanted = [id_ for id_ in stage.ids if id_ != odd] + ["9000017"]
        exactly(got, wanted, "a list with a numeric id (as text, by the type Id of unified_customers.adapter)")

    def test_a_record_without_an_id_is_a_bad_record_that_can_be_left_out(self) -> None:
        """Its place is named; `on_bad_record="skip"` leaves it out, counts it, and brings the others."""
        for says, value in _NO_IDS.items():
            stage, name, odd = self._a_page()
            order = self._change(stage, odd, partial(_with_id, name=name, value=value))
            self._named_and_left_out(stage, odd, order, f"a record whose id is {says}")

    def test_a_record_that_is_no_object_is_a_bad_record_that_can_be_left_out(self) -> None:
        """The same for null, a number, a text or a list in its place."""
        for says, value in _HOSTILE_RECORDS.items():
            stage, _, odd = self._a_page()
            order = self._change(stage, odd, partial(_only, value=value))
            self._named_and_left_out(stage, odd, order, f"a record that is {says}")

    def test_a_stand_in_takes_the_place_of_a_bad_record(self) -> None:
        """A callable as `on_bad_record=` may return a customer of its own making."""
        stage, _, odd = self._a_page()
        self._change(stage, odd, partial(_only, value=None))
        mine = Customer(provider=stage.adapter.name, id="uc-stand-in")
        got, error = outcome(stage.client().customers(on_bad_record=lambda _: mine))
        where = "a list in which a bad record is replaced by on_bad_record's own customer"
        if not isinstance(error, PaginationError):
            no_error(error, where)
        exactly(got, [*(id_ for id_ in stage.ids if id_ != odd), mine.id], where)

    def test_a_record_that_stands_twice_in_a_page_comes_once(self) -> None:
        """And the second is counted as a duplicate."""
        stage, _, odd = self._a_page()
        self._change(stage, odd, lambda record: [record, dict(record)])
        listing = stage.client().customers()
        got, error = outcome(listing)
        where = "a page with the same record twice"
        no_error(error, where)
        exactly(got, stage.ids, where)
        expect(listing.report.duplicates >= 1, f"{where}: the report counts no duplicate")

    def test_unknown_keys_are_kept_and_do_no_harm(self) -> None:
        """A provider may add a field at any time: it is in `raw`."""
        stage, _, _ = self._a_page()
        extra = {"a": [1, None, {"b": "é"}], "status": "x"}
        self._change(stage, None, lambda record: [{**record, "uc_extra": extra}])
        got, error = outcome(stage.client().customers())
        no_error(error, "a list whose records have an unknown key")
        exactly(got, stage.ids, "a list whose records have an unknown key")
        expect(all(one.raw.get("uc_extra") == extra for one in got), "an unknown key of a record is missing in raw")

    def test_long_and_strange_ids_come_as_they_are(self) -> None:
        """Ids are not trimmed, folded or decoded on their way in."""
        for odd_id in ("x" * 300, " spaced ", "Ünïcødé 🦔", "a/b?c#d%20", "\u202eabc", "0x10", "null"):
            stage, name, odd = self._a_page()
            self._change(stage, odd, partial(_with_id, name=name, value=odd_id))
            got, error = outcome(stage.client().customers())
            where = f"a list with the id {odd_id[:20]!r}"
            no_error(error, where)
            exactly(got, [id_ for id_ in stage.ids if id_ != odd] + [odd_id], where)

    def _a_page(self) -> tuple[Stage, str, str]:
        """Three customers, if they fit one page: the stage, the name of ids, and the id of the one in the middle."""
        n = min(3, self.can.max_page_size)
        stage, everybody = self.stage(n), self.stage(n).everybody()
        return stage, id_name(stage.server), everybody[n // 2].id

    @staticmethod
    def _change(stage: Stage, odd: str | None, change: Callable[[Record], list[Any]]) -> list[str]:
        """Change the record with that id, or all, in every answer; returns the ids in the order of the last answer."""
        name, order = id_name(stage.server), list[str]()

        def one(record: Record) -> list[Any]:
            order.append(str(record[name]))
            return change(record) if odd is None or order[-1] == odd else [record]

        def bent(answer: Response, n: int) -> Response:
            if odd not in order:  # what has been seen is the page with the odd one
                order.clear()
            return changed(answer, stage.server, one)

        stage.line.bend = bent
        return order

    def _named_and_left_out(self, stage: Stage, odd: str, order: list[str], where: str) -> None:
        _, error = outcome(stage.client().customers())
        expect(
            isinstance(error, BadRecordError),
            f"{where} ended in {_told(error)}, not in BadRecordError: read it with record()",
        )
        path = "" if error is None else error.path or ""
        place = f"[{order.index(odd)}]"
        expect(place in path, f"{where}: error.path is {path!r}, and the record stands at {place}")
        listing = stage.client().customers(on_bad_record="skip")
        got, error = outcome(listing)
        others = [id_ for id_ in stage.ids if id_ != odd]
        if not isinstance(error, PaginationError):  # a total that counts a record which has no place is a doubt
            no_error(error, f"{where}, with on_bad_record='skip',")
        exactly(got, others, f"a list with {where}, which is skipped,")
        bad = listing.report.bad
        expect(bad == 1 or error is not None, f"{where} was left out and is counted {bad} times: call `keep` once")


def _with_id(record: Record, name: str, value: object) -> list[Any]:
    if value is ...:
        return [{key: inner for key, inner in record.items() if key != name}]
    return [{**record, name: value}]


def _only(_: Record, value: object) -> list[Any]:
    return [value]


def _told(error: CustomersError | None) -> str:
    return "no error" if error is None else f"{type(error).__name__} ({error})"
