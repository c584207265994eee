"""A provider's records as customers: one table of fields, read in two ways that must agree.

The slow way is the reference: cattrs, strict, with the place of every fault. The fast way decodes a page straight
into msgspec structs made of the same wire class, and fills a customer's slots by code compiled from the same table;
whatever it is not sure of, it leaves to the slow way. Knows types and tables; must not know a provider.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar

import attrs
import msgspec

from ._adapter import Keep, Row, Rows, unreadable
from ._decode import Anything, Id, Number, array, decode, record, utf8
from ._json import FAULTS, parse
from ._slots import compiled, defaults, draft_of
from ._values import Late, Words, moment, read_only, text
from ._wire import Response
from .errors import BadRecordError
from .models import LATE, Customer, ReadOnlyDict

W = TypeVar("W")
Table = Mapping[str, Any]
"""By a customer's field, where it comes from: a wire field; or (function, wire fields…); or (function, {keyword: wire
field}); or (function,), which is given the whole row. Functions must take whatever the wire class lets through; one
that can't fail may be marked `late`: addresses, metrics and `updated_at` are then made when somebody looks."""

_PLAIN = {str: str, bool: bool, int: int, Any: Any, type(None): None}


class Typed(list[Any]):
    """The records of a page that was decoded straight into structs, and the answer they came in."""

    def __init__(self, rows: Iterable[Any], response: Response, body: bytes) -> None:
        super().__init__(rows)
        self.response = response
        self.body = body


class Page(dict[str, Any]):
    """The keys of a page that were asked for; any other was not decoded, so looking for it is a mistake."""

    def __init__(self, found: Mapping[str, Any], known: frozenset[str]) -> None:
        super().__init__(found)
        self._known = known

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._listed(name))

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._listed(name))

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict's."""
        return super().get(self._listed(name), default)

    def _listed(self, name: Any) -> Any:
        if name in self._known:
            return name
        raise TypeError(f"Records(beside=…) does not list {name!r}, so pages are decoded without it: add it there")


class Records(Generic[W]):
    """How one provider's records become customers.

    Args:
        wire: An attrs class with the fields of a record that matter, in the provider's spelling and with its types.
        provider: The adapter's name.
        key: Under which key of a page the records stand.
        fields: Where each field of a customer comes from.
        beside: Other keys of a page that the adapter reads.
        id: The wire field of the id.
        created: The wire field of the time of creation.
    """

    def __init__(
        self,
        wire: type[W],
        *,
        provider: str,
        key: str,
        fields: Table,
        beside: Sequence[str] = (),
        id: str = "id",
        created: str = "created_at",
    ) -> None:
        self.wire, self.provider, self.key, self.beside = wire, provider, key, tuple(beside)
        self.id, self.created = id, created
        self.fields: Table = {**fields, "id": id, "created_at": (moment, created)}
        _refuse_unknown(wire, self.fields)

    def one(self, raw: Any, path: str) -> Customer:
        """A customer of one record, the slow and strict way.

        Raises:
            BadRecordError: A field is not of the documented type; `path` says which.
        """
        row = record(self.wire, raw, path, self.id)
        found = {name: _taken(row, source) for name, source in self.fields.items()}
        return Customer(provider=self.provider, raw=ReadOnlyDict(raw), **found)

    def decode(self, response: Response) -> Any:
        """A page's body: as plain values, or, where nothing is odd about it, with its records in a `Typed` list.

        Raises:
            MalformedResponseError: It is not JSON.
        """
        page = self._page(response)
        if page is None:
            return decode(response)
        return page

    def rows(self, records: Any, path: str, keep: Keep) -> Sequence[Row]:
        """The rows of a page's records; those that can't be read are `keep`'s to decide about.

        Raises:
            MalformedResponseError: `records` is no list.
            BadRecordError: Where `keep` raises it.
        """
        if isinstance(records, Typed):
            fast = self._fast(records)
            if fast is not None:
                return fast
            records = decode(records.response)[self.key]
        found = (self._row(raw, f"{path}[{n}]", keep) for n, raw in enumerate(array(records, path)))
        return [row for row in found if row is not None]

    def _row(self, raw: Any, path: str, keep: Keep) -> Row | None:
        try:
            customer = self.one(raw, path)
        except BadRecordError as error:
            created = moment(raw.get(self.created)) if isinstance(raw, Mapping) else None
            return unreadable(error, keep, raw, self.id, created)
        return Row(customer.id, customer.created_at, customer)

    def _page(self, response: Response) -> dict[str, Any] | None:
        body, made = utf8(response), self._made
        if made is None:
            return None
        try:
            page = made.page.decode(body)
        except FAULTS:
            return None
        found = {name: getattr(page, name) for name in self.beside if getattr(page, name) is not msgspec.UNSET}
        found[self.key] = Typed(getattr(page, self.key), response, body)
        return Page(found, frozenset({self.key, *self.beside}))

    def _fast(self, records: Typed) -> Rows | None:
        made = self._made
        if made is None:
            return None
        try:
            words = getattr(made.texts.decode(records.body), self.key)
            ids, moments = made.columns(records)
        except (*FAULTS, TypeError):
            return None
        return Rows(ids, moments, made.maker(records, words, moments))

    @functools.cached_property
    def _made(self) -> _Made | None:
        """Built at the first page; `None` where the wire class has types that only the slow way knows."""
        try:
            return self._make()
        except TypeError:
            return None

    def _slowly(self, words: Any) -> Customer:
        """What a function of the table that takes the wire class only can't do with a struct."""
        return self.one(parse(bytes(words)), "$")

    def _make(self) -> _Made:
        wire: Any = self.wire
        struct = _struct.__wrapped__(wire)  # of its own: which table reads a late field is told by the struct
        _read_late(struct, self.fields)
        beside = [(name, Any, msgspec.UNSET) for name in self.beside]
        page = msgspec.defstruct("Page", [(self.key, list[struct]), *beside])  # type: ignore[valid-type]
        texts = msgspec.defstruct("Texts", [(self.key, list[msgspec.Raw])])
        return _Made(
            page=msgspec.json.Decoder(page, float_hook=Decimal),
            texts=msgspec.json.Decoder(texts),
            columns=_columns(self.id, self.created, wire),
            maker=_maker(self.provider, self.fields, self._slowly),
        )


