"""Deleting, and what follows from it: scores become what they were without what is gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from leadvibe.events import service as events
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.pipeline import rescore


def delete_events(scope: Scope, event_ids: Collection[UUID], *, now: datetime) -> int:
    """Delete events for good and replay their leads; returns how many there were.

    Waits for the pipeline's batch of the unit. A message that is deleted may be sent again.
    """
    leads.lock_identities(scope)
    lead_ids = events.delete_events(scope, event_ids)
    rescore.replay_leads(scope, sorted(set(lead_ids)), now=now)
    return len(lead_ids)
