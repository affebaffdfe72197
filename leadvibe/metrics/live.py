"""What the live stream of a unit says: new events, scores that have moved, and surges.

Does not say who may listen, nor how messages travel (lib.radio).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadvibe.identity.types import Scope
from leadvibe.lib.radio import Message

NEW_EVENT = "new_event"
SCORE_UPDATE = "score_update"
SURGE = "surge"

GAP = Message("gap", '{"type":"gap"}')
"""Something was left out: whoever shows more than single messages reads it anew."""


def topic_of(scope: Scope) -> str:
    """Return the topic that a unit's news are sent under."""
    return str(scope.unit_id)


def new_event(
    *, event_id: UUID, lead_id: str, event_type: str, occurred_at: datetime, channel: str
) -> Message:
    """Say that an event was processed, and counts."""
    return _message(
        NEW_EVENT,
        event_id=event_id,
        lead_id=lead_id,
        event_type=event_type,
        timestamp=occurred_at,
        channel=channel,
    )


def score_update(*, lead_id: str, ruleset_id: UUID, delta: int, score: int) -> Message:
    """Say by how much a lead's score in a ruleset has moved, and where it stands now."""
    return _message(SCORE_UPDATE, lead_id=lead_id, delta=delta, score=score, ruleset_id=ruleset_id)


def surge(*, lead_id: str, trigger_id: UUID, name: str, event_type: str, at: datetime) -> Message:
    """Say that a lead did so much that a surge trigger fired."""
    return _message(
        SURGE, lead_id=lead_id, trigger_id=trigger_id, name=name, event_type=event_type,
        timestamp=at,
    )  # fmt: skip


def _message(kind: str, **said: Any) -> Message:
    return Message(kind, to_json({"type": kind, **said}).decode())
