"""No key, token, cookie or real person stands in a cassette; and the search for them finds what is planted."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

import httpx
import pytest
from cassette_tape import CASSETTES, recorder
from from_real import KEY
from from_sandbox import ACCOUNTS

import unified_customers as uc
from unified_customers.sandbox import Sandbox

FILES = sorted(CASSETTES.rglob("*.yaml"))

# The one number that is neither reserved for fiction nor anybody's: the recording's made-up contact.
ALLOWED_PHONES = {"+49 221 12345"}
_RESERVED_PHONE = re.compile(r"1?55501\d\d|442079460\d{3}|20\s?7946\s?0\d{3}")
_PHONE_KEY = re.compile(r'"(?:phone|contact|mobile|tel\w*)":\s*"([^"]*)"')
_PHONE = re.compile(r"(?<![\w+:.-])\+\d[\d ()./-]{6,}\d")
_MAIL = re.compile(r"[^\s\"'<>=&,:;()\[\]{}|\\]+@([\w.-]+)", re.UNICODE)
_MAIL_DOMAIN = re.compile(r"(?:[\w-]+\.)*(?:example\.[a-z]{2,3}|test)\Z")
_PATTERNS = {
    "a bearer token": re.compile(r"(?mi)bearer\s+(?!<key>|<token>|key only$)\S+"),
    "basic credentials": re.compile(r"(?i)\bbasic\s+(?!<key>)\S+"),
    "a JWT": re.compile(r"\beyJ[\w-]{5,}"),
    "three dotted parts": re.compile(r"\b[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}\b"),
    "a key": re.compile(r"\b(?:sk|pk|rk)_(?:live|test|sandbox|wrong)?_?\w{4,}|\bsandbox\.[0-9a-f]{20,}|\bakia\w{12,}"),
    "a cookie": re.compile(r"(?i)cookie"),
    "a value named as a secret": re.compile(
        r'(?i)"[^"]*(?:token|secret|password|api_?key)[^"]*"\s*:\s*"(?!<token>|<key>)[^"]'
    ),
    "a key header": re.compile(r"(?mi)x-api-key:\s*\n\s*- (?!<key>$).*$"),
    "this machine": re.compile(r"127\.0\.0\.1|localhost|/home/|/Users/|/tmp/"),
}


def planted():
    """The keys with which the cassettes were recorded or are played."""
    box = Sandbox(customers=0)
    keys = [box.flexportal.api_key, box.flexprice.api_key, box.flatpeak.api_key, KEY, "made-up-wrong-key", "sk_wrong"]
    account_id = box.flatpeak.account_id
    pairs = [f"{account_id}:{key}" for key in (box.flatpeak.api_key, "made-up-wrong-key", "made-up-key")]
    keys += [settings["api_key"] for _, settings in ACCOUNTS.values()]
    return [*keys, *(base64.b64encode(pair.encode()).decode() for pair in pairs)]


def found_in(text):
    """What should not stand in a cassette's text, in words."""
    text = unquote(text)
    found = [f"planted: {key}" for key in planted() if key in text]
    found += [f"{name}: {hit.group()}" for name, pattern in _PATTERNS.items() for hit in pattern.finditer(text)]
    domains = (hit.group(1).rstrip(".") for hit in _MAIL.finditer(text))
    found += [f"mail at {domain}" for domain in domains if not _MAIL_DOMAIN.match(domain)]
    phones = {*_PHONE.findall(text), *filter(None, _PHONE_KEY.findall(text))}
    found += [f"phone {phone}" for phone in phones if not _fictional(phone)]
    return found


def _fictional(phone):
    return phone in ALLOWED_PHONES or bool(_RESERVED_PHONE.fullmatch(re.sub(r"[^\d]", "", phone)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CASSETTES).as_posix())
