"""The sandbox as a thing to hold: start, stop, clock, data, threads, and what importing it costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest

import unified_customers.sandbox as module
from unified_customers.sandbox import Sandbox

PROVIDERS = ("flexportal", "flexprice", "flatpeak")


def read_flexprice(box, **params):
    url = box.flexprice.base_url + "/v1/customers"
    return httpx.get(url, params=params, headers={"x-api-key": box.flexprice.api_key})


@pytest.mark.parametrize("name", ["flexprice", "flatpeak"])
def test_half_a_request_does_nothing(name):
    """A client that dies while it sends: no server acts on what it did not hear to the end."""
    with Sandbox(customers=0) as box:
        provider = getattr(box, name)
        address = httpx.URL(provider.base_url)
        path = f"{address.path}/{'v1/' if name == 'flexprice' else ''}customers"
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
        with socket.create_connection((address.host, address.port)) as sock:
            sock.sendall(head.encode() + b'{"external_id": "x", ')
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1024):
                pass
    assert provider.requests == []  # and the server has ended


def test_the_module_can_be_called():
    """`unified_customers.sandbox(...)` makes a Sandbox."""
    box = module(customers=2)
    assert isinstance(box, Sandbox)
    assert len(box.flexprice.ids) == 2


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_list_starts_with_the_asked_number_of_customers(name):
    """Also with none and with one."""
    for count in (0, 1, 250):
        assert len(getattr(Sandbox(customers=count), name).ids) == count


@pytest.mark.parametrize("options", [{}, {"strange": True}, {"odd": False}, {"flexprice": "documents"}])
def test_the_same_seed_gives_the_same_rows(options):
    """And another seed gives others."""
    first, second, other = (Sandbox(customers=40, seed=seed, **options) for seed in (7, 7, 8))
    for name in PROVIDERS:
        assert getattr(first, name).rows == getattr(second, name).rows
        assert getattr(first, name).ids == getattr(second, name).ids
        assert getattr(first, name).ids != getattr(other, name).ids


def test_the_same_seed_and_requests_give_the_same_bytes():
    """Bodies, inserted ids and request ids included."""

    def run():
        with Sandbox(customers=30, seed=3) as box:
            box.flexprice.insert(2)
            reply = read_flexprice(box)
            return reply.content, reply.headers["x-request-id"]

    assert run() == run()


def test_names_come_in_many_scripts_and_contacts_are_fictional():
    """Reserved domains and numbers only."""
    rows = Sandbox(customers=250).flexportal.rows
    text = "".join(row["firstName"] + row["lastName"] for row in rows)
    for sample in ("李", "أ", "А", "अ", "=SUM", "O'Brien", "\u202e", "\u0301", "👩"):
        assert sample in text
    domains = {row["email"].partition("@")[2] for row in rows}
    assert domains == {"example.com", "example.org", "example.net", "shop.test"}
    assert all(phone.startswith(("+1-555-01", "+44 20 7946 0")) for row in rows if (phone := row.get("phone")))


def test_settings_and_environment_point_at_the_running_server():
    """One port, a path per provider, and the variables that the contract names."""
    with Sandbox(customers=1) as box:
        assert box.flexprice.settings == {"api_key": box.flexprice.api_key, "base_url": f"{box.url}/flexprice"}
        assert set(box.flexportal.settings) == {"api_key", "tenant_id", "base_url"}
        assert set(box.flatpeak.settings) == {"account_id", "api_key", "base_url"}
        assert set(box.environment) == {
            "FLEXPORTAL_API_KEY",
            "FLEXPORTAL_TENANT_ID",
            "FLEXPORTAL_BASE_URL",
            "FLEXPRICE_API_KEY",
            "FLEXPRICE_BASE_URL",
            "FLATPEAK_ACCOUNT_ID",
            "FLATPEAK_API_KEY",
            "FLATPEAK_BASE_URL",
        }
        assert box.environment["FLATPEAK_BASE_URL"] == box.flatpeak.base_url
        assert httpx.get(box.url).status_code == 404


def test_a_sandbox_that_is_not_started_has_no_address():
    """And says how to get one."""
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox(customers=0).url


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_serves_under_async_with(backend):
    """The server has a thread of its own, so any event loop will do."""

    async def main():
        async with Sandbox(customers=3) as box, httpx.AsyncClient() as client:
            headers = {"x-api-key": box.flexprice.api_key}
            reply = await client.get(box.flexprice.base_url + "/v1/customers", headers=headers)
            return reply.json()["pagination"]["total"]

    assert anyio.run(main, backend=backend) == 3


def test_it_stops_at_once_and_leaves_nothing():
    """With an idle connection and a slow request under way; port and thread are gone."""
    with httpx.Client() as client, Sandbox(customers=3) as box:
        url, headers = box.flexprice.base_url + "/v1/customers", {"x-api-key": box.flexprice.api_key}
        client.get(url, headers=headers)
        box.flexprice.fault("slow", seconds=30)
        waiting = threading.Thread(target=_expect_loss, args=(url, headers))
        waiting.start()
        while len(box.flexprice.requests) < 2:
            time.sleep(0.01)
        before = time.perf_counter()
        box.stop()
        assert time.perf_counter() - before < 0.3
        waiting.join(5)
        assert not waiting.is_alive()
    assert "unified-customers-sandbox" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def _expect_loss(url, headers):
    with pytest.raises(httpx.TransportError):
        httpx.get(url, headers=headers, timeout=20)


def test_a_port_can_be_chosen_and_used_again():
    """The second sandbox takes over the port of the first."""
    with Sandbox(customers=1) as box:
        port = int(box.url.rpartition(":")[2])
        read_flexprice(box)
        with pytest.raises(OSError, match=r"(?i)in use"):
            Sandbox(customers=0, port=port).start()
    with Sandbox(customers=1, port=port) as box:
        assert box.url.endswith(f":{port}")
        assert read_flexprice(box).status_code == 200


def test_the_clock_moves_only_when_told_to():
    """Reads don't move it, writes by microseconds, advance by what it says, and never back."""
    with Sandbox(customers=5) as box:
        start = box.clock.now()
        assert start == Sandbox(customers=0).clock.now()
        read_flexprice(box)
        assert box.clock.now() == start
        box.flexprice.insert(3)
        assert timedelta() < box.clock.now() - start < timedelta(milliseconds=1)
        assert box.clock.advance(90) - start > timedelta(seconds=90)
        with pytest.raises(ValueError, match="forward"):
            box.clock.advance(-1)


