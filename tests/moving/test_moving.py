"""Moving, case by case: who is created, changed, left alone or refused, what is lost, and what stops a run."""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading

import attrs
import pytest
from moving_kit import client, person, published, writes

import unified_customers as uc
from unified_customers.moving import sending, store
from unified_customers.sandbox import Sandbox


def deep(levels):
    """A list in a list in a list."""
    found = []
    for _ in range(levels):
        found = [found]
    return found


def only(plan):
    """The only customer of a plan."""
    (move,) = plan
    return move


def reasons(customer, target, **options):
    """Why a customer can't be moved."""
    with uc.plan([customer], target, **options) as plan:
        move = only(plan)
        assert (move.action, plan.summary.counts["impossible"]) == ("impossible", 1)
        return move.reasons


# Bad rows


BAD = {
    "no external id": person(1, external_id=None),
    "email: ": person(1, email="nobody"),
    "name: ": person(1, name="x" * 256),
    "external_id: ": person("x" * 256, name="Ann"),
    "billing_address.line1: ": person(1, billing_address=uc.Address(line1="ü" * 200)),
    "billing_address.postal_code: ": person(1, billing_address=uc.Address(postal_code="1" * 21)),
}


@pytest.mark.parametrize("start", BAD)
def test_a_bad_row_is_named_by_field_and_rule_and_never_sent(box, target, journal, start):
    """No reason holds the value."""
    options = {"external_id": "external_id"} if start == "no external id" else {}
    (reason,) = reasons(BAD[start], target, **options)
    assert reason.startswith(start)
    assert not {"nobody", "x" * 20, "ü" * 20, "1" * 20} & {word for word in reason.split() if len(word) > 5}
    with uc.plan([BAD[start]], target, **options) as plan:
        result = plan.run(journal)
    assert (result.created, dict(result.not_moved)) == (0, {"impossible": 1})
    assert [(one.source_id, one.state) for one in result.problems] == [(BAD[start].id, "impossible")]
    assert writes(box.flexprice) == []


@pytest.mark.parametrize("value", [10**5000, {1: 2, "a": 3}, deep(5000)], ids=["a huge number", "keys", "too deep"])
def test_metadata_that_no_text_can_be_made_of_is_named_and_the_others_are_moved(target, value):
    """The type is told, never the value."""
    with uc.plan([person(1, metadata={"x": value}), person(2, metadata={7: "x"}), person(3)], target) as plan:
        assert [move.action for move in plan] == ["impossible", "impossible", "create"]
        assert next(iter(plan)).reasons == (f"metadata: can't be written as JSON ({type(value).__name__})",)


def test_all_faults_of_a_row_are_told_at_once(target):
    """An e-mail and a name."""
    bad = person(1, email="nobody", name="x" * 256)
    assert [reason.partition(":")[0] for reason in reasons(bad, target)] == ["name", "email"]


def test_a_customer_without_any_name_is_impossible_and_one_of_a_company_bears_its_name(target):
    """Flexprice wants a name."""
    nameless = person(1, name=None, first_name=None, last_name=None)
    assert reasons(nameless, target) == ("name: is required",)
    with uc.plan([attrs.evolve(nameless, company="Acme")], target) as plan:
        assert only(plan).action == "create"


def test_customers_of_the_source_who_share_an_external_id_are_all_impossible(target):
    """Nobody can say which of them it belongs to."""
    crowd = [person(1), person(2), person(3)]
    with uc.plan(crowd, target, external_id=lambda one: "same" if one.id != "cust_3" else "other") as plan:
        assert [move.action for move in plan] == ["impossible", "impossible", "create"]
        assert plan.summary.reasons == {"another customer of the source has the same external id": 2}


def test_a_customer_that_comes_twice_is_impossible(target):
    """With other values the second time, perhaps."""
    with uc.plan([person(1), person(1, email="a@b.co"), person(2)], target) as plan:
        assert [move.action for move in plan] == ["impossible", "impossible", "create"]
        assert plan.summary.reasons == {"the source has it twice": 2}


def test_who_can_not_be_read_is_impossible_if_the_listing_leaves_bad_records_out(box, target, journal):
    """By the field alone; else the plan ends there. One that was moved before is not taken for vanished."""
    box.flexportal.insert(6)
    with client(box.flexportal) as source:
        uc.plan(source.customers(), target).run(journal)
        box.flexportal.insert(1)
        bad, new = box.flexportal.ids[2], box.flexportal.ids[-1]
        box.flexportal.update(bad, phone={"not": "text"})
        with pytest.raises(uc.BadRecordError):
            uc.plan(source.customers(), target)
        listing = source.customers(page_size=2, on_bad_record="skip")
        with uc.plan(listing, target) as plan:
            counts = plan.summary.counts
            assert (counts["same"], counts["create"], counts["impossible"], plan.summary.vanished) == (5, 1, 1, 0)
            assert [(one.source_id, one.reasons) for one in plan.only("impossible")] == [
                (bad, ("phone: can't be read",))
            ]
            result = plan.run(journal)
    assert (result.created, result.vanished, listing.report.bad) == (7, 0, 1)
    assert new in dict(result.map)
    assert len(published(box.flexprice)) == 7


