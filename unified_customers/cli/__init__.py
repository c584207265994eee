"""The command `unified-customers`: its entry point, which answers `--version` before it loads anything.

Knows the version and which extra is missing; must not import click, rich, httpx or the library before a command needs
them. The commands stand in `app`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from unified_customers._version import __version__

__all__ = ["main"]

_EXTRAS = {"click": "cli", "rich": "cli"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments, without the program's name; those of the process by default.

    Returns:
        The exit code: 0; 1 an error, told in one line on stderr; 2 wrong usage; 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["--version"]:
        return _version()
    try:
        return _run(words)
    except KeyboardInterrupt:  # before a command had begun
        return 130


def _version() -> int:
    try:
        print(f"unified-customers {__version__}", flush=True)
    except BrokenPipeError:
        from .streams import silence

        silence()
    return 0


def _run(words: list[str]) -> int:
    try:
        import click  # noqa: F401 - the two that the extra brings
        import rich  # noqa: F401
    except ImportError as error:
        if error.name not in _EXTRAS:
            raise
        return _missing(error.name)
    from .app import run

    return run(words)


def _missing(name: str) -> int:
    print(
        f'error: the command line needs {name}: pip install "unified-customers[{_EXTRAS[name]}]"',
        file=sys.stderr,
    )
    return 1
