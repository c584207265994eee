"""A migration that is killed again and again, one answer in ten being lost: the target ends with each customer once.

The sandbox runs in the test's own process, the migration in another, over real sockets. It is killed by SIGKILL at a
random request: before the server has acted, or after that and before the answer; and at moments that a timer chooses,
wherever the process is then. Each of its successors plans anew and goes on with the same journal.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

import unified_customers as uc
from unified_customers.sandbox import Sandbox

ROUNDS = int(os.environ.get("UC_KILLS", "0"))
SECONDS = 120


# What the process runs: these functions are sent there as text


def opened(job):
    """The plan of a job, and what to close after it."""
    kinds = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
    source = uc.Client(kinds[job["source"]](**job["from"]))
    target = uc.Client(kinds[job["target"]](**job["to"]), retry=uc.Retry(attempts=job["attempts"], first_wait=0.01))
    return uc.plan(source.customers(), target, external_id=job["external_id"], on_loss=job["on_loss"])


def migrate(job):
    """Plan and run, as a script would."""
    opened(job).run(job["journal"], concurrency=job["concurrency"])


def nursery():
    """A process for each job of stdin, forked from this one, which has loaded all; says its id, and how it ended."""
    from unified_customers.moving import running, sending  # noqa: F401 - so that the children need not

    sending.PATIENCE = float("-inf")  # this server acts at once or never
    warm = set()
    for line in sys.stdin:
        job = json.loads(line)
        if (job["source"], job["target"]) not in warm:
            opened(job).close()
            warm.add((job["source"], job["target"]))
        gc.freeze()
        pid = os.fork()
        if not pid:
            code = 1
            try:
                migrate(job)
                code = 0
            except uc.MoveStoppedError:
                code = 3
            finally:
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


IMPORTS = "import gc, json, os, sys\nimport unified_customers as uc\n"
CODE = "\n".join([IMPORTS, *map(inspect.getsource, (opened, migrate, nursery))])


# The test's side


@pytest.fixture(scope="module")
def run():
    """Runs a job in a process of its own, and returns how that ended; `meanwhile` is called with its id."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{CODE}\nnursery()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def run(job, meanwhile):
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        meanwhile(int(process.stdout.readline()))
        return int(process.stdout.readline())

    yield run
    process.communicate(timeout=SECONDS)


KINDS = {"flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}


class Executioner:
    """Kills the process at a request to the target, before the server acts or between that and the answer."""

    def __init__(self, provider, chance):
        self._chance = chance
        self._handle = type(provider).handle
        self._provider = provider
        self._lock = threading.Lock()
        self.pid, self.left, self.moment = None, None, None
        provider.handle = self.handle

    def aim(self, pid):
        with self._lock:
            self.pid, self.left = pid, self._chance.randint(1, 12)
            self.moment = self._chance.choice(["before", "after"])

    def handle(self, request):
        hit = self._due()
        if hit and self.moment == "before":
            os.kill(self.pid, signal.SIGKILL)
        reply = self._handle(self._provider, request)
        if hit and self.moment == "after":
            os.kill(self.pid, signal.SIGKILL)
        return reply

    def _due(self):
        with self._lock:
            if self.pid is None or self.left is None:
                return False
            self.left -= 1
            if self.left > 0:
                return False
            self.left = None
            return True


def job_of(provider, target, journal, chance):
    return {
        "source": provider.name,
        "from": provider.settings,
        "target": target.name,
        "to": target.settings,
        "on_loss": "metadata" if target.name == "flexprice" else "drop",
        "journal": str(journal),
        "external_id": "id" if provider.name == "flexportal" else "external_id",
        "attempts": chance.choice([1, 3]),
        "concurrency": chance.choice([1, 1, 4]),
    }


def lose_one_answer_in_ten(provider, writes=2000):
    """The server acts, and its answer never arrives."""
    for number in range(9, writes, 10):
        provider.fault("lost", after=number, times=1)


def moved(provider):
    """How often each source customer is published at the target."""
    if provider.name == "flatpeak":
        return Counter(row["reference_id"] for row in provider.rows)
    rows = [row for row in provider.rows if row["status"] == "published"]
    return Counter((row["metadata"] or {}).get("moved_id") for row in rows)


def killed_until_done(run, job, meanwhile, kills):
    """Run the job until it comes to its end; at the most so many are killed."""
    endings = Counter()
    while True:
        ending = run(job(), meanwhile if endings[-signal.SIGKILL] < kills else lambda _pid: None)
        endings[ending] += 1
        assert ending in (0, 3, -signal.SIGKILL), endings  # done, stopped because answers were lost, or killed
        if ending == 0:
            return endings
        assert sum(endings.values()) < 10 * kills + 50, endings


def killed_at_requests(run, tmp_path, *, target, customers, kills, seed):
    chance = random.Random(seed)
    with Sandbox(customers=0) as box:
        source, provider = box.flexportal, getattr(box, target)
        source.insert(customers)
        lose_one_answer_in_ten(provider)
        executioner = Executioner(provider, chance)
        journal = tmp_path / f"{target}-{seed}.sqlite"
        endings = killed_until_done(run, lambda: job_of(source, provider, journal, chance), executioner.aim, kills)
        executioner.pid = None
        assert moved(provider) == Counter(dict.fromkeys(source.ids, 1))
        assert sorted(uc.MoveResult.read(journal).map) == sorted(source.ids)
        with uc.Client(KINDS[target](**provider.settings)) as client:
            assert sorted(dict(uc.MoveResult.read(journal).map).values()) == sorted(
                one.id for one in client.customers()
            )
            assert uc.verify(journal, client).good
            assert uc.undo(journal, client).undone == customers
    return endings[-signal.SIGKILL]


def killed_by_a_timer(run, tmp_path, *, customers, kills, seed):
    chance = random.Random(seed)

    def meanwhile(pid):
        timer = threading.Timer(chance.uniform(0.0, 0.25), kill, (pid,))
        timer.daemon = True
        timer.start()

    def kill(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    with Sandbox(customers=0) as source, Sandbox(customers=0, seed=1) as target:
        source.flexprice.insert(customers)
        lose_one_answer_in_ten(target.flexprice)
        journal = tmp_path / f"timed-{seed}.sqlite"
        endings = killed_until_done(
            run, lambda: job_of(source.flexprice, target.flexprice, journal, chance), meanwhile, kills
        )
        assert moved(target.flexprice) == Counter(dict.fromkeys(source.flexprice.ids, 1))
    return endings[-signal.SIGKILL]


@pytest.mark.parametrize("target", ["flexprice", "flatpeak"])
def test_killed_at_requests_nobody_is_there_twice_and_nobody_missing(run, tmp_path, target):
    """Killed before the server acts, or between that and the answer; Flatpeak itself would take a second one."""
    assert killed_at_requests(run, tmp_path, target=target, customers=60, kills=16, seed=1) >= 8


def test_killed_at_any_moment_nobody_is_there_twice_and_nobody_missing(run, tmp_path):
    """From one Flexprice to another, killed wherever the process happens to be."""
    killed_by_a_timer(run, tmp_path, customers=90, kills=12, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(ROUNDS // 40))
def test_killed_hundreds_of_times(run, tmp_path, seed):
    """The same, with other chances: `UC_KILLS=400 python -m pytest -m slow tests/moving/test_move_killed.py`."""
    for target in ("flexprice", "flatpeak"):
        assert killed_at_requests(run, tmp_path, target=target, customers=100, kills=15, seed=1000 + seed) >= 8
    killed_by_a_timer(run, tmp_path, customers=100, kills=10, seed=2000 + seed)
