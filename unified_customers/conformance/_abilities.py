"""Checks of what else `capabilities` may list: sorts, both directions, a total; and of `check()`, which all have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from ..adapter import Customer, Response
from ..errors import UnsupportedError
from ._saying import exactly, expect, ids_of, no_error, outcome, result
from ._server import Reply
from ._stage import Setup

_TIMES = {"created_at", "updated_at"}


class Abilities(Setup):
    """Sorts, `before=`, `count()`, `check()`."""

    def test_each_sort_brings_everybody_once(self) -> None:
        """In both orders where there are two; by time, the order is looked at."""
        if not self.can.sorts and not self.can.orders:
            pytest.skip("no sorts and no orders: capabilities lists none")
        for sort in (*self.can.sorts, None):
            for order in (*self.can.orders, None):
                stage = self.pages(2, 1)
                asked: dict[str, Any] = {
                    name: value for name, value in (("sort", sort), ("order", order)) if value is not None
                }
                where = f"a list with {asked or 'no sort'}"
                got, error = outcome(stage.client().customers(page_size=self.small, **asked))
                if isinstance(error, UnsupportedError) and _lacks_it(stage.line.answers[-1]):
                    continue
                no_error(error, where)
                exactly(got, stage.ids, where)
                if order is not None and (sort is None or sort in _TIMES):
                    _in_order(got, sort or "created_at", order, where)

    def test_a_walk_backwards_brings_those_before(self) -> None:
        """From each customer of the list, away from it, as `before=` says."""
        if not self.can.backwards:
            pytest.skip("no walks backwards: capabilities.backwards is false")
        n = 2 * self.small + 2
        forwards = self.stage(n).everybody()
        for place, customer in enumerate(forwards):
            got, error = outcome(self.stage(n).client().customers(before=customer.id, page_size=self.small))
            where = f"a walk backwards from customer {place + 1} of {n}"
            no_error(error, where)
            wanted = ids_of(forwards[:place])[::-1]
            expect(ids_of(got) == wanted, f"{where} brought {ids_of(got)}, and before it stand, going away, {wanted}")

    def test_count_agrees_with_the_list(self) -> None:
        """Where `capabilities.total` says that the provider counts."""
        if not self.can.total:
            pytest.skip("no total: capabilities.total is false")
        for n in (0, 1, 2 * self.small + 1):
            found, error = result(self.stage(n).client().count)
            no_error(error, f"count() of {n} customers")
            expect(found == n and type(found) is int, f"count() of {n} customers is {found!r}")

    def test_check_finds_an_empty_account_and_a_full_one(self) -> None:
        """`check()` signs in, reads a page, and says how a list is read."""
        for n in (0, self.small):
            found, error = result(self.stage(n).client().check)
            no_error(error, f"check() of an account with {n} customers")
            expect(found.items == n, f"check() of {n} customers found {found.items}")
            expect(found.scan in {"cursor", "keyset", "offset"}, f"check() says that lists are read by {found.scan!r}")


def _lacks_it(answer: Reply) -> bool:
    """Whether the server said that it has no such address, as an older one may: then a refusal is right."""
    return isinstance(answer, Response) and answer.status in {404, 405, 501}


def _in_order(got: Sequence[Customer], name: str, order: str, where: str) -> None:
    __tracebackhide__ = True
    times: list[Any] = [getattr(customer, name) for customer in got]
    known = [time for time in times if time is not None]
    right = all(a <= b if order == "asc" else a >= b for a, b in pairwise(known))
    expect(right, f"{where} did not come in order of {name}, {order}")
