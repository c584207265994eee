"""Creating, changing, archiving and deleting: what is sent, what is looked up, and what is said where nobody knows."""

from __future__ import annotations

import json
import pickle

import pytest
from boxed import LATE, LOST, UNSENT, Boxed, Writer
from fakes import ONCE, reply
from hypothesis import given, settings
from hypothesis import strategies as st

import unified_customers as uc

ADA = {"name": "Ada", "email": "ada@example.com", "external_id": "a-1", "metadata": {"plan": "pro"}}
HOME = uc.Address(line1="Street 1", line2="2nd floor", city="Köln", state="NW", postal_code="50667", country_code="DE")


def spoiling(*answers):
    """The answers to the first writes; a callable is given the request, `None` is the honest one."""

    left = [*answers]

    def spoils(boxed, request, _):
        answer = left.pop(0) if left else None
        return answer(boxed, request) if callable(answer) else answer

    return spoils


def acted(answer):
    """The server acts, and this is heard of it."""

    def spoils(boxed, request):
        boxed.act(request)
        return answer

    return spoils


def acting_at_last(answer):
    """The server acts when the next write has been answered: the request was still on its way."""

    def spoils(boxed, request):
        boxed.spoils = lambda later, following, _: follow(later, following, request)
        return answer

    def follow(boxed, following, first):
        boxed.spoils = lambda *_: None
        boxed.act(first)
        return boxed.act(following)

    return spoils


@pytest.fixture
def boxed():
    return Boxed("flexprice")


@pytest.fixture
def writer(boxed):
    return Writer(boxed)


def customers(boxed):
    return [row for row in boxed.provider.rows if row.get("status") in {"published", None}]


# Sent and answered


def test_a_created_customer_is_what_later_reads_show(boxed, writer):
    """Every field, and the time of creation to the microsecond, though the answer shows nanoseconds."""
    made = writer.create(**ADA, phone="+49 221 12345", billing_address=HOME, params={"timezone": "Asia/Kolkata"})
    read = writer.customer(made.id)
    assert (made.name, made.email, made.external_id, made.phone) == ("Ada", "ada@example.com", "a-1", "+49 221 12345")
    assert made.billing_address == uc.Address(
        line1="Street 1",
        line2="2nd floor",
        city="Köln",
        state="NW",
        postal_code="50667",
        country="DE",
        country_code="DE",
    )
    assert (made.metadata, made.raw["timezone"]) == ({"plan": "pro"}, "Asia/Kolkata")
    assert made.created_at == read.created_at
    assert made.updated_at == read.updated_at
    assert uc.to_dict(made) | {"raw": 0} == uc.to_dict(read) | {"raw": 0}


def test_many_creates_keep_their_time_whatever_its_digits(boxed, writer):
    """The database rounds what the answer shows in nanoseconds."""
    for number in range(60):
        boxed.provider._clock.advance(0.000_000_137 * number)
        made = writer.create(name="n", external_id=str(number))
        assert made.created_at == writer.customer(made.id).created_at


def test_what_is_none_is_as_if_not_given_to_a_create(boxed, writer):
    """A mapping of fields that may be unset can be given as it is."""
    made = writer.create(name="n", external_id="x", email=None, billing_address=None, metadata=None, params=None)
    assert json.loads(boxed.bodies[0]) == {"name": "n", "external_id": "x"}
    assert (made.email, made.metadata) == (None, {})


def test_an_update_leaves_what_is_not_named(boxed, writer):
    """Metadata and addresses are replaced whole, and the time that the answer shows is the one before."""
    made = writer.create(**ADA, phone="123", billing_address=HOME)
    changed = writer.update(made.id, name="Lovelace", billing_address=uc.Address(city="Bonn", country="Germany"))
    assert (changed.name, changed.email, changed.phone, changed.metadata) == (
        "Lovelace",
        "ada@example.com",
        "123",
        {"plan": "pro"},
    )
    assert changed.billing_address == uc.Address(city="Bonn", country="DE", country_code="DE")
    assert changed.updated_at is None
    assert writer.customer(made.id).updated_at > made.updated_at
    assert writer.update(made.id, metadata={"seat": "1"}).metadata == {"seat": "1"}


