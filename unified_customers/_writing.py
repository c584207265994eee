"""Creating, changing, archiving and deleting: conversations that never do a thing twice, or say that they don't know.

Pure: knows adapters, fields and retries; must not know httpx, the clock or a provider. A create is in doubt from the
moment it is sent until an answer says what became of it; in doubt it is looked up, never sent again blindly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import attrs

from . import _fields, _query
from ._adapter import Adapter
from ._conversation import Context, Tally
from ._wire import Conversation, Reply, Request, Response, Send, Unreachable
from .errors import (
    BadRecordError,
    ConflictError,
    ConnectionFailedError,
    CustomersError,
    InvalidRequestError,
    MalformedResponseError,
    NotFoundError,
    UnknownOutcomeError,
    UnsupportedError,
)
from .models import Customer

T = TypeVar("T")
_NOT_DONE = frozenset({307, 308, *range(400, 500)}) - {408, 499}  # statuses that say that nothing was done


@attrs.define
class Doubt:
    """Whether something may have been done without our knowing.

    As a context it turns whatever ends a create in doubt into an `UnknownOutcomeError`.

    Attributes:
        name: The adapter's name.
        title: Its name for people.
        open: Whether an earlier or the present request may have been done.
        spent: Seconds that requests took so far.
    """

    name: str = ""
    title: str = ""
    open: bool = False
    spent: float = 0.0

    def watch(self, conversation: Conversation[T]) -> Conversation[T]:
        """The same conversation; every request of it that leaves opens the doubt, until it is answered for certain."""
        reply: Any = None
        while True:
            before = self.open
            try:
                step = conversation.send(reply)
            except StopIteration as stop:
                result: T = stop.value
                return result
            sends = isinstance(step, Send)
            self.open = before or sends
            reply = yield step
            if sends:
                self.spent += reply.elapsed
                self.open = before or not _undone(reply)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.open and isinstance(error, CustomersError) and not isinstance(error, UnknownOutcomeError):
            raise self._unknown(error) from error

    def _unknown(self, error: CustomersError) -> UnknownOutcomeError:
        return UnknownOutcomeError(
            f"{self.title} may or may not have created the customer ({type(error).__name__}): look for it before you "
            "create it again",
            provider=self.name,
            status=error.status,
            code=error.code,
            details=error.details,
            request_id=error.request_id,
            retry_after=error.retry_after,
            path=error.path,
        )


def _undone(reply: Reply) -> bool:
    """Whether a reply says that its request did nothing."""
    return not reply.sent if isinstance(reply, Unreachable) else reply.status in _NOT_DONE


def doubt_of(context: Context) -> Doubt:
    """The doubt for a create of this client's."""
    return Doubt(context.adapter.name, context.adapter.title)


def create(context: Context, given: Mapping[str, Any], doubt: Doubt) -> Conversation[Customer]:
    """Create a customer, once.

    Raises:
        UnsupportedError: The provider creates none, or lacks a field; nothing was sent.
        InvalidRequestError: A value that it would refuse; nothing was sent.
    """
    adapter = context.adapter
    _refuse_unable(adapter, creating=True)
    fields = _fields.checked(adapter, given, creating=True)
    request, read = adapter.create(fields)
    hide = _fields.hidden(given)
    return _Creating(context, doubt, fields, hide, attrs.evolve(request, safe=False), _whole(read)).carry_out()


def _whole(read: Callable[[Response], Customer]) -> Callable[[Response], Customer]:
    """The same, for a customer that has to be there: a record that can't be read is no answer, rather than left out."""

    def reading(response: Response) -> Customer:
        try:
            return read(response)
        except BadRecordError as error:
            says = f"answered a write with what is no customer (at {error.path})"
            raise MalformedResponseError(says, status=response.status, path=error.path) from None

    return reading


@attrs.define
class _Creating:
    """One create, with its repeats and look-ups."""

    context: Context
    doubt: Doubt
    fields: dict[str, Any]
    hide: tuple[str, ...]
    request: Request
    read: Callable[[Response], Customer]

    def carry_out(self) -> Conversation[Customer]:
        """Send it until it is certain what became of it, or nothing more can be found out."""
        attempt, wait = 0, 0.0
        while True:
            attempt += 1
            asked = self.context.ask(self.request, self.read, Tally(), hide=self.hide, after=wait)
            try:
                made = yield from self.doubt.watch(asked)
            except CustomersError as error:
                if not self.doubt.open:  # nothing was done
                    wait = _again(self.context, self.doubt, self.request, error, attempt)
                    continue
                found = yield from self._settled(error, attempt)
                if found is not None:
                    return found
                wait = 0.0  # it was waited for already
            else:
                self.doubt.open = False
                return _as_sent(self.context.adapter, self.fields, made)

    def _settled(self, error: CustomersError, attempt: int) -> Conversation[Customer | None]:
        """The customer that was created after all; or `None`, when creating it again can't make a second one.

        That it can't is the provider's promise of one live customer for an external id: where the first request is
        still on its way, one of the two will be refused.
        """
        external_id = self.fields.get("external_id")
        if external_id is None or not self.context.adapter.capabilities.unique:
            raise error
        while True:
            wait = self.context.retry.wait(_hopeful(error), attempt, self.doubt.spent)
            found = yield from self._looked_up(external_id, wait or 0.0)
            if found is not None:
                return self._compared(found)
            if wait is None:
                raise error
            self.context.tell_retry(error, self.request, wait, attempt, None)
            self.doubt.spent += wait
            if not isinstance(error, ConflictError):  # that id is taken, yet what was read doesn't show it: look again
                return None
            attempt += 1

    def _looked_up(self, external_id: str, wait: float) -> Conversation[Customer | None]:
        request, read = self.context.adapter.one(id=None, external_id=external_id)
        try:
            return (yield from self.context.ask(request, read, Tally(), hide=self.hide, after=wait))
        except NotFoundError:
            return None

    def _compared(self, found: Customer) -> Customer:
        adapter = self.context.adapter
        differ = adapter.differences(self.fields, found)
        self.doubt.open = False
        if differ:
            raise ConflictError(
                f"{adapter.title} has a customer with this external id whose {', '.join(differ)} differ from what was "
                "sent (no answer to the create arrived): look at it, and update it if it is yours",
                provider=adapter.name,
                details={"id": found.id},
            )
        return found


