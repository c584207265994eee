"""What `--verbose` tells of a reading while it goes on: waits, repeats, sign-ins, steps back.

Knows events, which hold no secret and no customer's data.
"""

from __future__ import annotations

from collections.abc import Callable

import unified_customers as uc
from unified_customers import events

from . import streams
from .options import State


def teller(state: State) -> Callable[[uc.Event], None]:
    """What to call with each event."""

    def tell(event: uc.Event) -> None:
        said = sentence(event)
        if said and state.verbose:
            streams.say(f"{event.account or event.provider}: {said}")

    return tell


def sentence(event: uc.Event) -> str:
    """The event in words; nothing for what is ordinary, such as a page."""
    match event:
        case events.Repeated():
            what = event.reason if event.status is None else f"{event.status} {event.reason}"
            return f"{what}; waits {event.wait:.1f} s, then sends it again"
        case events.SigningIn():
            return "signs in"
        case events.SteppedBack():
            return f"{event.reason}; steps back"
        case _:
            return ""