def test_none_clears_what_flexprice_can_clear(boxed, writer):
    """Phone, metadata, and an address without a country."""
    made = writer.create(**ADA, phone="123", billing_address=uc.Address(city="Bonn"))
    cleared = writer.update(made.id, phone=None, metadata=None, billing_address=None)
    assert (cleared.phone, cleared.metadata, cleared.billing_address) == (None, {}, None)


@pytest.mark.parametrize("change", [{"email": None}, {"name": None}, {"external_id": None}])
def test_what_cannot_be_cleared_is_refused_before_anything_is_sent(boxed, writer, change):
    """The server would answer 400, or crash."""
    with pytest.raises(uc.UnsupportedError, match="can't be cleared at Flexprice"):
        writer.update("cust_1", **change)
    assert boxed.sent == []


@pytest.mark.parametrize("address", [None, uc.Address(city="Bonn")])
def test_a_country_that_would_have_to_be_cleared_is_found_by_looking(boxed, writer, address):
    """Nothing is written; the customer is looked at first."""
    made = writer.create(**ADA, billing_address=HOME)
    with pytest.raises(uc.UnsupportedError, match="this customer has a country") as caught:
        writer.update(made.id, billing_address=address)
    assert caught.value.faults[0].field == "billing_address.country"
    assert [line.split()[0] for line in boxed.sent] == ["POST", "GET"]
    assert writer.customer(made.id).billing_address.city == "Köln"


def test_an_external_id_is_changed_without_crashing_the_server(boxed, writer):
    """Its metadata is null, so an empty one is put there first; the server notes the new id in it."""
    made = writer.create(name="n", external_id="old")
    assert made.raw["metadata"] is None
    changed = writer.update(made.id, external_id="new")
    assert changed.external_id == "new"
    assert changed.metadata == {"old_external_ids": "new"}
    assert [json.loads(body) for body in boxed.bodies if body][1:] == [{"metadata": {}}, {"external_id": "new"}]


def test_an_external_id_that_stays_needs_no_first_step(boxed, writer):
    """The server notes nothing, so it does not crash."""
    made = writer.create(name="n", external_id="same")
    assert writer.update(made.id, external_id="same", name="m").name == "m"
    assert [line.split()[0] for line in boxed.sent] == ["POST", "GET", "PUT"]


def test_an_external_id_and_metadata_can_be_changed_together(boxed, writer):
    """Metadata that is there needs no first step."""
    made = writer.create(**ADA)
    changed = writer.update(made.id, external_id="new", metadata={"k": "v"})
    assert (changed.external_id, changed.metadata["k"]) == ("new", "v")
    assert [line.split()[0] for line in boxed.sent] == ["POST", "GET", "PUT"]


def test_each_changed_external_id_is_noted(writer):
    """Behind the earlier ones, as the server's source has it."""
    made = writer.create(**{**ADA, "metadata": {}})
    writer.update(made.id, external_id="b")
    assert writer.update(made.id, external_id="c").metadata == {"old_external_ids": "b,c"}


@pytest.mark.parametrize("metadata", [None, {}])
def test_what_a_server_notes_in_emptied_metadata_is_no_difference(boxed, writer, metadata):
    """The real one empties it after it noted the new external id; another may do it before."""
    made = writer.create(**ADA)
    row = {**made.raw, "external_id": "new", "metadata": {"old_external_ids": "new"}}
    boxed.spoils = spoiling(reply(200, row))
    assert writer.update(made.id, external_id="new", metadata=metadata).external_id == "new"


