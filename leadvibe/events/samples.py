"""The latest events of a unit, to be looked at rather than counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


class SampledEvent(NamedTuple):
    lead_id: str | None
    event_type: str
    occurred_at: datetime
    receipt: int
    metadata: Mapping[str, Any]


def read_latest(
    scope: Scope, *, event_type: str | None = None, since: datetime, limit: int
) -> list[SampledEvent]:
    """Return the latest events since an instant, newest first, of one type or of all."""
    statement = """
        SELECT lead_id, event_type, occurred_at, receipt, metadata::text FROM events
        WHERE unit_id = %(unit)s AND occurred_at >= %(since)s AND receipt > 0
          AND (%(type)s::text IS NULL OR event_type = %(type)s)
        ORDER BY occurred_at DESC, receipt DESC LIMIT %(limit)s
    """
    bound = {"unit": scope.unit_id, "since": since, "type": event_type, "limit": limit}
    rows = driver().execute(statement, bound)
    return [
        SampledEvent(lead_id, name, at, receipt, from_json(text))
        for lead_id, name, at, receipt, text in rows
    ]