def test_a_record_without_an_id_can_not_be_named_so_the_plan_ends(box, target):
    box.flexportal.insert(2)
    box.flexportal.fault("bad-record", field="customerId", value=None)
    with client(box.flexportal) as source, pytest.raises(uc.BadRecordError, match="id"):
        uc.plan(source.customers(on_bad_record="skip"), target)


# Losses


@pytest.mark.parametrize("on_loss", ["metadata", "drop"])
def test_metadata_of_the_sources_own_is_not_overwritten_by_what_is_kept(target, journal, on_loss):
    """Also where a key for that is taken in its turn, and where the target keeps a key for itself."""
    own = {
        "moved_company": "1", "moved_metadata_moved_company": "2", "moved_phone": "3",
        "gstin": "none", "moved_metadata_gstin": "4", "_fp_x": "5",
    }  # fmt: skip
    crowd = [person(1, company="Acme", phone="+" + "1" * 30, metadata=own)]
    with uc.plan(crowd, target, on_loss=on_loss) as plan:
        assert only(plan).action == "create"
        result = plan.run(journal)
    there = target.customer(result.map["cust_1"]).metadata
    if on_loss == "drop":
        assert {name: there.get(name) for name in own} == {**own, "gstin": None}
    else:
        assert there["moved_company"] == "Acme"
        assert there["moved_metadata_moved_company"] == "1"
        assert there["moved_metadata_moved_metadata_moved_company"] == "2"
        assert (there["moved_phone"], there["moved_metadata_moved_phone"]) == ("+" + "1" * 30, "3")
        assert (there["moved_metadata_gstin"], there["moved_metadata_moved_metadata_gstin"]) == ("none", "4")
    assert there["_fp_x"] == "5"
    with uc.plan(crowd, target, on_loss=on_loss) as again:
        assert only(again).action == "same"


def test_a_time_zone_goes_along_from_one_flexprice_to_another(box, journal):
    """Though the model has no field for it; one that the target would refuse is kept in the metadata."""
    elsewhere = Sandbox(customers=0, strange=False, seed=1).flexprice
    made = [box.flexprice.insert(timezone=zone)[0] for zone in ("Asia/Kolkata", "UTC", "Mars/Phobos")]
    with client(box.flexprice) as source, client(elsewhere) as target:
        with uc.plan(source.customers(), target, external_id="external_id") as plan:
            assert plan.summary.counts["create"] == 3
            assert ("params.timezone", "kept", "moved_timezone") in {
                (loss.field, loss.fate, loss.where) for loss in plan.summary.losses
            }
            result = plan.run(journal)
        there = {name: target.customer(result.map[name]) for name in made}
        assert [there[name].raw["timezone"] for name in made] == ["Asia/Kolkata", "UTC", "UTC"]
        assert there[made[2]].metadata["moved_timezone"] == "Mars/Phobos"
        assert uc.verify(journal, target).good
        box.flexprice.update(made[0], timezone="Europe/Berlin")
        with uc.plan(source.customers(), target, external_id="external_id") as plan:
            (changed,) = plan.only("update")
            assert changed.differences == {"params.timezone": ("Asia/Kolkata", "Europe/Berlin")}
            assert plan.run(journal).complete
        assert target.customer(result.map[made[0]]).raw["timezone"] == "Europe/Berlin"
        assert uc.verify(journal, target).good
        assert uc.undo(journal, target).undone == 3


RICH = person(
    1,
    company="Acme",
    kind=uc.Kind.BUSINESS,
    status=uc.Status.INACTIVE,
    phone="+31 6 1234 5678 ext. 999",
    billing_address=uc.Address(name="Ann", company="Acme", line1="Dam 1", line2="2, West", country="Atlantis"),
    shipping_address=uc.Address(line1="Quay 5", country="Netherlands", country_code="NL"),
    metadata={"plan": "pro", "seats": 5, "gstin": "bad"},
    metrics=uc.Metrics(orders=3),
)  # fmt: skip


def test_what_each_field_loses_is_told_before_anything_is_sent(box, target):
    """Kept in metadata under clear keys."""
    with uc.plan([RICH], target) as plan:
        losses = {(loss.field, loss.fate, loss.where) for loss in plan.summary.losses}
        assert losses == {
            ("first_name", "kept", "moved_first_name"),
            ("last_name", "kept", "moved_last_name"),
            ("company", "kept", "moved_company"),
            ("kind", "kept", "moved_kind"),
            ("status", "kept", "moved_status"),
            ("phone", "kept", "moved_phone"),
            ("billing_address.name", "kept", "moved_billing_name"),
            ("billing_address.company", "kept", "moved_billing_company"),
            ("billing_address.country", "kept", "moved_billing_country"),
            ("shipping_address.line1", "kept", "moved_shipping_line1"),
            ("shipping_address.country", "kept", "moved_shipping_country"),
            ("metadata", "text", ""),
            ("metadata.gstin", "kept", "moved_metadata_gstin"),
            ("metrics", "stays", ""),
        }
        assert "company: kept in metadata as moved_company" in str(plan.summary)
    assert writes(box.flexprice) == []


