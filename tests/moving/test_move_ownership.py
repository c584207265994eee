"""Moving: what a journal may take for its own, and what a source that changed between two runs leaves it to do."""

from __future__ import annotations

import sqlite3

import httpx
import pytest
from moving_kit import client, person, published

import unified_customers as uc
from unified_customers.moving import sending
from unified_customers.moving.journal import _Entry, opened
from unified_customers.sandbox import Sandbox

# What a run and its undoing may take for their own


def test_undo_leaves_alone_whoever_took_an_undone_customers_place(box, target, journal):
    """That the journal once made somebody with this external id doesn't make the next one its own."""
    uc.plan([person(1)], target, on_conflict="update").run(journal)
    uc.undo(journal, target, apply=True, confirm="archive")
    stranger = target.create(name="Stranger", external_id="cust_1")
    result = uc.plan([person(1)], target, on_conflict="update").run(journal)
    assert (result.created, result.updated) == (0, 1)
    assert uc.undo(journal, target, apply=True, confirm="archive").undone == 0
    assert list(published(box.flexprice)) == [stranger.id]


def test_a_run_that_stops_after_an_undoing_counts_nobody_twice_and_can_be_undone(box, target, journal):
    """What was taken back is no longer created, and has nothing to be read back."""
    uc.plan([person(1), person(2)], target).run(journal)
    uc.undo(journal, target, apply=True, confirm="archive")
    box.flexprice.fault("quota", on="write", creates=1)
    with pytest.raises(uc.MoveStoppedError) as stopped:
        uc.plan([person(1), person(2)], target).run(journal)
    assert (stopped.value.result.created, stopped.value.result.left) == (1, 1)
    assert uc.undo(journal, target).undone == 1


def test_a_customer_whose_update_is_no_longer_wanted_is_still_the_journals_own(box, target, journal):
    """An update that was refused, and a source that took it back, leave a customer that verify and undo know."""
    uc.plan([person(1)], target).run(journal)
    plan = uc.plan([person(1, phone="1")], target)
    own = next(iter(published(box.flexprice)))
    target.update(own, phone="2")
    assert plan.run(journal).refused == 1
    target.update(own, phone=None)
    result = uc.plan([person(1)], target).run(journal)
    assert (result.created, result.same, result.complete) == (1, 0, True)
    assert uc.verify(journal, target).checked == 1
    assert uc.undo(journal, target).undone == 1


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
def test_an_edit_by_hand_before_a_later_update_still_protects_a_customer(box, target, journal, lost):
    """Also if that update's answer was lost, and it was found to have been made."""
    uc.plan([person(1), person(2)], target).run(journal)
    own = next(iter(published(box.flexprice)))
    box.flexprice.update(own, address_city="Bonn")  # which the source does not have
    if lost:
        box.flexprice.fault("lost", on="write", times=1)
    plan = uc.plan([person(1, phone="1"), person(2, phone="2")], target)
    assert plan.run(journal).complete
    assert published(box.flexprice)[own]["contact"] == "1"
    found = uc.undo(journal, target, apply=True, confirm="archive", concurrency=4)
    assert (found.undone, found.changed) == (1, ("cust_1",))
    assert list(published(box.flexprice)) == [own]


def test_an_edit_by_hand_that_a_later_run_set_back_protects_nobody(box, target, journal):
    uc.plan([person(1, phone="1")], target).run(journal)
    target.update(next(iter(published(box.flexprice))), phone="2")
    assert uc.undo(journal, target).changed == ("cust_1",)
    uc.plan([person(1, phone="1")], target).run(journal)
    assert uc.undo(journal, target).undone == 1


def test_a_correction_made_by_hand_on_both_sides_is_as_planned(box, target, journal):
    """The last plan says so; undo still leaves alone whom somebody changed at the target."""
    uc.plan([person(1), person(2)], target).run(journal)
    target.update(next(iter(published(box.flexprice))), name="New")
    with uc.plan([person(1, name="New"), person(2)], target) as plan:
        assert plan.summary.counts["same"] == 2
        assert plan.run(journal).complete
    assert uc.verify(journal, target).good
    found = uc.undo(journal, target)
    assert (found.undone, found.changed) == (1, ("cust_1",))


