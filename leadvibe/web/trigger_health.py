"""Whether what triggers tell gets there: their destinations, as far as anything was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.notifications.queries import find_destinations
from leadvibe.notifications.types import Destination
from leadvibe.triggers.addressing import AddressBook
from leadvibe.triggers.types import Trigger
from leadvibe.web.delivery_paths import DELIVERIES
from leadvibe.web.notice_words import SlackNames, place_of, slack_names
from leadvibe.web.pages.display import Tone, query_url
from leadvibe.web.pages.triggers import Health, Trouble


def examine(scope: Scope, triggers: Sequence[Trigger], *, now: datetime) -> Mapping[UUID, Health]:
    """Say of each trigger how its destinations are; owners of leads are not looked at."""
    book, names = AddressBook(scope), slack_names(scope)
    places = {it.trigger_id: book.places(it.recipients) for it in triggers}
    known = find_destinations(scope, set().union(*places.values()))
    return {
        trigger_id: _health([known[it] for it in sorted(told) if it in known], names, now=now)
        for trigger_id, told in places.items()
    }


def _health(told: Sequence[Destination], names: SlackNames, *, now: datetime) -> Health:
    troubles = tuple(_trouble(it, names, now=now) for it in told if it.failures)
    is_good = not troubles and any(it.last_delivered_at for it in told)
    return Health(troubles=troubles, is_good=is_good)


def _trouble(it: Destination, names: SlackNames, *, now: datetime) -> Trouble:
    is_paused = it.paused_until is not None and it.paused_until > now
    return Trouble(
        place=place_of(it.transport, it.address, names),
        state="Paused" if is_paused else "Failing",
        tone=Tone.BAD if is_paused else Tone.WARN,
        problem=it.problem or "",
        url=query_url(DELIVERIES, {"destination_id": str(it.destination_id)}),
    )
