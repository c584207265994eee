"""A position as a short text for another process, and back; never misread, never for another walk.

Knows positions as frozen values and queries by their digest; must not know what they mean. Format, version 1:
``uc1.`` + base64url(zlib(JSON)) + ``.`` + 16 digits of a checksum over all before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from ._adapter import Adapter, Position
from ._decode import restore
from .errors import CheckpointError
from .models import Query

_PREFIX = "uc1."
_LARGEST = 4_000_000
_SHORT, _LONG = 2, 12


def save(adapter: Adapter, query: Query, position: Position, local: Mapping[str, Any]) -> str:
    """The checkpoint of a walk of `query` that stands at `position`."""
    table: dict[str, int] = {}
    content = {
        "p": adapter.name,
        "a": _digest(adapter.account(), _LONG),
        "q": {name: _digest(value, _SHORT) for name, value in _parts(query, local).items()},
        "d": _digest(_parts(query, local), _LONG),
        "s": _dump(position, table),
        "t": list(table),
    }
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 6)
    return sealed(_PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("="))


def load(adapter: Adapter, query: Query, checkpoint: Any, local: Mapping[str, Any]) -> Position:
    """The position that `checkpoint` holds, for this very account and query.

    Raises:
        CheckpointError: It is damaged, or made for something else; the message says what differs.
    """
    content = _open(checkpoint)
    if content["p"] != adapter.name:
        raise _error(f"was made by {content['p']}, not by {adapter.name}", adapter)
    if content["a"] != _digest(adapter.account(), _LONG):
        raise _error("was made for another account, tenant or base_url", adapter)
    _compare(content, _parts(query, local), adapter)
    return _load(adapter, content["s"], content["t"])


def is_checkpoint(text: str) -> bool:
    """Whether a text claims to be a checkpoint of some version."""
    return text.startswith("uc") and "." in text[:8]


def _parts(query: Query, local: Mapping[str, Any]) -> dict[str, Any]:
    return {**query.given(), **{f"{name} (local)": value for name, value in local.items()}}


def _compare(content: Mapping[str, Any], parts: Mapping[str, Any], adapter: Adapter) -> None:
    then, now = content["q"], {name: _digest(value, _SHORT) for name, value in parts.items()}
    missing, new = sorted(then.keys() - now.keys()), sorted(now.keys() - then.keys())
    other = sorted(name for name in then.keys() & now.keys() if then[name] != now[name])
    said = [f"with {', '.join(missing)}"] * bool(missing) + [f"without {', '.join(new)}"] * bool(new)
    said += [f"with another {', '.join(other)}"] * bool(other)
    if said:
        raise _error(f"was made for a query {' and '.join(said)}: repeat that query and add after=", adapter)
    if content["d"] != _digest(parts, _LONG):
        raise _error("was made for another query: repeat that query and add after=", adapter)


def _open(checkpoint: Any) -> dict[str, Any]:
    return _unpack(unsealed(checkpoint, _PREFIX, "one account"))


def account_key(adapter: Adapter) -> str:
    """What an account is known by: provider, address and tenant, never its key."""
    return _digest((adapter.name, *adapter.account()), _LONG)


def sealed(text: str) -> str:
    """A text with its checksum."""
    return f"{text}.{_checksum(text)}"


def unsealed(checkpoint: Any, prefix: str, of: str) -> str:
    """What stands between prefix and checksum.

    Raises:
        CheckpointError: It is empty, damaged, of another version, or of something else than `of`.
    """
    if not isinstance(checkpoint, str) or not checkpoint.strip():
        raise CheckpointError("the checkpoint is empty: leave after= out (or None) to start from the beginning")
    text = checkpoint.strip()
    if not text.startswith(prefix):
        raise _foreign(text, of)
    body, _, checksum = text.rpartition(".")
    if checksum != _checksum(body):
        raise CheckpointError("the checkpoint is damaged: pass listing.checkpoint, whole and unchanged")
    return body.removeprefix(prefix)


def _foreign(text: str, of: str) -> CheckpointError:
    version = text.partition(".")[0]
    if version in {"uc1", "ucd1", "ucd2"}:
        other = "one account" if version == "uc1" else "a Directory"
        return CheckpointError(f"the checkpoint is that of {other}, and {of} is read here")
    if is_checkpoint(text) and version.lstrip("ucd").isdigit():
        return CheckpointError(f"the checkpoint is of version {version.lstrip('ucd')}, which this release can't read")
    return CheckpointError("this is no checkpoint of unified_customers: pass listing.checkpoint, unchanged")


def _unpack(body: str) -> dict[str, Any]:
    try:
        packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        content = msgspec.json.decode(zlib.decompressobj().decompress(packed, _LARGEST))
        if content.keys() >= {"p", "a", "q", "d", "s", "t"} and isinstance(content["q"], dict):
            return dict(content)
    except (ValueError, zlib.error, binascii.Error, RecursionError, AttributeError):
        pass
    raise CheckpointError("the checkpoint is damaged: pass listing.checkpoint, whole and unchanged")


def _dump(value: Any, table: dict[str, int]) -> Any:
    """A frozen value with its class's name, without what is as by default; lists of ids refer to a table of texts."""
    if isinstance(value, tuple):
        return [_dump_one(one, table) for one in value]
    if not attrs.has(type(value)):
        return value
    out: dict[str, Any] = {"": type(value).__name__}
    for field in attrs.fields(type(value)):
        inner = getattr(value, field.name)
        if inner != field.default:
            out[field.name] = _dump(inner, table)
    return out


def _dump_one(one: Any, table: dict[str, int]) -> Any:
    if isinstance(one, str):
        return table.setdefault(one, len(table))
    return _dump(one, table) if attrs.has(type(one)) else [one]


def _load(adapter: Adapter, data: Any, table: Any) -> Position:
    classes = {cls.__name__: cls for cls in adapter.positions}
    try:
        cls = classes[data[""]]
        fields = {name: _load_field(adapter, inner, table) for name, inner in data.items() if name}
        if fields.keys() <= {field.name for field in attrs.fields(cls)}:
            return restore(cls, fields)
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    raise _error("holds a position that this release can't read", adapter)


def _load_field(adapter: Adapter, inner: Any, table: Any) -> Any:
    if isinstance(inner, dict) and "" in inner:
        return _load(adapter, inner, table)
    if isinstance(inner, list):
        return [_load_one(adapter, one, table) for one in inner]
    return inner


def _load_one(adapter: Adapter, one: Any, table: Any) -> Any:
    if isinstance(one, dict):
        return _load(adapter, one, table)
    return table[one] if isinstance(one, int) else one[0]


def _digest(value: Any, size: int) -> str:
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, person=b"uc-checkpoint").hexdigest()


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"uc-checksum").hexdigest()


def _error(says: str, adapter: Adapter) -> CheckpointError:
    return CheckpointError(f"the checkpoint {says}", provider=adapter.name)
