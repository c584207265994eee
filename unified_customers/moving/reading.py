"""Reading moved customers back from the target, many at once where it can.

Knows clients and moves; must not know files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from ..client import Client
from ..errors import ConfigurationError, NotFoundError
from ..models import Customer
from .journal import ELSEWHERE, Journal, Move
from .settings import account_digest

AT_ONCE = 50


def read_back(
    client: Client, journal: Journal, moves: Iterable[Move], at_once: int = AT_ONCE
) -> Iterator[tuple[Move, Customer | None]]:
    """Each move with the customer as the target has it now; `None` where it has none with that id.

    Args:
        client: Of the target.
        journal: The journal.
        moves: The moves.
        at_once: How many are read before the first of them is handed out.

    Raises:
        ConfigurationError: The client's key opens another account or environment.
    """
    left = iter(moves)
    while group := list(itertools.islice(left, at_once)):
        there = _listed(client, [move.target_id for move in group if move.target_id])
        _refuse_elsewhere(client, journal, there.values())
        for move in group:
            yield move, there.get(move.target_id or "") or _one(client, move.target_id or "")


def _listed(client: Client, ids: list[str]) -> dict[str, Customer]:
    if "ids" not in client.provider.capabilities.filters:
        return {}
    return {customer.id: customer for customer in client.customers(ids=ids)}


def refuse_elsewhere(journal: Journal, client: Client) -> None:
    """Where nobody is at the target any more: look for somebody whom the journal made there.

    Raises:
        ConfigurationError: The target, which would have that one still, if archived, has not.
    """
    move = next(journal.moves("created AND state = 'done'"), None)
    if move is None or not client.provider.capabilities.archives:
        return
    there = _one(client, move.target_id or "")
    if there is None:
        raise ConfigurationError(f"{journal.path}: {ELSEWHERE}")
    _refuse_elsewhere(client, journal, [there])


def _refuse_elsewhere(client: Client, journal: Journal, there: Iterable[Customer]) -> None:
    for customer in itertools.islice(there, 1):
        if journal.home not in ("", client.provider.home(customer)):
            raise ConfigurationError(f"{journal.path}: {ELSEWHERE}")


def _one(client: Client, id: str) -> Customer | None:
    try:
        return client.customer(id)
    except NotFoundError:
        return None


def refuse_stranger(journal: Journal, client: Client) -> None:
    """Make sure that the client is of the account that the journal's customers were moved to.

    Raises:
        ConfigurationError: It is another, or no `Client`.
    """
    if not isinstance(client, Client):
        raise ConfigurationError("the target is a Client: moving is synchronous for now")
    identity = journal.identity
    if client.provider.name != identity.target or account_digest(client) != identity.target_account:
        raise ConfigurationError(
            f"{journal.path} is the journal of a move to {identity.target}, to another account than this client's"
        )