def test_what_is_kept_and_where_a_customer_came_from_stands_in_its_metadata(box, target, journal):
    """And the rest in its fields."""
    with uc.plan([RICH], target) as plan:
        plan.run(journal)
    (row,) = published(box.flexprice).values()
    assert len(row["metadata"].pop("moved_journal")) == 16
    assert row["metadata"] == {
        "plan": "pro",
        "seats": "5",
        "moved_metadata_gstin": "bad",
        "moved_from": "flexportal",
        "moved_account": "bu_1",
        "moved_id": "cust_1",
        "moved_first_name": "Ann",
        "moved_last_name": "1",
        "moved_company": "Acme",
        "moved_kind": "business",
        "moved_status": "inactive",
        "moved_phone": "+31 6 1234 5678 ext. 999",
        "moved_billing_name": "Ann",
        "moved_billing_company": "Acme",
        "moved_billing_country": "Atlantis",
        "moved_shipping_line1": "Quay 5",
        "moved_shipping_country": "NL",
    }
    assert (row["external_id"], row["address_line1"], row["address_country"]) == ("cust_1", "Dam 1", "")


def test_what_is_lost_can_be_dropped_or_refused(box, target, journal):
    """Dropped, only the origin is in the metadata beside its own; refused, each loss is a reason."""
    found = reasons(RICH, target, on_loss="refuse")
    assert "company: would be lost, and on_loss='refuse'" in found
    assert not [reason for reason in found if reason.startswith("metrics")]
    with uc.plan([RICH], target, on_loss="drop") as plan:
        plan.run(journal)
    (row,) = published(box.flexprice).values()
    assert row["metadata"].keys() == {"plan", "seats", "moved_from", "moved_account", "moved_id", "moved_journal"}


def test_an_earlier_move_stays_told_of(box, target, journal):
    """Who comes from a Flexprice to which it was moved keeps both origins."""
    moved = uc.Customer(
        provider="flexprice",
        id="cust_9",
        external_id="A-9",
        name="Ann",
        account_id="tenant_1",
        metadata={"moved_from": "flexportal", "moved_id": "cust_1", "moved_journal": "j", "moved_company": "Acme"},
    )
    with uc.plan([moved], target, external_id="external_id") as plan:
        plan.run(journal)
    (row,) = published(box.flexprice).values()
    assert row["metadata"].pop("moved_journal") != "j"
    assert row["metadata"] == {
        "moved_earlier_journal": "j",
        "moved_from": "flexprice",
        "moved_account": "tenant_1",
        "moved_id": "cust_9",
        "moved_earlier_from": "flexportal",
        "moved_earlier_id": "cust_1",
        "moved_company": "Acme",
    }


# Who is there already


def test_a_customer_that_is_there_with_other_values_makes_the_run_refuse_before_anything_is_sent(box, target, journal):
    """Until it is said what to do; the plan names the fields."""
    box.flexprice.insert(external_id="cust_1", name="Somebody")
    with uc.plan([person(1), person(2)], target) as plan:
        assert [move.action for move in plan] == ["conflict", "create"]
        assert next(iter(plan)).differences["name"] == ("Somebody", "Ann 1")
        with pytest.raises(uc.ConflictError, match="1 of these customers already, with other values: nothing was sent"):
            plan.run(journal)
    assert writes(box.flexprice) == []


def test_a_customer_that_is_there_can_be_skipped_or_updated(box, target, journal, tmp_path):
    """Updated, it keeps what the source knows nothing of, and isn't undone."""
    (id_,) = box.flexprice.insert(external_id="cust_1", name="Somebody", metadata={"own": "yes"}, contact="123")
    with uc.plan([person(1)], target, on_conflict="skip") as plan:
        assert dict(plan.run(tmp_path / "skip.sqlite").not_moved) == {"conflict": 1}
    assert writes(box.flexprice) == []
    with uc.plan([person(1, email="a@b.co")], target, on_conflict="update") as plan:
        result = plan.run(journal)
    assert (result.created, result.updated, dict(result.map)) == (0, 1, {"cust_1": id_})
    row = published(box.flexprice)[id_]
    assert (row["name"], row["email"], row["contact"], row["metadata"]["own"]) == ("Ann 1", "a@b.co", "123", "yes")
    assert "moved_id" not in row["metadata"]
    assert uc.verify(journal, target).good
    assert (uc.undo(journal, target).undone, uc.undo(journal, target).updated) == (0, 1)


def test_a_customer_that_was_changed_since_the_plan_is_not_overwritten(box, target, journal):
    """Somebody else's change is newer than what the plan saw."""
    (id_,) = box.flexprice.insert(external_id="cust_1", name="Somebody")
    with uc.plan([person(1)], target, on_conflict="update") as plan:
        box.flexprice.update(id_, name="Somebody new")
        result = plan.run(journal)
    assert (result.refused, published(box.flexprice)[id_]["name"]) == (1, "Somebody new")
    assert [one.reasons for one in result.problems] == [("name was changed at the target since the plan: plan again",)]


def test_an_external_id_that_is_taken_after_the_plan_makes_no_second_customer(box, target, journal):
    """And the stranger is not taken for ours."""
    with uc.plan([person(1)], target) as plan:
        box.flexprice.insert(external_id="cust_1", name="Ann 1")
        result = plan.run(journal)
    assert (result.created, result.refused, len(published(box.flexprice))) == (0, 1, 1)


