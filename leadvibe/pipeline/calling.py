"""What follows from a call that a member has made: status, next call, a note and an event.

The event is the member's act, so it scores nothing unless a rule says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from leadvibe.identity.types import Member, Scope
from leadvibe.leads import notes, statuses
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.statuses import Status
from leadvibe.pipeline import intake, recording
from leadvibe.pipeline.intake import IncomingEvent

CALL_LOGGED = "call_logged"
SOURCE = "app"
LOSS_REASON = "Not interested"


class CallOutcome(StrEnum):
    NO_ANSWER = "no_answer"
    LEFT_MESSAGE = "left_message"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    WRONG_NUMBER = "wrong_number"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    CallOutcome.NO_ANSWER: "No answer",
    CallOutcome.LEFT_MESSAGE: "Left a message",
    CallOutcome.INTERESTED: "Talked: interested",
    CallOutcome.NOT_INTERESTED: "Talked: not interested",
    CallOutcome.WRONG_NUMBER: "Wrong number",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made; `next_call_at` None plans no other."""

    outcome: CallOutcome
    note: str = ""
    next_call_at: datetime | None = None


def log_call(
    scope: Scope, caller: Member, lead_id: str, call: Call, *, now: datetime
) -> Status | None:
    """Record a call; returns the lead's status if it is another one now.

    Raises LeadNotFoundError, and TooLargeError when the lead's metadata is full.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    status = status_after(statuses.status_of(scope, lead.lead_id), call.outcome)
    planned = call.next_call_at
    properties: dict[str, Any] = {"next_call_at": planned.isoformat() if planned else None}
    if status is Status.LOST:
        properties["loss_reason"] = LOSS_REASON
    changed = recording.update_lead(
        scope,
        lead.lead_id,
        properties=properties,
        status=status,
        by=caller.name,
        via=SOURCE,
        now=now,
    )
    if call.note:
        text = f"{call.outcome.label}\n{call.note}"
        notes.write_note(scope, caller, lead.lead_id, text, now=now)
    metadata = {"outcome": call.outcome.value, "by": caller.name}
    event = IncomingEvent(event_type=CALL_LOGGED, lead_id=lead.lead_id, metadata=metadata)
    intake.accept(scope, [event], source=SOURCE, now=now)
    return changed


def status_after(current: Status, outcome: CallOutcome) -> Status | None:
    """Return the status that a call gives a lead; None leaves it as it is.

    A deal that is won stays won, and a lost lead that turns out interested is open again.
    """
    if outcome is CallOutcome.NOT_INTERESTED:
        return None if current in {Status.CONVERTED, Status.LOST} else Status.LOST
    is_back = current is Status.LOST and outcome is CallOutcome.INTERESTED
    return Status.CONTACTED if current is Status.NOT_CONTACTED or is_back else None
