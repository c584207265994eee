"""Flexprice: customers by keyset, or by guarded offset where the server has no search.

The folder is one adapter: `adapter` the settings and what is done when, `spelling` the requests, `records` the
answers' customers and errors, `wanted` the walk over lists of ids. Facts: docs/providers/flexprice.md; most were
seen on a real server.
"""

from .adapter import Flexprice

__all__ = ["Flexprice"]
