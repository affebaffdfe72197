"""Leads whose past has changed: worth and known for what the events say that they have now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadvibe.identity.types import Scope
from leadvibe.pipeline import rescore
from leadvibe.pipeline.describe import describe_leads
from leadvibe.pipeline.scorebook import current_config


def retell_leads(scope: Scope, lead_ids: Sequence[str], *, now: datetime) -> None:
    """Replay leads, each event under its own version, and describe them by what events told.

    What only events brought that they do not have any more is forgotten. Needs the identities'
    lock, and flushes without committing.
    """
    rescore.replay_leads(scope, lead_ids, now=now, is_afresh=True)
    describe_leads(scope, {}, current_config(scope), now=now, rebuilt=lead_ids)
