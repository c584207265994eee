"""Each fault is really seen by a client, as often as ordered, and by the requests that it is meant for."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime

import httpx
import pytest

from unified_customers.sandbox import Sandbox, parse_fault

LISTS = {
    "flexportal": ("/v1/customers", "customers"),
    "flexprice": ("/v1/customers", "items"),
    "flatpeak": ("/customers", "data"),
}


class Caller:
    """A bare HTTP client that is signed in with one provider."""

    def __init__(self, client, provider):
        self.client, self.provider = client, provider
        self.path, self.key = LISTS[provider.name]

    def headers(self):
        if self.provider.name == "flexprice":
            return {"x-api-key": self.provider.api_key}
        if self.provider.name == "flexportal":
            return {"authorization": f"Bearer {self.provider.api_key}", "tenant-id": self.provider.tenant_id}
        return {"authorization": f"Bearer {self.provider.issue_token()}"}

    def page(self, **params):
        return self.client.get(self.provider.base_url + self.path, params=params, headers=self.headers())

    def rows(self, **params):
        return self.page(**params).json()[self.key]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(customers=40) as box:
        yield box


@pytest.fixture(params=list(LISTS))
def caller(request, sandbox):
    provider = getattr(sandbox, request.param)
    with httpx.Client(timeout=5) as client:
        yield Caller(client, provider)
    provider.clear_faults()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateway_error_is_html_and_happens_once(caller, status):
    """The proxy in front of a server speaks HTML, and the next request succeeds."""
    caller.provider.fault(str(status))
    reply = caller.page()
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html"
    assert caller.page().status_code == 200


def test_times_and_after_say_which_requests_are_met(caller):
    """`after` lets requests pass, `times` counts those that are met."""
    caller.provider.fault("503-json", times=2, after=1)
    assert [caller.page().status_code for _ in range(4)] == [200, 503, 503, 200]


def test_two_refusals_come_one_after_the_other(caller):
    """A request can be refused once only, so a second refusal waits for the next request."""
    caller.provider.fault("502")
    caller.provider.fault("429")
    assert [caller.page().status_code for _ in range(3)] == [502, 429, 200]


def test_429_tells_when_to_come_back(caller):
    """In seconds, as an HTTP date, or not at all."""
    caller.provider.fault("429", retry_after=7)
    caller.provider.fault("429", retry_after="date:+2")
    caller.provider.fault("429", retry_after="none")
    replies = [caller.page() for _ in range(3)]
    assert [reply.status_code for reply in replies] == [429] * 3
    assert replies[0].headers["retry-after"] == "7"
    wait = parsedate_to_datetime(replies[1].headers["retry-after"]) - parsedate_to_datetime(replies[1].headers["date"])
    assert 1 <= wait.total_seconds() <= 3
    assert "retry-after" not in replies[2].headers


def test_empty_answers_are_empty(caller):
    """A 200 without a body, and a 204."""
    caller.provider.fault("empty")
    caller.provider.fault("204")
    first, second = caller.page(), caller.page()
    assert (first.status_code, first.content) == (200, b"")
    assert (second.status_code, second.content) == (204, b"")


@pytest.mark.parametrize("kind", ["html200", "garbage"])
def test_a_200_need_not_be_json(caller, kind):
    """A sign-in page or plain garbage under a status that promises success."""
    caller.provider.fault(kind)
    reply = caller.page()
    assert reply.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        reply.json()


def test_error200_is_the_providers_own_error_body(caller):
    """The error object comes with status 200, and the same object with 503."""
    caller.provider.fault("error200")
    caller.provider.fault("503-json")
    wrong, right = caller.page(), caller.page()
    assert (wrong.status_code, right.status_code) == (200, 503)
    assert caller.key not in wrong.json()
    assert set(wrong.json()) == set(right.json()) or caller.provider.name == "flatpeak"


def test_a_cut_body_is_seen_as_incomplete(caller):
    """Half of the declared length, or chunks without an end."""
    for kind in ("cut", "cut-chunked"):
        caller.provider.fault(kind)
        with pytest.raises(httpx.RemoteProtocolError, match=r"(?i)incomplete|without"):
            caller.page()
    assert caller.page().status_code == 200


def test_a_reset_is_seen_as_a_lost_connection(caller):
    """The connection dies without a byte of an answer, and the log shows status 0."""
    caller.provider.fault("reset")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        caller.page()
    assert caller.provider.requests[-1][2] == 0
    assert caller.page().status_code == 200


def test_slow_answers_outlast_a_short_timeout(caller):
    """The answer comes after the ordered number of seconds."""
    caller.provider.fault("slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        caller.client.get(caller.provider.base_url + caller.path, headers=caller.headers(), timeout=0.05)


def test_a_redirect_leads_where_it_is_told(caller):
    """To a host that does not exist, unless told another."""
    caller.provider.fault("redirect")
    caller.provider.fault("redirect", location="http://127.0.0.1:1/other")
    replies = [caller.page(), caller.page()]
    assert [reply.status_code for reply in replies] == [302, 302]
    assert replies[0].headers["location"].startswith("https://elsewhere.invalid/")
    assert replies[1].headers["location"] == "http://127.0.0.1:1/other"


def test_bytes_that_are_not_what_the_headers_say(caller):
    """Latin-1 under a UTF-8 header, a byte order mark, gzip that is none."""
    caller.provider.fault("wrong-charset")
    with pytest.raises(UnicodeDecodeError):
        caller.page().content.decode("utf-8")
    caller.provider.fault("bom")
    assert caller.page().content.startswith(b"\xef\xbb\xbf")
    caller.provider.fault("bad-gzip")
    with pytest.raises(httpx.DecodingError):
        caller.page()


def test_json_that_breaks_parsers(caller):
    """NaN as a number, and nesting deeper than any stack."""
    caller.provider.fault("nan")
    reply = caller.page()
    assert b":NaN" in reply.content
    assert math.isnan(reply.json()[caller.key][0]["score"])
    caller.provider.fault("deep-nesting")
    with pytest.raises(RecursionError):
        caller.page().json()


def test_a_bad_record_is_one_row_with_a_wrong_type(caller):
    """The second row, unless told another; field and value may be chosen."""
    field, value = caller.provider.bad_record
    caller.provider.fault("bad-record")
    caller.provider.fault("bad-record", row=0, field="extra", value=[1])
    first, second = caller.rows(), caller.rows()
    assert [row.get(field) == value for row in first[:3]] == [False, True, False]
    assert second[0]["extra"] == [1]


def test_loop_gives_the_same_page_for_ever(caller):
    """Whatever is asked, the first page comes again and promises more."""
    caller.provider.fault("loop")
    pages = [caller.page(limit=5).text for _ in range(3)]
    assert len(set(pages)) == 1
    assert _promises_more(caller, caller.page(limit=5).json())


def test_loop2_goes_back_and_forth(caller):
    """A, B, A, B."""
    caller.provider.fault("loop2")
    pages = [caller.page(limit=limit).text for limit in (5, 6, 7, 8)]
    assert pages[0] == pages[2] != pages[1] == pages[3]


def test_an_empty_page_promises_more_and_hides_nothing(caller):
    """FlexPortal's own cursor on such a page leads to the rows that the page should have had."""
    honest = caller.page(limit=5).json()
    caller.provider.fault("empty-page")
    empty = caller.page(limit=5).json()
    assert empty[caller.key] == []
    assert _promises_more(caller, empty)
    if caller.provider.name == "flexportal":
        again = caller.page(limit=5, startAfter=empty["nextCursor"]).json()
        assert again["customers"] == honest["customers"]