def test_e_mail_matches_only_if_asked_and_never_where_two_share_it(box, target):
    """At the target or at the source; upper and lower case are one."""
    (one,) = box.flexprice.insert(email="Ann@example.com", name="Ann 1", external_id="x")
    crowd = [person(1, email="ann@example.com")]
    with uc.plan(crowd, target) as plan:
        assert only(plan).action == "create"
    with uc.plan(crowd, target, match_email=True, on_conflict="update") as plan:
        assert (only(plan).action, only(plan).target_id) == ("update", one)
        assert "external_id" not in only(plan).differences
    with uc.plan([*crowd, person(2, email="ann@example.com")], target, match_email=True) as plan:
        assert [move.action for move in plan] == ["ambiguous", "ambiguous"]
    box.flexprice.insert(email="ann@example.com")
    with uc.plan(crowd, target, match_email=True) as plan:
        assert (only(plan).action, only(plan).target_id) == ("ambiguous", None)


def test_what_an_earlier_move_made_is_updated_without_being_asked(box, target, journal):
    """And what the source no longer has is reported, and left alone."""
    with uc.plan([person(1), person(2)], target) as plan:
        plan.run(journal)
    with uc.plan([person(1, email="a@b.co")], target) as plan:
        assert (plan.summary.counts["update"], plan.summary.vanished) == (1, 1)
        assert [source for source, _target in plan.vanished()] == ["cust_2"]
        result = plan.run(journal)
    assert (result.created, result.vanished) == (2, 1)
    assert len(published(box.flexprice)) == 2
    assert uc.verify(journal, target).good


# Other targets


def test_flatpeak_takes_a_reference_and_nothing_else(box, journal):
    """All but the reference is lost, which has to be said; undo deletes for good, which takes more than a word."""
    with client(box.flatpeak) as target:
        with pytest.raises(uc.UnsupportedError, match="no metadata in which to keep what is lost"):
            uc.plan([RICH], target)
        with uc.plan([RICH, person(2)], target, on_loss="drop") as plan:
            assert {loss.fate for loss in plan.summary.losses} == {"dropped", "stays"}
            assert plan.run(journal).created == 2
        assert sorted(row["reference_id"] for row in box.flatpeak.rows) == ["cust_1", "cust_2"]
        dry = uc.undo(journal, target)
        assert (dry.irreversible, dry.word) == (True, "delete 2 irreversibly")
        for word in (None, "archive", "delete", "delete 3 irreversibly"):
            with pytest.raises(uc.ConfigurationError, match="say confirm='delete 2 irreversibly'"):
                uc.undo(journal, target, apply=True, confirm=word)
        assert len(box.flatpeak.rows) == 2
        assert uc.undo(journal, target, apply=True, confirm=dry.word).undone == 2
        assert box.flatpeak.rows == []


def test_a_create_that_nobody_can_settle_stays_unknown_until_it_surely_never_happened(box, journal, monkeypatch):
    """Flatpeak's references need not be unique: a second try too early could make a second customer."""
    with client(box.flatpeak) as target:
        box.flatpeak.fault("503", on="write", times=1)
        with uc.plan([person(1), person(2)], target, on_loss="drop") as plan:
            result = plan.run(journal)
            assert (result.created, result.unknown, result.complete) == (1, 1, False)
            assert plan.run(journal).unknown == 1
            monkeypatch.setattr(sending, "PATIENCE", 0.0)
            assert plan.run(journal).complete
        assert sorted(row["reference_id"] for row in box.flatpeak.rows) == ["cust_1", "cust_2"]


def test_a_create_that_the_client_may_have_repeated_is_waited_for_as_much_longer(box, journal, monkeypatch):
    """The process died, and its last request may have left `Retry.budget` after the journal's line."""
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    patient = uc.Retry(attempts=2, budget=3600.0)
    with (
        client(box.flatpeak, retry=patient, before=dies(1)) as target,
        uc.plan([person(1)], target, on_loss="drop") as plan,
        pytest.raises(DiedError),
    ):
        plan.run(journal)
    with client(box.flatpeak) as target:
        with uc.plan([person(1)], target, on_loss="drop") as plan:
            assert plan.run(journal).unknown == 1
        ((reason,),) = [problem.reasons for problem in uc.MoveResult.read(journal).problems]
        assert re.fullmatch("not found yet; in 3(600|59.) seconds a later run may send it again", reason)
    with client(box.flatpeak) as target, uc.plan([person(1)], target, on_loss="drop") as plan:
        assert plan.run(journal).unknown == 1  # a client of less patience sent nothing
        monkeypatch.setattr(sending, "PATIENCE", -3600.0)
        assert plan.run(journal).complete
    assert len(box.flatpeak.rows) == 1


def test_a_create_whose_process_lives_is_waited_for_no_longer_than_the_server_may_take(box, journal, monkeypatch):
    """When nobody knows what came of it, nothing leaves any more."""
    monkeypatch.setattr(sending, "PATIENCE", 0.0)
    box.flatpeak.fault("503", on="write", times=1)
    patient = uc.Retry(attempts=2, budget=3600.0)
    with client(box.flatpeak, retry=patient) as target, uc.plan([person(1)], target, on_loss="drop") as plan:
        assert plan.run(journal).complete
    assert len(box.flatpeak.rows) == 1


def test_flexportal_creates_nobody_but_can_be_updated(box, journal):
    """It has no external ids: the e-mail tells who is who."""
    (id_,) = box.flexportal.insert(email="ann@example.com", firstName="Ann", lastName="Old")
    crowd = [
        uc.Customer(provider="flexprice", id="a", email="ann@example.com", phone="+31201234567"),
        uc.Customer(provider="flexprice", id="b", email="bob@example.com"),
    ]
    with client(box.flexportal) as target:
        with uc.plan(crowd, target, on_loss="drop", match_email=True, on_conflict="update") as plan:
            assert [move.action for move in plan] == ["update", "impossible"]
            assert plan.run(journal).updated == 1
        assert target.customer(id_).phone == "+31201234567"
        assert uc.verify(journal, target).good


