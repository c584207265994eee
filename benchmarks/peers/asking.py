"""What every peer's script does alike: take orders from standard input, read a list, say what came of it.

Knows JSON lines and the standard library only, because it runs inside each peer's own environment. Must not know
any peer, nor what is wrong with the server.

An order is one JSON object a line: `url`, `settings`, `wire`, `page_size`, `filter` (or null), `told`. The answer is
one line too: the ids in the order in which they came, the errors, and whether the iterator said that the list ended.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

Job = dict[str, Any]
MOST_ERRORS = 3


def serve(open_list: Callable[[Job], Iterator[str]], *, asks_again: bool = True) -> None:
    """Read one list for each order, until standard input ends.

    Args:
        open_list: What the peer's documentation tells a user to write: an iterator over ids.
        asks_again: Whether a caller who caught an error has an iterator in hand that can be asked again.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a peer that prints must not print into the answers
    for line in sys.stdin:
        print(json.dumps(read(open_list, json.loads(line), asks_again=asks_again)), file=answers, flush=True)


def read(open_list: Callable[[Job], Iterator[str]], job: Job, *, asks_again: bool = True) -> dict[str, Any]:
    """Read one list to its end, as a caller who catches an error and asks the same iterator again."""
    ids: list[str] = []
    errors: list[dict[str, Any]] = []
    rows, ended = open_list(job), False
    while not ended and len(errors) < (MOST_ERRORS if asks_again else 1):
        try:
            for one in rows:
                ids.append(one)  # noqa: PERF402 - one by one, so that what came before an error stays
            ended = True
        except Exception as error:  # noqa: BLE001 - whatever a peer raises is what we came to see
            errors.append({"error": type(error).__name__, "text": str(error)[:300], "after": len(ids)})
            urllib.request.urlopen(job["told"]).close()
    return {"ids": ids, "errors": errors, "ended": ended}


class Flat:
    """The ids of pages, one after the other; a class, because a generator of ours would add a fault of its own."""

    def __init__(self, pages: Iterator[Any], id_of: Callable[[Any], str]) -> None:
        self._pages, self._id_of = pages, id_of
        self._rows: Iterator[Any] = iter(())

    def __iter__(self) -> Flat:
        return self

    def __next__(self) -> str:
        while True:
            for row in self._rows:
                return self._id_of(row)
            self._rows = iter(next(self._pages))
