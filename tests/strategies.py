"""Hypothesis strategies: populations, modes of walking, JSON, bytes.

A `Mode` is one way to walk one kind of server; tests draw one and ask it for a server, an account and the truth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC
from itertools import accumulate
from typing import Any

import attrs
from fakes import (
    PATIENT,
    Account,
    FakeFlatpeak,
    FakeFlexPortal,
    FakeFlexprice,
    Person,
    Server,
    flatpeak,
    flexportal,
    people,
)
from fakes import flexprice as flexprice_account
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers.models import ReadOnlyDict

DOCUMENTS = {"search": False, "commas": True, "next_offset": False, "ties": "id"}


@attrs.frozen
class Mode:
    """One way to walk one kind of server.

    Attributes:
        order: `down` or `up` in time with ids deciding ties, `times` where ties may come in any order, or `any`.
        both: whether customers of every status are meant.
    """

    name: str
    server: Callable[..., Server]
    options: dict[str, Any]
    adapter: Callable[[], Any]
    keywords: dict[str, Any] = attrs.field(factory=dict)
    order: str = "down"
    both: bool = False

    def serve(self, rows: Iterable[Person], *, seed: int = 0, cap: int | None = None) -> Server:
        return self.server(rows, seed=seed, cap=cap, **self.options)

    def account(self, server: Server, **options: Any) -> Account:
        return Account(self.adapter(), server, **{"retry": PATIENT, **options})

    def start(self, server: Server) -> dict[str, Any]:
        """Keywords that start the walk; one that goes backwards starts at the oldest customer."""
        if self.keywords.get("before"):
            return {**self.keywords, "before": min(server.people.values(), key=lambda p: (p.at, p.id)).id}
        return self.keywords

    def expected(self, server: Server) -> list[str]:
        """Ids that the walk must hand out, in order where there is one."""
        down = self.order == "down"
        rows = sorted(server.people.values(), key=lambda p: (p.at, p.id), reverse=down)
        if self.keywords.get("before"):
            rows = rows[1:]
        return [p.id for p in rows if self.both or p.status == "published"]

    def check(self, server: Server, got: list[str]) -> None:
        """Every customer once, in order."""
        want = self.expected(server)
        if self.order in {"up", "down"}:
            assert got == want
        else:
            assert sorted(got) == sorted(want)
        if self.order == "times":
            times = [server.people[id_].at for id_ in got]
            assert times in (sorted(times), sorted(times, reverse=True))

    def __str__(self) -> str:
        return self.name


def _portal(name: str, keywords: dict[str, Any] | None = None, order: str = "down", both: bool = False, **options):
    return Mode(name, FakeFlexPortal, options, flexportal, keywords or {}, order, both)


def _price(name: str, keywords: dict[str, Any] | None = None, *, scan="auto", order="times", both=False, **options):
    return Mode(name, FakeFlexprice, options, lambda: flexprice_account(scan=scan), keywords or {}, order, both)


MODES = [
    _portal("flexportal id", both=True),
    _portal("flexportal opaque", cursor="opaque", both=True),
    _portal("flexportal place", cursor="place", both=True),
    _portal("flexportal ascending", {"order": "asc"}, order="up", both=True),
    _portal("flexportal active", {"status": "active"}),
    _portal("flexportal any", {"status": "any"}, order="any", both=True),
    _portal("flexportal any hidden", {"status": "any"}, order="any", both=True, hides=True),
    _portal("flexportal milliseconds", created="ms", both=True),
    _portal("flexportal firestore", created="firestore", both=True),
    _portal("flexportal timeless", created="null", both=True),
    _portal("flexportal by e-mail", {"sort": "email"}, order="any", both=True),
    _price("flexprice auto"),
    _price("flexprice auto descending", {"order": "desc"}),
    _price("flexprice keyset", scan="keyset", order="up"),
    _price("flexprice keyset descending", {"order": "desc"}, scan="keyset", order="down"),
    _price("flexprice offset", scan="offset"),
    _price("flexprice offset descending", {"order": "desc"}, scan="offset"),
    _price("flexprice any", {"status": "any"}, order="any", both=True),
    _price("flexprice any descending", {"status": "any", "order": "desc"}, order="any", both=True),
    _price("flexprice any keyset", {"status": "any"}, scan="keyset", order="any", both=True),
    _price("flexprice any offset", {"status": "any"}, scan="offset", order="any", both=True),
    _price("flexprice in any order", {"concurrency": 3, "ordered": False}, order="any"),
    _price("flexprice in any order keyset", {"concurrency": 2, "ordered": False}, scan="keyset", order="any"),
    _price("flexprice by id", {"sort": "id"}, order="any"),
    _price("flexprice by name", {"sort": "name", "order": "desc"}, order="any"),
    _price("flexprice documents", **DOCUMENTS),
    _price("flexprice documents, ties moving", **{**DOCUMENTS, "ties": "random"}),
    _price("flexprice documents descending", {"order": "desc"}, **DOCUMENTS),
    _price("flexprice documents any", {"status": "any"}, order="any", both=True, **DOCUMENTS),
    _price("flexprice timeless", order="any", timed=False, **DOCUMENTS),
    _price("flexprice search without bounds", ignores=("after", "before")),
    _price("flexprice search without not_in", ignores=("not_in",)),
    Mode("flatpeak", FakeFlatpeak, {}, flatpeak, both=True),
    Mode("flatpeak backwards", FakeFlatpeak, {}, flatpeak, {"before": "oldest"}, order="up", both=True),
]
# What a list by offset can prove about more customers of one moment than fit a page, if their order changes, is
# nothing: such a walk ends in a DriftError, so populations for these modes hold smaller groups.
HUMBLE = {mode.name for mode in MODES if mode.server is FakeFlexprice and "keyset" not in mode.name}

_steps = st.sampled_from([0, 0, 1, 1, 7, 1_000, 1_000_000, 3_600_000_000])


def times(largest: int = 40, *, ties: int | None = None) -> st.SearchStrategy[list[int]]:
    """When customers were created: many at one moment, others a microsecond or an hour apart."""

    def limited(steps: list[int]) -> list[int]:
        out, run = [], 0
        for step in steps:
            run = run + 1 if step == 0 else 1
            many = ties is not None and run > ties
            run = 1 if many else run
            out.append(1 if many else step)
        return list(accumulate(out))

    return st.lists(_steps, max_size=largest).map(limited)


@st.composite
def populations(draw, largest: int = 40, *, ties: int | None = None, least: int = 0) -> list[Person]:
    """Customers with times as above; about one in four archived."""
    moments = draw(times(largest, ties=ties).filter(lambda found: len(found) >= least))
    statuses = draw(st.lists(st.sampled_from(["published", "published", "published", "archived"]), min_size=1))
    return people(moments, statuses)


def modes(*, but: Iterable[str] = ()) -> st.SearchStrategy[Mode]:
    """Any mode but these."""
    left = frozenset(but)
    return st.sampled_from([mode for mode in MODES if mode.name not in left])


halves = st.sampled_from(["\ud800", "a\udfff", "\udc00\ud800"])
"""Texts with half a character, which JSON can escape and UTF-8 can't write."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | halves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON, with the numbers that strict JSON doesn't have."""

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies of every kind: bytes, texts, JSON of any shape."""
    return (
        st.binary(max_size=64)
        | st.text(max_size=40).map(lambda t: t.encode("utf-8", "replace"))
        | json_values.map(lambda value: json.dumps(value).encode("utf-8", "replace"))
    )


