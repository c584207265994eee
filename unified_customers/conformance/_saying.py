"""How a check fails: with a sentence that tells the adapter's author what happened, where and what is wanted.

Knows customers and errors; must not know how they were come by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..adapter import Customer
from ..errors import CustomersError


def expect(ok: object, says: str) -> None:
    """Fail the check unless `ok`."""
    __tracebackhide__ = True
    if not ok:
        raise AssertionError(says)


def outcome(customers: Iterable[Customer]) -> tuple[list[Customer], CustomersError | None]:
    """What a walk brought, and the library's error that it ended in."""
    got: list[Customer] = []
    try:
        for customer in customers:
            got.append(customer)  # noqa: PERF402 - what came before an error counts
    except CustomersError as error:
        return got, error
    except AssertionError:
        raise
    except Exception as error:
        raise stranger(error) from error
    return got, None


def result(function: Any, *args: Any, **keywords: Any) -> tuple[Any, CustomersError | None]:
    """What a call returned, or the library's error that it ended in."""
    try:
        return function(*args, **keywords), None
    except CustomersError as error:
        return None, error
    except AssertionError:
        raise
    except Exception as error:
        raise stranger(error) from error


def stranger(error: Exception) -> AssertionError:
    """The failure of an adapter that lets Python's own errors through."""
    return AssertionError(
        f"your adapter let {type(error).__name__} through ({error}), where the library's own errors are expected: use "
        "decode(), record(), obj() and array() of unified_customers.adapter to read what a server sends"
    )


def ids_of(customers: Iterable[Customer]) -> list[str]:
    """Their ids, in order."""
    return [customer.id for customer in customers]


def exactly(got: Iterable[Customer], wanted: Iterable[str], where: str) -> None:
    """Fail unless these customers came, each once, in any order."""
    __tracebackhide__ = True
    found, asked = ids_of(got), list(wanted)
    once(found, where)
    missing = [one for one in asked if one not in found]
    strange = [one for one in found if one not in asked]
    expect(not missing, f"{where}: {_some(missing)} never came, and no error was raised")
    expect(not strange, f"{where}: {_some(strange)} came, which {where} does not hold")


def once(found: list[str], where: str) -> None:
    """Fail if an id came twice."""
    __tracebackhide__ = True
    twice = [one for one, n in Counter(found).items() if n > 1]
    expect(not twice, f"{where}: {_some(twice)} came more than once")


def no_error(error: CustomersError | None, where: str) -> None:
    """Fail if a walk or a call ended in an error."""
    __tracebackhide__ = True
    if error is not None:
        raise AssertionError(f"{where} ended in {type(error).__name__}: {error}") from error


def complete_or_error(got: list[Customer], error: CustomersError | None, wanted: Iterable[str], where: str) -> None:
    """Fail if a walk ended without an error and without all customers; each may come once in either case."""
    __tracebackhide__ = True
    once(ids_of(got), where)
    if error is None:
        exactly(got, wanted, where)


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return ", ".join(repr(one) for one in ids[:3]) + more
