"""What holds of every move, whoever is moved: a plan is pure, a run is idempotent, undo takes back what was created."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_kit import client, crowds, people, published, writes

import unified_customers as uc
from unified_customers.sandbox import Sandbox

losses = st.sampled_from(["metadata", "drop", "refuse"])
conflicts = st.sampled_from(["skip", "update"])


def target_of(strangers):
    """A Flexprice with some customers who have nothing to do with the move."""
    box = Sandbox(customers=0, strange=False)
    for number in strangers:
        box.flexprice.insert(external_id=f"c{number}", name=f"Stranger {number}", email="ann@example.com")
    return box.flexprice


strangers = st.sets(st.integers(0, 11), max_size=3)


@settings(max_examples=25)
@given(crowds, strangers, losses, conflicts, st.booleans())
def test_a_plan_is_pure(crowd, there, on_loss, on_conflict, match_email):
    """The same inputs give the same plan, whatever their order, and nothing is written."""
    provider = target_of(there)
    before = published(provider)
    options = {"on_loss": on_loss, "on_conflict": on_conflict, "match_email": match_email}
    with (
        client(provider) as target,
        uc.plan(crowd, target, **options) as one,
        uc.plan(crowd, target, **options) as same,
        uc.plan(crowd[::-1], target, **options) as turned,
    ):
        assert [*one] == [*same]
        assert one.digest == same.digest == turned.digest
        assert one.summary == same.summary
        assert sum(one.summary.counts.values()) == len(crowd)
    assert writes(provider) == []
    assert published(provider) == before


@settings(max_examples=25)
@given(crowds, strangers, losses, conflicts, st.booleans(), st.integers(1, 3))
def test_a_run_is_idempotent_and_sends_what_was_planned(crowd, there, on_loss, on_conflict, match_email, concurrency):
    """Run again, with the same plan or a new one, it writes nothing more; nobody impossible is ever sent."""
    provider = target_of(there)
    options = {"on_loss": on_loss, "on_conflict": on_conflict, "match_email": match_email}
    with client(provider) as target, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "move.sqlite"
        with uc.plan(crowd, target, **options) as plan:
            counts = plan.summary.counts
            result = plan.run(journal, concurrency=concurrency)
            assert result.complete
            assert (result.created, result.updated) == (counts["create"], counts["update"])
            assert len(writes(provider)) == counts["create"] + counts["update"]
            assert uc.verify(journal, target).good
            seen = len(provider.requests)
            assert plan.run(journal, concurrency=concurrency) == result
        with uc.plan(crowd, target, **options) as later:
            moved = later.summary.counts
            assert (moved["create"], moved["update"]) == (0, 0)
            assert moved["same"] == counts["create"] + counts["update"] + counts["same"]
            assert moved["impossible"] == counts["impossible"]
            later.run(journal, concurrency=concurrency)
        assert writes(provider, seen) == []


@settings(max_examples=20)
@given(crowds, strangers, losses)
def test_undo_leaves_the_published_customers_as_they_were(crowd, there, on_loss):
    """Only what was created goes, and after it the same move can be made again."""
    provider = target_of(there)
    before = published(provider)
    with client(provider) as target, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "move.sqlite"
        with uc.plan(crowd, target, on_loss=on_loss, on_conflict="skip") as plan:
            made = plan.run(journal).created
        dry = uc.undo(journal, target)
        assert (dry.undone, dry.applied) == (made, False)
        assert uc.undo(journal, target, apply=True, confirm="archive").undone == made
        assert published(provider) == before
        assert uc.undo(journal, target).undone == 0
        with uc.plan(crowd, target, on_loss=on_loss, on_conflict="skip") as plan:
            assert plan.run(journal).created == made


@settings(max_examples=20)
@given(st.lists(people, max_size=8, unique_by=lambda one: one.id), st.data())
def test_changes_at_the_source_arrive_with_the_next_run(crowd, data):
    """What changed is updated, what is the same stays, what vanished is told of and stays."""
    provider = target_of(())
    changed = [data.draw(people.map(lambda new, old=old: uc.from_dict({**uc.to_dict(new), "id": old.id})), "changed")
               if data.draw(st.booleans(), "changes") else old for old in crowd]  # fmt: skip
    left = [one for one in changed if data.draw(st.booleans(), "stays")]
    with client(provider) as target, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "move.sqlite"
        with uc.plan(crowd, target) as plan:
            first = dict(plan.run(journal).map)
        with uc.plan(left, target) as plan:
            gone = set(first) - {one.id for one in left}
            assert {source for source, _target in plan.vanished()} == (gone if left else set())
            result = plan.run(journal)
        assert result.complete
        assert uc.verify(journal, target).good
        assert set(first.items()) <= set(result.map.items())
        assert len(published(provider)) == len(result.map)


@pytest.mark.parametrize("answer", ["lost", "late", "reset", "503"])
@settings(max_examples=8)
@given(crowd=crowds, places=st.sets(st.integers(0, 12), max_size=4))
def test_lost_answers_and_refusals_of_a_moment_leave_nobody_twice(answer, crowd, places):
    """However many requests to write fail, running until it is complete moves each once."""
    provider = target_of(())
    with client(provider) as target, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "move.sqlite"
        for place in places:
            provider.fault(answer, on="write", after=place, times=1)
        for _attempt in range(8):
            with uc.plan(crowd, target) as plan:
                wanted = plan.summary.counts
                try:
                    result = plan.run(journal, concurrency=2)
                except uc.MoveStoppedError as stopped:
                    result = stopped.result
            if result.complete:
                break
        assert result.complete
        ours = [row["metadata"]["moved_id"] for row in published(provider).values()]
        assert len(ours) == len(set(ours)) == result.created
        assert wanted["impossible"] + len(ours) == len(crowd)
