"""stdout and stderr: their encodings, whether they are terminals, and the two ways to write.

Knows streams; must not know a command, a customer or an error. stdout carries data only and valid UTF-8 (a terminal
gets its own encoding); everything that is said goes to stderr, a line each.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 240  # columns of a table in a pipe, where nothing is cut


class OutputError(Exception):
    """stdout can't be written, though somebody reads it; told with the checkpoint if there is one."""

    checkpoint: str | None = None


def prepare() -> None:
    """Make both streams unable to fail over a character."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        with contextlib.suppress(ValueError, OSError):
            if is_terminal(stream):
                reconfigure(errors="replace")
            else:
                reconfigure(encoding="utf-8", errors="replace", newline="\n")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def is_unicode() -> bool:
    """Whether stdout can carry every character."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().startswith("utf")


def write(text: str) -> None:
    """Write data to stdout, at once.

    Raises:
        BrokenPipeError: Nobody reads any more.
        OutputError: The disk is full, stdout is closed, or the like.
    """
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise OutputError(os.strerror(errno.EBADF))
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence()
        raise OutputError(os.strerror(error.errno or errno.EIO)) from None


def say(text: str) -> None:
    """Say something on stderr, in one line."""
    stream: TextIO | None = sys.stderr
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.write(" ".join(text.split()) + "\n")
            stream.flush()


def say_lines(text: str) -> None:
    """Say something that has lines, such as a traceback."""
    for line in text.splitlines():
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(line + "\n")


def silence() -> None:
    """Point stdout nowhere, so that what is left in its buffer makes no noise when Python ends.

    The other end of a pipe sees its end now.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def console(stream: TextIO) -> Console:
    """A rich console that never colours a pipe, whatever the environment says, and honours NO_COLOR."""
    from rich.console import Console

    terminal = is_terminal(stream)
    plain = not terminal or bool(os.environ.get("NO_COLOR"))
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system=None if plain else "auto",
        width=None if terminal else _WIDE,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
    )
