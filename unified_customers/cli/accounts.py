"""Which account is meant: a provider's name with the environment's settings, or a name from a TOML file.

Knows which file is meant and whose name wins; must not know the file's form, which is that of `uc.accounts`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

import unified_customers as uc
from unified_customers import registry
from unified_customers.accounts import Book, load, nearest

FILE = "unified-customers.toml"


def connect(name: str, path: Path | None, on_event: Callable[[uc.Event], None]) -> uc.Client:
    """Open an account.

    Args:
        name: A provider's, or an account's of the file.
        path: The file that the user named; else `unified-customers.toml` in the working folder, if it is there. One
            that merely lies there can't take a provider's name.
        on_event: As for `uc.Client`.

    Raises:
        ConfigurationError: There is no such account, or a setting is missing or can't be right.
    """
    return uc.Client(_settings(name, path), on_event=on_event)


def several(names: Sequence[str], path: Path | None) -> dict[str, Any]:
    """The settings of some accounts by name, or of all of the file if none is named.

    Raises:
        UsageError: None is named, and there is no file.
        ConfigurationError: As for `connect`.
    """
    wanted = list(dict.fromkeys(names)) or every(path)
    if not wanted:
        raise click.UsageError(f"name an ACCOUNT, or write accounts into --accounts FILE or ./{FILE}")
    return {name: _settings(name, path) for name in wanted}


def _book(path: Path | None) -> Book | None:
    """The file that the user named, or the one in the working folder; `None` where there is neither."""
    return load(path or FILE) if path is not None or Path(FILE).is_file() else None


def _settings(name: str, path: Path | None) -> Any:
    book = _book(path)
    found = book is not None and name in book.tables
    if name in registry.names() and not (found and path is not None):
        if found:
            raise uc.ConfigurationError(
                f"{name!r} is a provider's name and an account in ./{FILE}: rename the account, "
                f"or say --accounts {FILE} if the account is meant"
            )
        return registry.settings(name, {})
    if book is None or not found:
        raise _unknown(name, book)
    return book.settings(name)


def provider(name: str, path: Path | None) -> str:
    """Which provider an account is of, its keys unseen.

    Raises:
        ConfigurationError: There is no such account.
    """
    book = _book(path)
    if book is not None and name in book.tables and not (name in registry.names() and path is None):
        table = book.tables[name]
        return str(table.get("provider", "")) if isinstance(table, dict) else ""
    if name not in registry.names():
        raise _unknown(name, book)
    return name


def every(path: Path | None) -> list[str]:
    """The names of all accounts of the file, in its order; none where there is no file.

    Raises:
        ConfigurationError: The file can't be read.
    """
    book = _book(path)
    return [] if book is None else list(book.tables)


def _unknown(name: str, book: Book | None) -> uc.ConfigurationError:
    tables = () if book is None else book.tables
    known = [*registry.names(), *(account for account in tables if account not in registry.names())]
    where = f" (from the environment and {book.path})" if book else f" (no --accounts FILE, and no ./{FILE})"
    return uc.ConfigurationError(
        f"there is no account {name!r}: {nearest(name, known)}known are {', '.join(known)}{where}"
    )
