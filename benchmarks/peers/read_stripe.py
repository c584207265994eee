"""stripe-python's `auto_paging_iter`, as its documentation tells a user to, on a list in Stripe's shape.

Flatpeak's list is that shape: `has_more`, `data`, the last id as `starting_after`. Retries and time-outs are the
library's own defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

import stripe
from asking import Job, serve


class Ids:
    """Ids of the automatic iterator, which is opened by the first `next()`, so that it can be asked again."""

    def __init__(self, job: Job) -> None:
        stripe.api_base, stripe.api_key = job["url"], job["token"]
        self._job = job
        self._rows: Iterator[stripe.Customer] | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._rows is None:
            first = stripe.Customer.list(limit=self._job["page_size"], **(self._job["filter"] or {}))
            self._rows = iter(first.auto_paging_iter())
        return next(self._rows).id


if __name__ == "__main__":
    serve(Ids)
