"""JSON bytes to exact values: a fraction becomes a `Decimal`, so that money keeps its digits.

Knows JSON; must not know what it means. Decoders are built at their first use, so that importing stays cheap.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

FAULTS = (ValueError, RecursionError, ArithmeticError, MemoryError)
"""What `parse` raises for what is no JSON."""

_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_LONG = 4000  # digits of a whole number that Python still reads at once


def parse(body: bytes) -> Any:
    """The values of a JSON text; raises one of `FAULTS`.

    What is wrong inside a value spoils its own record, no page: bytes that are no UTF-8, and half a character (an
    escaped lone surrogate), become lone surrogates; a number beyond Python's reach becomes a `Decimal`, or stays text.
    """
    try:
        return _decoder().decode(body)
    except (ArithmeticError, UnicodeDecodeError, msgspec.ValidationError):  # of numbers: it asks for no types
        return _patiently(body)
    except msgspec.DecodeError:
        if not _HALF.search(body):
            raise
        return _patiently(body)


def parse_plainly(body: bytes) -> Any:
    """As `parse`, but a fraction becomes what it is in plain values: ``{"$decimal": "1.50"}``.

    Raises one of `FAULTS` also where `parse` would have mended it.
    """
    return _plain_decoder(_as_value).decode(body)


def respell(body: bytes) -> bytes:
    """The JSON text of what `parse_plainly` returns, without spaces; raises as that does."""
    words: bytes = _encoder().encode(_plain_decoder(_as_text).decode(body))
    return words


def _as_value(digits: str) -> dict[str, str]:
    return {"$decimal": str(Decimal(digits))}


def _as_text(digits: str) -> msgspec.Raw:
    return msgspec.Raw(f'{{"$decimal":"{Decimal(digits)}"}}'.encode())


@functools.cache
def _decoder() -> Any:
    return msgspec.json.Decoder(float_hook=Decimal)


@functools.cache
def _plain_decoder(fraction: Callable[[str], Any]) -> Any:
    return msgspec.json.Decoder(float_hook=fraction)


@functools.cache
def _encoder() -> Any:
    return msgspec.json.Encoder()


def _patiently(body: bytes) -> Any:
    return json.loads(
        body.decode("utf-8", "surrogateescape"), parse_float=_fraction, parse_int=_whole, parse_constant=_refuse
    )


def _fraction(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except ArithmeticError:
        return digits


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _LONG else Decimal(digits)


def _refuse(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity are no JSON