# Values

optional_text = st.none() | st.text(max_size=12)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
decimals = st.decimals(allow_nan=False, allow_infinity=False)


def addresses() -> st.SearchStrategy[uc.Address]:
    """Addresses with any fields."""
    names = [field.name for field in attrs.fields(uc.Address)]
    return st.builds(uc.Address, **dict.fromkeys(names, optional_text))


def metrics() -> st.SearchStrategy[uc.Metrics]:
    """Figures, exact to the digit."""
    counts = {"orders", "devices_rented", "subscriptions_tracked", "devices_ever", "devices_active"}
    fields = {
        field.name: st.none() | decimals | st.integers() if field.name in counts else st.none() | decimals
        for field in attrs.fields(uc.Metrics)
    }
    return st.builds(uc.Metrics, **fields)


raw_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | decimals | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.text(max_size=8), raw_json, max_size=4).map(ReadOnlyDict)


def customers() -> st.SearchStrategy[uc.Customer]:
    """Any customer that an adapter could make."""
    return st.builds(
        uc.Customer,
        provider=st.sampled_from(["flexportal", "flexprice", "flatpeak"]),
        id=st.text(min_size=1, max_size=12),
        **dict.fromkeys(("external_id", "name", "first_name", "last_name", "company", "email", "phone"), optional_text),
        kind=st.none() | st.sampled_from(uc.Kind) | st.just("family"),
        status=st.none() | st.sampled_from(uc.Status) | st.just("frozen"),
        raw_status=optional_text,
        billing_address=st.none() | addresses(),
        shipping_address=st.none() | addresses(),
        parent_id=optional_text,
        created_at=moments,
        updated_at=moments,
        metadata=mappings,
        metrics=st.none() | metrics(),
        account_id=optional_text,
        live=st.none() | st.booleans(),
        raw=mappings,
    )
