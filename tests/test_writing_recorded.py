"""The writes recorded with a real Flexprice server, made by this library: the same requests, its answers read."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from boxed import Writer
from fakes import ONCE, Account, flexprice
from test_writing_rules import as_fields

import unified_customers as uc
from unified_customers._wire import Response

RECORDED = Path(__file__).parent / "data/real_flexprice/exchanges.jsonl"
SECOND, FOURTH = "cust_01M7YPXPYB7G644AHZBP5Y0KJH", "cust_01M7YPXPYHZFXXDWE4Q6RHVBXJ"
SEVENTH = "cust_01M7YPXPYV1WY1HYYK28PECQ07"
CREATED = [*range(12, 37), 48]


@functools.cache
def exchanges():
    found = map(json.loads, RECORDED.read_text(encoding="utf-8").splitlines())
    return {exchange["n"]: exchange for exchange in found}


class Played(Writer):
    """An account whose server answers with recorded exchanges, in their order, to the recorded requests alone."""

    def __init__(self, *numbers):
        Account.__init__(self, flexprice(), self.answer, ONCE)
        self.left = [exchanges()[number] for number in numbers]

    def answer(self, request):
        exchange = self.left.pop(0)
        asked, parts = exchange["request"], urlsplit(request.url)
        assert (request.method, parts.path) == (asked["method"], "/v1" + asked["path"].removeprefix("/v1"))
        assert parse_qsl(parts.query) == parse_qsl(asked["query"])
        assert json.loads(request.body or b"null") == json.loads(asked["body"] or "null")
        answer = exchange["response"]
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return Response(status=answer["status"], headers=headers, body=(answer["body"] or "").encode())


@pytest.mark.parametrize("number", CREATED)
def test_a_recorded_create_is_made_again_and_read(number):
    """The same body from a caller's words, and the customer of the answer."""
    exchange = exchanges()[number]
    made = Played(number).create(**as_fields(exchange["request"]["body"]))
    row = json.loads(exchange["response"]["body"])
    assert (made.id, made.external_id, made.name) == (row["id"], row["external_id"], row["name"])
    assert (made.email or "", made.phone, dict(made.metadata)) == (
        row["email"],
        row.get("contact"),
        row["metadata"] or {},
    )
    assert made.status == uc.Status.ACTIVE


def test_the_time_of_a_create_is_the_time_of_later_reads():
    """For every customer that was created and then read in the recording."""
    later = {}
    for exchange in exchanges().values():
        if exchange["request"]["method"] == "GET" and exchange["response"]["status"] == 200:
            body = json.loads(exchange["response"]["body"])
            later |= {row["id"]: row["created_at"] for row in body.get("items", [body]) if "id" in row}
    compared = 0
    for number in CREATED:
        made = Played(number).create(**as_fields(exchanges()[number]["request"]["body"]))
        if made.id in later:
            assert (
                made.created_at == uc.from_dict({"provider": "x", "id": "x", "created_at": later[made.id]}).created_at
            )
            compared += 1
    assert compared > 20


UPDATES = {
    136: (SECOND, {"name": "New name"}),
    138: (SECOND, {"metadata": {"only": "this"}}),
    140: (SECOND, {"metadata": None}),
    150: (FOURTH, {"phone": None}),
    166: (SEVENTH, {"name": "still writable"}),
}


@pytest.mark.parametrize(("number", "id", "fields"), [(n, *said) for n, said in UPDATES.items()], ids=map(str, UPDATES))
def test_a_recorded_update_is_made_again_and_read(number, id, fields):
    """`None` becomes what the server took for clearing; the answer's old `updated_at` is not handed on."""
    changed = Played(number).update(id, **fields)
    assert changed.updated_at is None
    assert all((getattr(changed, name) or None) == (value or None) for name, value in fields.items())


def test_a_changed_external_id_is_looked_at_first():
    """Metadata is there, so the second request is the change; the server notes the new id in it."""
    made = Played(141, 144).update(SECOND, external_id="ext-01b")
    assert (made.external_id, made.metadata) == ("ext-01b", {"old_external_ids": "ext-01b"})


@pytest.mark.parametrize(
    ("numbers", "act", "error", "code"),
    [
        ([37], lambda w: w.create(external_id="ext-00", name="x"), uc.ConflictError, "already_exists"),
        ([158], lambda w: w.update("cust_nope", name="x"), uc.NotFoundError, "not_found"),
        ([161], lambda w: w.archive(SEVENTH), uc.NotFoundError, "not_found"),
    ],
    ids=["taken", "unknown", "archived already"],
)
def test_a_recorded_refusal_is_an_error(numbers, act, error, code):
    """Of the class and code that the server's answer has, without what it repeats of the request."""
    with pytest.raises(error) as caught:
        act(Played(*numbers))
    assert caught.value.code == code
    assert not any(told in f"{caught.value} {caught.value.details}" for told in ("ext-00", "cust_nope"))


def test_a_recorded_archive_and_the_second_life_of_its_external_id():
    """204 and nothing; then the id is taken again by another customer."""
    Played(160).archive(SEVENTH)
    assert Played(165).create(external_id="ext-06", name="second life").id != SEVENTH
