"""Prometheus series: requests counted across the processes of a server, the rest from the database.

With PROMETHEUS_MULTIPROC_DIR set, as gunicorn's workers have it, the client library counts in
files there, and any of them can tell the sum; without it a process only knows of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest, values
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from leadvibe.metrics.types import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD = "OTHER"
"""What all else is counted as, so that nobody can make a new series with each request."""

_REQUESTS_HELP = "Total number of HTTP requests by status code and method."
_requests = Counter("http_requests", _REQUESTS_HELP, ("code", "method"), registry=None)


def count_request(*, method: str, status: int) -> None:
    """Count a request that has been answered."""
    _requests.labels(str(status), method if method in _METHODS else _OTHER_METHOD).inc()


def render(figures: Figures) -> bytes:
    """Return all series in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Series(figures))
    return generate_latest(registry)


class _Series(Collector):
    """The series by the names that the contract gives them."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "events_ingested",
            "Total number of events ingested (accepted).",
            value=self._figures.events_ingested,
        )
        yield GaugeMetricFamily(
            "queue_depth",
            "Current depth of the async processing queue.",
            value=self._figures.queue_depth,
        )
        yield HistogramMetricFamily(
            "event_to_slack_latency_seconds",
            "Latency in seconds from event ingestion to Slack notification.",
        )
        yield _counted_requests()


def _counted_requests() -> Metric:
    family = CounterMetricFamily("http_requests", _REQUESTS_HELP, labels=("code", "method"))
    for metric in _counters():
        for sample in metric.samples:
            if sample.name == "http_requests_total":
                labels = (sample.labels["code"], sample.labels["method"])
                family.add_metric(labels, sample.value)
    return family


def _counters() -> Iterable[Metric]:
    if values.ValueClass is values.MutexValue:
        return _requests.collect()
    collector: Collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
    return collector.collect()
