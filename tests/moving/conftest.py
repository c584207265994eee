"""A sandbox with nobody in it, a client of its Flexprice, and the place of a journal."""

from __future__ import annotations

import pytest
from moving_kit import client

from unified_customers.sandbox import Sandbox


@pytest.fixture
def box():
    return Sandbox(customers=0, strange=False)


@pytest.fixture
def target(box):
    with client(box.flexprice) as made:
        yield made


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "move.sqlite"
