"""What `list`, `get`, `count`, `check` and `providers` write."""

from __future__ import annotations

import csv
import io
import json

import pytest
from cli_running import on_terminal, one_line, run
from click.testing import CliRunner

import unified_customers as uc
from unified_customers import registry
from unified_customers.cli import app, tables
from unified_customers.cli.formats import Csv, JsonArray, JsonLines
from unified_customers.cli.options import value_of
from unified_customers.sandbox import Sandbox
from unified_customers.tables.flat import columns, defused

COLUMNS = columns()

PROVIDERS = ("flexportal", "flexprice", "flatpeak")


@pytest.mark.parametrize("name", PROVIDERS)
def test_json_is_one_array_of_every_customer(box, name):
    """Each as the library makes it, without the provider's own object."""
    found = json.loads(run("list", name, "-o", "json", "--page-size", "7", box=box).stdout)
    assert_all([one["id"] for one in found], getattr(box, name))
    assert all("raw" not in one for one in found)
    uc.from_dict(found[0])


def assert_all(ids, provider):
    """Every customer, each once; in the provider's order, but Flexprice is read the other way round."""
    if provider.name == "flexprice":
        assert sorted(ids) == sorted(provider.ids)
    else:
        assert ids == provider.ids


def test_an_empty_account_is_an_empty_array(box):
    """And an empty text as JSON lines, a header as CSV."""
    box.flexprice.clear()
    assert json.loads(run("list", "flexprice", "-o", "json", box=box).stdout) == []
    assert run("list", "flexprice", "-o", "jsonl", box=box).stdout == b""
    assert run("list", "flexprice", "-o", "csv", box=box).stdout.decode() == ",".join(COLUMNS) + "\n"


def test_raw_brings_the_providers_own_object(box):
    """With --raw only."""
    found = [json.loads(line) for line in run("list", "flatpeak", "-o", "jsonl", "--raw", box=box).stdout.splitlines()]
    assert [one["raw"]["id"] for one in found] == box.flatpeak.ids


def test_json_lines_are_lines_for_every_reader():
    """Also for those that end a line at U+2028 or NEL; and what steers a terminal is escaped."""
    customer = uc.Customer(provider="p", id="1", name="a\u2028b\x85c\x9b31m\u202ed\ud800", metadata={"x": "e\nf"})
    for writer in (JsonLines(), JsonLines(ascii=True)):
        text = writer.page([customer])
        assert len(text.splitlines()) == 1
        assert text.encode()
        assert json.loads(text)["name"] == customer.name


def test_the_array_can_be_written_by_the_page():
    """Whatever the pages' sizes are."""
    customers = [uc.Customer(provider="p", id=str(n)) for n in range(5)]
    writer = JsonArray()
    text = writer.begin() + writer.page([]) + writer.page(customers[:2]) + writer.page(customers[2:]) + writer.end()
    assert [one["id"] for one in json.loads(text)] == ["0", "1", "2", "3", "4"]


def test_csv_has_the_columns_of_the_contract_and_every_customer(box):
    """In the provider's order."""
    text = run("list", "flexportal", "-o", "csv", box=box).stdout.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == box.flexportal.ids


