"""Cells of tables that people open in a spreadsheet.

Knows what a spreadsheet runs; must not know whose table it is.
"""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before = + - @ TAB CR."""
    return f"'{text}" if text.startswith(_FORMULA) else text
