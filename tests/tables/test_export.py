"""Exports over real sockets: every format whole, what is refused, what stays, and what a second one says."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")

import pyarrow.ipc  # noqa: E402
import pyarrow.parquet  # noqa: E402

ALL = ("all.csv", "all.jsonl", "all.parquet", "all.arrow", "all.duckdb", "parts/", "all.parquet/")


@pytest.fixture
def box():
    with Sandbox(customers=40) as made:
        yield made


@pytest.fixture
def client(box):
    with uc.Client(uc.Flexprice(**box.flexprice.settings), retry=uc.Retry(attempts=1)) as made:
        yield made


def place(folder, name):
    """As a text, because a path drops the / at the end."""
    return str(folder / name.rstrip("/")) + ("/" if name.endswith("/") else "")


def rows(path):
    """The rows of an export, as others read them."""
    path = Path(path)
    if path.is_dir():
        return pyarrow.parquet.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".arrow":
        return pyarrow.ipc.open_file(str(path)).read_all().to_pylist()
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    with duckdb.connect(str(path), read_only=True) as base:
        found = base.execute("SELECT * FROM customers")
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def ids(path):
    return sorted(row["id"] for row in rows(path))


# Every format


@pytest.mark.parametrize("name", ALL)
def test_every_format_holds_every_customer(client, box, tmp_path, name):
    """Once, and the result says how many; nothing else is left in the folder."""
    result = uc.export(client, place(tmp_path, name), page_size=9)
    assert (result.rows, result.complete, result.resumed) == (40, True, False)
    assert result.report.items == 40
    assert ids(result.path) == sorted(box.flexprice.ids)
    assert [one.name for one in tmp_path.iterdir()] == [result.path.name]


@pytest.mark.parametrize("name", ALL)
def test_no_customers_are_a_whole_file_too(client, box, tmp_path, name):
    """With its columns."""
    box.flexprice.clear()
    result = uc.export(client, place(tmp_path, name))
    assert result.rows == 0
    assert rows(result.path) == []


@pytest.mark.parametrize("name", ALL)
def test_a_directory_is_exported_with_its_accounts(box, tmp_path, name):
    """By name, read at the same time."""
    accounts = {"doha": uc.FlexPortal(**box.flexportal.settings), "pune": uc.Flexprice(**box.flexprice.settings)}
    with uc.Directory(accounts) as directory:
        result = uc.export(directory, place(tmp_path, name), page_size=9)
    assert result.rows == 80
    found = [(row["account"], row["id"]) for row in rows(result.path)]
    assert sorted(found) == sorted([("doha", i) for i in box.flexportal.ids] + [("pune", i) for i in box.flexprice.ids])


@pytest.mark.parametrize("name", ["all.parquet", "all.arrow", "all.duckdb"])
def test_values_are_those_of_the_customers(box, tmp_path, name):
    """Figures to the digit, moments in UTC."""
    with uc.Client(uc.FlexPortal(**box.flexportal.settings)) as client:
        uc.export(client, tmp_path / name, raw=True)
        customers = {one.id: one for one in client.customers()}
    for row in rows(tmp_path / name):
        one = customers[row["id"]]
        figures = None if one.metrics is None else one.metrics.monthly_revenue
        assert (row["metrics"] or {}).get("monthly_revenue") == figures
        assert (row["created_at"] and row["created_at"].astimezone(UTC)) == one.created_at
        assert json.loads(row["raw"], parse_float=Decimal) == one.raw


def test_parquet_says_where_it_comes_from(client, tmp_path):
    """Version, accounts, the keywords of the query without their values, time, complete; compressed by zstd."""
    uc.export(client, tmp_path / "a.parquet", email="nobody@mail.example", account="berlin")
    found = pyarrow.parquet.ParquetFile(tmp_path / "a.parquet").metadata
    about = json.loads(found.metadata[b"unified_customers.export"])
    assert (about["accounts"], about["query"], about["complete"]) == (["berlin"], ["email"], True)
    assert about["version"] == uc.__version__
    assert datetime.fromisoformat(about["began"]) <= datetime.fromisoformat(about["ended"])
    assert b"nobody" not in (tmp_path / "a.parquet").read_bytes()
    assert found.metadata[b"unified_customers.schema"] == b"1"
    uc.export(client, tmp_path / "b.parquet")
    group = pyarrow.parquet.ParquetFile(tmp_path / "b.parquet").metadata.row_group(0)
    assert group.column(0).compression == "ZSTD"


def test_formulas_are_defused_unless_asked_not_to(client, box, tmp_path):
    """Phone numbers too; other formats have the text as it is."""
    box.flexprice.insert(name="=HYPERLINK(1)", contact="+49 30 1")
    found = next(row for row in rows(uc.export(client, tmp_path / "a.csv").path) if "HYPERLINK" in row["name"])
    assert (found["name"], found["phone"]) == ("'=HYPERLINK(1)", "'+49 30 1")
    uc.export(client, tmp_path / "b.csv", defuse=False)
    assert any(row["name"] == "=HYPERLINK(1)" for row in rows(tmp_path / "b.csv"))
    uc.export(client, tmp_path / "c.jsonl")
    assert any(row["name"] == "=HYPERLINK(1)" for row in rows(tmp_path / "c.jsonl"))


def test_json_lines_are_customers_again(client, tmp_path):
    """All of `to_dict`, the provider's own object too."""
    uc.export(client, tmp_path / "a.jsonl")
    assert [uc.from_dict(row) for row in rows(tmp_path / "a.jsonl")] == list(client.customers())


