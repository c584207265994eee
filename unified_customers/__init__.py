"""The customers of several billing providers through one model and one iterator.

    import unified_customers as uc

    with uc.connect("flexprice") as client:
        for customer in client.customers():
            print(customer.id, customer.status)

Everything public stands here and is imported at first use, so that importing the package is cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from ._account import CheckResult
    from ._listing import AsyncListing, Listing
    from ._retry import Retry
    from ._walk import Report
    from .adapters.flatpeak import Flatpeak
    from .adapters.flexportal import FlexPortal
    from .adapters.flexprice import Flexprice
    from .async_client import AsyncClient, connect_async
    from .client import Client, connect
    from .directory import AsyncDirectory, AsyncDirectoryListing, Directory, DirectoryListing, DirectoryReport
    from .errors import (
        ApiError,
        AuthenticationError,
        BadRecordError,
        CheckpointError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        CustomersError,
        DriftError,
        ExportError,
        Fault,
        FilterIgnoredError,
        InvalidRequestError,
        LoopError,
        MalformedResponseError,
        NotFoundError,
        PaginationError,
        PermissionDeniedError,
        RateLimitedError,
        RequestTimeoutError,
        ServerError,
        TransportError,
        UnknownOutcomeError,
        UnsupportedError,
    )
    from .events import Event
    from .models import (
        Address,
        Capabilities,
        Customer,
        CustomerFields,
        Kind,
        Metrics,
        Page,
        Query,
        Status,
        from_dict,
        to_dict,
    )
    from .moving.events import MoveEvent, MoveStoppedError
    from .moving.planning import plan
    from .moving.plans import MovePlan, PlannedMove
    from .moving.results import MoveMap, MoveProblem, MoveResult
    from .moving.summary import FieldLoss, MoveSummary
    from .moving.undoing import Undo, undo
    from .moving.verifying import MoveDifference, Verification, verify
    from .registry import providers
    from .reporting import Match, Matches, Summary, report
    from .sandbox import Sandbox as sandbox  # noqa: N813 - called like a function: uc.sandbox(...)
    from .tables.exporting import ExportResult, export
    from .tables.schema import SCHEMA

_ROOMS = {
    "_account": ("CheckResult",),
    "_listing": ("AsyncListing", "Listing"),
    "_retry": ("Retry",),
    "_walk": ("Report",),
    "async_client": ("AsyncClient", "connect_async"),
    "client": ("Client", "connect"),
    "directory": ("AsyncDirectory", "AsyncDirectoryListing", "Directory", "DirectoryListing", "DirectoryReport"),
    "errors": (
        "ApiError",
        "AuthenticationError",
        "BadRecordError",
        "CheckpointError",
        "ConfigurationError",
        "ConflictError",
        "ConnectionFailedError",
        "CustomersError",
        "DriftError",
        "ExportError",
        "Fault",
        "FilterIgnoredError",
        "InvalidRequestError",
        "LoopError",
        "MalformedResponseError",
        "NotFoundError",
        "PaginationError",
        "PermissionDeniedError",
        "RateLimitedError",
        "RequestTimeoutError",
        "ServerError",
        "TransportError",
        "UnknownOutcomeError",
        "UnsupportedError",
    ),
    "events": ("Event",),
    "models": (
        "Address",
        "Capabilities",
        "Customer",
        "CustomerFields",
        "Kind",
        "Metrics",
        "Page",
        "Query",
        "Status",
        "from_dict",
        "to_dict",
    ),
    "moving.events": ("MoveEvent", "MoveStoppedError"),
    "moving.planning": ("plan",),
    "moving.plans": ("MovePlan", "PlannedMove"),
    "moving.results": ("MoveMap", "MoveProblem", "MoveResult"),
    "moving.summary": ("FieldLoss", "MoveSummary"),
    "moving.undoing": ("Undo", "undo"),
    "moving.verifying": ("MoveDifference", "Verification", "verify"),
    "adapters.flatpeak": ("Flatpeak",),
    "adapters.flexportal": ("FlexPortal",),
    "adapters.flexprice": ("Flexprice",),
    "registry": ("providers",),
    "reporting": ("Match", "Matches", "Summary", "report"),
    "tables.exporting": ("ExportResult", "export"),
    "tables.schema": ("SCHEMA",),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [  # noqa: RUF022 - sorted as Python sorts
    "Address",
    "ApiError",
    "AsyncClient",
    "AsyncDirectory",
    "AsyncDirectoryListing",
    "AsyncListing",
    "AuthenticationError",
    "BadRecordError",
    "Capabilities",
    "CheckResult",
    "CheckpointError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "Customer",
    "CustomerFields",
    "CustomersError",
    "Directory",
    "DirectoryListing",
    "DirectoryReport",
    "DriftError",
    "Event",
    "ExportError",
    "ExportResult",
    "Fault",
    "FieldLoss",
    "FilterIgnoredError",
    "Flatpeak",
    "FlexPortal",
    "Flexprice",
    "InvalidRequestError",
    "Kind",
    "Listing",
    "LoopError",
    "MalformedResponseError",
    "Match",
    "Matches",
    "Metrics",
    "MoveDifference",
    "MoveEvent",
    "MoveMap",
    "MovePlan",
    "MoveProblem",
    "MoveResult",
    "MoveStoppedError",
    "MoveSummary",
    "NotFoundError",
    "Page",
    "PaginationError",
    "PermissionDeniedError",
    "PlannedMove",
    "Query",
    "RateLimitedError",
    "Report",
    "RequestTimeoutError",
    "Retry",
    "SCHEMA",
    "ServerError",
    "Status",
    "Summary",
    "TransportError",
    "Undo",
    "UnknownOutcomeError",
    "UnsupportedError",
    "Verification",
    "__version__",
    "connect",
    "connect_async",
    "export",
    "from_dict",
    "plan",
    "providers",
    "report",
    "sandbox",
    "to_dict",
    "undo",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in {"accounts", "sandbox", "scale", "spark"}:
        return importlib.import_module(f"unified_customers.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