def test_more_is_promised_without_a_way_to_it(caller):
    """A null cursor, no pagination, or no row to take a cursor from."""
    caller.provider.fault("has-more-no-cursor")
    page = caller.page(limit=5).json()
    if caller.provider.name == "flexportal":
        assert (page["hasMore"], page["nextCursor"]) == (True, None)
    elif caller.provider.name == "flexprice":
        assert "pagination" not in page
    else:
        assert (page["has_more"], page["data"]) == (True, [])


def _promises_more(caller, page):
    if caller.provider.name == "flexportal":
        return page["hasMore"] and page["nextCursor"]
    if caller.provider.name == "flexprice":
        return page["pagination"]["total"] >= page["pagination"]["offset"]
    return page["has_more"]


FILTER = {
    "flexportal": {"email": "nobody@example.com"},
    "flexprice": {"email": "nobody@example.com"},
    "flatpeak": {"reference_id": "nobody"},
}


def test_filters_can_be_ignored(caller):
    """A filter that matches nobody brings everybody, until called off."""
    wanted = FILTER[caller.provider.name]
    assert caller.rows(**wanted) == []
    caller.provider.fault("ignore-filters")
    assert caller.rows(**wanted) == caller.rows() != []
    caller.provider.clear_faults()
    assert caller.rows(**wanted) == []


