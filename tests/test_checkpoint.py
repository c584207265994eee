"""Checkpoints: exact, small, silent, bound to their query, and never misread."""

from __future__ import annotations

import base64
import hashlib
import string
import zlib
from itertools import islice

import attrs
import pytest
from fakes import Account, FakeFlatpeak, FakeFlexPortal, FakeFlexprice, flatpeak, flexportal, flexprice, people, reply
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import MODES

import unified_customers as uc
from unified_customers import _checkpoint
from unified_customers.paging.keyset import MOST_IDS, KeysetPosition
from unified_customers.paging.scattered import Slice

text = st.text(max_size=12)
texts = st.lists(text, max_size=5).map(tuple)


def field_values(field: attrs.Attribute) -> st.SearchStrategy:
    """Values that a field of a position may have, by its declared type."""
    kind = str(field.type).removeprefix("<class '").removesuffix("'>")
    if "tuple" in kind:
        return st.lists(st.integers(0, 10**6), max_size=5).map(tuple) if "int" in kind else texts
    if kind.startswith("str"):
        return text if "None" not in kind else st.none() | text
    if kind.startswith("int"):
        return st.integers(0, 10**9) if "None" not in kind else st.none() | st.integers(0, 10**9)
    if kind.startswith("bool"):
        return st.booleans()
    raise AssertionError(f"a position has a field of a kind that this test doesn't know: {kind}")


def positions(adapter, depth: int = 1) -> st.SearchStrategy:
    """Any position of an adapter, nested ones included."""

    def of(cls):
        fields = {}
        for field in attrs.fields(cls):
            nested = field.name in {"lead", "follow", "inner", "start"}
            if cls is Slice and nested:
                fields[field.name] = of(KeysetPosition)
            elif field.name == "slices":
                fields[field.name] = st.lists(of(Slice), min_size=1, max_size=3).map(tuple)
            else:
                fields[field.name] = positions(adapter, depth - 1) if nested else field_values(field)
        return st.builds(cls, **fields)

    flat = [
        c for c in adapter.positions if not {"lead", "inner", "start", "slices"} & {f.name for f in attrs.fields(c)}
    ]
    return st.one_of([of(cls) for cls in (adapter.positions if depth else flat)])


ADAPTERS = {
    "flexportal": (flexportal, FakeFlexPortal),
    "flexprice": (flexprice, FakeFlexprice),
    "flatpeak": (flatpeak, FakeFlatpeak),
}


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=100)
@given(data=st.data())
def test_every_position_survives(name, data):
    """Saved and loaded, it is the same value; saved twice, the same text."""
    adapter = ADAPTERS[name][0]()
    position = data.draw(positions(adapter))
    query = uc.Query(email="a@b.co")
    saved = _checkpoint.save(adapter, query, position, {})
    assert _checkpoint.load(adapter, query, saved, {}) == position
    assert _checkpoint.save(adapter, query, position, {}) == saved
    assert _checkpoint.load(adapter, query, f" {saved}\n", {}) == position


def account(name, n=10, **settings):
    make, server = ADAPTERS[name]
    return Account(make(**settings), server(people(range(0, 10 * n, 10))))


def checkpoint_of(name, at=5, **keywords) -> str:
    walk = iter(account(name).customers(page_size=2, **keywords))
    list(islice(walk, at))
    return walk.checkpoint


@pytest.mark.parametrize("name", ADAPTERS)
def test_damage_at_every_character_is_noticed(name):
    """Changed, lost, doubled, cut or swapped: an error, never another place."""
    good = checkpoint_of(name)
    one = account(name)
    for n, char in enumerate(good):
        other = "A" if char != "A" else "B"
        for bad in (good[:n] + other + good[n + 1 :], good[:n] + good[n + 1 :], good[:n] + char + good[n:], good[:n]):
            if bad.strip() != good:
                with pytest.raises(uc.CheckpointError):
                    one.customers(after=bad)
        if n and good[n - 1] != char:
            with pytest.raises(uc.CheckpointError):
                one.customers(after=good[: n - 1] + char + good[n - 1] + good[n + 1 :])


