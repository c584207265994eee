"""One source customer as the target will have it: what is sent, what is lost and how, and what forbids it.

Pure: knows customers and what a target says that it takes; must not know providers, files or clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from ..errors import Fault
from ..models import Customer
from .fields import METADATA, Flat, field_of, flat, flat_metadata
from .origin import EARLIER, key_for, stamped

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
        fields: Keywords that the target stores.
        parts: Parts of an address that it stores.
        on_loss: ``"metadata"``, ``"drop"`` or ``"refuse"``.
        faults: What the target would refuse in these keywords, nothing being sent.
    """

    fields: frozenset[str]
    parts: frozenset[str]
    on_loss: str
    faults: Callable[[Flat], Iterable[Fault]] = lambda _: ()

    @property
    def metadata(self) -> bool:
        """Whether it stores metadata."""
        return "metadata" in self.fields


def translate(customer: Customer, external_id: str, terms: Terms) -> Moved:
    """What becomes of this customer."""
    source = flat(customer)
    source.pop("external_id", None)
    wanted = {"external_id": external_id} if "external_id" in terms.fields else {}
    wanted.update({path: value for path, value in source.items() if _fits(path, terms)})
    _name(wanted, source, terms)
    lost = [path for path, value in source.items() if not _fits(path, terms) and not _told(path, value)]
    lost += _spoilt(wanted, terms)
    losses = [_loss(path, terms) for path in lost] + _texts(customer.metadata, terms)
    if terms.metadata:
        losses += _add_metadata(wanted, customer, {path: source[path] for path in lost}, terms)
    losses += [Loss(name, STAYS) for name in _OWN_BOOKS if getattr(customer, name) is not None]
    faults = (*terms.faults(wanted), *_refused(losses, terms))
    return Moved(wanted=wanted, losses=tuple(losses), faults=faults)


def _spoilt(wanted: Flat, terms: Terms) -> list[str]:
    """Values that the target would refuse, and that a customer can do without: they are taken out."""
    spoilt = [fault.field for fault in terms.faults(wanted) if fault.field in _DROPPABLE and fault.field in wanted]
    for path in spoilt:
        del wanted[path]
    return spoilt


def _fits(path: str, terms: Terms) -> bool:
    if path.startswith(METADATA):
        return False  # comes in by `_metadata`
    name, _, part = path.partition(".")
    return name in terms.fields and (not part or part in terms.parts)


def _told(path: str, value: str) -> bool:
    """Whether nothing is lost with it: metadata has its own way, and a new customer is active anyhow."""
    return path.startswith(METADATA) or (path == "status" and value == "active")


def _name(wanted: Flat, source: Mapping[str, str], terms: Terms) -> None:
    """A customer without a name bears its company's."""
    if "name" in terms.fields and "name" not in wanted and "company" in source:
        wanted["name"] = source["company"]


def _add_metadata(wanted: Flat, customer: Customer, lost: Mapping[str, str], terms: Terms) -> list[Loss]:
    """Give it its own metadata, what the target has no field for, and where it comes from; returns what is lost."""
    own = flat_metadata(_free(customer.metadata))
    lost_keys = [path for path in own if path == METADATA]
    lost_keys += _refused_keys({**wanted, **own}, own, terms)
    kept = {**{path: own[path] for path in lost_keys}, **lost} if terms.on_loss == "metadata" else {}
    wanted.update({path: value for path, value in own.items() if path not in lost_keys})
    wanted.update({METADATA + key_for(path): value for path, value in kept.items()})
    wanted.update(stamped(customer))
    return [_loss(path, terms) for path in lost_keys]


def _refused_keys(wanted: Flat, own: Flat, terms: Terms) -> list[str]:
    """Keys of the source's metadata that the target keeps for itself."""
    return [fault.field for fault in terms.faults(wanted) if fault.field in own and fault.field != METADATA]


def _free(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A source's metadata without what an earlier move says of itself, which `stamped` takes along."""
    return {key: value for key, value in metadata.items() if not key.startswith(EARLIER)}


def _loss(path: str, terms: Terms) -> Loss:
    keeps = terms.metadata and terms.on_loss == "metadata"
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
