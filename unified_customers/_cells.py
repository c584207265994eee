"""Cells of tables that people open in a spreadsheet.

Knows what a spreadsheet runs; must not know whose table it is.
"""

from __future__ import annotations

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are full-width, which some spreadsheets run too


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before = + - @ (full-width too) TAB CR LF."""
    return f"'{text}" if text.startswith(_FORMULA) else text
