"""Sphinx: MyST pages, furo, and an API reference from the docstrings. No page needs the network to build."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT))

project = "unified_customers"
author = "the unified_customers authors"
project_copyright = f"2026, {author}"
release = version = runpy.run_path(str(_ROOT / "unified_customers" / "_version.py"))["__version__"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "code"

html_theme = "furo"
html_title = f"unified_customers {release}"
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpicky = True
# Types of other packages and of private rooms stand in signatures and have no page here.
nitpick_ignore_regex = [
    ("py:.*", r"(anyio|attrs|collections|datetime|decimal|enum|httpx|os|pa|pathlib|pyarrow|types|typing)\..*"),
    ("py:.*", r"unified_customers\.tables\.(batches|job)\..*"),
    ("py:.*", r"unified_customers\.(.*\.)?_\w+(\..*)?"),
    (
        "py:.*",
        r"(Adapter|AsyncBatches|Conversation|Path|OnBadRecord|Several|Timeout|Accounts|TracerProvider|MeterProvider|T|P|R|Any|Self|StrEnum)",
    ),
]


def _no_type(_app: Any, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Napoleon takes a property's text before a colon for its type."""
    if what == "property" and lines:
        lines[0] = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", lines[0].replace(": ", " \u2013 ", 1))


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _no_type, priority=400)
