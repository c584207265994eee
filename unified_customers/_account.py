"""Everything that `Client` and `AsyncClient` do alike: turning keywords into plans, requests and results.

Pure: knows adapters, queries and walks; must not know httpx, the clock or whether it is awaited.
"""

from __future__ import annotations

from typing import Any

import attrs

from . import _checkpoint, _query
from ._adapter import Adapter, Position, lacking
from ._conversation import Context, Tally
from ._query import Checked, Wanted
from ._retry import Retry
from ._walk import OnBadRecord, Plan
from ._watch import Watch
from ._wire import Conversation, Response
from .errors import (
    ConfigurationError,
    CustomersError,
    InvalidRequestError,
    MalformedResponseError,
    UnsupportedError,
)
from .events import Listener
from .models import Customer


@attrs.frozen(kw_only=True)
class CheckResult:
    """What `check()` found.

    Attributes:
        provider: The adapter's name.
        reachable: Always `True`: what can't be reached is an error.
        account: The tenant or account that the first customer names; `None` for an empty account.
        clock_skew: Seconds by which the provider's clock is ahead of this machine's; `None` where it doesn't say.
        total: How many customers there are, where the provider tells.
        scan: How a long list is read: ``"cursor"``, ``"keyset"`` or ``"offset"``.
        items: How many customers the first page brought.
    """

    provider: str
    reachable: bool = True
    account: str | None = None
    clock_skew: float | None = None
    total: int | None = None
    scan: str | None = None
    items: int = 0


def context_of(provider: Any, retry: Any, on_event: Listener | None, account: str | None = None) -> Context:
    """Check what a client is made of."""
    if isinstance(provider, type) or not hasattr(provider, "list_request"):
        raise ConfigurationError(
            "a client takes an account's settings, such as Client(FlexPortal(api_key=…, tenant_id=…))"
        )
    if missing := lacking(type(provider)):
        raise ConfigurationError(f"{type(provider).__name__} is no whole adapter: it lacks {', '.join(missing)}")
    if retry is not None and not isinstance(retry, Retry):
        raise ConfigurationError("retry= takes a Retry(...); Retry(attempts=1) never repeats")
    if on_event is not None and not callable(on_event):
        raise ConfigurationError("on_event= takes a callable")
    return Context(adapter=provider, retry=retry or Retry(), watch=Watch(provider.name, account, on_event))


def plan(
    context: Context,
    wanted: Wanted,
    *,
    after: Any,
    before: Any,
    max_items: Any,
    concurrency: Any,
    prefetch: Any,
    on_bad_record: Any,
    ordered: Any = True,
) -> Plan:
    """Check everything that a listing was asked for, before anything is sent."""
    _refuse(
        after=after,
        before=before,
        max_items=max_items,
        concurrency=concurrency,
        prefetch=prefetch,
        on_bad_record=on_bad_record,
        ordered=ordered,
    )
    adapter = context.adapter
    try:
        checked = _query.check(adapter, wanted)
        start = _start(adapter, checked, after, before)
        if concurrency > 1:
            start = (adapter.spread if ordered else adapter.loosen)(checked.query, start)
    except CustomersError as error:
        error.provider = error.provider or adapter.name
        raise
    return Plan(
        context=context,
        query=checked.query,
        start=start,
        local=checked.local,
        sort=checked.sort,
        local_values=checked.values,
        on_bad_record=on_bad_record,
        max_items=max_items,
        hide=checked.hide,
        concurrency=concurrency,
        prefetch=prefetch,
        ordered=ordered,
    )


def _start(adapter: Adapter, checked: Checked, after: Any, before: Any) -> Position:
    given = before if before is not None else after
    if given is None:
        return adapter.start(checked.query)
    if before is not None and isinstance(before, str) and before and not _checkpoint.is_checkpoint(before):
        _query.text(before, "before")
        return adapter.start_before(checked.query, before)
    return _checkpoint.load(adapter, checked.query, given, checked.values)


def _refuse(
    *,
    after: Any,
    before: Any,
    max_items: Any,
    concurrency: Any,
    prefetch: Any,
    on_bad_record: OnBadRecord,
    ordered: Any,
) -> None:
    if after is not None and before is not None:
        raise InvalidRequestError("after= and before= exclude each other")
    if max_items is not None and (type(max_items) is not int or max_items < 0):
        raise InvalidRequestError("max_items= is a whole number, 0 or more, or None for all")
    if type(concurrency) is not int or concurrency < 1:
        raise InvalidRequestError("concurrency= is a whole number, 1 or more")
    if type(prefetch) is not int or prefetch < 0:
        raise InvalidRequestError("prefetch= is a whole number, 0 or more")
    if type(ordered) is not bool:
        raise InvalidRequestError("ordered= is True or False")
    if not ordered and concurrency == 1:
        raise InvalidRequestError(
            "ordered=False needs concurrency= of 2 or more: what is asked for one by one comes in order"
        )
    if on_bad_record not in ("raise", "skip") and not callable(on_bad_record):
        raise InvalidRequestError("on_bad_record= is 'raise', 'skip' or a callable")


def one(context: Context, given: Any, given_external: Any) -> Conversation[Customer]:
    """Get one customer, and make sure that it is the one that was asked for."""
    if (given is None) == (given_external is None):
        raise InvalidRequestError("customer() takes either an id or external_id=")
    own, external = _query.text(given, "id"), _query.text(given_external, "external_id")
    if external is not None and "external_id" not in context.adapter.capabilities.get_by:
        raise UnsupportedError(
            f"{context.adapter.title} stores no external id: give the customer's id",
            provider=context.adapter.name,
        )
    request, read = context.adapter.one(id=own, external_id=external)

    def checked(response: Response) -> Customer:
        customer = read(response)
        if (customer.id if own is not None else customer.external_id) != (own or external):
            raise MalformedResponseError("sent another customer than the one that was asked for", path="$")
        return customer

    return context.ask(request, checked, Tally(), hide=tuple(v for v in (own, external) if v))


def count(context: Context, wanted: Wanted) -> Conversation[int]:
    """Add up the provider's totals."""
    adapter = context.adapter
    if wanted.unsupported != "raise":
        raise InvalidRequestError("count() takes filters that the provider has")
    checked = _query.check(adapter, wanted)
    if not adapter.capabilities.total:
        raise UnsupportedError(
            f"{adapter.title} tells no total: sum(1 for _ in client.customers()) reads them all",
            provider=adapter.name,
        )
    return _count(context, checked)


def _count(context: Context, checked: Checked) -> Conversation[int]:
    total = 0
    for request, read in context.adapter.count(checked.query):
        total += yield from context.ask(request, read, Tally(), hide=checked.hide)
    return total


def check(context: Context) -> Conversation[CheckResult]:
    """Sign in, read a page, and say what was found."""
    adapter, tally = context.adapter, Tally()
    query = _query.check(adapter, Wanted()).query
    start = adapter.start(query)

    def read(response: Response) -> Any:
        return adapter.read_page(query, start, response, lambda _: None)

    batch = yield from context.ask(adapter.list_request(query, start), read, tally)
    scan, probe = batch.scan, adapter.probe(query)
    if probe is not None:
        scan = yield from context.ask(*probe, tally, accept=lambda response: response.status in {404, 405, 501})
    return CheckResult(
        provider=adapter.name,
        account=batch.items[0].account_id if batch.items else None,
        clock_skew=tally.clock_skew(),
        total=batch.total,
        scan=scan,
        items=len(batch.items),
    )
