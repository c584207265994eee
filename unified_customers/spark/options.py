"""A reader's options, which are all texts, as keywords of `partition_accounts`.

Knows names and types of options; must not know pyspark. An option that is not known is refused: a filter whose name is
misspelt would bring everybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .._bundles.planning import QUERY
from .._bundles.reading import Manner
from .._bundles.references import Reference, imported, refer
from ..accounts import nearest
from ..errors import ConfigurationError


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def _several(value: str) -> list[str]:
    """Names with commas between them, or a JSON list where a name has a comma in it."""
    if value.lstrip().startswith("["):
        found = json.loads(value)
        if not all(isinstance(one, str) for one in found):
            raise ValueError("takes texts")
        return list(found)
    return [_text(one.strip()) for one in value.split(",")]


def _flag(value: str) -> bool:
    words = {"true": True, "false": False}
    if value.strip().lower() not in words:
        raise ValueError("is true or false")
    return words[value.strip().lower()]


def _object(value: str) -> dict[str, Any]:
    found = json.loads(value)
    if not isinstance(found, dict):
        raise ValueError("takes a JSON object")  # noqa: TRY004 - told like the others
    return found


_SOURCE: dict[str, Callable[[str], Any]] = {"accounts": _text, "accounts_from": _text, "only": _several}
_KEYWORDS: dict[str, Callable[[str], Any]] = {
    "accounts_per_partition": int,
    "balance": _text,
    "large": int,
    "concurrency": int,
    "timeout": float,
    "rate": float,
    "errors": _text,
    "raw": _flag,
    "columns": _several,
    "batch_size": int,
    "email": _text,
    "status": _text,
    "kind": _text,
    "external_id": _several,
    "ids": _several,
    "parent_ids": _several,
    "created_after": _text,
    "params": _object,
    "unsupported": _text,
    "on_bad_record": _text,
    "page_size": int,
}
_OWN: dict[str, Callable[[str], Any]] = {"push_filters": _flag, "lag": float}
OPTIONS = (*_SOURCE, *_KEYWORDS, *_OWN)
"""Every option there is."""


class Options:
    """What the options say.

    Attributes:
        keywords: Of `partition_accounts`.
        push_filters: Whether conditions of Spark's are passed on to the providers.
        lag: Seconds before now that a stream stops at.

    Raises:
        ConfigurationError: An option is not known, or its value can't be right; the value is not shown.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        read = {name.lower(): value for name, value in given.items()}
        if "path" in read:
            raise ConfigurationError("load() takes no path here: option('accounts', 'accounts.toml') says which file")
        for name in read:
            if name not in OPTIONS:
                raise ConfigurationError(
                    f"there is no option {name!r}: {nearest(name, OPTIONS)}known are {', '.join(sorted(OPTIONS))}"
                )
        self._source = _values(_SOURCE, read)
        self.keywords = _values(_KEYWORDS, read)
        own = _values(_OWN, read)
        self.push_filters: bool = own.get("push_filters", False)
        self.lag: float = own.get("lag", 60.0)
        if not 0 <= self.lag < float("inf"):
            raise ConfigurationError("the option 'lag' is a number of seconds, 0 or more")
        if ("accounts" in read) == ("accounts_from" in read):
            raise ConfigurationError(
                "either option('accounts', …) names a file of accounts, or option('accounts_from', 'module:function') "
                "what knows them"
            )

    def manner(self, columns: Sequence[str], *, errors: bool = True) -> Manner:
        """How bundles are read.

        Args:
            columns: Names of the columns that are wanted.
            errors: Whether accounts that fail may be left out, if the options say so.
        """
        own = {field.name for field in attrs.fields(Manner)} - {"query", "columns", "raw"}
        given = {name: value for name, value in self.keywords.items() if name in own}
        if not errors:
            given.pop("errors", None)
        query = {name: value for name, value in self.keywords.items() if name in QUERY}
        return Manner(query=query, columns=tuple(columns), raw="raw" in columns, **given)

    def reference(self, pruned: tuple[str, ...] | None = None) -> Reference:
        """The accounts that are meant.

        Args:
            pruned: Names of those that a condition of Spark's leaves; those that don't exist are left out.
        """
        only = self._source.get("only")
        whole = (
            refer(self._source["accounts"]) if "accounts" in self._source else imported(self._source["accounts_from"])
        )
        found = refer(whole, only)
        if pruned is None:
            return found
        known = found.about()
        return found.some([name for name in pruned if name in known])


def _values(kinds: Mapping[str, Callable[[str], Any]], given: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(name, read, given[name]) for name, read in kinds.items() if name in given}


def _value(name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except (ValueError, TypeError) as error:
        what = {int: "is a whole number", float: "is a number"}.get(read, "")  # type: ignore[call-overload]
        why = what or ("is no JSON" if isinstance(error, json.JSONDecodeError) else str(error))
        raise ConfigurationError(f"the option {name!r} {why}") from None
