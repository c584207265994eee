"""Checks of an account's settings where they enter: a key that can't be sent, an address that would leak it.

Knows texts and addresses; must not know any provider.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from .errors import ConfigurationError

Secret: TypeAlias = str | Callable[[], str] | PathLike[str]
"""A key or token: itself, a callable that returns it, or the path of a file that holds it."""


def secret(value: Any, name: str, variable: str) -> str:
    """A key or id that can stand in a header.

    Raises:
        ConfigurationError: It is missing, empty, or holds a character that no header can carry; it is never shown.
    """
    wrong = _wrong(value, name, variable)
    if wrong is None:
        return str(value)
    del value  # it may be a key, and whoever shows this frame's variables must not show it
    raise ConfigurationError(wrong)


def _wrong(value: Any, name: str, variable: str) -> str | None:
    """Why it can't stand in a header, if it can't."""
    if value is None or value == "":
        return f"{name} is missing: give {name}=… or set {variable}"
    if not isinstance(value, str):
        return f"{name} is a text, not {type(value).__name__}"
    if not value.isascii() or not value.isprintable() or value.strip() != value:
        return (
            f"{name} holds a character that can't be sent (a space or newline at its end, or a letter beyond ASCII): "
            f"copy it again, or check {variable}"
        )
    return None


def given(value: Any, name: str, variable: str) -> None:
    """Check a `Secret` where it enters; what is called or read for it is looked at when it is used.

    Raises:
        ConfigurationError: It can't be one.
    """
    wrong = None if callable(value) or isinstance(value, PathLike) else _wrong(value, name, variable)
    if wrong is None:
        return
    del value  # as in `secret`
    raise ConfigurationError(wrong)


def reveal(value: Secret | None, name: str) -> str:
    """The secret itself: the text, what the callable returns, or what the file holds, asked anew each time.

    Raises:
        ConfigurationError: It can't be had, or can't be sent.
    """
    try:
        found = _had(value)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's callable, or a file that isn't there
        found, failed = None, type(error).__name__  # not the error itself: it may hold the key
    else:
        wrong = _wrong(found, name, name if isinstance(value, str) else "its callable or file")
        if wrong is None:
            return str(found)
        del found, value  # as in `secret`
        raise ConfigurationError(wrong)
    raise ConfigurationError(f"{name} can't be had ({failed}): check its callable or file")


def _had(value: Secret | None) -> Any:
    if callable(value):
        return value()
    if isinstance(value, PathLike):
        return Path(value).read_text(encoding="utf-8").rstrip("\r\n")
    return value


def one_of(value: Any, words: Mapping[str, Any] | tuple[str, ...], name: str) -> str:
    """One of the known words.

    Raises:
        ConfigurationError: It isn't; the message lists them.
    """
    if isinstance(value, str) and value in words:
        return value
    raise ConfigurationError(f"{name}={value!r} is not known: it is one of {', '.join(words)}")


def address(value: Any, *, allow_http: bool) -> str:
    """A base address without a trailing slash or ``/v1``.

    Raises:
        ConfigurationError: It is no address, carries a query or a password, or is plain http beyond this machine.
    """
    if not isinstance(value, str) or not value.strip() or not value.isascii() or not value.isprintable():
        raise ConfigurationError("base_url is an address such as https://api.example.com")
    return _address(str(value), allow_http)


@functools.lru_cache(maxsize=4096)  # asked for with every request
def _address(value: str, allow_http: bool) -> str:
    try:
        parts = urlsplit(value.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("base_url can't be read as an address such as https://api.example.com") from None
    if parts.scheme not in {"http", "https"} or not host or " " in value.strip():
        raise ConfigurationError("base_url starts with https:// and names a host, such as https://api.example.com")
    if parts.query or parts.fragment or parts.username is not None:
        raise ConfigurationError("base_url carries no query, no fragment and no password")
    if parts.scheme == "http" and not allow_http and not _loopback(host):
        raise ConfigurationError(
            "base_url is plain http, so keys could be read on the way: use https, or allow_http=True"
        )
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
