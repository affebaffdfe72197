"""Writes of leads: identities resolved in bulk, leads made by hand, metadata.

Does not score: it only stores the headline score that the pipeline hands over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic_core import to_json

from leadvibe.engine.account import UNRESOLVED, link_by_hand
from leadvibe.engine.mapping import EMPTY, Document, instant_of, set_by_hand
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents, queries, records
from leadvibe.leads.errors import LeadExistsError
from leadvibe.leads.naming import NAMING_PROPERTIES, name_lead, search_text
from leadvibe.leads.resolving import Resolver
from leadvibe.leads.statuses import refresh_statuses
from leadvibe.leads.types import (
    AliasKey,
    AliasKind,
    Birth,
    Conflict,
    Identity,
    Lead,
    LeadActivity,
    Resolution,
)
from leadvibe.lib.db import copy_rows, driver, later
from leadvibe.lib.ids import new_id, new_lead_id

LEAD_COLUMNS = (
    "unit_id", "lead_id", "name", "detail", "metadata", "source", "created_at", "updated_at",
    "has_own_id",
)  # fmt: skip
ALIAS_COLUMNS = (
    "unit_id", "kind", "value", "raw_value", "lead_id", "alias_id", "created_at", "source",
)  # fmt: skip

HANDED_OVER = ("lead_aliases", "lead_notes", "lead_status_changes")
"""What goes to the lead that stands for another, marked with whose it was."""

_NAMED_OR_RECORDED = (*NAMING_PROPERTIES, *records.RECORD_PROPERTIES)


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
    return Resolution(lead_ids, resolver.folded, resolver.created.keys())


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
    if metadata:
        documents.save_traces(scope, {lead_id: set_by_hand(EMPTY, metadata, at=now).traces})
        documents.note_properties(scope, documents.LEAD, [metadata])
    if account_id is not None:
        set_account(scope, lead_id, account_id, now=now)
    refresh_names(scope, [lead_id], now=now)
    return queries.get_lead(scope, lead_id)


def patch_metadata(
    scope: Scope, lead_id: str, changes: Mapping[str, Any], *, now: datetime
) -> Lead:
    """Merge keys into the lead's metadata; a null removes its key."""
    return _set_by_hand(scope, lead_id, changes, now=now, replaces=False)


def replace_metadata(
    scope: Scope, lead_id: str, metadata: Mapping[str, Any], *, now: datetime
) -> Lead:
    """Put new metadata in the place of the old."""
    return _set_by_hand(scope, lead_id, metadata, now=now, replaces=True)


def set_account(scope: Scope, lead_id: str, account_id: str | None, *, now: datetime) -> None:
    """Say which account a lead belongs to; with None it is for the pipeline to find again."""
    described = documents.load(scope, [lead_id]).get(lead_id)
    link = described.link if described else UNRESOLVED
    changed = link_by_hand(link, account_id, at=instant_of(now))
    documents.save_links(scope, {lead_id: changed})
    if account_id is not None:
        accounts.ensure_accounts(scope, [account_id], now=now)
    accounts.refresh_roll_ups(scope, [link.account_id, account_id])


def save_documents(
    scope: Scope,
    before: Mapping[str, Document],
    after: Mapping[str, Document],
    *,
    stored: Collection[str] = (),
    now: datetime,
) -> list[str]:
    """Store what is known about leads now, and call them by it.

    Of `stored` leads the properties are stored already. Returns those whose properties are
    different; traces may change without.
    """
    changed = {
        lead_id: document
        for lead_id, document in after.items()
        if document.properties is not before[lead_id].properties
    }
    documents.save_properties(
        scope,
        {lead_id: each.properties for lead_id, each in changed.items() if lead_id not in stored},
        now=now,
    )
    documents.note_properties(scope, documents.LEAD, (each.properties for each in changed.values()))
    documents.save_traces(
        scope,
        {
            lead_id: document.traces
            for lead_id, document in after.items()
            if document.traces is not before[lead_id].traces
        },
    )
    refresh_names(
        scope,
        [it for it, document in changed.items() if is_renamed(before[it], document)],
        now=now,
    )
    return list(changed)


