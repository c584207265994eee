"""Files that are whole or not there: written beside their place, put there in one step.

Knows paths and the operating system; must not know what is written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from .errors import CustomersError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def told(path: Path, kind: type[CustomersError]) -> Iterator[None]:
    """Turn the operating system's errors into one of ours.

    Raises:
        CustomersError: Of that kind: the file can't be written or read.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "input/output error"
        hint = "; make room first" if error.errno in _FULL else ""
        raise kind(f"{path} can't be written: {why}{hint}") from None


@contextlib.contextmanager
def written(path: Path, kind: type[CustomersError]) -> Iterator[IO[bytes]]:
    """A file to write to; it takes its place at the end of the block, or leaves no trace.

    Args:
        path: The place, links followed already.
        kind: The error where it can't be written.

    Raises:
        CustomersError: Of that kind.
    """
    fresh = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with told(path, kind):
            with create(fresh, path, "xb") as file:
                yield file
                sync(file)
            put(fresh, path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def full(text: str) -> str | None:
    """What is said of a full disk, if a text tells of one."""
    found = (os.strerror(number) for number in sorted(_FULL) if os.strerror(number) in text)
    return next((f"{said}; make room first" for said in found), None)


def create(fresh: Path, path: Path, how: Literal["wb", "xb"] = "wb") -> IO[bytes]:
    """Open a file that will replace another: who may not read that one may not read this one, from its first byte."""
    mode = mode_of(path)
    if mode is None:
        return fresh.open(how)
    file = open(fresh, how, opener=lambda name, flags: os.open(name, flags, mode & 0o600))  # noqa: SIM115
    fresh.chmod(mode)
    return file


def mode_of(path: Path) -> int | None:
    """Who may read, write and enter what stands there; `None` if nothing does."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o777
    except FileNotFoundError:
        return None


def sync(file: IO[bytes]) -> None:
    """Have what was written on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have a rename on the disk, where folders can be opened."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def put(fresh: Path, path: Path) -> None:
    """Put a whole file in its place."""
    fresh.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
