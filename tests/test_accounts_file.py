"""Accounts in a TOML file: read whole, keys kept elsewhere, and nothing secret ever said."""

from __future__ import annotations

import pytest
from tenants import Tenants

import unified_customers as uc
from unified_customers import accounts
from unified_customers.sandbox import serve

SIZES = {"a": 3, "b": 0, "c": 7}


@pytest.fixture
def filed(tmp_path, monkeypatch):
    """Three tenants on loopback, and the file of their accounts."""
    tenants = Tenants(SIZES)
    with serve(tenants) as url:
        lines = []
        for name in SIZES:
            monkeypatch.setenv(f"KEY_{name.upper()}", f"key-of-{name}")
            lines += [f"[accounts.{name}]", 'provider = "flexportal"', f'tenant_id = "{name}"']
            lines += [f'base_url = "{url}"', f'api_key = {{ env = "KEY_{name.upper()}" }}', ""]
        path = tmp_path / "accounts.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        yield tenants, path


def ids(customers):
    """Sorted ids."""
    return sorted(customer.id for customer in customers)


def test_a_file_s_accounts_are_read_by_name(filed):
    """In the file's order, or those that were asked for in theirs."""
    _, path = filed
    assert list(accounts.read(path)) == ["a", "b", "c"]
    assert list(uc.accounts.read(str(path), only=["c", "a", "c"])) == ["c", "a"]
    assert accounts.read(path)["c"].tenant_id == "c"


def test_a_directory_is_opened_from_a_file(filed):
    """With its options."""
    tenants, path = filed
    with uc.Directory.from_file(path, concurrency=2) as directory:
        assert ids(directory.customers()) == tenants.truth
        assert list(directory.accounts) == ["a", "b", "c"]
    with uc.Directory.from_file(path, only=["a"]) as directory:
        assert ids(directory.customers()) == ["a-0", "a-1", "a-2"]


@pytest.mark.anyio
async def test_an_async_directory_is_opened_from_a_file(filed):
    """Likewise."""
    tenants, path = filed
    async with uc.AsyncDirectory.from_file(path, only=["a", "c"], per_host=1) as directory:
        assert ids([customer async for customer in directory.customers()]) == tenants.truth


def test_a_name_that_is_not_there_is_told_with_the_nearest(filed):
    """And the known ones."""
    _, path = filed
    with pytest.raises(uc.ConfigurationError, match=r"no account 'A' in .*did you mean a\? known are a, b, c"):
        accounts.read(path, only=["A"])
    with pytest.raises(uc.ConfigurationError, match=r"only=\['abc'\]"):
        accounts.read(path, only="abc")
    with pytest.raises(uc.ConfigurationError, match="no account is wanted"):
        accounts.read(path, only=[])


SECRET = "sk_live_" + "1234567890"
FLEXPRICE = '[accounts.berlin]\nprovider = "flexprice"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no account stands in"),
        ("accounts = 3\n", "tables such as"),
        (f'[accounts.berlin]\napi_key = "{SECRET}"\n', "names no provider"),
        (f'{FLEXPRICE}api_key = "{SECRET}"\n', "copied, shared and committed"),
        (f'{FLEXPRICE}api_key = {{ env = "{SECRET}", file = "x" }}\n', "stands as"),
        (f'{FLEXPRICE}api_key = ["{SECRET}"]\n', "api_key must not stand"),
        (f'{FLEXPRICE}api_key = {{ vault = "{SECRET}" }}\n', "stands as"),
        (f'{FLEXPRICE}api_key = {{ env = "HAS_NONE" }}\n', "HAS_NONE, which is not set"),
        (f'{FLEXPRICE}api_key = {{ file = "none" }}\n', "can't be read"),
        (f'{FLEXPRICE}api_key = {{ file = "~nobody-of-that-name/key" }}\n', "no such user's folder"),
        (f'{FLEXPRICE}api_key = {{ file = "a\\u0000b" }}\n', "can't be read"),
        (f"{FLEXPRICE}scan = {'[' * 2000}{']' * 2000}\n", "can't be read"),
        (f"{FLEXPRICE}scan = {'1' * 5000}\n", "can't be read"),
        (f'{FLEXPRICE}api_key = {{ env = "KEY" }}\ntoken = "{SECRET}"\n', "token must not stand"),
        (f'{FLEXPRICE}api_key = {{ env = "KEY" }}\nother = "{SECRET}"\n', "does not know other"),
        (f'{FLEXPRICE}api_key = {{ env = "KEY" }}\nbase_url = "ftp://{SECRET}@host"\n', "base_url"),
        (f'{FLEXPRICE}api_key = {{ env = "BROKEN" }}\n', "api_key"),
        (f"[accounts.berlin\n{SECRET}", "not valid TOML"),
        (f'api_key = "{SECRET}"\n{FLEXPRICE}', "copied, shared and committed"),
        (f'api_key = {{ env = "KEY" }}\n{FLEXPRICE}', "'api_key' at its top belongs to no account"),
        (f'[berlin]\nprovider = "flexprice"\napi_key = "{SECRET}"\n', "'berlin' at its top belongs to no account"),
        (f'region = "eu"\n{FLEXPRICE}', "'region' at its top"),
    ],
)
def test_what_is_wrong_is_told_by_account_and_file_and_never_by_value(tmp_path, monkeypatch, text, says):
    """Whatever it is."""
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("BROKEN", f"{SECRET}\nx")
    monkeypatch.delenv("HAS_NONE", raising=False)
    path = tmp_path / "accounts.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(uc.ConfigurationError) as caught:
        uc.Directory.from_file(path)
    said = str(caught.value)
    assert says in said
    assert str(path) in said
    assert SECRET not in said
    assert "berlin" in said or says in {"no account stands in", "tables such as", "not valid TOML", "can't be read"}


def test_a_file_that_is_not_text_or_not_there_is_told(tmp_path):
    """By its name."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name, says in {"bytes.toml": "not UTF-8", "none.toml": "No such file", ".": "directory"}.items():
        with pytest.raises(uc.ConfigurationError, match=says):
            accounts.read(tmp_path / name)


def test_a_book_says_no_value_of_its_own(filed):
    """Its tables hold settings."""
    _, path = filed
    assert "flexportal" not in repr(accounts.load(path))
