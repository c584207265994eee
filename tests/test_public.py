"""The public surface: what is named is there, sorted, typed, and cheap to import."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unified_customers as uc

ROOT = Path(__file__).parent.parent
CONTRACT = """
FlexPortal Flexprice Flatpeak Client AsyncClient connect connect_async providers Retry Event Customer Address Metrics
Page Query Capabilities Status Kind to_dict from_dict CustomersError ConfigurationError UnsupportedError CheckpointError
TransportError RequestTimeoutError ConnectionFailedError ApiError AuthenticationError PermissionDeniedError
NotFoundError ConflictError InvalidRequestError RateLimitedError ServerError MalformedResponseError BadRecordError
PaginationError LoopError DriftError FilterIgnoredError sandbox Directory AsyncDirectory SCHEMA export ExportResult
ExportError
"""


def test_all_is_sorted_and_holds_the_contract():
    """Each name once, in order, and none of the contract's missing."""
    assert uc.__all__ == sorted(uc.__all__)
    assert len(uc.__all__) == len(set(uc.__all__))
    assert set(CONTRACT.split()) <= set(uc.__all__)


def test_every_public_name_is_there():
    """And is documented."""
    for name in uc.__all__:
        value = getattr(uc, name)
        assert name.startswith("__") or inspect.getdoc(value), name
    assert set(uc.__all__) <= set(dir(uc))


def test_the_lazy_table_and_the_typed_imports_say_the_same():
    """What a type checker sees is what is imported at first use, from the same room."""
    tree = ast.parse(Path(uc.__file__).read_text(encoding="utf-8"))
    checking = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    typed = {
        alias.asname or alias.name: node.module
        for node in checking.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    lazy = dict(uc._HOMES)
    assert set(typed) - {"sandbox"} == set(lazy) - {"sandbox"}
    assert {name: room for name, room in typed.items() if name != "sandbox"} == {
        n: r for n, r in lazy.items() if n != "sandbox"
    }
    assert set(uc.__all__) == set(typed) | {"__version__"}


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no_such"):
        _ = uc.no_such


def loaded_by(code: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_is_cheap():
    """No HTTP, no event loop, no decoder, until a name is used."""
    heavy = {
        "httpx",
        "httpcore",
        "anyio",
        "trio",
        "cattrs",
        "msgspec",
        "attrs",
        "asyncio",
        "starlette",
        "uvicorn",
        "click",
        "rich",
    }
    assert not heavy & loaded_by("import unified_customers")


def test_values_and_errors_need_no_http():
    """A program that only stores customers does not load a client."""
    assert "httpx" not in loaded_by(
        "import unified_customers as uc; uc.Customer, uc.CustomersError, uc.from_dict, uc.Flexprice, uc.providers()"
    )


def test_the_core_needs_no_extra():
    """The sandbox and the command line stay out of the way of a client."""
    modules = loaded_by("import unified_customers as uc; uc.Client(uc.Flexprice(api_key='k')); uc.AsyncClient")
    assert (
        not {"starlette", "uvicorn", "pyarrow", "duckdb", "unified_customers.cli"} & modules
    )  # httpx itself loads click


def test_public_classes_name_their_home_or_travel_anyway():
    """Everything that users hold pickles by a path that can be imported."""
    for name in uc.__all__:
        value = getattr(uc, name)
        if inspect.isclass(value):
            home = sys.modules[value.__module__]
            assert getattr(home, value.__name__) is value


def test_both_clients_have_the_same_methods():
    """Same names, same keywords, same defaults."""
    for name in ("customers", "customer", "count", "check"):
        sync, later = (inspect.signature(getattr(cls, name)).parameters for cls in (uc.Client, uc.AsyncClient))
        assert list(sync) == list(later)
        assert all(sync[p].default == later[p].default and sync[p].kind == later[p].kind for p in sync)
    for name in ("connect", "connect_async"):
        assert next(iter(inspect.signature(getattr(uc, name)).parameters)) == "name"


def test_the_package_is_typed():
    """`py.typed` is there for type checkers."""
    assert (Path(uc.__file__).parent / "py.typed").exists()


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_accepts_the_public_surface_as_it_is_used(request):
    """`tests/typing/api.py` is checked and never run."""
    cache = request.config.cache.mkdir("mypy")  # the first run takes seconds, the next ones don't
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(cache),
            "--config-file",
            "",
            "tests/typing/api.py",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed")
def test_pyright_accepts_the_public_surface_as_it_is_used():
    """Where pyright's node package is at hand; the suite downloads nothing."""
    try:
        done = subprocess.run(
            ["pyright", "--pythonpath", sys.executable, "tests/typing/api.py"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("pyright is not at hand offline")
    if "error" not in done.stdout and done.returncode:
        pytest.skip("pyright is not at hand offline")
    assert done.returncode == 0, done.stdout + done.stderr
