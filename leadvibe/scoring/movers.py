"""Whose score moved within a span, by how much and mainly why: read from the ledger.

Only leads that may have moved are looked at, and no more than so many of them: of a unit where more
did, those that were active or looked at last. Whether that is all of them is said with the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leads.queries import count_listed
from leadvibe.lib.db import driver
from leadvibe.scoring.mixes import ScoreMix

MOST_LOOKED_AT = 5_000
"""Leads of each of the three kinds that may have moved: a third of a second in all."""

MOST_IN_ALL = 10_000
"""Leads up to which simply all of a unit are looked at."""


class Movement(NamedTuple):
    """A lead whose score is another at the end of a span than at its beginning."""

    lead_id: str
    name: str
    beginning: int
    ending: int
    score: int
    """The one it has now."""
    created_at: datetime

    @property
    def change(self) -> int:
        return self.ending - self.beginning


class Cause(NamedTuple):
    """What moved a score most in its direction; `kind` is one of the ledger's."""

    kind: str
    event_type: str
    points: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """The leads that may have moved; `is_complete` when no others can have."""

    leads: Sequence[Movement]
    is_complete: bool

    def risers(self, limit: int) -> list[Movement]:
        """Return those that rose most, the largest rise first."""
        rose = [it for it in self.leads if it.change > 0]
        return sorted(rose, key=lambda it: (-it.change, it.lead_id))[:limit]

    def fallers(self, limit: int) -> list[Movement]:
        """Return those that fell most, the deepest fall first."""
        fell = [it for it in self.leads if it.change < 0]
        return sorted(fell, key=lambda it: (it.change, it.lead_id))[:limit]

    def mix_before(self, now: ScoreMix, start: datetime) -> ScoreMix:
        """Return how many leads had which score at the start, told from the mix of now."""
        mix = dict(now)
        for lead in self.leads:
            mix[lead.score] = mix.get(lead.score, 0) - 1
            if lead.created_at < start:
                mix[lead.beginning] = mix.get(lead.beginning, 0) + 1
        return {score: leads for score, leads in mix.items() if leads > 0}


def list_movements(
    scope: Scope,
    *,
    start: datetime,
    end: datetime | None,
    most: int = MOST_LOOKED_AT,
    most_in_all: int = MOST_IN_ALL,
) -> Movements:
    """Return the leads that may have moved from `start` until `end`; None is now.

    Of the ruleset that stands for each lead now, by the events' own times.
    """
    bound = {"unit": scope.unit_id, "start": start, "end": end, "most": most}
    is_small = count_listed(scope) <= most_in_all
    rows = driver().execute(_OF_ALL if is_small else _OF_FOUND, bound).fetchall()
    found = max((row[-1] for row in rows), default=0)
    return Movements(leads=[Movement(*row[:-1]) for row in rows], is_complete=found < most)


def list_causes(
    scope: Scope,
    lead_ids: Collection[str],
    *,
    start: datetime,
    end: datetime | None,
) -> Mapping[str, Sequence[Cause]]:
    """Return what moved the leads' scores within the span, by lead, the most points first."""
    statement = """
        SELECT l.lead_id, e.kind, CASE WHEN e.kind = 'event' THEN v.event_type ELSE '' END AS type,
               sum(e.delta)::bigint AS points, count(*) AS times
        FROM leads l
        JOIN score_entries e ON e.unit_id = l.unit_id AND e.lead_id = l.lead_id
            AND e.ruleset_id = l.ruleset_id
        LEFT JOIN events v ON v.unit_id = e.unit_id AND v.event_id = e.event_id
        WHERE l.unit_id = %(unit)s AND l.lead_id = ANY(%(ids)s) AND e.occurred_at >= %(start)s
          AND (%(end)s::timestamptz IS NULL OR e.occurred_at < %(end)s)
        GROUP BY 1, 2, 3 ORDER BY points DESC, type
    """
    causes: dict[str, list[Cause]] = {}
    bound = {"unit": scope.unit_id, "ids": list(lead_ids), "start": start, "end": end}
    for lead_id, *cause in driver().execute(statement, bound):
        causes.setdefault(lead_id, []).append(Cause(*cause))
    return causes


_BEFORE = """
    coalesce((
        SELECT e.after FROM score_entries e
        WHERE e.unit_id = l.unit_id AND e.lead_id = l.lead_id AND e.ruleset_id = l.ruleset_id
          AND e.occurred_at < {}
        ORDER BY e.seq DESC LIMIT 1
    ), 0)
"""

_MOVED = f"""
    SELECT l.lead_id, l.name, {_BEFORE.format("%(start)s")},
           CASE WHEN %(end)s::timestamptz IS NULL THEN l.score
                ELSE {_BEFORE.format("%(end)s")} END,
           l.score, l.created_at, {{found}}
    FROM ({{candidates}}) AS candidate
    JOIN leads l ON l.unit_id = %(unit)s AND l.lead_id = candidate.lead_id
    WHERE l.merged_into IS NULL
"""  # noqa: S608 - text of ours

_OF_ALL = _MOVED.format(found="0", candidates="SELECT lead_id FROM leads WHERE unit_id = %(unit)s")

# Leads that did something, came, or had their score noted as another one since, as decay and
# rescores have it: each kind in the order of an index of its own, the latest first.
_FOUND = """
    WITH active AS MATERIALIZED (
        SELECT lead_id FROM leads
        WHERE unit_id = %(unit)s AND merged_into IS NULL AND last_event_at >= %(start)s
        ORDER BY last_event_at DESC NULLS LAST LIMIT %(most)s
    ), new AS MATERIALIZED (
        SELECT lead_id FROM leads
        WHERE unit_id = %(unit)s AND merged_into IS NULL AND created_at >= %(start)s
        ORDER BY created_at DESC LIMIT %(most)s
    ), noted AS MATERIALIZED (
        SELECT lead_id FROM score_snapshots
        WHERE unit_id = %(unit)s AND snapshot_at >= %(start)s
        ORDER BY snapshot_at DESC LIMIT %(most)s
    )
"""

_OF_FOUND = _FOUND + _MOVED.format(
    found="""greatest((SELECT count(*) FROM active), (SELECT count(*) FROM new),
                      (SELECT count(*) FROM noted))""",
    candidates="SELECT * FROM active UNION SELECT * FROM new UNION SELECT * FROM noted",
)
