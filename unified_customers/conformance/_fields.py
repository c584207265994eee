"""Checks of the fields of one customer: what is null stays null, what is strange stays text, and nothing is made up."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import attrs
import msgspec
import pytest

from ..adapter import Customer, Response
from ..errors import BadRecordError, CustomersError
from ..models import Kind, Status, from_dict, to_dict
from ._bodies import Path, Record, changed, everywhere, id_name, paths, put, without
from ._saying import expect, no_error, outcome
from ._stage import Setup

_WORD = "zebra-crossing"
_MADE_UP = {"None", "null", "nan", "NaN", "True", "False", "true", "false"}
_IDS = {"id", "external_id", "parent_id", "account_id"}  # a number is taken as its digits, as Id does
_WAYS: dict[str, Callable[[Customer], Any]] = {
    "pickle": lambda customer: pickle.loads(pickle.dumps(customer)),  # noqa: S301 - our own value
    "a deep copy": copy.deepcopy,
    "to_dict(), JSON and from_dict()": lambda customer: from_dict(json.loads(json.dumps(to_dict(customer)))),
}
_WRONG: dict[str, Any] = {
    "a number": 5,
    "true": True,
    "a list": ["planted"],
    "an object": {"planted": 1},
    "a text": "x",
}


class Fields(Setup):
    """Fields of a record."""

    def test_null_in_any_field_is_none(self) -> None:
        """Every field but the id may be null, or missing: the customer comes, and no text says "None"."""
        for path in self._optional():
            for says, change in (("null", partial(put, value=None)), ("missing", without)):
                got, error = self._changed_list(partial(change, path=path))
                where = f"a list whose records have {'.'.join(path)} {says}"
                no_error(error, where)
                expect(len(got) == self.small, f"{where} brought {len(got)} of {self.small} customers")
                _nothing_made_up(got, where)

    def test_records_of_nulls_are_customers_with_an_id(self) -> None:
        """All of them at once."""
        name = id_name(self.stage(1).server)
        where = "a list whose records hold an id and nulls"
        got, error = self._changed_list(lambda record: {key: record[key] if key == name else None for key in record})
        no_error(error, where)
        expect(len(got) == self.small, f"{where} brought {len(got)} of {self.small} customers")
        _nothing_made_up(got, where)

    def test_a_value_of_another_type_is_never_coerced(self) -> None:
        """Where the adapter reads a field, a value of a wrong type makes a bad record; else it stays in `raw`."""
        for path in self._optional():
            for says, value in _WRONG.items():
                got, error = self._changed_list(partial(put, path=path, value=value))
                where = f"a list whose records have {says} as {'.'.join(path)}"
                if isinstance(error, BadRecordError):
                    expect("[0]" in (error.path or ""), f"{where}: error.path is {error.path!r}")
                    continue
                no_error(error, where)
                expect(len(got) == self.small, f"{where} brought {len(got)} of {self.small} customers")
                _nothing_made_up(got, where, value)

    def test_unknown_words_for_status_and_kind_stay_plain_text(self) -> None:
        """A new word of the provider's is handed out as it is: not refused, not None, not one of our own words."""
        found = self._own_words()
        if not found:
            pytest.skip("the made-up customers have neither a status nor a kind")
        for field, words in found.items():
            got, error = self._with_word(words, _WORD)
            where = f"a list whose {field} is an unknown word"
            no_error(error, where)
            for customer in got:
                value = getattr(customer, field)
                expect(value == _WORD and type(value) is str, f"{where} brought {value!r}: use open_enum()")
                expect(
                    field != "status" or customer.raw_status == _WORD, f"{where}: raw_status is not the word as sent"
                )

    def test_known_words_for_status_and_kind_are_ours(self) -> None:
        """What the adapter's `status_words` and `kind_words` say, its customers say too."""
        adapter = self.stage(0).adapter
        tables = {"status": (adapter.status_words, Status), "kind": (adapter.kind_words, Kind)}
        for field, here in self._own_words().items():
            words, ours = tables[field]
            for our, theirs in words.items():
                got, error = self._with_word(here, theirs)
                where = f"a list whose {field} is {theirs!r}, which {field}_words gives for {our!r},"
                no_error(error, where)
                wanted = ours(our) if our in set(ours) else our
                for customer in got:
                    value = getattr(customer, field)
                    expect(value == wanted and type(value) is type(wanted), f"{where} brought {value!r}")

    def test_times_are_aware_and_in_utc(self) -> None:
        """Whatever offset the provider writes; a time that can't be read is None."""
        for customer in self.stage(4).everybody():
            for name in ("created_at", "updated_at"):
                at = getattr(customer, name)
                fine = at is None or (isinstance(at, datetime) and at.utcoffset() == timedelta(0))
                expect(fine, f"{name} is {at!r}, which is not an aware datetime in UTC: use moment()")

    def test_raw_is_the_whole_record_and_read_only(self) -> None:
        """As the provider sent it, key by key; a ReadOnlyDict."""
        stage = self.stage(3)
        for customer in stage.everybody():
            sent = msgspec.json.decode(msgspec.json.encode(stage.server.records[customer.id]))
            expect(_alike(customer.raw, sent), "raw is not the provider's record, whole: raw=ReadOnlyDict(record)")
            for name in ("raw", "metadata"):
                expect(_refuses(getattr(customer, name)), f"{name} can be changed: make it a ReadOnlyDict")

    def test_customers_are_values_that_travel(self) -> None:
        """Each names its provider, equals its copy, pickles, and survives `to_dict` and JSON."""
        for customer in self.stage(4).everybody():
            expect(customer.provider == self.stage(0).adapter.name, f"a customer's provider is {customer.provider!r}")
            for name in ("id", "external_id", "name", "first_name", "last_name", "company", "email", "phone"):
                value = getattr(customer, name)
                expect(value is None or type(value) is str, f"{name} is {type(value).__name__}, and a text is wanted")
                expect(value != "", f"{name} is an empty text: a field that is not set is None, as text() makes it")
            for says, way in _WAYS.items():
                again = _sent(customer, way)
                expect(again == customer, f"a customer does not survive {says}: {again!r}; its fields are plain values")

    # What these checks share

    def _own_words(self) -> dict[str, set[str]]:
        """The provider's words that became the customers' statuses and kinds."""
        stage, found = self.pages(1), dict[str, set[str]]()
        adapter = stage.adapter
        for customer in stage.everybody():
            if customer.raw_status is not None:
                record = stage.server.records[customer.id]
                as_sent = everywhere(record, customer.raw_status, ...) != record
                expect(as_sent, f"raw_status={customer.raw_status!r} stands nowhere in the record: as sent, it does")
                found.setdefault("status", set()).add(customer.raw_status)
            if customer.kind is not None:
                kind = str(customer.kind)
                found.setdefault("kind", set()).add(adapter.kind_words.get(kind, kind))
        return found

    def _with_word(self, words: set[str], word: str) -> tuple[list[Customer], CustomersError | None]:
        """What a list brings in which any of `words` is another word."""

        def changed_word(record: Record) -> Record:
            for old in words:
                record = everywhere(record, old, word)
            return record

        return self._changed_list(changed_word)

    def _optional(self) -> Iterator[Path]:
        """The places in the first record but its id."""
        server = self.stage(1).server
        name = id_name(server)
        for record in server.records.values():
            yield from (path for path in paths(record) if path != (name,))

    def _changed_list(self, change: Any) -> tuple[list[Customer], CustomersError | None]:
        """What a list of one small page brings after each of its records was changed."""
        stage = self.pages(1)

        def one(record: Record) -> list[Any]:
            try:
                return [change(record)]
            except (KeyError, TypeError):  # this record has no such place
                return [record]

        def bent(answer: Response, n: int) -> Response:
            return changed(answer, stage.server, one)

        stage.line.bend = bent
        return outcome(stage.client().customers())


