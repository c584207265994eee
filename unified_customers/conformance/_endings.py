"""Checks against servers that lead in circles: a walk ends, and never early in silence."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..adapter import Response
from ._bodies import Record, changed, id_name
from ._saying import exactly, ids_of, once, outcome
from ._server import Line, Reply
from ._stage import Setup, Stage


class Endings(Setup):
    """Walks that a server would keep going for ever."""

    def test_a_page_that_is_sent_for_ever_ends_the_walk(self) -> None:
        """From some answer on, the server sends the same one whatever it is asked."""
        for kept in (1, 2, 3):
            stage = self.pages(8)
            stage.line.instead = partial(_again, stage.line, first=kept + 1, period=1)
            self._ends_well(stage, f"a list whose answer {kept} is sent for ever")

    def test_pages_in_a_circle_end_the_walk(self) -> None:
        """The server sends two or three of its answers round and round, cursors included."""
        for period in (2, 3):
            for lead_in in (0, 1):
                stage = self.pages(8)
                stage.line.instead = partial(_again, stage.line, first=lead_in + period + 1, period=period)
                self._ends_well(stage, f"a list whose answers {lead_in + 1} to {lead_in + period} go round and round")

    def test_a_page_that_is_sent_twice_loses_nobody(self) -> None:
        """One request is answered with the page before it; afterwards the server is honest again."""
        for again in (2, 3):
            stage = self.pages(8)
            stage.line.instead = partial(_again, stage.line, first=again, period=1, last=again)
            self._ends_well(stage, f"a list in which request {again} is answered with the page before")

    def test_a_promise_of_more_that_is_never_kept_ends_the_walk(self) -> None:
        """From the second answer on, the server sends a page without customers that promises what it promised."""
        stage = self.pages(8)
        stage.line.change(partial(changed, server=stage.server, change=_none), at=2)
        stage.line.instead = partial(_again, stage.line, first=3, period=1)
        got, _ = outcome(stage.client().customers(page_size=self.small))  # the line fails what goes on for ever
        once(ids_of(got), "a list of empty pages that promise more")

    def _ends_well(self, stage: Stage, where: str) -> None:
        wanted = stage.ids
        got, error = outcome(stage.client().customers(page_size=self.small))
        once(ids_of(got), where)
        if error is None and self._pages_tell_of_more():
            exactly(got, wanted, where)

    def _pages_tell_of_more(self) -> bool:
        """Whether a page shows that others follow, by a flag, a cursor or a total.

        Where the first page of a long list is the same as that of a list which ends there, a short page is the only
        end, and nobody can tell a page that is sent again from the honest end of a list that shrank.
        """
        stage = self.pages(4)
        long = stage.ask(stage.first_request(self.small))
        here: list[str] = []
        changed(long, stage.server, partial(_noted, here, id_name(stage.server)))
        for id_ in set(stage.ids) - set(here):
            del stage.server.records[id_]
        short = stage.ask(stage.first_request(self.small))
        return long.body != short.body or _headers(long) != _headers(short)


def _headers(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}


def _noted(here: list[str], name: str, record: Record) -> list[Any]:
    here.append(str(record[name]))
    return [record]


def _again(line: Line, n: int, *, first: int, period: int, last: int | None = None) -> Reply | None:
    """From request `first` on, the answer that came `period` requests before."""
    return line.answers[n - 1 - period] if n >= first and (last is None or n <= last) else None


def _none(_: Record) -> list[Any]:
    return []
