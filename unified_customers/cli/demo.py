"""`demo`: the three providers of the sandbox, read at once through the real adapters, with obstacles in the way.

Knows the public API and the sandbox; every number that it shows is counted here from events, reports and rows. It fails
if any provider's customers are not exactly those that the sandbox holds. How it looks stands in `demo_show`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

import unified_customers as uc
from unified_customers import registry
from unified_customers.events import Repeated, SigningIn, SteppedBack

from . import boxes, exits
from .demo_show import Show
from .options import shared, state

if TYPE_CHECKING:
    from unified_customers.sandbox import Sandbox

_CUSTOMERS = 250
_PAGE = 50  # small, so that there are pages to see
_SHOWN = 3


@attrs.define
class Seen:
    """What was seen of one provider while it was read, and what the sandbox holds of it.

    Attributes:
        held: Ids of the customers that the sandbox holds.
        ids: Ids of those that were read.
        first: The first of these customers that have an e-mail address.
        events: Waits, sign-ins and steps back.
        report: The walk's own counts.
        error: What it failed with, if it did.
        seconds: How long it took.
    """

    name: str
    held: Sequence[str]
    ids: list[str] = attrs.field(factory=list)
    first: list[uc.Customer] = attrs.field(factory=list)
    events: list[uc.Event] = attrs.field(factory=list)
    report: uc.Report = attrs.field(factory=lambda: uc.Report(provider=""))
    error: uc.CustomersError | None = None
    seconds: float = 0.0

    def took(self, customer: uc.Customer) -> None:
        """Count a customer, and keep the first few to show."""
        self.ids.append(customer.id)
        if customer.email and len(self.first) < _SHOWN:
            self.first.append(customer)

    @property
    def sign_ins(self) -> int:
        """How often it signed in."""
        return sum(event.kind == "sign-in" for event in self.events)

    @property
    def complete(self) -> bool:
        """Whether every customer came, each once, and no other."""
        return self.error is None and sorted(self.ids) == sorted(self.held)

    def answered(self, status: int) -> list[Repeated]:
        """The repeats after an answer with this status."""
        return [event for event in self.events if isinstance(event, Repeated) and event.status == status]


@click.command()
@shared
def demo() -> None:
    """Read three providers of a sandbox at once, through one model, with faults in the way.

    Nothing leaves this machine, and no account is needed.
    """
    box = boxes.made(customers=_CUSTOMERS)
    obstruct(box)
    boxes.started(box)
    try:
        with Show(quiet=state().quiet) as show:
            show.beginning(box.url, _CUSTOMERS)
            seen, seconds = read_all(box, show)
    finally:
        box.stop()
    show.ending(seen, seconds)
    _prove(seen)


def obstruct(box: Sandbox) -> None:
    """Put the faults in the way that the demo is to survive."""
    box.flexportal.fault("503", after=2)  # a gateway's page in HTML
    box.flexprice.fault("429", after=1, retry_after=1)
    box.flatpeak.fault("token-dies", after=2)


def accounts(box: Sandbox) -> dict[str, Any]:
    """Each provider's settings for the sandbox; nothing is taken from the environment."""
    return {provider.name: registry.settings(provider.name, provider.settings, {}) for provider in box.providers}


def read_all(box: Sandbox, show: Show) -> tuple[list[Seen], float]:
    """Read all providers at the same time.

    Returns:
        What was seen of each, and the seconds that it took together.
    """
    held = {provider.name: provider.ids for provider in box.providers}
    settings = accounts(box)
    seen = {name: Seen(name, held[name]) for name in settings}
    show.follow(list(seen.values()))

    def tell(event: uc.Event) -> None:
        if isinstance(event, Repeated | SigningIn | SteppedBack):
            seen[event.provider].events.append(event)
            show.told(seen[event.provider], event)

    began = time.monotonic()
    with uc.Directory(settings, on_event=tell) as directory:
        listing = directory.customers(page_size=_PAGE, on_account_error="collect")
        for customer in listing:  # the customers of all three, through one iterator
            one = seen[customer.provider]
            one.took(customer)
            if len(one.ids) == len(one.held):
                one.seconds = time.monotonic() - began
                show.done(one)
    for name, one in seen.items():
        one.report, one.error = listing.report.accounts[name], listing.errors.get(name)
        if len(one.ids) != len(one.held):
            one.seconds = time.monotonic() - began
            show.done(one)
    return list(seen.values()), time.monotonic() - began


def _prove(seen: Sequence[Seen]) -> None:
    """Fail unless everything came.

    Raises:
        Failure: Something is missing, came twice or failed; it says what.
    """
    wrong = [
        f"{one.name}: {one.error}" if one.error else f"{one.name}: {len(set(one.ids))} of {len(one.held)} customers"
        for one in seen
        if not one.complete
    ]
    if wrong:
        raise exits.Failure(f"the demo did not read what the sandbox holds: {'; '.join(wrong)}")
