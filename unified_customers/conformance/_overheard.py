"""Overhears all that the library says: reprs, errors with their tracebacks, log lines, checkpoints opened.

Knows errors, logging and the form of a checkpoint; must not know what has to be kept secret.
"""

from __future__ import annotations

import logging
import pickle
import traceback
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CustomersError


def spoken(error: CustomersError) -> list[str]:
    """Everything that an error says, wherever it ends up."""
    fields = [error.message, error.code, error.details, error.request_id, error.path, error.args]
    trace = "".join(traceback.format_exception(error))
    return [repr(error), str(error), repr(fields), trace, pickled(error), opened(error.checkpoint)]


def pickled(value: object) -> str:
    """What a value looks like on its way to another process."""
    return pickle.dumps(value, protocol=0).decode("utf-8", "replace")


def opened(checkpoint: str | None) -> str:
    """What a checkpoint holds, in plain text."""
    if checkpoint is None:
        return ""
    packed = checkpoint.split(".")[1]
    return zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()


@contextmanager
def logged(said: list[str]) -> Iterator[None]:
    """Everything that is logged meanwhile, at the finest level."""

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    handler, root = Noting(), logging.getLogger()
    level, disabled = root.level, logging.root.manager.disable
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.disable(logging.NOTSET)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.disable(disabled)
