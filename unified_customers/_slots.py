"""Frozen attrs objects made fast: filled as their writable base, then turned into what they are.

Knows attrs classes; must not know what they mean. Filling a frozen object through its constructor takes four times
as long (docs/performance.md). The result equals the constructor's as long as the class converts, validates and
computes nothing, so any other class is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

T = TypeVar("T")


def draft_of(cls: type[Any]) -> type[Any]:
    """The base of a class, which holds all its slots and lets them be written.

    Raises:
        TypeError: It has no such base, or does more than take its fields.
    """
    base, fields = cls.__mro__[1], attrs.fields(cls)
    if {*getattr(base, "__slots__", ())} - {"__weakref__"} != {field.name for field in fields} or cls.__slots__:
        raise TypeError(f"{cls.__name__} has no base with all its slots")
    if hasattr(cls, "__attrs_post_init__") or any(field.converter or field.validator for field in fields):
        raise TypeError(f"{cls.__name__} does more than take its fields")
    return base


def defaults(cls: type[Any]) -> Mapping[str, Any]:
    """The default of each field that has one."""
    return {field.name: field.default for field in attrs.fields(cls) if field.default is not attrs.NOTHING}


def compiled(lines: list[str], known: Mapping[str, Any], name: str) -> Any:
    """The function `name` of a source made here, of nothing but names that are checked to be names."""
    scope = dict(known)
    exec(compile("\n".join(lines), f"<{name}>", "exec"), scope)  # noqa: S102
    return scope[name]


def maker(cls: Callable[..., T]) -> Callable[..., T]:
    """A function that takes all fields by position, in their order."""
    kind: Any = cls
    names = [field.name for field in attrs.fields(kind)]
    lines = [f"def make({', '.join(names)}):", " new = draft()"]
    lines += [f" new.{name} = {name}" for name in names]
    lines += [" new.__class__ = cls", " return new"]
    made: Callable[..., T] = compiled(lines, {"cls": kind, "draft": draft_of(kind)}, "make")
    return made
