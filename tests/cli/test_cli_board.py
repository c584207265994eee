"""The board of accounts: what it shows for which events, and to whom."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

import unified_customers as uc
from unified_customers.cli.board import Board
from unified_customers.events import PageRead, Repeated, RequestEnded, SteppedBack, WalkBegan, WalkEnded


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def drawn(board, height=24, width=100):
    """The board's lines."""
    out = io.StringIO()
    Console(file=out, width=width, height=height).print(board.picture(height))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def told(board, account, *events, number=1, provider="flexprice"):
    for kind, fields in events:
        board.on_event(kind(provider=provider, account=account, walk=number, **fields))


def page(number, items, read, total=None):
    return PageRead, {"number": number, "items": items, "read": read, "total": total}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(clock):
    return Board(quiet=False, accounts=["berlin", "cairo"], _clock=clock)


def test_a_line_has_customers_rate_pages_and_repeats(board, clock):
    """And the sum below."""
    told(board, "berlin", (WalkBegan, {}))
    clock.now += 2
    told(board, "berlin", page(1, 1000, 1000, 5000), page(2, 1000, 2000, 4000))
    head, berlin, cairo, both = drawn(board)
    assert head.split() == ["account", "customers", "a", "second", "pages", "repeats"]
    assert berlin.split() == ["berlin", "2,000", "of", "5,000", "1,000", "2", "reading"]
    assert cairo.split() == ["cairo", "0", "0", "0"]
    assert both.split() == ["2", "accounts", "2,000", "1,000", "2", "0", "1", "reading"]


def test_a_wait_is_counted_down_with_its_reason(board, clock):
    """Until the next answer comes."""
    told(
        board,
        "berlin",
        (WalkBegan, {}),
        (Repeated, {"what": "x", "wait": 12, "attempt": 1, "reason": "R", "status": 429}),
    )
    assert "waiting 12 s (429)" in drawn(board)[1]
    clock.now += 4.5
    assert "waiting 8 s (429)" in drawn(board)[1]
    clock.now += 60
    assert "waiting 0 s (429)" in drawn(board)[1]
    told(board, "berlin", (RequestEnded, {"what": "x", "method": "GET", "status": 200}))
    assert drawn(board)[1].split() == ["berlin", "0", "0", "0", "1", "reading"]
    told(board, "berlin", (Repeated, {"what": "x", "wait": 1, "attempt": 1, "reason": "ConnectionFailedError"}))
    assert "waiting 1 s (ConnectionFailedError)" in drawn(board)[1]


def test_an_end_says_how_and_the_rate_stands_still(board, clock):
    """Complete, failed with the error's class, left."""
    for name, number in (("berlin", 1), ("cairo", 2), ("delhi", 3)):
        told(board, name, (WalkBegan, {}), page(1, 10, 10), number=number)
    clock.now += 5
    told(board, "berlin", (WalkEnded, {"outcome": "complete"}))
    told(board, "cairo", (WalkEnded, {"outcome": "failed", "error": "ServerError"}))
    told(board, "delhi", (WalkEnded, {"outcome": "left"}))
    clock.now += 100
    _, berlin, cairo, delhi, both = drawn(board)
    assert berlin.split() == ["berlin", "10", "2", "1", "done"]
    assert "failed: ServerError" in cairo
    assert delhi.endswith("left")
    assert both.endswith("1 done, 1 failed, 1 left")
    told(board, "cairo", (WalkBegan, {"again": True}))
    assert drawn(board)[2].endswith("reading")


@pytest.mark.parametrize(("count", "height"), [(3, 24), (12, 24), (13, 24), (500, 24), (500, 10), (500, 1)])
def test_it_fits_the_screen_whatever_the_number_of_accounts(clock, count, height):
    """Accounts at work come first, and the sum counts all."""
    board = Board(quiet=False, accounts=[f"account-{n}" for n in range(count)], _clock=clock)
    for n in range(count):
        told(board, f"account-{n}", (WalkBegan, {}), page(1, 1, 1), number=n)
        if n % 50:
            told(board, f"account-{n}", (WalkEnded, {"outcome": "complete"}), number=n)
    lines = drawn(board, height)
    assert len(lines) <= max(3, min(14, height - 2))
    assert len([line for line in lines[1:-1] if line.endswith("reading")]) == min(-(-count // 50), len(lines) - 2)
    assert lines[-1].split()[:3] == [str(count), "accounts", f"{count:,}"]


def test_a_client_alone_goes_by_the_name_that_it_was_given(clock):
    """Its events name no account; there is no sum of one."""
    board = Board(quiet=False, accounts=["berlin"], _clock=clock)
    told(board, None, (WalkBegan, {}), page(1, 5, 5))
    assert [line.split()[0] for line in drawn(board)] == ["account", "berlin"]
    named = Board(quiet=False, _clock=clock)
    told(named, None, (WalkBegan, {}), (SteppedBack, {"reason": "r", "number": 1, "items": 1, "read": 1}))
    assert drawn(named)[1].split()[:2] == ["flexprice", "1"]


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("quiet", "terminal", "shown"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_it_shows_nothing_in_a_pipe_or_when_quiet(monkeypatch, quiet, terminal, shown):
    """Though it hears everything; what else is said on stderr comes through."""
    stream = Screen() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with uc.sandbox(customers=10) as box, Board(quiet=quiet) as board:
        accounts = {"berlin": uc.Flatpeak(**box.flatpeak.settings), "cairo": uc.FlexPortal(**box.flexportal.settings)}
        with uc.Directory(accounts, on_event=board.on_event) as directory:
            assert len(list(directory.customers())) == 20
        assert drawn(board)[-1].endswith("2 done")
    assert ("2 accounts" in stream.getvalue()) == shown
    assert (stream.getvalue() == "") == (not shown)


def test_a_request_outside_a_walk_is_no_line(board):
    """Such as a count."""
    board.on_event(RequestEnded(provider="flatpeak", what="x", method="GET", status=200))
    assert len(drawn(board)) == 4
