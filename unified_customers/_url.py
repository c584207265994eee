"""Addresses and bodies, encoded so that no value of the caller's escapes its place.

Knows RFC 3986 and JSON; must not know what the values mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

Pairs = list[tuple[str, str]]


def url(base: str, *segments: str, query: Iterable[tuple[str, str]] = ()) -> str:
    """An address; each segment is encoded whole, so that ``a/b`` or ``..`` stay one segment."""
    path = "/".join(_segment(segment) for segment in segments)
    pairs = urlencode(list(query), quote_via=quote, safe="")
    return f"{base}/{path}{'?' + pairs if pairs else ''}"


def _segment(text: str) -> str:
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def pairs(params: Mapping[str, Any]) -> Pairs:
    """A provider's own parameters as a query: a list repeats its key, a mapping becomes JSON."""
    out: Pairs = []
    for name, value in params.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            out.append((name, plain(one)))
    return out


def plain(value: Any) -> str:
    """A value as a query carries it: ``true`` for `True`, JSON for a mapping."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def body(value: Any) -> bytes:
    """A JSON body."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


JSON = (("accept", "application/json"),)
JSON_BODY = (*JSON, ("content-type", "application/json"))
