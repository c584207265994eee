"""Figures as a decimal column holds them: what lies beyond its digits behind the point is rounded, and counted.

Knows customers' metrics; must not know pyarrow. 1e-18 of a unit of money is nothing, and a provider that computes with
floats sends such remains; but a figure too large for the column can't be written at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import attrs

from ..errors import BadRecordError
from ..models import Customer, Metrics
from .columns import DIGITS, SCALE

_STEP = Decimal(1).scaleb(-SCALE)
_LIMIT: int = 10 ** (DIGITS - SCALE)
_SHORT = SCALE + 1  # no text so short, without an exponent, has too many digits on either side of the point
_EXACT = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_NAMES = tuple(field.name for field in attrs.fields(Metrics))


Judge = Callable[[Sequence[BadRecordError]], Sequence[Customer | None]]


def fitted(value: Decimal | int) -> Decimal | None:
    """The figure with the column's digits, rounded half to even; `None` if it is too large."""
    exact = Decimal(value)
    if not exact.is_finite():
        return None
    try:
        return exact.quantize(_STEP, context=_EXACT)
    except InvalidOperation:
        return None


def look(customer: Customer) -> tuple[int, str | None]:
    """How many of a customer's figures the columns round, and the path of the first that is too large."""
    metrics = customer.metrics
    if metrics is None:
        return 0, None
    rounded = 0
    for name in _NAMES:
        value = getattr(metrics, name)
        if value is None or _plainly_fits(value):
            continue
        held = fitted(value)
        if held is None:
            return rounded, f"$.metrics.{name}"
        rounded += held != value
    return rounded, None


def _plainly_fits(value: Decimal | int) -> bool:
    if isinstance(value, int):
        return -_LIMIT < value < _LIMIT
    text = str(value)
    return len(text) <= _SHORT and "E" not in text and bool(value.is_finite())


def too_large(customer: Customer, path: str) -> BadRecordError:
    """What is said of a customer with a figure that no column holds; never the figure itself."""
    error = BadRecordError(
        f"customer {customer.id} has a figure at {path} that is too large for decimal({DIGITS}, {SCALE}), which has "
        f"{DIGITS - SCALE} digits before the point: on_bad_record='skip' leaves the customer out, and .jsonl and .csv "
        "hold any figure",
        provider=customer.provider,
        path=path,
    )
    error.record_id = customer.id
    return error


def held(customers: Sequence[Customer], judge: Judge) -> tuple[Sequence[Customer], int]:
    """The customers that the columns hold, and how many of their figures are rounded.

    Args:
        customers: Of one page.
        judge: Given an error for each customer with a figure that is too large, says what takes their place.

    Raises:
        BadRecordError: As `judge` raises it.
    """
    seen = [(one, *look(one)) for one in customers]
    errors = [too_large(one, path) for one, _, path in seen if path is not None]
    if not errors:
        return customers, sum(rounded for _, rounded, _ in seen)
    instead = iter(judge(errors))
    chosen = [one if path is None else next(instead) for one, _, path in seen]
    kept = [one for one in chosen if one is not None]
    again = [look(one) for one in kept]
    for one, (_, path) in zip(kept, again, strict=True):
        if path is not None:  # what takes a customer's place has to fit as well
            raise too_large(one, path)
    return kept, sum(rounded for rounded, _ in again)
