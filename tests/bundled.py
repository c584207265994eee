"""Many tenants and the file of their accounts, for whatever reads bundles; and what is in the bundles."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager

from tenants import Tenants

from unified_customers.sandbox import serve
from unified_customers.scale import read_accounts_arrow


def written(tenants: Tenants, url: str, path) -> str:
    """The file of their accounts; each key is in a variable of its own."""
    lines = []
    for name in tenants.sizes:
        lines += [f'[accounts."{name}"]', 'provider = "flexportal"', f'tenant_id = "{name}"', f'base_url = "{url}"']
        lines += [f'api_key = {{ env = "KEY_{name.upper()}" }}', ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@contextmanager
def tenancy(sizes, folder):
    """Tenants on loopback, and the path of their accounts' file."""
    tenants = Tenants(sizes)
    keys = {f"KEY_{name.upper()}": f"key-of-{name}" for name in sizes}
    os.environ.update(keys)
    try:
        with serve(tenants) as url:
            yield tenants, written(tenants, url, folder / "accounts.toml")
    finally:
        for name in keys:
            os.environ.pop(name, None)


def rows(bundles):
    """How often each customer is in the bundles, as account and id."""
    found = Counter()
    for bundle in bundles:
        for batch in read_accounts_arrow(bundle):
            found.update(zip(batch["account"].to_pylist(), batch["id"].to_pylist(), strict=True))
    return found


def whole(tenants, without=()):
    """Every customer once."""
    return Counter(
        (name, f"{name}-{n}") for name, size in tenants.sizes.items() if name not in without for n in range(size)
    )