def record_activity(
    scope: Scope,
    activities: Sequence[LeadActivity],
    *,
    properties: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Store headline scores and last activity of many leads at once.

    And what is known about some of them: writing each lead once takes half the time of twice.
    """
    metadata: list[str | None] = [None] * len(activities)
    if properties:
        metadata = [
            documents.written(properties[it.lead_id]) if it.lead_id in properties else None
            for it in activities
        ]
    statement = """
        UPDATE leads SET score = new.score, ruleset_id = new.ruleset_id,
            last_event_at = new.last_event_at, last_event_type = new.last_event_type,
            last_receipt = new.last_receipt, event_count = new.event_count,
            session_count = new.session_count, surge_place = new.surge_place,
            last_decay_at = new.last_decay_at, base_version = new.base_version, updated_at = %s,
            metadata = coalesce(new.metadata::jsonb, leads.metadata)
        FROM unnest(
            %s::text[], %s::int[], %s::uuid[], %s::timestamptz[], %s::text[], %s::bigint[],
            %s::int[], %s::int[], %s::int[], %s::timestamptz[], %s::int[], %s::text[]
        ) AS new (lead_id, score, ruleset_id, last_event_at, last_event_type, last_receipt,
                  event_count, session_count, surge_place, last_decay_at, base_version, metadata)
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id
        RETURNING leads.account_id
    """
    columns = [list(column) for column in zip(*activities, strict=True)]

    def update() -> None:
        rows = driver().execute(statement, (now, *columns, metadata, scope.unit_id))
        accounts.refresh_roll_ups(scope, {account_id for (account_id,) in rows})

    later(update)


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
    """Merge profile metadata into many leads at once, as if by hand, and name them after it."""
    found = documents.load(scope, metadata_by_lead)
    before = {lead_id: each.document for lead_id, each in found.items()}
    after = {
        lead_id: set_by_hand(document, metadata_by_lead[lead_id], at=now)
        for lead_id, document in before.items()
    }
    save_documents(scope, before, after, now=now)


def forget(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Delete leads and all that names them, when their events and scores are gone.

    Needs the identities' lock.
    """
    bound = {"unit": scope.unit_id, "ids": list(lead_ids)}
    left = accounts.accounts_of(scope, lead_ids)
    for table in (
        "lead_aliases", "lead_search", "lead_traces", "lead_watches", "lead_notes",
        "lead_status_changes", "lead_records", "leads",
    ):  # fmt: skip
        driver().execute(
            f"DELETE FROM {table} WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)",  # noqa: S608 - names of ours
            bound,
        )
    for table in ("lead_alias_conflicts", "lead_merge_dismissals"):
        driver().execute(
            f"""
            DELETE FROM {table}
            WHERE unit_id = %(unit)s AND (lead_id = ANY(%(ids)s) OR other_lead_id = ANY(%(ids)s))
            """,  # noqa: S608 - names of ours
            bound,
        )
    accounts.refresh_roll_ups(scope, left.values())
    recount_listed(scope)


def _known_by_cookie(owners: Mapping[AliasKey, str], targets: Mapping[str, str]) -> set[str]:
    leads = (lead for key, lead in owners.items() if key.kind == AliasKind.COOKIE)
    return {targets.get(lead, lead) for lead in leads}


def _store_resolved(scope: Scope, resolver: Resolver, *, now: datetime) -> None:
    created: dict[str, tuple[Mapping[str, Any], Birth]] = {
        lead_id: ({}, birth) for lead_id, birth in resolver.created.items()
    }
    _insert_leads(scope, created)
    _insert_aliases(scope, resolver, now=now)
    _note_conflicts(scope, list(resolver.conflicts), now=now)
    _fold(scope, resolver, now=now)
    touched = {
        *resolver.folded.values(),
        *resolver.created,
        *(lead_id for _, lead_id in resolver.attached.values()),
    }
    refresh_names(scope, sorted(touched), now=now)


def _fold(scope: Scope, resolver: Resolver, *, now: datetime) -> None:
    """Point strangers and their aliases at who they turned out to be. Events are not moved here."""
    folded = resolver.folded
    if not folded:
        return
    strangers, targets = list(folded), list(folded.values())
    count_listed(scope, change=-len(strangers))
    left = driver().execute(
        """
        UPDATE leads SET merged_into = new.target, folded_by = new.source, updated_at = %s
        FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (stranger, target, source)
        WHERE leads.unit_id = %s AND leads.lead_id = new.stranger
        RETURNING leads.account_id
        """,
        (now, strangers, targets, [resolver.causes[it] for it in strangers], scope.unit_id),
    )
    accounts.refresh_roll_ups(scope, {account_id for (account_id,) in left})
    for table in HANDED_OVER:
        driver().execute(
            f"""
            UPDATE {table} SET lead_id = new.target,
                original_lead_id = coalesce({table}.original_lead_id, {table}.lead_id)
            FROM unnest(%s::text[], %s::text[]) AS new (stranger, target)
            WHERE {table}.unit_id = %s AND {table}.lead_id = new.stranger
            """,  # noqa: S608 - names of ours
            (strangers, targets, scope.unit_id),
        )
    driver().execute(
        "DELETE FROM lead_search WHERE unit_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, strangers),
    )
    records.set_listed(scope, strangers, is_listed=False)
    refresh_statuses(scope, [*strangers, *targets], now=now)


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


def _insert_aliases(scope: Scope, resolver: Resolver, *, now: datetime) -> None:
    causes = resolver.causes
    rows = (
        (scope.unit_id, *alias, lead_id, new_id(), now, causes[key])
        for key, (alias, lead_id) in resolver.attached.items()
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


def refresh_names(scope: Scope, lead_ids: Sequence[str], *, now: datetime) -> None:
    """Name leads anew after their metadata and aliases, record both, and what they are found by."""
    if not lead_ids:
        return
    statement = """
        SELECT l.lead_id, l.metadata, l.source, l.created_at, l.merged_into IS NULL, coalesce(
            (SELECT json_agg(json_build_array(a.kind, a.raw_value, a.value)
                             ORDER BY a.created_at, a.alias_id)
             FROM lead_aliases a WHERE a.unit_id = l.unit_id AND a.lead_id = l.lead_id), '[]')
        FROM leads l WHERE l.unit_id = %s AND l.lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall()
    ids, names, details, texts, told = [], [], [], [], []
    for lead_id, metadata, source, created_at, is_standing, known in rows:
        aliases = [(kind, raw_value) for kind, raw_value, _ in known]
        values = [(kind, value) for kind, _, value in known]
        naming = name_lead(lead_id, metadata, aliases)
        if is_standing:
            told.append(records.Told(lead_id, naming.name, source, created_at, metadata, values))
        ids.append(lead_id)
        names.append(naming.name)
        details.append(naming.detail)
        # Who has seen a number as it is shown looks for that, not for how it once was spelled.
        phones = [each for each in values if each[0] == AliasKind.PHONE]
        texts.append(search_text(lead_id, metadata, [*aliases, *phones]))
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
        SELECT %s, lead_id, lower(content), search_terms(%s, content)
        FROM unnest(%s::text[], %s::text[]) AS new (lead_id, content)
        ON CONFLICT (unit_id, lead_id)
        DO UPDATE SET text = excluded.text, grams = excluded.grams
        WHERE lead_search.text <> excluded.text
        """,
        (scope.unit_id, scope.unit_id, ids, texts),
    )
    records.write_records(scope, told, now=now)


def _set_by_hand(
    scope: Scope, lead_id: str, changes: Mapping[str, Any], *, now: datetime, replaces: bool
) -> Lead:
    lock_identities(scope)
    lead = queries.get_lead(scope, lead_id)
    before = {lead.lead_id: documents.load(scope, [lead.lead_id])[lead.lead_id].document}
    after = {lead.lead_id: set_by_hand(before[lead.lead_id], changes, at=now, replaces=replaces)}
    save_documents(scope, before, after, now=now)
    return queries.get_lead(scope, lead.lead_id)


def is_renamed(before: Document, after: Document) -> bool:
    """Say whether a lead may be called or recorded otherwise for what is known about it now."""
    return any(before.properties.get(it) != after.properties.get(it) for it in _NAMED_OR_RECORDED)