def test_undo_leaves_alone_what_another_journals_run_made(target, journal, tmp_path):
    """Two plans of the same moment: the second finds everybody there already, and made nobody."""
    first, second = uc.plan([person(1)], target), uc.plan([person(1)], target)
    first.run(journal)
    result = second.run(tmp_path / "other.sqlite")
    assert (result.created, result.same, len(result.map)) == (0, 1, 1)
    assert uc.undo(tmp_path / "other.sqlite", target).undone == 0
    assert uc.undo(journal, target).undone == 1


def test_an_unknown_create_that_another_journals_run_made_is_not_claimed(box, target, journal, tmp_path):
    """The customer bears the name of the journal that made it."""
    dying = client(box.flexprice, before=_refusing_writes)
    with pytest.raises(uc.MoveStoppedError):
        uc.plan([person(number) for number in range(4)], dying).run(journal)
    assert published(box.flexprice) == {}
    other = tmp_path / "other.sqlite"
    uc.plan([person(number) for number in range(4)], target).run(other)
    result = uc.plan([person(number) for number in range(4)], target).run(journal)
    assert (result.created, result.same, result.complete) == (0, 4, True)
    assert uc.undo(journal, target).undone == 0
    assert uc.undo(other, target).undone == 4


def _refusing_writes(request):
    if request.method == "POST" or "external" in request.path:
        raise httpx.ReadError("reset")


def test_what_the_list_does_not_show_yet_is_counted_once(box, target, journal, monkeypatch):
    """A replica that lags: what was created is left to be looked at."""
    uc.plan([person(1), person(2)], target).run(journal)
    with monkeypatch.context() as patch:
        patch.setattr(type(target), "customers", lambda *_, **__: [])
        lagging = uc.plan([person(1), person(2), person(3)], target)
    box.flexprice.fault("quota", creates=0)
    with pytest.raises(uc.MoveStoppedError) as stopped:
        lagging.run(journal)
    found = stopped.value.result
    assert found.created + found.left + found.unknown == 3


def test_a_customer_that_was_given_another_external_id_by_hand_is_not_taken_for_the_moved_one(box, target, journal):
    """The run says so, and undo sees that it was changed."""
    uc.plan([person(1)], target).run(journal)
    own = next(iter(published(box.flexprice)))
    target.update(own, external_id="mine", metadata={"kept": "by hand"})
    assert uc.plan([person(1), person(2)], target).run(journal).refused == 1
    undone = uc.undo(journal, target, apply=True, confirm="archive")
    assert (undone.undone, undone.changed) == (1, ("cust_1",))
    assert own in published(box.flexprice)


def test_a_customer_that_was_archived_by_hand_is_not_updated_in_the_place_of_the_one_that_lives(box, target, journal):
    """Flexprice would take the update; the plan turns to the living one, which undo leaves alone."""
    uc.plan([person(1)], target).run(journal)
    own = next(iter(published(box.flexprice)))
    target.archive(own)
    other = target.create(name="Stranger", external_id="cust_1")
    assert uc.plan([person(1)], target, on_conflict="refuse").summary.counts["conflict"] == 1
    moved = {**target.customer(own).metadata}
    target.update(other.id, metadata=moved)
    result = uc.plan([person(1, phone="1")], target).run(journal)
    assert (result.created, result.updated, dict(result.map)) == (0, 1, {"cust_1": other.id})
    assert uc.undo(journal, target).undone == 0
    assert target.customer(other.id).phone == "1"
    assert target.customer(own).phone is None


def test_a_living_one_with_the_same_values_takes_the_place_of_the_archived_one_in_the_map(box, target, journal):
    uc.plan([person(1)], target).run(journal)
    own = next(iter(published(box.flexprice)))
    target.archive(own)
    gone = target.customer(own)
    other = target.create(name=gone.name, external_id="cust_1", metadata={**gone.metadata})
    result = uc.plan([person(1)], target).run(journal)
    assert (result.created, result.same, dict(result.map)) == (0, 1, {"cust_1": other.id})
    assert uc.verify(journal, target).good
    assert uc.undo(journal, target).undone == 0


# What an earlier run moved and a later plan can't bring up to date


