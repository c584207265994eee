"""The files of an export: where one is written until it is whole, what is noted beside it, who has it.

Knows paths and the operating system; must not know customers or formats.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import IO, Any

import attrs

from .._files import put, sync
from .._files import told as _told
from ..errors import CheckpointError, ExportError

UNFINISHED = ".unfinished"
_TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}


def beside(path: Path) -> Path:
    """Where a file is written until it is whole: in the same folder, so that it can be renamed."""
    return path.with_name(path.name + UNFINISHED)


def told(path: Path) -> contextlib.AbstractContextManager[None]:
    """Turn the operating system's errors into an `ExportError`."""
    return _told(path, ExportError)


def check_place(path: Path) -> None:
    """Refuse a place where no file can be put.

    Raises:
        ExportError: The folder is not there, or a folder stands where the file is to be.
    """
    with told(path):
        if path.is_dir():
            raise ExportError(f"{path} is a folder: name a file in it, or end it with / for Parquet in part files")
        if path.exists() and not path.is_file():
            raise ExportError(f"{path} is no ordinary file")


def write_json(path: Path, content: Any) -> None:
    """Write a small file whole."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(json.dumps(content, indent=1).encode())
        sync(file)
    put(fresh, path)


def read_json(path: Path) -> Any:
    """Read it back; `None` if it isn't there.

    Raises:
        CheckpointError: It is damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path} is damaged: start again without resume=") from None


@attrs.define
class Lock:
    """Keeps a second export away from the same file; a process that dies lets go of it."""

    path: Path
    _held: IO[bytes] | None = attrs.field(default=None, init=False)

    def take(self) -> None:
        """Take it.

        Raises:
            ExportError: Another export has it.
        """
        place = self.path.with_name(f".{self.path.name}.lock")
        if not self.path.parent.is_dir():
            raise ExportError(f"{self.path.parent} is no folder: make it first")
        with told(self.path):
            held = place.open("ab")
            try:
                _exclude(held)
                if not os.path.samestat(os.fstat(held.fileno()), place.stat()):
                    raise BlockingIOError(errno.EAGAIN, "its holder has just removed it")
            except FileNotFoundError:
                held.close()
                raise ExportError(f"{self.path} is being written by another export") from None
            except OSError as error:
                held.close()
                if error.errno in _TAKEN:
                    raise ExportError(f"{self.path} is being written by another export") from None
                raise
            self._held = held

    def free(self) -> None:
        """Let go of it."""
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(OSError):  # removed while it is held, so nobody else's goes with it
                Path(held.name).unlink()
            held.close()


def _exclude(file: IO[bytes]) -> None:
    try:
        import fcntl  # noqa: PLC0415 - where there is none, a user has to see to it
    except ImportError:  # pragma: no cover
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
