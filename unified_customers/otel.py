"""OpenTelemetry: a listener that turns a client's events into spans and metrics.

Knows events and the OpenTelemetry API, which it imports when it is used; must not know httpx, and patches nothing. The
names are those of the semantic conventions for HTTP clients; what these lack begins with ``unified_customers.``.

    client = uc.Client(account, on_event=otel.OpenTelemetry())
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import attrs

from ._version import __version__
from .errors import ConfigurationError
from .events import Event, PageRead, Repeated, RequestEnded, SteppedBack, WalkBegan, WalkEnded

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["OpenTelemetry"]

_OURS = "unified_customers"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # semconv's for this metric
_LATE = 256  # walks that have ended, of which a request that was sent ahead may still be under way


@attrs.define
class _Walk:
    """The spans of a walk that goes on, and the contexts that make others their children."""

    span: Span
    inside: Context
    page: Span | None = None
    in_page: Context | None = None


class OpenTelemetry:
    """What to give as `on_event=`: a span for each walk, page and request, and metrics.

    One may serve any number of clients and directories, in threads and on event loops. To have a listener of your own
    as well: ``on_event=events.each(mine, OpenTelemetry())``.

    A walk's span is a child of the span that was current where the walk was started (``for customer in …``), also
    where a directory's threads read. It is never made current itself: a walk goes on between your own spans. No
    ``traceparent`` is sent: the provider is a third party, to whom your trace is no business. Nor does any attribute
    hold an address with its query, a filter's value, a customer's data or a key.

    Args:
        tracer_provider: Where spans go; the global provider by default.
        meter_provider: Where metrics go; the global provider by default.
        account_metrics: Whether metrics tell accounts of a directory apart: a time series for each of them.

    Raises:
        ConfigurationError: OpenTelemetry's API is not installed.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        account_metrics: bool = False,
    ) -> None:
        try:
            from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError("OpenTelemetry needs an extra: pip install 'unified-customers[otel]'") from None
        self._api = trace
        self._tracer = trace.get_tracer(_OURS, __version__, tracer_provider)
        self._count = _Metrics(metrics.get_meter(_OURS, __version__, meter_provider), account=account_metrics)
        self._walks: dict[int, _Walk] = {}
        self._late: OrderedDict[int, Context] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._count.take(event)
        walk = None if event.walk is None else self._walks.get(event.walk)
        match event:
            case WalkBegan():
                self._began(event)
            case RequestEnded():
                self._request(event, walk)
            case Repeated() if walk is not None:
                walk.span.add_event("retry", _known({f"{_OURS}.wait": event.wait, "error.type": _reason(event)}))
            case PageRead() | SteppedBack() if walk is not None:
                self._page(event, walk)
            case WalkEnded() if walk is not None:
                self._ended(event, walk)
            case _:
                pass

    def _began(self, event: WalkBegan) -> None:
        attributes = {
            **_whose(event),
            f"{_OURS}.walk": event.walk,
            f"{_OURS}.filters": event.filters,
            f"{_OURS}.page_size": event.page_size,
        }
        span = self._tracer.start_span(f"walk {event.provider}", attributes=_known(attributes))
        if event.walk is not None:
            self._walks[event.walk] = _Walk(span, self._api.set_span_in_context(span))

    def _request(self, event: RequestEnded, walk: _Walk | None) -> None:
        end = time.time_ns()
        start = end - int(event.elapsed * 1e9)
        span = self._tracer.start_span(
            event.method if event.template is None else f"{event.method} {event.template}",
            context=self._parent(event, walk, start),
            kind=self._api.SpanKind.CLIENT,
            start_time=start,
            attributes=_known({**_whose(event), **_http(event), **_resent(event)}),
        )
        if _failed(event):
            span.set_status(self._api.StatusCode.ERROR)
        span.end(end)

    def _parent(self, event: RequestEnded, walk: _Walk | None, start: int) -> Context | None:
        """The page that is being read; the walk for a request before its turn; else what is current (`None`)."""
        if walk is None:
            return self._late.get(event.walk or 0)
        if event.ahead:
            return walk.inside
        if walk.page is None:
            walk.page = self._tracer.start_span("read page", context=walk.inside, start_time=start)
            walk.in_page = self._api.set_span_in_context(walk.page)
        return walk.in_page

    def _page(self, event: PageRead | SteppedBack, walk: _Walk) -> None:
        span = walk.page or self._tracer.start_span("read page", context=walk.inside)
        walk.page = walk.in_page = None
        attributes = {
            **_whose(event),
            f"{_OURS}.page.number": event.number,
            f"{_OURS}.page.customers": event.items,
            f"{_OURS}.page.duplicates": event.duplicates,
            f"{_OURS}.page.bad_records": event.bad,
            f"{_OURS}.total": event.total,
            f"{_OURS}.drift": event.reason if isinstance(event, SteppedBack) else None,
        }
        span.set_attributes(_known(attributes))
        span.end()

    def _ended(self, event: WalkEnded, walk: _Walk) -> None:
        with self._lock:
            self._walks.pop(event.walk or 0, None)
            self._late[event.walk or 0] = walk.inside
            if len(self._late) > _LATE:
                self._late.popitem(last=False)
        if walk.page is not None:  # its last request was in vain
            self._close(walk.page, event.error)
        attributes = {
            f"{_OURS}.outcome": event.outcome,
            f"{_OURS}.customers": event.read,
            f"{_OURS}.pages": event.pages,
            f"{_OURS}.requests": event.requests,
            f"{_OURS}.retries": event.retries,
            f"{_OURS}.waited": event.waited,
            f"{_OURS}.bad_records": event.bad,
        }
        walk.span.set_attributes(attributes)
        self._close(walk.span, event.error)

    def _close(self, span: Span, error: str | None) -> None:
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(self._api.StatusCode.ERROR)
        span.end()