def test_no_secret_and_no_person_stands_in_a_cassette(path):
    """A cassette holds no key, token, cookie, foreign mail address or number that could be somebody's."""
    assert found_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "leak",
    [
        "authorization:\n      - Bearer abc123",
        "Authorization: bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
        "authorization:\n      - Basic YWNjOmtleQ==",
        "eyJhbGciOiJIUzI1NiJ9",
        '{"bearer_token":"sandbox.0123456789abcdef0123456789abcdef01234567"}',
        '{"access_token": "x"}',
        "set-cookie:\n      - a=b",
        "x-api-key:\n      - abc",
        "sk_live_abcdef",
        "pk_live_sandbox_flexportal",
        '{"email":"jane.doe@gmail.com"}',
        "email=jane%40company.io",
        '{"email":"o\'neill@firma.de"}',
        "jane@example.com.evil.io",
        '{"phone":"+49 30 901820"}',
        '{"contact":"030 901820"}',
        "call +1 212 555 0123",
        "http://127.0.0.1:8080/flexportal",
    ],
)
def test_the_search_finds_what_is_planted(leak):
    """The search is not blind: each kind of leak is found."""
    assert found_in(f"interactions:\n  - text: {leak}\n")


@pytest.mark.parametrize(
    "fine",
    [
        "Bearer <key>",
        "Basic <key>",
        '{"bearer_token":"<token>"}',
        '{"error":"Invalid token"}',
        '{"email":"customer+1@example.org","phone":"+44 20 7946 0123"}',
        '{"email":"info@example.de","contact":"+49 221 12345"}',
        '{"phone":"+1-555-0199"}',
        '{"phone":"15550103"}',
        '{"phone":""}',
        "email=a%40shop.test&limit=3",
    ],
)
def test_the_search_lets_made_up_values_pass(fine):
    """Placeholders and addresses and numbers that are reserved for fiction pass."""
    assert found_in(fine) == []


def _answer(_request):
    headers = [
        ("content-type", "application/json"),
        ("set-cookie", "session=planted-cookie"),
        ("x-new-token", "planted-x"),
    ]
    body = '{"bearer_token":"planted-1","Token":"planted-2","refreshToken" : "planted\\"3","expires_in":60,"data":[]}'
    return httpx.Response(200, headers=headers, content=body)


def test_recording_leaves_out_secrets_wherever_they_travel(tmp_path):
    """Keys, tokens in bodies, cookies and headers that nobody thought of do not reach the file."""
    path = tmp_path / "tape.yaml"
    with (
        recorder(gone=["planted-anywhere"]).use_cassette(str(path), record_mode="once"),
        httpx.Client(transport=httpx.MockTransport(_answer)) as client,
    ):
        headers = {
            "authorization": "Bearer planted-4",
            "x-api-key": "planted-5",
            "x-other-key": "planted-6",
            "cookie": "planted-7",
        }
        answer = client.get("https://any.test/login?q=planted-anywhere", headers=headers)
        assert answer.json()["bearer_token"] == "planted-1"  # the program itself gets what the provider sent
        client.get("https://any.test/login", headers={"authorization": "Basic planted-8"})
    text = path.read_text(encoding="utf-8")
    assert "planted" not in text
    assert text.count("<token>") == 6
    assert '"expires_in":60' in text
    assert found_in(text) == []


def test_a_sign_in_that_is_recorded_keeps_no_token(tmp_path):
    """A recorded sign-in to Flatpeak keeps neither the credentials nor the token of its answer."""
    path = tmp_path / "tape.yaml"
    with Sandbox(customers=1) as box:
        token = box.flatpeak.issue_token()
        tape = recorder(hosts=[(box.flatpeak.base_url, "https://flatpeak.test")])
        with tape.use_cassette(str(path), record_mode="once"):
            with uc.Client(uc.Flatpeak(**box.flatpeak.settings)) as client:
                assert len(list(client.customers())) == 1
            with uc.Client(uc.Flatpeak(bearer_token=token, base_url=box.flatpeak.base_url)) as client:
                assert len(list(client.customers(page_size=9))) == 1
    text = path.read_text(encoding="utf-8")
    assert token not in text
    assert "sandbox." not in text
    assert found_in(text) == []
