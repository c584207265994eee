"""Exports killed by SIGKILL at any step: the next process goes on, nobody is lost or doubled, what stood there stays.

The sandbox runs in the test's own process, exports in others, over real sockets. A place to be killed at is before and
after each write to the disk, each rename and each statement of SQL; some of them are tried for each format, and most of
the last ones, where files change places.
"""

from __future__ import annotations

import csv
import gc
import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
if not hasattr(os, "fork"):
    pytest.skip("processes are forked here", allow_module_level=True)

import duckdb
import pyarrow.ipc
import pyarrow.parquet

SECONDS = 60
CUSTOMERS = 60
TARGETS = ("all.csv", "all.jsonl", "all.duckdb", "parts/", "ipc.arrow/")


# What the processes run: these functions are sent there as text


def opened(job):
    """The client, or the directory if there are several accounts."""
    kinds = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
    accounts = [kinds[name](**settings) for name, settings in job["accounts"].items()]
    return uc.Client(accounts[0]) if len(accounts) == 1 else uc.Directory(accounts)


def counted(kill):
    """Count the steps of the tables, each before and after it is done, and die at one of them."""
    from unified_customers.tables import columnar, database, files, lines, parts, state

    seen = [0]

    def step():
        seen[0] += 1
        if seen[0] == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepping(real):
        def stepped(*args, **kwargs):
            step()
            done = real(*args, **kwargs)
            step()
            return done

        return stepped

    for module in (columnar, database, files, lines, parts, state):
        for name in ("sync", "sync_folder", "put", "remove", "write_json"):
            if hasattr(module, name):
                setattr(module, name, stepping(getattr(module, name)))
    for cls, name in ((columnar.Sheet, "add"), (columnar.Sheet, "close"), (database.DatabaseTarget, "_sql")):
        setattr(cls, name, stepping(getattr(cls, name)))
    return seen


def small():
    """Few customers at a time, so that few customers are many steps."""
    from unified_customers.tables import columnar, database, exporting, parts

    exporting._TOGETHER, exporting._BY_ACCOUNT = 8, 4
    columnar.FILE, database.FILE, parts.PART = 10, 16, 16


def work(job):
    """Export, or be killed."""
    small()
    with opened(job) as source:
        seen = counted(job["kill"])
        result = uc.export(source, job["to"], format=job["format"], resume=job["resume"], page_size=7)
    Path(job["says"]).write_text(json.dumps([seen[0], result.rows, result.resumed, result.complete]))


def nursery():
    """A process for each job of stdin, forked from this one, which has loaded all; says how it ended."""

    from unified_customers.tables import batches

    batches.batch([])
    warm = set()
    for line in sys.stdin:
        job = json.loads(line)
        for name in job["accounts"].keys() - warm:
            with opened({**job, "accounts": {name: job["accounts"][name]}}) as client:
                next(iter(client.customers(page_size=1)))
            warm.add(name)
        gc.freeze()
        pid = os.fork()
        if not pid:
            gc.disable()
            work(job)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


IMPORTS = "import gc, json, os, signal, sys\nfrom pathlib import Path\nimport unified_customers as uc\n"
CODE = "\n".join([IMPORTS, *map(inspect.getsource, (opened, counted, small, work, nursery)), "nursery()"])


# The test's side


@pytest.fixture(scope="module")
def box():
    with Sandbox(customers=CUSTOMERS) as made:
        yield made


