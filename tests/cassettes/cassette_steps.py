"""Conversations as values: what a program asks of the library, step by step, carried out by either client.

Knows the public clients. Must not know vcrpy or where the answers come from.
"""

from __future__ import annotations

import anyio
import attrs

import unified_customers as uc


@attrs.frozen
class Step:
    """One call; `settings` differ from those of the conversation's account, a callable value takes earlier results.

    A step gives a list of customers, one customer, or the error that the library raised.
    """

    call: str
    arguments: dict
    settings: dict


@attrs.frozen
class Conversation:
    """A cassette's file name below `cassettes/`, and the steps of which it is made."""

    name: str
    steps: tuple[Step, ...]
    exchanges: tuple[int, ...] = ()  # of the real recording
    before: dict = attrs.field(factory=dict)  # for the sandbox: how it is set up


def walk(settings=None, /, **arguments):
    """Read customers."""
    return Step("customers", arguments, settings or {})


def get(id=None, settings=None, /, **arguments):
    """Read one customer."""
    return Step("customer", arguments if id is None else {"id": id}, settings or {})


def check(settings=None, /):
    """Ask `check()`."""
    return Step("check", {}, settings or {})


@attrs.define
class Told:
    """What came of a conversation: a result for each step, the last listing's report, the waits."""

    results: list
    listings: list
    waits: list[float]
    events: list[str]


def _given(step, results):
    return {name: value(results) if callable(value) else value for name, value in step.arguments.items()}


def run_sync(conversation, provider, **client_options):
    """Carry the steps out with `Client`; steps with the same settings share one."""
    told = Told([], [], [], [])
    clients = {}
    try:
        for step in conversation.steps:
            key = tuple(sorted(step.settings.items()))
            if key not in clients:
                clients[key] = uc.Client(
                    provider(**step.settings),
                    _sleep=told.waits.append,
                    on_event=lambda event: told.events.append(event.kind),
                    **client_options,
                )
            told.results.append(_step_sync(clients[key], step, told))
    finally:
        for client in clients.values():
            client.close()
    return told


def _step_sync(client, step, told):
    try:
        found = getattr(client, step.call)(**_given(step, told.results))
        if step.call == "customers":
            told.listings.append(found)
            return list(found)
    except uc.CustomersError as error:
        return error
    return found


def run_async(conversation, provider, **client_options):
    """The same with `AsyncClient`, on asyncio."""

    async def run():
        told = Told([], [], [], [])
        clients = {}

        async def sleep(seconds):
            told.waits.append(seconds)

        try:
            for step in conversation.steps:
                key = tuple(sorted(step.settings.items()))
                if key not in clients:
                    clients[key] = uc.AsyncClient(
                        provider(**step.settings),
                        _sleep=sleep,
                        on_event=lambda event: told.events.append(event.kind),
                        **client_options,
                    )
                told.results.append(await _step_async(clients[key], step, told))
        finally:
            for client in clients.values():
                await client.aclose()
        return told

    return anyio.run(run, backend="asyncio")


async def _step_async(client, step, told):
    try:
        found = getattr(client, step.call)(**_given(step, told.results))
        if step.call == "customers":
            told.listings.append(found)
            return [customer async for customer in found]
        return await found
    except uc.CustomersError as error:
        return error


RUNNERS = {"Client": run_sync, "AsyncClient": run_async}
