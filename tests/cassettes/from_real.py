"""Turn the recorded conversations with a real Flexprice server into cassettes: `python tests/cassettes/from_real.py`.

The library is run against the recorded answers, in their order. Each request that it sends must mean what the recorded
request meant (`meant`), or nothing is written. No answer is made up, cut or joined.

Knows which exchanges belong to which conversation, and what the recorded server takes for granted where a request
says nothing. Must not know what the answers should be read as: the tests do.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
from cassette_steps import Conversation, get, run_sync, walk
from cassette_tape import CASSETTES, text_of

import unified_customers as uc

RECORDING = Path(__file__).parent.parent / "data" / "real_flexprice" / "exchanges.jsonl"
BASE_URL = "https://flexprice.test"  # the real host was not recorded
KEY = "made-up-key"
KEY_ONLY = {"auth": "x-api-key"}
SOURCE = "recorded from the real server (flexprice e4b5303fd, 2026-11-21)"

# What the server takes for granted; each is seen in the recording: 58 and 59 answer with limit 50 and count from 0, the
# same rows as 98 in order=desc, and only published ones (for the search: sections 9 and 13 of the provider's facts).
LIST_DEFAULTS = {"limit": "50", "offset": "0", "order": "desc"}
SEARCH_DEFAULTS = {"limit": 50, "offset": 0, "status": "published", "filters": []}

FIRST, SECOND = "cust_01M7YPXPY6328SR8D6DRACWPJ0", "cust_01M7YPXPYB7G644AHZBP5Y0KJH"
THIRD, FOURTH = "cust_01M7YPXPYEBZ0EVJ4JMAGX9QG2", "cust_01M7YPXPYHZFXXDWE4Q6RHVBXJ"
FIFTH, SEVENTH = "cust_01M7YPXPYMJ36MXAD2PW3N08SJ", "cust_01M7YPXPYV1WY1HYYK28PECQ07"
SIXTH = "cust_01M7YPXPYQ9ZS5W3QTC7HNG2N7"
NOBODY = "cust_00000000000000000000000000"


def _newest(**arguments):
    """Ask for what the server lists when it is asked for nothing: 50 a page, newest first."""
    return walk(page_size=50, order="desc", **arguments)


def _three(**arguments):
    return walk(page_size=3, max_items=3, order="desc", **arguments)


def _search(field, operator, data_type, kind, value):
    content = {"field": field, "operator": operator, "data_type": data_type, "value": {kind: value}}
    return walk(sort="created_at", page_size=3, params={"filters": [content]})


def _real(name, exchanges, *steps):
    return Conversation(f"flexprice/{name}", steps, tuple(exchanges))


CONVERSATIONS = (
    _real("key_as_bearer_alone", [2], walk({"auth": "bearer"}, page_size=50, order="desc")),
    _real("key_in_both_headers", [3], walk({"auth": "both"}, page_size=50, order="desc")),
    _real("wrong_x_api_key", [4], _newest()),
    _real("wrong_key_in_both_headers", [5], walk({"auth": "both"}, page_size=50, order="desc")),
    _real("empty_tenant", [7], _newest()),
    _real("get_by_id", [49, 50], get(SECOND), get(FIRST)),
    _real("get_unknown_id", [51], get(NOBODY)),
    _real("get_by_external_id", [52], get(external_id="ext-03")),
    _real("get_unknown_external_id", [53], get(external_id="nope")),
    _real("get_after_updates", [137, 139, 141, 143, 145, 147, 149, 151, 153, 155], *map(get, (
        SECOND, SECOND, SECOND, FIRST, SECOND, THIRD, THIRD, FOURTH, SECOND, FIFTH,
    ))),
    _real("get_archived", [162, 163], get(SEVENTH), get(external_id="ext-06")),
    _real("list_newest_first", [58], _newest()),
    _real("list_newest_first_1000", [60], walk(order="desc")),
    _real("list_oldest_first_1000", [101], walk()),
    _real("list_three_oldest", [70], walk(page_size=3, max_items=3)),
    _real("list_three_newest", [71], _three()),
    _real("list_ten_oldest", [95], walk(page_size=10, max_items=10)),
    _real("list_ten_newest", [98], walk(page_size=10, max_items=10, order="desc")),
    _real("list_ten_oldest_later", [168], walk(page_size=10, max_items=10)),
    _real("list_ten_newest_later", [177], walk(page_size=10, max_items=10, order="desc")),
    _real("list_fifty_of_one_moment", [186], walk(page_size=50, max_items=50)),
    _real("filter_status", [73, 74, 75], _three(status="active"), _newest(status="archived"), _newest(status="draft")),
    _real("filter_status_archived", [164], _newest(status="archived")),
    _real("filter_ids_repeated", [77], _newest(ids=[THIRD, SIXTH])),
    _real("filter_id_with_a_comma", [78], _newest(ids=f"{THIRD},{SIXTH}")),
    _real("filter_external_ids_repeated", [80], _newest(external_id=["ext-01", "ext-02"])),
    _real("filter_external_id", [82, 83, 84], *(_newest(external_id=one) for one in ("ext-04", "a/b", "nope"))),
    _real("filter_email", [85, 86, 88], *(
        _newest(email=f"{name}@example.com") for name in ("ada", "ADA", "nobody")
    )),
    _real("filter_email_refused", [87], _newest(email="o'brien@example.com")),
    _real("filter_parent_ignored", [89], _three(parent_ids="cust_x")),
    _real("params_ignored", [79, 90], _three(params={"customer_ids[]": THIRD}), _three(params={"nonsense": "1"})),
    _real("params_expand", [92], walk(page_size=2, max_items=2, order="desc", params={"expand": "integrations"})),
    _real("params_expand_refused", [91], _newest(params={"expand": "parent_customer"})),
    _real("params_metadata", [93], _three(params={"metadata": {"plan": "pro"}})),
    _real("search_first_page_by_id", [102], walk(sort="id", page_size=10, max_items=10)),
    _real("search_first_page_by_name", [113], walk(sort="name", page_size=3, max_items=3)),
    _real("search_keyset_first_page", [105], walk({"scan": "keyset"}, page_size=10, max_items=10)),
    _real("search_keyset_first_page_of_one_moment", [210], walk({"scan": "keyset"}, page_size=200, max_items=200)),
    _real("search_filters", [114, 120, 121, 125],
        _search("external_id", "eq", "string", "string", "ext-04"),
        _search("created_at", "after", "date", "date", "2035-01-01T00:00:00Z"),
        _search("created_at", "before", "date", "date", "2020-01-01T00:00:00Z"),
        _search("status", "eq", "string", "string", "archived"),
    ),
    _real("search_id", [127], walk(sort="created_at", page_size=50, ids=THIRD)),
    _real("search_archived", [167], walk(sort="created_at", page_size=50, status="archived")),
    _real("walk_keyset_while_rows_are_archived", [217, 218, 222, 223, 224], walk(page_size=50)),
)  # fmt: skip

# Why the others are in no cassette.
_WRITES = "writes; this release reads only"
_ROUTES = "tries a path or a method of which the library has no use"
_LIMITS = "the library refuses such a page size, or chooses the offset itself"
_SORT_ON_GET = "the library never sends sort on GET"
_OFFSETS = "the library asks with an overlap, so at another offset; the recording was made without"
_SKIPS = "the library names the ids already read at that moment (not_in); the recording skips them by offset"
_NO_SORT = "the library's search always names an order, and with several rows that is another question"
NOT_SENT = {
    1: "the library never sends a request without a key",
    6: "the library sends no Basic credentials to Flexprice",
    **dict.fromkeys([8, 9, 10, 11], _ROUTES),
    **dict.fromkeys(range(12, 49), _WRITES),
    54: "an external id with a slash goes through the list (83), because the path form finds nothing",
    55: "the library uses /external/, not its alias /lookup/",
    **dict.fromkeys([56, 57], "customer() takes no params"),
    **dict.fromkeys([59, 61, 62, 63, 64, 65, 66], _LIMITS),
    **dict.fromkeys([67, 68, 69], _SORT_ON_GET),
    72: "order= other than asc and desc is refused before anything is sent",
    76: "a status that Flexprice does not know is refused before anything is sent",
    81: "several external ids go as repeated keys; one with a comma goes as external_id",
    94: "start_time is refused before anything is sent, because the server ignores it",
    **dict.fromkeys([96, 97, 99, 100, 103, 104], _OFFSETS),
    **dict.fromkeys([106, 107, 108], _SKIPS),
    **dict.fromkeys([109, 111, *range(115, 120), 122, 123, 124, 126, 128, 135], _NO_SORT),
    **dict.fromkeys([110, 112, 129, 134], "the library sends no such body"),
    **dict.fromkeys([130, 131, 132, 133], "an unknown sort= is refused before anything is sent"),
    **dict.fromkeys([*range(136, 155, 2), 156, 157, 158, 159, 160, 161, 165, 166], _WRITES),
    **dict.fromkeys([169, 170, 171, 172, 173, 178, 179, 180, 181, 182, 219, 220, 221], _WRITES),
    **dict.fromkeys([174, 175, 176, 183, 184, 185, *range(187, 210)], _OFFSETS),
    **dict.fromkeys(range(211, 217), _SKIPS),
    225: "the walk ends with the short page whose total agrees (224); the recording asked once more",
}


@cache
def recorded():
    """All exchanges, by number."""
    with RECORDING.open(encoding="utf-8") as lines:
        return {exchange["n"]: exchange for exchange in map(json.loads, lines)}


def account(**settings):
    """The made-up account; what is recorded with `x-api-key` alone is asked for with it alone."""
    return uc.Flexprice(api_key=KEY, base_url=BASE_URL, **{**KEY_ONLY, **settings})


def meant(request, answer):
    """What a recorded or sent request means to the recorded server, as a value that can be compared."""
    parts = urlsplit(request.url if isinstance(request, Sent) else request["path"] + "?" + request["query"])
    sent = request.headers if isinstance(request, Sent) else request["headers"]
    auth = sorted((name, sent[name].partition(" ")[0]) for name in ("x-api-key", "authorization") if name in sent)
    body = request.body if isinstance(request, Sent) else request["body"]
    few = _few(answer)
    return {
        "method": request.method if isinstance(request, Sent) else request["method"],
        "path": parts.path,
        "query": _query(parts.query, few=few) if parts.path == "/v1/customers" else parts.query,
        "body": _body(json.loads(body), few=few) if body else None,
        "auth": [(name, scheme if name == "authorization" else "key") for name, scheme in auth],
    }


class Sent:
    """A request of the library."""

    def __init__(self, request):
        self.method, self.url = request.method, str(request.url)
        self.body = request.content.decode()
        self.headers = dict(request.headers)


def _few(answer):
    """Whether the answer is the whole result and at most one row, so that no order can be told from another."""
    try:
        total = json.loads(answer["body"])["pagination"]["total"]
    except (ValueError, KeyError, TypeError):
        return False
    return total <= 1


def _query(text, *, few):
    found = [(name, _as_json(value)) for name, value in parse_qsl(text, keep_blank_values=True)]
    names = {name for name, _ in found}
    found += [(name, value) for name, value in LIST_DEFAULTS.items() if name not in names]
    return Counter(pair for pair in found if not (few and pair[0] == "order"))


def _as_json(value):
    """A JSON object in a query is compared as JSON."""
    return json.dumps(json.loads(value), sort_keys=True) if value.startswith("{") else value


def _body(content, *, few):
    content = {**SEARCH_DEFAULTS, **content}
    if few:
        content.pop("sort", None)
    filters = [_filter(one) for one in content["filters"]]
    return {**content, "filters": sorted(filters, key=json.dumps)}


def _filter(one):
    """A list of ids is a set to the server."""
    value = {kind: sorted(inner) if isinstance(inner, list) else inner for kind, inner in one["value"].items()}
    return {**one, "value": value}


def exchanges_of(conversation):
    """What the library sends in a conversation, beside the recorded answers."""
    numbers = iter(conversation.exchanges)
    found = []

    def answer(request):
        number = next(numbers, None)
        if number is None:
            raise AssertionError(f"{conversation.name}: one request too many: {request.method} {request.url}")
        exchange, sent = recorded()[number], Sent(request)
        ours, theirs = (meant(one, exchange["response"]) for one in (sent, exchange["request"]))
        if ours != theirs:
            raise AssertionError(f"{conversation.name}: {number} was another request:\n{ours}\n{theirs}")
        response = exchange["response"]
        found.append(
            (
                (sent.method, sent.url, sent.body or None, sent.headers),
                (response["status"], response["headers"], response["body"] or ""),
            )
        )
        return httpx.Response(response["status"], headers=response["headers"], content=response["body"] or "")

    told = _played(conversation, answer)
    failed = [repr(result.__cause__) for result in told.results if type(result) is uc.ConnectionFailedError]
    if failed or next(numbers, None) is not None:
        raise AssertionError(f"{conversation.name}: not all was asked for as recorded: {failed}")
    return found


def _played(conversation, answer):
    errors = []

    def safely(request):
        try:
            return answer(request)
        except AssertionError as error:
            errors.append(error)
            raise

    with httpx.Client(transport=httpx.MockTransport(safely)) as http:
        told = run_sync(conversation, account, http_client=http, retry=uc.Retry(attempts=1))
    if errors:
        raise errors[0]
    return told


def comment_of(conversation):
    """What a reader of the file should know."""
    lines = [SOURCE, f"exchanges {', '.join(map(str, conversation.exchanges))} of tests/data/real_flexprice"]
    for number in conversation.exchanges:
        exchange = recorded()[number]
        lines.append(f"  {number}: {exchange['section']}: {exchange['name']}")
    lines.append(
        "Answers as received. Requests as the library sends them: it spells out what the recorded ones left to"
    )
    lines.append("the server's defaults. The host is made up. Written by tests/cassettes/from_real.py; do not edit.")
    return "\n".join(lines)


def text(conversation):
    """A cassette's text."""
    return text_of(exchanges_of(conversation), comment_of(conversation))


def path_of(conversation):
    """Where it lies."""
    return CASSETTES / f"{conversation.name}.yaml"


def main():
    """Write them all."""
    for conversation in CONVERSATIONS:
        path = path_of(conversation)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(conversation), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
