"""Who is found to be the same: what is evidence, how sure it is, and that neither order nor engine matters."""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import stat
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import attrs
import duckdb
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers.reporting import evidence, making
from unified_customers.reporting.clusters import LARGE, SHARED_LIMIT, found
from unified_customers.reporting.stores import Memory
from unified_customers.reporting.stores_duckdb import OnDisk

GERMANY = uc.Address(country="Germany", country_code="DE")


def a_customer(account, number=0, **fields):
    """A customer of an account with nothing but what is said."""
    return uc.Customer(**{"provider": "flexprice", "account_id": account, "id": f"{account}-{number}", **fields})


def clusters(customers):
    """Each cluster: its ids, how sure, and of what scope."""
    together = defaultdict(set)
    for row in uc.report(customers).matches:
        together[row.cluster, row.sure, row.scope].add(row.id)
    return {(frozenset(ids), sure, scope) for (_, sure, scope), ids in together.items()}


def sure(one, other):
    """How sure it is that two customers are one; `None` where nothing says so."""
    rows = clusters([one, other])
    return next(iter(rows))[1] if rows else None


@pytest.mark.parametrize(
    ("fields", "others", "how"),
    [
        ({"external_id": "A-1"}, {"external_id": " A-1 "}, "very likely"),
        ({"external_id": "A-1"}, {"external_id": "a-1"}, None),
        ({"external_id": " "}, {"external_id": " "}, None),
        ({"email": "Ann@Example.com "}, {"email": "ann@EXAMPLE.com"}, "likely"),
        ({"email": "STRASSE@example.com"}, {"email": "straße@example.com"}, "likely"),
        ({"email": "n/a"}, {"email": "n/a"}, None),
        ({"email": "@"}, {"email": "@"}, None),
        ({"email": "a@"}, {"email": "a@"}, None),
        ({"name": "Ann Smith"}, {"name": "Ann Smith"}, None),
        ({"name": "Ann", "company": "Acme"}, {"name": "Ann", "company": "Acme"}, None),
        ({"phone": "+49 30 901820"}, {"phone": "+4930901820"}, None),
        ({"phone": "+49 30 901820", "name": "Ann"}, {"phone": "+49 (30) 901820", "name": " ANN "}, "possible"),
        ({"phone": "+49 30 901820", "name": "Ann"}, {"phone": "+49 30 901820", "name": "Bob"}, None),
        ({"phone": "+49 30 901820", "name": "Acme  Ltd"}, {"phone": "+4930901820", "company": "acme ltd"}, "possible"),
        (
            {"phone": "+49 30 901820", "name": "Ann Lee"},
            {"phone": "+4930901820", "first_name": "Ann", "last_name": "Lee"},
            "possible",
        ),
        (
            {"phone": "030 901820", "name": "A", "billing_address": GERMANY},
            {"phone": "+4930901820", "name": "A"},
            "possible",
        ),
        (
            {"phone": "030 901820", "name": "A", "shipping_address": GERMANY},
            {"phone": "+4930901820", "name": "A"},
            "possible",
        ),
        ({"phone": "030 901820", "name": "A"}, {"phone": "030 901820", "name": "A"}, None),
        (
            {"phone": "+4930901820 ext. 1", "name": "A"},
            {"phone": "+4930901820 ext. 2", "name": "A"},
            None,
        ),
        ({"phone": "+49", "name": "A"}, {"phone": "+49", "name": "A"}, None),
        ({"phone": "call me", "name": "A"}, {"phone": "call me", "name": "A"}, None),
    ],
)
def test_what_is_evidence_and_what_is_not(fields, others, how):
    """Both ways round, across accounts and within one."""
    one, other = a_customer("a", 1, **fields), a_customer("b", 2, **others)
    assert sure(one, other) == sure(other, one) == how
    assert sure(one, attrs.evolve(other, account_id="a")) == how


names = st.sampled_from(["Ann", "Bob", None])
emails = st.sampled_from(["a@x.org", "A@x.org ", "b@x.org", "n/a", None])
phones = st.sampled_from(["+4930901820", "030 901820", "+442079460000", None])
externals = st.sampled_from(["1", "2", "3", None])