def test_inserted_rows_have_times_of_their_own():
    """No two alike, each newer than all before."""
    box = Sandbox(customers=10).flexprice
    made = box.insert(500)
    times = {row["id"]: row["created_at"] for row in box.rows}
    assert len({times[one] for one in made}) == 500
    assert box.ids[:500] == made[::-1]


@pytest.mark.parametrize("name", PROVIDERS)
def test_rows_are_copies(name):
    """Changing what one is handed changes nothing in the sandbox."""
    box = getattr(Sandbox(customers=5), name)
    rows = box.rows
    rows[0].clear()
    assert box.rows[0] != {}


def test_the_log_shows_what_was_asked():
    """Method, path with query relative to the base URL, status; each provider its own."""
    with Sandbox(customers=1) as box:
        read_flexprice(box, limit=3)
        httpx.get(box.flexportal.base_url + "/v1/customers")
        assert box.flexprice.requests == [("GET", "/v1/customers?limit=3", 200)]
        assert box.flexportal.requests == [("GET", "/v1/customers", 401)]
        assert box.flatpeak.requests == []


def test_customers_come_and_go_under_a_running_walk():
    """From other threads, while pages are read: no error, no page out of order, nothing counted twice."""
    with Sandbox(customers=400) as box, httpx.Client() as client:
        stop, newest = threading.Event(), box.flatpeak.ids[0]
        threads = [threading.Thread(target=_stir, args=(getattr(box, name), stop)) for name in PROVIDERS]
        for thread in threads:
            thread.start()
        try:
            seen = _walk_flatpeak(client, box.flatpeak, newest)
            read_flexprice(box, limit=1000)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert len(seen) == len(set(seen)) == 400