def _sent(customer: Customer, way: Callable[[Customer], Any]) -> Any:
    """What arrives at the other end, or the error on the way."""
    try:
        return way(customer)
    except Exception as error:  # noqa: BLE001 - whatever a value that can't travel raises
        return error


def _nothing_made_up(customers: list[Customer], where: str, value: Any = None) -> None:
    """No text of a customer is a Python or JSON word that stands for something else."""
    __tracebackhide__ = True
    forms = _MADE_UP if value is None or isinstance(value, str) else {str(value), repr(value), json.dumps(value)}
    for customer in customers:
        for name, text in _texts(customer):
            digits = type(value) is int and name in _IDS
            expect(text not in forms or digits, f"{where} brought a customer whose {name} is the text {text!r}")


def _texts(customer: Customer) -> Iterator[tuple[str, str]]:
    for field in attrs.fields(Customer):
        value = getattr(customer, field.name)
        if isinstance(value, str):
            yield field.name, str(value)
        elif attrs.has(type(value)):
            yield from ((field.name, text) for text in attrs.astuple(value) if isinstance(text, str))


def _alike(raw: Any, sent: Any) -> bool:
    """Equal, numbers with a fraction by their value."""
    return bool(json.dumps(raw, default=float, sort_keys=True) == json.dumps(sent, sort_keys=True))


def _refuses(mapping: Any) -> bool:
    try:
        mapping["uc-conformance"] = 1
    except TypeError:
        return True
    return False
