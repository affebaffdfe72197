"""Reads of leads and their aliases, each confined to one organisation unit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    null,
    select,
    text,
)

from leadvibe.identity.types import Scope
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.models import AliasRow, LeadRecordRow, LeadRow
from leadvibe.leads.resolving import Resolver
from leadvibe.leads.types import (
    NOBODY,
    AliasKey,
    Identity,
    Lead,
    LeadActivity,
    StoredAlias,
)
from leadvibe.lib.db import driver, session

MERGE_DEPTH = 32
"""How many merges a stale id may lag behind before it counts as unknown."""


def find_lead(scope: Scope, lead_id: str) -> Lead | None:
    """Return the lead, or None. A merged lead is returned as itself, with `merged_into`."""
    statement = _leads(scope).where(LeadRow.unit_id == scope.unit_id, LeadRow.lead_id == lead_id)
    row = session().execute(statement).one_or_none()
    return _lead(scope, row) if row else None


def get_lead(scope: Scope, lead_id: str) -> Lead:
    """Return the lead, or the one it was merged into. Raises LeadNotFoundError."""
    standing_id = lead_id
    for _ in range(MERGE_DEPTH):
        lead = find_lead(scope, standing_id)
        if lead is None:
            break
        if lead.merged_into is None:
            return lead
        standing_id = lead.merged_into
    raise LeadNotFoundError(f"There is no lead '{lead_id}' in this unit.")


def list_aliases(scope: Scope, lead_id: str) -> list[StoredAlias]:
    """Return the lead's aliases, oldest first."""
    statement = (
        select(
            AliasRow.alias_id,
            AliasRow.kind,
            AliasRow.value,
            AliasRow.raw_value,
            AliasRow.created_at,
        )
        .where(AliasRow.unit_id == scope.unit_id, AliasRow.lead_id == lead_id)
        .order_by(AliasRow.created_at, AliasRow.kind, AliasRow.value)
    )
    return [StoredAlias(*row) for row in session().execute(statement)]


def find_existing(scope: Scope, lead_ids: Collection[str]) -> set[str]:
    """Return which of these ids are leads that can be read in the unit."""
    statement = select(LeadRow.lead_id).where(
        LeadRow.unit_id == scope.unit_id, LeadRow.lead_id.in_(lead_ids)
    )
    return set(session().scalars(statement))


def list_names(scope: Scope, lead_ids: Collection[str]) -> dict[str, str]:
    """Return what those of the leads are called that stand for themselves: no merged ones."""
    statement = """
        SELECT lead_id, name FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    return dict(driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall())


def owners_of_aliases(scope: Scope, keys: Iterable[AliasKey]) -> dict[AliasKey, str]:
    """Return which lead each known alias belongs to."""
    wanted = list(keys)
    if not wanted:
        return {}
    statement = """
        SELECT a.kind, a.value, a.lead_id
        FROM unnest(%s::text[], %s::text[]) AS wanted (kind, value)
        JOIN lead_aliases a ON a.unit_id = %s AND a.kind = wanted.kind AND a.value = wanted.value
    """
    rows = driver().execute(
        statement, ([key.kind for key in wanted], [key.value for key in wanted], scope.unit_id)
    )
    return {AliasKey(kind, value): lead_id for kind, value, lead_id in rows}


def merge_targets(scope: Scope, lead_ids: Collection[str]) -> dict[str, str]:
    """Return for each lead that exists the lead that stands for it now: itself unless merged.

    A lead that is being deleted still takes what names it by its id: that outlives the deletion.
    """
    # Few leads are merged, and a recursive query for all of them would be planned badly in a unit
    # that statistics do not know yet.
    statement = "SELECT lead_id, merged_into FROM leads WHERE unit_id = %s AND lead_id = ANY(%s)"
    found = dict(driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall())
    merged = [lead_id for lead_id, target in found.items() if (target or NOBODY) != NOBODY]
    chains = _follow(scope, merged) if merged else {}
    return {lead_id: lead_id for lead_id in found.keys() - set(merged)} | chains


def _follow(scope: Scope, lead_ids: Collection[str]) -> dict[str, str]:
    """Return where merges have led to, for each lead whose chain has an end."""
    statement = """
        WITH RECURSIVE chain (asked, lead_id, merged_into, depth) AS (
            SELECT lead_id, lead_id, merged_into, 0 FROM leads
            WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s)
            UNION ALL
            SELECT chain.asked, leads.lead_id, leads.merged_into, chain.depth + 1
            FROM chain JOIN leads ON leads.unit_id = %(unit)s AND leads.lead_id = chain.merged_into
            WHERE chain.depth < %(depth)s
        )
        SELECT asked, lead_id FROM chain WHERE coalesce(merged_into, %(nobody)s) = %(nobody)s
    """
    bound = {
        "unit": scope.unit_id,
        "ids": list(lead_ids),
        "depth": MERGE_DEPTH,
        "nobody": NOBODY,
    }
    return dict(driver().execute(statement, bound).fetchall())


def find_strangers(scope: Scope, lead_ids: Collection[str]) -> set[str]:
    """Return which of the leads nobody has named: known by cookies alone, and by no own id."""
    statement = """
        SELECT l.lead_id FROM leads l
        WHERE l.unit_id = %s AND l.lead_id = ANY(%s) AND NOT l.has_own_id AND NOT EXISTS (
            SELECT FROM lead_aliases a
            WHERE a.unit_id = l.unit_id AND a.lead_id = l.lead_id AND a.kind <> 'cookie'
        )
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {lead_id for (lead_id,) in rows}


