"""One checkpoint for many accounts: known by what they are, told by name, and carried on where they are away."""

from __future__ import annotations

import base64
import functools
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenants import Tenants

import unified_customers as uc
from unified_customers import _checkpoint
from unified_customers._directory import positions
from unified_customers._directory.positions import Position
from unified_customers.sandbox import serve

SIZES = {"a": 9, "b": 5, "c": 12}
WORDS = st.text(min_size=1, max_size=8)


@pytest.fixture
def few():
    """Three tenants."""
    tenants = Tenants(SIZES)
    with serve(tenants) as url:
        yield tenants, url


def read(accounts, count=None, **keywords):
    """Ids of so many customers (all by default), and where that stands."""
    with uc.Directory(accounts) as directory:
        walk = iter(directory.customers(page_size=2, **keywords))
        got = [customer.id for customer in walk] if count is None else [next(walk).id for _ in range(count)]
        return got, walk.checkpoint


@pytest.mark.parametrize("stop", [0, 3, 11, 25])
def test_an_account_that_is_new_is_read_from_its_start(few, stop):
    """And the others go on."""
    tenants, url = few
    got, checkpoint = read(tenants.accounts(url, "ab"), min(stop, 14))
    rest, _ = read(tenants.accounts(url, "cab"), after=checkpoint)
    assert sorted([*got, *rest]) == tenants.truth


def alike(box, *names):
    """Flexprice accounts of one address, which differ in their keys alone."""
    settings = box.flexprice.settings
    return {
        name: uc.Flexprice(**{**settings, "api_key": functools.partial(str, settings["api_key"])}) for name in names
    }


def test_accounts_that_differ_in_their_keys_alone_are_told_apart_by_name():
    """A key may rotate, so it is no name; and the names are the caller's."""
    with uc.sandbox(customers=20) as box:
        everybody = sorted(box.flexprice.ids)
        got, checkpoint = read(alike(box, "a", "b"), 15)
        rest, _ = read(alike(box, "c", "b", "a"), after=checkpoint)
        assert sorted([*got, *rest]) == sorted(everybody * 3)  # three accounts that show the same customers


def test_an_account_that_another_like_it_joins_goes_on_where_it_stood():
    """Known by its settings alone before, by its name as well from now on, and the other way round."""
    with uc.sandbox(customers=20) as box:
        everybody = sorted(box.flexprice.ids)
        got, checkpoint = read(alike(box, "a"), 7)
        rest, checkpoint = read(alike(box, "a", "b"), 20, after=checkpoint)
        last, _ = read(alike(box, "b"), after=checkpoint)
        alone, _ = read(alike(box, "a"), after=checkpoint)
        assert sorted([*got, *rest, *last, *alone]) == sorted(everybody * 2)


def test_accounts_that_nothing_tells_apart_are_refused():
    """The same settings twice; or keys alone, and no names."""
    one, two = uc.Flexprice(api_key="one of them"), uc.Flexprice(api_key="the other")
    with pytest.raises(uc.ConfigurationError, match="are the same: give each once"):
        uc.Directory({"a": one, "b": one})
    with pytest.raises(uc.ConfigurationError, match="name them"):
        uc.Directory([one, two])


@pytest.mark.parametrize("ordered", [False, True])
def test_an_account_that_comes_back_goes_on_where_it_stood(few, ordered):
    """However many walks it was away for; while it is, nothing of it comes."""
    tenants, url = few
    got, checkpoint = read(tenants.accounts(url), 14, ordered=ordered)
    for _ in range(3):
        more, checkpoint = read(tenants.accounts(url, "b"), after=checkpoint)
        assert {id_[0] for id_ in more} <= {"b"}
        got += more
    rest, _ = read(tenants.accounts(url), after=checkpoint)
    assert sorted([*got, *rest]) == tenants.truth


def test_an_account_may_be_renamed_and_another_take_its_name(few):
    """They are known by what they are: two that swap names are both known."""
    tenants, url = few
    accounts = tenants.accounts(url)
    got, checkpoint = read(accounts, 10)
    swapped = {"a": accounts["b"], "b": accounts["a"], "x": accounts["c"]}
    rest, _ = read(swapped, after=checkpoint)
    assert sorted([*got, *rest]) == tenants.truth


def test_a_name_that_means_another_account_is_refused(few):
    """It would be read from its start in silence, or an account be forgotten for it."""
    tenants, url = few
    accounts = tenants.accounts(url)
    _, checkpoint = read({"a": accounts["a"], "b": accounts["b"]}, 4)
    with pytest.raises(uc.CheckpointError, match="'b' is another one") as caught:
        read({"a": accounts["a"], "b": accounts["c"]}, after=checkpoint)
    assert "new name" in str(caught.value)
    rest, later = read({"a": accounts["a"], "new": accounts["c"]}, after=checkpoint)
    assert {id_[0] for id_ in rest} == {"a", "c"}
    with pytest.raises(uc.CheckpointError, match="'b' is another one"):
        read({"a": accounts["a"], "b": accounts["c"], "other": uc.Flexprice(api_key="k")}, 0, after=checkpoint)
    assert read(accounts, after=later)[0]  # b's own place is still there