# Figures


@pytest.mark.parametrize("name", ALL)
def test_what_floats_leave_over_is_rounded_and_counted(box, tmp_path, monkeypatch, name):
    """In decimal columns; text keeps every digit, and `raw` does too. Counted over an export that went on as well."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    first, *_, last = box.flexportal.ids
    for one in (first, last):
        box.flexportal.update(one, customerMargin=5.551115123125783e-17)
    exact = name in {"all.csv", "all.jsonl"}
    with uc.Client(uc.FlexPortal(**box.flexportal.settings), retry=uc.Retry(attempts=1)) as client:
        box.flexportal.fault("503", times=1, on="list", after=3)
        with pytest.raises(uc.ServerError):
            uc.export(client, place(tmp_path, name), page_size=5, raw=True)
        resume = name not in {"all.parquet", "all.arrow"}
        result = uc.export(client, place(tmp_path, name), page_size=5, raw=True, resume=resume)
    assert (result.rows, result.rounded, result.complete) == (40, 0 if exact else 2, True)
    row = next(row for row in rows(result.path) if row["id"] == first)
    margin = row["metrics_margin"] if name == "all.csv" else row["metrics"]["margin"]
    assert Decimal(margin) == Decimal("5.551115123125783e-17" if exact else "5.6e-17")
    assert "5.551115123125783e-17" in str(row["raw"]).replace("E", "e")


@pytest.mark.parametrize("name", ["all.parquet", "all.arrow", "all.duckdb", "parts/"])
@pytest.mark.parametrize("several", [False, True])
def test_a_figure_too_large_for_its_column_is_a_bad_record(box, tmp_path, name, several):
    """Raised with id and path, or left out and counted."""
    bad = box.flexportal.ids[2]
    box.flexportal.update(bad, customerMargin=1e22)
    settings = uc.FlexPortal(**box.flexportal.settings)
    with uc.Directory({"doha": settings}) if several else uc.Client(settings) as source:
        with pytest.raises(uc.BadRecordError, match=r"metrics\.margin .*too large") as caught:
            uc.export(source, place(tmp_path, name), page_size=5)
        assert (caught.value.record_id, caught.value.path) == (bad, "$.metrics.margin")
        result = uc.export(source, place(tmp_path, name), page_size=5, on_bad_record="skip")
    assert (result.rows, result.report.bad, result.complete) == (39, 1, False)
    assert ids(result.path) == sorted(set(box.flexportal.ids) - {bad})


@pytest.mark.parametrize("name", ["all.duckdb", "parts/"])
def test_an_export_that_a_figure_stopped_goes_on_with_skip(box, tmp_path, monkeypatch, name):
    """What was read with it and not written yet is read again: only that one is missing."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 10)
    bad = box.flexportal.ids[27]
    box.flexportal.update(bad, customerMargin=-1e22)
    with uc.Client(uc.FlexPortal(**box.flexportal.settings)) as client:
        with pytest.raises(uc.BadRecordError):
            uc.export(client, place(tmp_path, name), page_size=5)
        result = uc.export(client, place(tmp_path, name), page_size=5, resume=True, on_bad_record="skip")
    assert (result.rows, result.resumed, result.complete) == (39, True, False)
    assert ids(result.path) == sorted(set(box.flexportal.ids) - {bad})


