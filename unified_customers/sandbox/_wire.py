"""Requests and replies as plain values, between the socket and the providers.

Knows the words of HTTP. Must not know a server, a socket or a provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote, urlencode

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

Ending = Literal["whole", "cut", "cut-chunked", "reset"]


@attrs.frozen
class Request:
    """One request; `path` and `query` are still percent-encoded, header names are lower-case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""

    @property
    def segments(self) -> list[str]:
        """The decoded parts of the path, split before decoding."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's pairs in order, blank values kept."""
        return parse_qsl(self.query, keep_blank_values=True)

    def first(self, name: str) -> str | None:
        """The first value of a query parameter, or None if it was not sent."""
        return next((value for key, value in self.pairs if key == name), None)

    def without(self, *names: str) -> Request:
        """The same request with those query parameters left out."""
        return self._asking([pair for pair in self.pairs if pair[0] not in names])

    def only(self, *names: str) -> Request:
        """The same request with no other query parameters than those."""
        return self._asking([pair for pair in self.pairs if pair[0] in names])

    def having(self, **values: str) -> Request:
        """The same request with those query parameters set."""
        return self._asking([*self.without(*values).pairs, *values.items()])

    def _asking(self, pairs: list[tuple[str, str]]) -> Request:
        return attrs.evolve(self, query=urlencode(pairs))


@attrs.frozen
class Reply:
    """One answer, and how the server should deliver it."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = "whole"
    delay: float = 0.0

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def with_header(self, name: str, value: str) -> Reply:
        """The same reply with one header replaced or added."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return attrs.evolve(self, headers=(*kept, (name, value)))