def test_what_can_no_longer_be_brought_up_to_date_is_told_of(target, journal):
    """It stays as it is, can still be undone, and is as planned again once the source is mended."""
    uc.plan([person(1), person(2), person(3)], target).run(journal)
    crowd = [person(1, email="nobody"), person(2, name="x" * 256), person(3)]
    with uc.plan(crowd, target) as plan:
        assert plan.summary.counts["impossible"] == 2
        result = plan.run(journal)
    assert (result.created, result.not_moved, result.complete) == (3, {"impossible": 2}, True)
    assert [(one.source_id, one.state) for one in result.problems] == [
        ("cust_1", "impossible"),
        ("cust_2", "impossible"),
    ]
    assert all(one.reasons for one in result.problems)
    assert uc.undo(journal, target).undone == 3
    result = uc.plan([person(1), person(2, phone="2"), person(3)], target).run(journal)
    assert (result.created, result.not_moved, [*result.problems]) == (3, {}, [])
    assert (uc.verify(journal, target).checked, uc.verify(journal, target).good) == (3, True)


def test_a_stranger_under_a_customers_new_external_id_is_told_of_and_left_alone(box, target, journal):
    """Also if conflicts are to be updated: the move made another one for this customer."""
    here = {"provider": "flexprice", "account_id": "tenant_0", "name": "Ann"}
    rules = {"external_id": "external_id", "on_conflict": "update"}
    uc.plan([uc.Customer(id="c1", external_id="e1", **here)], target, **rules).run(journal)
    stranger = target.create(name="Stranger", external_id="e9")
    result = uc.plan([uc.Customer(id="c1", external_id="e9", **here)], target, **rules).run(journal)
    assert (result.created, result.updated, result.not_moved) == (1, 0, {"ambiguous": 1})
    ((told, (reason,)),) = [(one.state, one.reasons) for one in result.problems]
    assert (told, "another customer" in reason) == ("ambiguous", True)
    assert target.customer(stranger.id).name == "Stranger"


class _Deaf:
    """Loses the answers to writes, which the server has heard or not, and every look, until it is told not to."""

    def __init__(self, *, heard):
        self.heard, self.deaf = heard, True

    def before(self, request):
        looks = "external" in request.path or (request.method == "GET" and "external_id" in request.query)
        if self.deaf and (looks or (request.method == "POST" and not self.heard)):
            raise httpx.ReadError("reset")

    def after(self, request):
        if self.deaf and request.method == "POST":
            raise httpx.ReadError("reset")


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    ("later", "action"), [({"phone": "2"}, "created"), ({"email": "nobody"}, "impossible"), ({}, "created")]
)
def test_what_the_plan_at_hand_wants_counts_for_who_was_unknown(
    box, target, journal, heard, later, action, monkeypatch
):
    """Once it is known what came of the earlier run: made, changed or left as this plan has it, not as the last."""
    ears = _Deaf(heard=heard)
    with client(box.flexprice, before=ears.before, after=ears.after) as deaf:
        with pytest.raises(uc.MoveStoppedError) as stopped:
            uc.plan([person(number) for number in range(3)], deaf).run(journal)
        assert (stopped.value.result.unknown, len(published(box.flexprice))) == (3, 3 * heard)
        ears.deaf = False
        result = uc.plan([person(0, **later), person(1), person(2)], deaf).run(journal)
        there = {row["external_id"]: row for row in published(box.flexprice).values()}
        if action == "impossible":
            assert ("cust_0" in there, result.unknown) == (heard, not heard)  # it may yet come
            monkeypatch.setattr(sending, "PATIENCE", float("-inf"))
            result = uc.plan([person(0, **later), person(1), person(2)], deaf).run(journal)
            assert (result.not_moved, result.complete) == ({"impossible": 1}, True)
            assert ("cust_0" in {row["external_id"] for row in published(box.flexprice).values()}) == heard
        else:
            assert (result.created, result.complete, len(there)) == (3, True, 3)
            assert there["cust_0"].get("contact", "") == later.get("phone", "")
            assert uc.verify(journal, target).good


# What a source no longer has


def test_who_vanished_at_the_source_is_left_alone_by_verify_too(box, target, journal):
    """Nothing is planned for them any more, so nobody can say what they should be like."""
    uc.plan([person(1), person(2)], target).run(journal)
    own = uc.MoveResult.read(journal).map["cust_1"]
    target.update(own, name="By hand")
    assert uc.plan([person(2)], target).run(journal).vanished == 1
    found = uc.verify(journal, target)
    assert (found.checked, found.good) == (1, True)
    assert uc.undo(journal, target).changed == ("cust_1",)


