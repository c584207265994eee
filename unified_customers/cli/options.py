"""The options that commands share, and what they are turned into: keywords of `Client.customers`.

Knows click and the keywords' names; must not know what a provider can do: the library says that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import attrs
import click

from .interrupts import Interrupts

F = TypeVar("F", bound=Callable[..., Any])


@attrs.define
class State:
    """What holds for the whole command line, wherever it was said."""

    quiet: bool = False
    verbose: bool = False
    accounts: Path | None = None
    interrupts: Interrupts = attrs.field(factory=Interrupts)


def state() -> State:
    """The state of the command that runs."""
    return click.get_current_context().find_root().ensure_object(State)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name:
        setattr(ctx.find_root().ensure_object(State), param.name, value)


def shared(command: F) -> F:
    """--accounts, --quiet and --verbose, before a command's name or after it."""
    keep: dict[str, Any] = {"expose_value": False, "callback": _keep}
    says = "TOML file with [accounts.NAME] tables; ./unified-customers.toml if it is there."
    path = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--verbose", "-v", is_flag=True, help="Tell of waits, repeats and sign-ins on stderr.", **keep),
        click.option("--quiet", "-q", is_flag=True, help="Nothing on stderr but errors.", **keep),
        click.option("--accounts", type=path, metavar="FILE", help=says, **keep),
    ):
        command = option(command)
    return command


def output(*formats: str, default: str) -> Callable[[F], F]:
    """-o, with the formats that a command has."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=default, show_default=True, help="How to write."
    )


def filters(command: F) -> F:
    """The filters, each given to the provider as it is."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


_FILTERS: tuple[Callable[[Any], Any], ...] = (
    click.option("--email", metavar="EMAIL", help="Exactly this address."),
    click.option("--status", metavar="WORD", help='active, archived, …, a provider\'s own word, or "any".'),
    click.option("--kind", metavar="WORD", help="individual or business."),
    click.option("--external-id", "external_id", multiple=True, metavar="ID", help="Your own id; may be repeated."),
    click.option("--id", "ids", multiple=True, metavar="ID", help="The provider's id; may be repeated."),
    click.option("--parent-id", "parent_ids", multiple=True, metavar="ID", help="Below this; may be repeated."),
    click.option(
        "--param",
        "params",
        multiple=True,
        metavar="NAME=VALUE",
        callback=lambda _ctx, _param, values: params(values),
        help="The provider's own parameter; JSON objects, arrays, numbers, true and false are sent as such.",
    ),
)


def unsupported(command: F) -> F:
    """--unsupported."""
    says = "A filter that a provider lacks: refuse it, or read all and filter here."
    return _choice("--unsupported", ("raise", "local"), says)(command)


def on_bad_record(default: str) -> Callable[[F], F]:
    """--on-bad-record, with what a command does unless told otherwise."""
    does = {"raise": "stop", "skip": "leave it out and count it"}
    return _either("--on-bad-record", default, "A customer that can't be read", does)


def on_account_error(default: str, others: str) -> Callable[[F], F]:
    """--on-account-error, with what a command does unless told otherwise, and what it does with the other accounts."""
    return _either("--on-account-error", default, "An account that can't be read", {"raise": "stop", "collect": others})


def page_size(command: F) -> F:
    """--page-size."""
    says = "How many per request; the most by default."
    return click.option("--page-size", type=click.IntRange(min=1), metavar="N", help=says)(command)


def _either(name: str, default: str, what: str, does: Mapping[str, str]) -> Callable[[F], F]:
    """A choice of two, the default first."""
    words = sorted(does, key=lambda word: word != default)
    return _choice(name, words, f"{what}: {does[words[0]]}, or {does[words[1]]}.")


def _choice(name: str, words: Sequence[str], says: str) -> Callable[[F], F]:
    return click.option(name, type=click.Choice(words), default=words[0], show_default=True, help=says)


def keywords(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options that were not given are left out; none of several is not an empty list."""
    return {name: value for name, value in given.items() if value is not None and value != ()}


def params(values: tuple[str, ...]) -> dict[str, Any] | None:
    """NAME=VALUE texts as a mapping.

    Raises:
        BadParameter: One has no name, no =, or the name of another.
    """
    found: dict[str, Any] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter("write NAME=VALUE")
        if name in found:
            raise click.BadParameter(f"{name} is given twice: several values are a JSON array")
        found[name] = value_of(value)
    return found or None


def value_of(text: str) -> Any:
    """A JSON object, array, number or truth value; anything else is the text that it is."""
    try:
        value = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list | bool | int | float) else text


def _no_json(_word: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are Python's words, not JSON's
