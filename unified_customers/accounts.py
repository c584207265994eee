"""Accounts in a TOML file, and where their keys are kept.

Knows the file's form; must not know any provider's settings. A key never stands in the file, and never in what is said
about it.

    [accounts.berlin]
    provider = "flexprice"
    region = "us"
    api_key = { env = "BERLIN_KEY" }      # or { file = "berlin.key" }, beside this file
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from . import registry
from ._adapter import Adapter
from .errors import ConfigurationError

__all__ = ["Book", "load", "nearest", "read"]

_SECRET = re.compile(r"(key|token|secret|password|credential|credentials)$", re.IGNORECASE)
_TABLES = "accounts stand in tables such as [accounts.berlin]"


@attrs.frozen
class Book:
    """A file of accounts.

    Attributes:
        path: The file.
        tables: What stands under each name.
    """

    path: Path
    tables: Mapping[str, Any] = attrs.field(repr=False)

    def settings(self, name: str) -> Adapter:
        """An account's settings from the file alone: a base URL of the environment must not get its key.

        Raises:
            ConfigurationError: There is no such account, or a setting is missing or can't be right.
        """
        if name not in self.tables:
            known = ", ".join(self.tables) or "none"
            hint = nearest(name, self.tables)
            raise ConfigurationError(f"there is no account {name!r} in {self.path}: {hint}known are {known}")
        where, table = f"account {name!r} in {self.path}", self.tables[name]
        if not isinstance(table, dict) or not isinstance(table.get("provider"), str):
            raise ConfigurationError(f'{where} names no provider: provider = "flexprice", or another')
        given = {key: _value(key, value, where, self.path) for key, value in table.items() if key != "provider"}
        try:
            return registry.settings(table["provider"], given, {})
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}: {_in_toml(error.message)}", provider=error.provider) from None

    def outline(self, name: str) -> Adapter | None:
        """An account's settings where its keys are not at hand: each is a callable that has none.

        Returns:
            `None` where a setting that is no key is kept elsewhere too, so that nothing can be said here.

        Raises:
            ConfigurationError: As `settings`, but for keys that are not where they should be.
        """
        table = self.tables.get(name)
        if not isinstance(table, dict):
            return self.settings(name)  # which says what is wrong
        kept = {key: value for key, value in table.items() if isinstance(value, dict)}
        for key, value in kept.items():
            _place_of(key, value, f"account {name!r} in {self.path}")
        if not all(_SECRET.search(key) for key in kept):
            registry.adapter_class(str(table.get("provider")))
            return None
        # what is left goes through the same checks; a callable passes those of a key
        return Book(self.path, {name: {**table, **dict.fromkeys(kept, _elsewhere)}}).settings(name)


def _elsewhere() -> str:
    """Stands in for a key where nothing is sent."""
    return "kept-elsewhere"


def read(path: str | Path, *, only: Iterable[str] | None = None) -> dict[str, Adapter]:
    """The accounts of a file, by name, for `Directory`.

    Args:
        path: A TOML file with a table for each account: ``[accounts.berlin]``, with ``provider`` and that provider's
            settings; keys stand as ``{ env = "NAME" }`` or ``{ file = "PATH" }``, a path beside the file.
        only: Names of those that are wanted, in their order; all by default, in the file's.

    Raises:
        ConfigurationError: The file can't be read, there is no such account, a key stands in the file itself, or a
            setting is missing or can't be right.
    """
    book = load(path)
    if isinstance(only, str):
        raise ConfigurationError(f"only= takes names, such as only=[{only!r}]")
    names = list(dict.fromkeys(book.tables if only is None else only))
    if not names:
        what = "stands in" if only is None else "is wanted of"
        raise ConfigurationError(f"no account {what} {book.path}: {_TABLES}")
    return {name: book.settings(name) for name in names}


def load(path: str | Path) -> Book:
    """A file of accounts; what is wrong with an account is told when that is asked for.

    Raises:
        ConfigurationError: The file can't be read, is not valid TOML, or has something else in it.
    """
    found = Path(path)
    try:
        content = tomllib.loads(found.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = f" ({place[1]})" if place else ""
        raise ConfigurationError(f"{found} is not valid TOML{where}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{found} can't be read: {_why(error)}") from None
    tables = content.get("accounts", {})
    if not isinstance(tables, dict):
        raise ConfigurationError(f"{found}: {_TABLES}")
    _refuse_beside(content, found)
    return Book(found, tables)


def _refuse_beside(content: Mapping[str, Any], path: Path) -> None:
    """A name beside the accounts is a mistake: a setting above its table, or a table under another name."""
    for name, value in content.items():
        if name == "accounts":
            continue
        if not isinstance(value, dict) and _SECRET.search(name):
            raise ConfigurationError(f"{_literal(str(path), name)}; it belongs to an account: {_TABLES}")
        raise ConfigurationError(f"{path}: {name!r} at its top belongs to no account: {_TABLES}")


def nearest(name: str, known: Iterable[str]) -> str:
    """A question after the name that was probably meant, with a space behind; empty where none is near."""
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    return f"did you mean {folded[near[0]]}? " if near else ""


def _why(error: Exception) -> str:
    """In words that hold nothing of the file."""
    if isinstance(error, OSError):
        return os.strerror(error.errno or 0)
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
        return "there is no such user's folder"
    return "it holds something too large, or its name is none"


def _in_toml(message: str) -> str:
    """What the library says about a missing key, for somebody who writes TOML."""
    return re.sub(r"give (\w+)=… or set .+", r'write \1 = { env = "NAME" } or { file = "PATH" }', message)


def _value(key: str, value: Any, where: str, path: Path) -> Any:
    if isinstance(value, dict):
        return _kept(key, value, where, path)
    if _SECRET.search(key) and value is not _elsewhere:
        raise ConfigurationError(_literal(where, key))
    return value


def _literal(where: str, key: str) -> str:
    """Why a key can't stand in the file."""
    return (
        f"{where}: {key} must not stand in the file itself, because such files are copied, shared and committed: "
        f'write {key} = {{ env = "NAME" }} or {{ file = "PATH" }}'
    )


def _kept(key: str, value: Mapping[str, Any], where: str, path: Path) -> str:
    """A value that is kept elsewhere."""
    kind, place = _place_of(key, value, where)
    if kind == "file":
        return _from_file(key, path.parent, place, where)
    found = os.environ.get(place)
    if not found:
        raise ConfigurationError(f"{where}: {key} is in the variable {place}, which is not set")
    return found


def _place_of(key: str, value: Mapping[str, Any], where: str) -> tuple[str, str]:
    """Where it is kept: ``env`` or ``file``, and which."""
    if len(value) == 1:
        [(kind, place)] = value.items()
        if kind in {"env", "file"} and isinstance(place, str):
            return kind, place
    raise ConfigurationError(f'{where}: {key} stands as {{ env = "NAME" }} or {{ file = "PATH" }}')


def _from_file(key: str, folder: Path, place: str, where: str) -> str:
    path = folder / place
    try:
        path = folder / Path(place).expanduser()
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{where}: {key} is in the file {path}, which can't be read: {_why(error)}") from None
