"""What a move is asked to do, checked; and the names under which two moves are told apart.

Knows keywords, accounts and queries; must not know files or requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from ..errors import InvalidRequestError
from ..models import Customer
from .fields import digest

ExternalId = str | Callable[[Customer], str | None]
_CONFLICTS = ("refuse", "skip", "update")
_LOSSES = ("metadata", "drop", "refuse")


@attrs.frozen(kw_only=True)
class Settings:
    """What a move is asked to do.

    Attributes:
        external_id: ``"id"``, ``"external_id"``, or a function of the source customer.
        on_conflict: ``"refuse"``, ``"skip"`` or ``"update"``.
        on_loss: ``"metadata"``, ``"drop"`` or ``"refuse"``.
        match_email: Whether customers without a match by external id are looked for by e-mail.
    """

    external_id: ExternalId = "id"
    on_conflict: str = "refuse"
    on_loss: str = "metadata"
    match_email: bool = False

    def __attrs_post_init__(self) -> None:
        if self.external_id not in ("id", "external_id") and not callable(self.external_id):
            raise InvalidRequestError("external_id= is 'id', 'external_id' or a function of the source customer")
        _one_of("on_conflict", self.on_conflict, _CONFLICTS)
        _one_of("on_loss", self.on_loss, _LOSSES)
        if not isinstance(self.match_email, bool):
            raise InvalidRequestError("match_email= is True or False")

    def external_id_of(self, customer: Customer) -> str | None:
        """The external id that this customer shall have at the target.

        Raises:
            InvalidRequestError: The function raised, or returned something else than a text or `None`.
        """
        if callable(self.external_id):
            return _called(self.external_id, customer)
        return customer.id if self.external_id == "id" else customer.external_id

    def named(self) -> dict[str, Any]:
        """The settings as plain values."""
        rule = self.external_id
        name = rule if isinstance(rule, str) else f"function {getattr(rule, '__qualname__', type(rule).__qualname__)}"
        return {**attrs.asdict(self), "external_id": name}


def path_of(journal: Any) -> Path:
    """The path of a journal.

    Raises:
        InvalidRequestError: It is none.
    """
    if not isinstance(journal, str | os.PathLike):
        raise InvalidRequestError("journal= is the path of a file, such as 'move.sqlite'")
    return Path(journal)


def refuse_concurrency(number: Any) -> None:
    """Refuse what is no number of threads."""
    if type(number) is not int or number < 1:
        raise InvalidRequestError("concurrency= is a whole number, 1 or more")


def _one_of(name: str, value: Any, known: Iterable[str]) -> None:
    if value not in known:
        raise InvalidRequestError(f"{name}= is one of {', '.join(map(repr, known))}")


def _called(rule: Callable[[Customer], str | None], customer: Customer) -> str | None:
    try:
        found: Any = rule(customer)
    except Exception as error:  # whatever a user's function raises
        raise InvalidRequestError(
            f"the function given as external_id= raised {type(error).__name__} for customer {customer.id}"
        ) from error
    if found is not None and not isinstance(found, str):
        raise InvalidRequestError("the function given as external_id= returns a text, or None for none")
    return found or None


@attrs.frozen(kw_only=True)
class Identity:
    """Which move this is: a journal of another one is refused by the name of what differs.

    Attributes:
        source: The source's provider; empty where nobody came to tell.
        source_account: A digest of its address and account.
        query: A digest of what is read there.
        target: The target's provider.
        target_account: A digest of its address and account.
        settings: As `Settings.named`.
    """

    source: str
    source_account: str
    query: str
    target: str
    target_account: str
    settings: Mapping[str, Any]

    def differs(self, other: Identity) -> str | None:
        """What is not the same, in words."""
        words = {
            "source": f"another source ({other.source})",
            "source_account": "another account of the source",
            "target": f"another target ({other.target})",
            "target_account": "another account of the target",
            "query": "another query of the source",
        }
        nobody = not (self.source and other.source)  # an iterable without customers tells no account
        for name, said in words.items():
            if getattr(self, name) != getattr(other, name) and not (nobody and name.startswith("source")):
                return said
        for name, value in self.settings.items():
            if other.settings.get(name) != value:
                return f"another plan: {name}={other.settings.get(name)!r}"
        return None


def account_digest(client: Any) -> str:
    """A client's account by provider, address and tenant; never by its key, which may rotate."""
    return digest(client.provider.name, list(client.provider.account()))