def update(context: Context, given_id: Any, given: Mapping[str, Any]) -> Conversation[Customer]:
    """Change a customer; what is not among `given` stays.

    Raises:
        UnsupportedError: The provider changes none, lacks a field or can't clear it; nothing was sent.
        InvalidRequestError: A value that it would refuse; nothing was sent.
    """
    adapter = context.adapter
    _refuse_unable(adapter, creating=False)
    own = _id(given_id, "update")
    fields = _fields.checked(adapter, given, creating=False)
    return _update(context, own, fields, (own, *_fields.hidden(given)))


def _update(context: Context, id: str, fields: dict[str, Any], hide: tuple[str, ...]) -> Conversation[Customer]:
    adapter, current = context.adapter, None
    if adapter.looks_first(fields):
        current = yield from context.ask(*adapter.one(id=id, external_id=None), Tally(), hide=hide)
    made = None
    for request, read in adapter.update(id, fields, current):
        made = yield from context.ask(request, _whole(read), Tally(), hide=hide)
    if made is None or made.id != id:
        raise MalformedResponseError(
            f"{adapter.title} answered an update with another customer", provider=adapter.name, path="$.id"
        )
    return _as_sent(adapter, fields, made)


def archive(context: Context, given_id: Any) -> Conversation[None]:
    """Take a customer out of use, once: not finding it is well where an earlier request may have been heard."""
    adapter = context.adapter
    if not adapter.capabilities.archives:
        instead = ": delete(id, cascade=True) erases them for good" if adapter.capabilities.deletes else ""
        raise UnsupportedError(f"{adapter.title} archives no customers{instead}", provider=adapter.name)
    own = _id(given_id, "archive")
    return _removed(context, *adapter.archive(own), (own,))


def delete(context: Context, given_id: Any, cascade: Any) -> Conversation[None]:
    """Erase a customer and what hangs on it, once; it takes the word."""
    adapter = context.adapter
    if not adapter.capabilities.deletes:
        instead = ": archive(id) takes them out of use" if adapter.capabilities.archives else ""
        raise UnsupportedError(f"{adapter.title} erases no customers{instead}", provider=adapter.name)
    own = _id(given_id, "delete")
    if cascade is not True:
        raise InvalidRequestError(
            f"{adapter.title} erases all that hangs on a customer along with it, for good: say cascade=True",
            provider=adapter.name,
        )
    return _removed(context, *adapter.delete(own), (own,))


def _removed(
    context: Context, request: Request, read: Callable[[Response], None], hide: tuple[str, ...]
) -> Conversation[None]:
    doubt, once = doubt_of(context), attrs.evolve(request, safe=False)
    attempt, wait = 0, 0.0
    while True:
        attempt += 1
        before = doubt.open
        try:
            yield from doubt.watch(context.ask(once, read, Tally(), hide=hide, after=wait))
        except NotFoundError:
            if not before:
                raise
        except CustomersError as error:
            wait = _again(context, doubt, once, error, attempt)
            continue
        return


def _again(context: Context, doubt: Doubt, request: Request, error: CustomersError, attempt: int) -> float:
    """Seconds to wait before the same request is sent again; raises its error where that is no use."""
    wait = context.retry.wait(error, attempt, doubt.spent)
    if wait is None:
        raise error
    doubt.spent += wait
    context.tell_retry(error, request, wait, attempt, None)
    return wait


def _hopeful(error: CustomersError) -> CustomersError:
    """An error in doubt as one that a repeat may help: what it says of the request is not what matters."""
    return ConnectionFailedError("", retry_after=error.retry_after)


def _as_sent(adapter: Adapter, fields: Mapping[str, Any], made: Customer) -> Customer:
    """The customer of an answer, if it shows what was sent.

    Raises:
        MalformedResponseError: It was written, but not as it was sent.
    """
    differ = adapter.differences(fields, made)
    if differ:
        raise MalformedResponseError(
            f"{adapter.title} took the write, but its answer shows other values than were sent: {', '.join(differ)}",
            provider=adapter.name,
            path=f"$.{differ[0]}",
            details={"id": made.id},
        )
    return made


def _refuse_unable(adapter: Adapter, *, creating: bool) -> None:
    refusal = _fields.unable(adapter, creating=creating)
    if refusal is not None:
        raise refusal


def _id(value: Any, name: str) -> str:
    own = _query.text(value, "id")
    if own is None:
        raise InvalidRequestError(f"{name}() takes the customer's id")
    return own
