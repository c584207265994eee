"""Pictures: specifications in Vega-Lite, drawn as SVG by vl-convert.

Knows numbers, months and countries; must not know names that somebody typed: series are numbered. Colours are CSS
variables of the page, so a picture is light or dark as the page is. Each comes in a wide and in a narrow form, because
a scaled-down picture can't be read on a phone.

Why vl-convert: Vega-Lite draws well with few words, the wheel has no dependencies, no browser and no network, and its
SVG keeps text as text and colours as they were given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from .._extras import need

WIDE, NARROW = 880, 342  # pixels
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ROOT = re.compile(r"\A\s*<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>")
_FONT = 12
_CONFIG = {
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {"labelColor": "var(--muted)", "labelFontSize": _FONT, "title": None, "domain": False, "ticks": False},
    "axisY": {"gridColor": "var(--line)", "gridWidth": 1, "labelPadding": 8},
    "axisX": {"grid": False, "labelPadding": 8, "labelAngle": 0},
}


def ready() -> Any:
    """The package that draws.

    Raises:
        ConfigurationError: It is not installed.
    """
    return need("vl_convert", "a page's charts", "report", "vl-convert-python")


def months(rows: Sequence[tuple[str, Sequence[int]]], title: str, text: str) -> str:
    """Customers by month, a bar for each, divided by series.

    Args:
        rows: A month and how many customers each series has in it.
        title: What the picture shows, in a few words.
        text: What can be seen in it, in a sentence.
    """
    return _both(lambda width: _months(rows, width), title, text)


def _months(rows: Sequence[tuple[str, Sequence[int]]], width: int) -> dict[str, Any]:
    values = [
        {"m": month, "s": str(series), "n": number} for month, parts in rows for series, number in enumerate(parts)
    ]
    series = range(max((len(parts) for _, parts in rows), default=1))
    labels = _labels([month for month, _ in rows], 18 if width == WIDE else 6)
    return {
        "width": width - 60,
        "height": 220 if width == WIDE else 180,
        "data": {"values": values},
        "mark": {"type": "bar", "aria": False},
        "encoding": {
            "x": {
                "field": "m",
                "type": "ordinal",
                "scale": {"paddingInner": 0.22, "paddingOuter": 0.1},
                "axis": {"values": list(labels), "labelExpr": f"({json.dumps(labels)})[datum.value]"},
            },
            "y": {
                "field": "n",
                "type": "quantitative",
                "stack": "zero",
                "axis": {"tickMinStep": 1, "tickCount": 4, "format": ",d"},
            },
            "order": {"field": "s"},
            "color": {
                "field": "s",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": [str(n) for n in series], "range": [f"var(--s{n})" for n in series]},
            },
        },
    }


def _labels(shown: Sequence[str], most: int) -> dict[str, str]:
    """Which months are named: January by its year, others as far as there is room."""
    step = next(step for step in (1, 2, 3, 6, 12, len(shown) or 1) if len(shown) <= most * step or step == len(shown))
    named = [month for month in shown if (int(month[5:]) - 1) % step == 0]
    return {month: month[:4] if month.endswith("-01") else _NAMES[int(month[5:]) - 1] for month in named}


def bars(rows: Sequence[tuple[str, int]], title: str, text: str) -> str:
    """Bars that lie on their side, each with its name before and its number behind.

    Args:
        rows: A few words, such as a country's name, and a number.
        title: See `months`.
        text: See `months`.
    """
    return _both(lambda width: _bars(rows, width), title, text)


def _bars(rows: Sequence[tuple[str, int]], width: int) -> dict[str, Any]:
    axis = {"orient": "left", "grid": False, "labelColor": "currentColor", "labelFontSize": 13, "labelLimit": 130}
    y = {"field": "w", "type": "ordinal", "sort": None, "axis": axis, "scale": {"paddingInner": 0.45}}
    x = {"field": "n", "type": "quantitative", "axis": None}
    number = {"type": "text", "align": "left", "dx": 8, "color": "var(--muted)", "fontSize": 13, "aria": False}
    return {
        "width": width - 190,
        "height": 26 * len(rows),
        "data": {"values": [{"w": word, "n": amount} for word, amount in rows]},
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "color": "var(--s0)", "cornerRadiusEnd": 2, "aria": False}},
            {"mark": number, "encoding": {"text": {"field": "n", "format": ",d"}}},
        ],
    }


def _both(spec: Any, title: str, text: str) -> str:
    parts = (_drawn(spec(width), name, title, text) for name, width in (("wide", WIDE), ("narrow", NARROW)))
    return "\n".join(parts)


def _drawn(spec: dict[str, Any], name: str, title: str, text: str) -> str:
    """The SVG, with a text instead of it for whoever can't see it."""
    whole = {"background": None, "config": _CONFIG, "padding": 0, **spec}
    svg: str = ready().vegalite_to_svg(whole, allowed_base_urls=[])
    found = _ROOT.match(svg)
    if found is None:
        raise AssertionError("vl-convert's SVG begins as it always did")
    says, label = escape(text), escape(title)
    head = f'<svg class="{name}" viewBox="{found[1]}" role="img" aria-label="{label}. {says}">'
    return f"{head}<title>{label}</title><desc>{says}</desc>{svg[found.end() :]}"
