"""What a reading is worth: who is missing, who came twice, and whether anybody was told.

Pure. Knows sets and words. Must not know the tools or the adversaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs

Kind = Literal["complete", "told", "silent", "endless"]


@attrs.frozen(kw_only=True)
class Verdict:
    """One cell of a table.

    Attributes:
        kind: `complete`; `told` by an error; `silent`, wrong without a word; `endless`.
        words: The cell's text.
        lost: Customers that were in the list throughout and were not handed out.
        doubled: Customers handed out again.
        strangers: Customers handed out though the filter excludes them.
        errors: What was raised, in order.
        notes: What else the server saw.
        requests: List requests, repeats included.
    """

    kind: Kind
    words: str
    lost: int = 0
    doubled: int = 0
    strangers: int = 0
    errors: Sequence[dict[str, Any]] = ()
    notes: Sequence[str] = ()
    requests: int = 0


def judge(
    said: dict[str, Any], there: set[str], allowed: set[str] | None, notes: Sequence[str], requests: int
) -> Verdict:
    """The verdict on what a tool read.

    Args:
        said: Its ids, errors and whether it said that the list had ended.
        there: Who was in the list throughout.
        allowed: Whom the filter asks for; None without a filter.
        notes: What else the server saw.
        requests: How many list requests it met.
    """
    ids, errors = said["ids"], said["errors"]
    seen = set(ids)
    counts = {
        "lost": len(there - seen),
        "doubled": len(ids) - len(seen),
        "strangers": 0 if allowed is None else len(seen - allowed),
    }
    kind, words = _told(errors, ended=said["ended"], counts=counts) if errors else _untold(counts)
    words = " ".join((words, *notes))
    return Verdict(kind=kind, words=words, **counts, errors=errors, notes=notes, requests=requests)


def endless(words: str, notes: Sequence[str], requests: int) -> Verdict:
    """The verdict on a reading that we had to end."""
    return Verdict(kind="endless", words=words, notes=notes, requests=requests)


def _untold(counts: dict[str, int]) -> tuple[Kind, str]:
    said = _counted(counts)
    return ("silent", f"{said}, said nothing") if said else ("complete", "complete")


def _told(errors: Sequence[dict[str, Any]], *, ended: bool, counts: dict[str, int]) -> tuple[Kind, str]:
    raised = f"raises {errors[0]['error']}"
    if not ended:
        return "told", raised
    said = _counted(counts)
    return ("told", f"{raised}; asked again, it ends: {said}") if said else ("told", f"{raised}; asked again: complete")


def _counted(counts: dict[str, int]) -> str:
    words = {"lost": "lost {}", "doubled": "doubled {}", "strangers": "{} that the filter excludes"}
    return ", ".join(words[name].format(f"{count:,}") for name, count in counts.items() if count)
