"""Rows as a table for a terminal, as Markdown for the documentation, and as JSON.

Knows text; must not know what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from .outcome import Outcome
from .rounds import Spread

_HEAD = ("what", "target", "wall (least–most)", "CPU (least–most)", "met", "note")


def table(outcomes: Sequence[Outcome]) -> str:
    """For a terminal."""
    rows = [_HEAD, *map(_cells, outcomes)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD) - 1)]
    return "\n".join("  ".join([*(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)), row[-1]]) for row in rows)


def markdown(outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> str:
    """For the documentation."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_cells, outcomes)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([_measured_on(about), "", *lines])


def _measured_on(about: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"Measured on {about['date']} at commit {about['commit']}: {about['machine']}; {about['system']}, "
        f"{about['python']}; {packages}. {about['rounds']} rounds; the load was {about['load']:.1f} at the start."
    )


def _cells(outcome: Outcome) -> tuple[str, ...]:
    target = "" if outcome.target is None else str(outcome.target)
    if outcome.missing:
        return outcome.what, target, outcome.missing, "", "–", ""
    spreads = _spread(outcome.wall, outcome.unit), _spread(outcome.cpu, outcome.unit)
    return outcome.what, target, *spreads, outcome.verdict, outcome.note


def _spread(spread: Spread | None, unit: str) -> str:
    if spread is None:
        return ""
    one = f"{_number(spread.median)}{unit}"
    return one if spread.least == spread.most else f"{one} ({_number(spread.least)}–{_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def write_json(path: Path, outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> None:
    """Everything that was measured."""
    rows = [{**attrs.asdict(outcome), "verdict": outcome.verdict} for outcome in outcomes]
    path.write_text(json.dumps({**about, "rows": rows}, indent=1, ensure_ascii=False) + "\n")


def write_docs(path: Path, mark: str, text: str) -> None:
    """Put a text between the marks of a page."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path.name} has no place for {mark}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def today() -> str:
    """The date of a run."""
    return datetime.now(UTC).date().isoformat()
