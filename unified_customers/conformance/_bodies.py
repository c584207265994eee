"""Finds the records in whatever JSON a provider sends, and changes them there.

Knows JSON and the ids of the server's records; must not know an adapter. A record is an object that holds a known id
under the name under which the server's own records hold theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from ..adapter import Response
from ._saying import expect
from ._server import Server

Record = dict[str, Any]
Change = Callable[[Record], list[Any]]
Path = tuple[str, ...]


def id_name(server: Server) -> str:
    """The name under which this server's records hold their id."""
    names: list[str] | None = None
    for id_, record in server.records.items():
        here = [name for name, value in record.items() if isinstance(value, str | int) and str(value) == id_]
        names = here if names is None else [name for name in names if name in here]
    expect(names, "each record in your fake server's `.records` has to hold, at its top, the id that it is kept under")
    return (names or [""])[0]


def changed(response: Response, server: Server, change: Change) -> Response:
    """The answer with each of its records replaced by what `change` makes of it: none, one or several."""
    body = parsed(response)
    if body is None:
        return response
    name, ids = id_name(server), set(server.records)

    def is_record(value: Any) -> bool:
        return isinstance(value, dict) and name in value and str(value[name]) in ids

    return with_body(response, _replaced(body, is_record, change))


def _replaced(value: Any, is_record: Callable[[Any], bool], change: Change) -> Any:
    if is_record(value):
        return next(iter(change(value)), None)
    if isinstance(value, dict):
        return {name: _replaced(inner, is_record, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [one for inner in value for one in _in_list(inner, is_record, change)]
    return value


def _in_list(value: Any, is_record: Callable[[Any], bool], change: Change) -> list[Any]:
    return change(value) if is_record(value) else [_replaced(value, is_record, change)]


def parsed(response: Response) -> Any:
    """The JSON of an answer, or `None`."""
    try:
        return json.loads(response.body)
    except ValueError:
        return None


def with_body(response: Response, body: Any) -> Response:
    """The same answer with another body; anything but bytes becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return attrs.evolve(response, body=content, headers=headers)


def paths(record: Mapping[str, Any], depth: int = 3) -> Iterator[Path]:
    """The places in a record, those inside its objects too."""
    for name, value in record.items():
        yield (name,)
        if depth > 1 and isinstance(value, Mapping):
            yield from ((name, *inner) for inner in paths(value, depth - 1))


def value_at(record: Any, path: Path) -> Any:
    """What stands at a place."""
    for name in path:
        record = record[name]
    return record


def put(record: Record, path: Path, value: Any) -> Record:
    """A copy of the record with another value at a place."""
    name, *rest = path
    return {**record, name: put(record[name], tuple(rest), value) if rest else value}


def without(record: Record, path: Path) -> Record:
    """A copy of the record in which that place is missing."""
    name, *rest = path
    if rest:
        return {**record, name: without(record[name], tuple(rest))}
    return {other: value for other, value in record.items() if other != name}


def everywhere(record: Any, old: object, new: object) -> Any:
    """The record with another value wherever the old one stands: who knows which of the places counts."""
    if isinstance(record, dict):
        return {name: everywhere(inner, old, new) for name, inner in record.items()}
    return new if record == old and type(record) is type(old) else record