# Failing and going on


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.duckdb", "parts/"])
def test_after_an_error_an_export_goes_on_where_it_was(client, box, tmp_path, monkeypatch, name):
    """What was read is not read again; the error says so."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    box.flexprice.fault("503", times=1, on="list", after=3)
    with pytest.raises(uc.ServerError) as caught:
        uc.export(client, place(tmp_path, name), page_size=5)
    assert caught.value.__notes__ == ["resume=True goes on with what was written"]
    assert not (tmp_path / name.rstrip("/")).exists()
    sent = len(box.flexprice.requests)
    result = uc.export(client, place(tmp_path, name), page_size=5, resume=True)
    assert (result.rows, result.resumed) == (40, True)
    assert len(box.flexprice.requests) - sent < 8
    assert ids(result.path) == sorted(box.flexprice.ids)


@pytest.mark.parametrize("name", ALL)
def test_after_an_error_the_old_file_is_as_it_was(client, box, tmp_path, name):
    """Whatever was being written."""
    uc.export(client, place(tmp_path, name))
    old = ids(place(tmp_path, name))
    box.flexprice.insert(name="new")
    box.flexprice.fault("503", times=1, on="list", after=2)
    with pytest.raises(uc.ServerError):
        uc.export(client, place(tmp_path, name), page_size=5)
    assert ids(place(tmp_path, name)) == old


@pytest.mark.parametrize("name", ["all.parquet", "all.arrow"])
def test_a_single_file_that_nothing_can_be_added_to_is_not_resumed(client, tmp_path, name):
    """It says what can be; and a failed one leaves nothing."""
    with pytest.raises(uc.UnsupportedError, match=f"folder of part files \\({name}/\\)"):
        uc.export(client, tmp_path / name, resume=True)
    assert list(tmp_path.iterdir()) == []


def broken_off(client, box, to, **query):
    box.flexprice.fault("503", times=1, on="list", after=3)
    with pytest.raises(uc.ServerError):
        uc.export(client, to, page_size=5, **query)


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.duckdb", "parts/"])
def test_what_belongs_to_another_export_is_not_gone_on_with(client, box, tmp_path, monkeypatch, name):
    """Another query, account or column: it says what differs, and the right one still goes on."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    to = place(tmp_path, name)
    broken_off(client, box, to)
    with pytest.raises(uc.CheckpointError, match=r"another export.*without status: .*or name another file") as caught:
        uc.export(client, to, resume=True, status="active")
    assert "after=" not in caught.value.message
    with (
        uc.Directory([uc.Flexprice(**box.flexprice.settings)]) as several,
        pytest.raises(uc.CheckpointError, match="it is of one account, and several are read"),
    ):
        uc.export(several, to, resume=True)
    with (
        uc.Client(uc.Flatpeak(**box.flatpeak.settings)) as other,
        pytest.raises(uc.CheckpointError, match=r"belongs to another export.*flexprice"),
    ):
        uc.export(other, to, resume=True)
    with pytest.raises(uc.CheckpointError, match="another raw"):
        uc.export(client, to, resume=True, raw=True)
    assert uc.export(client, to, resume=True).rows == 40
    assert ids(to) == sorted(box.flexprice.ids)


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"version": 9}', b""])
def test_a_damaged_state_is_told(client, box, tmp_path, monkeypatch, damage):
    """Starting again is what helps."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    broken_off(client, box, tmp_path / "a.csv")
    (tmp_path / "a.csv.unfinished.json").write_bytes(damage)
    with pytest.raises(uc.CheckpointError, match="start again without resume="):
        uc.export(client, tmp_path / "a.csv", resume=True)
    assert uc.export(client, tmp_path / "a.csv").rows == 40
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_a_state_holds_neither_key_nor_customer(client, box, tmp_path, monkeypatch):
    """It lies about, so it may hold nothing that is anybody's."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    broken_off(client, box, tmp_path / "a.csv", email=None)
    text = (tmp_path / "a.csv.unfinished.json").read_text()
    assert box.flexprice.settings["api_key"] not in text
    assert "@" not in text


