"""What a trigger would have done lately: the engine that makes it fire, over stored history.

As if it had been set up when the span began, in the order of the events' own times. Its filters
ask what leads are now. Leads stream by one after another, so a year of a large unit needs little
memory; nothing is written or sent.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from leadvibe.engine.facts import EntryKind
from leadvibe.engine.firing import Key, choose
from leadvibe.engine.patterns import Act, find_firings
from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.engine.rules import Config
from leadvibe.engine.triggers import (
    ANY_TYPE,
    Milestone,
    Pattern,
    Sequence,
    Shape,
    types_of,
    window_of,
)
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import list_names
from leadvibe.lib.db import driver
from leadvibe.scoring.queries import current_version, get_config
from leadvibe.triggers.filtering import passing
from leadvibe.triggers.types import MatchedLead, Setup, Simulation

SHOWN = 100
"""Leads that are named; all are counted."""
LEADS_AT_ONCE = 2_000
"""Matches that wait for the filters together."""
READ_SIZE = 5_000
ENTRIES_OF_AN_EVENT = 100
"""In one ruleset, where they stand beside each other: more than rules ever score one event."""
_NO_METADATA: dict[str, Any] = {}


class _Span(NamedTuple):
    """Whose history is looked at, and which part of it; no lead means all."""

    since: datetime
    until: datetime
    lead_id: str | None


class _Firings(NamedTuple):
    """What a trigger would have done for one lead; the rest is about the last time."""

    lead_id: str
    times: int
    at: datetime
    event_type: str
    score: int | None


class _Rise(NamedTuple):
    """An event through which a score reached a threshold."""

    key: Key
    event_type: str
    score: int


def simulate(
    scope: Scope, setup: Setup, *, days: int, now: datetime, lead_id: str | None = None
) -> Simulation:
    """Return what a trigger would have done in the last days, for one lead or for all."""
    span = _Span(now - timedelta(days=days), now, lead_id)
    config = get_config(scope, current_version(scope))
    find = _find_rises if isinstance(setup.shape, Milestone) else _find_matches
    firings, total, times, left_out = find(scope, setup, config, span), 0, 0, 0
    newest: list[MatchedLead] = []
    while part := list(islice(firings, LEADS_AT_ONCE)):
        names = list_names(scope, [it.lead_id for it in part])
        passed = passing(scope, setup.filters, names)
        kept = [_matched(it, names[it.lead_id]) for it in part if it.lead_id in passed]
        newest = heapq.nlargest(SHOWN, [*newest, *kept], key=attrgetter("fired_at"))
        total += len(kept)
        times += sum(it.count for it in kept)
        left_out += len(names) - len(kept)
    return Simulation(leads=tuple(newest), total=total, firings=times, left_out=left_out)


def _matched(it: _Firings, name: str) -> MatchedLead:
    return MatchedLead(
        lead_id=it.lead_id,
        name=name,
        fired_at=it.at,
        event_type=it.event_type,
        score=it.score,
        count=it.times,
    )


def _find_matches(scope: Scope, setup: Setup, config: Config, span: _Span) -> Iterator[_Firings]:
    """Yield for whom events complete the shape; those before the span may only take part."""
    assert not isinstance(setup.shape, Milestone)
    bound = _bound(scope, types_of(setup.shape), config, span) | {
        "back": span.since - window_of(setup.shape),
        "with_metadata": _asks_metadata(setup.shape),
    }
    for lead_id, rows in _by_lead(_EVENTS, bound):
        acts = [_act(*row[1:]) for row in rows]
        found = list(find_firings(setup.shape, acts, setup.pace, None))
        if found:
            last = found[-1]
            at, event_type = last.key[0], last.cause.event_type
            yield _Firings(lead_id, len(found), at, event_type, None)


def _act(
    event_id: UUID, event_type: str, at: datetime, receipt: int, metadata: str | None, *rest: Any
) -> Act:
    document = from_json(metadata) if metadata else _NO_METADATA
    return Act(event_id, event_type, at, receipt, document, *rest)


def _find_rises(scope: Scope, setup: Setup, config: Config, span: _Span) -> Iterator[_Firings]:
    """Yield whose score events took to the threshold."""
    assert isinstance(setup.shape, Milestone)
    primary = config.find_primary()
    bound = _bound(scope, types_of(setup.shape), config, span) | {
        "ruleset": setup.shape.ruleset_id or (primary.ruleset_id if primary else None),
        "threshold": setup.shape.score_threshold,
        "kind": EntryKind.EVENT,
        "reach": ENTRIES_OF_AN_EVENT,
    }
    for lead_id, rows in _by_lead(_RISES, bound):
        rises = (_Rise((at, receipt), kind, score) for _, at, receipt, kind, score in rows)
        found = list(choose(rises, setup.pace, None))
        last = found[-1]
        yield _Firings(lead_id, len(found), last.key[0], last.event_type, last.score)


def _bound(scope: Scope, wanted: Collection[str], config: Config, span: _Span) -> dict[str, Any]:
    decided = config.policies.event_types.items()
    unheard = {name for name, it in decided if it.hidden or it.reach is not Reach.ACTIVATE}
    return {
        "unit": scope.unit_id,
        "lead": span.lead_id,
        "since": span.since,
        "until": span.until,
        "types": None if ANY_TYPE in wanted else list(wanted),
        "unheard": list(unheard | SYSTEM_TYPES),
    }


def _asks_metadata(shape: Shape) -> bool:
    if isinstance(shape, Sequence):
        return any(step.tests for step in shape.steps)
    return isinstance(shape, Pattern) and any(it.step.tests for it in shape.counts)


def _by_lead(
    statement: str, bound: dict[str, Any]
) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """Yield each lead with its rows."""
    with driver().cursor(name="history") as cursor:
        cursor.itersize = READ_SIZE
        yield from groupby(cursor.execute(statement, bound), key=itemgetter(0))


_HEARD = """
    AND e.suppression_reason IS NULL AND e.receipt > 0
    AND (%(types)s::text[] IS NULL OR e.event_type = ANY(%(types)s))
    AND e.event_type <> ALL(%(unheard)s)
