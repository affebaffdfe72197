"""Events that filters put aside before anybody knew whose they were, when other filters rule.

A rescore sends them back to the inbox; a preview lets them in for as long as its transaction lasts.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from leadvibe.engine.engagement import Awarder
from leadvibe.engine.rules import Config
from leadvibe.events import service as events
from leadvibe.events import unclaimed
from leadvibe.events.unclaimed import UnclaimedEvent
from leadvibe.identity.types import Scope
from leadvibe.leads import service as leads
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import Identity
from leadvibe.scoring import queries as score_queries


class Stretch(NamedTuple):
    """Events that were looked at, up to a receipt, and how many of them went back."""

    last_receipt: int
    events: int


class Admission(NamedTuple):
    """What letting events in came to: whom they went to, and who turned out to be one person."""

    events: int
    lead_ids: frozenset[str]
    folded: frozenset[str]


def send_back(scope: Scope, config: Config, *, after: int = 0) -> Stretch | None:
    """Send events that a configuration lets count back to the inbox; None when there are no more.

    Goes on after a receipt. Needs the identities' lock, and flushes without committing.
    """
    waiting = unclaimed.list_unclaimed(scope, after=after)
    if not waiting:
        return None
    awarder = score_queries.compile_for(config)
    wanted = [event.event_id for event in waiting if _is_let_in(event, awarder)]
    if wanted:
        unclaimed.return_to_inbox(scope, wanted)
    return Stretch(waiting[-1].receipt, len(wanted))


def let_in(scope: Scope, config: Config, *, now: datetime) -> Admission:
    """Give the events that a configuration lets count to their leads, old and new.

    For a transaction that is rolled back: it makes leads and aliases, and scores nothing. Needs
    the identities' lock.
    """
    awarder = score_queries.compile_for(config)
    count, after = 0, 0
    lead_ids, folded = set[str](), set[str]()
    while waiting := unclaimed.list_unclaimed(scope, after=after):
        after = waiting[-1].receipt
        wanted = [event for event in waiting if _is_let_in(event, awarder)]
        if not wanted:
            continue
        resolution = leads.resolve_identities(scope, [_identity(it) for it in wanted], now=now)
        events.move_events(scope, resolution.folded)
        found = zip(wanted, resolution.lead_ids, strict=True)
        unclaimed.give_to(scope, {event.event_id: lead_id for event, lead_id in found})
        count += len(wanted)
        lead_ids |= {*resolution.lead_ids, *resolution.folded.values()}
        folded |= resolution.folded.keys()
    return Admission(count, frozenset(lead_ids - folded), frozenset(folded))


def _is_let_in(event: UnclaimedEvent, awarder: Awarder) -> bool:
    """Say whether a configuration would have made or found the event's lead."""
    if event.event_type in awarder.banned:
        return False
    test = awarder.metadata_test
    return not (
        test.concerns(event.event_type) and test.suppresses(event.event_type, event.metadata)
    )


def _identity(event: UnclaimedEvent) -> Identity:
    aliases = tuple(make_alias(kind, value) for kind, value in event.aliases)
    return Identity(event.lead_id, aliases, event.source, event.received_at)
