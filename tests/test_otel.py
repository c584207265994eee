"""Spans and metrics, read back from the SDK's in-memory exporters."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import unified_customers as uc
from unified_customers import events
from unified_customers.otel import OpenTelemetry

CLASSES = {"flexportal": uc.FlexPortal, "flexprice": uc.Flexprice, "flatpeak": uc.Flatpeak}
PLANTED = "planted.person@example.com"


class Collected:
    """A tracer provider and a meter provider of a test's own, and what went into them."""

    def __init__(self, **options):
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader])
        self.listener = OpenTelemetry(tracer_provider=self.tracers, meter_provider=meters, **options)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def named(self, start):
        return [span for span in self.spans if span.name.startswith(start)]

    def points(self):
        """Each metric's unit and data points, by name."""
        data = self.reader.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        return {metric.name: (metric.unit, list(metric.data.data_points)) for metric in metrics}

    def sums(self):
        """Each counter's sum, by name."""
        return {
            name: sum(point.value for point in points)
            for name, (_, points) in self.points().items()
            if name != "http.client.request.duration"
        }


@pytest.fixture
def box():
    with uc.sandbox(customers=25) as box:
        yield box


def account(box, name):
    return CLASSES[name](**getattr(box, name).settings)


def parents(spans):
    """Each span's parent, by name; `None` where it is not among them."""
    by_id = {span.context.span_id: span for span in spans}
    return [(span.name, span.parent and getattr(by_id.get(span.parent.span_id), "name", None)) for span in spans]


@pytest.mark.parametrize("name", CLASSES)
def test_a_walk_has_pages_and_these_have_requests(box, name):
    """Each with the attributes of the conventions for HTTP clients."""
    collected = Collected()
    with uc.Client(account(box, name), on_event=collected.listener) as client:
        assert len(list(client.customers(page_size=10))) == 25
    (walk,) = collected.named("walk")
    assert dict(walk.attributes)["unified_customers.customers"] == 25
    assert walk.attributes["unified_customers.outcome"] == "complete"
    assert walk.status.status_code is StatusCode.UNSET
    pages = collected.named("read page")
    assert sum(span.attributes["unified_customers.page.customers"] for span in pages) == 25
    assert all(span.parent.span_id == walk.context.span_id for span in pages)
    requests = [span for span in collected.spans if span.kind is SpanKind.CLIENT]
    assert {parent for name, parent in parents(collected.spans) if name[:4] in {"GET ", "POST"}} == {"read page"}
    assert len(requests) == walk.attributes["unified_customers.requests"] + (name == "flatpeak")
    for span in requests:
        assert span.name == f"{span.attributes['http.request.method']} {span.attributes['url.template']}"
        assert span.attributes["server.address"] == "127.0.0.1"
        assert span.attributes["server.port"] == int(box.url.rpartition(":")[2])
        assert span.attributes["http.response.status_code"] == 200
        assert "error.type" not in span.attributes
        assert span.start_time < span.end_time
    assert all(span.start_time >= walk.start_time and span.end_time <= walk.end_time for span in requests)
    assert all(p.start_time <= p.end_time for p in pages)


def test_a_repeat_is_counted_and_seen(box):
    """As a failed request, a resend, an event of the walk and two counters."""
    box.flexprice.fault("429", times=2, retry_after=0)
    collected = Collected()
    retry = uc.Retry(attempts=3, jitter=0, first_wait=0.001)
    with uc.Client(account(box, "flexprice"), retry=retry, on_event=collected.listener) as client:
        assert len(list(client.customers())) == 25
    requests = collected.named("GET ")[:3]
    assert [span.attributes["http.response.status_code"] for span in requests] == [429, 429, 200]
    assert [span.attributes.get("http.request.resend_count") for span in requests] == [None, 1, 2]
    assert [span.attributes.get("error.type") for span in requests] == ["429", "429", None]
    assert [span.status.status_code for span in requests] == [StatusCode.ERROR] * 2 + [StatusCode.UNSET]
    (walk,) = collected.named("walk")
    assert [event.name for event in walk.events] == ["retry", "retry"]
    assert walk.attributes["unified_customers.retries"] == 2
    sums = collected.sums()
    assert sums["unified_customers.retries"] == 2
    assert sums.get("unified_customers.wait.duration", 0) == pytest.approx(walk.attributes["unified_customers.waited"])


