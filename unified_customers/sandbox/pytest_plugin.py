"""A pytest plugin: the fixture `unified_customers_sandbox`, a fresh sandbox for one test.

Knows pytest. Must not load the sandbox, let alone its server, before a test asks for the fixture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sandbox import Sandbox


@pytest.fixture
def unified_customers_sandbox() -> Iterator[Sandbox]:
    """The three providers on loopback with 250 customers each, started and stopped around the test."""
    with import_module("unified_customers.sandbox").Sandbox(customers=250) as box:
        yield box
