"""The small file beside an unfinished one that says how far it is, so that another process goes on.

Knows marks and options; must not know formats. It holds no key and no customer's data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from ..errors import CheckpointError
from .files import read_json, write_json
from .job import Job, Mark, Options

_VERSION = 1


@attrs.frozen
class State:
    """Where an export's state stands.

    Attributes:
        path: The small file.
    """

    path: Path

    def save(self, job: Job, options: Options, mark: Mark, **more: int) -> None:
        """Write it, whole; the data that it stands for must be on the disk."""
        content = {"version": _VERSION, "start": job.start, "options": attrs.asdict(options), **attrs.asdict(mark)}
        write_json(self.path, {**content, **more})

    def load(self, job: Job, options: Options) -> tuple[Mark, dict[str, Any]] | None:
        """How far it is, if it is there.

        Raises:
            CheckpointError: It is damaged, or belongs to another export.
        """
        content = read_json(self.path)
        if content is None:
            return None
        try:
            then, start = content["options"], content["start"]
            mark = Mark(
                content["checkpoint"],
                int(content["rows"]),
                int(content["bad"]),
                bool(content["done"]),
                int(content.get("rounded", 0)),
                bool(content.get("failed", False)),
            )
            known = content["version"] == _VERSION
        except (KeyError, TypeError, ValueError):
            known = False
        if not known:
            raise CheckpointError(f"{self.path} is damaged, or of another version: start again without resume=")
        compare(options, then, str(self.path))
        job.same(start, str(self.path))
        return mark, content


def compare(options: Options, then: Any, where: str) -> None:
    """Check that an earlier export had the same options.

    Raises:
        CheckpointError: It had not.
    """
    other = options.differ(then)
    if other:
        raise CheckpointError(
            f"{where} belongs to an export with another {', '.join(other)}: repeat its options, or start again "
            "without resume="
        )
