"""How a command ends: exit codes, errors in one line, a closed pipe, an interruption.

Knows the library's errors; must not know a command. stderr never holds a key or a customer's data: the library masks
its own messages, and of an unexpected exception only the type and the frames are shown, never the text.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

import unified_customers as uc

from . import streams

OK, ERROR, INTERRUPTED = 0, 1, 130

# The library speaks of keywords; here they are options.
_OPTIONS = {
    "email": "email",
    "status": "status",
    "kind": "kind",
    "external_id": "external-id",
    "ids": "id",
    "parent_ids": "parent-id",
    "sort": "sort",
    "order": "order",
    "params": "param",
    "page_size": "page-size",
    "max_items": "max-items",
    "after": "after",
    "before": "before",
    "unsupported": "unsupported",
    "on_bad_record": "on-bad-record",
    "on_conflict": "on-conflict",
    "on_loss": "on-loss",
    "match_email": "match-email",
    "confirm": "confirm",
    "journal": "journal",
    "on_account_error": "on-account-error",
    "currency": "currency",
    "resume": "resume",
    "since": "since",
    "to": "to",
}
_KEYWORD = re.compile(rf"\b({'|'.join(_OPTIONS)})=")
_FROM_ERROR = ", from the error's checkpoint if it has one"  # here the line itself says how to go on, if it can
_READ_ALL = "sum(1 for _ in client.customers())"


class Failure(Exception):  # noqa: N818 - it is the end of a command, told in one line
    """An end with exit code 1 that the library has no error for."""


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C or SIGTERM, with the checkpoint to go on from, or other words on how to."""

    def __init__(self, checkpoint: str | None = None, advice: str = "") -> None:
        super().__init__(checkpoint)
        self.advice = advice or _go_on(checkpoint)


class Stopped(Exception):  # noqa: N818
    """An export that an error or an interruption stopped: its file can be gone on with, or nothing is left."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause
        self.hint = "; to go on: --resume" if getattr(cause, "__notes__", ()) else ""


@contextmanager
def told(*, verbose: Callable[[], bool]) -> Iterator[None]:
    """Turn however a command ends into an exit code and at most one line.

    Args:
        verbose: Whether the frames of an unexpected exception are to be shown; asked only then.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        streams.silence()
        code = OK
    except (KeyboardInterrupt, Interrupted) as stop:
        streams.say(f"interrupted{getattr(stop, 'advice', '')}")
        code = INTERRUPTED
    except Stopped as stop:
        code = _say_stopped(stop, verbose=verbose())
    except Exception as error:  # noqa: BLE001 - the last one to see it
        _say(error, verbose=verbose())
        code = ERROR
    else:
        return
    raise click.exceptions.Exit(code)


def _say_stopped(stop: Stopped, *, verbose: bool) -> int:
    if isinstance(stop.cause, KeyboardInterrupt):
        streams.say(f"interrupted{stop.hint}")
        return INTERRUPTED
    if isinstance(stop.cause, uc.CustomersError):
        stop.cause.checkpoint = None  # of the walk; the file has its own
        streams.say(f"error: {_named(stop.cause)}{_asked(stop.cause)}{stop.hint}")
    elif isinstance(stop.cause, Exception):
        _say(stop.cause, verbose=verbose)
    return ERROR


def _named(error: uc.CustomersError) -> str:
    if error.account is None:
        return _worded(error)
    return f"account {error.account}: {_worded(error).removeprefix(f'{error.account}: ')}"


def _say(error: Exception, *, verbose: bool) -> None:
    if isinstance(error, uc.CustomersError):
        streams.say(f"error: {_worded(error)}{_asked(error)}{_go_on(error.checkpoint)}")
    elif isinstance(error, streams.OutputError):
        streams.say(f"error: the output can't be written ({error}){_go_on(error.checkpoint)}")
    elif isinstance(error, Failure):
        streams.say(f"error: {error}")
    else:
        streams.say(f"error: unexpected {type(error).__name__} at {_place(error)}{'' if verbose else _MORE}")
        if verbose:
            streams.say_lines(_frames(error))


_MORE = "; this is a bug: --verbose shows where it comes from"


def _worded(error: uc.CustomersError) -> str:
    if error.status is not None:  # the provider's own words stay as they are
        return error.message.replace(_FROM_ERROR, "")
    said = error.message.replace(_READ_ALL, "list -o jsonl | wc -l")
    return _KEYWORD.sub(lambda found: f"--{_OPTIONS[found[1]]} ", said)


def _asked(error: uc.CustomersError) -> str:
    return f" (request id {error.request_id})" if error.request_id else ""


def _go_on(checkpoint: str | None) -> str:
    return f"; to go on: --after {checkpoint}" if checkpoint else ""


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _frames(error: BaseException | None) -> str:
    """The traceback without the exceptions' texts, which may hold a customer's data."""
    said = []
    while error is not None:
        said.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__)
        error = error.__cause__ or error.__context__
    return "\n\ncaused by\n".join(said)
