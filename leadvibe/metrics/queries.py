"""Reads of figures: across all units, of what filters take out, and whether this code fits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, text, true
from sqlalchemy.exc import ProgrammingError

from leadvibe.engine.organic import Suppression, condition_of
from leadvibe.engine.policies import MetadataFilter
from leadvibe.events import queries as events
from leadvibe.events.models import EventRow
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, rollback, session
from leadvibe.metrics.suppression import SuppressedEvent
from leadvibe.metrics.types import Figures, SlackLatency
from leadvibe.notifications import queries as notifications
from leadvibe.segments.sql import condition_sql


def get_figures(*, now: datetime) -> Figures:
    """Return what has come in so far, what of it waits or failed, and how long things take."""
    inbox = events.inbox_status()
    age = now - inbox.oldest_at if inbox.oldest_at else timedelta(0)
    slack = driver().execute("SELECT at_most_seconds, deliveries, seconds FROM slack_latencies")
    return Figures(
        events_ingested=events.count_accepted(),
        queue_depth=inbox.waiting,
        lag_seconds=max(age.total_seconds(), 0.0),
        dead_letters=inbox.dead_letters,
        slack=tuple(map(SlackLatency._make, slack)),
        deliveries=notifications.count_outcomes(),
        deliveries_waiting=notifications.count_waiting(),
    )


def count_suppressed(
    scope: Scope, filters: Sequence[MetadataFilter], *, since: datetime | None = None
) -> dict[UUID, int]:
    """Return how many of the events that metadata filters took out each filter describes."""
    if not filters:
        return {}
    counts = [func.count().filter(_describes(one)) for one in filters]
    statement = select(*counts).where(
        EventRow.unit_id == scope.unit_id, EventRow.suppression_reason == Suppression.METADATA
    )
    if since is not None:
        statement = statement.where(EventRow.occurred_at >= since)
    row = session().execute(statement).one()
    return {one.filter_id: count for one, count in zip(filters, row, strict=True)}


def list_by_metadata(
    scope: Scope, one: MetadataFilter, *, since: datetime, limit: int
) -> list[SuppressedEvent]:
    """Return the latest of the events that metadata filters took out which a filter describes."""
    columns: tuple[Any, ...] = (
        EventRow.event_id,
        EventRow.lead_id,
        EventRow.event_type,
        EventRow.occurred_at,
        EventRow.suppression_reason,
        EventRow.metadata_,
    )
    statement = (
        select(*columns)
        .where(
            EventRow.unit_id == scope.unit_id,
            EventRow.suppression_reason == Suppression.METADATA,
            EventRow.occurred_at >= since,
            _describes(one),
        )
        .order_by(EventRow.occurred_at.desc(), EventRow.receipt.desc())
        .limit(limit)
    )
    return [SuppressedEvent(*row) for row in session().execute(statement)]


def _describes(one: MetadataFilter) -> ColumnElement[bool]:
    metadata = EventRow.__table__.c.metadata
    conditions = (condition_sql(metadata, condition_of(test)) for test in one.conditions)
    is_of_type = EventRow.event_type == one.event_type if one.event_type else true()
    return and_(is_of_type, *conditions)


def find_revision() -> str | None:
    """Return which migration the database is at, None before the first."""
    try:
        revision: str | None = session().scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # there is no such table yet
        rollback()
        return None
    return revision