# What can't be written


def test_a_place_where_no_file_can_be_is_refused(client, tmp_path):
    """Before anything is read."""
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    (tmp_path / "file").write_text("x")
    for to, says in (
        ("folder.csv", "is a folder"),
        ("no/such/a.csv", "make it first"),
        ("mine/", r"other files too, such as diary\.txt"),
        ("file/", "is a file"),
    ):
        with pytest.raises(uc.ExportError, match=says):
            uc.export(client, place(tmp_path, to))
    assert (tmp_path / "mine" / "diary.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"to": "a.xlsx"}, r"not known by 'a\.xlsx'"),
        ({"to": "a"}, "not known"),
        ({"to": "a.csv", "format": "xml"}, "not known"),
        ({"to": "a/", "format": "csv"}, "leave the / out"),
        ({"to": ""}, "to= is the path"),
        ({"to": "a.csv", "after": "uc1.x"}, "after= is not for an export"),
        ({"to": "a.csv", "max_items": 3}, "whole or not there"),
    ],
)
def test_what_can_not_be_meant_is_refused(client, tmp_path, monkeypatch, keywords, says):
    """By name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(uc.InvalidRequestError, match=says):
        uc.export(client, **keywords)
    assert list(tmp_path.iterdir()) == []


def test_a_listing_is_no_source(client, tmp_path):
    """A listing can't be built again from a checkpoint; it says what is wanted."""
    with pytest.raises(uc.InvalidRequestError, match="takes a Client or a Directory"):
        uc.export(client.customers(), tmp_path / "a.csv")


def test_a_file_of_something_else_is_left_alone(client, tmp_path):
    """No database, and a database with a table customers of somebody's own."""
    (tmp_path / "text.duckdb").write_text("hello" * 1000)
    with pytest.raises(uc.ExportError, match="no DuckDB database"):
        uc.export(client, tmp_path / "text.duckdb")
    assert (tmp_path / "text.duckdb").read_text() == "hello" * 1000
    with duckdb.connect(str(tmp_path / "mine.duckdb")) as base:
        base.execute("CREATE TABLE customers AS SELECT 1 AS mine")
    with pytest.raises(uc.ExportError, match="no export made"):
        uc.export(client, tmp_path / "mine.duckdb")
    with duckdb.connect(str(tmp_path / "mine.duckdb"), read_only=True) as base:
        assert base.execute("SELECT * FROM customers").fetchall() == [(1,)]


def test_a_database_that_another_process_has_open_is_told(client, tmp_path):
    """And is not waited for."""
    uc.export(client, tmp_path / "a.duckdb")
    code = "import duckdb, sys; b = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(uc.ExportError, match="another process has it open"):
            uc.export(client, tmp_path / "a.duckdb")
    finally:
        other.communicate()
    assert uc.export(client, tmp_path / "a.duckdb").new == 0


