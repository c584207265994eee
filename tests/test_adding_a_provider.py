"""The provider of docs/adding-a-provider.md: its files, put together from the page, make a plugin that keeps its word.

The page itself runs with the other pages; here the same files are installed in a folder of their own, as a stranger's
package, and tried harder.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import anyio
import httpx
import pytest
from sybil_files import files_of, forget, install
from wires import Wire

import unified_customers as uc
from unified_customers import adapter as a
from unified_customers.sandbox import serve

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "adding-a-provider.md"
AT_ONCE = uc.Retry(attempts=4, first_wait=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the page's files, installed."""
    made = tmp_path_factory.mktemp("ledgerly").resolve()
    for name, text in files_of(PAGE).items():
        (made / name).write_text(text, encoding="utf-8")
    install(made)
    return made


@pytest.fixture
def ledgerly(folder, monkeypatch):
    """The plugin in this process: the module `fake_ledgerly`, and what the environment says of the account."""
    monkeypatch.syspath_prepend(str(folder))
    import fake_ledgerly

    monkeypatch.setenv("LEDGERLY_API_KEY", fake_ledgerly.KEY)
    monkeypatch.setenv("LEDGERLY_BASE_URL", "https://ledgerly.example")
    yield fake_ledgerly
    forget(folder)


def connected(server, **options):
    """A client of the plugin, without a socket."""
    return uc.connect("ledgerly", http_client=Wire(server).sync, **options)


def ids(customers):
    return [customer.id for customer in customers]


# One file, and nothing else