@st.composite
def people(draw):
    """Customers of a few accounts with much in common."""
    drawn = draw(st.lists(st.tuples(st.sampled_from("abc"), names, emails, phones, externals), max_size=14))
    return [
        a_customer(account, n, name=name, email=email, phone=phone, external_id=external, billing_address=GERMANY)
        for n, (account, name, email, phone, external) in enumerate(drawn)
    ]


def slow_clusters(customers):
    """Connected components, pair by pair; the tier that each needs, by leaving weaker ones out."""
    keys = {c.id: set(evidence.keys(c, phonenumbers)) for c in customers}
    accounts = {c.id: c.account_id for c in customers}
    of = defaultdict(lambda: defaultdict(int))
    for id_, held in keys.items():
        for key in held:
            of[key][accounts[id_]] += 1
    common = {key for key, numbers in of.items() if max(numbers.values()) > SHARED_LIMIT}

    def components(most):
        left, out = set(keys), []
        while left:
            group, todo = set(), [left.pop()]
            while todo:
                one = todo.pop()
                group.add(one)
                near = {o for o in left if any(k in keys[o] and k[0] <= most and k not in common for k in keys[one])}
                left -= near
                todo += near
            if len(group) > 1:
                out.append(frozenset(group))
        return out

    weakest = {group: tier for tier in (2, 1, 0) for group in components(tier)}
    return {
        (g, evidence.SURE[weakest[g]], "across" if len({accounts[i] for i in g}) > 1 else "within")
        for g in components(2)
    }


@given(people())
def test_clusters_are_connected_components_as_sure_as_their_weakest_link(customers):
    """Compared with a slow way that looks at every pair."""
    assert clusters(customers) == slow_clusters(customers)


@given(people(), st.randoms())
def test_the_order_of_customers_does_not_matter(customers, random):
    """Neither for the rows nor for the numbers."""
    shuffled = random.sample(customers, len(customers))
    one, other = uc.report(customers), uc.report(shuffled)
    assert list(one.matches) == list(other.matches)
    assert one.matching == other.matching


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=5), st.text(max_size=5)), max_size=10))
def test_a_name_alone_never_matches(drawn):
    """Nor name and company together."""
    customers = [a_customer(account, n, name=name, company=company) for n, (account, name, company) in enumerate(drawn)]
    assert len(uc.report(customers).matches) == 0


def in_both_stores(customers):
    """What either engine finds."""
    rows = [making._person(c.account_id, c) for c in customers]
    keys = [evidence.keys(c, phonenumbers) for c in customers]
    out = []
    for store in (Memory(), OnDisk(duckdb)):
        try:
            for start in range(0, len(rows), 3):
                store.add(rows[start : start + 3], keys[start : start + 3])
            matching, matches = found(store, len(rows))
            out.append((matching, list(matches)))
        finally:
            store.close()
    return out


hostile = st.text(max_size=6) | st.sampled_from(
    ["\x00", "a\x00b@c", "\ud800@x", "'; DROP TABLE people; --", "é@é", None]
)


@st.composite
def strangers(draw):
    """Customers with anything in their fields."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(["a", "b", "é"]), hostile, hostile, hostile), max_size=10))
    return [
        a_customer(account, n, name=name, email=email, external_id=external, phone="+4930901820")
        for n, (account, name, email, external) in enumerate(drawn)
    ]


@given(people() | strangers())
def test_both_engines_find_the_same_in_the_same_order(customers):
    """In memory and on disk, whatever the customers hold."""
    memory, disk = in_both_stores(customers)
    assert memory == disk


def test_a_value_of_too_many_customers_of_one_account_is_no_evidence_and_is_told():
    """An info@ of 500 customers makes no cluster; another account's customer with it isn't matched either."""
    crowd = [a_customer("a", n, email="info@example.com") for n in range(500)]
    summary = uc.report([*crowd, a_customer("b", 1, email="INFO@example.com")])
    assert len(summary.matches) == 0
    shared = summary.matching.shared
    assert [(one.why, one.value, one.customers) for one in shared] == [("email", "info@example.com", 501)]
    assert summary.matching.shared_limit == SHARED_LIMIT
    assert "info@example.com" in summary.to_html()


def test_a_value_at_the_limit_is_evidence():
    """One more isn't."""
    crowd = [a_customer("a", n, email="info@example.com") for n in range(SHARED_LIMIT)]
    assert len(uc.report(crowd).matches) == SHARED_LIMIT
    assert len(uc.report([*crowd, a_customer("a", 99, email="info@example.com")]).matches) == 0


