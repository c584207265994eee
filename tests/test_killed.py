"""Real processes, killed or stopped by Ctrl-C at any place of a walk: the next one goes on, nobody is lost or doubled.

The sandbox runs in the test's own process, the walk in another, over real sockets. What it has read and the checkpoint
are saved together, in one file that is replaced whole, so that any instant is a fair one to be killed at.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import attrs
import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

SECONDS = 60  # after which a process that hangs is an error
HTTPX = "ignore:Async generator 'httpx:ResourceWarning"  # its own, see pyproject.toml
STAMP = "2026-03-01T08:00:00.000001Z"


# What the processes run: these functions are sent there as text


def opened(job):
    """The client, or the directory if there are several accounts."""
    kinds = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
    accounts = [kinds[name](**settings) for name, settings in job["accounts"].items()]
    if job["pump"] == "sync":
        return uc.Client(accounts[0]) if len(accounts) == 1 else uc.Directory(accounts)
    return uc.AsyncClient(accounts[0]) if len(accounts) == 1 else uc.AsyncDirectory(accounts)


def before(job):
    """What was read by the processes before this one, and the keywords to go on with."""
    state = Path(job["state"])
    if not state.exists():
        return [], job["query"]
    ids, checkpoint = json.loads(state.read_text())
    way = "before" if "before" in job["query"] else "after"
    return ids, {**job["query"], way: checkpoint}


def keep(job, ids, checkpoint):
    """Save both in one step."""
    state = Path(job["state"])
    fresh = state.with_suffix(".new")
    fresh.write_text(json.dumps([ids, checkpoint]))
    fresh.replace(state)


def walk(job):
    """Read on; be killed after so many customers, or come to the end."""
    ids, keywords = before(job)
    with opened(job) as client:
        walk = iter(client.customers(**keywords))
        try:
            for number, customer in enumerate(walk, 1):
                ids.append([customer.provider, customer.id])
                keep(job, ids, walk.checkpoint)
                if number == job["kill"]:
                    os.kill(os.getpid(), signal.SIGKILL)
        finally:
            keep(job, ids, walk.checkpoint)


async def later(job):
    """The same, awaited."""
    ids, keywords = before(job)
    async with opened(job) as client:
        walk = aiter(client.customers(**keywords))
        try:
            async for customer in walk:
                ids.append([customer.provider, customer.id])
                keep(job, ids, walk.checkpoint)
        finally:
            keep(job, ids, walk.checkpoint)


def nursery():
    """A process for each job of stdin, forked from this one, which has loaded all; says its id, and how it ended."""
    warm = set()
    for line in sys.stdin:
        job = json.loads(line)
        for name in job["accounts"].keys() - warm:
            with opened({**job, "accounts": {name: job["accounts"][name]}}) as client:
                next(iter(client.customers(page_size=1)))
            warm.add(name)
        gc.freeze()  # so that the child need not copy what it never touches
        pid = os.fork()
        if not pid:
            gc.disable()
            walk(job)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def alone():
    """One job, as a script would do it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` would leave it ignored
    job = json.loads(sys.argv[1])
    if job["pump"] == "sync":
        walk(job)
        return
    try:
        anyio.run(later, job, backend=job["pump"])
    except KeyboardInterrupt:
        sys.exit(130)


IMPORTS = "import anyio, gc, json, os, signal, sys\nfrom pathlib import Path\nimport unified_customers as uc\n"
CODE = "\n".join([IMPORTS, *map(inspect.getsource, (opened, before, keep, walk, later, nursery, alone))])


# The test's side


@attrs.frozen
class Way:
    """One way to read the sandbox.

    Attributes:
        names: Which accounts.
        query: Keywords.
        settings: More settings of the account.
        all: Whether customers of every status are meant.
    """

    names: tuple[str, ...]
    query: dict = attrs.field(factory=dict)
    settings: dict = attrs.field(factory=dict)
    all: bool = False

    def job(self, box, state, *, pump="sync", kill=None):
        accounts = {name: {**getattr(box, name).settings, **self.settings} for name in self.names}
        query = {"page_size": 4, **self.query}
        if query.get("before") == "oldest":
            query["before"] = box.flatpeak.ids[-1]
        return {"accounts": accounts, "query": query, "state": str(state), "pump": pump, "kill": kill}

    def truth(self, box):
        """Everybody who must come."""
        found = []
        for name in self.names:
            provider = getattr(box, name)
            key = "customerId" if name == "flexportal" else "id"
            ids = [row[key] for row in provider.rows] if self.all else provider.ids
            found += [[name, id_] for id_ in ids]
        return sorted(found[:-1] if self.query.get("before") == "oldest" else found)


WAYS = {
    "flexportal": Way(("flexportal",)),
    "flexportal any": Way(("flexportal",), {"status": "any"}),
    "flexprice auto": Way(("flexprice",)),
    "flexprice auto descending": Way(("flexprice",), {"order": "desc"}),
    "flexprice keyset": Way(("flexprice",), settings={"scan": "keyset"}),
    "flexprice offset": Way(("flexprice",), settings={"scan": "offset"}),
    "flexprice any": Way(("flexprice",), {"status": "any"}, all=True),
    "flexprice concurrently": Way(("flexprice",), {"concurrency": 3}),
    "flexprice in any order": Way(("flexprice",), {"concurrency": 3, "ordered": False}),
    "flexprice by name": Way(("flexprice",), {"sort": "name"}),
    "flatpeak": Way(("flatpeak",)),
    "flatpeak ahead": Way(("flatpeak",), {"prefetch": 2}),
    "flatpeak backwards": Way(("flatpeak",), {"before": "oldest"}),
    "directory": Way(("flexportal", "flexprice", "flatpeak")),
}
AWAITED = [("flexprice auto", "trio"), ("flatpeak ahead", "asyncio"), ("directory", "trio")]
FIVE = ["flexportal", "flexprice auto", "flatpeak", "flatpeak ahead", "directory"]


@pytest.fixture(scope="module")
def box():
    """Thirteen customers each; five of Flexprice's share one moment, and two more were archived."""
    with Sandbox(customers=5, strange=False) as box:
        box.flexprice.insert(6, created_at=STAMP)
        box.flexprice.insert(4)
        for id_ in box.flexprice.ids[1:8:6]:
            box.flexprice.delete(id_)
        for provider in (box.flexportal, box.flatpeak):
            provider.insert(8)
        yield box


@pytest.fixture(autouse=True)
def calm(box):
    """No fault of one test reaches the next."""
    yield
    for provider in box.providers:
        provider.clear_faults()
        vars(provider).pop("handle", None)


@pytest.fixture(scope="module")
def run():
    """Runs a job in a process of its own, and returns how that ended; `meanwhile` is called with its id."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{CODE}\nnursery()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def run(job, meanwhile=lambda pid: None):
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        meanwhile(int(process.stdout.readline()))
        return int(process.stdout.readline())

    yield run
    process.communicate(timeout=SECONDS)


def started(job):
    """A process that was started anew for one job."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-W", HTTPX, "-c", f"{CODE}\nalone()", json.dumps(job)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(box, *words):
    """The command line, with the sandbox's settings in its environment."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from unified_customers.cli import main; sys.exit(main())"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *words],
        env={**env, **box.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(state):
    """Who was read."""
    return sorted(json.loads(state.read_text())[0])


def hung(provider, **fault):
    """An event that is set when a request has arrived that will not be answered for a while."""
    provider.fault("slow", **{"seconds": 30, "times": 1, **fault})
    arrived, handle = threading.Event(), type(provider).handle

    def watched(request):
        reply = handle(provider, request)
        if reply.delay:
            arrived.set()
        return reply

    provider.handle = watched
    return arrived


# Killed


EACH = ["flexportal", "flexprice auto", "flexprice keyset", "flexprice offset", "flatpeak"]
KILLS = [(name, every) for name in WAYS for every in (3, 4)] + [(name, 1) for name in EACH] + [("directory", 5)]


@pytest.mark.parametrize(("name", "every"), KILLS)
def test_killed_again_and_again_and_resumed(box, run, tmp_path, name, every):
    """SIGKILL after each customer, at the end of each page, or between: everybody came once."""
    way, state = WAYS[name], tmp_path / "state"
    kills = 0
    while (ending := run(way.job(box, state, kill=every))) == -signal.SIGKILL:
        kills += 1
        assert kills <= len(way.truth(box))  # or it would never come to an end
    assert ending == 0
    assert read(state) == way.truth(box)
    assert kills == len(way.truth(box)) // every


@pytest.mark.parametrize("name", FIVE)
def test_killed_from_outside_while_a_request_is_under_way(box, run, tmp_path, name):
    """Two pages were read, the third is awaited."""
    way, state = WAYS[name], tmp_path / "state"
    arrived = hung(getattr(box, way.names[-1]), after=2)

    def kill(pid):
        assert arrived.wait(SECONDS)
        os.kill(pid, signal.SIGKILL)

    assert run(way.job(box, state), kill) == -signal.SIGKILL
    assert run(way.job(box, state)) == 0
    assert read(state) == way.truth(box)


# Ctrl-C


@pytest.mark.parametrize("name", ["flatpeak ahead", "directory"])
def test_ctrl_c_in_a_request_ends_a_script_as_it_ends_any(box, run, tmp_path, name):
    """One traceback, that of KeyboardInterrupt, and nothing after it; the checkpoint goes on."""
    way, state = WAYS[name], tmp_path / "state"
    arrived = hung(getattr(box, way.names[-1]), after=2, seconds=0.5)
    process = started(way.job(box, state))
    assert arrived.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGINT
    assert out == ""
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("\nKeyboardInterrupt\n")
    for noise in ("During handling", "Exception ignored", "Warning", "was the direct cause"):
        assert noise not in err
    assert run(way.job(box, state)) == 0
    assert read(state) == way.truth(box)


@pytest.mark.parametrize(("name", "pump"), AWAITED)
def test_ctrl_c_in_an_async_script_can_be_caught_in_silence(box, run, tmp_path, name, pump):
    """Not a word on stderr, with every warning on; the checkpoint goes on."""
    way, state = WAYS[name], tmp_path / "state"
    arrived = hung(getattr(box, way.names[-1]), after=2)
    process = started(way.job(box, state, pump=pump))
    assert arrived.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "")
    assert run(way.job(box, state)) == 0
    assert read(state) == way.truth(box)


def test_ctrl_c_at_the_command_line_tells_where_to_go_on(box):
    """One line, exit code 130; what was written and what follows the checkpoint are everybody, once."""
    arrived = hung(box.flexprice, after=2)
    process = command(box, "list", "flexprice", "-o", "jsonl", "--page-size", "4")
    assert arrived.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    checkpoint = re.fullmatch(r"interrupted; to go on: --after (\S+)\n", err)[1]
    with opened(WAYS["flexprice auto"].job(box, None)) as client:
        rest = [customer.id for customer in client.customers(after=checkpoint)]
    assert sorted([*(json.loads(line)["id"] for line in out.splitlines()), *rest]) == sorted(box.flexprice.ids)


def test_ctrl_c_before_there_is_anything_to_go_on_from(box):
    """While signing in: one word."""
    arrived = hung(box.flatpeak, on="login")
    process = command(box, "check", "flatpeak")
    assert arrived.wait(SECONDS)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=SECONDS) == ("", "interrupted\n")
    assert process.returncode == 130