def test_the_adapter_is_one_file_of_about_a_hundred_lines(folder):
    """Blank lines and docstrings included."""
    lines = (folder / "ledgerly.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert sum(1 for line in lines if line.strip()) <= 100
    assert max(map(len, lines)) <= 120


def test_the_files_use_public_names_only(folder):
    """`unified_customers`, its `adapter`, `conformance` and `sandbox`: no room whose name begins with `_`."""
    for name in files_of(PAGE):
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))):
                modules = [node.module] if isinstance(node, ast.ImportFrom) else []
                modules += [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
                assert not any(
                    part.startswith("_") for one in modules for part in one.split(".") if one != "__future__"
                )


def test_no_line_of_the_library_knows_of_it():
    """Neither its name nor a table with a place for it."""
    for file in (ROOT / "unified_customers").rglob("*.py"):
        assert "ledgerly" not in file.read_text(encoding="utf-8").casefold(), file


def test_its_records_are_read_the_fast_way(ledgerly):
    """What the page says to leave out of the table's functions would make every page slow, in silence."""
    from ledgerly import CUSTOMERS

    headers = (("authorization", f"Bearer {ledgerly.KEY}"),)
    response = ledgerly.FakeLedgerly(5)(a.Request(method="GET", url="http://x/v1/customers", headers=headers))
    assert len(CUSTOMERS._fast(CUSTOMERS.decode(response)["data"])) == 5


# As a plugin


def test_it_is_one_of_the_providers(ledgerly):
    """By its entry point alone."""
    assert uc.providers()["ledgerly"] == a.Capabilities(filters=("email",), max_page_size=100)


def test_connect_takes_its_settings_from_the_environment(ledgerly, monkeypatch):
    """And names the variable that is missing."""
    with uc.connect("ledgerly") as client:
        assert client.provider.secrets() == (ledgerly.KEY,)
        assert client.provider.account() == ("https://ledgerly.example",)
    monkeypatch.delenv("LEDGERLY_API_KEY")
    with pytest.raises(uc.ConfigurationError, match="set LEDGERLY_API_KEY"):
        uc.connect("ledgerly")


def test_the_command_line_knows_it(folder):
    """`providers`, `list` and `get` against the page's server, started as the page says."""
    python = [sys.executable, "-W", "error"]
    here = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        [*python, "fake_ledgerly.py"], cwd=folder, env=here, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        here |= dict(word.split("=", 1) for word in server.stdout.readline().split()[1:])

        def said(*words):
            command = [*python, "-m", "unified_customers", *words]
            return subprocess.run(command, env=here, capture_output=True, text=True, check=True).stdout

        assert "ledgerly" in said("providers")
        listed = [json.loads(line) for line in said("list", "ledgerly", "-o", "jsonl").splitlines()]
        assert len({customer["id"] for customer in listed}) == len(listed) == 250
        assert json.loads(said("get", "ledgerly", "cus_0007"))["name"] == "Customer number 7"
        server.communicate("\n")
    assert server.returncode == 0


# Its walks


@pytest.mark.parametrize("ahead", [0, 2])
@pytest.mark.parametrize("size", [1, 7, 50, 83, 100])
def test_250_customers_come_once_each(ledgerly, size, ahead):
    """In pages of any size, read ahead or not."""
    server = ledgerly.FakeLedgerly(250)
    with connected(server) as client:
        assert sorted(ids(client.customers(page_size=size, prefetch=ahead))) == list(server.records)


@pytest.mark.parametrize("width", [1, 5])
def test_pages_by_offset_may_be_asked_for_at_the_same_time(ledgerly, width):
    """As the page's second adapter says where the next ones should start."""
    from test_by_offset import ByOffset, FakeByOffset

    server = FakeByOffset(250)
    with uc.Client(ByOffset(api_key=ledgerly.KEY), http_client=Wire(server).sync) as client:
        assert sorted(ids(client.customers(page_size=20, concurrency=width))) == list(server.records)


def test_it_walks_over_a_real_socket(ledgerly, monkeypatch):
    """With both clients and in a directory."""
    with serve(ledgerly.FakeLedgerly(250)) as url:
        monkeypatch.setenv("LEDGERLY_BASE_URL", url)

        async def main():
            async with uc.connect_async("ledgerly") as client:
                return [customer.id async for customer in client.customers()]

        with uc.connect("ledgerly") as client, uc.Directory([client.provider]) as directory:
            found = [ids(client.customers()), ids(directory.customers()), anyio.run(main)]
    assert [len(set(one)) for one in found] == [len(one) for one in found] == [250, 250, 250]


@pytest.mark.parametrize("seed", range(30))
def test_who_stays_comes_once_while_others_are_deleted_and_created(ledgerly, seed):
    """Between pages, the customer of the cursor among them; nobody who was there all the time is lost."""
    random, server = Random(seed), ledgerly.FakeLedgerly(250)
    at_start, new = set(server.records), iter(range(1000, 9999))

    def moving(request):
        answer = server(request)
        rows = [row["id"] for row in json.loads(answer.body).get("data", [])]
        others = random.sample(list(server.records), min(8, len(server.records)))
        for gone in {*rows[-1:], *others[: random.randint(0, 8)]}:
            server.records.pop(gone, None)
        for k in (next(new) for _ in range(random.randint(0, 6))):
            server.records[f"cus_{k}"] = {**ledgerly.made_up(k), "created": 1_700_000_000 + random.randint(0, 120)}
        return answer

    with connected(moving) as client:
        listing = client.customers(page_size=random.choice([5, 20, 60]))
        got = ids(listing)
    assert len(set(got)) == len(got)
    assert at_start & set(server.records) <= set(got)
    assert listing.report.drift  # the cursor's customer was deleted, so it did go back


@pytest.mark.parametrize("deleted", [False, True])
def test_another_process_goes_on_from_any_customer(ledgerly, deleted):
    """Also if that customer was deleted meanwhile."""
    for count in range(25):
        server = ledgerly.FakeLedgerly(25)
        with connected(server) as client:
            listing = client.customers(page_size=10, max_items=count)
            first, checkpoint = ids(listing), listing.checkpoint
        wanted = sorted(server.records)
        if deleted and first:
            del server.records[first[-1]]
        with connected(server) as client:
            assert sorted(first + ids(client.customers(page_size=10, after=checkpoint))) == wanted


def test_a_checkpoint_of_another_account_is_refused(ledgerly, monkeypatch):
    """The address tells accounts apart."""
    with connected(ledgerly.FakeLedgerly(5)) as client:
        checkpoint = client.customers(max_items=2).checkpoint
    monkeypatch.setenv("LEDGERLY_BASE_URL", "https://other.example")
    with connected(ledgerly.FakeLedgerly(5)) as client, pytest.raises(uc.CheckpointError, match="another account"):
        client.customers(after=checkpoint)


def test_a_filter_that_is_ignored_is_noticed(ledgerly):
    """A server that forgets the e-mail is not believed."""

    def deaf(request):
        return server(a.Request(method="GET", url=request.url.split("&email")[0], headers=request.headers))

    server = ledgerly.FakeLedgerly(5)
    with connected(server) as client:
        assert ids(client.customers(email="customer3@mail.example")) == ["cus_0003"]
    with connected(deaf) as client, pytest.raises(uc.FilterIgnoredError, match="ignored the filter email"):
        list(client.customers(email="customer3@mail.example"))


# Its errors


def test_refusals_come_in_its_own_words(ledgerly):
    """The status decides the class; message and code are the provider's."""
    server = ledgerly.FakeLedgerly(3)
    with connected(server, api_key="sk_wrong") as client, pytest.raises(uc.AuthenticationError) as told:
        list(client.customers())
    assert (told.value.status, told.value.code) == (401, "invalid_api_key")
    assert "This key is not known." in str(told.value)
    assert "check LEDGERLY_API_KEY" in str(told.value)
    with connected(server) as client, pytest.raises(uc.NotFoundError, match=r"No such customer\.") as told:
        client.customer("cus_9999")
    assert told.value.code == "resource_missing"


@pytest.mark.parametrize(
    ("pages", "code"), [(0, "resource_missing"), (0, "parameter_invalid"), (1, "parameter_invalid")]
)
def test_a_400_that_is_no_lost_cursor_is_an_error(ledgerly, pages, code):
    """Another code, or no cursor to lose: one request, and no step back."""
    server, asked = ledgerly.FakeLedgerly(25), []

    def refusing(request):
        asked.append(request.url)
        return ledgerly.refusal(400, code, "No.") if len(asked) > pages else server(request)

    with connected(refusing) as client, pytest.raises(uc.InvalidRequestError, match=r"No\."):
        list(client.customers(page_size=10))
    assert len(asked) == pages + 1


def test_faults_that_pass_are_repeated(ledgerly):
    """Nothing in the adapter says so; a fault that stays is an error from which the walk goes on."""
    server, faults = ledgerly.FakeLedgerly(25), iter([None, 503, 429, None, *[500] * 4])

    def faulty(request):
        status = next(faults, None)
        return ledgerly.answer(status, {}) if status else server(request)

    with connected(faulty, retry=AT_ONCE) as client:
        walk = iter(client.customers(page_size=10))
        got = [next(walk).id for _ in range(20)]
        with pytest.raises(uc.ServerError):
            next(walk)
        assert sorted(got + ids(walk)) == sorted(server.records)


def test_a_record_of_a_wrong_type_is_told_by_its_place(ledgerly):
    """Or left out, and counted."""
    server = ledgerly.FakeLedgerly(3)
    server.records["cus_0001"]["address"]["city"] = 5
    with connected(server) as client:
        with pytest.raises(uc.BadRecordError, match=r"expected text, got a number @ \$\.data\[1\]\.address\.city"):
            list(client.customers())
        listing = client.customers(on_bad_record="skip")
        assert (ids(listing), listing.report.bad) == (["cus_0002", "cus_0000"], 1)


# The kit


def test_the_kit_passes_as_the_page_runs_it(folder):
    """Both of the page's test files, in a pytest of their own; what is skipped says why."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_ledgerly.py"]
    done = subprocess.run([*command, "test_by_offset.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "no sign-in: signs_in() is false" in done.stdout


def test_an_adapter_can_be_tried_without_sending_anything(ledgerly):
    """A request is a value that the fake server takes as it is, and its answer one that the adapter reads."""
    from ledgerly import Ledgerly

    account, query = Ledgerly(api_key=ledgerly.KEY), uc.Query(email="customer1@mail.example")
    request = account.list_request(query, account.start(query))
    batch = account.read_page(query, account.start(query), ledgerly.FakeLedgerly(5)(request), a.raised)
    assert (ids(batch.items), batch.next) == (["cus_0001"], None)
    assert httpx.URL(request.url).params["email"] == "customer1@mail.example"
