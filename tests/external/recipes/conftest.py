"""Accounts on loopback, the recipes as docs/scale.md prints them, and what ends their processes in the middle."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tests"))

SIZES = {f"t{n:02d}": 1000 + n % 3 for n in range(24)}

collect_ignore_glob = [] if "UC_ENGINE" in os.environ else ["test_*.py"]


class Work:
    """A folder with `accounts.toml`, whose accounts are some tenants and a sandbox of the three providers.

    Attributes:
        folder: Where recipes run, and where they write to, under `lake`.
        tenants: The tenants; their keys are in the environment.
        truth: Each customer of each account, once.
        killed: The processes that were ended.
    """

    def __init__(self, folder, tenants, box):
        self.folder, self.tenants, self.killed = folder, tenants, []
        self.truth = Counter((name, f"{name}-{n}") for name, size in SIZES.items() for n in range(size))
        lines = []
        for name in ("flexportal", "flexprice", "flatpeak"):
            side = getattr(box, name)
            self.truth.update((name, id_) for id_ in side.ids)
            lines += [f"[accounts.{name}]", f'provider = "{name}"', f'api_key = {{ env = "KEY_{name.upper()}" }}']
            os.environ[f"KEY_{name.upper()}"] = side.settings["api_key"]
            lines += [f'{key} = "{value}"' for key, value in side.settings.items() if key != "api_key"]
        with (folder / "accounts.toml").open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        (folder / "lake").mkdir()
        os.environ["UC_RECIPE"] = str(folder)  # what tells this test's processes from all others

    def recipe(self, heading):
        """The first block below a heading of the page, with this folder's paths."""
        page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
        text = re.search(rf"^### {heading}\n.*?^```text\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1]
        for printed in ("/etc/acme/", "/lake/"):
            assert printed in text
        return text.replace("/etc/acme/", f"{self.folder}/").replace("/lake/", f"{self.folder}/lake/")

    def run(self, text):
        """A program in a process of its own: what it says, and how it ends."""
        (self.folder / "recipe.py").write_text(text, encoding="utf-8")
        return self.command([sys.executable, "recipe.py"])

    def command(self, words):
        """The same for a command; no key is in what it says, nor in what it leaves."""
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=240, check=False)
        said = done.stdout + done.stderr
        left = b"".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())
        assert "key-of-" not in said
        assert b"key-of-" not in left
        return done.returncode, said

    def processes(self, wanted):
        """Processes of this test whose command line is wanted."""
        mark = f"UC_RECIPE={self.folder}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                argv = (place / "cmdline").read_text(encoding="utf-8", errors="replace").rstrip("\0").split("\0")
                if wanted(argv) and mark in (place / "environ").read_bytes().split(b"\0"):
                    yield int(place.name)
            except (FileNotFoundError, ProcessLookupError):
                continue

    def kill(self, wanted, *, once):
        """Have the processes that are wanted killed when a tenant is asked, and `once` says that it is time."""

        def meddle(request, number):
            if not self.killed and once(request):
                self.killed += self.processes(wanted)
                for process in self.killed:
                    os.kill(process, signal.SIGKILL)

        for server in self.tenants.servers.values():
            server.meddle = meddle

    def found(self, name):
        """How often each customer is in a folder of Parquet."""
        import pyarrow.parquet as pq

        table = pq.read_table(self.folder / "lake" / name)
        return Counter(zip(table["account"].to_pylist(), table["id"].to_pylist(), strict=True))

    def types(self, name):
        """The columns of a folder of Parquet and their types."""
        import pyarrow.parquet as pq

        schema = pq.read_schema(next((self.folder / "lake" / name).glob("*.parquet")))
        return dict(zip(schema.names, schema.types, strict=True))


@pytest.fixture
def work(tmp_path):
    """The accounts, and where they are read."""
    from bundled import tenancy

    import unified_customers as uc

    with tenancy(SIZES, tmp_path) as (tenants, _), uc.sandbox(customers=250) as box:
        yield Work(tmp_path, tenants, box)


@pytest.fixture
def dead(work):
    """The name of an account that refuses everybody."""
    from fakes import reply

    work.tenants.servers["t04"].meddle = lambda request, number: reply(403, {})
    return "t04"


def later(request):
    """Whether this is no account's first page, so that somebody is in the middle of it."""
    return "startAfter" in request.url


@pytest.fixture
def later_page():
    """`later`, for tests."""
    return later


def exporting(argv):
    """Whether a process is the command line's export."""
    return argv[1:] and argv[1].endswith("/unified-customers") and argv[2:3] == ["export"]


@pytest.fixture
def killed_export(work):
    """Have the export killed when it has begun its second part, and tell what its first one was then."""
    first = {}

    def begun(request):
        parts = sorted((work.folder / "lake").rglob("part-*.parquet"))
        if len(parts) < 2:
            return False
        first.update(name=parts[0].name, at=parts[0].stat().st_mtime_ns)
        return True

    work.kill(exporting, once=begun)
    return first