def test_two_exports_do_not_write_the_same_file(client, box, tmp_path):
    """The second is told; the first comes to its end."""
    from unified_customers.tables.files import Lock

    lock = Lock(tmp_path / "a.csv")
    lock.take()
    with pytest.raises(uc.ExportError, match="being written by another export"):
        uc.export(client, tmp_path / "a.csv")
    lock.free()
    assert uc.export(client, tmp_path / "a.csv").rows == 40
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


LIMITED = """
import resource, signal, sys
import unified_customers as uc
to, limit, settings = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with uc.Client(uc.Flexprice(**settings)) as client:
    try:
        uc.export(client, to, page_size=5)
    except uc.ExportError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.parquet", "all.arrow", "all.duckdb", "parts/"])
def test_a_full_disk_is_told_in_a_line_and_the_old_file_stays(client, box, tmp_path, name):
    """Here it is the limit of a file's size that is met, which comes by the same way."""
    to = place(tmp_path, name)
    uc.export(client, to)
    old = ids(to)
    box.flexprice.insert(300, name="x" * 200)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, to, "3000", repr(dict(box.flexprice.settings))],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1, done.stdout
    assert Path(to).name in done.stdout
    assert "make room first" in done.stdout
    assert ids(to) == old


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_told(client, tmp_path):
    """In the folder that the file is to be in."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(uc.ExportError, match="Permission denied"):
        uc.export(client, tmp_path / "a.csv")
    tmp_path.chmod(stat.S_IRWXU)


def test_no_permission_for_root_either(client, tmp_path, monkeypatch):
    """As the operating system says it, wherever it says it."""

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    for name in ("a.csv", "a.parquet"):
        with pytest.raises(uc.ExportError, match=f"{name} can't be written: Permission denied"):
            uc.export(client, tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
@pytest.mark.parametrize("name", ALL)
def test_a_private_file_stays_private(client, box, tmp_path, monkeypatch, name):
    """While it is written as well; a new one has the mode that the umask says."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    umask = os.umask(0o027)
    try:
        path = uc.export(client, place(tmp_path, name)).path
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else 0o640)
        path.chmod(0o700 if path.is_dir() else 0o600)
        seen = []
        real = uc.Client.customers

        def watched(self, **query):
            seen.extend(stat.S_IMODE(one.stat().st_mode) for one in tmp_path.glob("*.unfinished"))
            return real(self, **query)

        monkeypatch.setattr(uc.Client, "customers", watched)
        uc.export(client, place(tmp_path, name), page_size=5)
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        assert set(seen) == (set() if path.suffix == ".duckdb" else {0o700 if path.is_dir() else 0o600})
    finally:
        os.umask(umask)


@pytest.mark.skipif(os.name != "posix", reason="there are no links")
@pytest.mark.parametrize("name", ALL)
def test_a_link_stays_and_what_it_points_to_is_replaced(client, box, tmp_path, name):
    """Written beside the target, as a rename stays in its folder; the second time too."""
    (tmp_path / "there").mkdir()
    link, target = tmp_path / name.rstrip("/"), tmp_path / "there" / name.rstrip("/")
    if name.endswith("/"):
        target.mkdir()
    link.symlink_to(target)
    for _ in range(2):
        result = uc.export(client, place(tmp_path, name))
        assert (result.path, link.is_symlink()) == (link, True)
        assert ids(target) == sorted(box.flexprice.ids)
    assert [one.name for one in target.parent.iterdir()] == [target.name]


# DuckDB, a second time