def _stir(provider, stop):
    while not stop.is_set():
        made = provider.insert(2)
        provider.delete(made[0])
        time.sleep(0.001)


def _walk_flatpeak(client, provider, newest):
    seen, cursor = [newest], {"starting_after": newest}
    # New rows come before the place where the walk began, so the walk itself sees none of them.
    while cursor:
        headers = {"authorization": f"Bearer {provider.issue_token()}"}
        page = client.get(provider.base_url + "/customers", params={"limit": 20, **cursor}, headers=headers).json()
        seen += [row["id"] for row in page["data"]]
        cursor = {"starting_after": seen[-1]} if page["has_more"] else {}
    return seen


def test_it_listens_on_loopback_only():
    """127.0.0.1, whatever other addresses the machine has."""
    with Sandbox(customers=0) as box:
        assert box.url.startswith("http://127.0.0.1:")


def test_twenty_thousand_customers_are_quick():
    """Made in a few seconds, read in pages of a thousand in a few milliseconds each."""
    with Sandbox(customers=20_000) as box, httpx.Client(headers={"x-api-key": box.flexprice.api_key}) as client:
        url = box.flexprice.base_url + "/v1/customers"
        before = time.perf_counter()
        for offset in range(0, 20_000, 1000):
            page = client.get(url, params={"limit": 1000, "offset": offset, "order": "asc"})
            assert page.status_code == 200
        assert time.perf_counter() - before < 5


def test_a_bug_of_its_own_is_not_passed_off_as_a_server_error(monkeypatch):
    """The client gets a 500, and leaving the sandbox raises what happened."""
    box = Sandbox(customers=1)

    def explode(request):
        raise ZeroDivisionError

    monkeypatch.setattr(box.flexprice, "answer", explode)
    box.start()
    assert read_flexprice(box).status_code == 500
    with pytest.raises(RuntimeError, match="itself failed"):
        box.stop()


# The package need not be installed for these tests: the children look where this process found it.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(module.__file__).parents[2])}


def run_python(code):
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout


def test_importing_it_loads_no_server():
    """The pytest plugin, and so the module, loads only itself besides the package that holds it."""
    code = (
        "import sys, pytest, unified_customers; before = set(sys.modules);"
        "import unified_customers.sandbox.pytest_plugin; print(sorted(set(sys.modules) - before))"
    )
    assert run_python(code).strip() == str(["unified_customers.sandbox", "unified_customers.sandbox.pytest_plugin"])


def test_names_of_the_module_are_there_when_asked_for():
    """Each public name, and an honest error for any other."""
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense


def test_a_missing_extra_is_named_when_a_sandbox_starts():
    """Not before; with the line that mends it."""
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from unified_customers.sandbox import Sandbox\n"
        "box = Sandbox(customers=1)\n"
        "try:\n    box.start()\nexcept ImportError as error:\n    print(error)\n"
    )
    assert 'pip install "unified-customers[sandbox]"' in run_python(code)


def test_serve_forever_ends_with_an_interrupt():
    """Ctrl-C ends it quietly."""
    code = (
        "import _thread, threading\n"
        "from unified_customers.sandbox import Sandbox\n"
        "box = Sandbox(customers=1)\n"
        "box.start()\n"  # what takes long on a busy machine is over before the interrupt
        "wait, server = box._server.wait, box._server\n"
        "server.wait = lambda: (threading.Timer(0.1, _thread.interrupt_main).start(), wait())\n"
        "box.serve_forever()\n"
        "print('over')\n"
    )
    assert run_python(code).strip() == "over"


def test_the_fixture_offers_a_sandbox(pytester_run):
    """The plugin's fixture, in a test session of its own."""
    assert "1 passed" in pytester_run


@pytest.fixture
def pytester_run(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(
        "def test_it(unified_customers_sandbox):\n    assert len(unified_customers_sandbox.flexportal.ids) == 250\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "unified_customers.sandbox.pytest_plugin", str(test)]
    # Whether or not the package is installed and its entry point with it.
    environment = ENVIRONMENT | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment).stdout
