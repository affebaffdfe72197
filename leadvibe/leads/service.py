"""Writes of leads: identities resolved in bulk, leads made by hand, metadata.

Does not score: it only stores the headline score that the pipeline hands over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import update

from leadvibe.identity.types import Scope
from leadvibe.leads import queries
from leadvibe.leads.errors import LeadExistsError, LeadNotFoundError
from leadvibe.leads.models import LeadRow
from leadvibe.leads.naming import name_lead, search_text
from leadvibe.leads.resolving import Resolver
from leadvibe.leads.types import (
    Alias,
    AliasKey,
    AliasKind,
    Birth,
    Conflict,
    Identity,
    Lead,
    LeadActivity,
    Resolution,
)
from leadvibe.lib.db import copy_rows, driver, session
from leadvibe.lib.ids import new_id, new_lead_id

LEAD_COLUMNS = (
    "unit_id", "lead_id", "name", "detail", "metadata", "source", "created_at", "updated_at",
    "has_own_id",
)  # fmt: skip
ALIAS_COLUMNS = (
    "unit_id", "kind", "value", "raw_value", "lead_id", "alias_id", "created_at",
)  # fmt: skip


def lock_identities(scope: Scope) -> None:
    """Wait until nobody else makes leads or aliases in this unit; held until the commit.

    The pipeline holds the same lock for a batch, so a lead made by hand never collides with it.
    """
    key = int.from_bytes(scope.unit_id.bytes[8:], signed=True)
    driver().execute("SELECT pg_advisory_xact_lock(%s)", (key,))


def try_lock_identities(scope: Scope) -> bool:
    """Take the lock of `lock_identities` if it is free, without waiting."""
    key = int.from_bytes(scope.unit_id.bytes[8:], signed=True)
    row = driver().execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


def resolve_identities(
    scope: Scope, identities: Sequence[Identity], *, now: datetime
) -> Resolution:
    """Give every identity a lead, creating leads and aliases that are new. Needs the lock."""
    keys = {alias.key for identity in identities for alias in identity.aliases}
    owners = queries.owners_of_aliases(scope, keys)
    named = {identity.lead_id for identity in identities if identity.lead_id}
    targets = queries.merge_targets(scope, named | set(owners.values()))
    resolver = Resolver(
        owners=owners,
        targets=targets,
        strangers=queries.find_strangers(scope, _known_by_cookie(owners, targets)),
        new_lead_id=new_lead_id,
    )
    lead_ids = resolver.resolve_all(identities)
    resolver.settle()
    _store_resolved(scope, resolver, now=now)
    return Resolution(lead_ids, resolver.folded)


def create(
    scope: Scope,
    *,
    lead_id: str,
    metadata: Mapping[str, Any],
    account_id: str | None,
    source: str,
    now: datetime,
) -> Lead:
    """Make a lead under an id the client chose. Raises LeadExistsError."""
    lock_identities(scope)
    if queries.find_existing(scope, [lead_id]):
        raise LeadExistsError(
            f"A lead '{lead_id}' exists already. Update it, or choose another id.",
            fields={"id": "exists already"},
        )
    _insert_leads(scope, {lead_id: (metadata, Birth(source, now, has_own_id=True))})
    if account_id is not None:
        _set(scope, lead_id, account_id=account_id)
    _refresh_names(scope, [lead_id])
    return queries.get_lead(scope, lead_id)


def patch_metadata(
    scope: Scope, lead_id: str, changes: Mapping[str, Any], *, now: datetime
) -> Lead:
    """Merge keys into the lead's metadata; a null removes its key."""
    lead = queries.get_lead(scope, lead_id)
    merged = {**lead.metadata, **changes}
    kept = {key: value for key, value in merged.items() if value is not None}
    return replace_metadata(scope, lead.lead_id, kept, now=now)


def replace_metadata(
    scope: Scope, lead_id: str, metadata: Mapping[str, Any], *, now: datetime
) -> Lead:
    """Put new metadata in the place of the old."""
    _set(scope, lead_id, metadata_=dict(metadata), updated_at=now)
    _refresh_names(scope, [lead_id])
    return queries.get_lead(scope, lead_id)


