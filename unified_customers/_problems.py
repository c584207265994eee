"""What error bodies have in common: finding code, message and details in whatever arrived.

Knows JSON; must not know a provider. Any body is an answer here, a broken one too: the status decides the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._decode import decode
from ._wire import Response
from .errors import MalformedResponseError


def error_body(response: Response) -> Mapping[str, Any]:
    """The JSON object of an error answer, or an empty one."""
    try:
        found = decode(response)
    except MalformedResponseError:
        return {}
    return found if isinstance(found, Mapping) else {}


def said(*candidates: Any) -> str:
    """The first candidate that is a text."""
    return next((value for value in candidates if isinstance(value, str) and value), "")


def request_id(response: Response, *candidates: Any) -> str | None:
    """The provider's id of the request, from its header or body."""
    return said(response.headers.get("x-request-id"), *candidates) or None


def code(*candidates: Any) -> str | None:
    """The first candidate that can be an error code."""
    for value in candidates:
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None
