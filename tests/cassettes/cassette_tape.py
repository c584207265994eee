"""How this project's cassettes are written and read: scrubbing, spelling, matching.

Knows vcrpy and the names under which secrets travel. Must not know what is said in any conversation.
"""

from __future__ import annotations

import copy
import json
import re
import socket
from contextlib import contextmanager
from pathlib import Path

import vcr
import yaml
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request
from vcr.serialize import deserialize, serialize
from vcr.serializers import yamlserializer

CASSETTES = Path(__file__).parent.parent.parent / "cassettes"
MATCH_ON = ("method", "path", "every_pair", "json_body", "account")

# What stays of a request and of an answer; any other header, a cookie among them, is left out by not being here.
REQUEST_HEADERS = ("accept", "content-type", "x-api-key", "authorization", "tenant-id", "x-environment-id")
RESPONSE_HEADERS = ("content-type", "date", "flatpeak-version", "location", "retry-after", "x-request-id")
ACCOUNT_HEADERS = ("tenant-id", "x-environment-id")

# A value under such a key of a JSON body is a secret, whatever it looks like.
_SECRET_VALUE = re.compile(
    r"""("[^"\\]*(?:token|secret|password|api_?key|bearer|cookie|authorization)[^"\\]*"\s*:\s*)"(?:[^"\\]|\\.)*\"""",
    re.IGNORECASE,
)


class Spelling:
    """vcrpy's YAML, with the file's comment on top, in the order of a conversation, text as text.

    Written by PyYAML's Python emitter alone, because libyaml, where it is installed, breaks lines elsewhere.
    """

    def __init__(self, comment=""):
        self.comment = comment

    def serialize(self, tape):
        text = yaml.dump(tape, Dumper=yaml.SafeDumper, allow_unicode=True, width=1_000_000, sort_keys=False)
        return "".join(f"# {line}".rstrip() + "\n" for line in self.comment.splitlines()) + text

    deserialize = staticmethod(yamlserializer.deserialize)


class Utf8Files:
    """vcrpy's files, in UTF-8 whatever the machine's locale; `gone` is taken out of the text as the very last step."""

    def __init__(self, gone=()):
        self.gone = gone

    def load_cassette(self, path, serializer):
        path = Path(path)
        if not path.is_file():
            raise CassetteNotFoundError
        return deserialize(path.read_text(encoding="utf-8"), serializer)

    def save_cassette(self, path, tape, serializer):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(self.text(tape, serializer), encoding="utf-8")

    def text(self, tape, serializer):
        text = serialize(tape, serializer)
        for secret in self.gone:
            text = text.replace(secret, "<key>")
        return text


def scrubbed_request(request, hosts=()):
    """A copy without secrets; `hosts` are pairs of an address's beginning and what stands for it."""
    kept = copy.copy(request)
    for begins, stands in hosts:
        if kept.uri.startswith(begins):
            kept.uri = stands + kept.uri.removeprefix(begins)
    given = {name.lower(): value for name, value in request.headers.items()}
    kept.headers = {name: _hidden(name, given[name]) for name in REQUEST_HEADERS if name in given}
    kept.body = request.body or None
    return kept


def _hidden(name, value):
    if name == "authorization":
        return f"{value.partition(' ')[0]} <key>"
    return "<key>" if name == "x-api-key" else value


def scrubbed_response(response, without=()):
    """A copy without secrets, cookies and what the transport alone is about."""
    headers = {name.lower(): value for name, value in response["headers"].items()}
    kept = {name: headers[name] for name in RESPONSE_HEADERS if name in headers and name not in without}
    text = response["body"]["string"]
    text = text.decode() if isinstance(text, bytes) else text
    return {
        "status": response["status"],
        "headers": kept,
        "body": {"string": _SECRET_VALUE.sub(r'\1"<token>"', text).encode()},
    }


def _every_pair(one, other):
    """The query as pairs; unlike vcrpy's own `query`, blank values count."""
    assert sorted(_pairs(one)) == sorted(_pairs(other)), "another query"


def _pairs(request):
    return [pair for pair in request.parsed_uri.query.split("&") if pair]


def _json_body(one, other):
    if one.body or other.body:
        assert json.loads(one.body or b"null") == json.loads(other.body or b"null"), "another body"


def _account(one, other):
    """Two tenants behind one address must not share an answer; the ids are made up, so they stand as they are."""
    for name in ACCOUNT_HEADERS:
        assert one.headers.get(name) == other.headers.get(name), f"another {name}"


def recorder(*, comment="", hosts=(), gone=(), without=()):
    """A `VCR` that writes and reads as this module says."""
    tape = vcr.VCR(
        serializer="spelling",
        match_on=MATCH_ON,
        before_record_request=lambda request: scrubbed_request(request, hosts),
        before_record_response=lambda response: scrubbed_response(response, without),
        decode_compressed_response=True,
    )
    tape.register_serializer("spelling", Spelling(comment))
    tape.register_persister(Utf8Files(gone))
    tape.register_matcher("every_pair", _every_pair)
    tape.register_matcher("json_body", _json_body)
    tape.register_matcher("account", _account)
    return tape


def replaying(path):
    """A cassette being played, which records nothing."""
    return recorder().use_cassette(str(path), record_mode="none", allow_playback_repeats=False)


def text_of(exchanges, comment):
    """A cassette's text from plain values: (method, uri, body, headers) and (status, headers, body)."""
    requests = [scrubbed_request(Request(*request)) for request, _ in exchanges]
    answers = [
        scrubbed_response(
            {
                "status": {"code": status, "message": None},
                "headers": {name: [value] for name, value in headers.items()},
                "body": {"string": body},
            }
        )
        for _, (status, headers, body) in exchanges
    ]
    return Utf8Files().text({"requests": requests, "responses": answers}, Spelling(comment))


def load(path):
    """Requests and answers of a file."""
    return Utf8Files().load_cassette(path, Spelling())


@contextmanager
def no_sockets(monkeypatch):
    """Whoever opens a connection inside fails."""

    def refuse(self, address, *_):
        raise AssertionError("a replayed conversation opened a connection")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "create_connection", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
