"""Long ledgers summed ahead, block by block, so that explaining one reads few rows.

A block is BLOCK entries of a ledger. It never changes once it is full, for a ledger is only added
to; a replay forgets the sums with the entries. What stands in no full block is read entry by
entry. Entries are in the order of time, so the sums also tell where in a ledger a time is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, write

BLOCK = 1_000
"""Read one by one at each end of a span; few leads ever get so many."""
LAST_SEQ = 2**31 - 1
"""The largest number that an entry can have."""


def is_block_end(seq: int) -> bool:
    return not seq % BLOCK


def sum_blocks(scope: Scope, ends: Sequence[tuple[str, UUID, int]]) -> None:
    """Keep the sums of full blocks, given by lead, ruleset, and number of the last entry."""
    if ends:
        leads, rulesets, seqs = (list(column) for column in zip(*ends, strict=True))
        bound = {"unit": scope.unit_id, "leads": leads, "rulesets": rulesets, "ends": seqs}
        write(f"INSERT INTO ledger_sums {_SUMMED}", bound)


def forget_sums(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Drop what was summed of ledgers that are going, or are written anew."""
    write(
        "DELETE FROM ledger_sums WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, list(lead_ids)),
    )


def find_wrong_sums(scope: Scope, lead_ids: Sequence[str]) -> list[str]:
    """Return the leads among these whose sums are not those of their ledgers."""
    statement = f"""
        WITH stored AS (
            SELECT * FROM ledger_sums WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)
        ), wanted AS (
            SELECT array_agg(lead_id) AS leads, array_agg(ruleset_id) AS rulesets,
                   array_agg(seq) AS ends
            FROM score_entries
            WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s) AND seq %% {BLOCK} = 0
        ), counted AS ({_SUMMED_OF_WANTED})
        SELECT DISTINCT lead_id FROM (
            (TABLE stored EXCEPT TABLE counted) UNION ALL (TABLE counted EXCEPT TABLE stored)
        ) AS wrong
    """  # noqa: S608 - text of ours
    bound = {"unit": scope.unit_id, "ids": list(lead_ids)}
    return [lead_id for (lead_id,) in driver().execute(statement, bound)]


_SUMS_OF = f"""
    SELECT s.unit_id, s.lead_id, s.ruleset_id, max(s.seq) AS last_seq, min(s.seq) AS first_seq,
           min(s.occurred_at) AS began_at, max(s.occurred_at) AS ended_at,
           s.kind, s.rule_id, s.version, s.weight, s.multiplier_percent,
           sum(s.delta)::int AS delta, count(*)::int AS times,
           array_agg(s.seq ORDER BY s.seq) AS seqs
    FROM {{}} JOIN score_entries s ON s.unit_id = %(unit)s AND s.lead_id = block.lead_id
        AND s.ruleset_id = block.ruleset_id AND s.seq > block.last - {BLOCK} AND s.seq <= block.last
    GROUP BY s.unit_id, s.lead_id, s.ruleset_id, block.last, s.kind, s.rule_id, s.version,
             s.weight, s.multiplier_percent, date_trunc('day', s.occurred_at, 'UTC')
"""  # noqa: S608 - text of ours
_BLOCKS = "unnest({}::text[], {}::uuid[], {}::int[]) AS block (lead_id, ruleset_id, last)"
_SUMMED = _SUMS_OF.format(_BLOCKS.format("%(leads)s", "%(rulesets)s", "%(ends)s"))
_SUMMED_OF_WANTED = _SUMS_OF.format(
    "wanted CROSS JOIN LATERAL " + _BLOCKS.format("leads", "rulesets", "ends")
)

WITHIN = f"""
    lead_scores stands CROSS JOIN LATERAL (
        SELECT coalesce(max(last_seq) FILTER (WHERE ended_at < %(since)s::timestamptz), 0) AS lower,
               coalesce(min(first_seq) FILTER (WHERE began_at > %(until)s::timestamptz), {LAST_SEQ})
                   AS upper
        FROM ledger_sums sums
        WHERE sums.unit_id = %(unit)s AND sums.lead_id = %(lead)s
          AND sums.ruleset_id = stands.ruleset_id
    ) AS bounds
    CROSS JOIN LATERAL (
        SELECT * FROM score_entries entry
        WHERE entry.unit_id = %(unit)s AND entry.lead_id = %(lead)s
          AND entry.ruleset_id = stands.ruleset_id AND entry.seq > lower AND entry.seq < upper
        OFFSET 0  -- or it is planned as a join with the whole ledger
    ) AS s
    WHERE stands.unit_id = %(unit)s AND stands.lead_id = %(lead)s
        AND (%(since)s::timestamptz IS NULL OR s.occurred_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR s.occurred_at <= %(until)s)
"""  # noqa: S608 - text of ours
"""A lead's entries `s` in all rulesets, found by their time; both ends included, null is open."""
