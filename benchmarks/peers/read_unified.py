"""This library, as its README tells a user to: a client, `customers()`, a for loop."""

from __future__ import annotations

from collections.abc import Iterator

from asking import Job, serve

import unified_customers as uc

ACCOUNTS = {"flexprice": uc.Flexprice, "flexportal": uc.FlexPortal, "flatpeak": uc.Flatpeak}
FILTERS = {"reference_id": "external_id"}


class Ids:
    """Ids of a walk; an error passes through and the walk stays where it is."""

    def __init__(self, job: Job) -> None:
        client = uc.Client(ACCOUNTS[job["wire"]](**job["settings"], **job["options"]))
        filters = {FILTERS.get(name, name): value for name, value in (job["filter"] or {}).items()}
        self._walk = iter(client.customers(page_size=job["page_size"], **filters))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._walk).id


if __name__ == "__main__":
    serve(Ids)
