"""What a report counts: against the sandbox's truth, and against a slow count of made-up customers."""

from __future__ import annotations

import json
import pickle
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import attrs
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import customers

import unified_customers as uc
from unified_customers import reporting
from unified_customers.reporting import counting
from unified_customers.sandbox import Sandbox

NOW = datetime(2026, 3, 10, tzinfo=UTC)
QUICK = uc.Retry(attempts=2, first_wait=0.0, jitter=0)
SCHEMA = json.loads((Path(reporting.__file__).parent / "summary.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def box():
    """A sandbox for all tests of this file."""
    with Sandbox(customers=60, seed=3) as box:
        yield box


@pytest.fixture(autouse=True)
def calm(box):
    """No fault is left over from another test."""
    for provider in box.providers:
        provider.clear_faults()


def accounts(box):
    """The three accounts of the sandbox, named after cities."""
    return {
        "doha": uc.FlexPortal(**box.flexportal.settings),
        "berlin": uc.Flexprice(**box.flexprice.settings),
        "london": uc.Flatpeak(**box.flatpeak.settings),
    }


def a_customer(number=0, **fields):
    """A customer with nothing but what is said."""
    return uc.Customer(**{"provider": "flexportal", "id": f"c{number}", **fields})


def earning(amount, number=0, **fields):
    """A customer with revenue."""
    return a_customer(number, metrics=uc.Metrics(monthly_revenue=amount), **fields)


def counts(breakdown):
    """As a mapping."""
    return {one.value: one.customers for one in breakdown}


def test_a_directory_is_counted_as_the_sandbox_has_it(box):
    """Archived customers too, each account by its own name."""
    with uc.Directory(accounts(box)) as directory:
        summary = uc.report(directory, now=NOW)
    rows = {provider.name: provider.rows for provider in box.providers}
    assert summary.complete
    assert {one.name: one.customers for one in summary.accounts} == {
        "doha": len(rows["flexportal"]),
        "berlin": len(rows["flexprice"]),
        "london": len(rows["flatpeak"]),
    }
    assert counts(summary.by_provider) == {name: len(found) for name, found in rows.items()}
    words = {"published": "active", "archived": "archived", "active": "active", "inactive": "inactive"}
    statuses = Counter(words[row["status"]] for name in ("flexportal", "flexprice") for row in rows[name])
    assert counts(summary.by_status) == {**statuses, None: len(rows["flatpeak"])}
    sent = [row["totalMonthlyRevenue"] for row in rows["flexportal"] if "totalMonthlyRevenue" in row]
    assert summary.revenue[0].accounts == ("doha",)
    assert summary.revenue[0].total == sum((Decimal(str(one)) for one in sent), Decimal(0))
    assert summary.revenue[0].customers == len(sent)


def test_a_client_is_read_whole_and_a_listing_as_it_was_asked_for(box):
    """All customers of the one, those of the query of the other."""
    with uc.Client(accounts(box)["berlin"]) as client:
        assert uc.report(client).customers == len(box.flexprice.rows)
        assert uc.report(client.customers(max_items=7)).customers == 7
        assert uc.report(client.customers(max_items=7).pages()).customers == 7
        summary = uc.report(client.customers(status="archived"))
    assert counts(summary.by_status) == {"archived": summary.customers}
    assert summary.accounts[0].name == "flexprice"


def test_what_the_walk_says_of_itself_is_in_the_report(box):
    """Requests, repeats, scan, duplicates."""
    box.flexprice.fault("503", times=1)
    with uc.Client(accounts(box)["berlin"], retry=QUICK) as client:
        listing = client.customers(status="any")
        reading = uc.report(listing).accounts[0].reading
    assert reading.retries == listing.report.retries == 1
    assert reading.requests == listing.report.requests
    assert reading.scan == listing.report.scan
    assert reading.duplicates == listing.report.duplicates


def test_an_account_that_fails_leaves_an_incomplete_report_that_says_so(box):
    """In `complete`, at the account, in the notes and on the page."""
    broken = {**accounts(box), "london": uc.Flatpeak(account_id="a", api_key="no", base_url=box.flatpeak.base_url)}
    with uc.Directory(broken) as directory:
        summary = uc.report(directory)
    failed = {one.name: one.error.kind for one in summary.accounts if one.error}
    assert failed == {"london": "AuthenticationError"}
    assert not summary.complete
    assert "incomplete" in summary.notes[0]
    assert "london" in summary.notes[0]
    assert "This report is incomplete" in summary.to_html()
    assert json.dumps(summary.to_dict()).count('"complete": false') == 2


def test_bad_records_are_counted_and_make_a_report_incomplete(box):
    """They are in no other number."""
    ids = box.flatpeak.insert(1, personal_details="none")
    try:
        with uc.Client(accounts(box)["london"]) as client:
            summary = uc.report(client)
    finally:
        box.flatpeak.delete(ids[0])
    assert summary.quality.bad_records == 1
    assert summary.customers == len(box.flatpeak.rows)
    assert not summary.complete
    assert "1 record could not be read" in summary.notes[0]


def test_an_error_of_the_only_account_is_raised(box):
    """A client's listing doesn't collect errors, so there is no report."""
    with (
        uc.Client(uc.Flatpeak(account_id="a", api_key="no", base_url=box.flatpeak.base_url)) as client,
        pytest.raises(uc.AuthenticationError),
    ):
        uc.report(client)


@given(st.lists(customers(), max_size=30))
def test_every_count_is_that_of_a_slow_count(found):
    """Whatever the customers hold."""
    summary = uc.report(found, now=NOW, matching=False)
    code = [
        (c.billing_address and c.billing_address.country_code)
        or (c.shipping_address and c.shipping_address.country_code)
        or None
        for c in found
    ]
    assert summary.customers == len(found) == sum(one.customers for one in summary.accounts)
    assert counts(summary.by_provider) == Counter(c.provider for c in found)
    assert counts(summary.by_kind) == Counter(c.kind and str(c.kind) for c in found)
    assert counts(summary.by_status) == Counter(c.status and str(c.status) for c in found)
    assert sum(counts(summary.by_country).values()) == len(found)
    assert counts(summary.by_country).get(None, 0) == code.count(None)
    months = Counter(f"{c.created_at:%m}|{c.created_at.year}" for c in found if c.created_at)
    assert {f"{one.month[5:]}|{int(one.month[:4])}": one.customers for one in summary.months} == months
    quality = summary.quality
    assert quality.without_email == sum(not (c.email or "").strip() for c in found)
    assert quality.without_phone == sum(not (c.phone or "").strip() for c in found)
    assert quality.undated == sum(c.created_at is None for c in found)
    assert quality.future == sum(c.created_at is not None and c.created_at > NOW for c in found)
    validate(summary)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.decimals(allow_nan=False, allow_infinity=False))))
