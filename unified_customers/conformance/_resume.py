"""Checks of checkpoints: a walk stops anywhere and goes on in another process, and in no other walk."""

from __future__ import annotations

from typing import Any

import attrs

from .. import _checkpoint
from ..adapter import Adapter, Capabilities, Customer, Position
from ..errors import CheckpointError
from ._driving import Direct
from ._saying import exactly, expect, no_error, outcome, result
from ._stage import Setup


class Resume(Setup):
    """Checkpoints."""

    def test_a_walk_goes_on_after_every_customer(self) -> None:
        """Stopped after each customer, in and between pages, and gone on with in a fresh client."""
        for size in {self.small, 3 if self.can.max_page_size >= 3 else 1, self.can.max_page_size}:
            n = 7
            for taken in range(n + 1):
                stage = self.stage(n)
                walk = iter(stage.client().customers(page_size=size))
                where = f"a walk in pages of {size}, stopped after {taken} of {n} and gone on with from its checkpoint,"
                first, error = outcome(customer for _, customer in zip(range(taken), walk, strict=False))
                no_error(error, where)
                rest, error = outcome(stage.client().customers(page_size=size, after=walk.checkpoint))
                no_error(error, where)
                exactly([*first, *rest], stage.ids, where)

    def test_a_walk_goes_on_after_every_page(self) -> None:
        """By the page, and from each page's `next`."""
        stage = self.pages(2, 1)
        came: list[Customer] = []
        pages, error = result(list, stage.client().customers(page_size=self.small).pages())
        no_error(error, "a walk by the page")
        for page in pages:
            came += page.items
            if page.next is None:
                continue
            rest, error = outcome(stage.client().customers(page_size=self.small, after=page.next))
            where = f"the pages up to number {page.number}, and the rest from its `next`,"
            no_error(error, where)
            exactly([*came, *rest], stage.ids, where)
        exactly(came, stage.ids, "a walk by the page")

    def test_every_position_survives_as_text(self) -> None:
        """A position is a frozen attrs class of the adapter's `positions`, of texts, numbers, flags and tuples."""
        stage = self.pages(2, 1)
        query = stage.query(page_size=self.small)
        for position, _, batch in stage.steps(query):
            after = [batch.at(n) for n in range(len(batch.items) + 1)]
            for one in [position, *after, *([] if batch.next is None else [batch.next])]:
                self._survives(stage.adapter, query, one)

    @staticmethod
    def _survives(adapter: Adapter, query: Any, position: Position) -> None:
        kind = type(position).__name__
        expect(attrs.has(type(position)), f"the position {kind} is no attrs class: make it @attrs.frozen(kw_only=True)")
        expect(type(position) in adapter.positions, f"{kind} is missing in your adapter's `positions`")
        text, error = result(_checkpoint.save, adapter, query, position, {})
        no_error(error, f"saving a {kind}")
        again, error = result(_checkpoint.load, adapter, query, text, {})
        no_error(error, f"loading a {kind}")
        expect(again == position, f"{kind} comes back from its checkpoint as another value: {again!r}")

    def test_a_checkpoint_of_another_account_is_refused(self) -> None:
        """`account()` tells accounts apart by address and tenant, and holds no secret."""
        stage = self.stage(3)
        checkpoint = stage.client().customers().checkpoint
        other = Direct(stage.other_account(), stage.line)
        _, error = result(other.customers, after=checkpoint)
        expect(
            isinstance(error, CheckpointError),
            "a checkpoint went on at another base_url: account() has to return the address, and the tenant if any",
        )
        told = " ".join(str(part) for part in stage.adapter.account())
        expect(
            not any(secret in told for secret in stage.adapter.secrets()),
            "account() holds a secret: a key that is rotated would make every checkpoint useless",
        )

    def test_a_checkpoint_of_another_query_is_refused(self) -> None:
        """Each filter makes it another walk."""
        stage = self.stage(3)
        plain = stage.client().customers().checkpoint
        for keywords in some_filters(stage.adapter, self.can):
            _, error = result(stage.client().customers, after=plain, **keywords)
            expect(
                isinstance(error, CheckpointError),
                f"the checkpoint of a walk without filters went on with {', '.join(keywords)}: check_query() has to "
                "keep the query's filters",
            )


def some_filters(adapter: Adapter, can: Capabilities) -> list[dict[str, Any]]:
    """Keywords that the adapter takes, one filter each."""
    values = {
        "email": "nobody@mail.example",
        "status": next(iter(can.statuses), ""),
        "kind": next(iter(adapter.kind_words), ""),
        "external_id": "made-up",
        "ids": "made-up",
        "parent_ids": "made-up",
    }
    return [{name: values[name]} for name in can.filters if values.get(name)]