def test_sort_can_be_ignored(caller):
    """The default order comes instead of the asked one."""
    asked = {"flexportal": {"sortDir": "asc"}, "flexprice": {"order": "asc"}, "flatpeak": {}}
    usual = caller.rows()
    caller.provider.fault("ignore-sort")
    assert caller.rows(**asked[caller.provider.name]) == usual


def test_the_page_size_can_be_capped_in_silence(caller):
    """Fewer rows than asked for, and where the answer tells its size it tells the size asked for."""
    caller.provider.fault("page-cap", cap=3)
    page = caller.page(limit=20).json()
    assert len(page[caller.key]) == 3
    told = page.get("limit", page.get("pagination", {}).get("limit"))
    assert told in {20, None}


def test_a_total_can_lie(caller):
    """Off by 17."""
    honest = caller.page(limit=5).json()
    caller.provider.fault("lying-total")
    wrong = caller.page(limit=5).json()
    if caller.provider.name == "flexprice":
        assert wrong["pagination"]["total"] == honest["pagination"]["total"] + 17
    elif caller.provider.name == "flexportal":
        assert wrong["count"] == honest["count"] + 17


def test_search_meets_the_faults_of_lists(sandbox):
    """Flexprice's search is a list, too: its filters can be ignored."""
    box = sandbox.flexprice
    unknown = {"field": "name", "operator": "eq", "value": {"string": "nobody has this name"}}
    ask = {"limit": 5, "filters": [unknown], "status": "published"}
    headers = {"x-api-key": box.api_key}
    with httpx.Client() as client:
        honest = client.post(box.base_url + "/v1/customers/search", json=ask, headers=headers).json()
        box.fault("ignore-filters", times=1)
        deaf = client.post(box.base_url + "/v1/customers/search", json=ask, headers=headers).json()
    assert honest["items"] == []
    assert len(deaf["items"]) == 5


def written(box, client, **fields):
    """A create at Flexprice; `None` where no answer came."""
    try:
        return client.post(box.base_url + "/v1/customers", json=fields, headers={"x-api-key": box.api_key}).status_code
    except httpx.TransportError:
        return None


def held(box, external_id):
    return sum(row["external_id"] == external_id for row in box.rows)


@pytest.fixture
def writes(sandbox):
    with httpx.Client(timeout=5) as client:
        yield sandbox.flexprice, client
    sandbox.flexprice.clear_faults()


@pytest.mark.parametrize(("answer", "seen"), [("reset", None), (502, 502), (500, 500)])
def test_an_answer_can_be_lost_after_the_server_acted(writes, answer, seen):
    """The connection breaks, or a gateway speaks; the customer is there, and the next create is taken."""
    box, client = writes
    box.fault("lost", answer=answer)
    assert written(box, client, external_id=f"lost {answer}", name="n") == seen
    assert held(box, f"lost {answer}") == 1
    assert written(box, client, external_id=f"next {answer}", name="n") == 201


def test_a_server_can_act_late(writes):
    """After so many more requests, and nobody hears of it."""
    box, client = writes
    box.fault("late", requests=2)
    assert written(box, client, external_id="late", name="n") is None
    counts = []
    for _ in range(3):
        counts.append(held(box, "late"))
        client.get(box.base_url + "/v1/customers", headers={"x-api-key": box.api_key})
    assert counts == [0, 0, 1]


