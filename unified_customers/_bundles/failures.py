"""Accounts that could not be read, as rows in a folder of small files: one file for each bundle that has any.

Knows files, local or of a store that Arrow knows; must not know why an account failed. A file is there whole or not at
all, and a bundle that is read again puts its own file anew, or takes it away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .._extras import need
from ..errors import ConfigurationError, CustomersError
from ..tables.schema import arrow

ERRORS = (
    "job STRING, bundle INT, account STRING, provider STRING, error STRING, message STRING, status INT, "
    "code STRING, request_id STRING, items BIGINT, checkpoint STRING, at STRING"
)
"""The columns of the second output, as Spark's DDL: ``spark.read.schema(ERRORS).json(path)``."""


def prepare(path: str) -> None:
    """Make the folder.

    Raises:
        ConfigurationError: That can't be.
    """
    _do(path, lambda store, folder: store.create_dir(folder, recursive=True))


def put(path: str, job: str, number: int, errors: Mapping[str, CustomersError], items: Mapping[str, int]) -> None:
    """Write a bundle's errors, or take away those of an earlier attempt.

    Args:
        path: The folder.
        job: Which job they belong to.
        number: The bundle's.
        errors: By account.
        items: How many customers of each account were handed out before it failed.

    Raises:
        ConfigurationError: The folder can't be written to.
    """
    rows = [_row(job, number, name, error, items.get(name, 0)) for name, error in errors.items()]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    _do(path, lambda store, folder: _replaced(store, f"{folder}/{job}-{number:06}.json", text))


def _row(job: str, number: int, name: str, error: CustomersError, items: int) -> dict[str, Any]:
    return {
        "job": job,
        "bundle": number,
        "account": name,
        "provider": error.provider,
        "error": type(error).__name__,
        "message": error.message,
        "status": error.status,
        "code": error.code,
        "request_id": error.request_id,
        "items": items,
        "checkpoint": error.checkpoint,
        "at": datetime.now(UTC).isoformat(),
    }


def _replaced(store: Any, file: str, text: str) -> None:
    folder, _, name = file.rpartition("/")
    if not text:
        if store.get_file_info(file).is_file:
            store.delete_file(file)
        return
    unfinished = f"{folder}/.{name}"
    with store.open_output_stream(unfinished) as stream:
        stream.write(text.encode())
    store.move(unfinished, file)


def _do(path: str, what: Any) -> None:
    files = need("pyarrow.fs", "errors=", "arrow")
    try:
        what(*files.FileSystem.from_uri(path) if "://" in path else (files.LocalFileSystem(), path.rstrip("/")))
    except (OSError, arrow().ArrowInvalid) as error:
        raise ConfigurationError(f"errors={path!r} can't be written to ({type(error).__name__})") from None
