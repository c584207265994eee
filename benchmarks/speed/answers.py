"""The three providers' answers to the requests that the contenders send, as bytes.

Knows paths, parameters and the shape of a page. Must not know sockets. A list is named by the first segment of the
path: `n5000-d20` is 5,000 customers, each answer 20 ms late; with `-s500` one answer in five is 500 ms late instead.
Pages are kept, so that after the first walk an answer costs the server next to nothing, and the same for every client.
"""

from __future__ import annotations

import json
import re
from collections import Counter, OrderedDict
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from . import data

_OPTION = re.compile(r"([a-z])(\d+)")
_SLOW = 5
_TOKEN = b'{"bearer_token":"token_of_the_benchmark","expires_in":3600}'


class Answers:
    """Answers requests; keeps up to `keep` bytes of rendered pages."""

    def __init__(self, keep: int) -> None:
        self._keep, self._held = keep, 0
        self._pages: OrderedDict[Any, bytes] = OrderedDict()
        self._asked: Counter[str] = Counter()

    def answer(self, method: str, target: str, body: bytes) -> tuple[bytes, float]:
        """The body of an answer, and for how many seconds it is held back.

        Raises:
            ValueError, KeyError: No contender should have sent this request.
        """
        path, _, query = target.partition("?")
        named = path.split("/")[1]
        options = {name: int(value) for name, value in _OPTION.findall(named)}
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        self._asked[named] += 1
        late = "s" if "s" in options and self._asked[named] % _SLOW == 0 else "d"
        return self._answer(method, path.split("/", 2)[2], options["n"], asked, body), options.get(late, 0) / 1000

    def _answer(self, method: str, path: str, count: int, asked: dict[str, str], body: bytes) -> bytes:
        if path == "login":
            return _TOKEN
        if path == "v1/customers/search" and method == "POST":
            return self._searched(count, json.loads(body))
        if path == "customers":
            return self._flatpeak(count, int(asked["limit"]), asked.get("starting_after"))
        if path != "v1/customers" or method != "GET":
            raise ValueError(path)
        if "offset" in asked:
            return self._flexprice(count, 0, int(asked["limit"]), int(asked["offset"]))
        return self._flexportal(count, int(asked["limit"]), asked.get("startAfter"))

    def _searched(self, count: int, body: dict[str, Any]) -> bytes:
        """A search by keyset: what was created between bounds, without some ids; or the newest."""
        if [one["direction"] for one in body.get("sort") or ()][:1] == ["desc"]:
            hints = b'],"pagination":{"total":%d,"limit":%d,"offset":0}}' % (count, body["limit"])
            return self._page("flexprice", count - 1, max(-1, count - 1 - body["limit"]), b'{"items":[', hints)
        first, end, left_out = 0, count, frozenset[str]()
        for wanted in body.get("filters") or ():
            if wanted["operator"] == "after":
                first = data.reached(datetime.fromisoformat(wanted["value"]["date"]))
            elif wanted["operator"] == "before":
                end = min(end, data.reached(datetime.fromisoformat(wanted["value"]["date"]) - timedelta.resolution))
            elif wanted["operator"] == "not_in":
                left_out = frozenset(wanted["value"]["array"])
            else:
                raise ValueError(wanted)
        while data.id_of(first) in left_out:  # no two share a moment, so those are the first
            first += 1
        return self._flexprice(end, min(first, end), body["limit"], body.get("offset") or 0)

    def _flexprice(self, count: int, first: int, limit: int, offset: int) -> bytes:
        """Oldest first; the total counts from `first` on."""
        start = min(first + offset, count)
        end = min(start + min(limit, 1000), count)
        hints = b'],"pagination":{"total":%d,"limit":%d,"offset":%d}}' % (count - first, limit, offset)
        return self._page("flexprice", start, end, b'{"items":[', hints)

    def _flexportal(self, count: int, limit: int, after: str | None) -> bytes:
        """Newest first; the cursor is the id of a row."""
        start, end = _below(count, min(limit, 100), after)
        hints = b'],"hasMore":%s,"nextCursor":%s}' % (
            b"true" if end else b"false",
            b'"%s"' % data.id_of(end).encode() if end else b"null",
        )
        return self._page("flexportal", start - 1, end - 1, b'{"customers":[', hints)

    def _flatpeak(self, count: int, limit: int, after: str | None) -> bytes:
        start, end = _below(count, min(limit, 100), after)
        hints = b'],"has_more":%s}' % (b"true" if end else b"false")
        return self._page("flatpeak", start - 1, end - 1, b'{"object":"list","data":[', hints)

    def _page(self, provider: str, first: int, last: int, head: bytes, hints: bytes) -> bytes:
        key = provider, first, last, hints
        page = self._pages.get(key)
        if page is None:
            page = head + data.rows(provider, first, last) + hints
            self._remember(key, page)
        else:
            self._pages.move_to_end(key)
        return page

    def _remember(self, key: Any, page: bytes) -> None:
        self._pages[key] = page
        self._held += len(page)
        while self._held > self._keep:
            self._held -= len(self._pages.popitem(last=False)[1])


def _below(count: int, limit: int, after: str | None) -> tuple[int, int]:
    """From and to which index a page reaches that goes downwards, both one above the row that they mean."""
    start = count if after is None else min(count, data.index_of(after))
    return start, max(0, start - limit)
