"""How accounts are divided into bundles, and what is refused before anything is sent.

Knows references, sizes and packing; must not know an engine, nor how a bundle is read.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any

import attrs

from ..accounts import nearest
from ..client import Client
from ..directory import Directory
from ..errors import ConfigurationError, CustomersError, UnsupportedError
from ..tables.columns import refuse_columns
from . import sizing
from .asking import ask
from .reading import Bundle, Manner
from .references import About, Reference
from .windows import Window

QUERY = (
    *("email", "status", "kind", "external_id", "ids", "parent_ids", "created_after", "params"),
    *("unsupported", "on_bad_record", "page_size"),
)
"""Keywords of `Client.customers` that mean something for a bundle."""

ASKED = 32  # accounts that are asked for their size at the same time


def refuse(manner: Manner, about: Mapping[str, About], **numbers: Any) -> None:
    """Refuse what can't be right.

    Raises:
        ConfigurationError: A number or a column.
        UnsupportedError: A keyword, or what a provider lacks.
    """
    for name, value in (*numbers.items(), ("concurrency", manner.concurrency), ("batch_size", manner.batch_size)):
        if type(value) is not int or value < 1:
            raise ConfigurationError(f"{name}= is a whole number, 1 or more")
    if manner.columns is not None:
        refuse_columns(manner.columns, raw=manner.raw)
    for name in manner.query:
        if name not in QUERY:
            raise UnsupportedError(
                f"there is no keyword {name}= here: {nearest(name, QUERY)}known are {', '.join(QUERY)}"
            )
    if callable(manner.query.get("on_bad_record")):
        raise UnsupportedError("on_bad_record= is 'raise' or 'skip' here: a callable would be called elsewhere")
    refuse_query(about, manner)


def refuse_query(about: Mapping[str, About], manner: Manner) -> None:
    """Have one account of each provider refuse the query; nothing is sent.

    Raises:
        CustomersError: One does.
    """
    examples = {one.provider: name for name, one in about.items() if one.outline is not None}
    accounts = {name: outline for name in examples.values() if (outline := about[name].outline) is not None}
    if accounts:
        with Directory(accounts, timeout=manner.timeout, rate=manner.rate) as directory:
            directory.customers(**manner.query)


def accepted(about: Mapping[str, About], manner: Manner) -> bool:
    """Whether every account surely takes the query."""
    if any(one.outline is None for one in about.values()):
        return False
    try:
        refuse_query(about, manner)
    except CustomersError:
        return False
    return True


@attrs.frozen
class Measured:
    """What is known of accounts' sizes.

    Attributes:
        sizes: How many customers each has, where its provider counts.
        pieces: The slices of time of those that are too large for one bundle.
    """

    sizes: Mapping[str, int] = attrs.field(factory=dict)
    pieces: Mapping[str, list[Window]] = attrs.field(factory=dict)


def measure(reference: Reference, about: Mapping[str, About], manner: Manner, large: int) -> Measured:
    """Ask the accounts whose providers count."""
    countable = [name for name, one in about.items() if one.capabilities.total]
    if not countable:
        return Measured()
    accounts, _ = reference.some(countable).opened()

    def measured(name: str, client: Client) -> tuple[int | None, list[Window]]:
        size = sizing.size(client, manner.query)
        if size is None or size <= large or not about[name].capabilities.since:
            return size, []
        return size, sizing.pieces(client, manner.query, size, large)

    told, _ = ask(accounts, measured, width=ASKED, timeout=manner.timeout, rate=manner.rate)
    sizes = {name: size for name, (size, _) in told.items() if size is not None}
    return Measured(sizes, {name: windows for name, (_, windows) in told.items() if len(windows) > 1})


def requests(about: About, size: int | None) -> int | None:
    """About how many requests an account needs; even an empty one needs one."""
    return None if size is None else 1 + math.ceil(size / about.capabilities.max_page_size)


@attrs.define
class Bundling:
    """Bundles of one job, as they are made."""

    reference: Reference
    manner: Manner
    job: str = attrs.field(factory=lambda: secrets.token_hex(6))
    made: list[Bundle] = attrs.field(factory=list)

    def add(self, windows: Mapping[str, Window], cost: int | None = None, *, sharing: int = 1) -> None:
        """One more.

        Args:
            windows: What is read of each account.
            cost: About how many requests that needs.
            sharing: How many bundles share the account, and so its rate.
        """
        manner = self.manner
        if manner.rate is not None:
            manner = attrs.evolve(manner, rate=manner.rate / sharing)
        self.made.append(
            Bundle(
                job=self.job,
                number=len(self.made),
                accounts=self.reference.some(list(windows)),
                windows=dict(windows),
                requests=cost,
                manner=manner,
            )
        )