def test_metrics_have_units_and_add_up(box):
    """Seconds for durations, curly braces for what is counted."""
    box.flexprice.fault("bad-record", times=1)
    collected = Collected()
    with uc.Client(account(box, "flexprice"), on_event=collected.listener) as client:
        read = len(list(client.customers(page_size=10, on_bad_record="skip")))
    assert collected.sums() == {
        "unified_customers.customers": read,
        "unified_customers.bad_records": 1,
        "unified_customers.walks": 1,
    }
    points = collected.points()
    assert {name: unit for name, (unit, _) in points.items()} == {
        "http.client.request.duration": "s",
        "unified_customers.customers": "{customer}",
        "unified_customers.bad_records": "{record}",
        "unified_customers.walks": "{walk}",
    }
    durations = points["http.client.request.duration"][1]
    (walk,) = collected.named("walk")
    assert sum(point.count for point in durations) == walk.attributes["unified_customers.requests"]
    assert durations[0].explicit_bounds[0] == 0.005


def test_a_walk_that_fails_is_an_error_and_may_begin_again(box):
    """A span for each beginning."""
    box.flexportal.fault("503", times=1)
    collected = Collected()
    client = uc.Client(account(box, "flexportal"), retry=uc.Retry(attempts=1), on_event=collected.listener)
    with client:
        walk = iter(client.customers())
        with pytest.raises(uc.ServerError):
            next(walk)
        assert len(list(walk)) == 25
    failed, complete = collected.named("walk")
    assert failed.attributes["error.type"] == "ServerError"
    assert failed.status.status_code is StatusCode.ERROR
    assert complete.status.status_code is StatusCode.UNSET
    assert collected.named("read page")[0].status.status_code is StatusCode.ERROR


def test_a_server_that_is_not_there_has_a_type(box):
    """The class of the HTTP library's error."""
    collected = Collected()
    gone = uc.Flexprice(api_key="k", base_url="http://127.0.0.1:1")
    client = uc.Client(gone, retry=uc.Retry(attempts=1), on_event=collected.listener)
    with client, pytest.raises(uc.ConnectionFailedError):
        client.count()
    (span,) = collected.spans
    assert span.attributes["error.type"] == "ConnectError"
    assert "http.response.status_code" not in span.attributes


@pytest.mark.parametrize(
    "keywords", [{"prefetch": 2}, {"concurrency": 3}, {"concurrency": 3, "ordered": False}], ids=str
)
def test_requests_before_their_turn_belong_to_the_walk(box, keywords):
    """Though threads of their own send them."""
    collected = Collected()
    with uc.Client(account(box, "flexprice"), on_event=collected.listener) as client:
        assert len(list(client.customers(page_size=5, **keywords))) == 25
    (walk,) = collected.named("walk")
    ahead = [span for span in collected.spans if span.attributes.get("unified_customers.ahead")]
    assert ahead  # one that was sent in vain may end later than the walk: it is its child even so
    assert {span.parent.span_id for span in ahead} == {walk.context.span_id}


def test_a_walk_is_a_child_of_what_was_current_where_it_began(box):
    """Also in a directory, whose threads have no current span; and a lone request of where it was made."""
    collected = Collected()
    tracer = collected.tracers.get_tracer("test")
    accounts = {f"{name}-account": account(box, name) for name in CLASSES}
    with uc.Directory(accounts, on_event=collected.listener) as directory:
        listing = directory.customers(page_size=10)
        with tracer.start_as_current_span("monday"):
            assert len(list(listing)) == 75
    walks = collected.named("walk")
    assert {span.attributes["unified_customers.account"] for span in walks} == set(accounts)
    assert {parent for name, parent in parents(collected.spans) if name.startswith("walk")} == {"monday"}
    with (
        tracer.start_as_current_span("tuesday"),
        uc.Client(account(box, "flexprice"), on_event=collected.listener) as c,
    ):
        c.count()
    assert "tuesday" in {parent for name, parent in parents(collected.spans) if name.startswith("GET")}
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.anyio
async def test_it_works_in_tasks(box):
    """On asyncio and trio, alone and in a directory."""
    collected = Collected()
    tracer = collected.tracers.get_tracer("test")
    with tracer.start_as_current_span("monday"):
        async with uc.AsyncClient(account(box, "flatpeak"), on_event=collected.listener) as client:
            assert len([customer async for customer in client.customers(page_size=10)]) == 25
        accounts = {"a": account(box, "flexportal"), "b": account(box, "flexprice")}
        async with uc.AsyncDirectory(accounts, on_event=collected.listener) as directory:
            assert len([customer async for customer in directory.customers()]) == 50
    found = parents(collected.spans)
    assert [parent for name, parent in found if name.startswith("walk")] == ["monday"] * 3
    assert {parent for name, parent in found if name.startswith(("GET", "POST"))} == {"read page"}


