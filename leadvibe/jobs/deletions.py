"""The jobs that delete for good what somebody asked to be gone."""

from __future__ import annotations

from leadvibe.jobs.units import in_unit, is_stopping
from leadvibe.pipeline import deletion, type_deletion


def delete_lead(unit_id: str, lead_id: str) -> None:
    """Go on deleting a lead. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, "a lead deletion", even_archived=True) as scope:
        if scope is not None:
            deletion.advance_deletion(scope, lead_id, is_stopping=is_stopping)


def delete_event_type(unit_id: str, event_type: str) -> None:
    """Go on deleting a type's events. Called twice, or by two workers, it does no harm."""
    what = f"the deletion of {event_type} events"
    with in_unit(unit_id, what, even_archived=True) as scope:
        if scope is not None:
            type_deletion.advance_type_deletion(scope, event_type, is_stopping=is_stopping)
