"""What the events of leads have told, for mappings: only what counts, and as a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from operator import itemgetter

from pydantic_core import from_json

from leadvibe.engine.mapping import Told
from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver

READ_SIZE = 2_000
"""Rows fetched at a time: one may carry a hundred kilobytes."""


def stream_told(
    scope: Scope, lead_ids: Collection[str], *, keys: Collection[str]
) -> Iterator[tuple[str, Iterator[Told]]]:
    """Yield each lead with what its events told about any of these keys, oldest first.

    Leads whose events told nothing do not come. The events of a lead are read as they are asked
    for, before the next lead.
    """
    statement = """
        SELECT lead_id, occurred_at, receipt, metadata::text FROM events
        WHERE unit_id = %s AND lead_id = ANY(%s) AND suppression_reason IS NULL AND receipt > 0
          AND event_type <> ALL(%s) AND metadata ?| %s
        ORDER BY lead_id, occurred_at, receipt
    """
    bound = (scope.unit_id, list(lead_ids), sorted(SYSTEM_TYPES), sorted(keys))
    with driver().cursor(name="told") as cursor:
        cursor.itersize = READ_SIZE
        rows = cursor.execute(statement, bound)
        for lead_id, events in groupby(rows, key=itemgetter(0)):
            yield lead_id, (Told(at, receipt, from_json(text)) for _, at, receipt, text in events)


def write_accounts(
    scope: Scope, lead_ids: Collection[str], accounts: Mapping[str, str]
) -> tuple[int, int]:
    """Write into the leads' events which account they belong to, where they do not say.

    Returns how many events the leads have, what Leadvibe wrote itself not counted, and how many
    were changed.
    """
    scanned = driver().execute(
        """
        SELECT count(*) FROM events
        WHERE unit_id = %s AND lead_id = ANY(%s) AND receipt > 0
        """,
        (scope.unit_id, list(lead_ids)),
    )
    updated = driver().execute(
        """
        UPDATE events SET metadata = metadata || jsonb_build_object('accountId', new.account_id)
        FROM unnest(%s::text[], %s::text[]) AS new (lead_id, account_id)
        WHERE events.unit_id = %s AND events.lead_id = new.lead_id AND events.receipt > 0
          AND NOT events.metadata ? 'accountId'
        """,
        (list(accounts), list(accounts.values()), scope.unit_id),
    )
    row = scanned.fetchone()
    assert row is not None
    return row[0], updated.rowcount