def test_an_archived_external_id_can_be_taken_again(boxed, writer):
    """The second customer is another one."""
    first = writer.create(**ADA)
    writer.archive(first.id)
    second = writer.create(**ADA)
    assert (first.id != second.id, writer.customer(external_id="a-1").id) == (True, second.id)
    assert writer.customer(first.id).status == uc.Status.ARCHIVED


# Refused


def test_a_taken_external_id_is_a_conflict(boxed, writer):
    """The first answer says so; nobody is looked up, nothing is sent again."""
    writer.create(**ADA)
    with pytest.raises(uc.ConflictError) as caught:
        writer.create(**ADA)
    assert (caught.value.status, caught.value.code) == (409, "already_exists")
    assert boxed.sent == ["POST /v1/customers"] * 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_refused_create_is_not_sent_again(boxed, writer, status):
    """The answer says that nothing was done."""
    boxed.spoils = spoiling(reply(status, {"message": "no"}))
    with pytest.raises(uc.ApiError) as caught:
        writer.create(**ADA)
    assert (caught.value.status, boxed.writes, boxed.sent) == (status, 1, [])


@pytest.mark.parametrize("answer", [UNSENT, reply(429, b""), reply(429, b"", retry_after="7"), reply(425, b"")])
def test_what_was_not_taken_is_sent_again(boxed, writer, answer):
    """No connection, or too many requests: nothing was done, so there is nothing to look up."""
    boxed.spoils = spoiling(answer, answer)
    assert writer.create(**ADA).external_id == "a-1"
    assert boxed.sent == ["POST /v1/customers"]
    assert boxed.writes == 3
    assert len(writer.slept) == 2


def test_what_was_never_taken_ends_in_its_own_error(boxed):
    """Not in an unknown outcome."""
    writer = Writer(boxed)
    boxed.spoils = lambda *_: UNSENT
    with pytest.raises(uc.ConnectionFailedError):
        writer.create(**ADA)
    assert boxed.writes == 4
    boxed.spoils = lambda *_: reply(429, b"")
    with pytest.raises(uc.RateLimitedError):
        writer.create(**ADA)


# Unknown

UNKNOWN = {
    "broken": LOST,
    "timeout": LATE,
    "500": reply(500, b""),
    "502": reply(502, b"<html>"),
    "503 with Retry-After": reply(503, b"", retry_after="3"),
    "504": reply(504, b""),
    "408": reply(408, b""),
    "a good status without a body": reply(200, b""),
    "a created customer cut short": reply(201, b'{"id": "cust_'),
    "a good status that is no customer": reply(200, {"items": []}),
    "a redirect that may come after the deed": reply(303, b"", location="/elsewhere"),
}
REPEATED = {name: answer for name, answer in UNKNOWN.items() if "redirect" not in name} | {"not sent": UNSENT}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_a_create_that_happened_is_found_and_not_sent_again(boxed, writer, answer):
    """One POST, one look by external id, one customer."""
    boxed.spoils = spoiling(acted(answer))
    made = writer.create(**ADA)
    assert boxed.sent == ["POST /v1/customers", "GET /v1/customers/external/a-1"]
    assert [row["id"] for row in customers(boxed)] == [made.id]


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_a_create_that_did_not_happen_is_sent_again(boxed, writer, answer):
    """After a look that finds nobody."""
    boxed.spoils = spoiling(answer)
    made = writer.create(**ADA)
    assert boxed.sent == ["GET /v1/customers/external/a-1", "POST /v1/customers"]
    assert [row["id"] for row in customers(boxed)] == [made.id]


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_a_create_that_is_still_on_its_way_makes_no_second_customer(boxed, writer, answer):
    """The look finds nobody, the first request arrives, the second is refused: the first's customer is the result."""
    boxed.spoils = spoiling(acting_at_last(answer))
    made = writer.create(**ADA)
    assert [line.split()[0] for line in boxed.sent] == ["GET", "POST", "POST", "GET"]
    assert [row["id"] for row in customers(boxed)] == [made.id]


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_without_an_external_id_the_outcome_stays_unknown(answer):
    """Flatpeak's references need not be unique either: one POST, and never a second."""
    boxed = Boxed("flatpeak")
    writer = Writer(boxed)
    for fields in ({}, {"external_id": "r"}):
        boxed.writes, boxed.spoils = 0, spoiling(acted(answer))
        with pytest.raises(uc.UnknownOutcomeError, match="may or may not have created") as caught:
            writer.create(**fields)
        assert boxed.writes == 1
        assert isinstance(caught.value.__cause__, uc.CustomersError)
        assert caught.value.status == caught.value.__cause__.status
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), again.status, str(again)) == (type(caught.value), caught.value.status, str(caught.value))


