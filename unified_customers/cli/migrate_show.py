"""What `migrate` writes: plans, results, verifications and undoings, as tables and as JSON.

Knows the public values and formats; shows ids, fields and reasons, never a customer's values.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

import unified_customers as uc

from . import streams, tables
from .formats import dump

_SHOWN = 20  # problems in a table
_LISTED = 10_000  # problems in JSON
_DIFFERENCE = ("source_id", "target_id", "field")  # no values
_STUCK = ("conflict", "ambiguous", "impossible")


def plan_texts(plan: uc.MovePlan, form: str) -> Iterator[str]:
    """The plan, piece by piece."""
    if form == "jsonl":
        for move in plan:
            yield _line(_plain(move))
    elif form == "json":
        yield as_json(_plan(plan))
    else:
        yield f"{plan.summary}\n"
        yield _problems(((move.source_id, move.action, move.reasons) for move in plan.only(*_STUCK)), _stuck(plan))


def _stuck(plan: uc.MovePlan) -> int:
    return sum(plan.summary.counts[action] for action in _STUCK)


def _plan(plan: uc.MovePlan) -> dict[str, Any]:
    summary = plan.summary
    listed = itertools.islice(plan.only(*_STUCK), _LISTED)
    return {
        **attrs.asdict(summary),
        "total": summary.total,
        "problems": [_plain(move) for move in listed],
        "problems_left_out": max(0, _stuck(plan) - _LISTED),
    }


def _plain(move: uc.PlannedMove) -> dict[str, Any]:
    return {
        "source_id": move.source_id,
        "external_id": move.external_id,
        "action": move.action,
        "target_id": move.target_id,
        "differs": list(move.differences),
        "losses": [{"field": loss.field, "fate": loss.fate, "where": loss.where} for loss in move.losses],
        "reasons": list(move.reasons),
    }


def result_text(result: uc.MoveResult) -> str:
    """What a run came to."""
    stuck = result.refused + result.unknown + sum(result.not_moved.values())
    shown = ((one.source_id, one.state, one.reasons) for one in result.problems)
    return f"{result}\n{_problems(shown, stuck)}"


def _problems(found: Iterable[tuple[str, str, Iterable[str]]], number: int) -> str:
    rows = [(source_id, state, "; ".join(reasons)) for source_id, state, reasons in itertools.islice(found, _SHOWN)]
    if not rows:
        return ""
    more = f"and {number - len(rows)} more: -o json has them\n" if number > len(rows) else ""
    return "\n" + tables.shown(("SOURCE ID", "WHAT", "WHY"), rows) + more


def undo_text(found: uc.Undo) -> str:
    """What undoing did, or would do."""
    rows = [(one, "changed", "since the move; left alone") for one in found.changed]
    rows += [(one, "refused", why) for one, why in found.refused]
    return f"{found}\n" + _problems(((a, b, (c,)) for a, b, c in rows), len(rows))


def plain(found: uc.MoveResult | uc.Verification | uc.Undo) -> dict[str, Any]:
    """What came of it, for JSON; without customers' values."""
    if isinstance(found, uc.MoveResult):
        listed = [attrs.asdict(problem) for problem in itertools.islice(found.problems, _LISTED)]
        return {**attrs.asdict(found), "journal": str(found.journal), "problems": listed}
    if isinstance(found, uc.Undo):
        return {**attrs.asdict(found), "word": found.word}
    differences = [{name: getattr(one, name) for name in _DIFFERENCE} for one in found.differences]
    return {**attrs.asdict(found), "differences": differences, "differing": found.differing, "good": found.good}


def as_json(value: Any) -> str:
    """A document."""
    return dump(value, ascii=not streams.is_unicode(), indent=2) + "\n"


def _line(value: Any) -> str:
    return dump(value, ascii=not streams.is_unicode()) + "\n"
