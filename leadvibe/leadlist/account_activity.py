"""Who owns accounts, and how many of an account's people were active lately."""

from __future__ import annotations

from datetime import date, datetime

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


def list_owners(scope: Scope, *, limit: int) -> list[str]:
    """Return who owns accounts that have leads, by name; those with the most, when too many."""
    statement = """
        SELECT owner_name FROM (
            SELECT owner_name FROM accounts
            WHERE unit_id = %s AND leads_count > 0 AND owner_name IS NOT NULL
            GROUP BY owner_name ORDER BY count(*) DESC LIMIT %s
        ) AS owners ORDER BY owner_name
    """
    return [name for (name,) in driver().execute(statement, (scope.unit_id, limit))]


def count_active(scope: Scope, account_id: str, *, since: datetime) -> int:
    """Return how many leads of an account have done something since then."""
    statement = """
        SELECT count(*) FROM leads
        WHERE unit_id = %s AND account_id = %s AND merged_into IS NULL AND last_event_at >= %s
    """
    row = driver().execute(statement, (scope.unit_id, account_id, since)).fetchone()
    assert row is not None
    return int(row[0])


def count_active_by_day(scope: Scope, account_id: str, *, since: datetime) -> dict[date, int]:
    """Return how many leads of an account began a session on each day (UTC) that had any."""
    statement = """
        SELECT (s.started_at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT s.lead_id)
        FROM leads l JOIN lead_sessions s ON s.unit_id = l.unit_id AND s.lead_id = l.lead_id
        WHERE l.unit_id = %(unit)s AND l.account_id = %(account)s AND l.merged_into IS NULL
          AND l.last_event_at >= %(since)s AND s.started_at >= %(since)s
        GROUP BY day
    """
    bound = {"unit": scope.unit_id, "account": account_id, "since": since}
    return dict(driver().execute(statement, bound).fetchall())