def test_metrics_tell_accounts_apart_only_when_asked(box):
    """A thousand accounts would be thousands of time series."""
    for told in (False, True):
        collected = Collected(account_metrics=told)
        with uc.Directory({"berlin": account(box, "flatpeak")}, on_event=collected.listener) as directory:
            list(directory.customers())
        points = [point for _, points in collected.points().values() for point in points]
        assert {"unified_customers.account" in point.attributes for point in points} == {told}


@pytest.mark.parametrize("name", CLASSES)
def test_no_attribute_holds_anything_planted(box, name):
    """No key, no filter's value, no id, no address with its query; also not where things go wrong."""
    collected = Collected()
    settings = account(box, name)
    held = getattr(box, name).ids[0]
    with uc.Client(settings, retry=uc.Retry(attempts=1), on_event=collected.listener) as client:
        list(client.customers(email=PLANTED, unsupported="local"))
        client.customer(held)
        with pytest.raises(uc.CustomersError):
            client.customer(PLANTED)
        people = list(client.customers(page_size=10))
        getattr(box, name).fault("500", times=1)
        with pytest.raises(uc.ServerError):
            list(client.customers(email=PLANTED, unsupported="local"))
    said = [(s.name, s.attributes, s.events, s.status, s.links, s.resource.attributes) for s in collected.spans]
    text = repr(
        [(n, dict(a), [(e.name, dict(e.attributes)) for e in ev], st.description, li) for n, a, ev, st, li, _ in said]
    )
    text += repr([dict(point.attributes) for _, points in collected.points().values() for point in points])
    secret = [*settings.secrets(), PLANTED, "?limit", held, *(p.email for p in people if p.email)]
    assert [word for word in secret if word in text] == []
    assert "500" in text


def test_no_traceparent_goes_to_the_provider(box):
    """The provider is a third party."""
    import httpx

    heads = []
    http = httpx.Client(event_hooks={"request": [lambda request: heads.append(set(request.headers))]})
    collected = Collected()
    with collected.tracers.get_tracer("test").start_as_current_span("monday"), http:
        client = uc.Client(account(box, "flexprice"), http_client=http, on_event=collected.listener)
        list(client.customers())
    assert heads
    assert not {"traceparent", "tracestate", "baggage"} & set().union(*heads)


def test_a_walk_that_is_left_ends_its_span(box):
    """And the listener holds nothing of it."""
    collected = Collected()
    with uc.Client(account(box, "flexprice"), on_event=collected.listener) as client:
        for _ in client.customers(page_size=10):
            break
        assert [span.attributes["unified_customers.outcome"] for span in collected.named("walk")] == ["left"]
    assert collected.listener._walks == {}


def test_it_composes_with_a_listener_of_ones_own(box):
    """Each hears every event, also when the other raises."""
    collected, heard = Collected(), []

    def mine(event):
        heard.append(event)
        if event.kind == "page":
            raise ZeroDivisionError

    with uc.Client(account(box, "flatpeak"), on_event=events.each(mine, collected.listener)) as client:
        walk = iter(client.customers())
        with pytest.raises(ZeroDivisionError):
            next(walk)
        assert len(list(walk)) == 25
    assert len([event for event in heard if event.kind == "page"]) == len(collected.named("read page"))


def test_without_the_extra_the_error_names_it():
    """And the module itself can be imported."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import unified_customers as uc\nfrom unified_customers import otel\n"
        "try:\n    otel.OpenTelemetry()\nexcept uc.ConfigurationError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'unified-customers[otel]'" in done.stdout


def test_the_core_does_not_load_it():
    """Nobody pays for what is not used."""
    made = "import sys, unified_customers as uc; uc.Client(uc.Flexprice(api_key='k'))"
    code = f"{made}; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
