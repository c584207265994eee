"""Bytes to strict wire values: what is not of the documented type is an error with its place, never a guess.

Knows JSON and types; must not know which provider it serves.

cattrs' own hooks turn `None` into ``'None'``, ``"false"`` into `True` and 7 into ``'7'``
(python-attrs/cattrs#53), so every primitive gets a strict hook here.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NewType, TypeVar

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn
from cattrs.v import transform_error

from ._json import FAULTS, parse
from ._wire import Response
from .errors import BadRecordError, MalformedResponseError

T = TypeVar("T")

Id = NewType("Id", str)
"""An id: a non-empty text; a whole number is taken as its digits."""

Number = NewType("Number", Decimal)
"""A JSON number, or one written as text, exact to the digit."""

Anything = NewType("Anything", object)

_LONGEST_CURSOR = 16_000  # what an address has room for
_SURROGATE = re.compile("[\ud800-\udfff]")

_hooks: dict[type[Any], Callable[[Any, Any], Any]] = {}


def decode(response: Response) -> Any:
    """Decode a JSON body; numbers with a fraction become `Decimal`.

    Raises:
        MalformedResponseError: The body is not JSON; the message says what it looks like, not what it holds.
    """
    try:
        return parse(utf8(response))
    except FAULTS:
        raise MalformedResponseError(
            f"status {response.status} came with {_looks_like(response)} instead of JSON",
            status=response.status,
            path="$",
        ) from None


def utf8(response: Response) -> bytes:
    """The body without a byte-order mark, and re-encoded where another charset is declared."""
    body = response.body.removeprefix(codecs.BOM_UTF8)
    declared = response.headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip('" ')
    if declared in {"", "utf-8", "utf8", "us-ascii", "ascii"}:
        return body
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return body.decode(declared).encode("utf-8")
        except (LookupError, UnicodeError):
            return body
    return body


def _looks_like(response: Response) -> str:
    body = response.body.lstrip()[:200].lower()
    if not body:
        return "an empty body"
    if body.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "an HTML page (a proxy's, most likely)"
    if body.startswith((b"{", b"[")):
        return "a cut or broken body"
    return "plain text"


def obj(value: Any, path: str = "$") -> Mapping[str, Any]:
    """`value` if it is a JSON object, else a `MalformedResponseError` at `path`."""
    if not isinstance(value, Mapping):
        raise MalformedResponseError(f"expected an object @ {path}, got {_kind(value)}", path=path)
    return value


def array(value: Any, path: str) -> list[Any]:
    """`value` if it is a JSON array, else a `MalformedResponseError` at `path`."""
    if not isinstance(value, list):
        raise MalformedResponseError(f"expected a list @ {path}, got {_kind(value)}", path=path)
    return value


def flag(value: Any, path: str) -> bool | None:
    """A boolean, or `None` where it is missing."""
    if value is None or isinstance(value, bool):
        return value
    raise MalformedResponseError(f"expected true or false @ {path}, got {_kind(value)}", path=path)


def cursor(value: Any, path: str) -> str | None:
    """A cursor: text, or `None` where it is null, missing or empty; a whole number is taken as its digits."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and len(value) <= _LONGEST_CURSOR and not _SURROGATE.search(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise MalformedResponseError(f"expected a cursor @ {path}, got {_kind(value)}", path=path)


def count(value: Any) -> int | None:
    """A total: a hint, so what can't be read is no total rather than an error."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def record(cls: type[T], value: Any, path: str, id_key: str = "id") -> T:
    """Structure one record strictly into the attrs class `cls`; unknown keys are left alone.

    Raises:
        BadRecordError: With the path of every fault, such as ``$.items[3].metadata``, but none of its values.
    """
    if not isinstance(value, Mapping):
        raise BadRecordError(f"expected an object @ {path}, got {_kind(value)}", path=path)
    try:
        found: T = _hook(cls)(value, cls)
    except (BaseValidationError, TypeError, ValueError) as error:
        raise _bad_record(error, value, path, id_key) from None
    return found


def _bad_record(error: Exception, value: Mapping[str, Any], path: str, id_key: str) -> BadRecordError:
    faults = [_place(line, path) for line in transform_error(error, path, format_exception=_say)]
    where = faults[0].partition(" @ ")[2] or path
    bad = BadRecordError(
        "sent a customer that can't be read: "
        + "; ".join(faults[:5])
        + ". on_bad_record='skip' leaves such records out",
        path=where,
    )
    found = value.get(id_key)
    bad.record_id = found if isinstance(found, str) else None
    return bad


def _place(line: str, path: str) -> str:
    return line if " @ " in line else f"{line} @ {path}"


def _say(error: BaseException, _type: Any) -> str:
    """What a fault is, without the value, which may be personal data."""
    if isinstance(error, KeyError):
        return "required field missing"
    return str(error) if isinstance(error, _WrongTypeError) else "not of the documented type"


class _WrongTypeError(ValueError):
    pass


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _exactly(kind: type, name: str) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) is kind:
            return value
        raise _WrongTypeError(f"expected {name}, got {_kind(value)}")

    return hook


def _text(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise _WrongTypeError(f"expected text, got {_kind(value)}")
    if not value.isascii() and _SURROGATE.search(value):
        raise _WrongTypeError("half a character (a lone surrogate)")
    return value


def _id(value: Any, _: Any) -> str:
    if isinstance(value, str) and value:
        return _text(value, _)
    if type(value) is int:
        return str(value)
    raise _WrongTypeError(f"expected an id, got {'empty text' if value == '' else _kind(value)}")


def _number(value: Any, _: Any) -> Decimal:
    if type(value) is int or isinstance(value, Decimal):
        return Decimal(value)
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except ArithmeticError:
            raise _WrongTypeError("expected a number, got text") from None
        if number.is_finite():
            return number
    raise _WrongTypeError(f"expected a number, got {_kind(value)}")


@functools.cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _exactly(bool, "true or false"))
    converter.register_structure_hook(int, _exactly(int, "a whole number"))
    converter.register_structure_hook(dict, _exactly(dict, "an object"))
    converter.register_structure_hook(Id, _id)
    converter.register_structure_hook(Number, _number)
    converter.register_structure_hook(Anything, lambda value, _: value)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _object(cls, converter))
    return converter


def _object(cls: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    """Structure an object into `cls`; cattrs itself would look for keys in a text or list as well."""
    fields = make_dict_structure_fn(cls, converter)

    def hook(value: Any, kind: Any) -> Any:
        if isinstance(value, Mapping):
            return fields(value, kind)
        raise _WrongTypeError(f"expected an object, got {_kind(value)}")

    return hook


def _hook(cls: type[Any]) -> Callable[[Any, Any], Any]:
    if cls not in _hooks:
        _hooks[cls] = _converter().get_structure_hook(cls)
    return _hooks[cls]


def restore(cls: type[T], value: Any) -> T:
    """Rebuild a frozen value of ours (a position) from its plain form, strictly; raises `ValueError`."""
    try:
        found: T = _hook(cls)(value, cls)
    except (BaseValidationError, TypeError, KeyError) as error:
        raise ValueError(type(error).__name__) from None
    return found


def plain(value: Any) -> Any:
    """The plain form of a frozen value of ours, for `restore`."""
    return _converter().unstructure(value)