def test_a_second_export_says_what_is_new_changed_and_gone(client, box, tmp_path):
    """A row is never deleted; one who comes back is there again."""
    first = uc.export(client, tmp_path / "a.duckdb")
    assert (first.new, first.changed, first.gone) == (40, 0, 0)
    assert (again := uc.export(client, tmp_path / "a.duckdb")).new == again.changed == again.gone == 0
    changed, gone, *_ = box.flexprice.ids
    box.flexprice.update(changed, name="another")
    box.flexprice.delete(gone)
    box.flexprice.insert(2, name="new")
    second = uc.export(client, tmp_path / "a.duckdb")
    assert (second.rows, second.new, second.changed, second.gone) == (41, 2, 1, 1)
    by_id = {row["id"]: row for row in rows(tmp_path / "a.duckdb")}
    assert len(by_id) == 42
    assert by_id[gone]["gone_at"] is not None
    assert by_id[changed]["name"] == "another"
    assert by_id[changed]["changed_at"] > by_id[changed]["first_seen_at"]
    assert uc.export(client, tmp_path / "a.duckdb").gone == 0


def test_gone_is_not_said_where_it_is_not_known(client, box, tmp_path):
    """An export since another, a record left out, an account that failed."""
    first = uc.export(client, tmp_path / "a.duckdb")
    box.flexprice.delete(box.flexprice.ids[0])
    box.flexprice.insert(name="new")
    since = uc.export(client, tmp_path / "a.duckdb", since=first.checkpoint)
    assert (since.rows, since.new, since.gone, since.complete) == (1, 1, None, False)
    box.flexprice.update(box.flexprice.ids[3], name=17)
    bad = uc.export(client, tmp_path / "a.duckdb", on_bad_record="skip")
    assert (bad.gone, bad.complete, bad.report.bad) == (None, False, 1)