def test_late_requests_are_refused_as_any(writes):
    """The one that came in time holds the id."""
    box, client = writes
    box.fault("late")
    written(box, client, external_id="twice", name="first")
    assert written(box, client, external_id="twice", name="second") == 201
    assert [row["name"] for row in box.rows if row["external_id"] == "twice"] == ["second"]


def test_writes_can_be_refused(writes):
    """With any status, in the provider's own words; nothing is done."""
    box, client = writes
    box.fault("refused", times=2, after=1, status=402)
    answers = [written(box, client, external_id=f"refused {number}", name="n") for number in range(4)]
    assert answers == [201, 402, 402, 201]
    assert held(box, "refused 1") == 0


def test_a_quota_counts_customers_that_were_created(writes):
    """A create that is refused for itself costs nothing; reading goes on."""
    box, client = writes
    box.fault("quota", creates=2, status=403)
    answers = [written(box, client, external_id=own, name="n") for own in ("q1", "", "q2", "q3", "q4")]
    assert answers == [201, 400, 201, 403, 403]
    assert client.get(box.base_url + "/v1/customers", headers={"x-api-key": box.api_key}).status_code == 200


def test_tokens_can_die(sandbox):
    """All at once, or after so many uses, long before they say they expire."""
    box = sandbox.flatpeak
    with httpx.Client(base_url=box.base_url) as client:

        def login():
            reply = client.get("/login", auth=(box.account_id, box.api_key)).json()
            return {"authorization": f"Bearer {reply['bearer_token']}"}

        headers = login()
        box.fault("token-dies", after=1)
        assert [client.get("/customers", headers=headers).status_code for _ in range(3)] == [200, 403, 403]
        box.fault("token-expires-early", uses=2)
        headers = login()
        assert [client.get("/customers", headers=headers).status_code for _ in range(3)] == [200, 200, 403]
        headers = login()
        assert [client.get("/customers", headers=headers).status_code for _ in range(3)] == [200] * 3


def test_on_says_which_requests_match(sandbox):
    """A fault on signing in leaves the list alone, and the other way round."""
    box = sandbox.flatpeak
    with httpx.Client(base_url=box.base_url, auth=(box.account_id, box.api_key)) as client:
        box.fault("503", on="login")
        assert client.get("/customers").status_code == 403  # basic is no bearer
        assert client.get("/login").status_code == 503
        assert client.get("/login").status_code == 200
        box.fault("503")
        assert client.get("/login").status_code == 200
        assert client.get("/customers").status_code == 503


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("flexprice:429", ("flexprice", "429", None, 0, {})),
        ("flatpeak:503:times=2:after=1", ("flatpeak", "503", 2, 1, {})),
        ("flexportal:429:retry_after=date:+2", ("flexportal", "429", None, 0, {"retry_after": "date:+2"})),
        (
            "flexprice:slow:seconds=0.2:on=list",
            ("flexprice", "slow", None, 0, {"seconds": 0.2, "on": "list"}),
        ),
        (
            "flexprice:redirect:location=http://h:1/x",
            ("flexprice", "redirect", None, 0, {"location": "http://h:1/x"}),
        ),
    ],
)
def test_faults_can_be_written_as_text(text, wanted):
    """The grammar of the command line."""
    read = parse_fault(text)
    assert (read.provider, read.kind, read.times, read.after, read.options) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flexprice",
        "stripe:429",
        "flexprice:nope",
        "flexprice:429:cap=1",
        "flexprice:429:times=x",
        "flexprice:503:on=moon",
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(text):
    """With a word about what is known."""
    with pytest.raises(ValueError, match="fault"):
        parse_fault(text)


def test_faults_given_at_the_start_are_ordered():
    """`Sandbox(faults=…)` takes the same texts."""
    with Sandbox(customers=3, faults=["flexprice:503:times=2", "flexportal:429"]) as box:
        url, headers = box.flexprice.base_url + "/v1/customers", {"x-api-key": box.flexprice.api_key}
        statuses = [httpx.get(url, headers=headers).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
