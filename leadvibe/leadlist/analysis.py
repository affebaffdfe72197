"""What the members of an audience are like, beside all leads of the unit.

One look at each member says all that their scores and ages can; how many of a million leads have
which score is known without a look at any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Date, case, cast, func, select

from leadvibe.events.models import EventRow
from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import where_members
from leadvibe.leads.models import LeadRow
from leadvibe.lib.db import session
from leadvibe.segments.membership import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Makeup:
    """Members by score, and those who came lately by the Monday (UTC) of their week."""

    scores: Mapping[int, int]
    weeks: Mapping[date, int]

    @property
    def total(self) -> int:
        return sum(self.scores.values())


class Converted(NamedTuple):
    """How many did something: members, and leads in all."""

    members: int
    leads: int


def describe_members(scope: Scope, audience: Audience, *, since: datetime) -> Makeup:
    """Return what an audience is made up of; weeks count leads that were first seen since then."""
    week = cast(func.date_trunc("week", LeadRow.created_at, "UTC"), Date())
    recent = case((LeadRow.created_at >= since, week))
    statement = (
        select(LeadRow.score, recent, func.count())
        .where(*where_members(scope, audience))
        .group_by(LeadRow.score, recent)
    )
    scores: Counter[int] = Counter()
    weeks: Counter[date] = Counter()
    for score, monday, leads in session().execute(statement, {"unit_id": scope.unit_id}):
        scores[score] += leads
        if monday is not None:
            weeks[monday] += leads
    return Makeup(scores=scores, weeks=weeks)


def count_converted(
    scope: Scope, audience: Audience, *, event_type: str, since: datetime
) -> Converted:
    """Return who had an event of a type since then that counts, members now and in all.

    Every event since then is looked at by the index of events: see that they are not too many.
    """
    did = (
        select(EventRow.lead_id)
        .where(
            EventRow.unit_id == scope.unit_id,
            EventRow.occurred_at >= since,
            EventRow.event_type == event_type,
            EventRow.suppression_reason.is_(None),
            EventRow.lead_id.is_not(None),
        )
        .distinct()
    )
    statement = (
        select(func.count().filter(audience.condition), func.count())
        .select_from(LeadRow)
        .where(
            LeadRow.unit_id == scope.unit_id,
            LeadRow.merged_into.is_(None),
            LeadRow.lead_id.in_(did),
        )
    )
    return Converted(*session().execute(statement).one())
