"""Values as texts that every reader takes in the same way.

Knows JSON and UTF-8; must not know customers.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

# Valid JSON either way. Unescaped, some end a line for some readers, some steer a terminal; a surrogate is no UTF-8.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def dump(value: Any, *, ascii: bool = False, indent: int | None = None) -> str:
    """JSON text of plain values."""
    text = None if ascii or indent is not None else quick(value)
    return _escaped(json.dumps(value, ensure_ascii=ascii, indent=indent, allow_nan=False)) if text is None else text


def quick(value: Any, **ready: bytes) -> str | None:
    """What `dump` makes of a value, several times faster; `None` where the two could differ.

    Args:
        value: A dict, where there are more fields; else any plain value.
        ready: Fields to put behind those of the dict; JSON already, of what both ways write alike.
    """
    try:
        if alike(value):
            more = {name: msgspec.Raw(words) for name, words in ready.items()}
            words = _encoder().encode({**value, **more} if more else value)
            return _escaped(msgspec.json.format(words, indent=0).decode())
    except (TypeError, ValueError, OverflowError, RecursionError):  # half a character, for instance
        pass
    return None


_ATOMS = frozenset({str, int, bool, type(None)})
_TEXT = frozenset({str})


def alike(value: Any) -> bool:
    """Whether `json` and `msgspec` write it alike: floats and types of a user's own they may not."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is dict:
        return _TEXT.issuperset(map(type, value)) and _all_alike(value.values())
    return kind is list and _all_alike(value)


def _all_alike(values: Iterable[Any]) -> bool:
    return all(map(alike, [value for value in values if type(value) not in _ATOMS]))


def exact(value: Any) -> str:
    """JSON text in which a `Decimal` is a number with all its digits, as a provider sent it."""
    try:
        text = _encoder().encode(value).decode()
        if "NaN" not in text and "Infinity" not in text:  # which are no JSON
            return _escaped(text)
    except (TypeError, ValueError, OverflowError, RecursionError):  # half a character, an integer beyond 64 bits
        pass
    return _patiently(value)


@functools.cache
def _encoder() -> Any:
    return msgspec.json.Encoder(decimal_format="number", enc_hook=_refuse)


def _refuse(value: Any) -> Any:
    raise TypeError(type(value).__name__)


def _patiently(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{dump(str(name))}:{_patiently(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_patiently, value)) + "]"
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else dump(str(value))
    return dump(value if not isinstance(value, float) or math.isfinite(value) else str(value))


def whole(text: str) -> str:
    """The text with a question mark for each half of a character, which UTF-8 can't hold."""
    return text.encode("utf-8", "replace").decode()


def _escaped(text: str) -> str:
    if text.isprintable():  # as none of them is; quicker than looking for each
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
