"""The commands under one name, and the one place where they end.

Knows which commands there are; must not know what they do.
"""

from __future__ import annotations

from typing import Any

import click

from unified_customers._version import __version__

from . import exits, streams
from .boxes import sandbox
from .demo import demo
from .exporting import export
from .migrate import migrate
from .options import State, shared
from .reading import list_
from .reporting import report
from .single import check, count, get, providers

_NAME = "unified-customers"
_CONTEXT = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """A group whose commands end with the exit codes of `exits`, and one line at the most."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click does it; --help into a closed pipe is no error."""
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            streams.silence()
            raise click.exceptions.Exit(exits.OK) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        state = ctx.ensure_object(State)
        with state.interrupts.caught(), exits.told(verbose=lambda: state.verbose):
            streams.prepare()
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings=_CONTEXT, epilog="A key is never an argument: see --accounts.")
@click.version_option(__version__, prog_name=_NAME, message="%(prog)s %(version)s")
@shared
def cli() -> None:
    """Read the customers of several billing providers through one model.

    ACCOUNT is a provider's name, with its settings from the environment (FLEXPRICE_API_KEY, …), or a name from
    --accounts FILE. Data goes to stdout, everything else to stderr. Exit codes: 0; 1 an error; 2 wrong usage; 130
    interrupted, with the checkpoint to go on from.
    """


for _command in (demo, list_, get, count, check, export, report, migrate, providers, sandbox):
    cli.add_command(_command)


def run(words: list[str]) -> int:
    """Run with these arguments.

    Returns:
        The exit code.
    """
    try:
        cli.main(words, prog_name=_NAME)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.ERROR
    return exits.OK