@pytest.fixture(scope="module")
def mother():
    process = subprocess.Popen([sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.stdin.close()
    process.wait(timeout=SECONDS)
    process.stdout.close()


@attrs.define
class Export:
    """An export into a folder of its own."""

    mother: subprocess.Popen
    box: Sandbox
    folder: Path
    target: str
    names: tuple = ("flexprice",)

    @property
    def path(self):
        return self.folder / self.target.rstrip("/")

    def run(self, *, kill=0, resume=True):
        """One process; returns its exit code, and what it said if it came to its end."""
        says = self.folder.parent / f"{self.folder.name}.says"
        says.unlink(missing_ok=True)
        job = {
            "accounts": {name: getattr(self.box, name).settings for name in self.names},
            "to": str(self.folder / self.target.rstrip("/")) + ("/" if self.target.endswith("/") else ""),
            "format": "arrow" if "arrow" in self.target else None,
            "kill": kill,
            "resume": resume,
            "says": str(says),
        }
        self.mother.stdin.write(json.dumps(job) + "\n")
        self.mother.stdin.flush()
        code = int(self.mother.stdout.readline())
        return code, json.loads(says.read_text()) if says.exists() else None

    def check(self):
        """Every customer once, and nothing beside the file."""
        want = {name: getattr(self.box, name).ids for name in self.names}
        found = ids_in(self.path)
        assert len(found) == len(set(found))
        assert {name: sorted(i for a, i in found if a == name) for name in self.names} == {
            name: sorted(ids) for name, ids in want.items()
        }
        assert [one.name for one in self.folder.iterdir()] == [self.path.name]


def ids_in(path):
    """Accounts and ids of an export, as somebody else reads them."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [(row["account"], row["id"]) for row in csv.DictReader(file)]
    if path.suffix == ".jsonl":
        return [(row["account"], row["id"]) for row in map(json.loads, path.read_text("utf-8").splitlines())]
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as base:
            return base.sql("SELECT account, id FROM customers WHERE gone_at IS NULL").fetchall()
    rows = []
    for part in sorted(path.glob("part-*")):
        if part.suffix == ".parquet":
            table = pyarrow.parquet.read_table(part)
        else:
            table = pyarrow.ipc.open_file(str(part)).read_all()
        rows += [(row["account"], row["id"]) for row in table.select(["account", "id"]).to_pylist()]
    return rows


def before(export):
    """What stands there from an earlier day: another file, or the same database with a customer who is gone now."""
    if export.target.endswith(".duckdb"):
        extra = export.box.flexprice.insert(name="gone tomorrow")
        assert export.run()[0] == 0
        export.box.flexprice.delete(extra[0] if isinstance(extra, list | tuple) else export.box.flexprice.ids[-1])
    elif export.target.endswith("/"):
        export.path.mkdir()
        part = uc.Customer(provider="flexprice", id="old")
        from unified_customers.tables.batches import batch

        table = pyarrow.Table.from_batches([batch([("flexprice", [part])])])
        pyarrow.parquet.write_table(table, export.path / "part-00000.parquet")
    else:
        export.path.write_text("old\n")


def content(path):
    """What can be compared of it."""
    if path.suffix == ".duckdb":
        return sorted(ids_in(path))
    return sorted((one.name, one.read_bytes()) for one in ([path] if path.is_file() else path.iterdir()))


def places(total, few):
    """Some places of many, and the last ones."""
    step = max(1, total // few)
    return [*range(step // 2 + 1, total - 10, step), *range(max(1, total - 10), total + 1, 2)]


@pytest.mark.parametrize("target", TARGETS)
def test_an_export_that_is_killed_anywhere_is_gone_on_with(mother, box, tmp_path, target):
    """From nothing, and killed a second time on the way; no file is there before it is whole."""
    folder = tmp_path / "dry"
    folder.mkdir()
    export = Export(mother, box, folder, target)
    code, (total, rows, resumed, complete) = export.run()
    assert (code, rows, resumed, complete) == (0, CUSTOMERS, False, True)
    export.check()
    went_on = 0
    for kill in places(total, 3):
        folder = tmp_path / f"k{kill}"
        folder.mkdir()
        export = Export(mother, box, folder, target)
        code, _ = export.run(kill=kill)
        assert code == -9
        if export.path.exists():
            assert len(ids_in(export.path)) == CUSTOMERS
        export.run(kill=max(2, kill // 2))
        code, said = export.run()
        assert code == 0
        assert said[1] == CUSTOMERS
        went_on += said[2]
        export.check()
    assert went_on > 1


@pytest.mark.parametrize("target", TARGETS)
def test_what_stood_there_before_stays_until_the_new_is_whole(mother, box, tmp_path, target):
    """Killed anywhere, it is the old or the new, never something between."""
    folder = tmp_path / "dry"
    folder.mkdir()
    export = Export(mother, box, folder, target)
    before(export)
    _, (total, *_) = export.run()
    new = {one[1] for one in ids_in(export.path)}
    kills = places(total, 2)
    for kill in kills:
        folder = tmp_path / f"k{kill}"
        folder.mkdir()
        export = Export(mother, box, folder, target)
        before(export)
        old = content(export.path)
        code, _ = export.run(kill=kill)
        assert code == -9
        there = export.path.exists()  # between two renames a folder is not, and the next run puts it back
        assert there or target.endswith("/")
        assert not there or content(export.path) == old or {one[1] for one in ids_in(export.path)} == new
        assert export.run()[0] == 0
        export.check()


@pytest.mark.parametrize("target", ["all.csv", "all.duckdb"])
def test_an_export_of_several_accounts_goes_on_too(mother, box, tmp_path, target):
    """Each of them where it stood."""
    dry = tmp_path / "dry"
    dry.mkdir()
    names = ("flexprice", "flexportal", "flatpeak")
    export = Export(mother, box, dry, target, names)
    _, (total, *_) = export.run()
    export.check()
    for kill in places(total, 3)[:4]:
        folder = tmp_path / f"k{kill}"
        folder.mkdir()
        export = Export(mother, box, folder, target, names)
        assert export.run(kill=kill)[0] == -9
        assert export.run()[0] == 0
        export.check()
