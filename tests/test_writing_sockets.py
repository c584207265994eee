"""Writes over real sockets, sync, on asyncio and on trio: what is lost on the way is found again."""

from __future__ import annotations

import socket
import threading

import anyio
import pytest

import unified_customers as uc
from unified_customers.adapter import Response
from unified_customers.sandbox import Sandbox, serve

CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
QUICK = uc.Retry(attempts=6, first_wait=0.001, max_wait=0.002)
PLANTED = {"name": "Planted Name", "email": "planted@example.com", "phone": "+49 planted"}
LOSSES = {
    "lost": {},
    "lost to a gateway": {"answer": 502},
    "late": {},
    "later": {"requests": 2},
    "cut": {"on": "write"},
    "cut-chunked": {"on": "write"},
    "garbage": {"on": "write"},
    "empty": {"on": "write"},
    "reset": {"on": "write"},
    "503": {"on": "write"},
}
KINDS = {"lost to a gateway": "lost", "later": "late"}


@pytest.fixture(scope="module")
def box():
    with Sandbox(customers=20) as box:
        yield box


@pytest.fixture(autouse=True)
def calm(box):
    """No fault of one test reaches the next."""
    yield
    for provider in box.providers:
        provider.clear_faults()


@pytest.fixture
def client(box):
    with uc.Client(uc.Flexprice(**box.flexprice.settings), retry=QUICK) as client:
        yield client


def holders(box, external_id):
    return [row["id"] for row in box.flexprice.rows if row["external_id"] == external_id]


@pytest.mark.parametrize(("loss", "options"), LOSSES.items(), ids=LOSSES)
def test_a_create_is_done_once_whatever_is_lost(box, client, loss, options):
    """One customer, and it is the one that is returned."""
    box.flexprice.fault(KINDS.get(loss, loss), **options)
    made = client.create(name="n", external_id=f"sync {loss}")
    client.customer(made.id)  # what was late has arrived by now
    client.customer(made.id)
    assert holders(box, f"sync {loss}") == [made.id]


@pytest.mark.anyio
@pytest.mark.parametrize(("loss", "options"), LOSSES.items(), ids=LOSSES)
async def test_an_async_create_is_done_once_whatever_is_lost(box, loss, options, anyio_backend_name):
    """Likewise, on both loops."""
    own = f"{anyio_backend_name} {loss}"
    async with uc.AsyncClient(uc.Flexprice(**box.flexprice.settings), retry=QUICK) as client:
        box.flexprice.fault(KINDS.get(loss, loss), **options)
        made = await client.create(name="n", external_id=own)
        await client.customer(made.id)
        await client.customer(made.id)
        assert holders(box, own) == [made.id]
        assert (await client.update(made.id, name="m")).name == "m"
        box.flexprice.fault("lost")
        await client.archive(made.id)
        assert (await client.customer(made.id)).status == uc.Status.ARCHIVED


@pytest.mark.anyio
async def test_the_others_write_asynchronously_as_well(box):
    """An update and an archive at FlexPortal, all four at Flatpeak."""
    async with uc.AsyncClient(uc.FlexPortal(**box.flexportal.settings), retry=QUICK) as client:
        own = box.flexportal.ids[3]
        assert client.check_update(first_name="") != ()
        assert (await client.update(own, first_name="Ada")).first_name == "Ada"
        await client.archive(own)
        assert (await client.customer(own)).status == uc.Status.INACTIVE
    async with uc.AsyncClient(uc.Flatpeak(**box.flatpeak.settings), retry=QUICK) as client:
        assert client.check_create(name="n") != ()
        made = await client.create(external_id="a")
        assert (await client.update(made.id, external_id="b")).external_id == "b"
        box.flatpeak.fault("lost")
        with pytest.raises(uc.UnknownOutcomeError):
            await client.create(external_id="c")
        await client.delete(made.id, cascade=True)
        with pytest.raises(uc.NotFoundError):
            await client.customer(made.id)


@pytest.mark.parametrize("loss", ["lost", "late", "reset", "cut"])
def test_a_lost_create_at_flatpeak_is_unknown_and_sent_once(box, loss):
    """Its references need not be unique, so nobody may try again."""
    with uc.Client(uc.Flatpeak(**box.flatpeak.settings), retry=QUICK) as client:
        client.check()
        before = len(box.flatpeak.requests)
        box.flatpeak.fault(loss, on="write")
        with pytest.raises(uc.UnknownOutcomeError):
            client.create(external_id="once")
        assert [method for method, _, _ in box.flatpeak.requests[before:]] == ["POST"]


