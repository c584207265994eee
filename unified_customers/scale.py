"""Accounts for more than one machine: bundles that travel, and what reads one of them.

Knows how work is divided; must not know an engine. Spark's data source is made of these two functions, and so can be a
job of Ray, Dask or a pool of processes.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from ._bundles import failures, sizing
from ._bundles.asking import ask
from ._bundles.failures import ERRORS
from ._bundles.packing import pack
from ._bundles.reading import Bundle, Manner, read
from ._bundles.references import About, Lookup, Reference, refer, refuse_doubles
from ._bundles.windows import Window
from .client import Client
from .errors import ConfigurationError
from .tables.columns import refuse_columns

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["ERRORS", "Bundle", "Lookup", "partition_accounts", "read_accounts_arrow"]

ACCOUNTS, LARGE = 25, 1_000_000
_ASKED = 32  # accounts that are asked for their size at the same time


def partition_accounts(
    accounts: str | Path | Lookup | Reference,
    *,
    only: Sequence[str] | None = None,
    accounts_per_partition: int = ACCOUNTS,
    balance: str = "count",
    large: int = LARGE,
    concurrency: int = 16,
    timeout: float | None = 30.0,
    rate: float | None = None,
    errors: str | Path | None = None,
    raw: bool = False,
    columns: Sequence[str] | None = None,
    batch_size: int = 10_000,
    **query: Any,
) -> list[Bundle]:
    """Divide accounts into bundles, each account in exactly one.

    Args:
        accounts: A file of accounts, as `unified_customers.accounts.read` reads it, or a callable that is given names,
            or `None` for all, and returns settings by name. Either is looked up again where a bundle is read, so a
            callable has to pickle; a file itself need not be there, only the variables and files that hold the keys.
        only: Names of those that are wanted; all by default.
        accounts_per_partition: How many accounts a bundle has on average, at the most.
        balance: ``"count"`` asks those providers that count (Flexprice: one request for each account) and gives each
            bundle about as much to read; ``"even"`` asks nobody. An account that can't be asked counts as average.
        large: An account with more customers than this is cut into slices of time that are read as bundles of their
            own, where its provider can be asked for them and was counted.
        concurrency: How many accounts of a bundle are read at the same time, each by a thread.
        timeout: Seconds, as for `Client`.
        rate: Requests a second of each account; the slices of one account share it.
        errors: A folder, or an address that Arrow knows (``s3://…``), for rows about accounts that could not be read,
            while the others are; by default the first such account ends the reading.
        raw: Whether the provider's own object is a column, as JSON text.
        columns: Names of the columns that are wanted; all by default.
        batch_size: How many customers a batch has at the least.
        query: The filters of `Client.customers`, and its `page_size`, `unsupported` and `on_bad_record`.

    Raises:
        ConfigurationError: An account or a keyword can't be right.
        UnsupportedError: An account's provider lacks what is asked.
    """
    reference = refer(accounts, only)
    about = reference.about()
    refuse_doubles(about)
    _refuse(accounts_per_partition, concurrency, large, batch_size, balance, columns, raw)
    if errors is not None:
        failures.prepare(str(errors))
    manner = Manner(
        query=query,
        concurrency=concurrency,
        timeout=timeout,
        rate=rate,
        errors=None if errors is None else str(errors),
        raw=raw,
        columns=None if columns is None else tuple(columns),
        batch_size=batch_size,
    )
    sizes, pieces = _measured(reference, about, manner, large) if balance == "count" else ({}, {})
    return _bundles(reference, about, manner, sizes, pieces, accounts_per_partition)


def read_accounts_arrow(bundle: Bundle) -> Iterator[pa.RecordBatch]:
    """Read a bundle: its accounts at the same time, as record batches of `unified_customers.SCHEMA`.

    A bundle that is read again gives the same customers again, apart from what changed at the provider meanwhile: write
    by `account`, `provider` and `id`, or let the engine put a task's output in its place once.

    Raises:
        ConfigurationError: The extra `arrow` is missing, or an account's key is not where it should be.
        CustomersError: An account can't be read, and `errors` was not given.
    """
    yield from read(bundle)


def _bundles(
    reference: Reference,
    about: Mapping[str, About],
    manner: Manner,
    sizes: Mapping[str, int],
    pieces: Mapping[str, list[Window]],
    most: int,
) -> list[Bundle]:
    job = secrets.token_hex(6)
    costs = {name: _requests(about[name], sizes.get(name)) for name in about if name not in pieces}
    made: list[tuple[dict[str, Window], int | None, Manner]] = []
    for name, windows in pieces.items():
        cost = -(-(_requests(about[name], sizes[name]) or 0) // len(windows))
        shared = attrs.evolve(manner, rate=None if manner.rate is None else manner.rate / len(windows))
        made += [({name: window}, cost, shared) for window in windows]
    for names in pack(costs, most) if costs else []:
        known = [cost for cost in (costs[name] for name in names) if cost is not None]
        made.append((dict.fromkeys(names, Window()), sum(known) if known else None, manner))
    return [
        Bundle(job=job, number=n, accounts=reference.some(list(w)), windows=w, requests=cost, manner=how)
        for n, (w, cost, how) in enumerate(made)
    ]


def _requests(about: About, size: int | None) -> int | None:
    """About how many requests an account needs; even an empty one needs one."""
    return None if size is None else 1 + math.ceil(size / about.capabilities.max_page_size)


def _measured(
    reference: Reference, about: Mapping[str, About], manner: Manner, large: int
) -> tuple[dict[str, int], dict[str, list[Window]]]:
    """How large accounts are, and the slices of those that are very large."""
    countable = [name for name, one in about.items() if one.capabilities.total]
    if not countable:
        return {}, {}
    accounts, _ = reference.some(countable).opened()

    def measure(name: str, client: Client) -> tuple[int | None, list[Window]]:
        size = sizing.size(client, manner.query)
        if size is None or size <= large or not about[name].capabilities.since:
            return size, []
        return size, sizing.pieces(client, manner.query, size, large)

    told, _ = ask(accounts, measure, width=_ASKED, timeout=manner.timeout, rate=manner.rate)
    sizes = {name: size for name, (size, _) in told.items() if size is not None}
    return sizes, {name: windows for name, (_, windows) in told.items() if len(windows) > 1}


def _refuse(
    most: Any, concurrency: Any, large: Any, batch_size: Any, balance: Any, columns: Sequence[str] | None, raw: bool
) -> None:
    numbers = {
        "accounts_per_partition": most, "concurrency": concurrency, "large": large, "batch_size": batch_size
    }  # fmt: skip
    for name, value in numbers.items():
        if type(value) is not int or value < 1:
            raise ConfigurationError(f"{name}= is a whole number, 1 or more")
    if balance not in ("count", "even"):
        raise ConfigurationError("balance= is 'count' or 'even'")
    if columns is not None:
        refuse_columns(columns, raw=raw)
