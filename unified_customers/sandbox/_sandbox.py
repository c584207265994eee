"""The sandbox itself: three providers, one clock, one port.

Knows which provider lives under which path. Must not know how any of them answers, nor load the
server before it is started.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Self

import attrs

from ._clock import Clock
from ._faults import parse_fault
from ._flatpeak import Flatpeak
from ._flexportal import FlexPortal
from ._flexprice_documents import DocumentedFlexprice
from ._flexprice_real import RealFlexprice
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from ._flexprice import Flexprice
    from ._provider import Provider
    from ._server import Server

_NOWHERE = b"there is /flexportal, /flexprice and /flatpeak\n"
_MISSING = 'the sandbox needs uvicorn: pip install "unified-customers[sandbox]"'

_FLAVOURS: dict[str, type[Flexprice]] = {"real": RealFlexprice, "documents": DocumentedFlexprice}


class Sandbox:
    """The three providers' HTTP servers on loopback: deterministic, stateful, with faults on demand.

    Args:
        customers: how many customers each provider's list gives at the start; 0 starts empty.
        seed: the same seed gives the same bytes.
        flexprice: `real` answers as the real server does, `documents` as its public page says.
        port: 0 takes a free one.
        faults: texts such as `flexprice:429` or `flatpeak:503:times=2`; see `parse_fault`.
        odd: with values that are unusual but allowed by the providers' own schemas.
        strange: with values that those schemas do not allow, too.
    """

    def __init__(
        self,
        customers: int = 250,
        seed: int = 0,
        flexprice: Literal["real", "documents"] = "real",
        port: int = 0,
        faults: Iterable[str] = (),
        *,
        odd: bool = True,
        strange: bool = False,
    ) -> None:
        self.clock = Clock()
        self.flexportal = FlexPortal(self.clock, seed, odd=odd, strange=strange)
        self.flexprice: Flexprice = _FLAVOURS[flexprice](self.clock, seed, odd=odd, strange=strange)
        self.flatpeak = Flatpeak(self.clock, seed, odd=odd, strange=strange)
        self._port = port
        self._server: Server | None = None
        for provider in self.providers:
            provider.fill(customers)
        for text in map(parse_fault, faults):
            next(p for p in self.providers if p.name == text.provider).order(text)

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The three, in the order of the contract."""
        return (self.flexportal, self.flexprice, self.flatpeak)

    @property
    def url(self) -> str:
        """Where the server listens: `http://127.0.0.1:PORT`."""
        if self._server is None:
            msg = "the sandbox has not been started: use `with Sandbox() as box:`"
            raise RuntimeError(msg)
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables from which a client of these providers takes its settings."""
        return {
            f"{provider.name}_{name}".upper(): value
            for provider in self.providers
            for name, value in provider.settings.items()
        }

    def start(self) -> Self:
        """Listen and serve in a thread of its own.

        Raises:
            ImportError: the extra `sandbox` is not installed.
            OSError: the port is taken.
        """
        if self._server is not None:
            return self
        try:
            server = import_module("._server", __package__)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"uvicorn", "h11"}:
                raise
            raise ModuleNotFoundError(_MISSING, name=error.name) from error
        self._server = server.Server(self._answer, self._port)
        self._server.start()
        for provider in self.providers:
            provider.base_url = f"{self.url}/{provider.name}"
        return self

    def stop(self) -> None:
        """Close the port and end the thread; the providers keep their customers and their logs."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def serve_forever(self) -> None:
        """Block until interrupted (Ctrl-C), starting first if need be; then stop."""
        if self._server is None:
            self.start()
        try:
            with contextlib.suppress(KeyboardInterrupt):
                if self._server is not None:
                    self._server.wait()
        finally:
            self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Reply:
        for provider in self.providers:
            prefix = f"/{provider.name}"
            if request.path.startswith(prefix + "/"):
                return provider.handle(attrs.evolve(request, path=request.path.removeprefix(prefix)))
        return Reply(404, _NOWHERE, (("content-type", "text/plain"),))
