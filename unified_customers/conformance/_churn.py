"""Checks of lists that move while they are read: who stays, comes once; where nothing proves that, the walk raises."""

from __future__ import annotations

from random import Random

from ..errors import PaginationError
from ._saying import expect, ids_of, no_error, once, outcome
from ._stage import Setup, Stage

_WALKS = 60
_MAY_GIVE_UP = _WALKS // 3


class Churn(Setup):
    """Customers that go and come between the pages."""

    def test_who_stays_comes_once_while_others_go_and_come(self) -> None:
        """Many small walks; before each page some customers are removed and others appear."""
        given_up = sum(self._gives_up(seed) for seed in range(_WALKS))
        expect(
            given_up <= _MAY_GIVE_UP,
            f"{given_up} of {_WALKS} walks gave up with DriftError or LoopError while customers were removed and "
            f"added between pages, and up to {_MAY_GIVE_UP} may: the helpers of unified_customers.adapter (cursors, "
            "keyset, offset) find the way back",
        )

    def _gives_up(self, seed: int) -> bool:
        random = Random(seed)  # noqa: S311 - the same walks each time
        stage = self.stage(random.randint(4, 18))
        records = stage.server.records
        held = {id_: records.pop(id_) for id_ in random.sample(stage.ids, 2)}  # they appear later
        at_start = set(records)
        _stir(stage, random, held)
        where = f"a list that changes between its pages (walk {seed})"
        got, error = outcome(stage.client().customers(page_size=random.randint(1, min(3, self.can.max_page_size))))
        once(ids_of(got), where)
        if isinstance(error, PaginationError):
            return True
        no_error(error, where)
        missing = [id_ for id_ in records if id_ in at_start and id_ not in ids_of(got)]
        expect(not missing, f"{where}: {', '.join(missing)} stood in it all the time and never came, without an error")
        return False


def _stir(stage: Stage, random: Random, held: dict[str, dict[str, object]]) -> None:
    """Before each answer but the first, remove a customer, add one, or do neither."""
    records = stage.server.records

    def stirred(n: int) -> None:
        chance = random.random() if n > 1 else 1.0
        if chance < 0.35 and len(records) > 1:
            del records[random.choice(list(records))]
        if 0.2 < chance < 0.45 and held:
            records.update([held.popitem()])

    stage.line.instead = stirred
