"""Replaying the recorded conversations with a real Flexprice server against the sandbox."""

from __future__ import annotations

import http.client
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

RECORDING = Path(__file__).parent.parent / "data" / "real_flexprice" / "exchanges.jsonl"
# What differs from run to run in a body: ids and times. All else must be the same text.
TOKEN = re.compile(r"cust_[0-9A-Z]{26}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
PREFIX = "/flexprice"


class Answer(NamedTuple):
    status: int
    content_type: str | None
    location: str | None
    has_request_id: bool
    body: str


def exchanges():
    with RECORDING.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def recorded(exchange):
    response = exchange["response"]
    headers = response["headers"]
    return Answer(
        response["status"],
        headers.get("content-type"),
        headers.get("location"),
        "x-request-id" in headers,
        response["body"] or "",
    )


class Replay:
    """One keep-alive connection to the sandbox, and which recorded id or time is which of the sandbox's."""

    def __init__(self, box):
        self.key = box.flexprice.api_key
        host = box.url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=10)
        self.known = {}
        self.taken = {}

    def close(self):
        self.connection.close()

    def send(self, exchange):
        request = exchange["request"]
        target = PREFIX + request["path"] + (f"?{request['query']}" if request["query"] else "")
        key = "sk_wrong" if "wrong" in exchange["name"] else self.key
        headers = {name: value.replace("<key>", key) for name, value in request["headers"].items()}
        body = None if request["body"] is None else self.translate(request["body"]).encode()
        self.connection.request(request["method"], self.translate(target), body, headers)
        response = self.connection.getresponse()
        return Answer(
            response.status,
            response.getheader("content-type"),
            response.getheader("location"),
            response.getheader("x-request-id") is not None,
            response.read().decode(),
        )

    def translate(self, text):
        return TOKEN.sub(lambda found: self.ours(found[0]), text)

    def ours(self, token):
        if token in self.known or token.startswith("cust_"):
            return self.known.get(token, token)
        # A keyset request names the microsecond before a known time.
        later = self.known.get(_moved(token, 1))
        return _moved(later, -1) if later else token

    def differences(self, theirs, ours):
        """What of the sandbox's answer is not what was recorded, once ids and times are mapped."""
        expected = theirs._replace(
            body=theirs.body.replace('href="/', f'href="{PREFIX}/'),
            location=theirs.location and PREFIX + theirs.location,
        )
        theirs_tokens, ours_tokens = TOKEN.findall(expected.body), TOKEN.findall(ours.body)
        if len(theirs_tokens) == len(ours_tokens):
            for their, our in zip(theirs_tokens, ours_tokens, strict=True):
                if self.taken.setdefault(our, their) == their:
                    self.known.setdefault(their, our)
        expected = expected._replace(body=self.translate(expected.body))
        return [(a, b) for a, b in zip(expected, ours, strict=True) if a != b]


def _moved(token, microseconds):
    moment = datetime.fromisoformat(token) + timedelta(microseconds=microseconds)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"