def record_activity(scope: Scope, activities: Sequence[LeadActivity], *, now: datetime) -> None:
    """Store headline scores and last activity of many leads at once."""
    statement = """
        UPDATE leads SET score = new.score, ruleset_id = new.ruleset_id,
            last_event_at = new.last_event_at, last_event_type = new.last_event_type,
            last_receipt = new.last_receipt, event_count = new.event_count,
            session_count = new.session_count, updated_at = %s
        FROM unnest(
            %s::text[], %s::int[], %s::uuid[], %s::timestamptz[], %s::text[], %s::bigint[],
            %s::int[], %s::int[]
        ) AS new (lead_id, score, ruleset_id, last_event_at, last_event_type, last_receipt,
                  event_count, session_count)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
    """
    columns = [list(column) for column in zip(*activities, strict=True)]
    driver().execute(statement, (now, *columns, scope.unit_id))


def count_listed(scope: Scope, *, change: int) -> None:
    """Count leads that have come into the list, or left it. Needs the identities' lock."""
    if not change:
        return
    statement = """
        INSERT INTO lead_tallies (unit_id, listed) VALUES (%s, %s)
        ON CONFLICT (unit_id) DO UPDATE SET listed = lead_tallies.listed + excluded.listed
    """
    driver().execute(statement, (scope.unit_id, change))


def recount_listed(scope: Scope) -> None:
    """Put the tally of the unit's leads right. Needs the identities' lock."""
    count_listed(scope, change=queries.recount_listed(scope) - queries.count_listed(scope))


