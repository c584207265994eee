"""A report of many customers: counts, revenue, quality, and the same customer at several accounts, in one pass.

Knows customers, pages and what walks say of themselves; must not know providers' spellings or HTTP. Memory doesn't
grow with the number of customers, but for a few bytes each: what matching has to keep goes to disk.
"""

from __future__ import annotations

from pathlib import Path

from .files import writable, writer_for
from .making import report
from .matches import Match, Matches
from .summary import Summary

__all__ = ["Match", "Matches", "Summary", "ready", "report"]


def ready(*, html: Path | None = None, matches: Path | None = None) -> None:
    """Do nothing if a report can be written to these files: asked before a long reading, not after it.

    Raises:
        ConfigurationError: A package is missing, a suffix is unknown, or a folder isn't there.
    """
    if html is not None:
        from .page import ready as page_ready  # noqa: PLC0415 - so that a report without a page needs no template

        writable(html)
        page_ready()
    if matches is not None:
        writable(matches)
        writer_for(matches)
