"""Everything that an adapter is made of, for whoever adds a provider: one public place, kept stable.

Knows only where the pieces are; holds none itself. docs/adding-a-provider.md shows them at work, and
`unified_customers.conformance` checks what is made of them.
"""

from __future__ import annotations

from ._adapter import (
    Adapter,
    Batch,
    Keep,
    Position,
    Problem,
    Row,
    broken_filter,
    differing,
    raised,
    readable,
    refuse_disorder,
    refuse_own,
    unreadable,
)
from ._decode import Anything, Id, Number, array, count, cursor, decode, flag, obj, record
from ._problems import code, error_body, request_id, said
from ._records import Records
from ._settings import Secret, given, one_of, reveal, secret
from ._settings import address as base_address
from ._url import JSON, JSON_BODY, body, pairs, url
from ._values import address, full_name, joined, late, moment, read_only, stamp, text, whole, word_of
from ._wire import Request, Response, Token
from .errors import Fault
from .models import (
    EMPTY,
    Address,
    Capabilities,
    Customer,
    Kind,
    Metrics,
    Query,
    ReadOnlyDict,
    Status,
    open_enum,
)
from .paging import chunks, keyset, offset, windows
from .paging import cursor as cursors

__all__ = [
    "EMPTY",
    "JSON",
    "JSON_BODY",
    "Adapter",
    "Address",
    "Anything",
    "Batch",
    "Capabilities",
    "Customer",
    "Fault",
    "Id",
    "Keep",
    "Kind",
    "Metrics",
    "Number",
    "Position",
    "Problem",
    "Query",
    "ReadOnlyDict",
    "Records",
    "Request",
    "Response",
    "Row",
    "Secret",
    "Status",
    "Token",
    "address",
    "array",
    "base_address",
    "body",
    "broken_filter",
    "chunks",
    "code",
    "count",
    "cursor",
    "cursors",
    "decode",
    "differing",
    "error_body",
    "flag",
    "full_name",
    "given",
    "joined",
    "keyset",
    "late",
    "moment",
    "obj",
    "offset",
    "one_of",
    "open_enum",
    "pairs",
    "raised",
    "read_only",
    "readable",
    "record",
    "refuse_disorder",
    "refuse_own",
    "request_id",
    "reveal",
    "said",
    "secret",
    "stamp",
    "text",
    "unreadable",
    "url",
    "whole",
    "windows",
    "word_of",
]