@given(st.text(max_size=60) | st.text(string.ascii_letters + string.digits + "-_.", max_size=60).map("uc1.".__add__))
def test_any_text_is_a_checkpoint_or_refused(bad):
    """No text makes a foreign error."""
    one = account("flexprice")
    with pytest.raises(uc.CheckpointError):
        one.customers(after=bad)


@pytest.mark.parametrize("bad", [7, b"uc1.x", [], True, 1.5])
def test_what_is_no_text_is_refused(bad):
    """Likewise."""
    with pytest.raises(uc.CheckpointError):
        account("flexprice").customers(after=bad)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("cus_123", "no checkpoint"),
        ("uc2.abc.def", "version 2"),
        ("uc17.abc.def", "version 17"),
        ("uc1.abc.def", "damaged"),
    ],
)
def test_what_is_wrong_is_said(bad, says):
    """Empty, foreign, of another version, damaged."""
    with pytest.raises(uc.CheckpointError, match=says):
        account("flexprice").customers(after=bad)


@pytest.mark.parametrize(
    ("made", "used", "says"),
    [
        ({}, {"email": "a@b.co"}, "without email"),
        ({"email": "a@b.co"}, {}, "with email"),
        ({"email": "a@b.co"}, {"email": "c@d.co"}, "another email"),
        ({"status": "active"}, {"status": "archived"}, "another status"),
        ({"order": "asc"}, {"order": "desc"}, "another order"),
        ({"ids": ["a", "b"]}, {"ids": ["a", "c"]}, "another ids"),
        ({"ids": ["a", "b"]}, {"external_id": ["a", "b"]}, "with ids"),
        ({"params": {"expand": "integrations"}}, {}, "with params"),
        ({"sort": "name"}, {"sort": "email"}, "another sort"),
    ],
    ids=str,
)
def test_another_query_is_told_by_name(made, used, says):
    """What differs is named, its values are not."""
    saved = account("flexprice").customers(**made).checkpoint
    with pytest.raises(uc.CheckpointError, match=says) as caught:
        account("flexprice").customers(**used, after=saved)
    assert "b.co" not in str(caught.value)
    assert caught.value.provider == "flexprice"


def test_what_is_no_part_of_the_query_may_differ():
    """Page size, number, key: the same customers in the same order."""
    saved = checkpoint_of("flexprice")
    one = Account(flexprice(api_key="sk_rotated"), FakeFlexprice(people(range(0, 100, 10))))
    rest = [c.id for c in one.customers(after=saved, page_size=7, max_items=100, on_bad_record="skip")]
    assert len(rest) == 5
    words = account("flexprice").customers(status="active").checkpoint
    account("flexprice").customers(status="published", after=words)
    once = account("flexprice").customers(external_id="x").checkpoint
    account("flexprice").customers(external_id=["x"], after=once)


@pytest.mark.parametrize("name", ADAPTERS)
def test_another_provider_or_account_is_told(name):
    """By provider, address and tenant, never by the key."""
    saved = checkpoint_of(name)
    for other in ADAPTERS.keys() - {name}:
        with pytest.raises(uc.CheckpointError, match=name):
            account(other).customers(after=saved)
    differing = {
        "flexportal": {"tenant_id": "ten_2"},
        "flexprice": {"environment_id": "env_2"},
        "flatpeak": {"account_id": "acc_2"},
    }
    for settings_ in (differing[name], {"base_url": "https://other.example"}):
        with pytest.raises(uc.CheckpointError, match="account"):
            account(name, **settings_).customers(after=saved)
    account(name, base_url="https://provider.example/v1/").customers(after=saved)


