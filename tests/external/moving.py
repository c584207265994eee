"""Customers moved to a Flexprice server of yours, killed and robbed of answers on the way; then verified and undone.

    FLEXPRICE_BASE_URL=http://127.0.0.1:8080/v1 FLEXPRICE_API_KEY=… python tests/external/moving.py [--customers 5000]

The environment of that key must be empty, and is left with archived customers only. The source is the sandbox's
FlexPortal, with bad rows in it. Between the command line and the server stands a relay on loopback that loses the
answer to one write in ten; the command is killed by SIGKILL at random moments, and repeated. Who is there at the end is
read past the relay. Knows the public API and the command line; must not know the library's inside.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

import unified_customers as uc
from unified_customers.sandbox import Sandbox

BAD = {"email": "no address at all", "firstName": "x" * 256}


class Relay(ThreadingHTTPServer):
    """Passes everything on, and loses the answers to some writes after the server has acted."""

    daemon_threads = True

    def __init__(self, base_url: str, chance: random.Random, lose: float) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.there = httpx.Client(timeout=60)
        self.url = httpx.URL(base_url)
        self.chance, self.lose = chance, lose
        self.lock = threading.Lock()
        self.writes, self.lost = Counter(), 0

    def handle_error(self, request, client_address):
        """The other end was killed: as it should be."""

    def loses(self, method: str) -> bool:
        """Note a write, and say whether its answer is to be lost."""
        with self.lock:
            self.writes[method] += 1
            lost = self.chance.random() < self.lose
            self.lost += lost
            return lost


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing."""

    def pass_on(self):
        relay = self.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")}
        target = relay.url.copy_with(raw_path=self.path.encode())
        answer = relay.there.request(self.command, target, content=body, headers=headers)
        write = self.command != "GET" and not self.path.partition("?")[0].endswith("/search")
        if write and relay.loses(self.command):
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "content-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815 - http.server's names


def migrate(environment, *words, kill_when=None):
    """The command, killed as soon as that is so; its exit code, or -9, and what it wrote."""
    command = [sys.executable, "-m", "unified_customers", "migrate", "flexportal", "flexprice", *words]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    over = threading.Event()
    if kill_when is not None:
        threading.Thread(target=_kill, args=(process, kill_when, over), daemon=True).start()
    said, errors = process.communicate()
    over.set()
    return process.returncode, said, errors


def _kill(process, when, over):
    while not over.wait(0.001):
        if when():
            process.send_signal(signal.SIGKILL)
            break


def after_writes(relay, chance, most):
    """So many writes more were answered or lost, and a moment has passed."""
    until = relay.writes.total() + chance.randint(1, most)
    left = chance.randint(0, 30)

    def so():
        nonlocal left
        left -= relay.writes.total() >= until
        return left < 0

    return so


def published(client):
    """Source id of each customer that the server lists."""
    return Counter(customer.metadata.get("moved_id") for customer in client.customers())


def move(environment, journal, client, relay, ids, *, kills, chance, concurrency):
    """Until it is done; how often it was killed and stopped."""
    endings = Counter()
    words = ("--journal", journal, "--apply", "--concurrency", str(concurrency))
    most = max(1, 2 * len(ids) // (kills + 1))
    while True:
        when = after_writes(relay, chance, most) if endings[-signal.SIGKILL] < kills else None
        code, _, errors = migrate(environment, *words, kill_when=when)
        endings[code] += 1
        there = sum(published(client).values())
        print(f"  {endings.total():>3}. ended with {code}: {there} of {len(ids)} are there", flush=True)
        if code == 0:
            return endings
        assert code in (1, -signal.SIGKILL), errors
        assert endings.total() < 10 * kills + 50, errors


def check(found, expected, what):
    """Or end."""
    if found != expected:
        raise SystemExit(f"{what}: found {found!r:.2000}, expected {expected!r:.2000}")
    print(f"  {what}")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--lose", type=float, default=0.1, help="of the writes' answers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=4)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with uc.connect("flexprice") as client, Sandbox(customers=0) as box, tempfile.TemporaryDirectory() as folder:
        check(next(iter(client.customers(status="any", max_items=1)), None), None, "the environment is empty")
        box.flexportal.insert(options.customers, status="active")
        bad = [box.flexportal.insert(**{field: value})[0] for field, value in BAD.items()]
        good = [one for one in box.flexportal.ids if one not in bad]
        relay = Relay(str(client.provider.base_url), chance, options.lose)
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        port = relay.server_address[1]
        environment = {
            **os.environ,
            **box.environment,
            "FLEXPRICE_API_KEY": os.environ["FLEXPRICE_API_KEY"],
            "FLEXPRICE_BASE_URL": f"http://127.0.0.1:{port}{relay.url.path}",
        }
        journal = str(Path(folder) / "move.sqlite")
        started = time.monotonic()

        code, said, _ = migrate(environment, "--journal", journal, "-o", "json")
        plan = json.loads(said)
        check((code, plan["counts"]["create"], plan["counts"]["impossible"]), (0, len(good), len(bad)), "the plan")
        check(sorted(one["source_id"] for one in plan["problems"]), sorted(bad), "the bad rows are named")
        check((relay.writes.total(), Path(journal).exists()), (0, False), "nothing was written before --apply")

        how = {"kills": options.kills, "chance": chance, "concurrency": options.concurrency}
        ends = move(environment, journal, client, relay, good, **how)
        check(published(client), Counter(dict.fromkeys(good, 1)), f"each of {len(good)} is there once, no bad one")
        print(f"    killed {ends[-9]} times, stopped {ends[1]} times, {relay.writes}, {relay.lost} answers lost")
        code, said, _ = migrate(environment, "--journal", journal, "--verify", "-o", "json")
        found = json.loads(said)
        check((code, found["checked"], found["good"]), (0, len(good), True), "verified field by field")
        code, said, _ = migrate(environment, "--journal", journal, "-o", "json")
        check(json.loads(said)["counts"]["same"], len(good), "planned again, all are the same")

        by_hand = uc.MoveResult.read(journal).map[good[0]]
        client.update(by_hand, phone="+49 221 1")
        code, said, _ = migrate(environment, "--journal", journal, "--undo", "-o", "json")
        check((json.loads(said)["undone"], sum(published(client).values())), (len(good) - 1, len(good)), "undo is dry")
        words = ("--journal", journal, "--undo", "--apply", "--confirm", "archive")
        for _ in range(5):
            migrate(environment, *words, kill_when=after_writes(relay, chance, len(good) // 6))
        code, _, _ = migrate(environment, *words)
        check((code, published(client)), (0, Counter({good[0]: 1})), "undone, but for the one edited by hand")
        check(client.customer(by_hand).phone, "+49 221 1", "who is as they were left")
        client.archive(by_hand)
        print(f"all is well, in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