def recognise(scope: Scope, identities: Sequence[Identity]) -> list[str | None]:
    """Return whom each identity names, or None for nobody we know; makes no lead and no alias."""
    owners = owners_of_aliases(
        scope, {alias.key for identity in identities for alias in identity.aliases}
    )
    named = {identity.lead_id for identity in identities if identity.lead_id}
    targets = merge_targets(scope, named | set(owners.values()))
    resolver = Resolver(owners=owners, targets=targets, strangers=(), new_lead_id=str)
    return [resolver.find(identity) for identity in identities]


def search_leads(scope: Scope, text_: str, *, limit: int) -> list[tuple[str, str, str]]:
    """Return (lead id, match type, best alias) of leads found by the text, in any case.

    Ids that start with it come first, then aliases that contain it. Two characters only find what
    begins with them, or has a word that does; one finds nothing.
    """
    wanted = text_.strip()
    if len(wanted) < 2:  # noqa: PLR2004 - the contract's minimum
        return []
    statement = text(_SEARCH)
    bound = {"unit": scope.unit_id, "text": wanted, "like": like_pattern(wanted), "limit": limit}
    return [(r.lead_id, r.match_type, r.best_alias) for r in session().execute(statement, bound)]


def like_pattern(wanted: str) -> str:
    """Return the LIKE pattern that finds the text anywhere, with its wildcards disarmed."""
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_SEARCH = """
    WITH found AS (
        SELECT s.lead_id, s.text FROM lead_search s
        WHERE s.unit_id = :unit AND s.text LIKE lower(:like)
          AND s.grams @> search_wanted(:unit, :text)
        LIMIT 1000
    ), matches AS (
        SELECT l.lead_id, l.score,
               CASE WHEN starts_with(lower(l.lead_id), lower(:text)) THEN 'id' ELSE 'alias' END
                   AS match_type,
               (SELECT a.raw_value FROM lead_aliases a
                WHERE a.unit_id = :unit AND a.lead_id = l.lead_id
                ORDER BY (lower(a.value) LIKE lower(:like)) DESC, a.kind = 'email' DESC,
                         a.created_at
                LIMIT 1) AS best_alias
        FROM found JOIN leads l ON l.unit_id = :unit AND l.lead_id = found.lead_id
        WHERE l.merged_into IS NULL
    )
    SELECT lead_id, match_type, coalesce(best_alias, '') AS best_alias FROM matches
    ORDER BY match_type = 'id' DESC, score DESC, lead_id LIMIT :limit
"""


def is_let_go(lead: Any) -> ColumnElement[bool]:
    """Say of a lead that its owner had only claimed it, and that this is over.

    A job puts it back into the pool; until it has run, nobody is to be told otherwise.
    """
    # Found once for a statement, by the index of claims: nearly always, there is none.
    ended = select(LeadRecordRow.lead_id).where(
        LeadRecordRow.unit_id == bindparam("unit_id", type_=Uuid()),
        LeadRecordRow.is_listed,
        LeadRecordRow.claimed_until <= func.now(),
    )
    is_one: ColumnElement[bool] = lead.lead_id == any_(
        func.array(ended.scalar_subquery(), type_=ARRAY(Text()))
    )
    return is_one