def test_a_customer_that_vanishes_before_it_was_sent_is_never_sent(box, target, journal):
    """Somebody deleted it at the source, perhaps for good reason."""
    box.flexprice.fault("quota", on="write", creates=1)
    with pytest.raises(uc.MoveStoppedError):
        uc.plan([person(1), person(2)], target).run(journal)
    box.flexprice.clear_faults()
    result = uc.plan([person(1)], target).run(journal)
    assert (result.created, result.left, result.complete) == (1, 0, True)
    assert [row["external_id"] for row in published(box.flexprice).values()] == ["cust_1"]
    assert uc.plan([person(1), person(2)], target).run(journal).created == 2


def test_a_customer_that_vanishes_while_its_create_is_unknown_is_not_sent_again(box, target, journal, monkeypatch):
    """It is looked for, until it is sure that it never came."""
    box.flexprice.fault("503", on="write", times=9)
    with pytest.raises(uc.MoveStoppedError):
        uc.plan([person(number) for number in range(3)], target).run(journal)
    box.flexprice.clear_faults()
    result = uc.plan([person(1)], target).run(journal)
    assert (result.created, result.unknown) == (1, 2)
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    result = uc.plan([person(1)], target).run(journal)
    assert (result.created, result.complete) == (1, True)
    assert [row["external_id"] for row in published(box.flexprice).values()] == ["cust_1"]


def test_a_source_that_is_empty_now_does_not_hide_where_a_customer_came_from(box, journal):
    """A create of a run that died is settled as its own, though no customer tells the account any more."""
    with client(box.flexprice) as target:
        plan = uc.plan([person(1)], target)
        plan.run(journal)
        with sqlite3.connect(journal) as file:
            file.execute("UPDATE moves SET state = 'sending', target_id = NULL, created = 0")
        file.close()
        result = uc.plan([], target).run(journal)
    assert (result.created, result.refused) == (1, 0)


def test_a_create_is_looked_for_under_the_external_id_that_it_was_sent_with(box, journal, monkeypatch):
    """The source changed it since the first run, and somebody deleted the customer at the target."""
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    options = {"external_id": "external_id", "on_loss": "drop"}
    old, new = (uc.Customer(provider="flexprice", id="a", external_id=external_id) for external_id in ("old", "new"))
    with client(box.flatpeak) as target:
        first = uc.plan([old], target, **options).run(journal)
        target.delete(first.map["a"], cascade=True)
        box.flatpeak.fault("lost", on="write", times=1)
        assert uc.plan([new], target, **options).run(journal).complete
    assert [row["reference_id"] for row in box.flatpeak.rows] == ["new"]


def test_a_new_plan_that_is_the_same_as_the_first_makes_again_what_was_taken_away(box, target, journal):
    """All were archived by hand: the plan says that they are created, and so they are; the old plan makes none."""
    first = uc.plan([person(1)], target)
    first.run(journal)
    target.archive(next(iter(published(box.flexprice))))
    assert first.run(journal).created == 1
    assert not published(box.flexprice)
    assert uc.plan([person(1)], target).run(journal).created == 1
    assert len(published(box.flexprice)) == 1


def test_a_closed_plan_leaves_no_file_behind(target, journal):
    """Running it makes no new one either."""
    plan = uc.plan([person(1)], target)
    assert plan.summary.total == 1
    plan.close()
    with pytest.raises(uc.ConfigurationError, match="closed already"):
        plan.run(journal)
    assert not plan.path.exists()


def test_verify_is_not_good_while_somebody_is_refused(box, target, journal):
    """Whom the target refused was planned, and is not there."""
    box.flexprice.fault("refused", status=400, times=1)
    assert uc.plan([person(1), person(2)], target).run(journal).refused == 1
    found = uc.verify(journal, target)
    assert (found.checked, found.equal, found.refused, found.good) == (1, 1, 1, False)
    assert "1 refused" in str(found)
    uc.plan([person(1), person(2)], target).run(journal)
    assert uc.verify(journal, target).good