# Journals


def test_a_journal_of_another_move_is_refused_by_the_name_of_what_differs(box, target, journal):
    """Another target, source, query or plan."""
    box.flexportal.insert(2)
    others = [uc.Customer(provider="flatpeak", id="cus_1", external_id="x")]
    with client(box.flexportal) as source:
        with uc.plan(source.customers(), target) as plan:
            plan.run(journal)
        for match, listing, options in (
            ("another query", source.customers(status="active"), {}),
            ("another plan: on_loss='metadata'", source.customers(), {"on_loss": "drop"}),
            ("another plan: external_id='id'", source.customers(), {"external_id": lambda one: one.id}),
            ("another source \\(flexportal\\)", others, {}),
        ):
            with uc.plan(listing, target, **{"on_conflict": "refuse", **options}) as plan:
                assert plan.identity.differs(uc_identity(journal))
                with pytest.raises(uc.CustomersError, match=match):
                    plan.run(journal)
    with client(Sandbox(customers=0, seed=1).flexprice) as other:
        settings = attrs.evolve(other.provider, base_url="http://127.0.0.1/elsewhere")
        with pytest.raises(uc.ConfigurationError, match="another account than this client's"):
            uc.verify(journal, uc.Client(settings))


def uc_identity(journal):
    from unified_customers.moving.journal import opened

    with opened(journal) as held:
        return held.identity


def test_a_plan_that_is_older_than_the_last_run_is_refused(target, journal):
    """It would undo what the newer one did."""
    with uc.plan([person(1)], target) as old, uc.plan([person(1, email="a@b.co")], target) as new:
        new.run(journal)
        with pytest.raises(uc.ConfigurationError, match="used since this plan was made: plan again"):
            old.run(journal)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look like one" * 9, b""])
def test_what_is_no_journal_is_refused(target, tmp_path, content):
    """A text, an empty file, none, a folder."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(uc.ConfigurationError, match=r"no journal of ours|holds no move"):
        uc.verify(path, target)
    with pytest.raises(uc.ConfigurationError, match="there is no journal"):
        uc.undo(tmp_path / "nothing", target)
    with uc.plan([person(1)], target) as plan, pytest.raises(uc.ConfigurationError, match="is a folder"):
        plan.run(tmp_path)


def test_a_journal_that_no_file_can_be_called_is_refused(target):
    """Rather than a `ValueError`."""
    with uc.plan([person(1)], target) as plan, pytest.raises(uc.ConfigurationError, match="no name of a file"):
        plan.run("a\0b")


def test_a_foreign_database_is_not_written_in(target, tmp_path):
    """Somebody's own SQLite file, given by mistake."""
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE mine (name TEXT)")
    theirs.close()
    before = path.read_bytes()
    with uc.plan([person(1)], target) as plan, pytest.raises(uc.ConfigurationError, match="this is no journal of ours"):
        plan.run(path)
    assert path.read_bytes() == before


def test_a_journal_belongs_to_one_run_at_a_time(box, journal):
    """A second one is refused while the first is under way."""
    refused = []

    def meanwhile(request):
        if request.method == "POST" and not request.path.endswith("search") and not refused:
            with client(box.flexprice) as second, uc.plan([person(1)], second) as plan:
                with pytest.raises(uc.ConfigurationError, match="another process uses this journal"):
                    plan.run(journal)
                refused.append(True)

    with client(box.flexprice, before=meanwhile) as target, uc.plan([person(1)], target) as plan:
        assert plan.run(journal).created == 1
    assert refused == [True]


# What stops a run


@pytest.mark.parametrize(("fault", "cause"), [("429", uc.RateLimitedError), ("503", uc.UnknownOutcomeError)])
def test_a_target_that_refuses_stops_the_run_with_what_is_done_and_what_is_not(box, target, journal, fault, cause):
    """And the same journal goes on."""
    box.flexprice.fault(fault, on="write", after=2, times=90)
    crowd = [person(number) for number in range(9)]
    with uc.plan(crowd, target) as plan:
        with pytest.raises(uc.MoveStoppedError, match="run it again with the same journal to go on") as stopped:
            plan.run(journal)
        assert isinstance(stopped.value.__cause__, cause)
        result = stopped.value.result
        assert (result.created, result.left + result.unknown) == (2, 7)
        assert pickle.loads(pickle.dumps(stopped.value)).result == result
        box.flexprice.clear_faults()
        assert plan.run(journal).created == 9
    assert len(published(box.flexprice)) == 9


def test_a_quota_that_is_used_up_stops_the_run(box, target, journal):
    """The rest is left, and goes on when there is more."""
    box.flexprice.fault("quota", creates=3)
    with uc.plan([person(number) for number in range(5)], target) as plan:
        with pytest.raises(uc.MoveStoppedError) as stopped:
            plan.run(journal)
        assert (stopped.value.result.created, stopped.value.result.left) == (3, 2)
        box.flexprice.clear_faults()
        assert plan.run(journal).complete