def test_an_account_that_failed_loses_nobody(box, tmp_path):
    """What is gone is said of the others."""
    accounts = {"doha": uc.FlexPortal(**box.flexportal.settings), "pune": uc.Flexprice(**box.flexprice.settings)}
    with uc.Directory(accounts, retry=uc.Retry(attempts=1)) as directory:
        uc.export(directory, tmp_path / "a.duckdb")
        box.flexprice.delete(box.flexprice.ids[0])
        box.flexportal.fault("503", times=9, on="list")
        result = uc.export(directory, tmp_path / "a.duckdb", on_account_error="collect")
    assert (result.gone, result.complete, list(result.errors)) == (1, False, ["doha"])
    gone = [row["account"] for row in rows(tmp_path / "a.duckdb") if row["gone_at"] is not None]
    assert gone == ["pune"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.duckdb", "parts/"])
def test_an_account_that_failed_is_not_forgotten_where_the_end_was_struck(box, tmp_path, monkeypatch, name):
    """Who resumes has only to put the file in its place, asks nobody, and still does not call it complete."""
    accounts = {"doha": uc.FlexPortal(**box.flexportal.settings), "pune": uc.Flexprice(**box.flexprice.settings)}

    def struck(*_):
        raise KeyboardInterrupt

    with uc.Directory(accounts, retry=uc.Retry(attempts=1)) as directory:
        box.flexportal.fault("503", times=9, on="list")
        with monkeypatch.context() as patched:
            for room in ("lines", "database", "parts"):
                patched.setattr(f"unified_customers.tables.{room}.put", struck)
            with pytest.raises(KeyboardInterrupt):
                uc.export(directory, place(tmp_path, name), on_account_error="collect")
        result = uc.export(directory, place(tmp_path, name), on_account_error="collect", resume=True)
    assert (result.rows, result.resumed, result.complete) == (40, True, False)
    assert {row["account"] for row in rows(tmp_path / name)} == {"pune"}


def test_a_database_of_another_query_or_account_is_refused(client, box, tmp_path):
    """It says what differs; the table is as it was."""
    uc.export(client, tmp_path / "a.duckdb")
    with pytest.raises(uc.CheckpointError, match=r"a\.duckdb belongs to another export.*without status"):
        uc.export(client, tmp_path / "a.duckdb", status="archived")
    with pytest.raises(uc.CheckpointError, match="without raw"):
        uc.export(client, tmp_path / "a.duckdb", raw=True)
    assert len(rows(tmp_path / "a.duckdb")) == 40


def test_every_export_into_a_database_is_logged(client, tmp_path):
    """With its checkpoint, so that the next can begin there."""
    result = uc.export(client, tmp_path / "a.duckdb")
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as base:
        logged = base.execute("SELECT checkpoint, rows, complete FROM unified_customers_exports").fetchall()
    assert logged == [(result.checkpoint, 40, True)]


# Since


def test_since_brings_what_was_created_since(client, box, tmp_path):
    """By the checkpoint of the export before, or by a time; a file since holds nothing else."""
    first = uc.export(client, tmp_path / "a.csv")
    old = set(box.flexprice.ids)
    box.flexprice.insert(3, name="new")
    new = sorted(set(box.flexprice.ids) - old)
    assert ids(uc.export(client, tmp_path / "b.csv", since=first.checkpoint).path) == new
    moment = min(client.customer(one).created_at for one in new)
    assert ids(uc.export(client, tmp_path / "c.csv", since=moment).path) == new
    assert ids(uc.export(client, tmp_path / "d.csv", since=moment.isoformat()).path) == new
    assert uc.export(client, tmp_path / "e.csv", since="2100-01-01").rows == 0


def test_since_takes_the_checkpoint_of_several_accounts_too(box, tmp_path):
    """Each account goes on where it was."""
    with Sandbox(customers=9, seed=5) as other:
        accounts = {"pune": uc.Flexprice(**box.flexprice.settings), "kochi": uc.Flexprice(**other.flexprice.settings)}
        with uc.Directory(accounts) as directory:
            first = uc.export(directory, tmp_path / "a.csv")
            old = {*box.flexprice.ids, *other.flexprice.ids}
            box.flexprice.insert(2)
            other.flexprice.insert()
            result = uc.export(directory, tmp_path / "b.csv", since=first.checkpoint)
            assert ids(result.path) == sorted({*box.flexprice.ids, *other.flexprice.ids} - old)
            assert uc.export(directory, tmp_path / "c.csv", since=result.checkpoint).rows == 0
            with pytest.raises(uc.CheckpointError, match="version 9"):
                uc.export(directory, tmp_path / "d.csv", since="ucd9.x.y")


def test_since_is_refused_where_a_provider_can_not_tell(client, box, tmp_path):
    """Before any request: by a date and by a checkpoint, alone and among others."""
    with uc.Client(uc.Flatpeak(**box.flatpeak.settings)) as other:
        checkpoint = other.customers().checkpoint
        before = len(box.flatpeak.requests)
        for since in ("2026-01-01", checkpoint):
            with pytest.raises(uc.UnsupportedError, match=r"since= needs .* that of flatpeak does not"):
                uc.export(other, tmp_path / "a.csv", since=since)
        assert len(box.flatpeak.requests) == before
    accounts = {"pune": uc.Flexprice(**box.flexprice.settings), "graz": uc.Flatpeak(**box.flatpeak.settings)}
    with uc.Directory(accounts) as directory, pytest.raises(uc.UnsupportedError, match="that of graz does not"):
        uc.export(directory, tmp_path / "a.csv", since="2026-01-01")
    with pytest.raises(uc.UnsupportedError, match="leave sort= and order= out"):
        uc.export(client, tmp_path / "a.csv", since="2026-01-01", order="desc")
    for since in ("yesterday", "", 7):
        with pytest.raises(uc.InvalidRequestError, match=r"since= takes a checkpoint, a date or a time, such as"):
            uc.export(client, tmp_path / "a.csv", since=since)


def test_an_export_since_a_date_goes_on_as_well(client, box, tmp_path, monkeypatch):
    """With the same date; with another it is another export."""
    monkeypatch.setattr("unified_customers.tables.exporting._TOGETHER", 5)
    broken_off(client, box, tmp_path / "a.csv", since="2000-01-01")
    with pytest.raises(uc.CheckpointError, match="another since"):
        uc.export(client, tmp_path / "a.csv", resume=True)
    assert uc.export(client, tmp_path / "a.csv", resume=True, since="2000-01-01").rows == 40
