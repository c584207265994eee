"""Flexprice's official SDK. It has no iterator, so this is the loop that Flexprice's pagination page describes.

Ask with `limit` and `offset`, hand out the items, ask next with the `offset` of the answer, until it reaches `total`.
The loop is the user's own, so after an error it can ask for the same page again. Retries are off by default.
"""

from __future__ import annotations

from collections.abc import Iterator

from asking import Flat, Job, serve
from flexprice import Flexprice


class Pages:
    """The documented loop; its place is kept when a request fails."""

    def __init__(self, job: Job) -> None:
        settings = job["settings"]
        self._client = Flexprice(server_url=f"{settings['base_url']}/v1", api_key_auth=settings["api_key"])
        self._job = job
        self._offset, self._total = 0, None

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        if self._total is not None and self._offset >= self._total:
            raise StopIteration
        page = self._client.customers.query_customer(
            limit=self._job["page_size"], offset=self._offset, **(self._job["filter"] or {})
        )
        self._offset, self._total = page.pagination.offset, page.pagination.total
        return [customer.id for customer in page.items]


if __name__ == "__main__":
    serve(lambda job: Flat(Pages(job), str))