def test_a_key_that_is_refused_stops_the_run_at_once(box, journal):
    """Nothing is unknown then."""
    revoked = []

    def revoke(request):
        if request.method == "POST" and not request.path.endswith("search"):
            revoked.append(True)
            request.headers["x-api-key"] = request.headers["authorization"] = "wrong"

    with (
        client(box.flexprice, before=revoke) as target,
        uc.plan([person(1), person(2)], target) as plan,
        pytest.raises(uc.MoveStoppedError) as stopped,
    ):
        plan.run(journal)
    assert isinstance(stopped.value.__cause__, uc.AuthenticationError)
    assert (stopped.value.result.left, stopped.value.result.unknown, len(revoked)) == (2, 0, 1)


def test_ctrl_c_waits_for_the_requests_under_way_and_the_journal_goes_on(box, journal):
    """Nothing is unknown after it."""

    def interrupt(request):
        if request.method == "POST" and not request.path.endswith("search") and len(published(box.flexprice)) == 3:
            signal_main()

    crowd = [person(number) for number in range(9)]
    with (
        client(box.flexprice, before=interrupt) as target,
        uc.plan(crowd, target) as plan,
        pytest.raises(KeyboardInterrupt),
    ):
        plan.run(journal)
    result = uc.MoveResult.read(journal)
    assert result.unknown == 0
    assert (result.created, result.left) == (len(published(box.flexprice)), 9 - len(published(box.flexprice)))
    with client(box.flexprice) as target, uc.plan(crowd, target) as plan:
        assert plan.run(journal).complete
    assert len(published(box.flexprice)) == 9


def signal_main():
    """What Ctrl-C does: the signal goes to the main thread."""
    import signal

    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_events_tell_how_far_it_is_and_an_error_in_the_callback_comes_out(target, journal):
    """Each customer once."""
    events = []
    crowd = [person(number) for number in range(5)]
    with uc.plan(crowd, target) as plan:
        plan.run(journal, on_event=events.append)
        assert [(event.kind, event.done, event.total) for event in events] == [("created", n, 5) for n in range(1, 6)]
    with uc.plan([*crowd, person(9)], target) as plan, pytest.raises(ZeroDivisionError):
        plan.run(journal, on_event=lambda _event: 1 / 0)


def test_a_customer_that_the_list_does_not_show_yet_is_not_made_again(box, target, journal):
    """A list may come from a replica that is behind: the journal knows better."""
    with uc.plan([person(1)], target) as plan:
        made = dict(plan.run(journal).map)

    with client(box.flexprice) as late:
        late.customers = lambda **query: iter(())
        with uc.plan([person(1, email="a@b.co")], late) as plan:
            assert only(plan).action == "create"
            plan.run(journal)
    assert dict(uc.MoveResult.read(journal).map) == made
    assert len(published(box.flexprice)) == 1


def test_undo_never_takes_whoever_was_there_before(box, target, journal):
    """Also where a later list did not show the customer, so that the plan meant to make it."""
    box.flexprice.insert(
        external_id="cust_1", name="Ann 1", metadata={"moved_first_name": "Ann", "moved_last_name": "1"}
    )
    with uc.plan([person(1)], target) as plan:
        assert plan.run(journal).same == 1
    with client(box.flexprice) as late:
        late.customers = lambda **_query: iter(())
        with uc.plan([person(1)], late) as plan:
            assert only(plan).action == "create"
            plan.run(journal)
    assert uc.undo(journal, target).undone == 0
    assert writes(box.flexprice) == []


class DiedError(BaseException):
    """The process ends here."""


