"""Checks of filters: each brings exactly those that match, and a server that ignores one is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..adapter import Customer
from ..errors import FilterIgnoredError
from ._bodies import everywhere
from ._saying import exactly, expect, ids_of, no_error, once, outcome
from ._server import Reply
from ._stage import Setup, Stage

_FIELDS = {"email": "email", "external_id": "external_id", "ids": "id", "parent_ids": "parent_id"}
_SEVERAL = ("external_id", "ids", "parent_ids")
Case = tuple[Any, set[str]]


class Filters(Setup):
    """What `capabilities.filters` lists."""

    def test_each_filter_brings_exactly_those_that_match(self) -> None:
        """One value, several, one that nobody has, read in small pages."""
        for name in self._filters():
            stage = self._mixed(name)
            for value, wanted in list(self._cases(name, stage)):
                where = f"a list with {name}={value!r}"
                got, error = outcome(stage.client().customers(page_size=self.small, **_keyword(name, value)))
                no_error(error, where)
                exactly(got, wanted, where)

    def test_any_status_brings_all_that_a_plain_list_has_and_no_less(self) -> None:
        """Where `capabilities.statuses` lists "any": each once, with those of any status that the provider hides."""
        if "any" not in self.can.statuses:
            pytest.skip("no status='any': capabilities.statuses does not list it")
        stage = self._mixed("status")
        plain, error = outcome(stage.client().customers())
        no_error(error, "a plain list")
        got, error = outcome(stage.client().customers(page_size=self.small, status="any"))
        no_error(error, "a list with status='any'")
        once(ids_of(got), "a list with status='any'")
        missing = set(ids_of(plain)) - set(ids_of(got))
        expect(not missing, f"status='any' lacks {sorted(missing)}, who are in the list without a status")

    def test_an_ignored_filter_is_noticed(self) -> None:
        """A server that answers as if nothing was asked for: FilterIgnoredError, not the wrong customers."""
        for name in self._filters():
            plain = self._mixed(name)
            everybody, error = outcome(plain.client().customers())
            no_error(error, "a plain list")
            value = self._excluding(name, plain, everybody)
            if value is None:  # a single word, which everybody has
                continue
            stage = self.stage(6)
            stage.line.instead = partial(_nth, plain.line.answers)
            got, error = outcome(stage.client().customers(**_keyword(name, value)))
            expect(
                isinstance(error, FilterIgnoredError),
                f"a server that ignores {name} went unnoticed: {len(got)} customers and {error!r}. breaks() has to "
                "name the filter that a customer breaks",
            )

    def _filters(self) -> tuple[str, ...]:
        if not self.can.filters:
            pytest.skip("no filters: capabilities.filters is empty")
        return self.can.filters

    def _mixed(self, name: str) -> Stage:
        """Six customers; where words are filtered by, each of the words stands in the records in turn."""
        stage = self.stage(6)
        if name not in {"status", "kind"}:
            return stage
        words = self._filter_words(stage, name)
        for n, customer in enumerate(sorted(self.stage(6).everybody(), key=lambda one: one.id)):
            old = customer.raw_status if name == "status" else self._own_kind(stage, customer)
            record = stage.server.records[customer.id]
            stage.server.records[customer.id] = everywhere(record, old, words[n % len(words)][1])
        return stage

    def _filter_words(self, stage: Stage, name: str) -> list[tuple[str, str]]:
        """Our words for a filter, and the provider's."""
        adapter = stage.adapter
        ours = [w for w in self.can.statuses if w != "any"] if name == "status" else list(adapter.kind_words)
        theirs = adapter.status_words if name == "status" else adapter.kind_words
        expect(ours, f"capabilities.filters lists {name}, and there is no word for it: fill statuses or kind_words")
        return [(word, theirs.get(word, word)) for word in ours]

    @staticmethod
    def _own_kind(stage: Stage, customer: Customer) -> str | None:
        return None if customer.kind is None else stage.adapter.kind_words.get(str(customer.kind), str(customer.kind))

    def _cases(self, name: str, stage: Stage) -> Iterator[Case]:
        if name in _FIELDS:
            yield from self._values(name, stage)
            return
        for ours, theirs in self._filter_words(stage, name):
            wanted = {id_ for id_, record in stage.server.records.items() if everywhere(record, theirs, ...) != record}
            yield ours, wanted
            yield theirs, wanted

    def _values(self, name: str, stage: Stage) -> Iterator[Case]:
        by_value: dict[str, set[str]] = {}
        for customer in stage.everybody():
            value = getattr(customer, _FIELDS[name])
            if value is not None:
                by_value.setdefault(value, set()).add(customer.id)
        expect(
            len(by_value) > 1,
            f"your fake server's six made-up customers need at least two different values of {_FIELDS[name]}, because "
            f"capabilities.filters lists {name}",
        )
        yield from by_value.items()
        yield "nobody@mail.example", set()
        if name in _SEVERAL:
            yield tuple(by_value), {id_ for ids in by_value.values() for id_ in ids}
            first, *_, last = by_value
            yield (last, "nobody@mail.example", first), by_value[first] | by_value[last]

    def _excluding(self, name: str, stage: Stage, everybody: list[Customer]) -> Any:
        """A value that somebody in the plain list does not have."""
        if name in _FIELDS:
            return next(value for value, _ in self._values(name, stage))
        words = self._filter_words(stage, name)
        for ours, theirs in words:
            owns = [one.raw_status if name == "status" else self._own_kind(stage, one) for one in everybody]
            if any(own != theirs for own in owns):
                return ours
        return None


def _nth(answers: list[Reply], n: int) -> Reply:
    return answers[min(n, len(answers)) - 1]


def _keyword(name: str, value: Any) -> dict[str, Any]:
    return {name: value}
