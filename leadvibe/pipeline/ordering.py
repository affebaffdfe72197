"""Taking in an order: whose it is is found out as for an event, and nothing is scored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from leadvibe.events import service as events
from leadvibe.events.orders import save_order
from leadvibe.events.types import Order
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.leads.types import Alias, Identity
from leadvibe.pipeline.describe import describe_leads
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.pipeline.scorebook import current_config

SOURCE = "order"
"""What a lead that an order makes carries as its source."""


def record_order(
    scope: Scope,
    *,
    order_id: str,
    lead_id: str | None,
    aliases: tuple[Alias, ...],
    amount: Decimal,
    currency: str,
    status: str,
    ordered_at: datetime,
    items: list[dict[str, Any]],
    now: datetime,
) -> Order:
    """Keep an order for the lead it names, which is made when nobody knows it yet.

    The same order_id again replaces what was said of it. An anonymous visitor that it shows to be
    somebody is folded in as by an event. Waits for the pipeline's batch of the unit.
    """
    leads.lock_identities(scope)
    identity = Identity(lead_id, aliases, SOURCE, now)
    resolution = leads.resolve_identities(scope, [identity], now=now)
    events.move_events(scope, resolution.folded)
    [buyer_id] = resolution.lead_ids
    moved = {*resolution.folded, *resolution.folded.values()}
    if moved:
        retell_leads(scope, sorted(moved), now=now)
    else:
        describe_leads(scope, {buyer_id: ()}, current_config(scope), now=now)
    return save_order(
        scope,
        buyer_id,
        order_id,
        amount=amount,
        currency=currency,
        status=status,
        ordered_at=ordered_at,
        items=items,
        now=now,
    )
