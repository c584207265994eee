"""Which adversaries there are, in the order of the table.

Knows their names and on which providers they can happen. How each works stands in `tricks`.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from . import tricks
from .stage import PAGE_SIZE, Stage
from .tricks import BURST, CAP, CHANGES, RETRY_AFTER, TIED, TOO_MANY, fault, lost_cursor, moving

ALL = ("flexprice", "flexportal", "flatpeak")
OFFSETS = ("flexprice",)
CURSORS = ("flexportal", "flatpeak")
FLEXPORTAL = ("flexportal",)


@attrs.frozen
class Adversary:
    """One thing that goes wrong, on the providers where it can."""

    key: str
    title: str
    prepare: Callable[[Stage], None]
    wires: tuple[str, ...] = ALL


_BOTH = f"0 to {BURST} are created and 0 to {BURST} removed between any two answers"
_GONE = "the customer that the cursor names is removed; the server"
_WAIT = f"429 with `Retry-After: {RETRY_AFTER:.0f}`, until those seconds are over"
_OUTAGE = "503 until the caller has caught an error; then the same iterator is asked again"

ADVERSARIES = (
    Adversary("quiet", "none: nothing changes, nothing fails", tricks.fill),
    Adversary("ties", f"nothing changes; {TIED} customers each share a time of creation", tricks.ties, OFFSETS),
    Adversary("created", f"{CHANGES} customers are created between any two answers", moving(tricks.some, tricks.none)),
    Adversary("removed", f"{CHANGES} customers are removed between any two answers", moving(tricks.none, tricks.some)),
    Adversary("both", _BOTH, moving(tricks.burst, tricks.burst)),
    Adversary("lost-404", f"{_GONE} answers 404", lost_cursor("404"), CURSORS),
    Adversary("lost-restart", f"{_GONE} starts at the top again", lost_cursor("restart"), FLEXPORTAL),
    Adversary("lost-empty", f"{_GONE} sends an empty last page", lost_cursor("empty"), FLEXPORTAL),
    Adversary("same", "the same page again and again", fault("loop", 2)),
    Adversary("circle", "two pages in turn, again and again", fault("loop2", 2)),
    Adversary("empty", "one page is empty, though more are promised", fault("empty-page")),
    Adversary("no-cursor", "one page promises more and has no cursor", fault("has-more-no-cursor"), FLEXPORTAL),
    Adversary("capped", f"pages of {CAP} where {PAGE_SIZE} were asked for", tricks.capped, OFFSETS),
    Adversary("half", "its total says half of what there is", tricks.half_the_total, OFFSETS),
    Adversary("more", f"its total says {TOO_MANY} more than there are", tricks.too_many_in_total, OFFSETS),
    Adversary("filter", "a filter for one customer is ignored", tricks.ignored_filter),
    Adversary("bad", "one customer has a number where the documents say text", tricks.bad_record),
    Adversary("500", "one answer is 500", fault("500")),
    Adversary("reset", "one connection is reset", fault("reset")),
    Adversary("cut", "one answer breaks off in its middle", fault("cut")),
    Adversary("html", "one answer is a sign-in page in HTML with status 200", fault("html200")),
    Adversary("429", _WAIT, tricks.limited),
    Adversary("outage", _OUTAGE, tricks.outage),
)
