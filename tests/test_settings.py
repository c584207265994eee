"""Accounts' settings: what can't work is refused where it enters, by name, and a key is never shown."""

from __future__ import annotations

import attrs
import pytest
from fakes import HOST, Account, FakeFlatpeak, FakeFlexPortal, FakeFlexprice, people, reply
from hypothesis import given
from hypothesis import strategies as st

import unified_customers as uc

GOOD = {
    uc.FlexPortal: {"api_key": "pk_planted", "tenant_id": "ten_1"},
    uc.Flexprice: {"api_key": "sk_planted"},
    uc.Flatpeak: {"account_id": "acc_1", "api_key": "sk_planted"},
}
CASES = list(GOOD.items())
SERVERS = {uc.FlexPortal: FakeFlexPortal, uc.Flexprice: FakeFlexprice, uc.Flatpeak: FakeFlatpeak}


EMPTY = {
    "flexportal": {"customers": [], "hasMore": False, "nextCursor": None},
    "flexprice": {"items": [], "pagination": {"total": 0}},
    "flatpeak": {"data": [], "has_more": False},
}


def first_url(account) -> str:
    """The address of the list; whoever signs in may."""
    seen = []

    def server(request):
        seen.append(request.url)
        token = {"bearer_token": "t", "expires_in": 3600}
        return reply(200, token if request.url.endswith("/login") else EMPTY[account.name])

    assert list(Account(account, server).customers()) == []
    return seen[-1]


@pytest.mark.parametrize(("cls", "settings"), CASES)
@pytest.mark.parametrize(
    "key",
    [
        "",
        None,
        " ",
        "sk_planted\n",
        " sk_planted",
        "sk_planté",
        "sk\x00",
        "sk\r\nX-Evil: 1",
        7,
        b"sk_planted",
        "\u200bsk_planted",
    ],
    ids=repr,
)
def test_a_key_that_cant_be_sent_is_refused(cls, settings, key):
    """By name, with the variable to check, and without showing it."""
    with pytest.raises(uc.ConfigurationError, match="api_key") as caught:
        cls(**{**settings, "api_key": key})
    assert f"{cls.__name__.upper()}_API_KEY" in str(caught.value) or not isinstance(key, str | None)
    assert "planted" not in str(caught.value)


@given(st.text(max_size=20))
def test_any_key_is_good_or_refused(key):
    """No text makes a foreign error."""
    for cls, settings in CASES:
        try:
            account = cls(**{**settings, "api_key": key})
        except uc.ConfigurationError:
            continue
        assert key.isascii()
        assert key.isprintable()
        assert len(key) < 4 or key not in repr(account)


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_settings_are_frozen_and_silent(cls, settings):
    """A repr shows no key; equal settings are equal."""
    account = cls(**settings)
    assert "planted" not in repr(account)
    assert "planted" not in str(account)
    assert account == cls(**settings)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        account.api_key = "x"


@pytest.mark.parametrize(("cls", "settings"), CASES)
@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://h.example", "https://h.example"),
        ("https://h.example/", "https://h.example"),
        ("https://h.example/v1", "https://h.example"),
        ("https://h.example/v1/", "https://h.example"),
        ("https://h.example/proxy", "https://h.example/proxy"),
        ("https://h.example/proxy/v1/", "https://h.example/proxy"),
        ("https://h.example:8443/v1", "https://h.example:8443"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        (" https://h.example ", "https://h.example"),
    ],
)
def test_a_base_url_in_every_form(cls, settings, base, root):
    """With or without `/v1`, with a proxy's prefix; the adapter adds the rest."""
    path = "/customers" if cls is uc.Flatpeak else "/v1/customers"
    address = first_url(cls(**settings, base_url=base))
    assert address.partition("?")[0] == root + path


@pytest.mark.parametrize(("cls", "settings"), CASES)
@pytest.mark.parametrize(
    "base",
    [
        " ",
        "h.example",
        "//h.example",
        "ftp://h.example",
        "https://",
        "https:///v1",
        "https://h.example?key=1",
        "https://h.example/#x",
        "https://user:pass@h.example",
        "https://h example",
        "https://h.example/\n",
        "https://h.example:99999",
        "https://h.example:x",
        "https://[::1",
        "https://hé.example",
        "http://h.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        7,
        b"https://h.example",
    ],
    ids=repr,
)
def test_an_address_that_cant_be_meant_is_refused(cls, settings, base):
    """Before anything is sent; plain http only on this machine."""
    with pytest.raises(uc.ConfigurationError, match="base_url"):
        cls(**settings, base_url=base)


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_plain_http_elsewhere_takes_a_deliberate_word(cls, settings):
    """`allow_http=True`."""
    assert cls(**settings, base_url="http://h.example", allow_http=True).base_url == "http://h.example"


