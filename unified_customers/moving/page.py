"""A plan or a result as one page of HTML, in the style of the customers' report: no network, no script.

Knows counts, losses and problems; shows ids, fields and reasons, never a customer's values. Whatever a provider sent
is escaped by Jinja2, and what can't be seen is taken out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from .._extras import need
from ..reporting import charts
from ..reporting.page import clean, number, share
from .plans import MovePlan
from .results import MoveProblem, MoveResult, problems
from .summary import FATES, FieldLoss

_LOSSES, _PROBLEMS = 60, 200
_WORDS = {
    "create": "to create",
    "update": "to update",
    "same": "the same already",
    "conflict": "in conflict",
    "ambiguous": "ambiguous",
    "impossible": "impossible",
}


def plan_page(plan: MovePlan) -> str:
    """A plan's page.

    Raises:
        ConfigurationError: The extra `report` is not installed.
    """
    summary = plan.summary
    stuck = ("conflict", "ambiguous", "impossible")
    found = (MoveProblem(source_id=one.source_id, state=one.action, reasons=one.reasons) for one in plan.only(*stuck))
    return _page(
        title=f"Moving customers from {summary.source} to {summary.target}: the plan",
        lede=f"{number(summary.total)} customers of the source; nothing has been sent",
        state="Nothing has been sent yet.",
        counts={_WORDS[action]: count for action, count in summary.counts.items()},
        vanished=summary.vanished,
        losses=summary.losses,
        total=summary.total,
        found=found,
        stuck=sum(summary.counts[action] for action in stuck),
    )


def result_page(result: MoveResult, losses: Sequence[FieldLoss], pair: tuple[str, str]) -> str:
    """A result's page.

    Raises:
        ConfigurationError: The extra `report` is not installed.
    """
    counts = {
        "created": result.created,
        "updated": result.updated,
        "the same already": result.same,
        "refused": result.refused,
        "unknown": result.unknown,
        "left to send": result.left,
        **{_WORDS[action]: count for action, count in result.not_moved.items()},
    }
    total = sum(counts.values())
    return _page(
        title=f"Moving customers from {pair[0]} to {pair[1]}",
        lede=f"{number(total)} customers of the source",
        state="Complete: everything that the plan wanted to send was sent." if result.complete else "",
        counts=counts,
        vanished=result.vanished,
        losses=losses,
        total=total,
        found=problems(result.journal),
        stuck=result.refused + result.unknown + sum(result.not_moved.values()),
    )


def _page(
    *,
    title: str,
    lede: str,
    state: str,
    counts: Mapping[str, int],
    vanished: int,
    losses: Sequence[FieldLoss],
    total: int,
    found: Iterable[MoveProblem],
    stuck: int,
) -> str:
    template = _template()
    rows = [(name, count) for name, count in counts.items() if count]
    said = ", ".join(f"{count:,} {name}" for name, count in rows) or "nobody"
    text: str = template.render(
        title=title,
        lede=lede,
        state=state,
        rows=rows,
        vanished=vanished,
        chart=charts.bars(rows, "Customers by what becomes of them", f"{said}.") if rows else "",
        losses=losses[:_LOSSES],
        more_losses=max(0, len(losses) - _LOSSES),
        total=total,
        problems=list(itertools.islice(found, _PROBLEMS)),
        more_problems=max(0, stuck - _PROBLEMS),
    )
    return text


@cache
def _template() -> Any:
    jinja = need("jinja2", "a move's page", "report")
    loaders = [jinja.PackageLoader(f"unified_customers.{room}") for room in ("moving", "reporting")]
    environment = jinja.Environment(
        loader=jinja.ChoiceLoader(loaders),
        autoescape=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, share=share, fate=lambda loss: FATES[loss.fate].format(loss.where))
    return environment.get_template("move.html")
