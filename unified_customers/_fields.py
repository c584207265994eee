"""What a caller wants to write, checked before anything is sent: all faults at once, none with its value.

Knows fields, texts and capabilities; must not know HTTP. What one provider minds about a value is asked of its adapter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ._adapter import Adapter
from ._countries import code_of
from ._query import nearest, texts
from ._redact import Hidden
from .errors import Fault, InvalidRequestError, UnsupportedError
from .models import Address, CustomerFields

KNOWN = tuple(CustomerFields.__annotations__)
_PARTS = tuple(field.name for field in attrs.fields(Address))
_TEXTS = tuple(name for name in KNOWN if not name.endswith("_address") and name not in {"metadata", "params"})
_LONGEST = 60  # of a key that is shown


def checked(adapter: Adapter, given: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """The fields in the provider's own words, ready to be written.

    Args:
        adapter: Where to.
        given: The caller's keywords. Creating, `None` is as if not given; updating, it clears.
        creating: Whether a customer is to be created, rather than changed.

    Raises:
        UnsupportedError: The provider can't write one of them.
        InvalidRequestError: A value that it would refuse or spoil, or nothing to write.
    """
    fields, found = _examined(adapter, given, creating=creating)
    if found:
        raise _refusal(adapter, found)
    if not creating and not fields:
        raise InvalidRequestError("update() was given nothing to change", provider=adapter.name)
    return fields


def faults(adapter: Adapter, given: Mapping[str, Any], *, creating: bool) -> tuple[Fault, ...]:
    """Everything that `checked` would refuse these fields for.

    Raises:
        UnsupportedError: There is no such keyword, whatever the provider.
    """
    return _examined(adapter, given, creating=creating)[1]


def _examined(
    adapter: Adapter, given: Mapping[str, Any], *, creating: bool
) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """The fields that are well, and what is wrong with the others."""
    for name in given:
        if name not in KNOWN:
            raise UnsupportedError(f"there is no field {name}=: {nearest(name, KNOWN)}", provider=adapter.name)
    refusal = unable(adapter, creating=creating)
    if refusal is not None:
        return {}, (Fault("create" if creating else "update", refusal.message, "unsupported"),)
    good: dict[str, Any] = {}
    found: list[Fault] = []
    for name, value in given.items():
        if value is None and (creating or name == "params"):
            continue
        good[name], more = _field(adapter, name, value, creating=creating)
        found += more
        if more and good[name] is None:
            del good[name]
    found += _more_faults(adapter, good, {fault.field for fault in found}, creating=creating)
    return good, tuple(found)


def _field(adapter: Adapter, name: str, value: Any, *, creating: bool) -> tuple[Any, list[Fault]]:
    can = adapter.capabilities
    if name not in (*(can.creates if creating else can.updates), "params"):
        says = "creates customers with" if creating else "changes"
        return None, [Fault(name, f"is no field that {adapter.title} {says}", "unsupported")]
    if value is None and name not in can.clears:
        return None, [Fault(name, f"can't be cleared at {adapter.title}", "unsupported")]
    return _value(adapter, name, value)


def _more_faults(adapter: Adapter, good: Mapping[str, Any], bad: set[str], *, creating: bool) -> Iterable[Fault]:
    """What is missing, and what the provider minds; a field that is faulty already is told of once."""
    if creating:
        needed = adapter.capabilities.requires
        yield from (Fault(name, "is required") for name in needed if name not in good and name not in bad)
    yield from (fault for fault in adapter.faults(good, creating=creating) if fault.field not in bad)


def unable(adapter: Adapter, *, creating: bool) -> UnsupportedError | None:
    """Why a provider creates, or changes, no customers at all; `None` where it does."""
    can = adapter.capabilities
    if can.creates if creating else can.updates:
        return None
    try:
        adapter.create({}) if creating else adapter.update("", {}, None)
    except UnsupportedError as error:
        error.provider = error.provider or adapter.name
        return error
    except AttributeError:  # it doesn't inherit from `Adapter`
        pass
    says = "creates" if creating else "changes"
    return UnsupportedError(f"{adapter.title} {says} no customers here", provider=adapter.name)


def _value(adapter: Adapter, name: str, value: Any) -> tuple[Any, list[Fault]]:
    """A value that can be sent, as far as there is one, and what is wrong with it."""
    if value is None:
        return None, []
    if name in _TEXTS:
        rule = _text(value)
        if rule:
            return None, [Fault(name, rule)]
        return _word(adapter, name, str(value))
    if name.endswith("_address"):
        return _address(adapter, name, value)
    return _mapping(adapter, name, value)


def _text(value: Any) -> str:
    """What is wrong with a text, if anything."""
    if not isinstance(value, str):
        return f"is a text, not {type(value).__name__}"
    if not value:
        return "is empty: leave it out, or give None"
    return _letters(value)


def _letters(value: str) -> str:
    if "\0" in value:
        return "holds a null character, which no database takes"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate), which can't be sent"
    return ""


def _word(adapter: Adapter, name: str, value: str) -> tuple[Any, list[Fault]]:
    """A status or kind in the provider's own word."""
    words = {"status": adapter.status_words, "kind": adapter.kind_words}.get(name)
    if words is None or value in words.values():
        return value, []
    if value in words:
        return words[value], []
    return None, [Fault(name, f"is one of {', '.join(words)}")]


