"""How many leads a period has brought, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from flask import Response

from leadvibe.dialects.octanist.bodies import StatsQuery, refusal
from leadvibe.dialects.octanist.dates import MILLISECOND, read_day
from leadvibe.dialects.octanist.envelope import answer_success, write_number, write_time
from leadvibe.dialects.octanist.lead_fields import SOURCES
from leadvibe.identity.types import Principal
from leadvibe.leads.record_counts import Counted, Tally, tally
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.clock import utc_now


class Period(NamedTuple):
    """From a day to another one, which is not in it."""

    first: date
    end: date


def show_stats(principal: Principal, *, body: StatsQuery) -> Response:
    """What the leads made within a period have come to."""
    first, end = _period(body, today=utc_now().date())
    since, before = _midnight(first), _midnight(end)
    tallies = tally(principal.scope, Counted(since=first, before=end))
    total = sum(it.leads for it in tallies)
    usage = {
        "leadsUsed": total,
        "leadsLimit": None,
        "lockedLeads": 0,
        "periodStart": write_time(since),
        "periodEnd": write_time(before - MILLISECOND),
    }
    return answer_success({"usage": usage, **_leads(tallies, total)})


def _leads(tallies: Iterable[Tally], total: int) -> dict[str, Any]:
    by_status = dict.fromkeys((it.value for it in Outcome), 0)
    by_source = dict.fromkeys(SOURCES, 0)
    won_value = 0.0
    for outcome, intake, count, value in tallies:
        by_status[outcome] += count
        by_source[intake] += count
        won_value += value if outcome is Outcome.WON else 0
    won, qualified = by_status["won"], by_status["won"] + by_status["qualified"]
    conversion = {
        "qualified": qualified,
        "qualificationRate": _ratio(total - by_status["open"], total),
        "winRate": _ratio(won, qualified),
        "averageValue": _ratio(won_value, won),
        "totalValue": write_number(won_value),
    }
    leads = {"total": total, "byStatus": by_status, "bySource": by_source}
    return {"leads": leads, "conversion": conversion}


def _ratio(part: float, whole: float) -> float | int | None:
    return write_number(part / whole if whole else 0)


def _period(body: StatsQuery, *, today: date) -> Period:
    month = today.replace(day=1)
    names_days = body.startDate is not None or body.endDate is not None
    if body.period == "custom" or ("period" not in body.model_fields_set and names_days):
        return custom_period(body.startDate, body.endDate)
    if body.period == "previous":
        return Period((month - timedelta(days=1)).replace(day=1), month)
    return Period(month, (month + timedelta(days=31)).replace(day=1))


def custom_period(start: str | None, end: str | None) -> Period:
    """Return the days that a client names. Raises BadDateError, and InvalidError without them."""
    given = {"startDate": start, "endDate": end}
    if missing := {name: "is missing: it is required" for name, it in given.items() if it is None}:
        raise refusal(missing)
    first, last = read_day("startDate", start), read_day("endDate", end)
    if first > last:
        raise refusal({"endDate": "must not be before startDate"})
    return Period(first, last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
