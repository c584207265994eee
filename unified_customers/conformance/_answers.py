"""Checks of answers that are broken, cut or something else: an error of the library, never a shorter list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import attrs

from ..adapter import Response
from ._bodies import id_name, parsed, with_body
from ._saying import complete_or_error, outcome
from ._stage import Setup

_BODIES: dict[str, bytes] = {
    "an empty body": b"",
    "a blank": b" ",
    "null": b"null",
    "true": b"true",
    "a number": b"0",
    "an empty text": b'""',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a proxy's HTML page": b"<!doctype html><html><body>Please sign in</body></html>",
    "an error in a good status": b'{"error": {"code": "X", "message": "no"}}',
    "another error in a good status": b'{"object": "error", "type": "api_error", "message": "no"}',
    "bytes that are no text": b"\xff\xfe\x00{",
    "a compressed body": b"\x1f\x8b\x08\x00",
    "a list nested 10,000 deep": b"[" * 10_000,
    "an object nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b"NaN",
}
_CUTS = 60


class Answers(Setup):
    """Good statuses with bad bodies."""

    def test_a_body_that_is_no_page_is_never_the_end(self) -> None:
        """As the first answer and as the second."""
        for says, body in _BODIES.items():
            self._never_short(partial(_unless_natural, body=body, says=says), says)
        self._never_short(lambda answer: attrs.evolve(answer, status=204, body=b""), "status 204")

    def test_a_cut_body_is_never_the_end(self) -> None:
        """Wherever it is cut."""
        stage = self.pages(1, 1)
        outcome(stage.client().customers(page_size=self.small))
        for n, whole in enumerate(stage.line.answers[:2], 1):
            for at in _spread(len(getattr(whole, "body", b""))):
                self._one_bent(n, partial(_cut, at=at), f"a body cut at byte {at}")

    def test_a_page_of_another_shape_is_never_the_end(self) -> None:
        """The list of customers is missing, null, a text, a number, or an object."""
        name = id_name(self.stage(1).server)
        for says, value in (
            ("null", None),
            ("a text", "none"),
            ("a number", 0),
            ("an object", {}),
            ("false", False),
            ("missing", ...),
        ):
            self._never_short(partial(_reshaped, name=name, value=value), f"a list that is {says}")

    def test_bytes_that_are_hard_to_read_are_read_or_refused(self) -> None:
        """A byte-order mark, other charsets, escapes, NaN among the values: the customers, or an error."""
        changes: dict[str, Callable[[Response], Response]] = {
            "a byte-order mark": lambda answer: attrs.evolve(answer, body=b"\xef\xbb\xbf" + answer.body),
            "UTF-16": lambda answer: _recoded(answer, "utf-16"),
            "Latin 1": lambda answer: _recoded(answer, "latin-1"),
            "a wrong charset": lambda answer: _declared(answer, "utf-16"),
            "an unknown charset": lambda answer: _declared(answer, "klingon"),
            "an unknown key of NaN": lambda answer: with_body(answer, _with_nan(answer)),
            "an unknown key nested 10,000 deep": lambda answer: with_body(answer, _with_depth(answer)),
            "blanks around it": lambda answer: with_body(answer, b" \r\n" + answer.body + b"\n\n"),
        }
        for says, change in changes.items():
            self._never_short(change, says)

    def test_a_good_answer_may_have_another_good_status(self) -> None:
        """A page that comes with status 203 or 206 is read, or refused; it is not passed over."""
        for status in (201, 203, 206):
            self._never_short(partial(_with_status, status=status), f"a page with status {status}")

    def _never_short(self, change: Callable[[Response], Response], says: str) -> None:
        for n in (1, 2):
            self._one_bent(n, change, says)

    def _one_bent(self, n: int, change: Callable[[Response], Response], says: str) -> None:
        stage = self.pages(1, 1)
        stage.line.change(change, at=n)
        got, error = outcome(stage.client().customers(page_size=self.small))
        complete_or_error(got, error, stage.ids, f"a list whose answer {n} was {says}")


def _cut(answer: Response, at: int) -> Response:
    return with_body(answer, answer.body[:at])


def _with_status(answer: Response, status: int) -> Response:
    return attrs.evolve(answer, status=status)


def _reshaped(answer: Response, name: str, value: object) -> Response:
    return with_body(answer, _without_list(parsed(answer), name, value))


def _without_list(body: object, name: str, value: object) -> object:
    """The body with another value for its list of records; a body that is the list itself becomes the value."""
    if isinstance(body, list):
        return {} if value is ... else value
    if not isinstance(body, dict):
        return body
    out = {}
    for key, inner in body.items():
        records = isinstance(inner, list) and all(isinstance(one, dict) and name in one for one in inner)
        if not records:
            out[key] = _without_list(inner, name, value) if isinstance(inner, dict) else inner
        elif value is not ...:
            out[key] = value
    return out


def _unless_natural(answer: Response, body: bytes, says: str) -> Response:
    """A provider whose page is a bare list means its end by an empty one."""
    natural = says == "an empty list" and isinstance(parsed(answer), list)
    return answer if natural else with_body(answer, body)


def _spread(length: int) -> Iterator[int]:
    step = max(1, length // _CUTS)
    yield from range(0, length, step)
    yield from range(max(0, length - 4), length)


def _recoded(answer: Response, charset: str) -> Response:
    text = json.dumps(parsed(answer), ensure_ascii=False)
    body = text.encode(charset, "replace")
    return _declared(with_body(answer, body), charset)


def _declared(answer: Response, charset: str) -> Response:
    return attrs.evolve(answer, headers={**answer.headers, "content-type": f"application/json; charset={charset}"})


def _with_nan(answer: Response) -> bytes:
    return _with_text(answer, b"NaN")


def _with_depth(answer: Response) -> bytes:
    return _with_text(answer, b"[" * 10_000 + b"]" * 10_000)


def _with_text(answer: Response, text: bytes) -> bytes:
    body = answer.body.strip()
    return b'{"uc_extra":' + text + b"," + body[1:] if body.startswith(b'{"') else body
