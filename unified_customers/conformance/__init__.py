"""A pytest class for authors of adapters: three lines of set-up try an adapter with all that a provider may do to it.

    from unified_customers import conformance

    class TestMine(conformance.Conformance):
        adapter = staticmethod(lambda base_url: Mine(api_key="sk_test_1", base_url=base_url))
        server = FakeMine

`FakeMine(n)` is a fake server with `n` made-up customers, and needs no socket: `records`, by id, and a call that turns
a `Request` into a `Response` (both of `unified_customers.adapter`):

    class FakeMine:
        def __init__(self, n):
            self.records = {f"c{k}": {"id": f"c{k}", "email": f"c{k}@mail.example"} for k in range(n)}

        def __call__(self, request):
            ...  # look at request.url and self.records
            return Response(status=200, headers={"content-type": "application/json"}, body=b"...")

The checks do the rest: they repeat, cut, delay and refuse its answers, change, remove and add records, and look at all
that comes of it. Each is a test of its own. What an adapter's `capabilities` don't list is not tried, and the skipped
test says so; there is no other switch.

Knows the checks' rooms only. pytest is no dependency of the library, so it is asked for here.
"""

from __future__ import annotations

try:
    import pytest  # noqa: F401 - asked for here, so that its lack is told in words
except ImportError as error:
    raise ImportError("unified_customers.conformance is a class of tests for pytest: pip install pytest") from error

from ._abilities import Abilities
from ._answers import Answers
from ._churn import Churn
from ._endings import Endings
from ._fields import Fields
from ._filters import Filters
from ._pure import Pure
from ._records import Records
from ._refusals import Refusals
from ._resume import Resume
from ._retries import Retries
from ._secrets import Secrets
from ._server import Server
from ._sign_in import SignIn
from ._single import Single
from ._statuses import Statuses
from ._walks import Walks
from ._writing import Writing

__all__ = ["Conformance", "Server"]


class Conformance(
    Walks,
    Endings,
    Resume,
    Churn,
    Answers,
    Statuses,
    Retries,
    SignIn,
    Records,
    Fields,
    Single,
    Filters,
    Abilities,
    Writing,
    Refusals,
    Pure,
    Secrets,
):
    """All checks of an adapter; a subclass whose name starts with `Test` gives it an `adapter` and a `server`.

    Attributes:
        adapter: Makes the account's settings for an address: called with a `base_url`.
        server: Makes a fake server: called with how many made-up customers it shall have.
    """
