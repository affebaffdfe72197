"""Prometheus series: what web processes count together, and the rest from the database.

With PROMETHEUS_MULTIPROC_DIR set, as gunicorn's workers have it, the client library counts in
files there, and any of them can tell the sum; without it a process only knows of itself. Workers
of the background share no folder with web processes, nor always a machine: what they have to tell
stands in the database.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from leadvibe.lib.db import driver
from leadvibe.metrics.types import Figures, SlackLatency

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SLACK_SECONDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, math.inf)
"""Upper ends of the buckets: a page should take less than the first few, an event to Slack some
seconds, and what is tried again up to minutes."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD = "OTHER"
"""What all else is counted as, so that nobody can make a new series with each request."""

_requests = Counter(
    "http_requests",
    "Total number of HTTP requests by status code and method.",
    ("code", "method"),
    registry=None,
)
_durations = Histogram(
    "http_request_duration_seconds",
    "Time from receiving a request until its answer is ready, by route and method.",
    ("route", "method"),
    buckets=REQUEST_SECONDS,
    registry=None,
)
_streams = Gauge(
    "live_streams_open",
    "Live streams that are open at this moment.",
    registry=None,
    multiprocess_mode="livesum",
)
_OURS: tuple[Counter | Histogram | Gauge, ...] = (_requests, _durations, _streams)


def note_request(*, method: str, status: int, route: str, seconds: float) -> None:
    """Count a request that has been answered, and how long that took."""
    known_method = method if method in _METHODS else _OTHER_METHOD
    _requests.labels(str(status), known_method).inc()
    _durations.labels(route, known_method).observe(seconds)


def note_stream_opened() -> None:
    """Count a live stream that has begun."""
    _streams.inc()


def note_stream_closed() -> None:
    """Count a live stream that is over."""
    _streams.dec()


def note_slack_latencies(latencies: Iterable[float]) -> None:
    """Count deliveries to Slack and how many seconds after their events, with the transaction."""
    sums: dict[float, tuple[int, float]] = {}
    for seconds in latencies:
        bucket = next(end for end in SLACK_SECONDS if seconds <= end)
        count, total = sums.get(bucket, (0, 0.0))
        sums[bucket] = (count + 1, total + max(seconds, 0.0))
    statement = """
        INSERT INTO slack_latencies (at_most_seconds, deliveries, seconds) VALUES (%s, %s, %s)
        ON CONFLICT (at_most_seconds) DO UPDATE SET
            deliveries = slack_latencies.deliveries + excluded.deliveries,
            seconds = slack_latencies.seconds + excluded.seconds
    """
    for bucket in sorted(sums):
        driver().execute(statement, (bucket, *sums[bucket]))


def render(figures: Figures, *, jobs_queued: int | None = None) -> bytes:
    """Return all series in Prometheus' text format; jobs are left out while they are not known."""
    registry = CollectorRegistry()
    registry.register(_Series(figures, jobs_queued))
    return generate_latest(registry)


class _Series(Collector):
    """The series by the names that the contract gives them, and ours after them."""

    def __init__(self, figures: Figures, jobs_queued: int | None) -> None:
        self._figures = figures
        self._jobs_queued = jobs_queued

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield CounterMetricFamily(
            "events_ingested",
            "Total number of events ingested (accepted).",
            value=figures.events_ingested,
        )
        yield GaugeMetricFamily(
            "queue_depth",
            "Current depth of the async processing queue.",
            value=figures.queue_depth,
        )
        yield _slack_latency(figures.slack)
        yield from _counted()
        yield GaugeMetricFamily(
            "pipeline_lag_seconds",
            "Age of the oldest event that waits to be scored; 0 when none does.",
            value=figures.lag_seconds,
        )
        yield GaugeMetricFamily(
            "dead_letters",
            "Events that could not be processed and wait for a decision.",
            value=figures.dead_letters,
        )
        yield _deliveries(figures.deliveries)
        yield GaugeMetricFamily(
            "deliveries_waiting",
            "Notifications that wait to be sent, or to be tried again.",
            value=figures.deliveries_waiting,
        )
        if self._jobs_queued is not None:
            yield GaugeMetricFamily(
                "jobs_queued", "Jobs that wait for a worker.", value=self._jobs_queued
            )


def _deliveries(counted: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "notification_deliveries",
        "Attempts to send notifications, by how they ended.",
        labels=("transport", "outcome"),
    )
    for labels, count in counted.items():
        family.add_metric(labels, count)
    return family


def _slack_latency(counted: Iterable[SlackLatency]) -> Metric:
    by_end = {it.at_most_seconds: it for it in counted}
    counts = [by_end[end].deliveries if end in by_end else 0 for end in SLACK_SECONDS]
    sums = zip(map(floatToGoString, SLACK_SECONDS), accumulate(counts), strict=True)
    return HistogramMetricFamily(
        "event_to_slack_latency_seconds",
        "Latency in seconds from event ingestion to Slack notification.",
        buckets=list(sums),
        sum_value=sum(it.seconds for it in by_end.values()),
    )


def _counted() -> Iterator[Metric]:
    """Yield what web processes counted; each family is there before its first sample."""
    if values.ValueClass is values.MutexValue:
        found = [metric for mine in _OURS for metric in mine.collect()]
    else:
        collector: Collector = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
        found = list(collector.collect())
    for mine in _OURS:
        [described] = mine.describe()
        family = Metric(described.name, described.documentation, described.type)
        # When a series was created is no figure of ours, and differs between processes.
        family.samples = [
            sample
            for metric in found
            if metric.name == described.name
            for sample in metric.samples
            if not sample.name.endswith("_created")
        ]
        yield family