class _Metrics:
    """The instruments, and what each event adds to them."""

    def __init__(self, meter: Any, *, account: bool) -> None:
        self._account = account
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        counters = {
            "walks": ("{walk}", "Walks that ended, by how."),
            "customers": ("{customer}", "Customers that were read."),
            "retries": ("{retry}", "Requests that were sent again."),
            "wait.duration": ("s", "Seconds of waiting before requests were sent again."),
            "bad_records": ("{record}", "Records that could not be read and were left out."),
        }
        self._counters = {
            name: meter.create_counter(f"{_OURS}.{name}", unit=unit, description=says)
            for name, (unit, says) in counters.items()
        }

    def take(self, event: Event) -> None:
        whose = _whose(event) if self._account else {f"{_OURS}.provider": event.provider}
        match event:
            case RequestEnded():
                self._duration.record(event.elapsed, _known({**whose, **_http(event)}))
            case Repeated():
                self._add(whose | {"error.type": _reason(event)}, {"retries": 1, "wait.duration": event.wait})
            case PageRead() | SteppedBack():
                self._add(whose, {"customers": event.items, "bad_records": event.bad})
            case WalkEnded():
                self._add(whose | {f"{_OURS}.outcome": event.outcome, "error.type": event.error}, {"walks": 1})
            case _:
                pass

    def _add(self, attributes: dict[str, Any], amounts: dict[str, float]) -> None:
        for name, amount in amounts.items():
            if amount:
                self._counters[name].add(amount, _known(attributes))


def _whose(event: Event) -> dict[str, Any]:
    return {f"{_OURS}.provider": event.provider, f"{_OURS}.account": event.account}


def _http(event: RequestEnded) -> dict[str, Any]:
    return {
        "http.request.method": event.method,
        "server.address": event.host,
        "server.port": event.port,
        "url.template": event.template,
        "http.response.status_code": event.status,
        "error.type": _failed(event),
    }


def _resent(event: RequestEnded) -> dict[str, Any]:
    return {
        "http.request.resend_count": event.resends or None,
        f"{_OURS}.what": event.what,
        f"{_OURS}.ahead": event.ahead or None,
    }


def _failed(event: RequestEnded) -> str | None:
    """The conventions' `error.type`: the status from 400 on, or what kept an answer from coming."""
    if event.status is None:
        return event.error or "_OTHER"
    return str(event.status) if event.status >= 400 else None


def _reason(event: Repeated) -> str:
    return event.reason if event.status is None else str(event.status)


def _known(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}