@pytest.mark.parametrize("use", [uc.verify, uc.undo])
def test_a_target_that_is_no_client_is_refused(target, journal, use):
    """An `AsyncClient`, or the settings alone."""
    uc.plan([person(1)], target).run(journal)
    for wrong in (target.provider, uc.AsyncClient(target.provider), None):
        with pytest.raises(uc.ConfigurationError, match="is a Client"):
            use(journal, wrong)


def test_more_threads_than_customers_are_not_started(target, journal):
    """A number that no machine has threads for is taken at its word, and no further."""
    assert uc.plan([person(1), person(2)], target).run(journal, concurrency=10**9).created == 2


# The key of another environment


@pytest.fixture(params=[0, 7])
def elsewhere(request, monkeypatch):
    """A client whose address is the target's, but whose key opens another environment; with the same ids, or others."""
    other = Sandbox(customers=0, strange=False, seed=request.param).flexprice
    with client(other) as made:
        monkeypatch.setattr(uc.Flexprice, "home", lambda adapter, _: f"{adapter is made.provider}")
        yield made, other


def test_an_environment_is_told_from_another_by_its_customers(box, target):
    box.flexprice.insert(1)
    (there,) = target.customers()
    assert target.provider.home(there) == f"{there.account_id}/{there.raw['environment_id']}"


def test_verify_and_undo_with_the_key_of_another_environment_are_refused(target, journal, elsewhere, tmp_path):
    """Else all would be gone, and an undoing would have nothing left to do; also if others are there."""
    wrong, _ = elsewhere
    crowd = [person(number) for number in range(3)]
    uc.plan(crowd, target).run(journal)
    for _ in range(2):
        for use in (uc.verify, uc.undo):
            with pytest.raises(uc.ConfigurationError, match="another account or environment"):
                use(journal, wrong)
        with pytest.raises(uc.ConfigurationError, match="another account or environment"):
            uc.undo(journal, wrong, apply=True, confirm="archive")
        uc.plan(crowd, wrong).run(tmp_path / "other.sqlite")
    assert uc.undo(journal, target, apply=True, confirm="archive").undone == 3


def test_a_run_with_the_key_of_another_environment_sends_nothing(target, journal, elsewhere):
    """Whether somebody is there or nobody; with the right key all is as it was."""
    wrong, other = elsewhere
    crowd = [person(number) for number in range(6)]
    uc.plan(crowd[:4], target).run(journal)
    for _ in range(2):
        before = len(other.rows)
        with pytest.raises(uc.ConfigurationError, match="another account or environment"):
            uc.plan(crowd, wrong).run(journal, concurrency=4)
        assert len(other.rows) == before
        other.insert(1)
    assert uc.plan(crowd, target).run(journal).created == 6
    assert uc.verify(journal, target).good
    assert uc.undo(journal, target).undone == 6


def test_a_journal_knows_its_environment_from_whoever_was_there(target, journal, elsewhere):
    """Though it has made nobody; then the first customer that is made in another tells."""
    wrong, other = elsewhere
    target.create(name="Somebody", external_id="somebody")
    uc.plan([], target).run(journal)
    with pytest.raises(uc.ConfigurationError, match="another account or environment"):
        uc.plan([person(1), person(2)], wrong).run(journal)
    assert len(published(other)) == 1
    assert uc.plan([person(1), person(2)], target).run(journal).created == 2
    assert uc.verify(journal, target).good


# What other hands did meanwhile


@pytest.mark.parametrize("stamped", [True, False])
def test_undo_leaves_alone_whom_another_journal_made_in_an_archived_ones_place(
    box, target, journal, tmp_path, stamped, monkeypatch
):
    """Told by the name that a customer bears, or by the target, which says that it is there already."""
    if not stamped:
        monkeypatch.setattr(sending.Sender, "_made_it", lambda *_: True)
    uc.plan([person(1)], target).run(journal)
    target.archive(next(iter(published(box.flexprice))))
    late = uc.plan([person(1)], target)
    uc.plan([person(1)], target).run(tmp_path / "other.sqlite")
    result = late.run(journal)
    assert dict(result.map) == {"cust_1": next(iter(published(box.flexprice)))}
    if stamped:
        assert uc.undo(journal, target).undone == 0
        assert uc.undo(tmp_path / "other.sqlite", target).undone == 1


