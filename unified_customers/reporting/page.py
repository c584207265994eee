"""A report as one page of HTML: no network, no script, light and dark, a phone and paper.

Knows the report's values and the template; must not know where customers come from. Whatever a provider sent is
escaped by Jinja2, and what steers a terminal or turns the direction of a line is taken out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from typing import Any

from .._countries import name_of
from .._extras import need
from . import charts
from .matches import Match
from .recent import earlier
from .summary import Summary
from .values import Breakdown, Month

_SERIES = 5  # providers with a colour of their own
_LONGEST = 90  # characters of a name on the page
_JOINERS = "\u200c\u200d"  # they shape letters and steer nothing
_ACCOUNTS, _REVENUES, _COUNTRIES, _CLUSTERS, _CLUSTER = 40, 12, 12, 12, 8
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ROUND = Context(prec=200, rounding=ROUND_HALF_EVEN)


def ready() -> None:
    """Do nothing if a page can be made.

    Raises:
        ConfigurationError: The extra `report` is not installed.
    """
    _template()
    charts.ready()


def to_html(summary: Summary, title: str) -> str:
    """The page.

    Raises:
        ConfigurationError: The extra `report` is not installed.
    """
    template = _template()
    across, within = _clusters(summary.matches)
    providers = [one.value or "" for one in summary.by_provider][:_SERIES]
    text: str = template.render(
        title=title,
        summary=summary,
        providers=providers,
        failed=[one for one in summary.accounts if one.error is not None],
        accounts=sorted(summary.accounts, key=lambda one: (-one.customers, one.name))[:_ACCOUNTS],
        months=_months(summary, providers),
        breakdowns=_breakdowns(summary),
        countries=_countries(summary.by_country),
        gaps=_gaps(summary),
        revenues=(*summary.shared_revenue, *summary.revenue)[:_REVENUES],
        more_revenues=max(0, len(summary.shared_revenue) + len(summary.revenue) - _REVENUES),
        across=across,
        within=within,
    )
    return text


@cache
def _template() -> Any:
    jinja = need("jinja2", "a report's page", "report")
    environment = jinja.Environment(
        loader=jinja.PackageLoader("unified_customers.reporting"),
        autoescape=True,
        finalize=_shown,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(money=money, share=share, number=number, month=month_name, country=country, day=day)
    environment.tests["containing"] = lambda found, word: word in found
    return environment.get_template("report.html")


def _shown(value: Any) -> Any:
    """What is put into the page: without characters that can't be seen, and not endless."""
    if type(value) is not str:
        return value
    return clean(value if len(value) <= _LONGEST * 4 else f"{value[: _LONGEST * 4]}…")


def clean(text: str) -> str:
    """The text with a sign in place of everything that is not printable."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS else " " if c in "\n\t" else "\ufffd" for c in text)


def number(value: int) -> str:
    """With separators between thousands."""
    return f"{value:,}"


def share(part: int, whole: int) -> str:
    """In percent, a digit where that says more; something is never shown as nothing, nor less than all as all."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 1 or 99 < percent < 100:
        return "<1 %" if percent < 1 else ">99 %"
    return f"{percent:.0f} %"


def money(amount: Decimal) -> str:
    """With separators, and two or three digits behind the point; the exact figure is in `to_dict`."""
    rounded = _ROUND.quantize(amount, Decimal("0.001"))
    text = f"{rounded:,f}"
    return text.removesuffix("0")


def month_name(month: str) -> str:
    """Such as "February 2026"."""
    return f"{_MONTHS[int(month[5:]) - 1]} {int(month[:4])}"


def day(moment: datetime) -> str:
    """Such as "3 February 2026 at 09:05"."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year} at {moment.hour:02}:{moment.minute:02}"


def _months(summary: Summary, providers: Sequence[str]) -> dict[str, Any] | None:
    recent = summary.recent()
    if not recent:
        return None
    rows = [(one.month, _series(one, providers)) for one in recent]
    most = max(recent, key=lambda one: one.customers)
    text = (
        f"From {month_name(recent[0].month)} to {month_name(recent[-1].month)}; the most are {most.customers:,} "
        f"in {month_name(most.month)}. The numbers are in the table below."
    )
    return {
        "rows": rows,
        "recent": recent,
        "others": len(summary.by_provider.counts) > len(providers),
        "earlier": earlier(summary.months, recent[0].month),
        "later": sum(one.customers for one in summary.months if one.month > recent[-1].month),
        "last": recent[-2] if len(recent) > 1 else None,
        "chart": charts.months(rows, "New customers a month", text),
    }


def _series(month: Month, providers: Sequence[str]) -> list[int]:
    parts = [month.by_provider.get(one, 0) for one in providers]
    rest = month.customers - sum(parts)
    return [*parts, rest] if rest or len(providers) == _SERIES else parts


def _breakdowns(summary: Summary) -> list[tuple[str, str, Breakdown]]:
    shown = [
        ("Provider", "no provider", summary.by_provider),
        ("Status", "no status sent", summary.by_status),
        ("Kind", "no kind sent", summary.by_kind),
    ]
    return [one for one in shown if len(one[2].counts) > 1 or one[2].get(None) == 0]


def _countries(found: Breakdown) -> dict[str, Any] | None:
    known = [one for one in found if one.value is not None]
    if not known:
        return None
    top, rest = known[:_COUNTRIES], sum(one.customers for one in known[_COUNTRIES:]) + found.other
    rows = [(country(one.value), one.customers) for one in top] + ([("others", rest)] if rest else [])
    text = f"Most are in {rows[0][0]}: {rows[0][1]:,}. The numbers are in the table below."
    return {"rows": rows, "unknown": found.get(None), "chart": charts.bars(rows, "Customers by country", text)}


def country(code: str | None) -> str:
    """The name of a country; a code that is none as it was sent, but not endless."""
    word = code or ""
    return name_of(word) or clean(word[:24])


def _gaps(summary: Summary) -> list[tuple[str, int]]:
    quality = summary.quality
    return [
        ("E-mail", quality.without_email),
        ("Phone", quality.without_phone),
        ("Country", quality.without_country),
        ("Address", quality.without_address),
        ("Name or company", quality.without_name),
        ("Time of creation", quality.undated),
    ]


def _clusters(rows: Iterable[Match]) -> tuple[list[list[Match]], list[list[Match]]]:
    """The first clusters across accounts and within one, each without its many members."""
    across: list[list[Match]] = []
    within: list[list[Match]] = []
    for _, group in itertools.groupby(rows, key=lambda row: row.cluster):
        cluster = list(itertools.islice(group, _CLUSTER + 1))
        into = across if cluster[0].scope == "across" else within
        if len(into) < _CLUSTERS:
            into.append(cluster)
        elif into is within:
            break
    return across, within
