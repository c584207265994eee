"""One source customer as the target will have it: what is sent, what is lost and how, and what forbids it.

Pure: knows customers and what a target says that it takes; must not know providers, files or clients.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from ..errors import Fault
from ..models import Customer
from .fields import ADDRESSES, METADATA, OWN, SCALARS, Flat, field_of, flat
from .origin import PATHS, key_for, stamped

KEPT, DROPPED, STAYS, TEXT = "kept", "dropped", "stays", "text"
_OWN_BOOKS = ("metrics", "updated_at")  # the provider works these out itself
_DROPPABLE = frozenset({"phone", "billing_address.country", "shipping_address.country"})
"""A value here that the target would refuse is a loss; elsewhere it makes the customer impossible to move."""


@attrs.frozen
class Loss:
    """A field that doesn't arrive as it was.

    Attributes:
        field: Its path at the source.
        fate: ``"kept"`` in the target's metadata, ``"dropped"``, ``"text"`` for metadata that becomes JSON text, or
            ``"stays"`` for figures that only the source can work out.
        where: The metadata key that keeps it.
    """

    field: str
    fate: str
    where: str = ""


@attrs.frozen(kw_only=True)
class Moved:
    """A source customer in the target's terms.

    Attributes:
        wanted: What the target shall have, by path.
        losses: What doesn't arrive as it was.
        faults: Why it can't be sent at all; each names field and rule, and no value.
    """

    wanted: Flat
    losses: tuple[Loss, ...] = ()
    faults: tuple[Fault, ...] = ()


@attrs.frozen(kw_only=True)
class Terms:
    """What a target takes, and what to do with the rest.

    Attributes:
        provider: Whose they are.
        fields: Keywords that the target stores.
        parts: Parts of an address that it stores.
        own: Its own fields, which customers of the same provider have too.
        on_loss: ``"metadata"``, ``"drop"`` or ``"refuse"``.
        faults: What the target would refuse in these keywords, nothing being sent.
    """

    provider: str
    fields: frozenset[str]
    parts: frozenset[str]
    own: tuple[str, ...]
    on_loss: str
    faults: Callable[[Flat], Iterable[Fault]] = lambda _: ()

    metadata: bool = attrs.field(init=False)
    paths: frozenset[str] = attrs.field(init=False)

    @metadata.default
    def _metadata(self) -> bool:
        return "metadata" in self.fields

    @paths.default
    def _paths(self) -> frozenset[str]:
        """The paths of the model that it stores, but for metadata."""
        inner = {f"{name}.{part}" for name in ADDRESSES if name in self.fields for part in self.parts}
        return frozenset(inner | self.fields.intersection(SCALARS) | {OWN + name for name in self.own})


def translate(customer: Customer, external_id: str, terms: Terms) -> Moved:
    """What becomes of this customer."""
    source = flat(customer, terms.own if customer.provider == terms.provider else ())
    source["external_id"] = external_id
    lost = [path for path, value in source.items() if not (_fits(path, terms) or _told(path, value))]
    lost += [METADATA] if METADATA in source and terms.metadata else []
    lost += _displaced(source, lost, terms)
    wanted = _wanted(customer, source, lost, terms)
    faults = tuple(terms.faults(wanted))
    spoilt = [path for fault in faults if (path := fault.field) in source and _can_do_without(path)]
    if spoilt:
        lost += spoilt
        lost += _displaced(source, lost, terms)
        wanted = _wanted(customer, source, lost, terms)
        faults = tuple(terms.faults(wanted))
    losses = [_loss(path, terms) for path in lost] + _texts(customer.metadata, terms)
    losses += [Loss(name, STAYS) for name in _stays(terms) if getattr(customer, name) is not None]
    return Moved(wanted=wanted, losses=tuple(losses), faults=(*faults, *_refused(losses, terms)))


def _wanted(customer: Customer, source: Mapping[str, str], lost: Sequence[str], terms: Terms) -> Flat:
    """What the target shall have, if these fields are lost."""
    left_out = frozenset(lost)
    wanted = {path: value for path, value in source.items() if path not in left_out and _fits(path, terms)}
    if "name" in terms.fields and "name" not in wanted and "company" in source:
        wanted["name"] = source["company"]  # a customer without a name bears its company's
    if not terms.metadata:
        return wanted
    kept = lost if terms.on_loss == "metadata" else ()
    wanted.update({METADATA + key_for(path): source[path] for path in kept})
    return {**wanted, **stamped(customer)}


def _displaced(source: Mapping[str, str], lost: Sequence[str], terms: Terms) -> list[str]:
    """The source's own metadata under keys that what is lost will be kept under: that is kept elsewhere in its turn."""
    found: list[str] = []
    fresh = lost if terms.metadata and terms.on_loss == "metadata" else ()
    while fresh:
        taken = [METADATA + key_for(path) for path in fresh]
        fresh = [path for path in taken if path in source and path not in {*lost, *found}]
        found += fresh
    return found


