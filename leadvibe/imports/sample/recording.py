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
# How likely each step is after the one before, and between how many days.
_WRITTEN_TO: tuple[tuple[Status, float, tuple[float, float]], ...] = (
    (Status.CONTACTED, 0.75, (0.1, 2)),
    (Status.QUALIFIED, 0.65, (0.5, 4)),
    (Status.CONVERTED, 0.4, (1, 9)),
)
# Of the others only the source is known: each property is written again with every batch of events.
_TRACED_SHARE = 0.12
_FREE_EVERY = 4
"""So many calls are planned for each that anybody may claim."""
_SERIOUS = frozenset({"trial_signup", "trial_expired", "demo_request"})
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
    is_keen: bool = False
    touched_at: float = 0.0
    """When sales last dealt with them, or they with the product's offer."""


def tell_records(rng: Random, rhythm: Rhythm, journeys: list[Journey]) -> tuple[SampleRecord, ...]:
    """Return a record of each journey: an empty one of strangers, a lost lead of who spams."""
    files = [_File(journey) for journey in journeys]
    known = [file for file in files if _is_known(file.journey)]
    deals: set[object] = set()
    for file in known:
        _read(file, deals)
    real = [file for file in known if file.journey.person.company]  # Those who spam have none.
    for file in real:
        _go_on(rng, file)
        _estimate(rng, file)
        is_traced = bool(file.changes) or chance(rng, _TRACED_SHARE)
        file.fields |= tell_origin(rng, file.journey, is_traced=is_traced)
        if not chance(rng, _KEPT_SHARE.get(file.status, 0.0)):
            file.rep = None
    _plan(rng, rhythm, [file for file in real if file.status in _OPEN])
    return tuple(SampleRecord(file.fields, tuple(file.changes), file.rep) for file in files)


def _is_known(journey: Journey) -> bool:
    email = ("email", journey.person.email)
    return any(email in draft.aliases for draft in journey.drafts)


def _has_phone(journey: Journey) -> bool:
    return any(kind == "phone" for draft in journey.drafts for kind, _ in draft.aliases)


def _read(file: _File, deals: set[object]) -> None:
    """Follow the journey through what sales did. A deal is counted once, not for each colleague."""
    for draft in sorted(file.journey.drafts, key=attrgetter("at")):
        dealer = draft.metadata.get("by") or draft.metadata.get("owner")
        if dealer is not None:
            file.rep = str(dealer)
        _move(file, draft)
        if draft.event_type in _SERIOUS or (dealer and file.status is not Status.NOT_CONTACTED):
            file.touched_at = draft.at
        file.is_serious |= draft.event_type in _SERIOUS
        file.is_keen |= draft.metadata.get("outcome") == "interested"
        deal = draft.metadata.get("deal_id")
        if deal is not None and ("value" in file.fields or deal not in deals):
            deals.add(deal)
            _value(file, draft.metadata["amount"])


def _value(file: _File, amount: object) -> None:
    file.fields |= {"value": amount, "currency": CURRENCY}


def _move(file: _File, draft: Draft) -> None:
    status = _status_after(file, draft)
    if status is None or status is file.status:
        return
    _change(file, status, draft.at)
    if status is Status.LOST:
        file.fields["loss_reason"] = _loss_reason(draft)


def _change(file: _File, status: Status, at: float) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    file.changes.append(SampleChange(status, file.status, moment, file.rep or _SALES))
    file.status, file.touched_at = status, at
    file.fields.pop("loss_reason", None)


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


def _go_on(rng: Random, file: _File) -> None:
    """Let a rep write to who is interested and has no deal yet; some buy just so."""
    if file.is_serious and not file.changes:
        file.rep, steps = rng.choice(file.journey.reps), _WRITTEN_TO
    elif file.is_keen and file.status is Status.CONTACTED:
        steps = _WRITTEN_TO[1:]
    else:
        return
    at = file.touched_at
    for status, share, days in steps:
        at = file.journey.later(at, days=days)
        if at >= file.journey.rhythm.end or not chance(rng, share):
            return
        _change(file, status, at)
    _value(file, expected_amount(file.journey.person))


def _estimate(rng: Random, file: _File) -> None:
    """Guess what a lead could be worth that nobody has made an offer to."""
    if "value" not in file.fields and chance(rng, _ESTIMATED_SHARE.get(file.status, 0.0)):
        _value(file, round(expected_amount(file.journey.person), -2))


def _plan(rng: Random, rhythm: Rhythm, files: list[_File]) -> None:
    """Plan the next call of those whom sales is busy with, or who have just asked for one."""
    files = sorted(files, key=attrgetter("touched_at"), reverse=True)
    prospects = [
        Prospect(it.journey.person.zone, it.touched_at, _has_phone(it.journey)) for it in files
    ]
    for place, (number, at) in enumerate(plan_calls(rhythm, prospects).items(), start=1):
        file = files[number]
        file.fields["next_call_at"] = datetime.fromtimestamp(at, UTC).isoformat()
        is_free = place % _FREE_EVERY == 0
        file.rep = None if is_free else file.rep or rng.choice(file.journey.reps)