def test_names_that_nobody_gave_are_no_reason_to_refuse(few):
    """A list's accounts are numbered anew each time."""
    tenants, url = few
    accounts = tenants.accounts(url)
    got, checkpoint = read([accounts["a"], accounts["b"]], 5)
    rest, _ = read([accounts["c"], accounts["b"], accounts["a"]], after=checkpoint)
    assert sorted([*got, *rest]) == tenants.truth


def test_the_end_is_where_the_walk_ended_whatever_came_through(few):
    """Pages of which a filter leaves nothing are not read again."""
    tenants, url = few
    filtered = {"external_id": "nobody's", "unsupported": "local"}
    got, checkpoint = read(tenants.accounts(url), **filtered)
    with uc.Directory(tenants.accounts(url)) as directory:
        again = directory.customers(page_size=2, after=checkpoint, **filtered)
        asked = len(tenants.asked)
        assert list(again) == []
        assert len(tenants.asked) - asked <= len(SIZES)
    assert got == []


def as_of_old(checkpoint):
    """The same in the format of version 1: `{key: checkpoint}`."""
    content = {key: one.checkpoint for key, one in positions.load(checkpoint).items()}
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 6)
    return _checkpoint.sealed("ucd1." + base64.urlsafe_b64encode(packed).decode().rstrip("="))


def test_a_checkpoint_of_version_1_is_read(few):
    """It knows no names, so none can be wrong."""
    tenants, url = few
    accounts = tenants.accounts(url)
    got, checkpoint = read(accounts, 9)
    assert checkpoint.startswith("ucd2.")
    rest, later = read({"x": accounts["a"], "a": accounts["b"], "c": accounts["c"]}, 5, after=as_of_old(checkpoint))
    end, _ = read(accounts, after=later)
    assert sorted([*got, *rest, *end]) == tenants.truth


@given(st.lists(st.builds(Position, key=WORDS, name=st.none() | WORDS, checkpoint=WORDS), unique_by=lambda p: p.key))
def test_positions_come_back_as_they_were_saved(these):
    """Each with its name."""
    assert list(positions.load(positions.save(these)).values()) == these


def test_accounts_alike_are_told_apart_by_name_however_many_they_are():
    """Old ones find their place under another key, new ones none; nobody is asked for each pair of them."""

    class Counted(dict):
        asked = 0

        def values(self):
            self.asked += 1
            return super().values()

    names = [f"tenant-{n}" for n in range(300)]
    known = {f"k#{name}": Position(f"k#{name}", name, f"uc1.{name}.y") for name in names[:150]}
    keys = Counted({name: f"k#{name}" for name in names[1:]})
    found = positions.matched(known, keys)
    assert found == known
    assert [one.name for one in positions.gone(found, keys)] == ["tenant-0"]
    assert keys.asked == 2
    alone = positions.matched({"k": Position("k", "tenant-1", "uc1.x.y")}, keys)
    assert alone == {"k#tenant-1": Position("k#tenant-1", "tenant-1", "uc1.x.y")}


@given(st.data())
def test_a_damaged_checkpoint_is_told(data):
    """Wherever it is cut or changed."""
    whole = positions.save([Position("k1", "a", "uc1.x.y"), Position("k2", "b", "uc1.z.y")])
    at = data.draw(st.integers(0, len(whole) - 1))
    for wrong in (whole[:at], whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]):
        with pytest.raises(uc.CheckpointError):
            positions.load(wrong)


@pytest.mark.parametrize("content", [[], 3, {"k": 3}, {"k": ["a"]}, {"k": ["a", None]}, {"k": {"a": "b"}}])
@pytest.mark.parametrize("prefix", ["ucd1.", "ucd2."])
def test_whole_texts_of_another_form_are_told(content, prefix):
    """With a right checksum, but not as this library writes them."""
    packed = zlib.compress(json.dumps(content).encode())
    text = _checkpoint.sealed(prefix + base64.urlsafe_b64encode(packed).decode().rstrip("="))
    with pytest.raises(uc.CheckpointError, match="damaged"):
        positions.load(text)


def test_versions_to_come_are_told_apart(few):
    """From damage."""
    tenants, url = few
    with pytest.raises(uc.CheckpointError, match="version 3"):
        read(tenants.accounts(url), after="ucd3.abc.def")


def test_of_an_account_that_did_not_move_the_checkpoint_is_made_once(few, monkeypatch):
    """Thousands of accounts are asked again after every page."""
    tenants, url = few
    with uc.Directory(tenants.accounts(url)) as directory:
        walk = iter(directory.customers(page_size=100, ordered=True))
        next(walk)
        first = walk.checkpoint
        made = []
        save = _checkpoint.save
        monkeypatch.setattr(_checkpoint, "save", lambda *args: made.append(1) or save(*args))
        assert walk.checkpoint == first
        assert made == []
        next(walk)
        assert walk.checkpoint != first
        assert made == [1]
