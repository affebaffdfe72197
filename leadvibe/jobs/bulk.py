"""The job that does something to many leads."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from leadvibe.bulk import service
from leadvibe.jobs.units import in_unit, is_stopping
from leadvibe.lib.queue import JobQueue


def run_action(unit_id: str, action_id: str) -> None:
    """Go on with a bulk action. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"bulk action {action_id}") as scope:
        if scope is not None:
            queue = JobQueue(current_app.extensions["leadvibe.redis"])
            service.advance_action(scope, UUID(action_id), queue=queue, is_stopping=is_stopping)