def test_a_server_that_never_answers_leaves_it_unknown(boxed, writer):
    """As many sends as `Retry` allows, a look after each, and the last error as the cause."""
    boxed.spoils = lambda *_: reply(500, {"code": "database_error", "message": "Failed to create customer"})
    with pytest.raises(uc.UnknownOutcomeError) as caught:
        writer.create(**ADA)
    assert (caught.value.status, caught.value.code, caught.value.provider) == (500, "database_error", "flexprice")
    assert (boxed.writes, len(boxed.sent)) == (4, 4)
    assert isinstance(caught.value, uc.TransportError)


def test_a_retry_of_one_attempt_looks_once_and_sends_once(boxed):
    """A look is no repeat."""
    writer = Writer(boxed, ONCE)
    boxed.spoils = spoiling(acted(LOST))
    assert writer.create(**ADA).name == "Ada"
    boxed.writes, boxed.spoils = 0, spoiling(LOST)
    with pytest.raises(uc.UnknownOutcomeError):
        writer.create(**{**ADA, "external_id": "a-2"})
    assert boxed.writes == 1


def test_a_look_that_fails_leaves_it_unknown(boxed, writer):
    """A definite error of the look is none of the create."""
    boxed.spoils = spoiling(LOST)
    boxed.provider.fault("refused", times=None, on="get", status=403)
    with pytest.raises(uc.UnknownOutcomeError) as caught:
        writer.create(**ADA)
    assert (boxed.writes, caught.value.status) == (1, 403)


def test_a_refusal_after_a_lost_answer_is_no_proof_that_nothing_happened(boxed, writer):
    """The first may have been heard: the customer is looked for, and found."""
    boxed.spoils = spoiling(acting_at_last(LOST))
    writer.create(**ADA)
    boxed.writes = 0
    boxed.spoils = spoiling(LOST, reply(403, {"message": "suspended"}), reply(403, b""), reply(403, b""))
    with pytest.raises(uc.UnknownOutcomeError) as caught:
        writer.create(**{**ADA, "external_id": "a-3"})
    assert caught.value.status == 403


def test_another_customer_with_that_external_id_is_a_conflict(boxed, writer):
    """Somebody else's, or changed since: fields that differ are named, their values are not."""
    writer.create(**ADA)
    boxed.spoils = spoiling(LOST)
    with pytest.raises(uc.ConflictError, match="whose name, email differ") as caught:
        writer.create(**{**ADA, "name": "Grace", "email": "grace@example.com"})
    assert caught.value.details == {"id": customers(boxed)[0]["id"]}
    assert "grace" not in str(caught.value).lower()


def test_a_replica_that_lags_is_asked_again(boxed, writer):
    """The id is taken, so the customer is there: look until it shows, and send nothing more."""
    looks = []

    def lagging(request):
        if request.method == "GET":
            looks.append(request)
            if len(looks) < 3:
                return reply(404, {"code": "not_found", "message": "no"})
        return boxed(request)

    writer.server = lagging
    boxed.spoils = spoiling(acted(LOST))
    assert writer.create(**ADA).name == "Ada"
    assert (boxed.writes, len(looks)) == (2, 3)


