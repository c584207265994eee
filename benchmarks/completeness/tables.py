"""The cells as text for a terminal, as Markdown for the documentation, and as JSON.

Knows words and columns. Must not judge: that is done.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from .adversaries import ADVERSARIES, Adversary
from .stage import CUSTOMERS, MOST_REQUESTS, PAGE_SIZE
from .tools import Tool
from .verdicts import Verdict

Cells = dict[tuple[Adversary, Tool], Verdict]
WIRES = {
    "flexprice": "Flexprice: offset and total",
    "flexportal": "FlexPortal: a cursor in the answer",
    "flatpeak": "Flatpeak: the last id is the cursor, as Stripe does it",
}
# What a reader has to know in order not to think less of the others than they deserve.
FAIR = Path(__file__).with_name("fair.md")
_WIDTH = 26


def as_markdown(tools: Sequence[Tool], cells: Cells, seed: int) -> str:
    """The part of the documentation page."""
    parts = [_preface(tools, seed)]
    for wire, title in WIRES.items():
        columns = [tool for tool in tools if tool.wire == wire]
        if columns:
            parts.append(f"### {title}\n\n" + "\n".join(_markdown_table(columns, cells)))
    return "\n\n".join([*parts, FAIR.read_text(encoding="utf-8").rstrip()])


def _preface(tools: Sequence[Tool], seed: int) -> str:
    known = ", ".join(dict.fromkeys(tool.versions for tool in tools))
    text = (
        f"Made on {datetime.now(UTC):%Y-%m-%d} by `python -m benchmarks.completeness --markdown`, seed {seed}, with "
        f"{known}. Lists of {CUSTOMERS:,} customers in pages of {PAGE_SIZE}, on loopback. Each tool is set up as its "
        "own documentation says, with its own defaults for repeats and time-outs. *Lost* and *doubled* count customers "
        "that were in the list from the first request to the last. *Never stops*: still asking after "
        f"{MOST_REQUESTS} requests. **Bold**: the caller is told that all is well, and it is not."
    )
    return "\n".join(textwrap.wrap(text, 140, break_on_hyphens=False, break_long_words=False))


def _markdown_table(columns: Sequence[Tool], cells: Cells) -> Iterable[str]:
    yield "| what the server does | " + " | ".join(f"{tool.title}, {tool.how}" for tool in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for adversary in ADVERSARIES:
        if (adversary, columns[0]) in cells:
            row = " | ".join(_bold(cells[adversary, tool]) for tool in columns)
            yield f"| {adversary.title} | {row} |"


def _bold(verdict: Verdict) -> str:
    head, again, tail = verdict.words.partition("; asked again, it ends:")
    if again:
        return f"{head}**{again}{tail}**".replace("**; ", "; **")
    return f"**{verdict.words}**" if verdict.kind in {"silent", "endless"} else verdict.words


def as_text(tools: Sequence[Tool], cells: Cells, seed: int) -> str:
    """Columns for a terminal."""
    parts = [f"seed {seed}; " + ", ".join(dict.fromkeys(tool.versions for tool in tools))]
    for wire, title in WIRES.items():
        columns = [tool for tool in tools if tool.wire == wire]
        if columns:
            heads = ["", *(f"{tool.title} {tool.how}".replace("`", "") for tool in columns)]
            rows = [
                [adversary.title, *(cells[adversary, tool].words for tool in columns)]
                for adversary in ADVERSARIES
                if (adversary, columns[0]) in cells
            ]
            parts += ["", title, *(line for row in [heads, *rows] for line in _wrapped(row))]
    return "\n".join(parts)


def _wrapped(row: Sequence[str]) -> Iterable[str]:
    boxes = [textwrap.wrap(text, _WIDTH) for text in row]
    for number in range(max(map(len, boxes))):
        line = (box[number] if number < len(box) else "" for box in boxes)
        yield "  ".join(part.ljust(_WIDTH) for part in line).rstrip()
    yield ""


def as_json(tools: Sequence[Tool], cells: Cells, seed: int) -> dict[str, Any]:
    """Everything: counts and the errors' own texts."""
    rows = [
        {"provider": tool.wire, "tool": tool.key, "adversary": adversary.key, **attrs.asdict(verdict)}
        for (adversary, tool), verdict in cells.items()
    ]
    return {
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "seed": seed,
        "customers": CUSTOMERS,
        "page_size": PAGE_SIZE,
        "tools": {f"{tool.wire}/{tool.key}": {"versions": tool.versions, "how": tool.how} for tool in tools},
        "cells": sorted(rows, key=lambda row: (row["provider"], row["tool"], row["adversary"])),
    }
