"""Ad spend as it is reported. Flushes without committing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from leadvibe.adspend.types import Spend
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


def report_spend(scope: Scope, reports: Sequence[Spend]) -> int:
    """Keep what campaigns have cost, in the place of what was reported for the same days.

    Of two reports for one campaign and day the later one counts; returns how many are kept.
    """
    latest = {(it.day, it.platform, it.campaign_id): it for it in reports}
    # In one order, so that two who report the same do not wait for one another.
    rows = [(scope.unit_id, *astuple(latest[key])) for key in sorted(latest)]
    with driver().cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO ad_spend (unit_id, day, platform, campaign_id, campaign_name, currency,
                spend, clicks, impressions)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (unit_id, day, platform, campaign_id) DO UPDATE SET
                campaign_name = excluded.campaign_name, currency = excluded.currency,
                spend = excluded.spend, clicks = excluded.clicks,
                impressions = excluded.impressions
            """,
            rows,
        )
    return len(rows)
