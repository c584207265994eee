"""What the command line says: no key and no token anywhere, and on stderr nothing of any customer.

stdout of `list` and `get` is the customers' data; all else must hold nothing that was planted.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cli_running import on_terminal
from click.testing import CliRunner

import unified_customers as uc
from unified_customers.cli import app

EMAIL, NAME, PHONE, REF = "planted.person@mail.example", "Plantagenet Plantedson", "+31612345999", "planted-ref-7"
KEY, TOKEN = "sk_secret_key_1", "tok_secret_token_1"
PERSONAL = [EMAIL, NAME, "Plantagenet", PHONE, REF, "planted"]
PEOPLE = {
    "flexportal": {"email": EMAIL, "firstName": "Plantagenet", "lastName": "Plantedson", "phone": PHONE},
    "flexprice": {"external_id": REF, "email": EMAIL, "name": NAME},
    "flatpeak": {"reference_id": REF},
}
FILTER = {
    "flexportal": ["--email", EMAIL],
    "flexprice": ["--external-id", REF, "--email", EMAIL],
    "flatpeak": ["--external-id", REF],
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Repeats are not waited for."""
    monkeypatch.setitem(uc.Client.__init__.__kwdefaults__, "_sleep", lambda _: None)


@pytest.fixture
def planted(box):
    """The sandbox, in which all but one have planted data; and every secret that goes over the wire."""
    seen = {provider.settings["api_key"] for provider in box.providers}
    for provider in box.providers:
        provider.clear()
        provider.insert(1)
        for n in range(12):
            other = {"external_id": f"{REF}-{n}"} if provider.name == "flexprice" and n else {}
            provider.insert(1, **{**PEOPLE[provider.name], **other})
        provider.handle = watching(provider, seen)
    return box, seen


def watching(provider, seen):
    """Its handler, that notes the credentials which it is sent."""

    def watched(request):
        for name, value in request.headers.items():
            if name.lower() in {"authorization", "x-api-key"}:
                seen.add(value.split()[-1])
        return type(provider).handle(provider, request)

    return watched


def said(words, **environment):
    """stdout and stderr of a command, with the checkpoints in it unpacked, and its exit code."""
    done = CliRunner().invoke(app.cli, words, env=environment)
    held = [unpacked(found) for found in re.findall(r"\buc1\.[\w-]+\.[0-9a-f]{16}\b", done.stderr)]
    return done.stdout, "\n".join([done.stderr, *held]), done.exit_code


def unpacked(checkpoint):
    """What a curious reader finds in it."""
    body = checkpoint.split(".")[1]
    return zlib.decompress(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))).decode()


def leaks(text, marks):
    """Which of these stand in the text."""
    return [mark for mark in marks if mark.lower() in text.lower()]


COMMANDS = {
    **{f"list {form}": ["list", "{}", "-o", form, "--page-size", "5"] for form in ("table", "json", "jsonl", "csv")},
    "list raw": ["list", "{}", "-o", "jsonl", "--raw"],
    "list filtered": ["list", "{}", "filter"],
    "list one": ["list", "{}", "filter", "--max-items", "1"],
    "list some": ["list", "{}", "--max-items", "7", "--page-size", "5"],
    "get": ["get", "{}", "{id}"],
    "get nobody": ["get", "{}", REF],
    "get by reference": ["get", "{}", "--external-id", REF],
    "count": ["count", "{}", "filter"],
    "check": ["check", "{}", "-o", "json"],
    "wrong option": ["list", "{}", "--email", EMAIL, "--nonsense", EMAIL],
    "wrong checkpoint": ["list", "{}", "--after", f"uc1.{REF}.x"],
    "wrong size": ["list", "{}", "--email", EMAIL, "--page-size", "5000"],
}
DATA = {"list", "get"}  # their stdout is the customers' own data
HARMS = ["none", "429", "error200", "redirect", "token-dies"]
MORE = ["bad-record", "503-json", "html200", "garbage", "reset", "ignore-filters", "loop"]


def words_of(command, provider):
    """The command for that provider."""
    words = []
    for word in COMMANDS[command]:
        given = word.format(provider.name, id=provider.ids[0])
        words += FILTER[provider.name] if word == "filter" else [given]
    return [*words, "--verbose"]


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_says_anything_planted(planted, name, command):
    """Whatever goes wrong: keys and tokens nowhere, nobody's data on stderr, nor in the checkpoints that it tells."""
    box, seen = planted
    provider = getattr(box, name)
    for harm in ["none"] if command.startswith("wrong") else HARMS + MORE * command.startswith("list"):
        if harm != "none":
            provider.fault(harm, after=1 if command.startswith("list") and harm != "ignore-filters" else 0)
        out, err, code = said(words_of(command, provider), **box.environment)
        provider.clear_faults()
        assert code in {0, 1, 2}
        assert leaks(out + err, seen) == [], harm
        assert leaks(err, PERSONAL) == [], harm
        if command.split()[0] not in DATA:
            assert leaks(out, PERSONAL) == [], harm


