"""The cassettes are what their scripts make, say where they come from, and leave no exchange unexplained."""

from __future__ import annotations

import from_real
import from_sandbox
import pytest
from cassette_tape import CASSETTES, load

FILES = sorted(CASSETTES.rglob("*.yaml"))
REAL = {conversation.name: conversation for conversation in from_real.CONVERSATIONS}
SANDBOX = {conversation.name: conversation for conversation in from_sandbox.CONVERSATIONS}
HOW = "run python tests/cassettes/{}.py, read the difference, and keep it if it is meant"


def test_every_file_has_a_script_and_every_conversation_a_file():
    """Every cassette is made by a script, and every conversation of the scripts has its cassette."""
    names = {path.relative_to(CASSETTES).with_suffix("").as_posix() for path in FILES}
    assert names == set(REAL) | set(SANDBOX)
    assert not set(REAL) & set(SANDBOX)


@pytest.mark.parametrize("name", REAL)
def test_the_script_makes_the_same_file_of_the_real_recording(name):
    """The script makes the committed file of the real recording again, to the letter."""
    conversation = REAL[name]
    committed = from_real.path_of(conversation).read_text(encoding="utf-8")
    assert from_real.text(conversation) == committed, HOW.format("from_real")


@pytest.mark.parametrize("name", SANDBOX)
def test_recording_from_the_sandbox_again_gives_the_same_file(name, tmp_path):
    """Recording from the sandbox again, on another port and at another time, gives the same file, to the letter."""
    conversation = SANDBOX[name]
    committed = from_sandbox.path_of(conversation).read_text(encoding="utf-8")
    again = from_sandbox.record(conversation, tmp_path).read_text(encoding="utf-8")
    assert again == committed, HOW.format("from_sandbox")


@pytest.mark.parametrize("name", REAL)
def test_answers_of_the_real_server_are_as_received(name):
    """Status and body of the real server stand in the file as they were received."""
    conversation = REAL[name]
    _, answers = load(from_real.path_of(conversation))
    for number, answer in zip(conversation.exchanges, answers, strict=True):
        recorded = from_real.recorded()[number]["response"]
        assert answer["status"]["code"] == recorded["status"]
        assert answer["body"]["string"].decode() == (recorded["body"] or "")
        assert answer["headers"] == {name: [value] for name, value in recorded["headers"].items()}


def test_each_file_says_where_it_comes_from():
    """A file says on top whether a real server or the sandbox spoke, and which exchanges these were."""
    for name, conversation in REAL.items():
        head = from_real.path_of(conversation).read_text(encoding="utf-8").splitlines()[:2]
        assert head[0] == "# recorded from the real server (flexprice e4b5303fd, 2026-11-21)", name
        assert all(str(number) in head[1] for number in conversation.exchanges), name
    for name, conversation in SANDBOX.items():
        first = from_sandbox.path_of(conversation).read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# recorded from the sandbox, built from the "), name


def test_each_recorded_exchange_is_in_a_cassette_or_explained():
    """Each of the 225 recorded exchanges is in one cassette, or the script says why the library never sends it."""
    used = [number for conversation in from_real.CONVERSATIONS for number in conversation.exchanges]
    assert len(set(used)) == len(used)
    assert set(used) | set(from_real.NOT_SENT) == set(from_real.recorded())
    assert not set(used) & set(from_real.NOT_SENT)


def _changed(request, **changes):
    return {**request, **changes}


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (85, {"query": "email=ada%40example.com&limit=49"}),
        (85, {"query": "email=other%40example.com"}),
        (58, {"query": "order=asc"}),
        (58, {"path": "/v1/customers/search"}),
        (58, {"headers": {"authorization": "Bearer <key>"}}),
        (113, {"body": '{"sort": [{"field": "name", "direction": "asc"}], "limit": 3}'}),
        (113, {"body": '{"sort": [{"field": "id"}, {"field": "name"}], "limit": 3}'}),
    ],
)
def test_another_request_is_not_taken_for_the_recorded_one(number, changes):
    """A request that asks for something else does not mean what the recorded one meant."""
    exchange = from_real.recorded()[number]
    other = _changed(exchange["request"], **changes)
    assert from_real.meant(other, exchange["response"]) != from_real.meant(exchange["request"], exchange["response"])


def test_the_defaults_that_requests_spell_out_are_those_of_the_recorded_server():
    """What requests spell out where the recorded ones are silent is what the recorded server did by itself."""
    answers = {n: from_real.recorded()[n]["response"]["body"] for n in (58, 60, 98, 71)}
    ids = {n: [row["id"] for row in from_real.json.loads(body)["items"]] for n, body in answers.items()}
    assert from_real.json.loads(answers[58])["pagination"] == {"total": 27, "limit": 50, "offset": 50}
    assert ids[58] == ids[60]
    assert ids[58][:10] == ids[98]
    assert ids[58][:3] == ids[71]
    assert {row["status"] for row in from_real.json.loads(answers[58])["items"]} == {"published"}


def test_the_cassettes_stay_small():
    """All cassettes together are below 1.5 MB, and each is text."""
    assert sum(path.stat().st_size for path in FILES) < 1_500_000
    assert not any("!!binary" in path.read_text(encoding="utf-8") for path in FILES)