def test_a_cluster_of_too_many_is_doubtful():
    """Whatever holds it together; it doesn't count as an overlap."""
    many = [a_customer(f"account {n}", n, external_id="same") for n in range(LARGE + 1)]
    summary = uc.report(many)
    assert {row.sure for row in summary.matches} == {"doubtful"}
    assert summary.matching.by_sure["doubtful"] == 1
    assert summary.matching.overlaps == ()
    assert {row.sure for row in uc.report(many[1:]).matches} == {"very likely"}


def test_duplicates_within_an_account_are_told_apart_from_matches_across():
    """Each cluster is of one kind, and those across come first."""
    summary = uc.report(
        [
            a_customer("a", 1, email="one@x.org"),
            a_customer("a", 2, email="one@x.org"),
            a_customer("a", 3, external_id="3", email="two@x.org"),
            a_customer("b", 4, external_id="3"),
            a_customer("c", 5, email="two@x.org"),
        ]
    )
    matching = summary.matching
    assert (matching.across, matching.across_customers, matching.within, matching.within_customers) == (1, 3, 1, 2)
    rows = [(row.cluster, row.scope, row.sure, row.id, row.why) for row in summary.matches]
    assert rows == [
        (1, "across", "likely", "a-3", ("external_id", "email")),
        (1, "across", "likely", "b-4", ("external_id",)),
        (1, "across", "likely", "c-5", ("email",)),
        (2, "within", "likely", "a-1", ("email",)),
        (2, "within", "likely", "a-2", ("email",)),
    ]
    pairs = [(one.first, one.second, one.clusters) for one in matching.overlaps]
    assert pairs == [
        ("flexprice/a", "flexprice/b", 1),
        ("flexprice/a", "flexprice/c", 1),
        ("flexprice/b", "flexprice/c", 1),
    ]


def test_very_long_values_match_and_are_cut_where_they_are_shown():
    """Two that differ only behind the cut are two."""
    long = "x" * 10_000
    one, same, other = (a_customer("a", n, external_id=long + end) for n, end in enumerate(["1", "1", "2"]))
    rows = list(uc.report([one, same, other]).matches)
    assert [row.id for row in rows] == ["a-0", "a-1"]
    assert len(rows[0].external_id) == 301


def crowd(number):
    """Customers, each twice: at two accounts."""
    for n in range(number):
        yield a_customer("ab"[n % 2], n, email=f"p{n // 2}@x.org")


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Few customers are many, and the temporary folder is the test's."""
    monkeypatch.setattr(making, "IN_MEMORY", 50)
    monkeypatch.setattr(making, "WITHOUT_DUCKDB", 120)
    monkeypatch.setattr(making, "_BATCH", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_more_customers_go_to_disk_where_nobody_else_may_read_and_nothing_stays(small, monkeypatch):
    """A folder of mode 0700, a file of mode 0600, gone at the end."""
    seen = []
    close = OnDisk.close

    def looked(self):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.folder.glob("*.duckdb")}
        seen.append((stat.S_IMODE(self.folder.stat().st_mode), modes))
        close(self)

    monkeypatch.setattr(OnDisk, "close", looked)
    summary = uc.report(crowd(200))
    assert seen == [(0o700, {"matching.duckdb": 0o600})]
    assert summary.matching.across == 100
    assert list(small.iterdir()) == []


