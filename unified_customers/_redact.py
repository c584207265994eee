"""Keeps secrets and personal data out of what the library says.

Knows texts; must not know where they come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
_EMAIL = re.compile(r"[^\s@\"'<>(){}\[\],;:=&?/]{1,64}(?:@|%40)[^\s@\"'<>(){}\[\],;:=]{1,255}")
_LONGEST = 500


class Hidden:
    """Texts that must not be shown, to be masked in others.

    Whoever shows the local variables of a traceback's frames would show them: `repr` says how many there are. It is no
    sequence either, because trackers of errors write those out item by item.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = tuple(values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def plus(self, *more: str) -> Hidden:
        """These, and more of them."""
        return Hidden((*self._values, *more))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        return f"<{len(self._values)} hidden>"


NOTHING = Hidden()


def masked(text: str, values: Iterable[str]) -> str:
    """`text` in which each of `values` and every e-mail address is masked, cut to a readable length."""
    forms = {form for value in values if value for form in _forms(value)}
    for value in sorted(forms, key=len, reverse=True):
        text = re.sub(_bounded(value), MASK, text) if len(value) < 3 else text.replace(value, MASK)
    text = "".join(c if c.isprintable() else " " for c in _EMAIL.sub(MASK, text[: 4 * _LONGEST]))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _forms(value: str) -> tuple[str, ...]:
    """A value as it may come back: as it is, as a part of an address, and as JSON writes it."""
    safe = value.encode("utf-8", "replace").decode()
    return value, quote(safe, safe=""), quote(safe), quote_plus(safe), json.dumps(safe)[1:-1]


def _bounded(value: str) -> str:
    """A one- or two-letter value is masked as a word only; inside words it would blank the whole message."""
    return rf"(?<!\w){re.escape(value)}(?!\w)"


def masked_deeply(value: Any, values: Iterable[str], depth: int = 6) -> Any:
    """The same for every text in a JSON value."""
    values = tuple(values)
    if isinstance(value, str):
        return masked(value, values)
    if depth and isinstance(value, Mapping):
        return {masked(str(k), values): masked_deeply(v, values, depth - 1) for k, v in list(value.items())[:50]}
    if depth and isinstance(value, list | tuple):
        return [masked_deeply(inner, values, depth - 1) for inner in value[:50]]
    return value if value is None or isinstance(value, bool | int | float) else MASK