def test_money_is_added_up_exactly_by_account(amounts):
    """To the last digit, and what is no amount of money is left out and counted."""
    found = [earning(amount, n, account_id=account) for n, (account, amount) in enumerate(amounts)]
    summary = uc.report(found, matching=False)
    sums, left_out = defaultdict(Fraction), Counter()
    for account, amount in amounts:
        if amount.adjusted() > 60 or amount.as_tuple().exponent < -60:
            left_out[account] += 1
        else:
            sums[account] += Fraction(amount)
    for one in summary.revenue:
        account = one.accounts[0].partition("/")[2]
        assert Fraction(one.total) == sums[account]
        assert one.unreadable == left_out[account]
        assert one.currency is None
    assert len(summary.revenue) == len({account for account, _ in amounts})
    assert summary.shared_revenue == ()
    summary.to_html()


def test_accounts_are_added_up_only_where_they_are_said_to_share_a_currency():
    """Two of one currency, one of another, one of which nobody said anything."""
    found = [earning(Decimal(f"{n}.10"), n, account_id=account) for n, account in enumerate("abcd", 1)]
    currency = {"flexportal/a": "EUR", "flexportal/b": "eur", "flexportal/c": "QAR"}
    summary = uc.report(found, currency=currency, matching=False)
    assert [(one.accounts, one.currency, one.total) for one in summary.shared_revenue] == [
        (("flexportal/a", "flexportal/b"), "EUR", Decimal("3.20"))
    ]
    assert [one.currency for one in summary.revenue] == ["EUR", "EUR", "QAR", None]
    assert any("no currency" in note for note in summary.notes)