def dies(nth, *, on=("POST", "PUT", "DELETE")):
    """A hook that ends the process at the nth write."""
    left = [nth]

    def hook(request):
        if request.method in on and not request.path.endswith("search"):
            left[0] -= 1
            if left[0] == 0:
                raise DiedError

    return hook


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", ["flexprice", "flatpeak"])
def test_a_run_that_died_at_a_create_is_settled_by_the_next(box, journal, monkeypatch, name, moment):
    """Whether the server had acted or not; and a second customer is never made."""
    provider, options = getattr(box, name), {"on_loss": "drop"}
    crowd = [person(number) for number in range(4)]
    with (
        client(provider, **{moment: dies(3)}) as target,
        uc.plan(crowd, target, **options) as plan,
        pytest.raises(DiedError),
    ):
        plan.run(journal)
    assert (uc.MoveResult.read(journal).created, uc.MoveResult.read(journal).unknown) == (2, 1)
    events = []
    with client(provider) as target, uc.plan(crowd, target, **options) as plan:
        result = plan.run(journal, on_event=events.append)
        if (name, moment) == ("flatpeak", "before"):  # it may still come
            assert result.unknown == 1
            monkeypatch.setattr(sending, "PATIENCE", 0.0)
            result = plan.run(journal)
        assert (result.created, result.complete) == (4, True)
        assert uc.undo(journal, target).undone == 4
    assert ("settled" in [event.kind for event in events]) == (moment == "after")
    assert len(provider.rows) == 4


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_died_at_an_update_sends_it_again(box, target, journal, moment):
    """The same update twice is one."""
    with uc.plan([person(1)], target) as plan:
        plan.run(journal)
    changed = [person(1, email="a@b.co")]
    with (
        client(box.flexprice, **{moment: dies(1)}) as dying,
        uc.plan(changed, dying) as plan,
        pytest.raises(DiedError),
    ):
        plan.run(journal)
    with uc.plan(changed, target) as plan:
        assert plan.run(journal).complete
    assert uc.verify(journal, target).good
    assert [row["email"] for row in published(box.flexprice).values()] == ["a@b.co"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_undoing_that_died_goes_on_and_so_does_a_run_after_it(box, target, journal, moment):
    """Who is gone is made again, who is there stays."""
    crowd = [person(number) for number in range(3)]
    with uc.plan(crowd, target) as plan:
        plan.run(journal)
    with client(box.flexprice, **{moment: dies(2)}) as dying, pytest.raises(DiedError):
        uc.undo(journal, dying, apply=True, confirm="archive")
    with uc.plan(crowd, target) as plan:
        assert plan.run(journal).created == 3
    assert len(published(box.flexprice)) == 3
    assert uc.undo(journal, target, apply=True, confirm="archive").undone == 3
    assert published(box.flexprice) == {}


def test_a_customer_that_the_target_will_not_let_go_stays_and_is_told_of(box, target, journal):
    """Flexprice keeps whoever has a subscription."""
    with uc.plan([person(1), person(2)], target) as plan:
        plan.run(journal)
    box.flexprice.fault("refused", status=400, times=1)
    found = uc.undo(journal, target, apply=True, confirm="archive")
    assert (found.undone, [source for source, _why in found.refused]) == (1, ["cust_1"])
    assert uc.undo(journal, target, apply=True, confirm="archive").undone == 1


# Verify and undo


def test_verify_names_the_fields_that_differ_and_shows_no_values(box, target, journal):
    """Changed, archived, gone."""
    with uc.plan([person(number) for number in range(4)], target) as plan:
        made = dict(plan.run(journal).map)
    box.flexprice.update(made["cust_0"], name="Changed by hand")
    box.flexprice.delete(made["cust_1"])
    found = uc.verify(journal, target)
    assert (found.checked, found.equal, found.good) == (4, 2, False)
    assert [(one.source_id, one.field, one.planned, one.found) for one in found.differences] == [
        ("cust_0", "name", "Ann 0", "Changed by hand"),
        ("cust_1", "status", "active", "archived"),
    ]
    assert "Changed" not in f"{found}{found!r}"


def test_undo_is_dry_and_leaves_alone_whoever_was_changed_since(box, target, journal):
    """Or whoever the move did not make."""
    box.flexprice.insert(external_id="stranger")
    with uc.plan([person(number) for number in range(3)], target) as plan:
        made = dict(plan.run(journal).map)
    box.flexprice.update(made["cust_0"], contact="123")
    box.flexprice.delete(made["cust_1"])
    before = published(box.flexprice)
    dry = uc.undo(journal, target)
    assert (dry.undone, dry.changed, dry.gone, dry.applied) == (1, ("cust_0",), 1, False)
    assert published(box.flexprice) == before
    with pytest.raises(uc.ConfigurationError, match="say confirm='archive'"):
        uc.undo(journal, target, apply=True)
    assert uc.undo(journal, target, apply=True, confirm="archive").undone == 1
    assert published(box.flexprice).keys() == before.keys() - {made["cust_2"]}


# Files and pages


def test_the_map_is_written_as_csv_and_json_lines_without_formulas(box, target, journal, tmp_path):
    """A spreadsheet would run them."""
    crowd = [attrs.evolve(person(1), id="=cmd()"), attrs.evolve(person(2), id="-2\r,")]
    with uc.plan(crowd, target) as plan:
        result = plan.run(journal)
    assert result.map.write(tmp_path / "map.csv") == 2
    rows = list(csv.DictReader(io.StringIO((tmp_path / "map.csv").read_bytes().decode(), newline="")))
    assert [row["source_id"] for row in rows] == ["'=cmd()", "'-2\r,"]
    result.map.write(tmp_path / "map.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "map.jsonl").read_text().splitlines()]
    assert [(line["source_id"], line["target_id"]) for line in lines] == list(result.map.items())
    with pytest.raises(uc.ConfigurationError, match=r"\.csv, \.jsonl or \.parquet"):
        result.map.write(tmp_path / "map.xls")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.csv", "map.jsonl", "move.sqlite"]


def test_the_map_is_written_as_parquet_or_says_what_is_missing(target, journal, tmp_path):
    """With the extra, or without."""
    with uc.plan([person(1)], target) as plan:
        result = plan.run(journal)
    try:
        import pyarrow.parquet as pq
    except ImportError:
        with pytest.raises(uc.ConfigurationError, match=r"pip install 'unified-customers\[arrow\]'"):
            result.map.write(tmp_path / "map.parquet")
        return
    result.map.write(tmp_path / "map.parquet")
    assert pq.read_table(tmp_path / "map.parquet").column("source_id").to_pylist() == ["cust_1"]


def test_pages_of_a_plan_and_a_result_hold_no_data_and_nothing_that_runs(target, journal):
    """Ids come from outside, and may be anything."""
    evil = [attrs.evolve(person(1, email="ann@example.com"), id="<script>alert(1)</script>"), person(2, email="nobody")]
    with uc.plan(evil, target) as plan:
        pages = [plan.to_html(), plan.run(journal).to_html()]
    for page in pages:
        assert "<script" not in page
        assert "ann@example.com" not in page
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "email: is no e-mail address" in page


def test_what_is_shown_of_moves_holds_no_personal_data(target, journal):
    """Neither plans nor events, problems or results."""
    crowd = [person(1, email="ann@example.com", phone="+31612345678"), person(2, email="nobody at all")]
    with uc.plan(crowd, target) as plan:
        result = plan.run(journal)
        shown = f"{plan!r} {plan.summary} {[*plan]!r} {result!r} {result} {[*result.problems]!r} {result.map!r}"
    assert not [secret for secret in ("Ann", "ann@", "+316", "nobody at all") if secret in shown]


@pytest.mark.parametrize(
    "options",
    [{"external_id": "email"}, {"on_conflict": "merge"}, {"on_loss": "keep"}, {"match_email": "yes"}],
)
def test_an_argument_that_can_not_be_right_is_refused_before_anything_is_read(box, target, options):
    """By its name."""
    with pytest.raises(uc.InvalidRequestError, match=f"{next(iter(options))}="):
        uc.plan([], target, **options)
    assert len(box.flexprice.requests) == 0


@pytest.mark.parametrize("path", [None, 3, b"move.sqlite"])
def test_a_journal_that_is_no_path_is_refused_by_name(target, path):
    with uc.plan([], target) as plan, pytest.raises(uc.InvalidRequestError, match="journal= is the path"):
        plan.run(path)
    for use in (uc.verify, uc.undo):
        with pytest.raises(uc.InvalidRequestError, match="journal= is the path"):
            use(path, target)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"concurrency": True}, {"rate": 0}])
