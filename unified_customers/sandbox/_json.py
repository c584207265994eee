"""JSON text as the providers write it, down to the literal digits and escapes.

Knows bytes and values. Must not know HTTP or a provider's fields.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

# Money is a Decimal in the stored rows, so that 1234.10 is written 1234.10 and not 1234.1.
_PLAIN = msgspec.json.Encoder(decimal_format="number")
_SORTED = msgspec.json.Encoder(decimal_format="number", order="sorted")


def dump(value: Any) -> bytes:
    """Compact JSON; Decimals keep their digits."""
    return _PLAIN.encode(value)


def dump_go(value: Any, *, ordered: bool = False) -> bytes:
    r"""Compact JSON with Go's HTML-safe escapes (`&` is \u0026); `ordered` sorts keys as Go does for maps."""
    text = (_SORTED if ordered else _PLAIN).encode(value)
    # These characters stand only inside strings, never in JSON's own grammar.
    text = text.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c").replace(b">", b"\\u003e")
    return text.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


def load(body: bytes) -> Any:
    """The first JSON value of a body, numbers with a point as Decimal.

    Raises:
        ValueError: no JSON value stands there.
    """
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    value, _end = _DECODER.raw_decode(text)
    return value


def _refuse(word: str) -> NoReturn:
    msg = f"{word} is not JSON"
    raise ValueError(msg)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
