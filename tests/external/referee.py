"""The sandbox behind Prism, a third party that reads the providers' OpenAPI documents: `prism.sh` starts this.

Every answer of the sandbox, and every request of the library, must be what the documents allow; and against Prism's own
examples, which promise a next page for ever, the library must notice that it is led in a circle.

Knows Prism's command line and its `sl-violations` header. Must not know how the sandbox makes its answers.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

import unified_customers as uc
from unified_customers.sandbox import Sandbox

OPENAPI = Path(__file__).parent / "openapi"
SIZES = (0, 1, 99, 100, 101, 250)  # around a full page of 100
PATIENCE = 60.0  # seconds until Prism listens
FEW = 4  # requests after which a circle must have been noticed


class Referee:
    """What Prism was asked, and what it objected to."""

    def __init__(self):
        self.answers = 0
        self.requests = []
        self.objections = []

    def client(self):
        """An HTTP client all of whose answers are looked at."""
        return httpx.Client(trust_env=False, timeout=30, event_hooks={"response": [self.look]})

    def look(self, response):
        """Note an answer that Prism objects to."""
        response.read()
        self.answers += 1
        self.requests.append(str(response.request.url))
        violations = response.headers.get("sl-violations")
        if violations or response.status_code >= 500 or "stoplight.io/prism" in response.text:
            told = violations or response.text
            self.objections.append(f"{response.request.method} {response.request.url} {response.status_code} {told}")


@contextlib.contextmanager
def prism(binary, *arguments):
    """Prism, listening; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        mode, *rest = map(str, arguments)
        command = [str(binary), mode, "--port", str(port), "--host", "127.0.0.1", *rest]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process, port, log):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    log.seek(0)
    raise SystemExit(f"Prism did not start:\n{log.read().decode(errors='replace')}")


def flexportal(box, address):
    """The account behind that address."""
    return uc.FlexPortal(api_key=box.flexportal.api_key, tenant_id=box.flexportal.tenant_id, base_url=address)


def flatpeak(box, address):
    """The account behind that address; signing in is not in Flatpeak's document, so the sandbox gives a token."""
    return uc.Flatpeak(bearer_token=box.flatpeak.issue_token(), base_url=address)


def walk(referee, account, expected, **arguments):
    """Read everybody through the library and the referee."""
    with referee.client() as http, uc.Client(account, http_client=http, retry=uc.Retry(attempts=1)) as client:
        found = [customer.id for customer in client.customers(**arguments)]
    _same(found, expected, f"{account.name} {arguments}")


def _same(found, expected, what):
    if found != expected:
        raise SystemExit(f"{what}: {len(found)} customers came where the sandbox has {len(expected)}")


def fetch_pages(referee, url, headers, cursor_of, name, expected):
    """Read every page without the library, in several sizes, so that no reading of ours stands in between."""
    with referee.client() as http:
        for limit in (100, 33, 7):
            params, rows = {"limit": str(limit)}, 0
            while True:
                page = http.get(url, params=params, headers=headers)
                body = json.loads(page.text)
                if page.status_code != 200:
                    break  # the referee noted why
                rows += len(body[name])
                cursor = cursor_of(body)
                if cursor is None:
                    _same_count(rows, expected, f"{url} by {limit}")
                    break
                params |= cursor


def _same_count(count, expected, what):
    if count != expected:
        raise SystemExit(f"{what}: {count} rows came where the sandbox has {expected}")


def check_flexportal(binary, referee):
    """Lists and single customers of FlexPortal, after two documents."""
    with contextlib.ExitStack() as stack:
        boxes = {size: stack.enter_context(Sandbox(size, seed=size)) for size in SIZES}
        for size, box in boxes.items():
            lists = OPENAPI / "flexportal_list.yaml"
            with prism(binary, "proxy", "--errors", lists, box.flexportal.base_url) as address:
                walk(referee, flexportal(box, address), box.flexportal.ids)
                if size == max(SIZES):
                    _more_of_flexportal(referee, box, address)
        box = boxes[max(SIZES)]
        ones = OPENAPI / "flexportal_get.yaml"
        with prism(binary, "proxy", "--errors", ones, box.flexportal.base_url) as address:
            _ones(referee, flexportal(box, address), box.flexportal.ids)


def _more_of_flexportal(referee, box, address):
    rows = box.flexportal.rows[::-1]
    for name, arguments in {
        "status": {"status": "inactive"},
        "customerType": {"kind": "business"},
        "email": {"email": rows[3]["email"]},
    }.items():
        wanted = next(iter(arguments.values()))
        walk(
            referee,
            flexportal(box, address),
            [row["customerId"] for row in rows if row[name] == wanted],
            **arguments,
        )
    walk(referee, flexportal(box, address), box.flexportal.ids, page_size=37)
    headers = {"authorization": f"Bearer {box.flexportal.api_key}", "tenant-id": box.flexportal.tenant_id}

    def cursor_of(body):
        return {"startAfter": body["nextCursor"]} if body["hasMore"] else None

    fetch_pages(referee, f"{address}/v1/customers", headers, cursor_of, "customers", len(rows))


