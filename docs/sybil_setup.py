"""Runs the Python blocks of Markdown pages as tests, in a world where the three providers are a sandbox.

For each page a sandbox of 250 customers a provider is started, the variables from which `uc.connect` takes its
settings point at it, and the page's blocks run from top to bottom in one namespace. What a block prints is compared
with the `output` block below it, if there is one; `...` there stands for anything. A block that names a file is
added to that file, in an empty folder from which blocks may import (`sybil_files`). A block may run the file, or the
command, in a process of its own: `python` and `unified-customers` are those of the tests.

    pytest_collect_file = collector(Path(__file__).parent, "README.md")      # in a conftest.py at or above the page
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser, SkipParser
from sybil_files import forget, parse

import unified_customers as uc

_PREFIXES = ("FLEXPORTAL_", "FLEXPRICE_", "FLATPEAK_")
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class _Printing(PythonEvaluator):
    """Runs a block and keeps what it prints."""

    def __call__(self, example: Example) -> None:
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                super().__call__(example)
        finally:
            example.namespace["_printed"] = printed.getvalue()
            print(printed.getvalue(), end="")


def _compare(example: Example) -> str | None:
    wanted, got = str(example.parsed), example.namespace["_printed"]
    checker = doctest.OutputChecker()
    if checker.check_output(wanted, got, _FLAGS):
        return None
    return checker.output_difference(doctest.Example("", wanted), got, _FLAGS)


def _enter(namespace: dict[str, Any]) -> None:
    stack = namespace["_stack"] = contextlib.ExitStack()
    saved, here = dict(os.environ), Path.cwd()
    stack.callback(lambda: (os.environ.clear(), os.environ.update(saved)))
    stack.callback(os.chdir, here)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where our command is
    stack.callback(lambda: (sys.path.remove(str(folder)), forget(folder)))
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        del os.environ[name]
    box = namespace["box"] = stack.enter_context(uc.sandbox(customers=250))
    os.environ.update(box.environment)
    namespace["__name__"] = "__main__"


def _leave(namespace: dict[str, Any]) -> None:
    namespace["_stack"].close()


def collector(folder: Path, *patterns: str, excludes: Sequence[str] = ()) -> Callable[..., Any]:
    """A `pytest_collect_file` for the pages under a folder that match one of the patterns."""
    return Sybil(
        parsers=[CodeBlockParser("python", _Printing()), CodeBlockParser("output", _compare), parse, SkipParser()],
        path=str(folder),
        patterns=patterns,
        excludes=excludes,
        setup=_enter,
        teardown=_leave,
    ).pytest()
