"""What a bulk action does to a stretch of leads, and undoes. Needs the identities' lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadvibe.bulk.types import BulkAction, BulkKind
from leadvibe.identity.types import OrgRole, Principal, Scope, Via
from leadvibe.leads import accounts, records
from leadvibe.leads.errors import AlreadyMergedError, LeadNotFoundError
from leadvibe.leads.queries import list_names
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline.deletion import request_deletion
from leadvibe.pipeline.rescore import rescore_leads
from leadvibe.segments import picking
from leadvibe.segments.errors import SegmentNotFoundError


def apply(
    scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, queue: JobQueue, now: datetime
) -> int:
    """Do it to these leads, as far as they are there; returns how many it changed."""
    if action.undoes is not None:
        return _undo(scope, action, lead_ids, now=now)
    match action.kind:
        case BulkKind.ASSIGN_OWNER:
            return _assign(scope, action, lead_ids, now=now)
        case BulkKind.WATCH:
            return _watch(scope, action, lead_ids, now=now)
        case BulkKind.UNWATCH:
            return _unwatch(scope, action, lead_ids)
        case BulkKind.RESCORE:
            standing = list(list_names(scope, lead_ids))
            rescore_leads(scope, standing, now=now)
            return len(standing)
        case BulkKind.ADD_TO_SEGMENT | BulkKind.REMOVE_FROM_SEGMENT:
            return _pick(scope, action, lead_ids, now=now)
        case BulkKind.DELETE:
            return sum(_delete(scope, action, it, queue=queue, now=now) for it in lead_ids)


def _assign(scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, now: datetime) -> int:
    statement = """
        WITH before AS (
            SELECT lead_id, owner_id, owner_name, account_id FROM leads
            WHERE unit_id = %(unit)s AND lead_id = ANY(%(ids)s) AND merged_into IS NULL
              AND owner_id IS DISTINCT FROM %(owner)s
        ), noted AS (
            INSERT INTO bulk_changes (unit_id, action_id, lead_id, owner_id, owner_name)
            SELECT %(unit)s, %(action)s, lead_id, owner_id, owner_name FROM before
        )
        UPDATE leads l SET owner_id = %(owner)s, owner_name = %(name)s, updated_at = %(now)s
        FROM before WHERE l.unit_id = %(unit)s AND l.lead_id = before.lead_id
        RETURNING before.lead_id, before.account_id
    """
    bound = _bound(scope, action, lead_ids) | {
        "owner": action.owner_id,
        "name": action.owner_name,
        "now": now,
    }
    changed = _with_new_owner(scope, statement, bound, now=now)
    # Who has only claimed a lead that is now given to them keeps it.
    records.copy_owners(scope, lead_ids, now=now)
    return changed


def _with_new_owner(
    scope: Scope, statement: str, bound: Mapping[str, object], *, now: datetime
) -> int:
    """Give leads to somebody else, and let follow what follows; returns how many."""
    changed = dict(driver().execute(statement, bound).fetchall())
    accounts.refresh_roll_ups(scope, changed.values())
    records.copy_owners(scope, changed, now=now)
    return len(changed)


def _watch(scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, now: datetime) -> int:
    statement = """
        INSERT INTO lead_watches
            (unit_id, org_member_id, lead_id, watch_id, prediction, prediction_notes, score,
             watched_at)
        SELECT l.unit_id, %(member)s, l.lead_id, new.watch_id, NULL, NULL, l.score, %(now)s
        FROM unnest(%(ids)s::text[], %(watches)s::uuid[]) AS new (lead_id, watch_id)
        JOIN leads l ON l.unit_id = %(unit)s AND l.lead_id = new.lead_id AND l.merged_into IS NULL
        ON CONFLICT DO NOTHING RETURNING lead_id
    """
    bound = _bound(scope, action, lead_ids) | {
        "watches": [new_id() for _ in lead_ids],
        "now": now,
    }
    rows = driver().execute(statement, bound)
    return _note(scope, action, [lead_id for (lead_id,) in rows])


def _unwatch(scope: Scope, action: BulkAction, lead_ids: Sequence[str]) -> int:
    """Stop watching them, and also what was merged into them: the watch list shows it as them."""
    statement = """
        WITH RECURSIVE family (standing, lead_id) AS (
            SELECT id COLLATE "C", id COLLATE "C" FROM unnest(%(ids)s::text[]) AS id
            UNION
            SELECT family.standing, l.lead_id
            FROM family JOIN leads l ON l.unit_id = %(unit)s AND l.merged_into = family.lead_id
        ), gone AS (
            DELETE FROM lead_watches w USING family
            WHERE w.unit_id = %(unit)s AND w.org_member_id = %(member)s
              AND w.lead_id = family.lead_id
            RETURNING family.standing
        )
        SELECT DISTINCT standing FROM gone
    """
    rows = driver().execute(statement, _bound(scope, action, lead_ids))
    return _note(scope, action, [lead_id for (lead_id,) in rows])


def _delete(
    scope: Scope, action: BulkAction, lead_id: str, *, queue: JobQueue, now: datetime
) -> int:
    try:
        request_deletion(_asker(scope, action), scope, lead_id, queue=queue, now=now)
    except (LeadNotFoundError, AlreadyMergedError):
        return 0
    return 1


def _pick(scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, now: datetime) -> int:
    """Put leads into a segment or keep them out of it, unless the segment is gone meanwhile."""
    assert action.segment_id is not None
    try:
        before = picking.pick(
            _asker(scope, action),
            scope,
            action.segment_id,
            list(list_names(scope, lead_ids)),
            is_in=action.kind is BulkKind.ADD_TO_SEGMENT,
            now=now,
        )
    except SegmentNotFoundError:
        return 0
    statement = """
        INSERT INTO bulk_changes (unit_id, action_id, lead_id, was_in)
        SELECT %(unit)s, %(action)s, it.* FROM unnest(%(ids)s::text[], %(was)s::bool[]) AS it
    """
    bound = _bound(scope, action, list(before)) | {"was": list(before.values())}
    driver().execute(statement, bound)
    return len(before)


def _asker(scope: Scope, action: BulkAction) -> Principal:
    return Principal(
        org_id=scope.org_id,
        via=Via.COMMAND,
        org_role=OrgRole.MEMBER,
        unit_id=scope.unit_id,
        label=action.created_by,
    )


def _undo(scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, now: datetime) -> int:
    match action.kind:
        case BulkKind.WATCH:
            return _unwatch(scope, action, lead_ids)
        case BulkKind.UNWATCH:
            return _watch(scope, action, lead_ids, now=now)
        case BulkKind.ADD_TO_SEGMENT | BulkKind.REMOVE_FROM_SEGMENT:
            return _pick_as_before(scope, action, lead_ids)
        case _:
            return _give_back(scope, action, lead_ids, now=now)


def _give_back(scope: Scope, action: BulkAction, lead_ids: Sequence[str], *, now: datetime) -> int:
    """Give leads back to whom they belonged to, unless somebody has assigned them again since."""
    statement = """
        UPDATE leads l
        SET owner_id = c.owner_id, owner_name = c.owner_name, updated_at = %(now)s
        FROM bulk_changes c
        WHERE c.unit_id = %(unit)s AND c.action_id = %(undone)s AND c.lead_id = ANY(%(ids)s)
          AND l.unit_id = c.unit_id AND l.lead_id = c.lead_id AND l.merged_into IS NULL
          AND l.owner_id IS NOT DISTINCT FROM %(owner)s
        RETURNING l.lead_id, l.account_id
    """
    bound = _bound(scope, action, lead_ids) | {
        "undone": action.undoes,
        "owner": action.owner_id,
        "now": now,
    }
    return _with_new_owner(scope, statement, bound, now=now)


def _pick_as_before(scope: Scope, action: BulkAction, lead_ids: Sequence[str]) -> int:
    """Pick leads as they were before, unless somebody has picked them otherwise since."""
    statement = """
        WITH undone AS (
            SELECT c.unit_id, p.segment_id, c.lead_id, c.was_in
            FROM bulk_changes c
            JOIN segment_picks p ON p.unit_id = c.unit_id AND p.segment_id = %(segment)s
                AND p.lead_id = c.lead_id AND p.is_in = %(is_in)s
            WHERE c.unit_id = %(unit)s AND c.action_id = %(undone)s AND c.lead_id = ANY(%(ids)s)
        ), gone AS (
            DELETE FROM segment_picks p USING undone u
            WHERE p.unit_id = u.unit_id AND p.segment_id = u.segment_id AND p.lead_id = u.lead_id
              AND u.was_in IS NULL
        ), turned AS (
            UPDATE segment_picks p SET is_in = u.was_in FROM undone u
            WHERE p.unit_id = u.unit_id AND p.segment_id = u.segment_id AND p.lead_id = u.lead_id
              AND u.was_in IS NOT NULL
        )
        SELECT count(*) FROM undone
    """
    bound = _bound(scope, action, lead_ids) | {
        "undone": action.undoes,
        "segment": action.segment_id,
        "is_in": action.kind is BulkKind.ADD_TO_SEGMENT,
    }
    ((changed,),) = driver().execute(statement, bound).fetchall()
    return int(changed)


def _note(scope: Scope, action: BulkAction, lead_ids: Sequence[str]) -> int:
    statement = """
        INSERT INTO bulk_changes (unit_id, action_id, lead_id)
        SELECT %(unit)s, %(action)s, unnest(%(ids)s::text[])
    """
    if action.undoes is None:
        driver().execute(statement, _bound(scope, action, lead_ids))
    return len(lead_ids)


def _bound(scope: Scope, action: BulkAction, lead_ids: Sequence[str]) -> dict[str, object]:
    return {
        "unit": scope.unit_id,
        "action": action.action_id,
        "member": action.member_id,
        "ids": list(lead_ids),
    }
