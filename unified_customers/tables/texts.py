"""Values as texts that every reader takes in the same way.

Knows JSON and UTF-8; must not know customers.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

# Valid JSON either way. Unescaped, some end a line for some readers, some steer a terminal; a surrogate is no UTF-8.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def dump(value: Any, *, ascii: bool = False, indent: int | None = None) -> str:
    """JSON text of plain values."""
    return _escaped(json.dumps(value, ensure_ascii=ascii, indent=indent, allow_nan=False))


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
    if text.isascii() and "\x7f" not in text:
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
