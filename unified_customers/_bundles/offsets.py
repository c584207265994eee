"""How far a stream is: for each account the moment up to which its customers were read, itself not in it.

Knows moments, accounts and windows; must not know an engine. Where a batch ends has to be said before it is read, and
a batch that failed is read again between the same moments: so an offset is a moment, and a window's two ends are its
batch. Format, version 1: ``{"version": 1, "accounts": {name: {"key": …, "until": …}}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .._values import stamp
from ..errors import CheckpointError, ConfigurationError, CustomersError, UnsupportedError
from .asking import ask
from .planning import ASKED
from .reading import Manner
from .references import About, Reference
from .sizing import edge
from .windows import Window

Offset = dict[str, Any]
_MICROSECOND = timedelta(microseconds=1)


def beginning() -> Offset:
    """Before anything was read."""
    return {"version": 1, "accounts": {}}


def refuse_timeless(about: Mapping[str, About]) -> None:
    """Refuse accounts that can't be read by the time of creation.

    Raises:
        UnsupportedError: There is one.
    """
    for name, one in about.items():
        if not one.capabilities.since:
            raise UnsupportedError(
                f"{name}: {one.title} can't be asked for what was created since, so it has no stream: read it as a "
                "batch, and name the accounts of the stream with option('only', …)",
                provider=one.provider,
            )


def places(offset: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Where each account stands.

    Raises:
        CheckpointError: It is no offset of this version.
    """
    accounts = offset.get("accounts")
    if offset.get("version") != 1 or not isinstance(accounts, Mapping):
        raise CheckpointError("the stream's offset is not one that this release wrote")
    return {name: dict(place) for name, place in accounts.items()}


def latest(
    reference: Reference, about: Mapping[str, About], manner: Manner, start: Mapping[str, Any], lag: float
) -> tuple[Offset, dict[str, CustomersError]]:
    """Where a batch that is read now would end, and accounts that can't be asked: those stay where they were.

    Args:
        reference: The accounts.
        about: What is known of them.
        manner: How they are read.
        start: Where the batch starts.
        lag: Seconds; what was created later than so long ago is left for a later batch, because a customer may appear
            in the list a little after the moment that it bears.

    Raises:
        CheckpointError: An account of that name was another one.
    """
    before = places(start)
    _refuse_other(before, about)
    accounts, errors = reference.opened()
    limit = datetime.now(UTC) - timedelta(seconds=lag)
    newest, failed = ask(
        accounts,
        lambda _, client: edge(client, manner.query, "desc"),
        width=ASKED,
        timeout=manner.timeout,
        rate=manner.rate,
    )
    after = dict(before)
    for name, found in newest.items():
        until = None if found is None else stamp(min(found + _MICROSECOND, limit))
        if until is not None and (name not in before or until > before[name]["until"]):
            after[name] = {"key": about[name].key, "until": until}
    return {"version": 1, "accounts": after}, {**errors, **failed}


def _refuse_other(before: Mapping[str, Mapping[str, str]], about: Mapping[str, About]) -> None:
    for name, one in about.items():
        if name in before and before[name]["key"] != one.key:
            raise CheckpointError(
                f"the account {name!r} is another one (provider, address or tenant) than the stream has read: give it "
                "a new name to read it from the start, or give the old settings"
            )


def between(start: Mapping[str, Any], end: Mapping[str, Any], about: Mapping[str, About]) -> dict[str, Window]:
    """What a batch reads of each account.

    Raises:
        ConfigurationError: An account that the batch reads is not there any more.
    """
    before, after = places(start), places(end)
    windows = {}
    for name, place in after.items():
        since = before[name]["until"] if name in before else None
        if since == place["until"]:
            continue
        if name not in about:
            raise ConfigurationError(f"the stream is in the middle of the account {name!r}: give it until that is read")
        windows[name] = Window(since, place["until"])
    return windows