def test_a_stranger_in_an_archived_ones_place_is_not_in_the_map(box, target, journal):
    uc.plan([person(1)], target, on_conflict="skip").run(journal)
    target.archive(next(iter(published(box.flexprice))))
    target.create(name="Stranger", external_id="cust_1")
    result = uc.plan([person(1)], target, on_conflict="skip").run(journal)
    assert (result.created, result.not_moved, dict(result.map)) == (0, {"conflict": 1}, {})
    assert uc.undo(journal, target).undone == 0


@pytest.mark.parametrize("edited", [True, False])
def test_an_edit_by_hand_after_a_lost_update_still_protects_a_customer(box, target, journal, edited):
    """The next run finds that the update was made, and whether somebody was there since."""
    uc.plan([person(1), person(2)], target).run(journal)
    lost = []

    def before(_):
        if lost:
            raise httpx.ReadError("gone")

    def after(request):
        if request.method == "PUT":
            lost.append(request)
            raise httpx.ReadError("reset")

    with client(box.flexprice, before=before, after=after) as dying:
        assert uc.plan([person(1, phone="1"), person(2)], dying).run(journal).unknown == 1
    if edited:
        box.flexprice.update(uc.MoveResult.read(journal).map["cust_1"], address_city="Bonn")
    assert uc.plan([person(1, phone="1"), person(2)], target).run(journal).complete
    found = uc.undo(journal, target)
    assert (found.undone, found.changed) == ((1, ("cust_1",)) if edited else (2, ()))


def test_a_time_zone_changed_by_hand_protects_a_customer(box, target, journal):
    uc.plan([person(1), person(2)], target).run(journal)
    box.flexprice.update(uc.MoveResult.read(journal).map["cust_1"], timezone="Asia/Kolkata")
    found = uc.undo(journal, target)
    assert (found.undone, found.changed) == (1, ("cust_1",))


def test_an_edit_by_hand_while_others_are_undone_counts(box, target, journal):
    """Customers are read shortly before they are taken back."""
    crowd = [person(number) for number in range(8)]
    uc.plan(crowd, target).run(journal)
    last = uc.MoveResult.read(journal).map["cust_7"]

    def edit(request):
        if request.method == "DELETE":
            box.flexprice.update(last, contact="by hand")

    with client(box.flexprice, after=edit) as editing:
        found = uc.undo(journal, editing, apply=True, confirm="archive")
    assert (found.undone, found.changed) == (7, ("cust_7",))


def test_a_plan_that_was_made_before_an_undoing_is_refused(target, journal):
    uc.plan([person(1)], target).run(journal)
    before = uc.plan([person(1)], target)
    uc.undo(journal, target, apply=True, confirm="archive")
    with pytest.raises(uc.ConfigurationError, match="plan again"):
        before.run(journal)
    assert uc.plan([person(1)], target).run(journal).created == 1


def test_a_source_of_which_nobody_can_be_read_does_not_hide_where_a_customer_came_from(box, target, journal):
    """Its customers are still taken for the move's own afterwards."""
    (mine,) = box.flexportal.insert(1)
    with client(box.flexportal) as source:
        ears = _Deaf(heard=True)
        with client(box.flexprice, before=ears.before, after=ears.after) as deaf:
            assert uc.plan(source.customers(), deaf).run(journal).unknown == 1
        phone = source.customer(mine).phone
        box.flexportal.update(mine, phone=["no", "text"])
        uc.plan(source.customers(on_bad_record="skip"), target).run(journal)
        box.flexportal.update(mine, phone=phone)
        result = uc.plan(source.customers(), target).run(journal)
    assert (result.created, result.complete, result.not_moved) == (1, True, {})
    assert uc.undo(journal, target).undone == 1


def test_a_line_that_can_not_be_written_is_told_to_every_thread_that_waits_for_it(target, journal):
    """None goes on as if its line stood there."""
    uc.plan([person(1), person(2)], target).run(journal)
    with opened(journal, "own") as held:
        good = _Entry("UPDATE moves SET state = ? WHERE seq = ?", ("sending", 1))
        bad = _Entry("UPDATE moves SET target_id = ? WHERE seq = ?", ("half \ud800", 2))
        held._write([good, bad])
        assert isinstance(good.error, UnicodeEncodeError)
        assert good.tried
        assert held.count("state = 'sending'") == 0


