"""What every test of the suite stands on: Hypothesis profiles, a network that ends at this machine, two event loops.

`HYPOTHESIS_PROFILE=dev` looks for new counterexamples each time; the default, `ci`, always tries the same ones.
"""

from __future__ import annotations

import ipaddress
import os
import socket

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class BeyondThisMachineError(OSError):
    """A test tried to reach another machine."""


def _refuse_strangers(sock: socket.socket, address: object) -> None:
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or not isinstance(address, tuple):
        return
    host = str(address[0])
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    if not near:
        raise BeyondThisMachineError(f"the tests may not connect to {host}")


@pytest.fixture(scope="session", autouse=True)
def loopback_only():
    """No test may connect to anything but this machine."""
    patch = pytest.MonkeyPatch()
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked(self, address):
        _refuse_strangers(self, address)
        return connect(self, address)

    def checked_ex(self, address):
        _refuse_strangers(self, address)
        return connect_ex(self, address)

    patch.setattr(socket.socket, "connect", checked)
    patch.setattr(socket.socket, "connect_ex", checked_ex)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """A key in the developer's own environment must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("FLEXPORTAL_", "FLEXPRICE_", "FLATPEAK_")):
            monkeypatch.delenv(name)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both event loops that the async client is for."""
    return request.param
