"""CSV and JSON lines: what is written comes back, whatever stands in a field."""

from __future__ import annotations

import csv
import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given

import unified_customers as uc
from unified_customers.tables.columns import flattened
from unified_customers.tables.flat import Csv, columns, line

sys.path.insert(0, str(Path(__file__).parents[1]))
import strategies


def read(text):
    [head, *rows] = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip(head, row, strict=True)) for row in rows]


@given(strategies.customers())
def test_every_text_comes_back_from_csv(customer):
    """Quotes, commas, any newline: undefused, a cell is the text."""
    writer = Csv("berlin", raw=True, defuse=False)
    [row] = read(writer.begin() + writer.page([customer]))
    assert tuple(row) == columns(raw=True)
    for name, column, member in flattened(raw=True):
        if (member or column).kind != "text" or name == "account":
            continue
        value = getattr(customer, column.name)
        if member is not None:
            value = None if value is None else getattr(value, member.name)
        assert row[name] == (value or "")


@given(strategies.customers())
def test_no_cell_of_text_is_a_formula(customer):
    """Whatever a customer calls himself; figures keep their sign, as no text can stand there."""
    writer = Csv()
    [row] = read(writer.begin() + writer.page([customer]))
    texts = [name for name, column, member in flattened(raw=False) if (member or column).kind == "text"]
    assert not [row[name] for name in texts if row[name].startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_figures_are_plain_numbers():
    """Without an exponent, and with their sign."""
    metrics = uc.Metrics(margin=Decimal("-12.50"), orders=3, monthly_revenue=Decimal("1E+3"))
    writer = Csv()
    [row] = read(writer.begin() + writer.page([uc.Customer(provider="p", id="1", metrics=metrics)]))
    assert (row["metrics_margin"], row["metrics_orders"], row["metrics_monthly_revenue"]) == ("-12.50", "3", "1000")


@given(strategies.customers())
def test_a_line_of_json_is_the_whole_customer(customer):
    """`from_dict` builds it again; the account stands beside it, and it is one line for every reader."""
    text = line(customer, "berlin")
    assert len(text.splitlines()) == 1
    content = json.loads(text)
    assert content["account"] == "berlin"
    assert uc.from_dict(content) == customer


@pytest.mark.parametrize("half", ["\ud800", "a\udfff"])
def test_half_a_character_can_be_written(half):
    """JSON escapes it."""
    customer = uc.Customer(provider="p", id="1", name=half)
    assert uc.from_dict(json.loads(line(customer, None).encode())) == customer
