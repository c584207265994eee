"""The sandbox's Flexprice against recorded conversations with a real one: where they differ, the sandbox is wrong."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from recording import Replay, exchanges, recorded

from unified_customers.sandbox import MISSING, Sandbox

ALL = exchanges()
BEFORE_TIES = [exchange for exchange in ALL if not exchange["section"].startswith("ties")]
KEYSET = [exchange for exchange in ALL if exchange["section"] == "ties under keyset"]
ARCHIVED = [exchange for exchange in ALL if exchange["section"] == "ties under keyset, rows archived"]
OFFSET = [exchange for exchange in ALL if exchange["section"] == "ties under offset asc"]
TIED_ROWS = [row for exchange in KEYSET for row in json.loads(exchange["response"]["body"])["items"]]


@pytest.fixture
def box():
    with Sandbox(customers=0) as box:
        yield box


@pytest.fixture
def replay(box):
    replay = Replay(box)
    yield replay
    replay.close()


def test_every_recorded_exchange_is_answered_as_the_real_server_answered_it(replay):
    """Status, content type, location, request id and body of all 185 exchanges before the ties."""
    wrong = []
    for exchange in BEFORE_TIES:
        ours, theirs = replay.send(exchange), recorded(exchange)
        if "unknown field" in exchange["name"]:
            # The real server draws the status of this error at random; both draws are on record.
            code = {400: "validation_error", 500: "database_error"}[ours.status]
            told = {"code": code, "message": "Failed to list customers", "http_status_code": ours.status}
            assert json.loads(ours.body) == told
            continue
        differences = replay.differences(theirs, ours)
        if differences:
            wrong.append((exchange["n"], exchange["name"], differences))
    assert wrong == []
    assert len(BEFORE_TIES) == 185


def test_mapped_times_keep_their_order_and_their_rounding(replay):
    """A create answers with nanoseconds; what it stored is that time rounded to microseconds."""
    for exchange in BEFORE_TIES:
        replay.differences(recorded(exchange), replay.send(exchange))
    times = sorted((their, our) for their, our in replay.known.items() if not their.startswith("cust_"))
    ours = [datetime.fromisoformat(our) for _, our in times]
    assert ours == sorted(ours)
    assert sum(len(our) > len("2026-03-02T09:30:00.123456Z") for _, our in times) > 10


@pytest.mark.parametrize("section", [KEYSET, ARCHIVED], ids=["1200 rows", "240 rows, some archived"])
def test_a_keyset_walk_over_one_moment_gives_the_recorded_pages(box, replay, section):
    """The rows that one SQL import gave one created_at, read by search as recorded, byte for byte."""
    wanted = {row for exchange in section for row in _ids(exchange)}
    for row in TIED_ROWS:
        if row["id"] in wanted:
            box.flexprice.insert(**{"contact": MISSING, **row})
    for exchange in section:
        ours, theirs = replay.send(exchange), recorded(exchange)
        if exchange["request"]["method"] == "GET":
            # In which order equal times come is the database's mood; which rows there are is not.
            assert json.loads(ours.body)["pagination"] == json.loads(theirs.body)["pagination"]
            assert {row["created_at"] for row in json.loads(ours.body)["items"]} == {TIED_ROWS[0]["created_at"]}
        else:
            assert ours == theirs, exchange["name"]


def _ids(exchange):
    body = exchange["response"]["body"]
    return [row["id"] for row in json.loads(body)["items"]] if body else []


def test_an_offset_walk_over_one_moment_repeats_and_loses_rows_as_the_recorded_one_did(box, replay):
    """1,200 rows in pages of 50: every page is full, the total is right, and fewer than 1,200 are seen."""
    for row in TIED_ROWS:
        box.flexprice.insert(**{"contact": MISSING, **row})
    for answers in ([recorded(e) for e in OFFSET], [replay.send(e) for e in OFFSET]):
        pages = [json.loads(answer.body) for answer in answers]
        ids = [row["id"] for page in pages for row in page["items"]]
        assert {page["pagination"]["total"] for page in pages} == {1200}
        assert len(ids) == 1200
        assert len(set(ids)) < 1200
