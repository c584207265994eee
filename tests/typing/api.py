"""The public surface as users write it: checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, assert_type

import unified_customers as uc
from unified_customers import events

portal = uc.FlexPortal(api_key="k", tenant_id="t", region="qatar", base_url=None)
price = uc.Flexprice(api_key="k", region="us", environment_id="e", auth="both", scan="auto")
peak = uc.Flatpeak(account_id="a", api_key="k", version="2025-09-14.anode")
token = uc.Flatpeak(bearer_token="t")
called = uc.Flexprice(api_key=lambda: "k")
filed = uc.Flexprice(api_key=Path("key"))
retry = uc.Retry(attempts=1, budget=10.0)


def told(event: uc.Event) -> None:
    assert_type(event.kind, str)
    match event:
        case events.Repeated():
            assert_type(event.kind, Literal["retry"])
            assert_type(event.wait, float)
        case events.PageRead(number=number, read=read):
            assert_type((number, read), tuple[int, int])
        case events.WalkEnded(outcome="failed", error=error):
            assert_type(error, str | None)
        case _:
            assert_type(event.walk, int | None)


def read() -> None:
    with uc.Client(price, timeout=5, retry=retry, on_event=told) as client:
        assert_type(client, uc.Client)
        listing = client.customers(
            email="a@b.co",
            status="active",
            external_id=["a", "b"],
            ids="x",
            params={"expand": "integrations"},
            page_size=10,
        )
        assert_type(listing, uc.Listing)
        assert_type(listing.checkpoint, str)
        assert_type(listing.report, uc.Report)
        for customer in listing:
            assert_type(customer, uc.Customer)
            shown(customer)
        for page in listing.pages():
            assert_type(page, uc.Page)
            assert_type(page.items, tuple[uc.Customer, ...])
            assert_type(page.next, str | None)
            assert_type(page.total, int | None)
            assert_type(page.has_more, bool)
        assert_type(client.customer("id"), uc.Customer)
        assert_type(client.customer(external_id="x"), uc.Customer)
        assert_type(client.count(status="any"), int)
        assert_type(client.check(), uc.CheckResult)


def shown(customer: uc.Customer) -> None:
    assert_type(customer.id, str)
    assert_type(customer.email, str | None)
    assert_type(customer.status, uc.Status | str | None)
    assert_type(customer.kind, uc.Kind | str | None)
    assert_type(customer.created_at, datetime | None)
    assert_type(customer.billing_address, uc.Address | None)
    assert_type(customer.metrics, uc.Metrics | None)
    assert_type(customer.metadata, Mapping[str, Any])
    assert_type(customer.live, bool | None)
    if customer.metrics is not None:
        assert_type(customer.metrics.monthly_revenue, Decimal | None)
    assert_type(uc.from_dict(uc.to_dict(customer)), uc.Customer)


def many() -> None:
    with uc.Directory({"a": price, "b": portal}, concurrency=4, per_host=2, rate=5.0, http2=False) as directory:
        listing = directory.customers(ordered=True, on_account_error="collect", page_size=10)
        assert_type(listing, uc.DirectoryListing)
        for customer in listing:
            assert_type(customer, uc.Customer)
        for page in listing.pages():
            assert_type(page.account, str | None)
        assert_type(listing.checkpoint, str)
        assert_type(listing.report, uc.DirectoryReport)
        assert_type(directory.report.accounts, Mapping[str, uc.Report])
        assert_type(listing.errors, dict[str, uc.CustomersError])
        directory.customers(on_account_error=lambda error: assert_type(error, uc.CustomersError))
    assert_type(uc.Directory.from_file(Path("accounts.toml"), only=["a"]), uc.Directory)


async def many_later() -> None:
    async with uc.AsyncDirectory.from_file("accounts.toml", concurrency=4) as directory:
        listing = directory.customers(after="ucd2.x.y")
        assert_type(listing, uc.AsyncDirectoryListing)
        async for customer in listing:
            assert_type(customer, uc.Customer)
        async for page in listing.pages():
            assert_type(page, uc.Page)


def write(client: uc.Client) -> None:
    home = uc.Address(line1="Street 1", country_code="DE")
    made = client.create(name="n", email=None, external_id="x", billing_address=home, metadata={"k": "v"})
    assert_type(made, uc.Customer)
    assert_type(client.update(made.id, phone=None, kind=uc.Kind.BUSINESS, params={"timezone": "UTC"}), uc.Customer)
    client.archive(made.id)
    client.delete(made.id, cascade=True)
    fields: uc.CustomerFields = {"name": "n"}
    assert_type(client.create(**fields), uc.Customer)
    assert_type(client.check_create(**fields), tuple[uc.Fault, ...])
    for fault in client.check_update(name=None):
        assert_type(fault.field, str)
        assert_type(fault.kind, str)


def move(source: uc.Client, target: uc.Client) -> None:
    with uc.plan(source.customers(), target, external_id=lambda one: one.email, on_loss="drop") as plan:
        assert_type(plan, uc.MovePlan)
        assert_type(plan.summary.counts, Mapping[str, int])
        for planned in plan.only("update"):
            assert_type(planned, uc.PlannedMove)
            assert_type(planned.reasons, tuple[str, ...])
        try:
            result = plan.run(Path("move.sqlite"), concurrency=4, rate=10, on_event=moved)
        except uc.MoveStoppedError as error:
            assert_type(error.result, uc.MoveResult | None)
            return
    assert_type(result.map["a"], str)
    assert_type(uc.MoveResult.read("move.sqlite"), uc.MoveResult)
    assert_type(uc.verify("move.sqlite", target).good, bool)
    assert_type(uc.undo("move.sqlite", target, apply=True, confirm="archive"), uc.Undo)


def moved(event: uc.MoveEvent) -> None:
    assert_type((event.done, event.total), tuple[int, int])


def not_written(client: uc.Client) -> None:
    try:
        client.create(name="n")
    except uc.UnknownOutcomeError as error:
        assert_type(error.status, int | None)
    except uc.InvalidRequestError as error:
        assert_type(error.faults, tuple[uc.Fault, ...])


async def write_later(client: uc.AsyncClient) -> None:
    assert_type(await client.create(external_id="x"), uc.Customer)
    assert_type(await client.update("x", external_id="y"), uc.Customer)
    await client.archive("x")
    await client.delete("x", cascade=True)


async def read_later() -> None:
    async with uc.AsyncClient(peak, timeout=(1, 5)) as client:
        listing = client.customers(before="cus_1")
        assert_type(listing, uc.AsyncListing)
        async for customer in listing:
            assert_type(customer, uc.Customer)
        async for page in listing.pages():
            assert_type(page, uc.Page)
        assert_type(await client.customer("id"), uc.Customer)
        assert_type(await client.check(), uc.CheckResult)
        total: int = await client.count()
        print(total)


def reported(client: uc.Client) -> None:
    summary = uc.report(client.customers(), currency={"doha": "QAR"})
    assert_type(summary, uc.Summary)
    assert_type(summary.to_html(), str)
    assert_type(summary.revenue[0].total, Decimal)
    for row in summary.matches:
        assert_type(row, uc.Match)
    assert_type(uc.report([], matching=False).matches, uc.Matches)


def by_name() -> None:
    assert_type(uc.connect("flexprice", api_key="k"), uc.Client)
    assert_type(uc.connect_async("flexprice", api_key="k"), uc.AsyncClient)
    assert_type(uc.providers(), dict[str, uc.Capabilities])


def mended(error: uc.BadRecordError) -> uc.Customer | None:
    assert_type(error.path, str | None)
    assert_type(error.record_id, str | None)
    return None


def failed(client: uc.Client) -> None:
    try:
        list(client.customers(on_bad_record=mended))
    except uc.RateLimitedError as error:
        assert_type(error.retry_after, float | None)
    except uc.CustomersError as error:
        assert_type(error.checkpoint, str | None)
        assert_type(error.status, int | None)
        client.customers(after=error.checkpoint)


def refused(client: uc.Client) -> None:
    client.customers(emial="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create(nmae="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.update("x", email=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.customers(email=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