def unless_let_go(column: Any) -> ColumnElement[Any]:
    """Return what stands in a column about the owner; NULL when their claim is over."""
    is_over = and_(column.is_not(None), is_let_go(LeadRow))
    return case((is_over, null()), else_=column).label(column.key)


def _leads(scope: Scope) -> Select[Any]:
    return select(
        LeadRow.lead_id,
        LeadRow.account_id,
        unless_let_go(LeadRow.owner_id),
        unless_let_go(LeadRow.owner_name),
        LeadRow.name,
        LeadRow.detail,
        LeadRow.metadata_.label("metadata"),
        LeadRow.source,
        LeadRow.merged_into,
        LeadRow.created_at,
        LeadRow.updated_at,
        LeadRow.score,
        LeadRow.ruleset_id,
        LeadRow.last_event_at,
        LeadRow.last_event_type,
        LeadRow.event_count,
        LeadRow.session_count,
    ).params(unit_id=scope.unit_id)


def _lead(scope: Scope, row: Row[Any]) -> Lead:
    return Lead(org_id=scope.org_id, unit_id=scope.unit_id, **row._mapping)  # noqa: SLF001 - the documented way to a row's names


def load_activities(scope: Scope, lead_ids: Sequence[str]) -> dict[str, LeadActivity]:
    """Return the stored headline score and activity of each lead."""
    statement = """
        SELECT lead_id, score, ruleset_id, last_event_at, last_event_type, last_receipt,
               event_count, session_count, surge_place, last_decay_at, base_version
        FROM leads WHERE unit_id = %s AND lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return {row[0]: LeadActivity._make(row) for row in rows}


def list_ids_of_source(scope: Scope, source: str) -> list[str]:
    """Return the leads that came from a source, but those that stand for leads of another."""
    statement = """
        SELECT l.lead_id FROM leads l
        WHERE l.unit_id = %(unit)s AND l.source = %(source)s AND NOT EXISTS (
            SELECT FROM leads m
            WHERE m.unit_id = l.unit_id AND m.merged_into = l.lead_id AND m.source <> l.source
        )
        ORDER BY l.lead_id
    """
    rows = driver().execute(statement, {"unit": scope.unit_id, "source": source})
    return [lead_id for (lead_id,) in rows]


def count_leads(scope: Scope) -> int:
    """Return how many leads `list_ids` walks over, merged ones included."""
    statement = select(func.count()).select_from(LeadRow).where(*_standing(scope))
    return session().scalar(statement) or 0


def list_ids(scope: Scope, *, after: str, limit: int) -> list[str]:
    """Return lead ids in order, from after one on: a walk over all leads of a unit.

    Those being deleted are left out: what is stored of them does not hang together any more.
    """
    statement = (
        select(LeadRow.lead_id)
        .where(*_standing(scope), LeadRow.lead_id > after)
        .order_by(LeadRow.lead_id)
        .limit(limit)
    )
    return list(session().scalars(statement))


def list_next(scope: Scope, *, after: str, leads: int, events: int) -> list[str]:
    """Return lead ids in order from after one on, as `list_ids`, with so many events at most.

    The first always comes, however many it has.
    """
    statement = """
        SELECT lead_id FROM (
            SELECT lead_id, sum(event_count) OVER (ORDER BY lead_id) - event_count AS before
            FROM (
                SELECT lead_id, event_count FROM leads
                WHERE unit_id = %(unit)s AND lead_id > %(after)s
                  AND merged_into IS DISTINCT FROM %(nobody)s
                ORDER BY lead_id LIMIT %(leads)s
            ) AS following
        ) AS counted
        WHERE before < %(events)s ORDER BY lead_id
    """
    bound = {
        "unit": scope.unit_id,
        "after": after,
        "leads": leads,
        "events": events,
        "nobody": NOBODY,
    }
    return [lead_id for (lead_id,) in driver().execute(statement, bound)]


def _standing(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return LeadRow.unit_id == scope.unit_id, LeadRow.merged_into.is_distinct_from(NOBODY)


def count_listed(scope: Scope) -> int:
    """Return how many leads the unit has, merged ones not counted, without counting them."""
    statement = "SELECT listed FROM lead_tallies WHERE unit_id = %s"
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return row[0] if row else 0


def recount_listed(scope: Scope) -> int:
    """Count the unit's leads one by one, to prove `count_listed`."""
    statement = (
        select(func.count())
        .select_from(LeadRow)
        .where(LeadRow.unit_id == scope.unit_id, LeadRow.merged_into.is_(None))
    )
    return session().scalar(statement) or 0
