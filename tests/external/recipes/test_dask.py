"""The recipe for Dask, as docs/scale.md prints it: on threads, and on workers that are processes."""

from __future__ import annotations

import textwrap

import pytest

import unified_customers as uc

pytest.importorskip("dask.dataframe")

_CLUSTER = """
from dask.distributed import Client, LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
{recipe}
"""


def on_a_cluster(text):
    """The recipe on workers of its own."""
    return _CLUSTER.format(recipe=textwrap.indent(text, " " * 8))


def working(argv):
    """Whether a process is one of the cluster's."""
    return "--multiprocessing-fork" in argv


@pytest.mark.parametrize("where", [str, on_a_cluster], ids=["threads", "cluster"])
def test_every_customer_of_every_account_comes_once(work, where):
    """In the columns of the schema; and nobody is asked twice."""
    status, said = work.run(where(work.recipe("Dask")))
    assert status == 0, said
    assert work.found("customers") == work.truth
    assert work.types("customers") == dict(zip(uc.SCHEMA.names, uc.SCHEMA.types, strict=True))
    assert len(work.tenants.asked) == sum(-(-len(one.people) // 100) for one in work.tenants.servers.values())


def test_a_worker_that_is_killed_in_the_middle_is_made_good(work, later_page):
    """Dask tries its bundle again."""
    work.kill(working, once=later_page)
    status, said = work.run(on_a_cluster(work.recipe("Dask")))
    assert work.killed
    assert status == 0, said
    assert work.found("customers") == work.truth


@pytest.mark.parametrize("where", [str, on_a_cluster], ids=["threads", "cluster"])
def test_a_dead_account_ends_the_job_with_its_name(work, dead, where):
    """And with the library's own error, which comes from another process there."""
    status, said = work.run(where(work.recipe("Dask")))
    assert status != 0
    assert f"unified_customers.errors.PermissionDeniedError: {dead}: FlexPortal" in said
