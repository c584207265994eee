"""Every error the library raises, and the one table from an HTTP status to its class.

Knows nothing of a provider, of httpx or of paging.

    CustomersError
    ├── ConfigurationError        settings that can't work: a missing key, an unknown region
    ├── UnsupportedError          the provider (or this version) can't do that
    ├── CheckpointError           a checkpoint that belongs elsewhere, or is damaged
    ├── TransportError            no usable answer arrived
    │   ├── RequestTimeoutError
    │   ├── ConnectionFailedError
    │   └── UnknownOutcomeError   a create that may have happened: look before repeating it
    ├── ApiError                  the provider answered with an error
    │   ├── AuthenticationError   401
    │   ├── PermissionDeniedError 403
    │   ├── NotFoundError         404, 410
    │   ├── ConflictError         409, 412
    │   ├── InvalidRequestError   400, 422, the other 4xx; and what is refused here before sending
    │   ├── RateLimitedError      429
    │   └── ServerError           5xx
    ├── MalformedResponseError    a 200 that isn't what was documented
    │   └── BadRecordError        one customer among good ones can't be read
    ├── PaginationError           the pages contradict each other
    │   ├── LoopError             the same place again
    │   ├── DriftError            rows moved and nothing proves that none was lost
    │   └── FilterIgnoredError    rows that the query excludes
    └── ExportError               a file that can't be written, or is not what it should be
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

_FIELDS = (
    *("provider", "status", "code", "details", "request_id", "retry_after", "path", "checkpoint", "account", "faults"),
)


class Fault(NamedTuple):
    """Why a field can't be written.

    Attributes:
        field: Its name, such as ``"email"``, ``"billing_address.line1"`` or ``"metadata.pan"``.
        rule: What it breaks, in words that never hold its value.
        kind: ``"invalid"``: another value would do; ``"unsupported"``: the provider lacks the field, or can't clear it.
    """

    field: str
    rule: str
    kind: str = "invalid"


class CustomersError(Exception):
    """The root of all errors of this library.

    Attributes:
        message: What happened and what to do about it; holds no secret and no value that the caller sent.
        provider: The adapter's name, such as ``"flexprice"``.
        status: The HTTP status of the answer.
        code: The provider's own error code.
        details: What else the provider said, with sent values and secrets masked.
        request_id: The provider's id of the request, for its support.
        retry_after: Seconds that the provider asks to wait.
        path: Where in the answer the fault is, such as ``$.items[3].metadata``.
        checkpoint: Where to go on: ``client.customers(after=error.checkpoint)``.
        account: The account's name, where a `Directory` read it.
        faults: Everything that is wrong with what was to be written, each a `Fault`.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        status: int | None = None,
        code: str | None = None,
        details: Any = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        path: str | None = None,
        checkpoint: str | None = None,
        account: str | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.status = status
        self.code = code
        self.details = details
        self.request_id = request_id
        self.retry_after = retry_after
        self.path = path
        self.checkpoint = checkpoint
        self.account = account
        self.faults = tuple(faults)
        self.elapsed = 0.0  # seconds that the attempt took, for the retry budget

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, {name: getattr(self, name) for name in _FIELDS})


def _rebuild(cls: type[CustomersError], message: str, fields: dict[str, Any]) -> CustomersError:
    return cls(message, **fields)


class ConfigurationError(CustomersError):
    """Settings that can't work; nothing was sent."""


class UnsupportedError(CustomersError):
    """The provider can't do that; nothing was sent."""


class CheckpointError(CustomersError):
    """A checkpoint that is damaged, or made for another provider, account, query or version."""


class TransportError(CustomersError):
    """No usable answer arrived; a read was already repeated as `Retry` allows."""


class RequestTimeoutError(TransportError):
    """The provider took longer than `timeout`."""


class ConnectionFailedError(TransportError):
    """No connection, or it broke before the answer was whole."""


class UnknownOutcomeError(TransportError):
    """A create of which nobody knows whether it happened; it is never sent again blindly.

    Look for the customer before you create it again. `status`, `code` and `request_id` are those of the last answer,
    where there was one, and `__cause__` is its error.
    """


class ApiError(CustomersError):
    """The provider answered with an error status."""


class AuthenticationError(ApiError):
    """The provider refused the key or token."""


class PermissionDeniedError(ApiError):
    """The key is good, but not for this."""


class NotFoundError(ApiError):
    """There is no such customer (or no such address at this host)."""


class ConflictError(ApiError):
    """The request contradicts what is stored, or is ambiguous."""


class InvalidRequestError(ApiError):
    """A value that the provider refuses, or would; without `status` it was refused here and not sent."""


class RateLimitedError(ApiError):
    """Too many requests, for longer than the retry budget; `retry_after` is in seconds where known."""


class ServerError(ApiError):
    """The provider failed (5xx) again and again."""


class MalformedResponseError(CustomersError):
    """An answer with a good status that isn't what the provider documents."""


class BadRecordError(MalformedResponseError):
    """One customer that can't be read; `path` says where, `record_id` which, where it is known."""

    record_id: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_record, (*super().__reduce__()[1], self.record_id)


def _rebuild_record(
    cls: type[BadRecordError], message: str, fields: dict[str, Any], record_id: str | None
) -> BadRecordError:
    error = cls(message, **fields)
    error.record_id = record_id
    return error


class PaginationError(CustomersError):
    """The pages contradict each other, so the walk can't be called complete."""


class LoopError(PaginationError):
    """The provider leads back to a place that was already read."""


class DriftError(PaginationError):
    """Rows moved during the walk and nothing proves that none was lost."""


class FilterIgnoredError(PaginationError):
    """The provider returned customers that the query excludes."""


class ExportError(CustomersError):
    """A file can't be written, or isn't what an export can go on with; what stood there before is as it was."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    429: RateLimitedError,
}


def class_for(status: int) -> type[ApiError]:
    """Choose the error class for an HTTP status.

    Args:
        status: Any HTTP status that is not a success.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return InvalidRequestError if 400 <= status < 500 else ApiError