def test_reasons_show_no_metadata_key_that_may_be_a_persons(box, target, journal):
    key = "ann@example.com"
    uc.plan([person(1, metadata={key: "1"})], target).run(journal)
    plan = uc.plan([person(1, metadata={key: "2"})], target)
    own = uc.MoveResult.read(journal).map["cust_1"]
    target.update(own, metadata={**target.customer(own).metadata, key: "3"})
    assert plan.run(journal).refused == 1
    ((reason,),) = [one.reasons for one in uc.MoveResult.read(journal).problems]
    assert reason == "metadata was changed at the target since the plan: plan again"


# Nothing is stuck


@pytest.mark.parametrize("rule", ["skip", "update"])
@pytest.mark.parametrize("renamed", ["source", "target"])
def test_who_no_longer_meets_a_stranger_is_created(target, box, journal, rule, renamed):
    """The stranger whom an earlier plan met is none of the move's."""
    (stranger,) = box.flexprice.insert(external_id="x0", name="Stranger")
    rules = {"external_id": "external_id", "on_conflict": rule}
    uc.plan([person(0, external_id="x0")], target, **rules).run(journal)
    if renamed == "target":
        box.flexprice.update(stranger, external_id="away")
    result = uc.plan([person(0, external_id="x9" if renamed == "source" else "x0")], target, **rules).run(journal)
    assert (result.created, result.complete, result.not_moved) == (1, True, {})
    assert result.map["cust_0"] != stranger
    assert uc.verify(journal, target).good
    assert uc.undo(journal, target).undone == 1


def test_a_stranger_who_takes_another_strangers_place_is_met_like_any(target, box, journal):
    (first,) = box.flexprice.insert(external_id="cust_0", name="First")
    uc.plan([person(0)], target, on_conflict="update").run(journal)
    box.flexprice.update(first, external_id="away")
    (second,) = box.flexprice.insert(external_id="cust_0", name="Second")
    result = uc.plan([person(0)], target, on_conflict="update").run(journal)
    assert (result.updated, dict(result.map)) == (1, {"cust_0": second})
    assert uc.verify(journal, target).good


@pytest.mark.parametrize("later", ["reverted", "vanished", "impossible"])
def test_an_unknown_update_that_is_no_longer_wanted_is_not_sent(box, target, journal, later):
    """It never happened, and the source says something else now."""
    uc.plan([person(1), person(2)], target).run(journal)

    def before(request):
        if request.method == "PUT":
            raise httpx.ReadError("reset")

    with client(box.flexprice, before=before) as dying:
        assert uc.plan([person(1, phone="1"), person(2)], dying).run(journal).unknown == 1
    crowds = {"reverted": [person(1)], "vanished": [], "impossible": [person(1, email="nobody")]}
    result = uc.plan([*crowds[later], person(2)], target).run(journal)
    assert (result.created, result.complete) == (2, True)
    assert result.not_moved == ({"impossible": 1} if later == "impossible" else {})
    assert {row.get("contact", "") for row in published(box.flexprice).values()} == {""}
    assert uc.verify(journal, target).good
    assert uc.undo(journal, target).undone == 2


def blind_once(looks):
    """A hook that fails the first look for an external id, and notes it."""

    def before(request):
        if "external" in request.path + request.query and not looks:
            looks.append(request)
            raise httpx.ReadError("once")

    return before


def test_an_unknown_create_that_can_not_be_looked_for_in_time_waits_for_the_next_run(box, target, journal):
    """It would be made with the last plan's values."""
    ears = _Deaf(heard=False)
    with client(box.flexprice, before=ears.before, after=ears.after) as deaf:
        uc.plan([person(1, phone="1")], deaf).run(journal)
    looks = []
    with client(box.flexprice, before=blind_once(looks)) as slow:
        result = uc.plan([person(1, phone="2")], slow).run(journal)
        assert (len(looks), result.unknown, len(published(box.flexprice))) == (1, 1, 0)
        result = uc.plan([person(1, phone="2")], slow).run(journal)
    assert (result.created, result.complete) == (1, True)
    assert [row["contact"] for row in published(box.flexprice).values()] == ["2"]