@pytest.mark.parametrize("name", PEOPLE)
def test_what_is_looked_for_would_be_found(planted, name):
    """The customers are on stdout, so nothing hides them; and the wire has carried secrets."""
    box, seen = planted
    out, err, code = said(["list", name, "-o", "jsonl", "--raw", "-v"], **box.environment)
    assert code == 0
    assert leaks(out, PERSONAL)
    assert err.startswith(name)
    assert len(seen) > 3 or name != "flatpeak"


# A provider that repeats all that it knows


@contextmanager
def repeating(status):
    """A server that signs anybody in, then answers with every secret and everything it was asked."""

    class Handler(BaseHTTPRequestHandler):
        wbufsize = 1 << 16

        def do_GET(self):
            told = " ".join([*self.headers.values(), self.path, f"no {KEY} {TOKEN} <{EMAIL}> Bearer {TOKEN}"])
            login = {"bearer_token": TOKEN, "expires_in": 60} if self.path == "/login" else {}
            body = {**login, "message": told, "code": told, "error": {"message": told}, "request_id": told}
            content = json.dumps(body).encode()
            self.send_response(200 if self.path == "/login" else status)
            self.send_header("x-request-id", told)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 200])
def test_what_a_provider_repeats_is_not_passed_on(name, status):
    """Keys, tokens, basic credentials, e-mails and filters."""
    basic = base64.b64encode(f"acc_1:{KEY}".encode()).decode()
    with repeating(status) as address:
        upper = name.upper()
        settings = {f"{upper}_API_KEY": KEY, f"{upper}_BASE_URL": address}
        settings |= {"FLEXPORTAL_TENANT_ID": "ten_1", "FLATPEAK_ACCOUNT_ID": "acc_1"}
        for words in (["list", name], ["list", name, *FILTER[name]], ["get", name, REF], ["check", name]):
            out, err, code = said(["-v", *words], **settings)
            assert code == 1
            assert status == 200 or (f"({status} " in err and "***" in err)
            assert leaks(out + err, [KEY, basic, *PERSONAL]) == []
            assert name != "flatpeak" or leaks(out + err, [TOKEN]) == []


def test_a_wrong_key_is_not_shown(planted):
    """The variable to look at is."""
    box, _ = planted
    for name in PEOPLE:
        out, err, code = said(["-v", "list", name], **{**box.environment, f"{name.upper()}_API_KEY": KEY})
        assert code == 1
        assert f"{name.upper()}_API_KEY" in err
        assert leaks(out + err, [KEY, *PERSONAL]) == []


# Where keys come from


@pytest.mark.parametrize(
    ("line", "content"),
    [
        (f'api_key = "{KEY}"', ""),
        ('api_key = { env = "THEIR_KEY" }', ""),
        ('api_key = { file = "key" }', f"{KEY}\n{KEY}"),
        ('api_key = { file = "key" }', f"{KEY}\udcff"),
        ('api_key = { file = "key" }', f" {KEY} "),
        (f'api_key = {{ vault = "{KEY}" }}', ""),
        (f'api_key = "{KEY}', ""),
        (f'api_key = {{ file = "key" }}\nbase_url = "https://user:{KEY}@h.example"', KEY),
        (f'api_key = {{ file = "key" }}\nbase_url = "https://h.example?key={KEY}"', KEY),
    ],
)
def test_a_key_that_cannot_be_used_is_not_shown(tmp_path, line, content):
    """In the file of accounts, in a file or variable that it names, or in an address."""
    path = tmp_path / "accounts.toml"
    path.write_text(f'[accounts.berlin]\nprovider = "flexprice"\n{line}\n', encoding="utf-8")
    (tmp_path / "key").write_bytes(content.encode("utf-8", "surrogateescape"))
    out, err, code = said(["-v", "list", "berlin", "--accounts", str(path)], THEIR_KEY=f"{KEY}\n")
    assert code == 1
    assert err.startswith("error: ")
    assert leaks(out + err, [KEY]) == []


# A terminal


def test_the_bar_holds_nothing_planted(planted):
    """Counts alone, as they stand on a terminal."""
    box, seen = planted
    box.flexprice.fault("slow", times=3, seconds=0.2)
    code, shown = on_terminal("list", "flexprice", "--page-size", "5", "-v", box=box, stderr=True)
    text = shown.decode()
    assert code == 0
    assert "customers" in text
    assert leaks(text, [*seen, *PERSONAL]) == []
