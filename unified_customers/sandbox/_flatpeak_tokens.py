"""Flatpeak's sign-in: basic credentials in, bearer tokens out, which end by the sandbox's clock.

Knows credentials and tokens only. Must not know customers or replies.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import attrs

from ._ids import hexadecimal

if TYPE_CHECKING:
    from random import Random

    from ._clock import Clock


@attrs.define
class Token:
    """An issued token: when it ends by the sandbox's clock, and how many uses it has left (None: any)."""

    ends: int  # nanoseconds
    uses: int | None


class Tokens:
    """The tokens issued so far."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.next_uses: int | None = None
        self._clock = clock
        self._random = random
        self._issued: dict[str, Token] = {}

    def issue(self, seconds: float) -> str:
        """A new token that is good for so many seconds."""
        text = f"sandbox.{hexadecimal(self._random, 40)}"
        ends = self._clock.nanoseconds() + round(seconds * 1_000_000_000)
        self._issued[text] = Token(ends, self.next_uses)
        self.next_uses = None
        return text

    def accept(self, authorization: str) -> bool:
        """Whether the header bears a token that is good now; counts the use."""
        scheme, _, text = authorization.partition(" ")
        token = self._issued.get(text)
        if scheme.lower() != "bearer" or token is None or token.ends <= self._clock.nanoseconds():
            return False
        if token.uses is not None:
            token.uses -= 1
        return token.uses is None or token.uses >= 0

    def revoke(self) -> None:
        """Make all of them invalid."""
        self._issued.clear()


def is_basic(authorization: str, user: str, password: str) -> bool:
    """Whether the header bears these basic credentials."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = b64decode(encoded, validate=True).decode()
    except ValueError:
        return False
    return scheme.lower() == "basic" and pair == f"{user}:{password}"