@pytest.mark.parametrize(
    ("make", "host"),
    [
        (lambda: uc.FlexPortal(api_key="k", tenant_id="t"), "https://api-eu.flexportal.io/v1/"),
        (lambda: uc.FlexPortal(api_key="k", tenant_id="t", region="us"), "https://api-us.flexportal.io/v1/"),
        (lambda: uc.FlexPortal(api_key="k", tenant_id="t", region="qatar"), "https://api-qatar.flexportal.io/v1/"),
        (lambda: uc.Flexprice(api_key="k"), "https://us.api.flexprice.io/v1/"),
        (lambda: uc.Flexprice(api_key="k", region="india"), "https://api.cloud.flexprice.io/v1/"),
        (lambda: uc.Flatpeak(account_id="a", api_key="k"), "https://api.flatpeak.com/customers"),
        (lambda: uc.Flatpeak(bearer_token="t"), "https://api.flatpeak.com/customers"),
    ],
)
def test_regions_have_their_hosts(make, host):
    """As the documents say."""
    assert first_url(make()).startswith(host)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: uc.FlexPortal(api_key="k", tenant_id="t", region="mars"), "eu, us, qatar"),
        (lambda: uc.FlexPortal(api_key="k", tenant_id="t", region=None), "eu, us, qatar"),
        (lambda: uc.FlexPortal(api_key="k"), "FLEXPORTAL_TENANT_ID"),
        (lambda: uc.FlexPortal(tenant_id="t"), "FLEXPORTAL_API_KEY"),
        (uc.Flexprice, "FLEXPRICE_API_KEY"),
        (lambda: uc.Flexprice(api_key="k", region="eu"), "us, india"),
        (lambda: uc.Flexprice(api_key="k", auth="basic"), "both, x-api-key, bearer"),
        (lambda: uc.Flexprice(api_key="k", scan="fast"), "auto, keyset, offset"),
        (lambda: uc.Flexprice(api_key="k", environment_id="a\nb"), "environment_id"),
        (uc.Flatpeak, "FLATPEAK_ACCOUNT_ID"),
        (lambda: uc.Flatpeak(account_id="a"), "FLATPEAK_API_KEY"),
        (lambda: uc.Flatpeak(api_key="k"), "FLATPEAK_ACCOUNT_ID"),
        (lambda: uc.Flatpeak(account_id="a:b", api_key="k"), "colon"),
        (lambda: uc.Flatpeak(bearer_token=""), "FLATPEAK_BEARER_TOKEN"),
        (lambda: uc.Flatpeak(account_id="a", api_key="k", version="x\ny"), "version"),
    ],
)
def test_a_wrong_or_missing_setting_is_named(make, says):
    """With the words that are known, or the variable to set."""
    with pytest.raises(uc.ConfigurationError, match=says):
        make()


@pytest.mark.parametrize(
    ("auth", "names"),
    [("both", {"x-api-key", "authorization"}), ("x-api-key", {"x-api-key"}), ("bearer", {"authorization"})],
)
def test_flexprice_sends_its_key_as_told(auth, names):
    """Both by default, so that the documents and the real server are both served."""
    fake = FakeFlexprice(people([0]))
    list(Account(uc.Flexprice(api_key="sk_1", auth=auth, base_url=HOST, environment_id="env_1"), fake).customers())
    headers = dict(fake.requests[0].headers)
    assert {"x-api-key", "authorization"} & headers.keys() == names
    assert headers["x-environment-id"] == "env_1"
    assert headers.get("authorization", "Bearer sk_1") == "Bearer sk_1"


def test_flexportal_always_sends_its_tenant():
    """`Tenant-ID` beside the bearer key."""
    fake = FakeFlexPortal(people([0]))
    list(Account(uc.FlexPortal(api_key="pk_1", tenant_id="ten_1", base_url=HOST), fake).customers())
    headers = dict(fake.requests[0].headers)
    assert headers["tenant-id"] == "ten_1"
    assert headers["authorization"] == "Bearer pk_1"


def test_flatpeak_sends_its_version_when_pinned():
    """Else the account's own holds."""
    for version in (None, "2025-09-14.anode"):
        fake = FakeFlatpeak(people([0]))
        list(Account(uc.Flatpeak(account_id="a", api_key="k", version=version, base_url=HOST), fake).customers())
        assert {dict(request.headers).get("flatpeak-version") for request in fake.requests} == {version}


# Keys that are called or read


@pytest.mark.parametrize("cls", [uc.FlexPortal, uc.Flexprice, uc.Flatpeak])
def test_a_key_may_be_a_callable_or_a_file(cls, tmp_path):
    """It is asked for anew each time, and a newline at the end of a file is no part of it."""
    path = tmp_path / "key"
    path.write_text("sk_file\n")
    for key, want in ((lambda: "sk_called", "sk_called"), (path, "sk_file")):
        account = cls(**{**GOOD[cls], "api_key": key, "base_url": HOST})
        fake = SERVERS[cls](people([0]))
        list(Account(account, fake).customers())
        sent = dict(fake.requests[0].headers)["authorization"]
        assert sent == f"Bearer {want}" or cls is uc.Flatpeak
        assert want in account.secrets()


def failing_key():
    raise OSError("planted")


@pytest.mark.parametrize("key", [failing_key, lambda: "sk\n", lambda: None, lambda: 7])
@pytest.mark.parametrize("cls", [uc.FlexPortal, uc.Flexprice, uc.Flatpeak])
def test_a_callable_that_fails_is_a_configuration_error(cls, key):
    """Named, without what it said."""
    account = Account(cls(**{**GOOD[cls], "api_key": key, "base_url": HOST}), SERVERS[cls](people([0])))
    with pytest.raises(uc.ConfigurationError, match="api_key") as caught:
        list(account.customers())
    assert "planted" not in str(caught.value)
