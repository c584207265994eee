"""Ctrl-C and SIGTERM: a `KeyboardInterrupt`, but never in the middle of a page that is being written.

Knows signals; must not know what is written. Held back, a first signal waits until the page is out, so that the
checkpoint that is told is exact; a second one doesn't wait.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """The signals while a command runs."""

    def __init__(self) -> None:
        self._held = False
        self._pending = False

    def _arrived(self, _signal: int, _frame: FrameType | None) -> None:
        if self._held and not self._pending:
            self._pending = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Turn the signals into `KeyboardInterrupt`; one that is ignored (a shell's `&`) stays ignored."""
        before = {}
        try:
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self._arrived)
        except ValueError:  # not the main thread: whoever runs us there sees to signals
            pass
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait until the end of the block."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt
