"""`get`, `count`, `check` and `providers`: one question, one answer.

Knows the public API; must not know what any provider can do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import attrs
import click

import unified_customers as uc
from unified_customers import registry

from . import accounts, streams, tables
from .formats import cell, dump, record
from .options import filters, keywords, output, shared, state
from .telling import teller


def _client(account: str) -> uc.Client:
    held = state()
    return accounts.connect(account, held.accounts, teller(held))


@click.command()
@click.argument("account")
@click.argument("id", required=False)
@click.option("--external-id", metavar="X", help="Your own id instead, where the provider stores one.")
@output("json", "table", default="json")
@shared
def get(account: str, id: str | None, external_id: str | None, output: str) -> None:
    """Write one customer of ACCOUNT, with the provider's own object under "raw"."""
    if (id is None) == (external_id is None):
        raise click.UsageError("give either an ID or --external-id")
    with _client(account) as client:
        customer = client.customer(id, external_id=external_id)
    if output == "json":
        _write_json(record(customer, raw=True))
    else:
        streams.write(_fields({name: _cell(customer, name) for name in _SHOWN}))


_SHOWN = [field.name for field in attrs.fields(uc.Customer) if field.name not in {"raw", "metadata", "metrics"}]


def _cell(customer: uc.Customer, name: str) -> str:
    if not name.endswith("_address"):
        return cell(customer, name)
    address = getattr(customer, name)
    return "" if address is None else ", ".join(part for part in attrs.astuple(address) if part)


def _write_json(value: Any) -> None:
    streams.write(dump(value, ascii=not streams.is_unicode(), indent=2) + "\n")


def _fields(values: Mapping[str, str]) -> str:
    return tables.shown(("FIELD", "VALUE"), [(name, value) for name, value in values.items() if value])


@click.command()
@click.argument("account")
@filters
@shared
def count(account: str, **query: Any) -> None:
    """Write how many customers ACCOUNT has, as the provider counts them."""
    with _client(account) as client:
        streams.write(f"{client.count(**keywords(query))}\n")


@click.command()
@click.argument("account")
@output("table", "json", default="table")
@shared
def check(account: str, output: str) -> None:
    """Sign in to ACCOUNT, read one page, and write what was found."""
    with _client(account) as client:
        found = attrs.asdict(client.check())
    if output == "json":
        _write_json(found)
    else:
        streams.write(_fields({name: _word(value) for name, value in found.items()}))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{round(value, 1) + 0.0:.1f} s"  # + 0.0 makes -0.0 a plain nought
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "-"
    return "" if value is None else str(value)


@click.command()
@output("table", "json", default="table")
@shared
def providers(output: str) -> None:
    """Write the providers that are installed, and what each can do."""
    for name, why in registry.broken().items():
        streams.say(f"warning: provider {name} is left out: {why}")
    found = {name: attrs.asdict(can) for name, can in registry.providers().items()}
    if output == "json":
        _write_json([{"name": name, **can} for name, can in found.items()])
    else:
        headers = ["provider", *(field.name.replace("_", " ") for field in attrs.fields(uc.Capabilities))]
        streams.write(_grid([headers, *([name, *map(_word, can.values())] for name, can in found.items())]))


def _grid(rows: list[list[str]]) -> str:
    """A line per provider in a pipe; on a terminal a column, because the lists are long."""
    if streams.is_terminal(sys.stdout):
        rows = [list(column) for column in zip(*rows, strict=True)]
    return tables.shown([name.upper() for name in rows[0]], rows[1:])
