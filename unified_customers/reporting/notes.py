"""What a reader of a report has to know before its numbers are used, in sentences.

Knows a report's values; must not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from .summary import Summary


def notes(summary: Summary, *, unknown: set[str]) -> Summary:
    """The report with its notes, the gravest first.

    Args:
        summary: The report.
        unknown: Accounts that a currency was given for, and that no customer belongs to.
    """
    found = [*_incomplete(summary), *_money(summary, unknown), *_dates(summary), *_words(summary), *_unseen(summary)]
    return attrs.evolve(summary, notes=tuple(found))


def _incomplete(summary: Summary) -> Iterator[str]:
    failed = [one.name for one in summary.accounts if one.error is not None]
    if failed:
        yield (
            f"This report is incomplete: {_of(len(failed), 'account')} could not be read to the end "
            f"({_some(failed)}). Every number is a lower bound."
        )
    bad = summary.quality.bad_records
    if bad:
        verb = "is" if bad == 1 else "are"
        yield f"{_of(bad, 'record')} could not be read and {verb} in no number."


def _money(summary: Summary, unknown: set[str]) -> Iterator[str]:
    if any(one.currency is None for one in summary.revenue):
        if len(summary.revenue) > 1:
            yield (
                "The providers send no currency with revenue. Amounts of different accounts are added up only where "
                "you said that they share one."
            )
        else:
            yield "The provider sends no currency with revenue; it is that of the account."
    unreadable = sum(one.unreadable for one in summary.revenue)
    if unreadable:
        yield f"{_of(unreadable, 'amount')} of revenue could not be an amount of money and is in no sum."
    if unknown:
        yield f"A currency was given for {_some(sorted(unknown))}, which no customer here belongs to."


def _dates(summary: Summary) -> Iterator[str]:
    if summary.quality.future:
        yield f"{_of(summary.quality.future, 'customer')} with a time of creation after this report's own."


def _words(summary: Summary) -> Iterator[str]:
    fields = {
        "providers": summary.by_provider,
        "kinds": summary.by_kind,
        "statuses": summary.by_status,
        "countries": summary.by_country,
    }
    for name, one in fields.items():
        if one.other:
            yield f"There are too many different {name} to list all: {_of(one.other, 'customer')} counted as others."


def _unseen(summary: Summary) -> Iterator[str]:
    unseen = sum(one.reading.unseen or 0 for one in summary.accounts if one.reading is not None)
    if unseen:
        yield f"{_of(unseen, 'customer')} came while the lists were read, and could not be seen."


def _of(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
