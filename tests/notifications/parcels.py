"""Parcels to send: make_parcel(...) with only what matters to the test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from leadvibe.notifications.types import (
    Cause,
    Happening,
    Notice,
    NoticeLead,
    Parcel,
    Reason,
    RecentAction,
    TriggerName,
    Wording,
)

NOW = datetime(2026, 11, 28, 9, 12, 30, tzinfo=UTC)

LEAD = NoticeLead(
    lead_id="lead-1",
    best_alias="Ada Example",
    email="ada@example.test",
    score=1085,
    engagement_level="Hot",
    profile_level="A",
    owner_name="Olga Owner",
    metadata={"company": "Example GmbH", "employees": 250},
)

NOTICE = Notice(
    event=Happening.MILESTONE_REACHED,
    id=UUID(int=1),
    fired_at=NOW,
    org_id=UUID(int=2),
    unit_id=UUID(int=3),
    trigger=TriggerName(trigger_id="trigger-1", name="Sales ready", type="milestone"),
    lead=LEAD,
    cause=Cause(
        event_id=UUID(int=4), event_type="demo_request", timestamp=NOW, metadata={"page": "/demo"}
    ),
    summary="reached 85 points (Hot)",
    reasons=(
        Reason(event_type="demo_request", points=100, count=2),
        Reason(event_type="unsubscribe", points=-15, count=1),
    ),
    recent=(RecentAction(event_type="pricing_page", timestamp=NOW, channel="web"),),
    details={"threshold": 85},
)


def make_lead(**changes) -> NoticeLead:
    return replace(LEAD, **changes)


def make_notice(**changes) -> Notice:
    return replace(NOTICE, **changes)


def make_parcel(*, number: int = 9, wording: Wording | None = None, folded=(), **changes) -> Parcel:
    """Return the parcel of a notice with these changes."""
    return Parcel(
        delivery_id=UUID(int=number),
        notice=make_notice(**changes),
        lead_url="https://leads.example.com/app/leads/lead-1",
        wording=wording or Wording(),
        folded=tuple(folded),
    )
