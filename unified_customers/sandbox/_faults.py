"""Faults on demand: which request fails next, how often, and how a fault is written as text.

Knows counting, matching and the text grammar `provider:kind[:name=value]…`. What a kind does to a
request or a reply stands in `_fault_kinds`. Must not know a socket or a provider's fields.

    flexprice:429                         the next customer request is refused once
    flatpeak:503:times=2:after=1          the second and third
    flexportal:429:retry_after=date:+2    a value may hold a colon; `name=` starts the next one
    flexprice:slow:seconds=0.2:on=list    only list requests count
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from ._fault_kinds import KINDS, Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._provider import Provider
    from ._wire import Reply, Request

PLACES = ("data", "list", "get", "write", "login", "any")
PROVIDERS = ("flexportal", "flexprice", "flatpeak")
_NEXT_OPTION = re.compile(r":(?=[a-z_]+=)")


@attrs.define
class Fault:
    """One ordered fault: it lets `after` matching requests pass, then meets `times` of them (None: all)."""

    kind: str
    times: int | None
    after: int
    on: str
    options: Mapping[str, Any]
    memory: dict[str, Any] = attrs.field(factory=dict)

    def matches(self, place: str) -> bool:
        """Whether a request of that place counts for this fault."""
        return self.on in {"any", place} or (self.on == "data" and place not in {"login", "other"})

    def due(self) -> bool:
        """Count one matching request; true if it is this fault's turn."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def make_fault(kind: str, times: int | None, after: int, options: Mapping[str, Any]) -> Fault:
    """A checked fault; ValueError names what is not known."""
    known = KINDS.get(kind)
    if known is None:
        msg = f"unknown fault {kind!r}; there are {', '.join(KINDS)}"
        raise ValueError(msg)
    given = dict(options)
    on = given.pop("on", known.on)
    strangers = [name for name in given if name not in known.options]
    if strangers or on not in PLACES:
        msg = f"fault {kind!r} takes the options {['on', *known.options]} with on= one of {PLACES}"
        raise ValueError(msg)
    count = known.times if times is None else times
    return Fault(kind, count, after, on, {**known.options, **given})


class Faults:
    """The faults ordered for one provider, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order one more fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Call all faults off."""
        self._faults.clear()

    def answer(self, provider: Provider, request: Request, proceed: Callable[[Request], Reply]) -> Reply:
        """The reply to a request with every due fault around it, the oldest outermost."""
        for fault in reversed(self._due(provider.place(request))):
            proceed = _around(fault, provider, proceed)
        return proceed(request)

    def _due(self, place: str) -> list[Fault]:
        due: list[Fault] = []
        for fault in [fault for fault in self._faults if fault.matches(place)]:
            # One request can be spoilt in one way only: the next such fault waits for the next request.
            waits = KINDS[fault.kind].alone and any(KINDS[other.kind].alone for other in due)
            if not waits and fault.due():
                due.append(fault)
        self._faults = [fault for fault in self._faults if fault.times is None or fault.times > 0]
        return due


def _around(fault: Fault, provider: Provider, proceed: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
    run = KINDS[fault.kind].run
    return lambda request: run(Call(provider, request, proceed, fault.options, fault.memory))


@attrs.frozen
class FaultText:
    """A fault as written on a command line: whose, what, how often, and its options."""

    provider: str
    kind: str
    times: int | None
    after: int
    options: Mapping[str, Any]


def parse_fault(text: str) -> FaultText:
    """Read `provider:kind[:name=value]…`; see this module's docstring.

    Raises:
        ValueError: an unknown provider, kind or option, or a text of another form.
    """
    head, *parts = _NEXT_OPTION.split(text)
    provider, _, kind = head.partition(":")
    if provider not in PROVIDERS or not kind:
        msg = f"cannot read the fault {text!r}: write provider:kind[:name=value]… with one of {PROVIDERS}"
        raise ValueError(msg)
    options = {name: _value(value) for name, _, value in (part.partition("=") for part in parts)}
    times, after = options.pop("times", None), options.pop("after", 0)
    if not isinstance(times, int | None) or not isinstance(after, int):
        msg = f"cannot read the fault {text!r}: times= and after= are whole numbers"
        raise ValueError(msg)  # noqa: TRY004 - it is the text that is wrong
    make_fault(kind, times, after, options)
    return FaultText(provider, kind, times, after, options)


def _value(text: str) -> Any:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
