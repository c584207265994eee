"""Which account is meant: a provider's name with the environment's settings, or a name from a TOML file.

Knows the file's form and where keys are kept; must not know any provider's settings. A key never stands in the file,
and never in what is said about it.

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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

import unified_customers as uc
from unified_customers import registry

FILE = "unified-customers.toml"
_SECRET = re.compile(r"(key|token|secret|password)$", re.IGNORECASE)


@attrs.frozen
class Book:
    """The accounts of a file.

    Attributes:
        path: The file, or `None` where there is none.
        named: Whether the user named it; a file that merely lies in the working folder can't take a provider's name.
        accounts: What stands under each name.
    """

    path: Path | None
    named: bool
    accounts: Mapping[str, Any]


def connect(name: str, path: Path | None, on_event: Callable[[uc.Event], None]) -> uc.Client:
    """Open an account.

    Args:
        name: A provider's, or an account's of the file.
        path: The file that the user named; else `unified-customers.toml` in the working folder, if it is there.
        on_event: As for `uc.Client`.

    Raises:
        ConfigurationError: There is no such account, or a setting is missing or can't be right.
    """
    book = _book(path)
    if name in registry.names() and (name not in book.accounts or not book.named):
        if name in book.accounts:
            raise uc.ConfigurationError(
                f"{name!r} is a provider's name and an account in ./{FILE}: rename the account, "
                f"or say --accounts {FILE} if the account is meant"
            )
        return uc.connect(name, on_event=on_event)
    if name not in book.accounts:
        raise _unknown(name, book)
    return uc.Client(_settings(name, book), on_event=on_event)


def every(path: Path | None) -> list[str]:
    """The names of all accounts of the file, in its order.

    Raises:
        ConfigurationError: The file can't be read.
    """
    return list(_book(path).accounts)


def _book(path: Path | None) -> Book:
    found = path or Path(FILE)
    if path is None and not found.is_file():
        return Book(None, named=False, accounts={})
    try:
        content = tomllib.loads(found.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
        where = f" ({place[1]})" if place else ""
        raise uc.ConfigurationError(f"{found} is not valid TOML{where}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise uc.ConfigurationError(f"{found} can't be read: {_why(error)}") from None
    accounts = content.get("accounts", {})
    if not isinstance(accounts, dict):
        raise uc.ConfigurationError(f"{found}: accounts stand in tables such as [accounts.berlin]")
    return Book(found, named=path is not None, accounts=accounts)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else os.strerror(error.errno or 0)


def _unknown(name: str, book: Book) -> uc.ConfigurationError:
    known = [*registry.names(), *(account for account in book.accounts if account not in registry.names())]
    where = f" (from the environment and {book.path})" if book.path else f" (no --accounts FILE, and no ./{FILE})"
    return uc.ConfigurationError(
        f"there is no account {name!r}: {_nearest(name, known)}known are {', '.join(known)}{where}"
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean {folded[near[0]]}? " if near else ""


def _settings(name: str, book: Book) -> Any:
    """The account's settings from the file alone: a base URL of the environment must not get its key."""
    where = f"account {name!r} in {book.path}"
    table = book.accounts[name]
    if not isinstance(table, dict) or not isinstance(table.get("provider"), str):
        raise uc.ConfigurationError(f'{where} names no provider: provider = "flexprice", or another')
    given = {key: _value(key, value, where, book) for key, value in table.items() if key != "provider"}
    try:
        return registry.settings(table["provider"], given, {})
    except uc.ConfigurationError as error:
        raise uc.ConfigurationError(f"{where}: {_in_toml(error.message)}", provider=error.provider) from None


def _in_toml(message: str) -> str:
    """What the library says about a missing key, for somebody who writes TOML."""
    return re.sub(r"give (\w+)=… or set .+", r'write \1 = { env = "NAME" } or { file = "PATH" }', message)


def _value(key: str, value: Any, where: str, book: Book) -> Any:
    if isinstance(value, dict):
        return _kept(key, value, where, book)
    if _SECRET.search(key):
        raise uc.ConfigurationError(
            f'{where}: {key} must not stand in the file itself: write {key} = {{ env = "NAME" }} or {{ file = "PATH" }}'
        )
    return value


def _kept(key: str, value: Mapping[str, Any], where: str, book: Book) -> str:
    """A value that is kept elsewhere."""
    if len(value) == 1 and isinstance(value.get("env"), str):
        found = os.environ.get(value["env"])
        if not found:
            raise uc.ConfigurationError(f"{where}: {key} is in the variable {value['env']}, which is not set")
        return found
    if len(value) == 1 and isinstance(value.get("file"), str) and book.path is not None:
        return _from_file(key, book.path.parent / Path(value["file"]).expanduser(), where)
    raise uc.ConfigurationError(f'{where}: {key} stands as {{ env = "NAME" }} or {{ file = "PATH" }}')


def _from_file(key: str, path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise uc.ConfigurationError(
            f"{where}: {key} is in the file {path}, which can't be read: {_why(error)}"
        ) from None