"""
_OF_LEAD = "(%(lead)s::text IS NULL OR {}.lead_id = %(lead)s)"

_EVENTS = f"""
    SELECT e.lead_id, e.event_id, e.event_type, e.occurred_at, e.receipt,
           CASE WHEN %(with_metadata)s THEN e.metadata::text END,
           e.occurred_at >= %(since)s, e.channel
    FROM events e
    WHERE e.unit_id = %(unit)s AND e.lead_id IS NOT NULL AND {_OF_LEAD.format("e")}
      AND e.occurred_at >= %(back)s AND e.occurred_at <= %(until)s {_HEARD}
    ORDER BY e.lead_id, e.occurred_at, e.receipt
"""  # noqa: S608 - names of ours

# What an event does in a ruleset is one step, however many rules score it: one of its entries
# crosses the threshold if the step does, but not the other way round. Each is looked up by itself,
# for the planner takes a join for a small one wherever it has no statistics yet.
_RISES = f"""
    WITH crossing AS MATERIALIZED (
        SELECT c.lead_id, c.event_id, min(c.seq) AS seq FROM score_entries c
        WHERE c.unit_id = %(unit)s AND c.ruleset_id = %(ruleset)s AND c.kind = %(kind)s
          AND {_OF_LEAD.format("c")}
          AND c.occurred_at >= %(since)s AND c.occurred_at <= %(until)s
          AND c.before < %(threshold)s AND c.after >= %(threshold)s
        GROUP BY c.lead_id, c.event_id
    )
    SELECT e.lead_id, e.occurred_at, e.receipt, e.event_type, step.after
    FROM crossing
    CROSS JOIN LATERAL (
        SELECT (array_agg(s.before ORDER BY s.seq))[1] AS before,
               (array_agg(s.after ORDER BY s.seq DESC))[1] AS after
        FROM score_entries s
        WHERE s.unit_id = %(unit)s AND s.lead_id = crossing.lead_id
          AND s.ruleset_id = %(ruleset)s AND s.event_id = crossing.event_id AND s.kind = %(kind)s
          AND s.seq BETWEEN crossing.seq - %(reach)s AND crossing.seq + %(reach)s
    ) AS step
    JOIN events e ON e.unit_id = (SELECT %(unit)s::uuid) AND e.event_id = crossing.event_id
    WHERE step.before < %(threshold)s AND step.after >= %(threshold)s {_HEARD}
    ORDER BY e.lead_id, e.occurred_at, e.receipt
"""  # noqa: S608 - names of ours
