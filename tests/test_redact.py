"""Secrets, sent values and e-mail addresses are masked in what the library says."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import plain_json

from unified_customers._redact import MASK, masked, masked_deeply

words = st.text(st.characters(categories=["L", "N"], exclude_characters="*"), min_size=3, max_size=12)


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, max_size=4))
def test_no_value_is_left_in_the_text(values, others):
    """Wherever it stands, also where one value holds another."""
    text = " ".join([*others, *values, *values[::-1]])
    found = masked(text, values)
    assert not any(value in found for value in values)


@given(words, words)
def test_other_words_stay(text, value):
    """Only what must go goes."""
    assume(value not in text)
    assert masked(text, [value]) == text or not text.isprintable()


@pytest.mark.parametrize(
    ("text", "values", "want"),
    [
        ("no ada@planted.example here", [], f"no {MASK} here"),
        ("'o.brien+x@a.co'", [], f"'{MASK}'"),
        ("(ada@planted.example)", [], f"({MASK})"),
        ("to=ada@planted.example;", [], f"to={MASK};"),
        ("ключ@пример.рф не найден", [], f"{MASK} не найден"),
        ("a cat is a cat", ["a"], f"{MASK} cat is {MASK} cat"),
        ("status NL not known in Finland", ["NL"], f"status {MASK} not known in Finland"),
        ("key sk_1 and sk_123", ["sk_1", "sk_123"], f"key {MASK} and {MASK}"),
        ("nothing", ["", "x y"], "nothing"),
        ("two\nlines\x00\x1b[31m", [], "two lines  [31m"),
    ],
)
def test_what_is_masked(text, values, want):
    """E-mails always; short values as words only; control characters never get through."""
    assert masked(text, values) == want


def test_a_text_is_cut_to_a_readable_length():
    """A page of HTML does not become a message."""
    assert len(masked("x" * 100_000, [])) < 600


def test_a_value_is_masked_before_the_cut():
    """Half a secret at the end of the cut is still a secret."""
    for n in range(480, 510):
        assert "sk_sec" not in masked("x" * n + "sk_secret_planted", ["sk_secret_planted"])


def test_an_email_across_the_first_cut_is_masked():
    """Long texts are cut before e-mails are looked for: no half of one may be left."""
    for n in range(480, 510):
        assert "ada@" not in masked("x " * (n // 2) + "ada@planted.example", [])


@given(plain_json)
def test_any_details_are_masked_deeply(value):
    """Keys and values, at any depth; the shape of small ones stays."""
    secret = "sk_planted"
    for wrapped in ({secret: value, "a": [secret, value]}, [[secret], value]):
        assert secret not in repr(masked_deeply(wrapped, [secret]))


def test_the_depth_is_bounded():
    """What lies deeper is left out, not shown unmasked."""
    deep = "sk_planted"
    for _ in range(50):
        deep = [deep]
    assert "sk_planted" not in repr(masked_deeply(deep, ["sk_planted"]))


@pytest.mark.parametrize("value", [None, True, 3, 2.5])
def test_plain_numbers_stay(value):
    """A limit or a flag explains an error."""
    assert masked_deeply({"limit": value}, ["x"]) == {"limit": value}