def test_nothing_stays_on_disk_after_an_error(small):
    """Whichever it was."""

    def broken():
        yield from crowd(150)
        raise uc.ServerError("no more", provider="flexprice")

    with pytest.raises(uc.ServerError):
        uc.report(broken())
    with pytest.raises(KeyboardInterrupt):
        uc.report(interrupted())
    assert list(small.iterdir()) == []


def interrupted():
    """Customers, and Ctrl-C."""
    yield from crowd(150)
    raise KeyboardInterrupt


def test_without_duckdb_memory_has_to_do_up_to_a_number(small, monkeypatch):
    """Beyond it the error names the extra."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert uc.report(crowd(100)).matching.across == 50
    with pytest.raises(uc.ConfigurationError, match=r"more than 120 customers .*unified-customers\[report\]"):
        uc.report(crowd(200))
    assert uc.report(crowd(200), matching=False).customers == 200


def test_without_phonenumbers_matching_is_refused_before_anything_is_read(monkeypatch):
    """A result must not depend on what happens to be installed."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    read = []

    def watched():
        read.append(1)
        yield from crowd(2)

    with pytest.raises(uc.ConfigurationError, match="phonenumbers"):
        uc.report(watched())
    assert read == []
    assert uc.report(watched(), matching=False).matching is None


def test_a_full_disk_is_a_configuration_error(small, monkeypatch):
    """Told without what was being written."""

    def full(_self):
        raise duckdb.IOException("could not write p1@x.org")

    monkeypatch.setattr(OnDisk, "_open", full)
    with pytest.raises(uc.ConfigurationError, match="TMPDIR") as raised:
        uc.report(crowd(200))
    assert "x.org" not in str(raised.value)
    assert list(small.iterdir()) == []


def test_matches_are_read_again_and_leave_no_file_behind(small):
    """Two loops at the same time don't disturb each other, and memory and file go with the summary."""
    summary = uc.report(crowd(200))
    one, other = iter(summary.matches), iter(summary.matches)
    pairs = list(zip(one, other, strict=True))
    assert len(pairs) == len(summary.matches) == 200
    assert all(a == b for a, b in pairs)
    del summary, one, other
    gc.collect()
    assert list(small.iterdir()) == []


def evil():
    """Two customers whose fields a spreadsheet would run."""
    return uc.report(
        [a_customer("a", n, email="=cmd()@x.org", name=f"@SUM({n})", company="-1", phone="+4930901820") for n in (1, 2)]
    ).matches


def test_matches_as_csv_have_no_formulas(tmp_path):
    """Each such cell begins with an apostrophe."""
    path = tmp_path / "m.csv"
    evil().write(path)
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert [row["cluster"] for row in rows] == ["1", "1"]
    assert {row["email"] for row in rows} == {"'=cmd()@x.org"}
    assert {row["phone"] for row in rows} == {"'+4930901820"}
    assert {row["company"] for row in rows} == {"'-1"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_matches_as_json_lines_are_whole(tmp_path):
    """A row each, as `to_dict` makes it."""
    path = tmp_path / "m.JSONL"
    matches = evil()
    matches.write(path)
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [row.to_dict() for row in matches]


def test_matches_as_parquet(tmp_path):
    """With typed columns."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "m.parquet"
    matches = evil()
    matches.write(path)
    assert parquet.read_table(path).to_pylist() == [row.to_dict() for row in matches]


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    """And writes nothing."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(uc.ConfigurationError, match=r"unified-customers\[arrow\]"):
        evil().write(tmp_path / "m.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    """Also if the disk is full; its mode stays too."""
    path = tmp_path / "m.csv"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    matches = evil()

    def full(_number):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(uc.ConfigurationError, match="No space left"):
            matches.write(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["m.csv"]
    matches.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["m.xlsx", "m", "no/such/folder/m.csv", "folder.csv"])
def test_a_place_that_cannot_be_is_refused(tmp_path, name):
    """With what to do."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(uc.ConfigurationError, match=r"suffix|folder|not a file"):
        evil().write(Path(tmp_path / name))
