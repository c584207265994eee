"""The tree of errors is as its docstring draws it, and each error travels whole."""

from __future__ import annotations

import inspect
import pickle

import pytest

import unified_customers as uc
from unified_customers import errors

CLASSES = [
    cls
    for _, cls in sorted(inspect.getmembers(errors, inspect.isclass))
    if issubclass(cls, errors.CustomersError) and cls.__module__ == errors.__name__
]
FIELDS = {
    "provider": "flexprice",
    "status": 418,
    "code": "teapot",
    "details": {"limit": ["must be between 1 and 1000"]},
    "request_id": "req_1",
    "retry_after": 1.5,
    "path": "$.items[3]",
    "checkpoint": "uc1.x.y",
}


def drawn() -> dict[str, str]:
    """Class by parent, as the docstring's picture has them."""
    tree, stack = {}, []
    for line in errors.__doc__.splitlines():
        text = line.strip()
        at = next((n for n, c in enumerate(line) if c.isalpha()), -1)
        if not text or not (text.startswith(("├", "└", "│")) or text == "CustomersError"):
            continue
        name = line[at:].split()[0]
        while stack and stack[-1][0] >= at:
            stack.pop()
        tree[name] = stack[-1][1] if stack else "Exception"
        stack.append((at, name))
    return tree


def test_the_tree_is_as_it_is_drawn():
    """Every class stands in the picture under its own parent, and no other does."""
    assert {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES} == drawn()


def test_the_tree_holds_what_the_contract_names():
    """The public names, each below the class that users catch."""
    for parent, children in {
        uc.CustomersError: [uc.ConfigurationError, uc.UnsupportedError, uc.CheckpointError, uc.TransportError],
        uc.TransportError: [uc.RequestTimeoutError, uc.ConnectionFailedError],
        uc.ApiError: [
            uc.AuthenticationError,
            uc.PermissionDeniedError,
            uc.NotFoundError,
            uc.ConflictError,
            uc.InvalidRequestError,
            uc.RateLimitedError,
            uc.ServerError,
        ],
        uc.MalformedResponseError: [uc.BadRecordError],
        uc.PaginationError: [uc.LoopError, uc.DriftError, uc.FilterIgnoredError],
    }.items():
        for child in children:
            assert issubclass(child, parent)
            assert issubclass(child, uc.CustomersError)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_pickles_with_its_fields(cls):
    """Class, message, text and all fields are the same in another process."""
    error = cls("what happened: what to do", **FIELDS)
    if isinstance(error, uc.BadRecordError):
        error.record_id = "cust_1"
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is cls
    assert str(other) == str(error) == other.message == "what happened: what to do"
    for name, value in FIELDS.items():
        assert getattr(other, name) == value
    assert getattr(other, "record_id", None) == getattr(error, "record_id", None)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_is_there_and_none_by_default(cls):
    """No user has to ask whether an attribute exists."""
    error = cls("m")
    assert all(getattr(error, name) is None for name in FIELDS)
    assert cls.__doc__


TABLE = {
    401: uc.AuthenticationError,
    403: uc.PermissionDeniedError,
    404: uc.NotFoundError,
    409: uc.ConflictError,
    410: uc.NotFoundError,
    412: uc.ConflictError,
    429: uc.RateLimitedError,
}


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_has_its_class(status):
    """The table of the contract, then the hundreds."""
    by_hundred = uc.ServerError if status >= 500 else uc.InvalidRequestError if status >= 400 else uc.ApiError
    assert errors.class_for(status) is TABLE.get(status, by_hundred)


@pytest.mark.parametrize("status", [100, 199, 600, 999])
def test_a_status_beyond_the_table_is_still_ours(status):
    """Whatever number a server sends."""
    assert issubclass(errors.class_for(status), uc.ApiError)
