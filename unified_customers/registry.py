"""Adapters by name: the built-in ones, and plugins from the entry-point group ``unified_customers.providers``.

Knows names and environment variables; must not know what an adapter does. A broken plugin is named when it is
asked for, and never takes the others down.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._adapter import Adapter, lacking
from .errors import ConfigurationError
from .models import Capabilities

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "unified_customers.providers"
_BUILT_IN = {
    "flexportal": ("unified_customers.adapters.flexportal", "FlexPortal"),
    "flexprice": ("unified_customers.adapters.flexprice", "Flexprice"),
    "flatpeak": ("unified_customers.adapters.flatpeak", "Flatpeak"),
}


def providers() -> dict[str, Capabilities]:
    """Names of all adapters and what each can do, plugins included; a broken plugin is left out."""
    found: dict[str, Capabilities] = {}
    for name in names():
        try:
            found[name] = adapter_class(name).capabilities
        except ConfigurationError:
            continue
    return found


def names() -> tuple[str, ...]:
    """Names of all adapters; a plugin can't take a built-in one's."""
    return (*_BUILT_IN, *(name for name in _plugins() if name not in _BUILT_IN))


def broken() -> dict[str, str]:
    """Plugins that can't be loaded, and why."""
    found: dict[str, str] = {}
    for name in names():
        try:
            adapter_class(name)
        except ConfigurationError as error:
            found[name] = error.message
    return found


def adapter_class(name: str) -> type[Adapter]:
    """The class of an adapter.

    Raises:
        ConfigurationError: There is none of that name, or its plugin can't be loaded.
    """
    if name in _BUILT_IN:
        module, attribute = _BUILT_IN[name]
        cls: type[Adapter] = getattr(importlib.import_module(module), attribute)
        return cls
    plugin = _plugins().get(name)
    if plugin is None:
        import difflib

        near = difflib.get_close_matches(str(name).casefold(), names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigurationError(f"there is no provider {name!r}: {hint}known are {', '.join(names())}")
    return _loaded(name, plugin)


def _loaded(name: str, plugin: EntryPoint) -> type[Adapter]:
    try:
        cls = plugin.load()
    except Exception as error:
        raise ConfigurationError(
            f"the plugin {name!r} ({plugin.value}) can't be loaded ({type(error).__name__}): mend or remove its package"
        ) from error
    if not isinstance(cls, type) or not isinstance(getattr(cls, "capabilities", None), Capabilities):
        raise ConfigurationError(f"the plugin {name!r} ({plugin.value}) is no adapter: it has no capabilities")
    return cls


def _plugins() -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def settings(name: str, given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Adapter:
    """An account from keyword arguments and, where they are silent, from the environment.

    Raises:
        ConfigurationError: A setting is unknown, missing or can't be right; a missing variable is named.
    """
    cls = adapter_class(name)
    if missing := lacking(cls):
        raise ConfigurationError(f"the adapter {name} is not whole: it lacks {', '.join(missing)}", provider=name)
    environ = os.environ if environ is None else environ
    prefix = name.upper().replace("-", "_")
    found = {
        field: environ[f"{prefix}_{suffix}"]
        for field, suffix in cls.environment.items()
        if environ.get(f"{prefix}_{suffix}")
    }
    if any(field in given for field in ("api_key", "bearer_token")):
        found.pop("bearer_token", None)  # one way to sign in, given here, outweighs the other, found there
    fields = {**found, **{field: value for field, value in given.items() if value is not None}}
    try:
        return cls(**fields)
    except TypeError:
        known = list(getattr(cls, "__attrs_attrs__", ()))
        unknown = [field for field in fields if field not in {a.name for a in known}]
        says = f"does not know {', '.join(unknown)}" if unknown else "is missing a setting"
        can = ", ".join(a.name for a in known)
        raise ConfigurationError(f"{name} {says}: it has {can}", provider=name) from None
