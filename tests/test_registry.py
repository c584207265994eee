"""Adapters by name: from keywords, from the environment, from plugins."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from fakes import flexprice

import unified_customers as uc
from unified_customers import registry
from unified_customers.adapter import Adapter

ENVIRONMENTS = {
    "flexportal": {
        "FLEXPORTAL_API_KEY": "pk_1",
        "FLEXPORTAL_TENANT_ID": "ten_1",
        "FLEXPORTAL_REGION": "qatar",
        "FLEXPORTAL_BASE_URL": "https://h.example",
    },
    "flexprice": {
        "FLEXPRICE_API_KEY": "sk_1",
        "FLEXPRICE_REGION": "india",
        "FLEXPRICE_BASE_URL": "https://h.example",
        "FLEXPRICE_ENVIRONMENT_ID": "env_1",
    },
    "flatpeak": {
        "FLATPEAK_ACCOUNT_ID": "acc_1",
        "FLATPEAK_API_KEY": "sk_1",
        "FLATPEAK_BASE_URL": "https://h.example",
    },
}
CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}


@pytest.mark.parametrize("name", CLASSES)
def test_connect_reads_the_environment(name, monkeypatch):
    """Each variable of the contract reaches its setting."""
    for variable, value in ENVIRONMENTS[name].items():
        monkeypatch.setenv(variable, value)
    with uc.connect(name) as client:
        account = client.provider
        assert type(account) is CLASSES[name]
        for variable, value in ENVIRONMENTS[name].items():
            assert getattr(account, variable.removeprefix(name.upper() + "_").lower()) == value


def test_keywords_outweigh_the_environment(monkeypatch):
    """What is said here wins over what is found there; `None` says nothing."""
    for variable, value in ENVIRONMENTS["flexprice"].items():
        monkeypatch.setenv(variable, value)
    with uc.connect("flexprice", api_key="sk_2", region=None, scan="keyset") as client:
        assert (client.provider.api_key, client.provider.region, client.provider.scan) == ("sk_2", "india", "keyset")


def test_one_way_to_sign_in_given_outweighs_the_other_found(monkeypatch):
    """A bearer token in the environment does not spoil a key given here."""
    monkeypatch.setenv("FLATPEAK_BEARER_TOKEN", "tok")
    with uc.connect("flatpeak", account_id="acc_1", api_key="sk_1") as client:
        assert client.provider.bearer_token is None
    with uc.connect("flatpeak") as client:
        assert client.provider.bearer_token == "tok"


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("flexportal", "FLEXPORTAL_API_KEY"),
        ("flexportal", "FLEXPORTAL_TENANT_ID"),
        ("flexprice", "FLEXPRICE_API_KEY"),
        ("flatpeak", "FLATPEAK_ACCOUNT_ID"),
        ("flatpeak", "FLATPEAK_API_KEY"),
    ],
)
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_variable_is_named(name, left_out, empty, monkeypatch):
    """An empty one counts as missing."""
    for variable, value in ENVIRONMENTS[name].items():
        if variable != left_out:
            monkeypatch.setenv(variable, value)
        elif empty:
            monkeypatch.setenv(variable, "")
    with pytest.raises(uc.ConfigurationError, match=left_out):
        uc.connect(name)


@pytest.mark.parametrize("name", ["stripe", "Flexprice", "flexprise", "", "flexprice "])
def test_an_unknown_provider_lists_the_known(name):
    """With the nearest, where one is near."""
    with pytest.raises(uc.ConfigurationError) as caught:
        uc.connect(name)
    assert all(known in str(caught.value) for known in CLASSES)
    if name == "flexprise":
        assert "did you mean flexprice?" in str(caught.value)


def test_an_unknown_setting_is_named():
    """With those that there are."""
    with pytest.raises(uc.ConfigurationError, match="apikey") as caught:
        uc.connect("flexprice", apikey="sk_planted")
    assert "api_key" in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.anyio
async def test_connect_async_is_the_same(monkeypatch):
    """The same settings, the other client."""
    monkeypatch.setenv("FLEXPRICE_API_KEY", "sk_1")
    async with uc.connect_async("flexprice", region="india") as client:
        assert isinstance(client, uc.AsyncClient)
        assert client.provider == uc.Flexprice(api_key="sk_1", region="india")


def test_providers_says_what_each_can_do():
    """The three built-in ones, first."""
    found = uc.providers()
    assert list(found)[:3] == list(CLASSES)
    assert all(isinstance(can, uc.Capabilities) for can in found.values())
    assert found["flexprice"].max_page_size == 1000
    assert found["flexportal"].max_page_size == found["flatpeak"].max_page_size == 100
    assert [name for name, can in found.items() if can.backwards] == ["flatpeak"]
    assert [name for name, can in found.items() if can.total] == ["flexprice"]
    assert [name for name, can in found.items() if can.sign_in] == ["flatpeak"]


# Plugins


@pytest.fixture
def plugins(monkeypatch):
    """Entry points as if packages with these were installed."""
    module = types.ModuleType("pretend_plugin")

    class Pretend(type(flexprice())):
        name = "pretend"
        title = "Pretend"

    module.Pretend, module.number, module.plain = Pretend, 7, object
    monkeypatch.setitem(sys.modules, "pretend_plugin", module)

    def install(**values):
        points = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in values.items())
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points.select(group=group))

    return install


def test_a_plugin_is_found_by_name(plugins, monkeypatch):
    """`connect`, `providers()`, and its own environment variables."""
    plugins(pretend="pretend_plugin:Pretend")
    monkeypatch.setenv("PRETEND_API_KEY", "sk_env")
    assert list(uc.providers()) == [*CLASSES, "pretend"]
    with uc.connect("pretend") as client:
        assert client.provider.api_key == "sk_env"
        assert client.provider.name == "pretend"


@pytest.mark.parametrize(
    "value",
    ["no_such_module:X", "pretend_plugin:Missing", "pretend_plugin:number", "pretend_plugin:plain", "pretend_plugin"],
)
def test_a_broken_plugin_is_named_and_takes_nobody_down(plugins, value):
    """It is left out of the list, and an error only for who asks for it."""
    plugins(broken=value, pretend="pretend_plugin:Pretend")
    assert list(uc.providers()) == [*CLASSES, "pretend"]
    assert list(registry.broken()) == ["broken"]
    with pytest.raises(uc.ConfigurationError, match="broken"):
        uc.connect("broken")
    uc.connect("flexprice", api_key="sk_1").close()


def test_a_plugin_cannot_take_a_built_in_name(plugins):
    """A stranger's package does not get our keys."""
    plugins(flexprice="pretend_plugin:Pretend")
    assert list(uc.providers()) == list(CLASSES)
    with uc.connect("flexprice", api_key="sk_1") as client:
        assert type(client.provider) is uc.Flexprice


def test_an_unknown_provider_lists_plugins_too(plugins):
    """They are known as well."""
    plugins(pretend="pretend_plugin:Pretend")
    with pytest.raises(uc.ConfigurationError, match="pretend"):
        uc.connect("pretand")


def test_an_adapter_that_lacks_a_method_is_named_before_any_request():
    """A method of the protocol does nothing by itself, so a forgotten one would end a walk before it began."""

    class Half(uc.Flexprice):
        start = Adapter.start
        problem = None

    half = object.__new__(Half)
    with pytest.raises(uc.ConfigurationError, match="lacks problem, start"):
        uc.Client(half)