def test_a_timeout_is_a_lost_answer(box):
    """The server acts, and answers when nobody listens any more."""
    box.flexprice.fault("slow", seconds=1.0, on="write")
    with uc.Client(uc.Flexprice(**box.flexprice.settings), retry=QUICK, timeout=0.2) as client:
        made = client.create(name="n", external_id="slow")
    assert holders(box, "slow") == [made.id]


def test_no_connection_is_no_lost_answer():
    """Nothing was sent, so nothing is unknown."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    account = uc.Flatpeak(bearer_token="t", base_url=f"http://127.0.0.1:{port}")
    with uc.Client(account, retry=QUICK) as client, pytest.raises(uc.ConnectionFailedError):
        client.create(external_id="x")


def test_a_quota_refuses_and_leaves_what_was_made(box, client):
    """Two, and no third."""
    box.flexprice.fault("quota", creates=2, status=402)
    made = [client.create(name="n", external_id=f"quota {number}") for number in range(2)]
    with pytest.raises(uc.InvalidRequestError) as caught:
        client.create(name="n", external_id="quota 2")
    assert (caught.value.status, len(made)) == (402, 2)
    assert client.update(made[0].id, name="m").name == "m"


def test_a_client_that_is_closed_on_the_way_leaves_it_unknown(box):
    """The request may have been heard."""
    box.flexprice.fault("slow", seconds=5.0, on="write")
    client = uc.Client(uc.Flexprice(**box.flexprice.settings), retry=QUICK)
    asked = len(box.flexprice.requests)
    caught = []

    def create():
        try:
            client.create(name="n", external_id="closed")
        except uc.CustomersError as error:
            caught.append(error)

    thread = threading.Thread(target=create)
    thread.start()
    while len(box.flexprice.requests) == asked:
        thread.join(0.01)
    client.close()
    thread.join(10)
    assert [type(error) for error in caught] == [uc.UnknownOutcomeError]


@pytest.mark.anyio
async def test_a_create_that_is_cancelled_says_nothing_of_itself(box):
    """The cancellation goes on; whoever needs to know looks it up."""
    box.flexprice.fault("slow", seconds=5.0, on="write")
    async with uc.AsyncClient(uc.Flexprice(**box.flexprice.settings)) as client:
        with anyio.move_on_after(0.2) as scope:
            await client.create(name="n", external_id="cancelled")
        assert scope.cancelled_caught
        assert (await client.customer(external_id="cancelled")).name == "n"


def test_threads_write_through_one_client(box, client):
    """Each its own customer, each once, with one answer in three lost."""
    for number in range(20):
        box.flexprice.fault("lost", after=3 * number)

    def work(number):
        for turn in range(5):
            client.create(name="n", external_id=f"thread {number} {turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [row["external_id"] for row in box.flexprice.rows if row["external_id"].startswith("thread")]
    assert sorted(made) == sorted(f"thread {number} {turn}" for number in range(8) for turn in range(5))


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_errors_show_nothing_that_was_sent(box, status):
    """A provider may repeat values in its message and details; none of them gets through, nor does the key."""
    address = uc.Address(line1="Planted Street 7", city="Plantedville", country_code="DE")
    metadata = {"note": "planted note"}

    def echo(request):
        body = (request.body or b"").decode()
        text = '{"code": "c", "message": "bad: %s", "details": {"body": [%s]}}'
        inner = body.replace("\\", "\\\\").replace('"', '\\"')
        return Response(
            status=status, headers={"content-type": "application/json"}, body=(text % (inner, body or 1)).encode()
        )

    with serve(echo) as url, uc.Client(uc.Flexprice(api_key="sk_planted", base_url=url), retry=QUICK) as client:
        with pytest.raises(uc.CustomersError) as caught:
            client.create(**PLANTED, external_id="planted-id", billing_address=address, metadata=metadata)
        with pytest.raises(uc.CustomersError) as changed:
            client.update("cust_planted", **PLANTED, metadata=metadata)
    for error in (caught.value, changed.value):
        shown = f"{error} {error!r} {error.details} {error.__cause__} {getattr(error.__cause__, 'details', None)}"
        assert "planted" not in shown.lower()