def test_the_ten_with_the_most_are_the_same_in_any_order():
    """Equals by their ids; nobody who brings nothing."""
    found = [earning(Decimal(n // 3), n, name=f"N{n}") for n in range(40)]
    one, other = uc.report(found, matching=False), uc.report(found[::-1], matching=False)
    assert one.revenue == other.revenue
    want = sorted(found, key=lambda c: (-c.metrics.monthly_revenue, c.id))[:10]
    assert [top.id for top in one.revenue[0].top] == [c.id for c in want]
    assert uc.report([earning(Decimal(0)), earning(Decimal(-5), 1)]).revenue[0].top == ()


def test_negative_revenue_and_thirty_digits_are_in_the_sum():
    """And told apart."""
    big = Decimal("123456789012345678901234567890.12")
    revenue = uc.report([earning(big), earning(Decimal("-0.13"), 1), earning(Decimal("1E+999"), 2)]).revenue[0]
    assert revenue.total == Decimal("123456789012345678901234567889.99")
    assert (revenue.customers, revenue.paying, revenue.negative, revenue.unreadable) == (2, 1, 1, 1)


def test_a_country_that_was_sent_and_could_not_be_read_is_told_with_its_spelling():
    """And counts as none; a shipping address helps out."""
    strange = uc.Address(country="Atlantis")
    found = [
        a_customer(1, billing_address=strange),
        a_customer(2, billing_address=strange, shipping_address=uc.Address(country="Qatar", country_code="QA")),
        a_customer(3, billing_address=uc.Address(name="Only a contact")),
        a_customer(4),
    ]
    summary = uc.report(found)
    assert counts(summary.by_country) == {"QA": 1, None: 3}
    assert (summary.quality.unread_country, summary.quality.without_country) == (1, 3)
    assert [(one.country, one.customers) for one in summary.quality.spellings] == [("Atlantis", 1)]
    assert summary.quality.without_address == 2


def test_values_that_a_provider_makes_up_as_it_goes_are_not_all_kept():
    """So many by themselves, the others together, and a note."""
    found = (a_customer(n, status=f"status {n}") for n in range(counting.MOST + 50))
    summary = uc.report(found, matching=False)
    assert len(summary.by_status.counts) == counting.MOST
    assert summary.by_status.other == 50
    assert any("too many different statuses" in note for note in summary.notes)


def test_dates_at_the_ends_of_the_calendar_are_counted_and_not_drawn():
    """The year 1 and the year 9999 don't make a picture of ten thousand years."""
    days = [
        datetime(1, 1, 1),  # noqa: DTZ001 - a caller's own customer may have no zone
        datetime(1, 1, 2, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        NOW - timedelta(days=40),
    ]
    summary = uc.report([a_customer(n, created_at=day) for n, day in enumerate(days)], now=NOW)
    assert [one.month for one in summary.months] == ["0001-01", "2026-01", "9999-12"]
    assert len(summary.recent()) == 36
    assert summary.recent()[-1].month == "2026-03"
    assert summary.quality.future == 1
    summary.to_html()


def test_recent_months_have_no_gaps():
    """And begin with the first customer."""
    days = [datetime(2025, 11, 30, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]
    summary = uc.report([a_customer(n, created_at=day) for n, day in enumerate(days)], now=NOW)
    assert [(one.month, one.customers) for one in summary.recent()] == [
        ("2025-11", 1),
        ("2025-12", 0),
        ("2026-01", 0),
        ("2026-02", 1),
        ("2026-03", 0),
    ]


def test_a_report_of_nobody_is_one_too():
    """With every number nought, and a page."""
    summary = uc.report([])
    assert (summary.customers, summary.accounts, len(summary.matches)) == (0, (), 0)
    validate(summary)
    assert "0 customers" in summary.to_html()


@pytest.mark.parametrize("given", [3, "text", {"a": 1}, [1], [None], b"x"])
def test_what_is_no_source_is_refused(given):
    """And says what is one."""
    with pytest.raises(uc.InvalidRequestError, match="a report is made of"):
        uc.report(given)


def test_an_async_client_is_refused_in_words():
    """It can't be read here."""
    client = uc.AsyncClient(uc.Flexprice(api_key="k", base_url="http://127.0.0.1:9"))
    for source in (client, client.customers()):
        with pytest.raises(uc.InvalidRequestError, match="async"):
            uc.report(source)


def test_a_currency_of_no_account_is_refused_before_anything_is_read(box):
    """Where the accounts are known; else a note says so."""
    before = len(box.flexprice.requests)
    with uc.Directory(accounts(box)) as directory, pytest.raises(uc.InvalidRequestError, match="'paris'"):
        uc.report(directory, currency={"paris": "EUR"})
    assert len(box.flexprice.requests) == before
    assert any("paris" in note for note in uc.report([earning(Decimal(1))], currency={"paris": "EUR"}).notes)
    with pytest.raises(uc.InvalidRequestError, match="currency="):
        uc.report([], currency={"doha": ""})


def strict(schema):
    """The schema without room for keys that it doesn't know."""
    if isinstance(schema, dict):
        more = {"additionalProperties": False} if "properties" in schema else {}
        return {**{name: strict(inner) for name, inner in schema.items()}, **more}
    return [strict(one) for one in schema] if isinstance(schema, list) else schema


STRICT = jsonschema.Draft202012Validator(strict(SCHEMA))


def validate(summary):
    """As JSON, by the published schema, which has every key."""
    STRICT.validate(json.loads(json.dumps(summary.to_dict(), allow_nan=False)))


def test_the_json_form_is_that_of_its_schema(box):
    """With matches, revenue, errors and bad records in it."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    broken = {**accounts(box), "london": uc.Flatpeak(account_id="a", api_key="no", base_url=box.flatpeak.base_url)}
    with uc.Directory(broken) as directory:
        summary = uc.report(directory, currency={"doha": "QAR"})
    validate(summary)
    validate(uc.report([a_customer()], matching=False))
    assert summary.to_dict()["version"] == 1


def test_a_summary_is_frozen_shows_nobody_and_pickles(box):
    """Its matches too."""
    found = [a_customer(n, email="ann@example.com", account_id=str(n), name="Ann Secret") for n in range(3)]
    summary = uc.report(found)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        summary.customers = 4
    assert "ann" not in (repr(summary) + repr(summary.matches) + repr(list(summary.matches))).casefold()
    copy = pickle.loads(pickle.dumps(summary))
    assert copy == summary
    assert list(copy.matches) == list(summary.matches)