def test_an_external_id_with_a_slash_is_looked_up_by_list(boxed, writer):
    """It can't stand in a path."""
    boxed.spoils = spoiling(acted(LOST))
    assert writer.create(**{**ADA, "external_id": "a/b"}).external_id == "a/b"
    assert boxed.writes == 1


def test_events_tell_each_repeat(boxed):
    """With its wait and reason."""
    events = []
    writer = Writer(boxed, on_event=events.append)
    boxed.spoils = spoiling(LOST, reply(429, b"", retry_after="9"))
    writer.create(**ADA)
    assert [(event.what, event.reason) for event in events if event.kind == "retry"] == [
        ("create a customer", "ConnectionFailedError"),
        ("create a customer", "RateLimitedError"),
    ]
    requests = [(event.method, event.template, event.status) for event in events if event.kind == "request"]
    assert requests == [
        ("POST", "/v1/customers", None),
        ("GET", "/v1/customers/external/{external_id}", 404),
        ("POST", "/v1/customers", 429),
        ("GET", "/v1/customers/external/{external_id}", 404),  # the first may have been heard meanwhile
        ("POST", "/v1/customers", 201),
    ]


@pytest.mark.parametrize("name", ["flexprice", "flexportal", "flatpeak"])
@pytest.mark.parametrize("answer", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("heard", [True, False])
def test_an_update_is_repeated(name, answer, heard):
    """Whatever was lost, it is sent again, and ends as it was meant."""
    boxed = Boxed(name, customers=3)
    writer = Writer(boxed)
    changes = {"flexprice": {"name": "N"}, "flexportal": {"first_name": "N"}, "flatpeak": {"external_id": "N"}}[name]
    boxed.spoils = spoiling(acted(answer) if heard else answer)
    made = writer.update(boxed.provider.ids[0], **changes)
    assert all(getattr(made, field) == value for field, value in changes.items())
    assert boxed.writes == 2


@pytest.mark.parametrize("name", ["flexprice", "flexportal", "flatpeak"])
@pytest.mark.parametrize("answer", [LOST, LATE, reply(500, b""), reply(504, b"")])
def test_an_archive_whose_answer_was_lost_is_done(name, answer):
    """A customer that the repeat doesn't find is gone, as was meant; also where it was the repeat that did it."""
    for heard in (True, False):
        boxed = Boxed(name, customers=3)
        writer = Writer(boxed)
        gone = boxed.provider.ids[0]
        boxed.spoils = spoiling(acted(answer) if heard else answer)
        writer.delete(gone, cascade=True) if name == "flatpeak" else writer.archive(gone)
        assert boxed.writes == 2
        if name == "flexportal":
            assert writer.customer(gone).status == uc.Status.INACTIVE
        else:
            assert gone not in boxed.provider.ids


@pytest.mark.parametrize("before", [(), (UNSENT,), (reply(429, b""),)])
def test_nobody_to_archive_is_an_error_where_nothing_was_lost(boxed, writer, before):
    """The same for one that is archived already; a request that never arrived proves nothing."""
    boxed.spoils = spoiling(*before)
    with pytest.raises(uc.NotFoundError):
        writer.archive("cust_nobody")
    made = writer.create(**ADA)
    writer.archive(made.id)
    boxed.writes = 0
    with pytest.raises(uc.NotFoundError):
        writer.archive(made.id)


def test_an_archive_that_is_refused_is_not_repeated(boxed, writer):
    """Such as one with subscriptions."""
    boxed.spoils = spoiling(reply(400, {"code": "invalid_operation", "message": "cancel all subscriptions"}))
    with pytest.raises(uc.InvalidRequestError, match="cancel all subscriptions"):
        writer.archive("cust_1")
    assert boxed.writes == 1


@pytest.mark.parametrize("body", [b"<html>Sign in to WiFi</html>", b'{"error": "x"}', b"[]"])
def test_a_good_status_that_says_something_else_archives_nobody(boxed, writer, body):
    """A gateway's page, for one; it is asked again, as after a lost answer."""
    made = writer.create(**ADA)
    boxed.spoils = spoiling(*[reply(200, body)] * 9)
    with pytest.raises(uc.MalformedResponseError):
        writer.archive(made.id)
    assert writer.customer(made.id).status == uc.Status.ACTIVE


# What each provider can't


def test_flexportal_creates_nobody():
    """Orders do; nothing is sent."""
    boxed = Boxed("flexportal")
    with pytest.raises(uc.UnsupportedError, match="with its first order"):
        Writer(boxed).create(first_name="Ada")
    assert boxed.sent == []


def test_flatpeak_deletes_with_the_word_only():
    """Without it, or with another truth than True, nothing is sent."""
    boxed = Boxed("flatpeak", customers=2)
    writer = Writer(boxed)
    for word in (False, 1, "yes", None):
        with pytest.raises(uc.InvalidRequestError, match="say cascade=True"):
            writer.delete(boxed.provider.ids[0], cascade=word)
    with pytest.raises(uc.UnsupportedError, match=r"delete\(id, cascade=True\)"):
        writer.archive(boxed.provider.ids[0])
    assert boxed.writes == 0


@pytest.mark.parametrize("name", ["flexprice", "flexportal"])
def test_the_others_delete_nobody(name):
    """They archive."""
    with pytest.raises(uc.UnsupportedError, match=r"archive\(id\)"):
        Writer(Boxed(name)).delete("x", cascade=True)


@pytest.mark.parametrize("id", [None, "", " ", 7])
def test_an_id_that_is_none_is_refused(boxed, writer, id):
    """An empty one would be the list."""
    for act in (lambda: writer.update(id, name="n"), lambda: writer.archive(id)):
        with pytest.raises(uc.InvalidRequestError):
            act()
    assert boxed.sent == []


def test_an_id_never_leaves_its_place_in_a_path():
    """Nor does one with a query in it."""
    boxed = Boxed("flexportal", customers=1)
    with pytest.raises(uc.NotFoundError):
        Writer(boxed).archive("../customers?x=1")
    assert boxed.sent == ["DELETE /v1/customers/..%2Fcustomers%3Fx%3D1"]


# Answers that don't show what was sent


def test_a_field_that_a_server_drops_is_told():
    """FlexPortal's pages disagree on whether an e-mail can be changed: the answer is compared."""
    boxed = Boxed("flexportal", customers=1)
    own = boxed.provider.ids[0]

    def deaf(box, request, _):
        body = json.loads(request.body)
        del body["email"]
        return box.act(type(request)(**{**_fields(request), "body": json.dumps(body).encode()}))

    boxed.spoils = deaf
    with pytest.raises(uc.MalformedResponseError, match="other values than were sent: email") as caught:
        Writer(boxed).update(own, email="new@example.com", first_name="Ada")
    assert (caught.value.path, caught.value.details) == ("$.email", {"id": own})


def _fields(request):
    return {name: getattr(request, name) for name in ("method", "url", "what", "headers", "body", "safe", "signed")}


def test_an_update_that_answers_with_another_customer_is_refused(boxed, writer):
    """Whoever it was."""
    made = writer.create(**ADA)
    boxed.spoils = lambda *_: reply(200, {**made.raw, "id": "cust_other", "name": "N"})
    with pytest.raises(uc.MalformedResponseError, match="another customer"):
        writer.update(made.id, name="N")


def test_flexportal_says_failure_with_a_good_status():
    """Then it is one."""
    boxed = Boxed("flexportal", customers=1)
    boxed.spoils = lambda *_: reply(200, {"success": False, "message": "no"})
    writer = Writer(boxed)
    for act in (lambda: writer.archive(boxed.provider.ids[0]), lambda: writer.update("x", first_name="A")):
        with pytest.raises(uc.MalformedResponseError, match="good status came with a failure"):
            act()


def test_an_inactive_customer_of_flexportal_is_made_active_by_an_update():
    """Which is the way back from archive."""
    boxed = Boxed("flexportal", customers=1)
    writer, own = Writer(boxed), boxed.provider.ids[0]
    writer.archive(own)
    assert writer.update(own, status="active").status == uc.Status.ACTIVE


def test_flatpeak_signs_in_again_for_a_write():
    """A token that died is refused, so nothing was done; the create is sent with a new one."""
    boxed = Boxed("flatpeak")
    writer = Writer(boxed)
    writer.create(external_id="a")
    boxed.provider.revoke_tokens()
    writer.create(external_id="b")
    assert sorted(row["reference_id"] for row in boxed.provider.rows) == ["a", "b"]


# Whatever happens, in whatever order

SENDS = ["honest", "unsent", "429", "403", "heard and lost", "lost", "heard and 500", "500", "late", "cut"]
READS = ["honest", "lag", "500", "403", "unsent"]


class Stormy:
    """A server on which each request meets the next of two lists of fates, and then none."""

    def __init__(self, boxed, sends, reads):
        self.boxed, self.sends, self.reads, self.late = boxed, [*sends], [*reads], []

    def __call__(self, request):
        late, self.late = self.late, []
        fates = self.sends if request.method == "POST" else self.reads
        answer = self.meet(request, fates.pop(0) if fates else "honest")
        for waiting in late:
            self.boxed.act(waiting)
        return answer

    def meet(self, request, fate):
        if fate in {"heard and lost", "heard and 500", "cut", "honest"}:
            answer = self.boxed.act(request)
            told = {"heard and lost": LOST, "heard and 500": reply(500, b""), "cut": reply(201, b'{"id":')}
            return told.get(fate, answer)
        if fate == "late":
            self.late.append(request)
            return LATE
        return {
            "unsent": UNSENT,
            "lost": LOST,
            "429": reply(429, b"", retry_after="1"),
            "403": reply(403, {"message": "no"}),
            "500": reply(500, b""),
            "lag": reply(404, {"code": "not_found"}),
        }[fate]


@given(st.lists(st.sampled_from(SENDS), max_size=6), st.lists(st.sampled_from(READS), max_size=8), st.integers(1, 5))
@settings(max_examples=600)
def test_a_create_makes_one_customer_or_none_and_never_says_otherwise(sends, reads, attempts):
    """A result is a customer that is there; an error that is no unknown outcome means that nobody is; never two."""
    boxed = Boxed("flexprice")
    writer = Writer(boxed, uc.Retry(attempts=attempts, budget=1e6, jitter=0))
    writer.server = storm = Stormy(boxed, sends, reads)
    made, error = None, None
    try:
        made = writer.create(**ADA)
    except uc.CustomersError as failed:
        error = failed
    for waiting in storm.late:
        boxed.act(waiting)
    there = [row["id"] for row in customers(boxed)]
    assert len(there) <= 1
    if made is not None:
        assert there == [made.id]
    elif not isinstance(error, uc.UnknownOutcomeError):
        assert there == []
        assert not isinstance(error, uc.ConflictError)


@given(st.lists(st.sampled_from(SENDS), max_size=6), st.integers(1, 5))
@settings(max_examples=300)
def test_a_create_at_flatpeak_is_heard_once_at_the_most(sends, attempts):
    """The same without a look: an unknown outcome is the last word."""
    boxed = Boxed("flatpeak")
    writer = Writer(boxed, uc.Retry(attempts=attempts, budget=1e6, jitter=0))
    writer.server = storm = Stormy(boxed, [fate for fate in sends if fate != "403"], [])
    made, error = None, None
    try:
        made = writer.create(external_id="r")
    except uc.CustomersError as failed:
        error = failed
    for waiting in storm.late:
        boxed.act(waiting)
    there = [row["id"] for row in boxed.provider.rows]
    assert len(there) <= 1
    if made is not None:
        assert there == [made.id]
    elif not isinstance(error, uc.UnknownOutcomeError):
        assert there == []
