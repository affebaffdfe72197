"""How many leads there are by outcome, intake, a day, and one thing they have.

The day is that on which they were made, last changed or qualified; what they have is known of the
first alone. Triggers keep the counts, in the transaction that changes a record (see the migration
0039). Leads that are merged or being deleted are in none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leads.fields import CLICK_IDS
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.db import driver

FACETS = frozenset({"value", "qualified_at", *CLICK_IDS})
"""Columns of which it is known how many leads have a value."""

CONTACTED, OWNED, OWNED_CONTACTED = "is_contacted", "is_owned", "is_owned_contacted"
"""What else a facet can say: called but no further, with an owner (a claim may be over), both."""

BY_DAY_OF: Mapping[str, str] = MappingProxyType(
    {"created_at": "", "updated_at": "by_updated_at", "qualified_at": "by_qualified_at"}
)
"""The facet by which leads are counted on the day of a time. Whoever lacks that is in none."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Which leads: None for all. The day `before` is not included; days are those of `day_of`."""

    outcomes: Collection[str] | None = None
    intakes: Collection[str] | None = None
    facet: str = ""
    since: date | None = None
    before: date | None = None
    day_of: str = "created_at"


class Tally(NamedTuple):
    """Leads alike in what has come of them and how they came in; `value` is that of them all."""

    outcome: Outcome
    intake: str
    leads: int
    value: float


def tally(scope: Scope, wanted: Counted) -> list[Tally]:
    """Return how many leads there are of each kind that there is."""
    statement = """
        SELECT outcome, intake, sum(leads)::bigint, sum(value)::float8 FROM lead_record_counts
        WHERE unit_id = %(unit)s AND facet = %(facet)s
          AND outcome = ANY(%(outcomes)s)
          AND (%(intakes)s::text[] IS NULL OR intake = ANY(%(intakes)s))
          AND (%(since)s::date IS NULL OR day >= %(since)s)
          AND (%(before)s::date IS NULL OR day < %(before)s)
        GROUP BY outcome, intake HAVING sum(leads) <> 0 ORDER BY outcome, intake
    """
    bound = {
        "unit": scope.unit_id,
        "facet": wanted.facet or BY_DAY_OF[wanted.day_of],
        "outcomes": list(Outcome if wanted.outcomes is None else wanted.outcomes),
        "intakes": None if wanted.intakes is None else list(wanted.intakes),
        "since": wanted.since,
        "before": wanted.before,
    }
    rows = driver().execute(statement, bound)
    return [Tally(Outcome(outcome), *rest) for outcome, *rest in rows]


def count(scope: Scope, wanted: Counted) -> int:
    """Return how many leads there are."""
    return sum(each.leads for each in tally(scope, wanted))


def count_without(scope: Scope, wanted: Counted) -> int:
    """Return how many leads there are that do not have the facet."""
    return count(scope, replace(wanted, facet="")) - count(scope, wanted)
