"""Checks of what the library says: no secret and no personal data, in no word, log line, error or checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs

from ..adapter import Customer, Response
from ._bodies import Path, Record, changed, id_name, paths, put, value_at, with_body
from ._driving import ONCE, over_http
from ._overheard import logged, opened, pickled, spoken
from ._saying import expect, outcome, result
from ._server import DROPPED, Line, Reply, answered
from ._stage import Setup, Stage

_PERSONAL = ("name", "first_name", "last_name", "company", "email", "phone", "billing_address", "shipping_address")
_SHORTEST = 5  # shorter values stand in other words by chance
_ASKED = "uc-planted-id-4711"
_STATUSES = (400, 401, 403, 404, 409, 422, 429, 500)


class Secrets(Setup):
    """Keys, tokens, e-mails, names, phones."""

    def test_the_adapter_shows_no_secret(self) -> None:
        """Neither its repr nor its text; and `secrets()` names what must not be shown."""
        adapter = self.stage(0).adapter
        hidden = adapter.secrets()
        expect(all(type(one) is str and one for one in hidden), "secrets() returns texts, none of them empty")
        for said in (repr(adapter), str(adapter), f"{adapter}"):
            expect(not any(one in said for one in hidden), "the adapter's repr shows a secret: attrs.field(repr=False)")
        sent = self._sent_credentials()
        unnamed = [name for name, value in sent if not any(one in value for one in hidden)]
        expect(not unnamed, f"the headers {unnamed} carry something that secrets() does not name")

    def test_a_walk_tells_nothing_about_anybody(self) -> None:
        """Not in a repr, the log at its finest, an event, the report, or the checkpoints."""
        stage, marks = self._marked()
        said: list[str] = []
        with logged(said):
            listing = over_http(stage.adapter, stage.line, retry=ONCE, on_event=lambda event: said.append(repr(event)))
            walk = listing.customers(page_size=self.small)
            for page in walk.pages():
                said += [repr(list(page.items)), *map(str, page.items), walk.checkpoint, opened(walk.checkpoint)]
            said += [
                repr(walk),
                repr(listing),
                repr(walk.report),
                opened(walk.checkpoint),
                str(stage.adapter.account()),
            ]
        self._silent(said, [*marks, *_sent(stage.line)], "a walk")

    def test_errors_tell_nothing_about_anybody(self) -> None:
        """Also when the provider's answer repeats the key, the token, the caller's own values and an e-mail."""
        stage, marks = self._marked()
        email = next((mark for mark in marks if "@" in mark), "made.up@mail.example")
        for status in (*_STATUSES, None):
            stage.line.instead = partial(_echoing, stage.line, status=status, more=f"{_ASKED} <{email}>")
            for call in ("customer", "customers"):
                said: list[str] = []
                with logged(said):
                    client = over_http(stage.adapter, stage.line, retry=ONCE)
                    _, error = (
                        result(client.customer, _ASKED) if call == "customer" else result(list, client.customers())
                    )
                    said += [] if error is None else spoken(error)
                hidden = [*marks, email, *_sent(stage.line), *([_ASKED] if call == "customer" else [])]
                self._silent(said, hidden, f"an error {status or 'of the line'} of {call}() that repeats secrets")

    def test_bad_records_tell_nothing_about_anybody(self) -> None:
        """The error of a record that can't be read says where, not what stood there."""
        stage, marks = self._marked()
        for path in self._text_places():
            stage.line.change(partial(changed, server=stage.server, change=partial(_spoilt, path=path)))
            said: list[str] = []
            with logged(said):
                _, error = outcome(stage.client().customers())
                said += [] if error is None else spoken(error)
                listing = stage.client().customers(on_bad_record="skip")
                outcome(listing)
                said += [
                    repr(listing.report),
                    pickled(listing.report),
                    *(text for bad in listing.report.bad_records for text in spoken(bad)),
                ]
            self._silent(said, marks, f"a bad record ({'.'.join(path)} is a list)")

    def test_broken_answers_tell_nothing_about_anybody(self) -> None:
        """The error of a body that is cut, or no JSON, does not quote it."""
        stage, marks = self._marked()
        whole = " ".join(marks).encode()
        changes: list[tuple[str, Callable[[Response], Response]]] = [
            ("cut", lambda answer: with_body(answer, answer.body[: len(answer.body) - 3])),
            ("a page of text", lambda answer: with_body(answer, b"<html>" + whole + b"</html>")),
            ("a text", lambda answer: with_body(answer, whole.decode())),
            ("a list of texts", lambda answer: with_body(answer, marks)),
            ("an error in a good status", lambda answer: with_body(answer, {"error": whole.decode()})),
        ]
        for says, change in changes:
            stage.line.change(change)
            said: list[str] = []
            with logged(said):
                _, error = outcome(stage.client().customers())
                said += [] if error is None else spoken(error)
            self._silent(said, marks, f"an answer that is {says}")

    # What these checks share

    def _marked(self) -> tuple[Stage, list[str]]:
        """Several customers, and everything about them and the account that must not be shown."""
        stage, everybody = self.pages(2, 1), self.pages(2, 1).everybody()
        ids = {customer.id for customer in everybody}
        personal = {text for customer in everybody for text in _personal(customer)}
        marks = {text for text in personal if len(text) >= _SHORTEST and not any(text in id_ for id_ in ids)}
        return stage, sorted(marks | set(stage.adapter.secrets()))

    def _text_places(self) -> Iterator[Any]:
        server = self.stage(1).server
        for record in server.records.values():
            yield from (path for path in paths(record) if path != (id_name(server),))

    def _sent_credentials(self) -> list[tuple[str, str]]:
        """Headers of a request that look like credentials."""
        stage = self.stage(0)
        result: list[tuple[str, str]] = []
        request = stage.adapter.sign_in_request() if stage.adapter.signs_in() else None
        query = stage.query()
        for one in filter(None, (request, stage.adapter.list_request(query, stage.adapter.start(query)))):
            result += [(name, value) for name, value in one.headers if _is_credential(name)]
        return result

    @staticmethod
    def _silent(said: list[str], marks: list[str], where: str) -> None:
        __tracebackhide__ = True
        everything = "\n".join(said)
        shown = [mark for mark in marks if mark in everything]
        if shown:
            line = next(text for text in said if shown[0] in text)
            raise AssertionError(f"{where} shows {shown[0]!r}, which is secret or personal, in: {line[:400]}")


