"""The three providers on loopback: deterministic, stateful, with faults on demand; and any other, by `serve`.

Knows the providers' side of the wire only; nothing of this package's client. Importing it is cheap: the
rooms are loaded when a name is used, the server (extra `sandbox`) when a sandbox starts.

    with unified_customers.sandbox() as box:
        client = unified_customers.Client(unified_customers.Flexprice(**box.flexprice.settings))
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._clock import Clock
    from ._faults import FaultText, parse_fault
    from ._provider import MISSING
    from ._sandbox import Sandbox
    from ._serve import serve

__all__ = ["MISSING", "Clock", "FaultText", "Sandbox", "parse_fault", "serve"]

_ROOMS = {
    "Clock": "._clock",
    "FaultText": "._faults",
    "MISSING": "._provider",
    "Sandbox": "._sandbox",
    "parse_fault": "._faults",
    "serve": "._serve",
}


class _CallableModule(ModuleType):
    """Lets `unified_customers.sandbox(...)` stand for `unified_customers.sandbox.Sandbox(...)`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Sandbox:
        made: Sandbox = self.Sandbox(*args, **kwargs)
        return made

    def __getattr__(self, name: str) -> Any:
        if name not in _ROOMS:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(import_module(_ROOMS[name], __name__), name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _CallableModule
