"""Accounts for more than one machine: bundles that travel, and what reads one of them.

Knows how work is divided; must not know an engine. Spark's data source is made of these two functions, and so can be a
job of Ray, Dask or a pool of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._bundles import failures, planning
from ._bundles.failures import ERRORS
from ._bundles.packing import pack
from ._bundles.planning import Bundling, Measured
from ._bundles.reading import Bundle, Manner, read
from ._bundles.references import About, Lookup, Reference, refer, refuse_doubles
from ._bundles.windows import Window
from .errors import ConfigurationError
from .tables.batches import BATCH

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

__all__ = ["ERRORS", "Bundle", "Lookup", "partition_accounts", "read_accounts_arrow"]

ACCOUNTS, LARGE = 25, 1_000_000


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
    batch_size: int = BATCH,
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
    planning.refuse(manner, about, accounts_per_partition=accounts_per_partition, large=large)
    if balance not in ("count", "even"):
        raise ConfigurationError("balance= is 'count' or 'even'")
    if manner.errors is not None:
        failures.prepare(manner.errors)
    found = planning.measure(reference, about, manner, large) if balance == "count" else Measured()
    return _bundles(Bundling(reference, manner), about, found, accounts_per_partition)


def _bundles(bundling: Bundling, about: Mapping[str, About], found: Measured, most: int) -> list[Bundle]:
    costs = {name: planning.requests(one, found.sizes.get(name)) for name, one in about.items()}
    for name, windows in found.pieces.items():
        whole = costs.pop(name) or 0
        for window in windows:
            bundling.add({name: window}, -(-whole // len(windows)), sharing=len(windows))
    for names in pack(costs, most) if costs else []:
        known = [cost for name in names if (cost := costs[name]) is not None]
        bundling.add(dict.fromkeys(names, Window()), sum(known) if known else None)
    return bundling.made


def read_accounts_arrow(bundle: Bundle) -> Iterator[pa.RecordBatch]:
    """Read a bundle: its accounts at the same time, as record batches of `unified_customers.SCHEMA`.

    A bundle that is read again gives the same customers again, apart from what changed at the provider meanwhile: write
    by `account`, `provider` and `id`, or let the engine put a task's output in its place once.

    Raises:
        ConfigurationError: The extra `arrow` is missing, or an account's key is not where it should be.
        CustomersError: An account can't be read, and `errors` was not given.
    """
    yield from read(bundle)
