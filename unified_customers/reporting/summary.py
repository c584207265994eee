"""A report as a whole, and the forms that it can take.

Knows which numbers a report has; must not know how they were counted, or how any form is made.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import attrs

from .matches import Matches
from .recent import span
from .values import Account, Breakdown, Matching, Month, Quality, Revenue


@attrs.frozen(kw_only=True)
class Summary:
    """A report: what `uc.report` returns.

    Attributes:
        made_at: When the reading began, in UTC.
        complete: Whether every account was read to its end, without bad records. If not, every number is a lower bound.
        customers: How many were read.
        accounts: By account, in order of name.
        by_provider: By provider; likewise the next three.
        by_country: By ISO code of the billing address, else of the shipping address.
        months: By month of creation, oldest first; months without a customer are left out.
        revenue: By account, where there are figures.
        shared_revenue: By currency, over accounts that the caller said share one: never anything else.
        quality: What is missing.
        matching: The same customer several times, in numbers; `None` if it was not asked for.
        matches: Each customer of each cluster, to be iterated as often as you like; empty if not asked for.
        notes: What a reader has to know, in sentences.
    """

    made_at: datetime
    complete: bool
    customers: int
    accounts: tuple[Account, ...]
    by_provider: Breakdown
    by_kind: Breakdown
    by_status: Breakdown
    by_country: Breakdown
    months: tuple[Month, ...]
    revenue: tuple[Revenue, ...]
    shared_revenue: tuple[Revenue, ...]
    quality: Quality
    matching: Matching | None
    matches: Matches = attrs.field(repr=False, eq=False)
    notes: tuple[str, ...] = ()

    def recent(self, most: int = 36) -> tuple[Month, ...]:
        """The months up to the report's own without gaps: from the first with a customer, but `most` at the most."""
        known = {one.month: one for one in self.months}
        empty = (Month(month=month, customers=0, by_provider={}) for month in span(self.made_at, known, most))
        return tuple(known.get(one.month, one) for one in empty)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, without the matches' rows; the form is in the documentation, and versioned.

        Money becomes text, so that no digit is lost; times become ISO 8601 text in UTC.
        """
        from .plain import to_dict  # noqa: PLC0415 - knows these values

        return to_dict(self)

    def to_html(self, title: str = "Customers") -> str:
        """The report as one page of HTML that needs no network and no script.

        Args:
            title: The page's heading.

        Raises:
            ConfigurationError: The extra `report` is not installed.
        """
        from .page import to_html  # noqa: PLC0415 - so that a report without a page needs no template

        return to_html(self, title)

    def write_html(self, path: str | Path, title: str = "Customers") -> None:
        """Write the page to a file: whole, or not at all.

        Raises:
            ConfigurationError: The extra is not installed, or the file can't be written.
        """
        from .files import written  # noqa: PLC0415

        text = self.to_html(title)
        with written(Path(path)) as file:
            file.write(text.encode())

    def __repr__(self) -> str:
        return (
            f"Summary(made_at={self.made_at.isoformat()}, complete={self.complete}, customers={self.customers}, "
            f"accounts={len(self.accounts)})"
        )