def _spoilt(record: Record, path: Path) -> list[Any]:
    """The record with a list where its value stood."""
    try:
        return [put(record, path, [value_at(record, path)])]
    except (KeyError, TypeError):  # this record has no such place
        return [record]


def _is_credential(name: str) -> bool:
    return any(word in name.lower() for word in ("authorization", "api-key", "apikey", "token", "secret"))


def _personal(customer: Customer) -> Iterator[str]:
    for name in _PERSONAL:
        value = getattr(customer, name)
        if isinstance(value, str):
            yield value
        elif value is not None:
            yield from (text for text in attrs.astuple(value) if isinstance(text, str))


def _sent(line: Line) -> list[str]:
    """The keys and tokens that went along with the last request and the last sign-in."""
    sent = [header for request in [*line.requests[-1:], *line.sign_ins[-1:]] for header in request.headers]
    return sorted({value.split(" ")[-1] for name, value in sent if _is_credential(name)})


def _echoing(line: Line, n: int, *, status: int | None, more: str) -> Reply:
    """An error that repeats what the last request carried, in every place that it has; or a lost connection."""
    if status is None:
        return DROPPED
    text = f"no: {' '.join(_sent(line))} {more} in /customers?x={more}"
    inner = {"code": text, "message": text, "details": [{"path": text, text: [text]}], "request_id": text, "type": text}
    body = json.dumps({**inner, "error": inner, "title": text, "errors": [inner]}).encode()
    return answered(status, body, x_request_id=text)
