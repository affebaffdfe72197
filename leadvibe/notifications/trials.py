"""Test notices: sent by hand through a channel, the way real ones go, to see whether it works."""

from __future__ import annotations

from datetime import datetime

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.ids import new_id
from leadvibe.notifications.addresses import addresses_of
from leadvibe.notifications.outbox import Addressee, Posting, post
from leadvibe.notifications.queries import list_deliveries_of
from leadvibe.notifications.types import (
    Channel,
    Delivery,
    Happening,
    Notice,
    NoticeLead,
    Reason,
    RecentAction,
    TriggerName,
    Wording,
)

SAMPLE_LEAD_ID = "sample-lead"
SAMPLE_NAME = "Sample Lead (test)"


def post_test(
    principal: Principal, scope: Scope, channel: Channel, *, now: datetime
) -> list[Delivery]:
    """Send a notice about a lead that does not exist; how it went shows among the deliveries."""
    notice = _notice(principal, scope, channel, now=now)
    prefix = str(channel.config.get("subject_prefix") or "")
    addressees = [
        Addressee(
            transport=channel.type.value,
            address=address,
            wording=Wording(subject_prefix=prefix),
            channel_id=channel.channel_id,
        )
        for address in addresses_of(channel)
    ]
    post(scope, [Posting(notice=notice, addressees=addressees)], now=now)
    return list_deliveries_of(scope, notice.id)


def _notice(principal: Principal, scope: Scope, channel: Channel, *, now: datetime) -> Notice:
    return Notice(
        event=Happening.TEST,
        id=new_id(),
        fired_at=now,
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        trigger=TriggerName(trigger_id="", name=f"Test of {channel.name}", type="test"),
        lead=NoticeLead(
            lead_id=SAMPLE_LEAD_ID,
            best_alias=SAMPLE_NAME,
            email="sample.lead@example.com",
            score=85,
            engagement_level="Hot",
            profile_level="Good fit",
            owner_name=None,
            metadata={"company": "Example Inc.", "note": "This lead does not exist."},
        ),
        cause=None,
        summary=f"is a test that {principal.label or 'somebody'} sent; nothing has happened",
        reasons=(Reason(event_type="demo_request", points=60, count=1),),
        recent=(RecentAction(event_type="demo_request", timestamp=now, channel="web"),),
    )
