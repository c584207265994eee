"""Which accounts a directory has: what each is called, what it is known by, and at which host it is.

Pure: knows adapters by their protocol; must not know any one provider, walks or who reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from .. import _checkpoint
from .._adapter import Adapter
from .._walk import Plan
from ..errors import ConfigurationError

Accounts = Iterable[Adapter] | Mapping[str, Adapter]
NAMED = "#"
"""Stands between what settings say of an account and its name, where that has to tell it from others."""

_PORTS = {"http": 80, "https": 443}


def named(accounts: Accounts) -> dict[str, Adapter]:
    """Accounts by name: the mapping's, or the provider's, numbered where there are several.

    Raises:
        ConfigurationError: There is no account, or a name is no text.
    """
    found = dict(accounts) if isinstance(accounts, Mapping) else _numbered(accounts)
    if not found:
        raise ConfigurationError("a directory needs at least one account")
    if any(not isinstance(name, str) or not name.strip() for name in found):
        raise ConfigurationError("accounts are named by text that is not empty")
    return found


def _numbered(accounts: Iterable[Adapter]) -> dict[str, Adapter]:
    found: dict[str, Adapter] = {}
    counts: dict[str, int] = {}
    for adapter in accounts:
        name = str(getattr(adapter, "name", "account"))
        counts[name] = counts.get(name, 0) + 1
        found[f"{name}-{counts[name]}" if counts[name] > 1 else name] = adapter
    return found


def keys(accounts: Mapping[str, Adapter], *, given: bool) -> dict[str, str]:
    """What each account is known by in a checkpoint: what its settings say of it, whatever it is called.

    Where these say the same of several, as of Flexprice's accounts of one region, which differ in their keys alone,
    and a key may rotate, each is known by its name as well.

    Args:
        accounts: By name.
        given: Whether the names are the caller's.

    Raises:
        ConfigurationError: Two of them are the same, or can't be told apart without names.
    """
    found = {name: _checkpoint.account_key(adapter) for name, adapter in accounts.items()}
    alike: dict[str, list[str]] = {}
    for name, key in found.items():
        _refuse_same(accounts, [*alike.get(key, ()), name], given=given)
        alike.setdefault(key, []).append(name)
    return {name: f"{key}{NAMED}{name}" if len(alike[key]) > 1 else key for name, key in found.items()}


def _refuse_same(accounts: Mapping[str, Adapter], names: Sequence[str], *, given: bool) -> None:
    *others, name = names
    for other in others:
        if accounts[other] == accounts[name]:
            raise ConfigurationError(f"the accounts {other!r} and {name!r} are the same: give each once")
        if not given:
            raise ConfigurationError(
                f"the accounts {other!r} and {name!r} have one provider, address and tenant and differ in their keys "
                "alone: name them, as in {'berlin': …, 'doha': …}, so that a checkpoint can tell them apart"
            )


def host(plan: Plan) -> str:
    """Where an account is read, as scheme, host and port: the adapter's own first request says so."""
    parts = urlsplit(plan.context.adapter.list_request(plan.query, plan.start).url)
    try:
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS.get(parts.scheme)}"
    except ValueError:  # a port that is none; whoever sends the request will say so
        return f"{parts.scheme}://{parts.netloc}"
