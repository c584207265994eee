"""Requests that are sent before their turn: in a thread each, or in a task each.

Knows threads and event loops; must not know walks or httpx. A job is small and ends by itself, so nothing of it has to
be stopped when whoever wanted it is gone.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Release = Callable[[], None]


class ThreadBell:
    """Rung by each job of a walk that has ended, for the one thread that waits for the first of several."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """A job has ended."""
        self._rung.set()

    def wait(self, found: Callable[[], int | None]) -> int:
        """Wait until `found` finds something."""
        while True:
            self._rung.clear()  # before looking: what ends from here on rings again
            number = found()
            if number is not None:
                return number
            self._rung.wait(1.0)


class ThreadJob:
    """Work in a thread of its own.

    Args:
        work: Is given a callable for when its request has left, and returns the outcome.
        ring: Called when it has ended.
    """

    def __init__(self, work: Callable[[Release], Any], ring: Release) -> None:
        self._ring = ring
        self._released, self._done = threading.Event(), threading.Event()
        self._value: Any = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), name="unified-customers-ahead", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def begun(self) -> bool:
        """Whether it runs, or ran: Ctrl-C may have come before it could."""
        return self._thread.ident is not None

    def _run(self, work: Callable[[Release], Any]) -> None:
        try:
            self._value = work(self._released.set)
        except Exception as error:  # noqa: BLE001 - told to whoever takes the outcome
            self._error = error
        finally:
            self._released.set()
            self._done.set()
            self._ring()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._done.is_set()

    def wait_sent(self) -> None:
        """Wait until the request has left, so that the provider works while the caller does."""
        while self.begun and not self._released.wait(1.0):
            pass  # wakes now and then, so that Ctrl-C is heard everywhere

    def result(self) -> Any:
        """Wait for the outcome."""
        while not self._done.wait(1.0):
            pass
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """A thread can't be stopped; its outcome is dropped."""

    def ended(self, seconds: float) -> None:
        """Wait until it has ended, so long at the most."""
        if self.begun:
            self._thread.join(seconds)


class TaskBell:
    """The same for a task that waits."""

    def __init__(self) -> None:
        import anyio

        self._rung = anyio.Event()

    def ring(self) -> None:
        """A job has ended."""
        self._rung.set()

    async def wait(self, found: Callable[[], int | None]) -> int:
        """Wait until `found` finds something."""
        import anyio

        while (number := found()) is None:
            self._rung = anyio.Event()
            await self._rung.wait()
        return number


class TaskJob:
    """Work in a task of its own, on asyncio or trio; it stands in `running` as long as it runs."""

    def __init__(self, work: Callable[[Release], Awaitable[Any]], running: set[TaskJob], ring: Release) -> None:
        import anyio

        self._ring = ring
        self._released, self._done = anyio.Event(), anyio.Event()
        self._running, self._work = running, work
        self._task: Any = None
        self._scope = anyio.CancelScope()
        self._value: Any = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin."""
        self._running.add(self)  # a loop itself holds its tasks only weakly
        self._task = _spawn(self._run)

    @property
    def begun(self) -> bool:
        """Whether it runs, or ran."""
        return self._task is not None

    async def _run(self) -> None:
        try:
            with self._scope:
                self._value = await self._work(self._released.set)
        except Exception as error:  # noqa: BLE001 - told to whoever takes the outcome
            self._error = error
        finally:
            self._running.discard(self)
            self._released.set()
            self._done.set()
            self._ring()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return bool(self._done.is_set())

    async def wait_sent(self) -> None:
        """Wait until the request has left, so that the provider works while the caller does."""
        if self.begun:
            await self._released.wait()

    async def result(self) -> Any:
        """Wait for the outcome; `None` if the job was cancelled."""
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """Stop it; its connection goes back."""
        self._scope.cancel()

    async def ended(self) -> None:
        """Wait until it has ended, however it does."""
        await self._done.wait()


def _spawn(run: Callable[[], Any]) -> Any:
    """Start a task that belongs to the loop: an iterator can be dropped anywhere, so no scope could own it."""
    if "trio" in sys.modules:
        import trio

        if trio.lowlevel.in_trio_run():
            return trio.lowlevel.spawn_system_task(run)
    import asyncio

    return asyncio.get_running_loop().create_task(run())
