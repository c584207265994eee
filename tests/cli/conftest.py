"""A sandbox for each test of the command line."""

from __future__ import annotations

import pytest
from cli_running import started

from unified_customers.sandbox import Sandbox


@pytest.fixture
def box():
    with Sandbox(customers=60) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    while started:
        process = started.pop()
        process.kill()
        process.communicate()