def test_how_fast_undo_goes_is_checked_first(target, journal, options):
    with pytest.raises((uc.InvalidRequestError, uc.ConfigurationError), match=f"{next(iter(options))}="):
        uc.undo(journal, target, **options)


def test_many_are_taken_back_at_the_same_time_and_an_error_leaves_the_rest(box, target, journal):
    """A key that is refused after a while ends it; what was answered is known, and the next undoing goes on."""
    with uc.plan([person(number) for number in range(40)], target) as plan:
        plan.run(journal)
    box.flexprice.fault("refused", status=401, after=10, times=1000)
    with pytest.raises(uc.AuthenticationError):
        uc.undo(journal, target, apply=True, confirm="archive", concurrency=4, rate=10_000)
    assert len(published(box.flexprice)) == 30
    box.flexprice.clear_faults()
    assert uc.undo(journal, target, apply=True, confirm="archive", concurrency=4).undone == 30
    assert published(box.flexprice) == {}


def test_an_account_is_not_moved_to_itself(box, target):
    """Though two keys may open it: every customer would be made a second time."""
    box.flexprice.insert(2)
    with client(box.flexprice) as again, pytest.raises(uc.InvalidRequestError, match="are one account"):
        uc.plan(again.customers(), target)


def test_an_accounts_archived_customers_are_not_moved_to_itself(target):
    """The list of the target doesn't show them; asked by id, it knows them."""
    target.archive(target.create(name="Ann", external_id="1").id)
    with pytest.raises(uc.InvalidRequestError, match="are one account"):
        uc.plan(target.customers(status="archived"), target)


def test_a_client_that_was_closed_since_the_plan_sends_nothing_and_nobody_is_unknown(box, journal):
    with client(box.flexprice) as target:
        plan = uc.plan([person(1), person(2)], target)
    with pytest.raises(uc.MoveStoppedError, match="closed") as stopped:
        plan.run(journal)
    assert (stopped.value.result.left, stopped.value.result.unknown) == (2, 0)


def test_a_plan_that_is_closed_says_so(target, journal):
    """Its temporary file is gone."""
    plan = uc.plan([person(1)], target)
    path = plan.path
    assert path.stat().st_mode & 0o077 == 0
    plan.close()
    assert not path.exists()
    with pytest.raises(uc.ConfigurationError, match="closed already"):
        plan.run(journal)


@pytest.mark.parametrize("locks", [True, False])
def test_plans_of_processes_that_were_killed_are_cleared_away(target, tmp_path, monkeypatch, locks):
    """A minute later, or a day where files can't be locked; not that of a process that runs, nor anybody else's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(store, "_locks", lambda: locks)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running = uc.plan([person(1)], target)
    old, young = (tmp_path / f"unified-customers-plan-{ended.pid}-{name}.sqlite" for name in "ab")
    other = tmp_path / "unified-customers-plan-mine.sqlite"
    for path in (old, young, other, running.path):
        path.touch()
        lock = path.with_suffix(".lock")
        if path is not other:
            lock.touch()
        if path not in (young, other):
            os.utime(lock, (0, 0))
    with uc.plan([person(1)], target):
        assert not old.exists()
        assert all(path.exists() for path in (young, running.path, other))
    running.close()
    assert not [path for path in tmp_path.iterdir() if f"-{os.getpid()}-" in path.name]


def test_a_source_of_several_accounts_or_of_something_else_is_refused(target):
    """One journal, one pair."""
    with pytest.raises(uc.InvalidRequestError, match="several accounts"):
        uc.plan([person(1), attrs.evolve(person(2), account_id="bu_2")], target)
    with pytest.raises(uc.InvalidRequestError, match="takes customers"):
        uc.plan(["cust_1"], target)
    with pytest.raises(uc.InvalidRequestError, match="raised ZeroDivisionError for customer cust_1"):
        uc.plan([person(1)], target, external_id=lambda _one: 1 / 0)