def describe(
    scope: Scope, metadata_by_lead: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> None:
    """Merge profile metadata into many leads at once, and name them after it."""
    statement = """
        UPDATE leads SET metadata = leads.metadata || new.metadata, updated_at = %s
        FROM unnest(%s::text[], %s::jsonb[]) AS new (lead_id, metadata)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
    """
    lead_ids = list(metadata_by_lead)
    documents = [to_json(metadata).decode() for metadata in metadata_by_lead.values()]
    driver().execute(statement, (now, lead_ids, documents, scope.unit_id))
    _refresh_names(scope, lead_ids)


def forget(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Delete leads and all that names them, when their events and scores are gone.

    Needs the identities' lock.
    """
    bound = {"unit": scope.unit_id, "ids": list(lead_ids)}
    for table in ("lead_aliases", "lead_search", "leads"):
        driver().execute(
            f"DELETE FROM {table} WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)",  # noqa: S608 - names of ours
            bound,
        )
    driver().execute(
        """
        DELETE FROM lead_alias_conflicts
        WHERE unit_id = %(unit)s AND (lead_id = ANY(%(ids)s) OR other_lead_id = ANY(%(ids)s))
        """,
        bound,
    )
    recount_listed(scope)


def _known_by_cookie(owners: Mapping[AliasKey, str], targets: Mapping[str, str]) -> set[str]:
    leads = (lead for key, lead in owners.items() if key.kind == AliasKind.COOKIE)
    return {targets.get(lead, lead) for lead in leads}


def _store_resolved(scope: Scope, resolver: Resolver, *, now: datetime) -> None:
    created: dict[str, tuple[Mapping[str, Any], Birth]] = {
        lead_id: ({}, birth) for lead_id, birth in resolver.created.items()
    }
    _insert_leads(scope, created)
    _insert_aliases(scope, list(resolver.attached.values()), now=now)
    _note_conflicts(scope, list(resolver.conflicts), now=now)
    _fold(scope, resolver.folded, now=now)
    touched = {
        *resolver.folded.values(),
        *resolver.created,
        *(lead_id for _, lead_id in resolver.attached.values()),
    }
    _refresh_names(scope, sorted(touched))


def _fold(scope: Scope, folded: Mapping[str, str], *, now: datetime) -> None:
    """Point strangers and their aliases at who they turned out to be. Events are not moved here."""
    if not folded:
        return
    strangers, targets = list(folded), list(folded.values())
    count_listed(scope, change=-len(strangers))
    driver().execute(
        """
        UPDATE leads SET merged_into = new.target, updated_at = %s
        FROM unnest(%s::text[], %s::text[]) AS new (stranger, target)
        WHERE leads.unit_id = %s AND leads.lead_id = new.stranger
        """,
        (now, strangers, targets, scope.unit_id),
    )
    driver().execute(
        """
        UPDATE lead_aliases SET lead_id = new.target
        FROM unnest(%s::text[], %s::text[]) AS new (stranger, target)
        WHERE lead_aliases.unit_id = %s AND lead_aliases.lead_id = new.stranger
        """,
        (strangers, targets, scope.unit_id),
    )
    driver().execute(
        "DELETE FROM lead_search WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, strangers),
    )


def _insert_leads(scope: Scope, leads: Mapping[str, tuple[Mapping[str, Any], Birth]]) -> None:
    rows = (
        (
            scope.unit_id,
            lead_id,
            lead_id,
            None,
            to_json(metadata).decode(),
            birth.source,
            birth.created_at,
            birth.created_at,
            birth.has_own_id,
        )
        for lead_id, (metadata, birth) in leads.items()
    )
    copy_rows("leads", LEAD_COLUMNS, rows)
    count_listed(scope, change=len(leads))


def _insert_aliases(scope: Scope, attached: Sequence[tuple[Alias, str]], *, now: datetime) -> None:
    rows = (
        (scope.unit_id, alias.kind, alias.value, alias.raw_value, lead_id, new_id(), now)
        for alias, lead_id in attached
    )
    copy_rows("lead_aliases", ALIAS_COLUMNS, rows)


def _note_conflicts(scope: Scope, conflicts: Sequence[Conflict], *, now: datetime) -> None:
    if not conflicts:
        return
    statement = """
        INSERT INTO lead_alias_conflicts
            (unit_id, lead_id, other_lead_id, kind, value, seen_at)
        SELECT %s, lead_id, other, kind, value, %s
        FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
            AS new (lead_id, other, kind, value)
        ON CONFLICT DO NOTHING
    """
    columns = [list(column) for column in zip(*conflicts, strict=True)]
    driver().execute(statement, (scope.unit_id, now, *columns))


def _refresh_names(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Name leads anew after their metadata and aliases, and what they are found by."""
    if not lead_ids:
        return
    statement = """
        SELECT l.lead_id, l.metadata, coalesce(
            (SELECT json_agg(json_build_array(a.kind, a.raw_value) ORDER BY a.created_at, a.value)
             FROM lead_aliases a WHERE a.unit_id = l.unit_id AND a.lead_id = l.lead_id), '[]')
        FROM leads l WHERE l.unit_id = %s AND l.lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    ids, names, details, texts = [], [], [], []
    for lead_id, metadata, aliases in rows:
        naming = name_lead(lead_id, metadata, aliases)
        ids.append(lead_id)
        names.append(naming.name)
        details.append(naming.detail)
        texts.append(search_text(lead_id, metadata, aliases))
    driver().execute(
        """
        UPDATE leads SET name = new.name, detail = new.detail
        FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (lead_id, name, detail)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
          AND (leads.name, leads.detail) IS DISTINCT FROM (new.name, new.detail)
        """,
        (ids, names, details, scope.unit_id),
    )
    driver().execute(
        """
        INSERT INTO lead_search (unit_id, lead_id, text, grams)
        SELECT %s, lead_id, lower(content), search_grams(%s, content)
        FROM unnest(%s::text[], %s::text[]) AS new (lead_id, content)
        ON CONFLICT (unit_id, lead_id)
        DO UPDATE SET text = excluded.text, grams = excluded.grams
        WHERE lead_search.text <> excluded.text
        """,
        (scope.unit_id, scope.unit_id, ids, texts),
    )


def _set(scope: Scope, lead_id: str, **values: Any) -> None:
    statement = (
        update(LeadRow)
        .where(LeadRow.unit_id == scope.unit_id, LeadRow.lead_id == lead_id)
        .values(**values)
        .returning(LeadRow.lead_id)
    )
    if session().scalar(statement) is None:
        raise LeadNotFoundError(f"There is no lead '{lead_id}' in this unit.")
