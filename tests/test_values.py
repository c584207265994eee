"""Times, amounts, texts and countries in every spelling that a provider may use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from unified_customers._countries import code_of
from unified_customers._values import address, full_name, joined, moment, stamp, text, whole
from unified_customers.models import Address

NOON = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
EPOCH = 1_705_314_600
# Hypothesis takes its bounds without a zone
_VERY_FIRST, _FIRST, _LAST = datetime.min, datetime.min.replace(year=2), datetime.min.replace(year=9998)  # noqa: DTZ901

MOMENTS = [
    ("2024-01-15T10:30:00Z", NOON),
    ("2024-01-15T10:30:00z", NOON),
    ("2024-01-15 10:30:00Z", NOON),
    (" 2024-01-15T10:30:00Z ", NOON),
    ("2024-01-15T10:30:00", NOON),
    ("2024-01-15T16:00:00+05:30", NOON),
    ("2024-01-15T16:00:00.5+05:30", NOON + timedelta(microseconds=500_000)),
    ("2024-01-15T02:30:00-08:00", NOON),
    ("2024-01-15", datetime(2024, 1, 15, tzinfo=UTC)),
    *[
        (f"2024-01-15T10:30:00.{'1' * n}Z", NOON + timedelta(microseconds=int("111111"[:n].ljust(6, "0"))))
        for n in range(1, 10)
    ],
    ("2024-01-15T10:30:00.999999999Z", NOON + timedelta(microseconds=999_999)),
    ("2022-01-24T14:15:22.003", datetime(2022, 1, 24, 14, 15, 22, 3000, UTC)),
    (EPOCH, NOON),
    (EPOCH * 1000, NOON),
    (EPOCH * 1000 + 123, NOON + timedelta(milliseconds=123)),
    (Decimal("1705314600.25"), NOON + timedelta(milliseconds=250)),
    (str(EPOCH), NOON),
    (str(EPOCH * 1000), NOON),
    (0, datetime(1970, 1, 1, tzinfo=UTC)),
    (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ({"_seconds": EPOCH, "_nanoseconds": 123_456_789}, NOON + timedelta(microseconds=123_456)),
    ({"seconds": EPOCH, "nanoseconds": 0}, NOON),
    ({"_seconds": EPOCH}, NOON),
    ({"_seconds": EPOCH, "_nanoseconds": None}, NOON),
]


@pytest.mark.parametrize(("value", "want"), MOMENTS, ids=str)
def test_a_time_in_every_spelling(value, want):
    """Aware, in UTC, cut to microseconds."""
    found = moment(value)
    assert found == want
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "",
        " ",
        "yesterday",
        "2024",
        "20240115",
        "2024-13-45T00:00:00Z",
        "2024-01-15T25:00:00Z",
        True,
        False,
        [],
        [2024],
        {"_seconds": "1"},
        {"_seconds": None},
        {"_seconds": True},
        {"nanoseconds": 1},
        10**30,
        -(10**30),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1e400"),
        "9" * 400,
        {"_seconds": 10**20},
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
    ids=repr,
)
def test_what_is_no_time_is_none(value):
    """Never a guess, never an error; it stays in `raw`."""
    assert moment(value) is None


@given(json_values)
def test_no_value_makes_moment_fail(value):
    """Any JSON at all gives a time in UTC or none."""
    found = moment(value)
    assert found is None or found.tzinfo is UTC


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d[T ]?[\d:.]*[Zz+-]?[\d:]*", fullmatch=True))
def test_no_text_makes_moment_fail(value):
    """Nor does text that looks like a time."""
    found = moment(value)
    assert found is None or found.tzinfo is UTC


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
        min_value=_FIRST,
        max_value=_LAST,
    )
)
def test_a_stamp_is_read_back(value):
    """What we write to a provider is the same moment when read."""
    written = stamp(value)
    assert moment(written) == value
    assert len(written) == 27


@given(st.datetimes(timezones=st.just(UTC), min_value=_VERY_FIRST), st.datetimes(timezones=st.just(UTC)))
def test_stamps_sort_as_their_moments(one, other):
    """Text order is time order, also in the first thousand years."""
    assert (stamp(one) < stamp(other)) == (one < other)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (None, None),
        (Decimal(3), 3),
        (Decimal("3.0"), 3),
        (Decimal("3.5"), Decimal("3.5")),
        (Decimal(-2), -2),
        (Decimal("1e3"), 1000),
    ],
)
def test_a_count_is_whole_where_it_is(value, want):
    """3.0 devices are 3; half a device stays what it is."""
    assert whole(value) == want
    assert type(whole(value)) is type(want)


def test_an_absurd_count_stays_small_in_memory():
    """1e999999 isn't written out to a million digits."""
    assert whole(Decimal("1e999999")) == Decimal("1e999999")


def test_texts():
    """Empty means unset."""
    assert text("") is None
    assert text(None) is None
    assert text("a") == "a"
    assert full_name("Ada", "Lovelace") == "Ada Lovelace"
    assert full_name("Ada", "") == full_name(None, "Ada") == "Ada"
    assert full_name(None, "") is None
    assert joined("a", "b") == "a, b"
    assert joined("", "b") == joined("b", None) == "b"
    assert joined(None, "") is None


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({}, None),
        ({"city": "", "country": None}, None),
        ({"city": "Amsterdam"}, Address(city="Amsterdam")),
        ({"country": "Netherlands"}, Address(country="Netherlands", country_code="NL")),
        ({"country": "NL", "line2": ""}, Address(country="NL", country_code="NL")),
        ({"country": "Atlantis"}, Address(country="Atlantis")),
    ],
)
def test_an_address_of_nothing_is_none(fields, want):
    """Only what is set, and a code only where it is certain."""
    assert address(**fields) == want


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("NL", "NL"),
        ("nl", "NL"),
        ("NLD", "NL"),
        (" Netherlands ", "NL"),
        ("netherlands", "NL"),
        ("The Netherlands", "NL"),
        ("United States", "US"),
        ("USA", "US"),
        ("US", "US"),
        ("GB", "GB"),
        ("United Kingdom", "GB"),
        ("Germany", "DE"),
        ("Côte d'Ivoire", "CI"),
        ("IN", "IN"),
        ("Qatar", "QA"),
        ("", None),
        (None, None),
        ("XX", None),
        ("Atlantis", None),
        ("N", None),
    ],
)
def test_a_country_by_code_or_name(country, code):
    """Alpha-2, alpha-3 and English names, in any case; else nothing."""
    assert code_of(country) == code


@given(st.text(max_size=30))
def test_a_country_code_has_two_letters_or_isnt(country):
    """Whatever the text."""
    found = code_of(country)
    assert found is None or (len(found) == 2 and found.isupper())