@pytest.mark.parametrize("cell", ["=1+1", "+49 30 1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell):
    """With an apostrophe; phone numbers too."""
    assert defused(cell) == f"'{cell}"
    text = Csv().page([uc.Customer(provider="p", id=cell, phone=cell)])
    [row] = csv.reader(io.StringIO(text, newline=""))
    assert row[COLUMNS.index("id")] == row[COLUMNS.index("phone")] == f"'{cell}"


@pytest.mark.parametrize("cell", ["a=b", " x", "李", "1", "a\rb", 'a"b', "a\nb", "a,b"])
def test_any_other_cell_comes_back_as_it_was(cell):
    """Quotes, commas and any kind of newline included."""
    text = Csv().page([uc.Customer(provider="p", id="1", name=cell)])
    [row] = csv.reader(io.StringIO(text, newline=""))
    assert row[COLUMNS.index("name")] == cell


def test_help_tells_of_the_apostrophe():
    """It changes data, so it is documented."""
    assert "apostrophe" in run("list", "--help").stdout.decode()


def test_output_is_utf_8_whatever_the_locale_says(box):
    """Names come in many scripts."""
    more = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for output in ("jsonl", "csv", "table"):
        done = run("list", "flexportal", "-o", output, box=box, **more)
        assert done.returncode == 0
        assert "\ufffd" not in done.stdout.decode("utf-8")
        assert not done.stdout.isascii()


def test_a_table_in_a_pipe_is_tab_separated(box):
    """One line per customer, eight cells each, whatever is in a name."""
    box.flexprice.insert(name="a\tb\nc\x1b[31m")
    lines = run("list", "flexprice", box=box).stdout.decode().splitlines()
    assert lines[0].split("\t") == list(tables.HEADERS)
    assert {len(line.split("\t")) for line in lines} == {8}
    assert_all([line.split("\t")[1] for line in lines[1:]], box.flexprice)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_table_on_a_terminal_has_stable_columns(box, columns):
    """One header; ids are whole; nothing in a name steers the terminal."""
    box.flexprice.update(box.flexprice.ids[3], name="x\x1b]0;title\x07\u202ey")
    code, shown = on_terminal(
        "list", "flexprice", "--page-size", "9", box=box, columns=columns, NO_COLOR="1", LC_ALL="C.UTF-8"
    )
    assert code == 0
    lines = shown.decode().split("\r\n")[:-1]
    assert sum(line.split()[:1] in (["ID"], ["PROVIDER"]) for line in lines) == 1
    assert len(lines) == 61
    assert b"\x1b]0" not in shown
    assert "\u202e" not in shown.decode()
    if columns >= 80:
        places = {line.index("cust_") for line in lines[1:]}
        assert len(places) == 1
        assert all(one in shown.decode() for one in box.flexprice.ids)
        assert max(map(_cells, lines)) <= columns


def _cells(line):
    from rich.cells import cell_len

    return cell_len(line)


def test_a_terminal_without_unicode_gets_what_it_can_show(box):
    """JSON stays JSON there, with escapes."""
    more = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, shown = on_terminal("list", "flexportal", "-o", "jsonl", box=box, **more)
    assert code == 0
    assert shown.isascii()
    names = [json.loads(line)["name"] for line in shown.decode().splitlines()]
    assert any(not name.isascii() for name in names)
    assert on_terminal("list", "flexportal", box=box, **more)[0] == 0


def test_filters_reach_the_provider(box):
    """As they were given; several values of one option together."""
    one, other = box.flexprice.ids[:2]
    found = run("list", "flexprice", "--id", one, "--id", other, "-o", "jsonl", box=box).stdout
    assert {json.loads(line)["id"] for line in found.splitlines()} == {one, other}
    kinds = run("list", "flexportal", "--kind", "business", "-o", "jsonl", box=box).stdout.splitlines()
    assert 0 < len(kinds) < 60
    assert {json.loads(line)["kind"] for line in kinds} == {"business"}
    assert run("count", "flexprice", "--id", one, box=box).stdout == b"1\n"


def test_a_filter_that_the_provider_lacks_can_be_applied_here(box):
    """With --unsupported local."""
    wanted = box.flatpeak.rows[0]["id"]
    words = ["list", "flatpeak", "--id", wanted, "--unsupported", "local", "-o", "jsonl"]
    [line] = run(*words, box=box).stdout.splitlines()
    assert json.loads(line)["id"] == wanted


def test_sort_and_order_reach_the_provider(box):
    """And so do the provider's own parameters."""
    words = ["list", "flexprice", "--sort", "name", "--order", "desc", "-o", "jsonl"]
    names = [json.loads(line)["name"] for line in run(*words, box=box).stdout.splitlines()]
    assert len(names) == 60
    assert names != sorted(names, key=str)
    assert run("list", "flexprice", "--param", "expand=wallets", box=box).returncode in {0, 1}
    assert "expand=wallets" in " ".join(target for _, target, _ in box.flexprice.requests)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("true", True),
        ('{"a": [1]}', {"a": [1]}),
        ("[]", []),
        ("null", "null"),
        ("007", "007"),
        ('"x"', '"x"'),
        ("NaN", "NaN"),
        ("a=b", "a=b"),
        ("", ""),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_parameters_value_is_json_where_that_is_meant(text, value):
    """An object, an array, a number, true or false; else the text that it is."""
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_max_items_tells_where_to_go_on(box):
    """On stderr; and the rest is the rest."""
    done = run("list", "flexprice", "--max-items", "7", "-o", "jsonl", box=box)
    checkpoint = one_line(done.stderr).rpartition(" ")[2]
    rest = run("list", "flexprice", "-o", "jsonl", "--after", checkpoint, box=box)
    lines = done.stdout.splitlines() + rest.stdout.splitlines()
    assert len(done.stdout.splitlines()) == 7
    assert_all([json.loads(line)["id"] for line in lines], box.flexprice)


def test_before_walks_backwards_where_the_provider_can(box):
    """Flatpeak, from a customer's id."""
    ids = box.flatpeak.ids
    found = run("list", "flatpeak", "--before", ids[5], "-o", "jsonl", box=box).stdout
    assert {json.loads(line)["id"] for line in found.splitlines()} == set(ids[:5])


def test_a_bad_record_can_be_left_out_and_is_counted(box):
    """With --on-bad-record skip; the default stops."""
    box.flexprice.fault("bad-record")
    assert run("list", "flexprice", box=box).returncode == 1
    box.flexprice.clear_faults()
    box.flexprice.fault("bad-record")
    done = run("list", "flexprice", "--on-bad-record", "skip", "-o", "jsonl", box=box)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 59
    assert one_line(done.stderr) == "warning: 1 records could not be read and were left out"


def test_get_writes_one_customer_with_raw(box):
    """By the provider's id or, where it stores one, by yours."""
    wanted = box.flexprice.ids[2]
    one = json.loads(run("get", "flexprice", wanted, box=box).stdout)
    assert one["id"] == one["raw"]["id"] == wanted
    same = json.loads(run("get", "flexprice", "--external-id", one["external_id"], box=box).stdout)
    assert same["id"] == wanted
    lines = run("get", "flexprice", wanted, "-o", "table", box=box).stdout.decode().splitlines()
    assert f"id\t{wanted}" in lines


@pytest.mark.parametrize("name", PROVIDERS)
def test_check_tells_what_it_found(box, name):
    """As a table or as JSON."""
    found = json.loads(run("check", name, "-o", "json", box=box).stdout)
    assert (found["provider"], found["reachable"], found["items"]) == (name, True, 60)
    assert "reachable\tyes" in run("check", name, box=box).stdout.decode()


def test_providers_tells_what_each_can_do():
    """Without an account; a line per provider in a pipe, columns on a terminal."""
    found = {one["name"]: one for one in json.loads(run("providers", "-o", "json").stdout)}
    assert set(found) == set(PROVIDERS)
    assert found["flatpeak"]["backwards"] is True
    lines = run("providers").stdout.decode().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["PROVIDER", *PROVIDERS]
    assert b"FLEXPORTAL" in on_terminal("providers")[1]


def test_a_broken_plugin_is_named_on_stderr(monkeypatch):
    """And takes no other provider down."""
    monkeypatch.setattr(registry, "broken", lambda: {"acme": "the plugin 'acme' can't be loaded"})
    done = CliRunner().invoke(app.cli, ["providers", "-o", "json"])
    assert done.exit_code == 0
    assert "acme" in done.stderr
    assert len(json.loads(done.stdout)) == 3


def test_strange_values_break_no_format():
    """Every customer of an odd and strange sandbox can be written in every format, as valid UTF-8."""
    with Sandbox(customers=300, strange=True) as box:
        for provider in box.providers:
            with uc.Client(registry.settings(provider.name, provider.settings, {})) as client:
                customers = list(client.customers(on_bad_record="skip"))
            for writer in (JsonArray(raw=True), JsonLines(raw=True), Csv(), tables.Separated(), tables.Drawn(80)):
                text = writer.begin() + writer.page(customers) + writer.end()
                assert len(text.encode().splitlines()) >= len(customers)
            assert [json.loads(line)["id"] for line in JsonLines().page(customers).splitlines()] == [
                customer.id for customer in customers
            ]
