"""All that is stored about a unit's leads, to be compared before and after."""

from __future__ import annotations

from typing import Any

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

# When something was written is not what was written; what Leadvibe did stays in the timeline.
_READS = {
    "leads": """
        SELECT lead_id, merged_into, merged_by, lost_events, score, ruleset_id, last_event_at,
               last_event_type, event_count, session_count, surge_place, last_decay_at,
               base_version, name, detail, metadata::text, account_id
        FROM leads WHERE unit_id = %s
    """,
    "aliases": """
        SELECT kind, value, raw_value, lead_id, original_lead_id, alias_id, created_at
        FROM lead_aliases WHERE unit_id = %s
    """,
    "search": "SELECT lead_id, text FROM lead_search WHERE unit_id = %s",
    "events": """
        SELECT event_id, lead_id, original_lead_id, event_type, occurred_at, suppression_reason,
               is_folded, metadata::text
        FROM events WHERE unit_id = %s AND event_type NOT LIKE 'lead_%%merged'
    """,
    "ledger": """
        SELECT lead_id, ruleset_id, seq, event_id, rule_id, version, kind, weight,
               multiplier_percent, before, delta, after, occurred_at
        FROM score_entries WHERE unit_id = %s
    """,
    "scores": "SELECT lead_id, ruleset_id, score, seq FROM lead_scores WHERE unit_id = %s",
    "sessions": """
        SELECT lead_id, started_at, ended_at, event_count FROM lead_sessions WHERE unit_id = %s
    """,
    "orders": "SELECT order_id, lead_id, original_lead_id FROM orders WHERE unit_id = %s",
    "listed": "SELECT listed FROM lead_tallies WHERE unit_id = %s",
    "types": """
        SELECT name, event_count FROM event_types
        WHERE unit_id = %s AND name NOT LIKE 'lead_%%merged'
    """,
}


def read_unit(scope: Scope) -> dict[str, set[tuple[Any, ...]]]:
    """Return every row that matters, by what it is about."""
    return {
        name: set(driver().execute(statement, (scope.unit_id,)).fetchall())
        for name, statement in _READS.items()
    }
