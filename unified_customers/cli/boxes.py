"""`sandbox`: the three providers on loopback, for programs that take their settings from the environment.

Knows how a sandbox is started and what it prints; must not know what the providers answer.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from . import exits, streams
from .options import shared, state

if TYPE_CHECKING:
    from unified_customers.sandbox import Sandbox


def _checked(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    from unified_customers.sandbox import parse_fault

    for text in texts:
        try:
            parse_fault(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return texts


@click.command(epilog="Faults are written PROVIDER:KIND[:NAME=VALUE]…, such as flexprice:429 or flatpeak:503:times=2.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--customers", type=click.IntRange(min=0), default=250, show_default=True, help="Of each provider.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same customers.")
@click.option("--flexprice", type=click.Choice(["real", "documents"]), default="real", show_default=True,
              help="As the real server answers, or as its public page says.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="FAULT", callback=_checked, help="May be repeated.")
@shared
def sandbox(**options: Any) -> None:
    """Serve the three providers on loopback until Ctrl-C; write the variables that point at them.

    eval "$(unified-customers sandbox --port 8899 &)" sets them in your shell, and so does copying the lines.
    """
    box = made(**options)
    try:
        started(box)
        streams.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in box.environment.items()))
        if not streams.is_terminal(sys.stdout):
            streams.silence()  # so that $(… &) ends here, and not with the sandbox
        if not state().quiet:
            streams.say(f"# serving on {box.url}; Ctrl-C (or: kill {os.getpid()}) stops it")
        box.serve_forever()
    except KeyboardInterrupt:  # the ordinary way to stop
        box.stop()


def made(**options: Any) -> Sandbox:
    """A sandbox that is not started yet."""
    from unified_customers.sandbox import Sandbox

    return Sandbox(**options)


def started(box: Sandbox) -> None:
    """Start it.

    Raises:
        Failure: The extra is not installed, or the port is taken.
    """
    try:
        box.start()
    except ImportError as error:
        name = (error.name or "uvicorn").partition(".")[0]
        raise exits.Failure(f'the sandbox needs {name}: pip install "unified-customers[cli,sandbox]"') from None
    except OSError as error:
        why = "the port is taken: another --port, or 0 for a free one" if error.errno == errno.EADDRINUSE else error
        raise exits.Failure(f"the sandbox can't listen: {why}") from None