def _ones(referee, account, ids):
    with referee.client() as http, uc.Client(account, http_client=http, retry=uc.Retry(attempts=1)) as client:
        for id_ in ids:
            found = client.customer(id_)
            if found.id != id_ or found.metrics is None or found.metrics.devices_ever is None:
                raise SystemExit(f"{account.name}: {id_} came without its profitability")
        try:
            client.customer("cust_none")
        except uc.NotFoundError:
            return
    raise SystemExit(f"{account.name}: an unknown id was no NotFoundError")


def check_flatpeak(binary, referee):
    """Lists of Flatpeak, in both directions; its document knows no other path."""
    for size in SIZES:
        with (
            Sandbox(size, seed=size) as box,
            prism(binary, "proxy", "--errors", OPENAPI / "flatpeak.yaml", box.flatpeak.base_url) as address,
        ):
            walk(referee, flatpeak(box, address), box.flatpeak.ids)
            if size == max(SIZES):
                _more_of_flatpeak(referee, box, address)


def _more_of_flatpeak(referee, box, address):
    ids = box.flatpeak.ids
    walk(referee, flatpeak(box, address), ids, page_size=37)
    walk(referee, flatpeak(box, address), ids[-2::-1], before=ids[-1])
    headers = {"authorization": f"Bearer {box.flatpeak.issue_token()}"}

    def forward(body):
        return {"starting_after": body["data"][-1]["id"]} if body["has_more"] else None

    def backward(body):
        return {"ending_before": body["data"][0]["id"]} if body["has_more"] else None

    fetch_pages(referee, f"{address}/customers", headers, forward, "data", len(ids))
    with referee.client() as http:
        params = {"limit": "50", "ending_before": ids[-1]}
        while params:
            body = http.get(f"{address}/customers", params=params, headers=headers).json()
            onward = backward(body)
            params = onward and {"limit": "50", **onward}
        http.get(f"{address}/customers", params={"starting_after": "cus_none"}, headers=headers)  # 404
        http.get(f"{address}/customers", headers={"authorization": "Bearer wrong"})  # 403
        box.flatpeak.fault("429")
        http.get(f"{address}/customers", headers=headers)


def check_awake(binary):
    """Prism must object to a customer that breaks the document, or its silence elsewhere means nothing."""
    for name, document in (("flexportal", "flexportal_list"), ("flatpeak", "flatpeak")):
        with (
            Sandbox(3, faults=[f"{name}:bad-record"]) as box,
            prism(binary, "proxy", "--errors", OPENAPI / f"{document}.yaml", getattr(box, name).base_url) as address,
        ):
            referee, account = Referee(), globals()[name](box, address)
            with contextlib.suppress(uc.CustomersError):
                walk(referee, account, [])
            if not referee.objections:
                raise SystemExit(f"{name}: Prism let a broken customer pass")


def check_circles(binary):
    """Prism's own example promises a next page for ever: the library must say so, soon."""
    for document, account_of in (
        ("flexportal_list", lambda url: uc.FlexPortal(api_key="any", tenant_id="any", base_url=url)),
        ("flatpeak", lambda url: uc.Flatpeak(bearer_token="any", base_url=url)),
    ):
        with prism(binary, "mock", OPENAPI / f"{document}.yaml") as address:
            account, referee = account_of(address), Referee()
            told = _circle(referee, account)
            print(f"  {account.name}: {told} after {referee.answers} requests")
            if told not in {"LoopError", "PaginationError"} or referee.answers > FEW:
                raise SystemExit(f"{account.name}: led in a circle, and {told} after {referee.answers} requests")


def _circle(referee, account):
    with referee.client() as http, uc.Client(account, http_client=http, retry=uc.Retry(attempts=1)) as client:
        try:
            for count, _ in enumerate(client.customers()):
                if count > 1000:
                    return "nothing at all"
        except uc.CustomersError as error:
            return type(error).__name__
    return "an end"


def main():
    """Check everything; the exit status says whether all is well."""
    binary = Path(sys.argv[1])
    version = subprocess.run([str(binary), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"Prism {version}")
    check_awake(binary)
    print("  it objects to a broken customer of either provider")
    referee = Referee()
    for name, check in (("FlexPortal", check_flexportal), ("Flatpeak", check_flatpeak)):
        before = referee.answers
        check(binary, referee)
        print(f"  {name}: {referee.answers - before} answers looked at")
    print("Prism's own examples, which never end:")
    check_circles(binary)
    for objection in dict.fromkeys(referee.objections):
        print(f"violation: {objection}", file=sys.stderr)
    if referee.objections:
        raise SystemExit(f"{len(referee.objections)} of {referee.answers} answers are not what the documents say")
    print("no violation")


if __name__ == "__main__":
    main()
