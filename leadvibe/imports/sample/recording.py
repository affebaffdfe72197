"""What is recorded of each lead: how far sales is with it, its worth, and when it is called next.

Read off the journeys once they are told, so that no event depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from random import Random

from leadvibe.imports.sample.chance import chance
from leadvibe.imports.sample.journey import Draft, Journey
from leadvibe.imports.sample.origins import tell_origin
from leadvibe.imports.sample.planning import Prospect, plan_calls
from leadvibe.imports.sample.rhythm import Rhythm
from leadvibe.imports.sample.selling import CURRENCY, expected_amount
from leadvibe.imports.sample.types import Metadata, SampleChange, SampleRecord
from leadvibe.leads.statuses import Status

_OPEN = frozenset({Status.NOT_CONTACTED, Status.CONTACTED, Status.QUALIFIED})
_SALES = "Sales"
"""Who turns down what no rep has looked at."""
_LOSS_REASONS = {
    "deal_lost": "No decision",
    "trial_expired": "Trial ran out",
    "call_logged": "Not interested",
    "marked_as_spam": "Spam",
}
_SERIOUS = frozenset({"trial_signup", "demo_request"})
# Who is worth an estimate before there is a deal, and who has somebody to look after them.
_ESTIMATED_SHARE = {Status.CONTACTED: 0.4, Status.QUALIFIED: 1.0}
_KEPT_SHARE = {
    Status.CONTACTED: 0.6,
    Status.QUALIFIED: 0.9,
    Status.CONVERTED: 1.0,
    Status.LOST: 0.25,
}


@dataclass(slots=True)
class _File:
    """What sales knows of a lead, while it is read off the journey."""

    journey: Journey
    status: Status = Status.NOT_CONTACTED
    changes: list[SampleChange] = field(default_factory=list)
    fields: Metadata = field(default_factory=dict)
    rep: str | None = None
    is_serious: bool = False
    touched_at: float = 0.0
    """When sales last dealt with them, or they with the product's offer."""


def tell_records(rng: Random, rhythm: Rhythm, journeys: list[Journey]) -> tuple[SampleRecord, ...]:
    """Return a record of each journey; those of strangers and machines are empty."""
    files = [_File(journey) for journey in journeys]
    known = [file for file in files if _is_known(file.journey)]
    deals: set[object] = set()
    for file in known:
        _read(file, deals)
        _estimate(rng, file)
        if file.journey.person.company:  # Those who spam have none, nor do they stay for an advert.
            file.fields |= tell_origin(rng, file.journey)
        if not chance(rng, _KEPT_SHARE.get(file.status, 0.0)):
            file.rep = None
    _plan(rhythm, [file for file in known if file.status in _OPEN])
    return tuple(SampleRecord(file.fields, tuple(file.changes), file.rep) for file in files)


def _is_known(journey: Journey) -> bool:
    email = ("email", journey.person.email)
    return any(email in draft.aliases for draft in journey.drafts)


def _read(file: _File, deals: set[object]) -> None:
    """Follow the journey through what sales did. A deal is counted once, not for each colleague."""
    for draft in sorted(file.journey.drafts, key=attrgetter("at")):
        dealer = draft.metadata.get("by") or draft.metadata.get("owner")
        if dealer is not None:
            file.rep = str(dealer)
        _move(file, draft)
        is_serious = draft.event_type in _SERIOUS
        if is_serious or (dealer is not None and file.status is not Status.NOT_CONTACTED):
            file.touched_at = draft.at
        file.is_serious |= is_serious
        deal = draft.metadata.get("deal_id")
        if deal is not None and ("value" in file.fields or deal not in deals):
            deals.add(deal)
            file.fields |= {"value": draft.metadata["amount"], "currency": CURRENCY}


def _move(file: _File, draft: Draft) -> None:
    status = _status_after(file, draft)
    if status is None or status is file.status:
        return
    at = datetime.fromtimestamp(draft.at, UTC)
    file.changes.append(SampleChange(status, file.status, at, file.rep or _SALES))
    file.status = status
    file.fields.pop("loss_reason", None)
    if status is Status.LOST:
        file.fields["loss_reason"] = _loss_reason(draft)


def _status_after(file: _File, draft: Draft) -> Status | None:
    """Return where a deed leads to; None where it changes nothing, as of a deal that is won."""
    match draft.event_type, draft.metadata.get("outcome"):
        case _ if file.status is Status.CONVERTED:
            return None
        case "deal_won", _:
            return Status.CONVERTED
        case ("deal_lost" | "marked_as_spam", _) | ("call_logged", "not_interested"):
            return Status.LOST
        case "trial_expired", _ if file.status is Status.CONTACTED:
            return Status.LOST
        case "call_logged", "interested" if file.status is not Status.QUALIFIED:
            return Status.QUALIFIED if file.is_serious else Status.CONTACTED
        case "call_logged", _ if file.status is Status.NOT_CONTACTED:
            return Status.CONTACTED
        case "meeting_booked", _ if file.status is not Status.LOST:
            return Status.QUALIFIED
        case "proposal_viewed", _ if file.status is Status.CONTACTED:
            return Status.QUALIFIED
    return None


def _loss_reason(draft: Draft) -> str:
    reason = draft.metadata.get("lost_reason")
    return str(reason).capitalize() if reason else _LOSS_REASONS[draft.event_type]


def _estimate(rng: Random, file: _File) -> None:
    """Guess what a lead could be worth that nobody has made an offer to."""
    if "value" not in file.fields and chance(rng, _ESTIMATED_SHARE.get(file.status, 0.0)):
        amount = round(expected_amount(file.journey.person), -2)
        file.fields |= {"value": amount, "currency": CURRENCY}


def _plan(rhythm: Rhythm, files: list[_File]) -> None:
    """Plan the next call of those whom sales is busy with, or who have just asked for one."""
    files = sorted(files, key=attrgetter("touched_at"), reverse=True)
    prospects = [Prospect(it.journey.person.zone, it.touched_at) for it in files]
    for number, at in plan_calls(rhythm, prospects).items():
        files[number].fields["next_call_at"] = datetime.fromtimestamp(at, UTC).isoformat()
