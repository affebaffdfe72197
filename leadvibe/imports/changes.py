"""What imports of leads have changed of leads: noted as they go, put back when they are undone.

Needs the identities' lock. Does not score: whoever puts things back retells the leads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json

from leadvibe.engine.mapping import Document, Trace
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.types import Member, Scope
from leadvibe.imports.types import Effect
from leadvibe.leads import documents, ownership
from leadvibe.leads import service as leads
from leadvibe.lib.db import driver


class Change(NamedTuple):
    """How one lead was before an import, by property: its value and trace, as JSON or None.

    `after` is the instant at which the import set each.
    """

    lead_id: str
    before: Mapping[str, Sequence[Any]]
    after: Mapping[str, int]
    owner_before: UUID | None
    owner_after: UUID | None

    @property
    def is_any(self) -> bool:
        return bool(self.after) or self.owner_after is not None


class _Found(NamedTuple):
    import_id: UUID
    change: Change


def note(
    lead_id: str,
    before: Document,
    after: Document,
    *,
    owner_before: UUID | None,
    owner_after: UUID | None,
) -> Change:
    """Return what is different between two states of a lead."""
    names = [name for name, trace in after.traces.items() if trace is not before.traces.get(name)]
    return Change(
        lead_id,
        {name: _written(before, name) for name in names},
        {name: after.traces[name].hand for name in names},
        owner_before,
        owner_after,
    )


def keep(scope: Scope, import_id: UUID, noted: Collection[Change]) -> None:
    """Note changes of an import. Of a lead that it changes again, the first state is kept."""
    if not noted:
        return
    statement = """
        INSERT INTO import_changes
            (unit_id, import_id, lead_id, before, after, owner_before, owner_after)
        SELECT %s, %s, new.* FROM unnest(
            %s::text[], %s::jsonb[], %s::jsonb[], %s::uuid[], %s::uuid[]) AS new
        ON CONFLICT (unit_id, import_id, lead_id) DO UPDATE SET
            before = excluded.before || import_changes.before,
            after = import_changes.after || excluded.after,
            owner_before = CASE WHEN import_changes.owner_after IS NULL
                THEN excluded.owner_before ELSE import_changes.owner_before END,
            owner_after = coalesce(excluded.owner_after, import_changes.owner_after)
    """
    driver().execute(
        statement,
        (
            scope.unit_id,
            import_id,
            [it.lead_id for it in noted],
            [to_json(it.before).decode() for it in noted],
            [to_json(it.after).decode() for it in noted],
            [it.owner_before for it in noted],
            [it.owner_after for it in noted],
        ),
    )


def put_back(scope: Scope, import_id: UUID, lead_ids: Collection[str], *, now: datetime) -> Effect:
    """Give leads back what an import has changed of them, and nobody since; forget its notes.

    What another import has changed since goes back to that when it is undone in its turn.
    """
    found = _load(scope, lead_ids)
    own = [it.change for it in found if it.import_id == import_id]
    others = [it for it in found if it.import_id != import_id]
    described = documents.load(scope, [it.lead_id for it in own])
    before = {lead_id: each.document for lead_id, each in described.items()}
    after, restored = dict(before), 0
    for change in own:
        if change.lead_id in before:
            document, count = _restore(before[change.lead_id], change)
            after[change.lead_id] = document
            restored += count
        for other in others:
            if other.change.lead_id == change.lead_id:
                _hand_down(scope, other, change)
    leads.save_documents(scope, before, after, now=now)
    owners = _put_owners_back(scope, own, now=now)
    forget(scope, import_id, lead_ids)
    return Effect(
        properties_restored=restored,
        properties_kept=sum(len(it.after) for it in own) - restored,
        owners_restored=owners,
    )


def forget(scope: Scope, import_id: UUID, lead_ids: Collection[str]) -> None:
    """Forget what an import has changed of leads."""
    driver().execute(
        "DELETE FROM import_changes WHERE unit_id = %s AND import_id = %s AND lead_id = ANY(%s)",
        (scope.unit_id, import_id, list(lead_ids)),
    )


def _load(scope: Scope, lead_ids: Collection[str]) -> list[_Found]:
    statement = """
        SELECT import_id, lead_id, before, after, owner_before, owner_after FROM import_changes
        WHERE unit_id = %s AND lead_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(lead_ids)))
    return [_Found(import_id, Change(*row)) for import_id, *row in rows]


def _restore(document: Document, change: Change) -> tuple[Document, int]:
    """Return how a lead was before, and how many properties that gives back."""
    properties, traces = dict(document.properties), dict(document.traces)
    untouched = [
        name
        for name, at in change.after.items()
        if (trace := traces.get(name)) is not None and trace.hand == at
    ]
    for name in untouched:
        value, trace_before = change.before[name]
        properties.pop(name, None)
        if value is not None:
            properties[name] = value
        traces.pop(name)
        if trace_before is not None:
            traces[name] = Trace.from_json(trace_before)
    return (Document(properties, traces) if untouched else document), len(untouched)


def _hand_down(scope: Scope, later: _Found, change: Change) -> None:
    """Let a later import know what there was before this one, where it has come upon that."""
    inherited = {
        name: change.before[name]
        for name, at in change.after.items()
        if name in later.change.before and _hand_of(later.change.before[name]) == at
    }
    takes_owner = change.owner_after is not None and later.change.owner_before == change.owner_after
    if not inherited and not takes_owner:
        return
    driver().execute(
        """
        UPDATE import_changes SET before = before || %s::jsonb, owner_before = %s
        WHERE unit_id = %s AND import_id = %s AND lead_id = %s
        """,
        (
            to_json(inherited).decode(),
            change.owner_before if takes_owner else later.change.owner_before,
            scope.unit_id,
            later.import_id,
            change.lead_id,
        ),
    )


def _put_owners_back(scope: Scope, changes: Collection[Change], *, now: datetime) -> int:
    given = [it for it in changes if it.owner_after is not None]
    current = ownership.owners_of(scope, [it.lead_id for it in given])
    owners = {
        it.lead_id: _find_member(scope, it.owner_before)
        for it in given
        if current.get(it.lead_id) == it.owner_after
    }
    return len(ownership.assign_owners(scope, owners, now=now))


def _find_member(scope: Scope, member_id: UUID | None) -> Member | None:
    if member_id is None:
        return None
    try:
        return identity_queries.get_member_of(scope.org_id, member_id)
    except MemberNotFoundError:
        return None  # has left since: then nobody looks after the lead


def _written(document: Document, name: str) -> tuple[Any, Any]:
    trace = document.traces.get(name)
    return document.properties.get(name), None if trace is None else trace.to_json()


def _hand_of(before: Sequence[Any]) -> int | None:
    trace = before[1]
    return None if trace is None else Trace.from_json(trace).hand