def _stays(terms: Terms) -> tuple[str, ...]:
    """What the source works out itself; when a customer was created stands in the metadata, where there is any."""
    return _OWN_BOOKS if terms.metadata else (*_OWN_BOOKS, "created_at")


def _can_do_without(path: str) -> bool:
    """Whether a value that the target would refuse is a loss, rather than the end."""
    return path in _DROPPABLE or path.startswith((METADATA, OWN))


def _fits(path: str, terms: Terms) -> bool:
    if path in terms.paths:
        return True
    # what an earlier move said of itself, `stamped` takes along
    return terms.metadata and path.startswith(METADATA) and path not in PATHS


def _told(path: str, value: str) -> bool:
    """Whether it is told of elsewhere, or nothing is lost with it: a new customer is active anyhow."""
    return path.startswith(METADATA) or path == "external_id" or (path == "status" and value == "active")


def _loss(path: str, terms: Terms) -> Loss:
    return _lost(path, keeps=terms.metadata and terms.on_loss == "metadata")


@functools.lru_cache(maxsize=512)
def _lost(path: str, *, keeps: bool) -> Loss:
    name = "metadata with an empty key" if path == METADATA else path
    return Loss(name, KEPT, key_for(path)) if keeps else Loss(name, DROPPED)


def _texts(metadata: Mapping[str, Any], terms: Terms) -> list[Loss]:
    if not metadata:
        return []
    if not terms.metadata:
        return [Loss("metadata", DROPPED)]
    return [Loss("metadata", TEXT)] if any(not isinstance(value, str) for value in metadata.values()) else []


def _refused(losses: Iterable[Loss], terms: Terms) -> list[Fault]:
    """Each loss as a fault, where losing is refused."""
    if terms.on_loss != "refuse":
        return []
    said = "would be lost, and on_loss='refuse'"
    return [Fault(loss.field, said) for loss in losses if loss.fate in (DROPPED, TEXT)]


def differences(wanted: Mapping[str, str], there: Mapping[str, str], ignored: frozenset[str]) -> dict[str, list[Any]]:
    """The paths whose value at the target is another, each with [there, wanted]; what a source lacks is left alone."""
    return {
        path: [there.get(path), value]
        for path, value in wanted.items()
        if path not in ignored and there.get(path) != value
    }


def changed(wanted: Mapping[str, str], there: Mapping[str, str], paths: Iterable[str]) -> Flat:
    """What an update has to send: the keywords of these paths, whole, with what else the target has in them.

    Metadata and addresses are replaced whole by a write, so what stands there already goes along.
    """
    touched = {field_of(path) for path in paths}
    whole = {path: value for path, value in there.items() if field_of(path) in touched}
    return {**whole, **{path: value for path, value in wanted.items() if field_of(path) in touched}}
