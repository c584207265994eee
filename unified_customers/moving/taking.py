"""A plan taken into a journal: which lines are new, renewed, adopted, held or withdrawn.

Knows the tables of both; must not know requests. What is done stays done, whatever is to be done next; only whom a
line stands for can change, where the journal's own customer is gone from the target.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import attrs

from ..errors import ConfigurationError
from .fields import dumped
from .journal import COLUMNS, ELSEWHERE, FORMAT, UNKNOWN, Journal
from .plans import MovePlan

_STATE = "CASE WHEN action IN ('create', 'update') THEN 'planned' ELSE 'left' END"
# Whether this journal made the customer that the plan means: not one who took its place at the target since.
_MINE = "(created AND state != 'undone' AND coalesce(rows.target_id, moves.target_id) IS moves.target_id)"
_KNOWN = "SELECT 1 FROM moves WHERE moves.source_id = rows.source_id"
_ADD = f"""
INSERT OR IGNORE INTO moves ({COLUMNS}, state)
SELECT {COLUMNS}, {_STATE} FROM plan.rows AS rows WHERE NOT EXISTS ({_KNOWN}) ORDER BY seq
"""
_TAKE = ", ".join(f"{name} = rows.{name}" for name in COLUMNS.split(", ") if name != "target_id")
_AGAIN = f"""
UPDATE moves SET {_TAKE}, problem = NULL,
       state = CASE WHEN rows.action = 'same' AND {_MINE} THEN 'done'
                    ELSE {_STATE.replace("action", "rows.action")} END,
       created = {_MINE}, fingerprint = CASE WHEN {_MINE} THEN fingerprint END,
       target_id = coalesce(rows.target_id, CASE WHEN state = 'undone' THEN NULL ELSE moves.target_id END)
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('planned', 'refused', 'left', 'undone')
"""
# Whether the plan found somebody else at the target than the journal's customer, and whether that one lives.
_OTHER = "(rows.target_id IS NOT NULL AND rows.target_id IS NOT moves.target_id)"
_ALIVE = "EXISTS (SELECT 1 FROM plan.target WHERE id = moves.target_id)"
_STUCK = "('conflict', 'ambiguous', 'impossible')"
_TWO = "the target has another customer under its external id, beside the one that the move made"
# The journal's customer is gone, and the plan means another one, whom no run of this journal made.
_ADOPTED = f"""
UPDATE moves SET target_id = rows.target_id, created = 0, fingerprint = NULL, state = 'left'
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'undoing')
      AND {_OTHER} AND NOT (created AND {_ALIVE})
"""
# Done, and the source has changed since; or the target's list lacks it: `sending` looks whether it is gone.
_CHANGED = f"""
UPDATE moves SET state = 'planned', problem = NULL, external_id = rows.external_id, action = rows.action,
       wanted = rows.wanted, sends = rows.sends,
       differences = rows.differences, losses = rows.losses, reasons = rows.reasons
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'undoing')
      AND rows.action IN ('create', 'update') AND NOT {_OTHER}
"""
# Done, or perhaps, and what the source would have now can't be sent: it stays as it is, and is told of.
_HELD = f"""
UPDATE moves SET action = CASE WHEN rows.action IN {_STUCK} THEN rows.action ELSE 'ambiguous' END,
       reasons = CASE WHEN rows.action IN {_STUCK} THEN rows.reasons ELSE '{dumped([_TWO])}' END
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state IN ('done', 'unknown', 'sending')
      AND (rows.action IN {_STUCK} OR state = 'done' AND {_OTHER})
"""
# An undoing ended before it came to this one, and the move is made again.
_STAYED = f"""
UPDATE moves SET state = 'done' FROM plan.rows AS rows
WHERE rows.source_id = moves.source_id AND state = 'undoing'
      AND (rows.action NOT IN ('create', 'update') OR {_OTHER})
"""
# Done, and the source has changed since as the target has: that is what it should be like now.
_SAME = f"""
UPDATE moves SET wanted = rows.wanted, reasons = NULL,
       action = CASE WHEN moves.action IN {_STUCK} THEN 'same' ELSE moves.action END
FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND state = 'done' AND rows.action = 'same'
"""
_PRESENT = "UPDATE moves SET present = EXISTS (SELECT 1 FROM plan.rows AS rows WHERE rows.source_id = moves.source_id)"
# Never sent, and the source has it no longer.
_WITHDRAWN = """
UPDATE moves SET state = 'left', problem = 'gone at the source' WHERE NOT present AND state IN ('planned', 'refused')
"""
_LEFT = (_PRESENT, _WITHDRAWN)
_PLAN_INDEX = "CREATE INDEX IF NOT EXISTS plan.rows_source_id ON rows (source_id)"
_WANTED = """
SELECT 1 FROM plan.rows AS rows WHERE rows.source_id = moves.source_id AND rows.action IN ('create', 'update', 'same')
"""
# Under another external id now, a first request that comes late would make a second customer.
_SURE = "(moves.action != 'create' OR rows.external_id IS moves.external_id OR coalesce(moves.sent_at, 0) < ?)"
_FREED = f"""
UPDATE moves SET state = 'planned' WHERE seq = ? AND {UNKNOWN} AND EXISTS ({_WANTED} AND {_SURE})
"""
# An update that did not happen and is not wanted any more: the customer is as an earlier run left it.
_DROPPED = f"UPDATE moves SET state = 'done', problem = NULL WHERE seq = ? AND {UNKNOWN} AND action = 'update'"
_TAKEN = (_ADOPTED, _ADD, _AGAIN, _STAYED, _SAME)


def fits(journal: Journal, plan: MovePlan) -> Any:
    """Make sure that a plan is of the journal's move; returns what stands there of its last run.

    Raises:
        ConfigurationError: The journal belongs to another move, or the plan is older than its last run.
    """
    if journal.about("format") is None:
        return None
    differs = plan.identity.differs(journal.identity)
    if differs:
        raise ConfigurationError(
            f"{journal.path} is the journal of {differs}: give the journal of this move, or a new file"
        )
    last = journal.about("last")
    if last["digest"] != plan.digest and plan.made_at < last["started_at"]:
        raise ConfigurationError(f"{journal.path} was used since this plan was made: plan again")
    if plan.home and journal.home and plan.home != journal.home:
        raise ConfigurationError(f"{journal.path}: {ELSEWHERE}")
    return last


def take(journal: Journal, plan: MovePlan, free: Sequence[int], sure: float) -> None:
    """Take a plan in: what is new is added, what is open or has changed is renewed, what is done stays done.

    Args:
        journal: The journal.
        plan: The plan.
        free: Moves whose outcome was unknown and that didn't happen: they are sent if the plan still wants them.
        sure: What was sent before this moment, in seconds since the epoch, has had its effect, or never will.

    Raises:
        ConfigurationError: As for `fits`.
    """
    last = fits(journal, plan)
    # A newer plan that would do the same is another: what was done may have been taken away since.
    again = last is not None and last["digest"] == plan.digest and plan.made_at <= last["started_at"]
    words = _words(journal, plan)
    with journal.beside(plan.path) as run:
        run.execute(_PLAN_INDEX)
        run.executemany(_FREED, [(seq, sure) for seq in free])
        run.executemany(_DROPPED, [(seq,) for seq in free])
        for statement in (*_TAKEN, *(() if again else (_CHANGED,)), _HELD, *_LEFT):
            run.execute(statement)
        run.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", words.items())


def _words(journal: Journal, plan: MovePlan) -> dict[str, str]:
    named = journal.about("identity") or {"source": ""}
    found: dict[str, Any] = {
        "format": FORMAT,
        "home": journal.home or plan.home,
        "name": journal.about("name") or secrets.token_hex(8),
        "last": {"digest": plan.digest, "started_at": time.time()},
        "losses": [attrs.asdict(loss) for loss in plan.summary.losses],
    }
    if not named["source"]:
        found["identity"] = attrs.asdict(plan.identity)
    if plan.told or journal.about("account") is None:  # a source without customers that can be read doesn't tell
        found["account"] = list(plan.account)
    return {name: dumped(value) for name, value in found.items()}
