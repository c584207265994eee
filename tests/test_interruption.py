"""Ctrl-C, cancelled tasks and walks left early: connections go back, no warning, the checkpoint is right."""

from __future__ import annotations

import gc
import warnings

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wires import ADAPTERS, async_client_of, client_of

# Interruption


class PressedError(KeyboardInterrupt):
    """A Ctrl-C that no test runner mistakes for its own."""


@settings(max_examples=30)
@given(st.sampled_from(sorted(ADAPTERS)), st.integers(1, 9), st.integers(1, 4))
def test_ctrl_c_inside_a_request_leaves_the_checkpoint_right(name, at, size):
    """It comes through as it is; the same iterator, and the checkpoint, go on."""
    client, wire = client_of(name)
    interrupted = []

    def meddle(request, n):
        if n == at and not interrupted:
            interrupted.append(n)
            raise PressedError
        return

    wire.server.meddle = meddle
    walk = iter(client.customers(page_size=size))
    got = []
    try:
        got.extend(customer.id for customer in walk)
    except PressedError:
        rest = [c.id for c in client.customers(page_size=size, after=walk.checkpoint)]
        assert [*got, *rest] == [*got, *(c.id for c in walk)]
        got += rest
    assert len(got) == len(set(got)) == 10


@pytest.mark.anyio
@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_cancelled_task_leaves_no_warning_and_a_right_checkpoint(name):
    """Cancelled in mid-page or in a request; the client can be used on."""
    client, _ = async_client_of(name, 20)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for stop in (1, 3, 7, 12):
            got = []
            listing = client.customers(page_size=3)
            with anyio.CancelScope() as scope:
                async for customer in listing:
                    got.append(customer.id)
                    if len(got) == stop:
                        scope.cancel()  # strikes inside the next request
            rest = [c.id async for c in client.customers(page_size=5, after=listing.checkpoint)]
            assert len(got) >= stop
            assert len({*got, *rest}) == len(got) + len(rest) == 20
        await client.aclose()
        gc.collect()
    assert [str(w.message) for w in caught] == []


@pytest.mark.anyio
async def test_cancelled_while_signing_in():
    """The lock is given back, so the next walk signs in."""
    client, wire = async_client_of("flatpeak", 5)
    hang = True

    async def answer(request):
        if hang:
            await anyio.sleep_forever()
        return wire(request)

    client._http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with anyio.move_on_after(0.01) as scope:
        await anext(aiter(client.customers()))
    assert scope.cancelled_caught
    hang = False
    assert len([c async for c in client.customers()]) == 5


def test_a_walk_left_early_leaves_nothing_behind():
    """`break`, and an iterator that is thrown away."""
    client, _ = client_of("flexprice")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in client.customers(page_size=2):
            break
        next(iter(client.customers()))
        gc.collect()