def unpacked(saved: str) -> str:
    """What a curious reader finds in it."""
    body = saved.split(".")[1]
    return zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).decode()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_checkpoint_holds_no_secret_and_nothing_personal(mode):
    """Ids and times only; not even the host is legible."""
    server = mode.serve(people(range(0, 200, 10)))
    walk = iter(mode.account(server).customers(page_size=3, **mode.start(server)))
    for n, _ in enumerate(walk):
        if n % 4 == 0:
            content = unpacked(walk.checkpoint)
            for secret in ("pk_test", "sk_test", "ten_1", "acc_1", "@", "provider.example", "ext-"):
                assert secret not in content
    for keywords in ({"email": "planted@b.co"}, {"external_id": "planted"}, {"params": {"planted": "planted"}}):
        if mode.name == "flexprice auto":
            assert "planted@" not in unpacked(mode.account(server).customers(**keywords).checkpoint)


def test_ids_that_are_asked_for_are_not_in_the_checkpoint():
    """External ids may be e-mail addresses."""
    rows = people([0, 10, 20])
    for person, ref in zip(rows, ("planted-a@b.co", "planted-c@d.co", "planted-e@f.co"), strict=True):
        person.ref = ref
    walk = iter(Account(flexprice(), FakeFlexprice(rows)).customers(external_id=[p.ref for p in rows], page_size=1))
    for _ in walk:
        assert "planted" not in unpacked(walk.checkpoint)


@pytest.mark.parametrize("n", [500, 999, 1000, 1001, 3000])
@pytest.mark.parametrize("scan", ["auto", "keyset"])
def test_the_worst_tie_stays_small_and_complete(n, scan):
    """Thousands at one moment: at most 64 KiB, resumed exactly, nothing lost."""
    rows = people([0] * n + [1, 2, 3])
    server = FakeFlexprice(rows)
    got, after = [], None
    for _ in range(100):
        walk = iter(Account(flexprice(scan=scan), server).customers(page_size=400, after=after))
        brought = [c.id for c in islice(walk, 333)]
        after = walk.checkpoint
        got += brought
        assert len(after) <= 64 * 1024
        if not brought:
            break
    assert len(got) == len(set(got)) == n + 3
    assert MOST_IDS == 1000


def test_the_worst_page_of_long_ids_stays_small():
    """A thousand handed out in mid-page, ids of 31 characters that don't compress."""
    rows = people([0] * 1000 + [1] * 1000)
    for n, person in enumerate(rows):
        person.id = "cust_" + base64.b32encode(hashlib.sha256(str(n).encode()).digest()).decode()[:26]
    for keywords in ({}, {"status": "any"}, {"order": "desc"}):
        walk = iter(Account(flexprice(), FakeFlexprice(rows)).customers(**keywords))
        sizes = [len(walk.checkpoint) for n, _ in enumerate(walk) if n % 97 == 0]
        assert max(sizes) <= 64 * 1024


def test_a_checkpoint_after_an_error_is_the_errors_own():
    """`error.checkpoint` resumes where the error struck."""
    server = FakeFlexprice(people(range(0, 100, 10)))
    server.meddle = lambda request, n: None if n != 3 else reply(500, b"")
    listing = Account(flexprice(), server, uc.Retry(attempts=1)).customers(page_size=3)
    got = []
    with pytest.raises(uc.ServerError) as caught:
        got.extend(customer.id for customer in listing)
    rest = account("flexprice").customers(after=caught.value.checkpoint)
    assert len(got) == 6
    assert len({*got, *(c.id for c in rest)}) == 10


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_position_of_a_later_release_is_refused(name):
    """An unknown kind of position, or an unknown field of a known one."""
    adapter = ADAPTERS[name][0]()

    @attrs.frozen
    class Strange:
        x: int = 1

    for strange in (Strange(x=2), {"": adapter.positions[0].__name__, "new": 1}, {"": 7}, {}, None, 5, []):
        saved = _checkpoint.save(adapter, uc.Query(), strange, {})
        with pytest.raises(uc.CheckpointError):
            _checkpoint.load(adapter, uc.Query(), saved, {})
