"""Prometheus' view of this server."""

from __future__ import annotations

from flask import Response
from redis import RedisError

from leadvibe.http.workers import job_queue
from leadvibe.lib.clock import utc_now
from leadvibe.metrics import queries, service


def show_metrics() -> Response:
    """All series in Prometheus' text format."""
    figures = queries.get_figures(now=utc_now())
    text = service.render(figures, jobs_queued=_count_jobs())
    return Response(text, content_type=service.CONTENT_TYPE)


def _count_jobs() -> int | None:
    try:
        return job_queue().count_waiting()
    except RedisError:
        return None
