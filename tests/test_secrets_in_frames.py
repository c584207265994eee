"""Tools that show the local variables of a traceback's frames find no key in those of the library."""

from __future__ import annotations

import base64
import collections.abc
import traceback
from pathlib import Path

import anyio
import httpx
import pytest

import unified_customers as uc
from unified_customers._redact import Hidden

KEY, TOKEN, GIVEN = "sk_live_" + "planted7f", "tok_" + "planted99", "given-42"
MARKS = (KEY, TOKEN, base64.b64encode(f"acc_1:{KEY}".encode()).decode())
OURS = str(Path(uc.__file__).parent)
ACCOUNTS = {
    "flexportal": uc.FlexPortal(api_key=KEY, tenant_id="t"),
    "flexprice": uc.Flexprice(api_key=KEY),
    "flexprice, from a callable": uc.Flexprice(api_key=lambda: KEY),
    "flatpeak": uc.Flatpeak(account_id="acc_1", api_key=KEY),
    "flatpeak, with a token": uc.Flatpeak(bearer_token=TOKEN),
}
CALLS = {
    "list": lambda client: client.customers(params={"x": GIVEN}),
    "read ahead": lambda client: client.customers(prefetch=2),
    "get": lambda client: client.customer(GIVEN),
    "check": lambda client: client.check(),
}
BAD = [401, 403, 500, "malformed", "timeout"]
BAD_SIGN_INS = [*BAD, "half a token", "token in a list", "token that can't be sent"]
TWICE = uc.Retry(attempts=2, first_wait=0)


def answered(bad):
    """A bad answer, or none."""
    if bad == "timeout":
        raise httpx.ReadTimeout("too long")
    bodies = {
        "malformed": b'{"customers": nope',
        "half a token": f'{{"bearer_token": "{TOKEN}", nope'.encode(),
        "token in a list": f'["{TOKEN}"]'.encode(),
        "token that can't be sent": f'{{"bearer_token": "{TOKEN}\\n x"}}'.encode(),
    }
    if bad in bodies:
        return httpx.Response(200, content=bodies[bad])
    return httpx.Response(bad, json={"message": f"no {KEY} {TOKEN}"})


def server(bad, *, at_sign_in):
    def answer(request):
        if request.url.path.endswith("/login") and not at_sign_in:
            return httpx.Response(200, json={"bearer_token": TOKEN, "expires_in": 3600})
        return answered(bad)

    return httpx.MockTransport(answer)


def raised(settings, transport, call):
    """The error of a call."""
    http = httpx.Client(transport=transport)
    with uc.Client(settings, http_client=http, retry=TWICE) as client, pytest.raises(uc.CustomersError) as caught:
        list(call(client))
    return caught.value


def raised_async(settings, transport, call):
    """The same, awaited."""

    async def run():
        http = httpx.AsyncClient(transport=transport)
        async with uc.AsyncClient(settings, http_client=http, retry=TWICE) as client:
            found = call(client)
            if not hasattr(found, "__aiter__"):
                await found
            else:
                async for _ in found:
                    pass

    with pytest.raises(uc.CustomersError) as caught:
        anyio.run(run)
    return caught.value


def shown(error, marks=MARKS):
    """Library frames' variables that show something planted, in the error and all that is chained to it."""
    todo, found = [traceback.TracebackException.from_exception(error, capture_locals=True)], []
    while todo:
        told = todo.pop()
        todo += [one for one in (told.__cause__, told.__context__) if one is not None]
        for frame in told.stack:
            assert frame.filename.startswith("<") or frame.locals is not None
            if frame.filename.startswith(OURS):
                found += [(frame.filename, frame.name, name) for name, text in (frame.locals or {}).items()
                          if any(mark in text for mark in marks)]  # fmt: skip
    return found


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("how", [raised, raised_async])
def test_no_frame_shows_a_key(name, bad, how):
    """Whatever was called, and whatever was answered."""
    for call in CALLS.values():
        error = how(ACCOUNTS[name], server(bad, at_sign_in=False), call)
        assert shown(error) == [], call


@pytest.mark.parametrize("bad", BAD_SIGN_INS)
@pytest.mark.parametrize("how", [raised, raised_async])
def test_no_frame_shows_a_sign_in(bad, how):
    """Nor the token that came with a bad answer."""
    error = how(ACCOUNTS["flatpeak"], server(bad, at_sign_in=True), CALLS["list"])
    assert shown(error) == []


@pytest.mark.parametrize("settings", [uc.Flexprice(api_key=lambda: f"{KEY}\n"),
                                      uc.Flatpeak(account_id="acc_1", api_key=lambda: f"{KEY}\n")])  # fmt: skip
def test_no_frame_shows_a_key_that_turned_bad(settings):
    """What a callable returns is refused without a frame that holds it."""
    error = raised(settings, server(500, at_sign_in=True), CALLS["list"])
    assert isinstance(error, uc.ConfigurationError)
    assert shown(error) == []


@pytest.mark.parametrize("call", [lambda client: client.create(external_id=GIVEN),
                                  lambda client: client.update(GIVEN, external_id=GIVEN)])  # fmt: skip
def test_no_frame_shows_what_hides_written_values(call):
    """The values to be masked are as hidden as keys; what the caller gave stands in the frames that were given it."""
    error = raised(ACCOUNTS["flatpeak"], server(500, at_sign_in=False), call)
    assert "hide" not in {name for _, _, name in shown(error, (GIVEN,))}


def test_what_is_hidden_is_no_sequence_and_shows_only_how_much_there_is():
    """Trackers of errors write sequences out item by item, whatever their repr."""
    hidden = Hidden((KEY,)).plus(TOKEN)
    assert [*hidden] == [KEY, TOKEN]
    assert f"{hidden!r} {hidden}" == "<2 hidden> <2 hidden>"
    assert not isinstance(hidden, collections.abc.Sequence | collections.abc.Set | collections.abc.Mapping)
    assert hidden == Hidden((KEY, TOKEN))
    assert len({hidden, Hidden((KEY, TOKEN)), Hidden()}) == 2
