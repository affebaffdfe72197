"""Ad spend, added up and in pages."""

from __future__ import annotations

from typing import Any

from leadvibe.adspend.types import Grouping, SpendLine, SpendQuery
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

_NOTHING = "NULL"
_GROUPED: dict[Grouping, tuple[str, str, str, str]] = {
    Grouping.DAY: ("day", _NOTHING, _NOTHING, _NOTHING),
    Grouping.PLATFORM: (_NOTHING, "platform", _NOTHING, _NOTHING),
    # A campaign is called what it was called last.
    Grouping.CAMPAIGN: (
        _NOTHING,
        "platform",
        "campaign_id",
        "(array_agg(campaign_name ORDER BY day DESC) FILTER (WHERE campaign_name <> ''))[1]",
    ),
}


def list_spend(scope: Scope, query: SpendQuery, request: PageRequest) -> Page[SpendLine]:
    """Return a page of the report: days ascending, then platforms and campaigns by name."""
    where, bound = _where(scope, query)
    columns, group = _columns(query.grouping)
    lines = f"SELECT {columns} FROM ad_spend WHERE {where}{group}"
    [total] = driver().execute(f"SELECT count(*) FROM ({lines}) AS lines", bound).fetchone() or [0]
    statement = f"""
        SELECT * FROM ({lines}) AS lines
        ORDER BY day, platform, campaign_id, currency LIMIT %(limit)s OFFSET %(offset)s
    """
    rows = driver().execute(statement, {**bound, "limit": request.size, "offset": request.offset})
    return Page([SpendLine(*row) for row in rows], Total(int(total)), request)


def _where(scope: Scope, query: SpendQuery) -> tuple[str, dict[str, Any]]:
    bound = {"unit": scope.unit_id, "first": query.first, "last": query.last}
    where = "unit_id = %(unit)s AND day BETWEEN %(first)s AND %(last)s"
    if query.platform is None:
        return where, bound
    return f"{where} AND platform = %(platform)s", {**bound, "platform": query.platform}


def _columns(grouping: Grouping | None) -> tuple[str, str]:
    """Return what is selected, and the clause that groups it."""
    if grouping is None:
        columns = "day, platform, campaign_id, campaign_name, currency, spend, clicks, impressions"
        return columns, ""
    day, platform, campaign, name = _GROUPED[grouping]
    keys = [it for it in (day, platform, campaign) if it != _NOTHING]
    columns = f"""
        {day}::date AS day, {platform}::text AS platform, {campaign}::text AS campaign_id,
        {name}::text AS campaign_name, currency, sum(spend) AS spend,
        sum(clicks)::bigint AS clicks, sum(impressions)::bigint AS impressions
    """
    return columns, f" GROUP BY {', '.join((*keys, 'currency'))}"