def _address(adapter: Adapter, name: str, value: Any) -> tuple[Any, list[Fault]]:
    if not isinstance(value, Address):
        return None, [Fault(name, f"is an Address, not {type(value).__name__}")]
    found: list[Fault] = []
    can = adapter.capabilities.address
    for part in _PARTS:
        inner = getattr(value, part)
        if inner is None:
            continue
        if part not in can and not (part == "country_code" and "country" in can):
            found.append(Fault(f"{name}.{part}", f"is no part that {adapter.title} stores", "unsupported"))
        elif rule := _text(inner):
            found.append(Fault(f"{name}.{part}", rule))
        else:
            continue
        value = attrs.evolve(value, **{part: None})
    return value, found + _country(name, value)


def _country(name: str, address: Address) -> list[Fault]:
    given, named = address.country_code, code_of(address.country)
    if given is not None and given not in {code_of(given), "XK"}:  # Kosovo, which ISO leaves to its users
        return [Fault(f"{name}.country_code", "is no ISO 3166-1 code of two capital letters")]
    if given is not None and named not in {None, given}:
        return [Fault(f"{name}.country", "is another country than country_code")]
    return []


def _mapping(adapter: Adapter, name: str, value: Any) -> tuple[Any, list[Fault]]:
    if not isinstance(value, Mapping):
        return None, [Fault(name, f"is a mapping, not {type(value).__name__}")]
    found: list[Fault] = []
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        rule = _key(key) or _sendable(inner)
        if name == "params" and not rule and key in adapter.own_names:
            rule = "is the library's own to send: use the keyword for it"
        if rule:
            found.append(Fault(place(name, key), rule))
        else:
            kept[str(key)] = inner
    return kept, found


def place(name: str, key: Any) -> str:
    """A key of a mapping as faults show it: one that may be anything but a key is left out."""
    shown = isinstance(key, str) and key.isprintable() and 0 < len(key) <= _LONGEST and "@" not in key
    return f"{name}.{key}" if shown else name


def _key(key: Any) -> str:
    if not isinstance(key, str):
        return f"has a key that is no text but {type(key).__name__}"
    return "has an empty key" if not key else _letters(key)


def _sendable(value: Any) -> str:
    """What is wrong with a value that is to be sent as JSON, if anything."""
    if type(value) is str:
        return _letters(value)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return f"can't be sent as JSON ({type(value).__name__})"
    return next((rule for text in _all_texts(value) if (rule := _letters(text))), "")


def _all_texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key in value:
            yield from texts(key)
            yield from _all_texts(value[key])
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _all_texts(inner)
    else:
        yield from texts(value)


def _refusal(adapter: Adapter, found: tuple[Fault, ...]) -> UnsupportedError | InvalidRequestError:
    """The error for all faults together: an unsupported field weighs more than a wrong value."""
    cls = UnsupportedError if any(fault.kind == "unsupported" for fault in found) else InvalidRequestError
    told = "; ".join(f"{fault.field}: {fault.rule}" for fault in found)
    return cls(f"not sent to {adapter.title}, {told}", provider=adapter.name, faults=found)


def hidden(fields: Mapping[str, Any]) -> Hidden:
    """Every text of the caller's, to be masked in errors."""
    plain = [attrs.asdict(value) if isinstance(value, Address) else value for value in fields.values()]
    return Hidden(_all_texts(plain))
