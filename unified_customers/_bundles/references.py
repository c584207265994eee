"""Accounts by reference: what a bundle carries instead of settings, which hold keys.

Knows files of accounts and callables; must not know what is read. A reference pickles, and is looked up where it is
used: in the task, not where the work is planned.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .. import accounts, registry
from .._adapter import Adapter
from .._checkpoint import account_key
from ..errors import ConfigurationError, CustomersError
from ..models import Capabilities

Lookup = Callable[[Sequence[str] | None], Mapping[str, Adapter]]
"""Given names, the settings of those accounts; given `None`, of all."""

Opened = tuple[dict[str, Adapter], dict[str, CustomersError]]


@attrs.frozen(kw_only=True)
class About:
    """What can be said of an account without its key.

    Attributes:
        provider: The adapter's name.
        title: The provider's name for people.
        key: What its settings say of it; never its API key. Accounts that differ in their API keys alone have the same.
        kept: Where its API key is kept, or what else tells such accounts from each other.
        capabilities: What the adapter can do.
        outline: Settings to try a query on, without sending anything; `None` where they can't be had here.
    """

    provider: str
    title: str
    key: str
    capabilities: Capabilities
    kept: Any = attrs.field(repr=False)
    outline: Adapter | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Filed:
    """Accounts of a TOML file.

    Attributes:
        path: The file; keys in files of their own are looked for beside it.
        tables: What stands under each name: where keys are kept, and no key.
    """

    path: str
    tables: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def _book(self) -> accounts.Book:
        return accounts.Book(Path(self.path), self.tables)

    def about(self) -> dict[str, About]:
        """What can be said of each account here, where keys need not be at hand."""
        return {name: self._about(name) for name in self.tables}

    def _about(self, name: str) -> About:
        adapter, table = self._book.outline(name), self.tables[name]
        kept = json.dumps({key: value for key, value in table.items() if isinstance(value, dict)}, sort_keys=True)
        if adapter is not None:
            return _said(adapter, kept)
        cls = registry.adapter_class(table["provider"])
        return About(
            provider=cls.name,
            title=cls.title,
            key=json.dumps(table, sort_keys=True),
            capabilities=cls.capabilities,
            kept=kept,
        )

    def some(self, names: Sequence[str]) -> Filed:
        """A reference to some of them."""
        return Filed(self.path, {name: self.tables[name] for name in names})

    def opened(self) -> Opened:
        """The settings of each account, or why they can't be had."""
        found: Opened = {}, {}
        for name in self.tables:
            try:
                found[0][name] = self._book.settings(name)
            except CustomersError as error:
                found[1][name] = error
        return found


@attrs.frozen
class Called:
    """Accounts that a callable knows.

    Attributes:
        lookup: The callable, or ``"module:function"``.
        names: Which are meant; `None` for all.
    """

    lookup: Lookup | str = attrs.field(repr=False)
    names: tuple[str, ...] | None = None

    def about(self) -> dict[str, About]:
        """What can be said of each account; the settings that the callable returns are not kept."""
        return {name: _said(adapter, adapter) for name, adapter in self._asked().items()}

    def some(self, names: Sequence[str]) -> Called:
        """A reference to some of them."""
        return Called(self.lookup, tuple(names))

    def opened(self) -> Opened:
        """The settings of each account, or why they can't be had."""
        try:
            asked = self._asked()
        except CustomersError as error:
            return {}, dict.fromkeys(self.names or (), error)
        missing = [name for name in self.names or () if name not in asked]
        errors = {name: ConfigurationError(f"the callable of accounts knows no {name!r} here") for name in missing}
        wanted = asked if self.names is None else {name: asked[name] for name in self.names if name in asked}
        return dict(wanted), dict(errors)

    def _asked(self) -> dict[str, Adapter]:
        function = _imported(self.lookup) if isinstance(self.lookup, str) else self.lookup
        try:
            found = dict(function(None if self.names is None else list(self.names)))
        except Exception as error:  # noqa: BLE001 - a stranger's callable, whose error may hold a key
            raise ConfigurationError(f"the callable of accounts failed ({type(error).__name__})") from None
        for name, adapter in found.items():
            if isinstance(adapter, type) or not hasattr(adapter, "list_request") or not str(name).strip():
                raise ConfigurationError(
                    "the callable of accounts returns settings by name, such as {'berlin': Flexprice(api_key=…)}"
                )
        return found


Reference = Filed | Called


def refer(given: Any, only: Sequence[str] | None = None) -> Reference:
    """What stands for some accounts.

    Args:
        given: The path of a file of accounts, or a callable.
        only: Names of those that are wanted; all by default.

    Raises:
        ConfigurationError: It is neither, there is no account, or one can't be right.
    """
    if isinstance(given, str | os.PathLike):
        book = accounts.load(Path(given).absolute())
        names = _wanted(list(book.tables), only, str(book.path))
        return Filed(str(book.path), {name: book.tables[name] for name in names})
    if isinstance(given, Filed | Called):
        return given if only is None else given.some(only)
    if callable(given):
        return Called(given, None if only is None else tuple(_wanted(list(only), None, "the callable of accounts")))
    raise ConfigurationError(
        "accounts are given as the path of their file or as a callable that returns their settings by name: settings "
        "hold keys, and what is given here travels"
    )


def imported(place: str) -> Called:
    """A callable by its place, ``"module:function"``, which every machine imports for itself.

    Raises:
        ConfigurationError: There is none.
    """
    _imported(place)
    return Called(place)


def _imported(place: str) -> Lookup:
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise ConfigurationError(
            f"{place!r} can't be imported: give module:function, of a module that is installed on every machine"
        ) from None
    if not callable(found):
        raise ConfigurationError(f"{place!r} is no function")
    lookup: Lookup = found
    return lookup


def _wanted(known: list[str], only: Sequence[str] | None, where: str) -> list[str]:
    if isinstance(only, str):
        raise ConfigurationError(f"only= takes names, such as only=[{only!r}]")
    names = list(dict.fromkeys(known if only is None else only))
    for name in names:
        if name not in known:
            hint = accounts.nearest(name, known)
            raise ConfigurationError(f"there is no account {name!r} in {where}: {hint}it has {len(known)} accounts")
    if not names:
        raise ConfigurationError(f"there is no account in {where}")
    return names


def _said(adapter: Adapter, kept: Any) -> About:
    return About(
        provider=adapter.name,
        title=adapter.title,
        key=account_key(adapter),
        capabilities=adapter.capabilities,
        kept=kept,
        outline=adapter,
    )


def refuse_doubles(about: Mapping[str, About]) -> None:
    """An account under two names would be read twice, maybe on two machines at once.

    Raises:
        ConfigurationError: There is one.
    """
    holders: dict[Any, str] = {}
    for name, one in about.items():
        other = holders.setdefault((one.key, _hashable(one.kept)), name)
        if other != name:
            raise ConfigurationError(f"the accounts {other!r} and {name!r} are the same: give each once")


def _hashable(kept: Any) -> Any:
    try:
        hash(kept)
    except TypeError:  # a plugin's settings that hold a list, say: taken for the account itself, and no other
        return id(kept)
    return kept
