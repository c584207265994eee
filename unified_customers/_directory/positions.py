"""Where every account of a directory stands, as one text for another process, and back.

Knows accounts by name and key, and their own checkpoints as texts; must not know what these mean. Format, version 2:
``ucd2.`` + base64url(zlib(JSON)) + ``.`` + a checksum. The JSON is ``{key: [name, checkpoint]}``; in version 1, which
is read too, it was ``{key: checkpoint}``. A key is what `naming.keys` gives an account.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .. import _checkpoint
from ..errors import CheckpointError
from .naming import NAMED

_PREFIX, _OLD_PREFIX = "ucd2.", "ucd1."
_LARGEST = 1 << 28
_DAMAGED = "the checkpoint is damaged: pass listing.checkpoint, whole and unchanged"


@attrs.frozen
class Position:
    """Where one account stood.

    Attributes:
        key: What it is known by.
        name: What it was called; `None` in a checkpoint of version 1.
        checkpoint: Its own.
    """

    key: str
    name: str | None
    checkpoint: str = attrs.field(repr=False)


def save(positions: Iterable[Position]) -> str:
    """One text for all."""
    content = {one.key: [one.name, one.checkpoint] for one in positions}
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 1)  # what it holds is compressed
    return _checkpoint.sealed(_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("="))


def load(after: Any) -> dict[str, Position]:
    """The accounts' positions, by key.

    Raises:
        CheckpointError: It is damaged, or no directory's.
    """
    if after is None:
        return {}
    old = isinstance(after, str) and after.strip().startswith(_OLD_PREFIX)
    body = _checkpoint.unsealed(after, _OLD_PREFIX if old else _PREFIX, "a Directory")
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        content = json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
        return {str(key): _position(str(key), value) for key, value in content.items()}
    except (ValueError, TypeError, zlib.error, AttributeError):
        raise CheckpointError(_DAMAGED) from None


def _position(key: str, value: object) -> Position:
    if isinstance(value, str):
        return Position(key, None, value)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        return Position(key, None if value[0] is None else str(value[0]), value[1])
    raise ValueError(key)


def matched(known: Mapping[str, Position], keys: Mapping[str, str]) -> dict[str, Position]:
    """The same positions, by the keys that the accounts have now.

    An account whose settings say of it what they say of no other is found under any name; one of several alike, by
    its name.
    """
    found, present = dict(known), set(keys.values())
    free: dict[str, list[str]] = {}  # those that no account has now, by settings; and by settings and name
    called: dict[tuple[str, str | None], str] = {}
    for old, position in known.items():
        if old not in present:
            free.setdefault(_settings(old), []).append(old)
            called.setdefault((_settings(old), position.name), old)
    for name, key in keys.items():
        if key in found:
            continue
        alike = free.get(_settings(key), [])
        old = called.get((_settings(key), name)) or (alike[0] if len(alike) == 1 and NAMED not in key else "")
        if old in found:
            alike.remove(old)
            found[key] = attrs.evolve(found.pop(old), key=key)
    return found


def _settings(key: str) -> str:
    return key.partition(NAMED)[0]


def gone(known: Mapping[str, Position], keys: Mapping[str, str]) -> list[Position]:
    """Positions of accounts that are not there now: kept, for when they come back."""
    present = set(keys.values())
    return [position for key, position in known.items() if key not in present]


def refuse_other_account(known: Mapping[str, Position], keys: Mapping[str, str]) -> None:
    """A name that the caller gave to another account since would go on where that one stood, or start in silence.

    Raises:
        CheckpointError: There is such a name.
    """
    names = {position.name: _settings(position.key) for position in known.values()}
    present = {_settings(key) for key in keys.values()}
    for name, key in keys.items():
        if names.get(name, _settings(key)) not in present and key not in known:
            raise CheckpointError(
                f"the account {name!r} is another one (provider, address or tenant) than in the checkpoint: "
                "give it a new name to read it from the start, or give the old settings"
            )
