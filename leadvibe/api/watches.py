"""The watch list: leads that a member keeps an eye on, and what became of what they predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from leadvibe.api.fields import Name, storable
from leadvibe.events.orders import find_first_since
from leadvibe.identity.types import Principal
from leadvibe.leads import watching
from leadvibe.leads.watching import Watch
from leadvibe.lib.clock import utc_now

Notes = Annotated[str, Field(max_length=10_000), AfterValidator(storable)]


class NewWatch(BaseModel):
    """What you expect of the lead; all of it may be left out."""

    prediction: Name | None = Field(None, description="In a word or two, such as will_convert.")
    prediction_notes: Notes | None = Field(None, description="Why you think so.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWatchItem:
    watch_id: UUID
    lead_id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedLead:
    """A lead that you watch. It has `converted` once it ordered something since then."""

    watch_id: UUID
    lead_id: str
    lead_name: str
    prediction: str | None
    prediction_notes: str | None
    watched_at: datetime
    outcome: Literal["pending", "converted"]
    outcome_at: datetime | None
    score_at_watch: int
    current_score: int
    score_change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList:
    watched_leads: Sequence[WatchedLead]


def watch(principal: Principal, lead_id: str, body: NewWatch) -> NewWatchItem:
    """Watch a lead, for yourself alone. Watching it again changes what you predict of it."""
    made = watching.watch(
        principal.scope,
        _watcher(principal),
        lead_id,
        prediction=body.prediction,
        notes=body.prediction_notes,
        now=utc_now(),
    )
    return NewWatchItem(watch_id=made.watch_id, lead_id=made.lead_id, message="lead watched")


def unwatch(principal: Principal, lead_id: str) -> None:
    """Watch a lead no more."""
    watching.unwatch(principal.scope, _watcher(principal), lead_id)


def list_watched(principal: Principal) -> WatchList:
    """The leads that you watch, the latest first, with their scores then and now."""
    scope = principal.scope
    watches = watching.list_watches(scope, _watcher(principal))
    orders = find_first_since(scope, {it.lead_id: it.watched_at for it in watches})
    return WatchList(watched_leads=[_item(it, orders.get(it.lead_id)) for it in watches])


def _watcher(principal: Principal) -> UUID:
    assert principal.member_id is not None, "only members get as far as this"
    return principal.member_id


def _item(watch: Watch, ordered_at: datetime | None) -> WatchedLead:
    return WatchedLead(
        watch_id=watch.watch_id,
        lead_id=watch.lead_id,
        lead_name=watch.name,
        prediction=watch.prediction,
        prediction_notes=watch.prediction_notes,
        watched_at=watch.watched_at,
        outcome="pending" if ordered_at is None else "converted",
        outcome_at=ordered_at,
        score_at_watch=watch.score_then,
        current_score=watch.score_now,
        score_change=watch.score_now - watch.score_then,
    )