@attrs.frozen(kw_only=True)
class _Made:
    page: msgspec.json.Decoder[Any]
    texts: msgspec.json.Decoder[Any]
    columns: Callable[[Sequence[Any]], tuple[list[str], list[datetime | None]]]
    maker: Callable[[Sequence[Any], Sequence[Any], Sequence[datetime | None]], Callable[[int], Customer]]


def _refuse_unknown(wire: type[Any], table: Table) -> None:
    ours = {field.name for field in attrs.fields(Customer)} - {"provider", "raw"}
    theirs = {field.name for field in attrs.fields(wire)}
    named = {name for source in table.values() for name in _names(source)}
    if not ours >= table.keys() or not theirs >= named:
        unknown = sorted({*(table.keys() - ours), *(named - theirs)})
        raise TypeError(f"neither Customer nor {wire.__name__} has {', '.join(unknown)}")


def _names(source: Any) -> tuple[str, ...]:
    if isinstance(source, str):
        return (source,)
    keywords, names = _named(source)
    return (*names, *keywords.values())


def _named(source: tuple[Any, ...]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The wire fields that a function is given, by keyword and by position."""
    given = source[1:]
    return (given[0], ()) if given and isinstance(given[0], Mapping) else ({}, given)


def _taken(row: Any, source: Any) -> Any:
    if isinstance(source, str):
        return getattr(row, source)
    keywords, names = _named(source)
    if not keywords and not names:
        return source[0](row)
    return source[0](*(getattr(row, n) for n in names), **{ours: getattr(row, n) for ours, n in keywords.items()})


# The fast way


@functools.cache
def _struct(wire: Any) -> type[Any]:
    """The struct that takes what the wire class takes; raises `TypeError` for a type that it doesn't know."""
    if hasattr(wire, "__attrs_post_init__") or any(map(_does_more, attrs.fields(wire))):
        raise TypeError(f"{wire.__name__} does more than take its fields")
    hints = typing.get_type_hints(wire)
    fields: list[Any] = [
        (field.name, _kind(hints[field.name]))
        if field.default is attrs.NOTHING
        else (field.name, _kind(hints[field.name]), field.default)
        for field in attrs.fields(wire)
    ]
    return msgspec.defstruct(wire.__name__, fields, kw_only=True, gc=False, namespace={"__repr__": object.__repr__})


def _does_more(field: Any) -> bool:
    made = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]  # a class, whatever its stub says
    return bool(made or field.converter or field.validator or not field.init or field.alias != field.name)


def _kind(hint: Any) -> Any:
    if hint is Id:
        return Annotated[str, msgspec.Meta(min_length=1)]
    if hint is Number:
        return Decimal
    if hint is Anything:
        return Any
    if attrs.has(hint):
        return _struct(hint)
    if typing.get_origin(hint) in {typing.Union, UnionType}:
        return functools.reduce(lambda a, b: a | b, map(_kind, typing.get_args(hint)))
    if hint == dict[str, Any]:
        return hint
    if hint in _PLAIN:
        return _PLAIN[hint]
    raise TypeError(hint)