@pytest.mark.parametrize("edited", [True, False])
def test_an_edit_by_hand_while_a_create_is_unknown_protects_the_customer(box, target, journal, edited):
    ears = _Deaf(heard=True)
    with client(box.flexprice, before=ears.before, after=ears.after) as deaf:
        uc.plan([person(1, metadata={"k": 3}, phone="1")], deaf).run(journal)
    if edited:
        box.flexprice.update(next(iter(published(box.flexprice))), address_city="Bonn")
    assert uc.plan([person(1, metadata={"k": 3}, phone="1")], target).run(journal).created == 1
    assert uc.undo(journal, target).undone == (not edited)


def test_a_moved_customer_is_not_given_to_another_for_its_e_mail(target, box, journal):
    """However the first has fared at the source."""
    rules = {"match_email": True, "on_conflict": "update"}
    uc.plan([person(1, email="a@x.co")], target, **rules).run(journal)
    for crowd in ([person(2, email="a@x.co")], [person(2, email="a@x.co"), person(1, email="nobody")]):
        with uc.plan(crowd, target, **rules) as plan:
            assert next(iter(plan)).action == "ambiguous"


def test_a_late_create_under_an_external_id_that_changed_makes_no_second_customer(box, target, journal, monkeypatch):
    """The new one is made when the first request can't come any more."""
    rules, late = {"external_id": "external_id"}, []

    def before(request):
        if request.method == "POST" and not request.path.endswith("search"):
            late.append(request)
            raise httpx.ReadError("on its way")

    with client(box.flexprice, before=before) as deaf:
        assert uc.plan([person(1, external_id="old")], deaf, **rules).run(journal).unknown == 1
    assert uc.plan([person(1, external_id="new")], target, **rules).run(journal).unknown == 1
    box.flexprice.handle(late[0])
    result = uc.plan([person(1, external_id="new")], target, **rules).run(journal)
    assert [row["external_id"] for row in published(box.flexprice).values()] == ["old"]
    assert (result.created, result.not_moved) == (1, {"ambiguous": 1})
    monkeypatch.setattr(sending, "PATIENCE", float("-inf"))
    uc.undo(journal, target, apply=True, confirm="archive")
    assert uc.plan([person(1, external_id="new")], target, **rules).run(journal).created == 1
    assert [row["external_id"] for row in published(box.flexprice).values()] == ["new"]


def test_an_undoing_that_was_lost_and_a_source_that_is_impossible_now_are_told_of(box, target, journal):
    uc.plan([person(1), person(2)], target).run(journal)

    def before(request):
        if request.method == "DELETE":
            raise httpx.ReadError("reset")

    with client(box.flexprice, before=before) as dying, pytest.raises(uc.CustomersError):
        uc.undo(journal, dying, apply=True, confirm="archive")
    result = uc.plan([person(1, email="nobody"), person(2)], target).run(journal)
    assert (result.created, result.not_moved) == (2, {"impossible": 1})
    assert uc.undo(journal, target).undone == 2


def test_a_customer_whom_the_target_refuses_to_make_again_is_not_in_the_map(box, target, journal):
    uc.plan([person(1), person(2)], target).run(journal)
    target.archive(uc.MoveResult.read(journal).map["cust_1"])
    box.flexprice.fault("refused", status=400)
    result = uc.plan([person(1), person(2)], target).run(journal)
    assert (result.created, result.refused, list(result.map)) == (1, 1, ["cust_2"])
    assert uc.plan([person(1), person(2)], target).run(journal).created == 2
    assert uc.undo(journal, target).undone == 2


def test_a_look_that_comes_too_late_claims_nothing(box, target, journal):
    """The plan wants other values than the customer was made with."""
    ears = _Deaf(heard=True)
    with client(box.flexprice, before=ears.before, after=ears.after) as deaf:
        uc.plan([person(1, phone="1")], deaf).run(journal)
    with client(box.flexprice, before=blind_once([])) as slow:
        assert not uc.plan([person(1, phone="2")], slow).run(journal).complete
        assert uc.plan([person(1, phone="2")], slow).run(journal).complete
    assert [row["contact"] for row in published(box.flexprice).values()] == ["2"]
    assert uc.verify(journal, target).good
