"""Which accounts a directory has: what each is called, what it is known by, and at which host it is.

Pure: knows adapters by their protocol; must not know any one provider, walks or who reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .. import _checkpoint
from .._adapter import Adapter, lacking
from .._walk import Plan
from ..errors import ConfigurationError

Accounts = Iterable[Adapter] | Mapping[str, Adapter]
_TAKES = "a directory takes accounts' settings, such as [FlexPortal(api_key=…, tenant_id=…)] or {name: settings}"
_PORTS = {"http": 80, "https": 443}


def named(accounts: Accounts) -> dict[str, Adapter]:
    """Accounts by name: the mapping's, or the provider's, numbered where there are several.

    Raises:
        ConfigurationError: There is no account, one is no account's settings, or a name is no text.
    """
    given: Any = accounts
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigurationError(f"{_TAKES}, not {type(accounts).__name__}")
    found = dict(accounts) if isinstance(accounts, Mapping) else _numbered(accounts)
    if not found:
        raise ConfigurationError("a directory needs at least one account")
    if any(not isinstance(name, str) or not name.strip() for name in found):
        raise ConfigurationError("accounts are named by text that is not empty")
    for name, adapter in found.items():
        _refuse_stranger(name, adapter)
    return found


def _refuse_stranger(name: str, adapter: Any) -> None:
    """What is no settings is told by its type only, as it may be a key."""
    if isinstance(adapter, type):
        raise ConfigurationError(f"{_TAKES}: {name!r} is the class {adapter.__name__}, without settings")
    if not hasattr(adapter, "list_request"):
        raise ConfigurationError(f"{_TAKES}: {name!r} is of type {type(adapter).__name__}")
    if missing := lacking(type(adapter)):
        raise ConfigurationError(f"{type(adapter).__name__} is no whole adapter: it lacks {', '.join(missing)}")


def _numbered(accounts: Iterable[Adapter]) -> dict[str, Adapter]:
    found: dict[str, Adapter] = {}
    counts: dict[str, int] = {}
    for adapter in accounts:
        name = str(getattr(adapter, "name", "account"))
        counts[name] = counts.get(name, 0) + 1
        found[f"{name}-{counts[name]}" if counts[name] > 1 else name] = adapter
    return found


def keys(accounts: Mapping[str, Adapter]) -> dict[str, str]:
    """What each account is known by in a checkpoint, whatever it is called and wherever it stands.

    Raises:
        ConfigurationError: Two of them are the same.
    """
    found: dict[str, str] = {}
    holders: dict[str, str] = {}
    for name, adapter in accounts.items():
        key = _checkpoint.account_key(adapter)
        if key in holders:
            raise ConfigurationError(
                f"the accounts {holders[key]!r} and {name!r} are the same (provider, address, tenant): give each once"
            )
        found[name], holders[key] = key, name
    return found


def host(plan: Plan) -> str:
    """Where an account is read, as scheme, host and port: the adapter's own first request says so."""
    parts = urlsplit(plan.context.adapter.list_request(plan.query, plan.start).url)
    try:
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"
    except ValueError:  # a port that is none; whoever sends the request will say so
        return f"{parts.scheme}://{parts.netloc}"