def _columns(id: str, created: str, wire: type[Any]) -> Any:
    """A function of structs that makes their ids and moments; it raises where the slow way has to decide."""
    known: dict[str, Any] = {"utc": UTC, "iso": datetime.fromisoformat, "moment": moment}
    checks = _finite(wire, known, "source")
    lines = [
        "def columns(structs):",
        *([" for source in structs:", *(f" {line}" for line in checks)] if checks else []),
    ]
    lines += [f" sent = [source.{created} for source in structs]"]
    lines += [" try:", "  read = list(map(iso, sent))"]  # most times come as ISO 8601 in UTC
    lines += ["  moments = [at if at.tzinfo is utc else moment(as_sent) for at, as_sent in zip(read, sent)]"]
    lines += [" except (TypeError, ValueError):", "  moments = list(map(moment, sent))"]
    lines += [f" return [source.{id} for source in structs], moments"]
    return compiled(lines, known, "columns")


def _maker(provider: str, table: Table, slowly: Callable[[Any], Customer]) -> Any:
    """A function of structs, texts and moments; it makes what does `Records.one` for a number, if without faults."""
    fixed: dict[str, Any] = {**defaults(Customer), "provider": provider}
    known: dict[str, Any] = {"cls": Customer, "draft": draft_of(Customer), "slowly": slowly}
    lines = ["def maker(structs, words, moments):", " def make(number):", "  try:"]
    lines += ["   source, new = structs[number], draft()"]
    for field in attrs.fields(Customer):
        known[f"fixed_{field.name}"] = fixed.get(field.name)
        lines += [f"   new.{field.name} = {_filled(field.name, table.get(field.name), known)}"]
    lines += ["   new.__class__ = cls", "   return new", "  except Exception:", "   return slowly(words[number])"]
    return compiled([*lines, " return make"], known, "maker")


def _filled(name: str, source: Any, known: dict[str, Any]) -> str:
    """What does the same as `_taken`; a field that may be made late gets what it will be made of."""
    if name == "raw":
        return "bytes(words[number])"
    if name == "created_at":
        return "moments[number]"
    if source is None:
        return f"fixed_{name}"
    if isinstance(source, str):
        return f"source.{source}"
    read, names = source[0], _named(source)[1]
    if read is read_only and name == "metadata":
        return f"source.{names[0]} or fixed_{name}"
    if _is_late(name, read):
        return "source"
    if read is text:
        return f"source.{names[0]} or None"
    if isinstance(read, Words):
        known[f"read_{name}"] = read.words.get
        return f"read_{name}(source.{names[0]}, source.{names[0]}) or None"
    return _called(name, source, known)


def _called(name: str, source: tuple[Any, ...], known: dict[str, Any]) -> str:
    keywords, names = _named(source)
    known[f"read_{name}"] = source[0].function if isinstance(source[0], Late) else source[0]
    given = [*(f"source.{one}" for one in names), *(f"{ours}=source.{theirs}" for ours, theirs in keywords.items())]
    return f"read_{name}({', '.join(given) or 'source'})"


def _is_late(name: str, read: Any) -> bool:
    return name in LATE and (isinstance(read, Late) or read is moment)


def _read_late(struct: type[Any], table: Table) -> None:
    """Have the late fields of this table made of its structs."""
    for name, source in table.items():
        if not isinstance(source, str) and _is_late(name, source[0]):
            known: dict[str, Any] = {}
            lines = ["def reader(source):", f" return {_called(name, source, known)}"]
            LATE[name].readers[struct] = compiled(lines, known, "reader")


def _finite(wire: type[Any], known: dict[str, Any], row: str) -> list[str]:
    """Lines that refuse NaN and infinity, which a number written as text may be; msgspec lets them pass."""
    known["finite"] = Decimal.is_finite
    lines: list[str] = []
    hints = typing.get_type_hints(wire)
    for name, hint in hints.items():
        parts = {hint, *typing.get_args(hint)}
        if Number in parts:
            lines.append(f" if {row}.{name} is not None and not finite({row}.{name}): raise ValueError")
        for part in parts:
            inner = _finite(part, known, f"{row}.{name}") if attrs.has(part) else []
            lines += [f" if {row}.{name} is not None:", *(f" {line}" for line in inner)] if inner else []
    return lines
