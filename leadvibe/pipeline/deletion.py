"""Deleting, and what follows from it: scores become what they were without what is gone.

Some events go at once, with a replay of their leads. A whole lead goes in the background: what can
be seen of it goes with the request, the rest a stretch at a time, each in a transaction under the
unit's lock, so that a worker that is killed leaves nothing half done and another goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.facts import UNSCORED, Standing
from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.events import queries as event_queries
from leadvibe.events import removal
from leadvibe.events import service as events
from leadvibe.events.types import Named
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import accounts, deletion, merging
from leadvibe.leads import service as leads
from leadvibe.leads.queries import like_pattern
from leadvibe.leads.types import AliasKey, AliasKind, DeletionState, LeadDeletion
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, commit, driver, held_lock, rollback, session
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline.editing import forget_leads
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.scoring import erasing, lead_scores
from leadvibe.scoring import service as scoring

DELETE_LEAD = "leadvibe.jobs.deletions.delete_lead"
"""What a worker calls, with the unit and the lead."""

ROWS_AT_ONCE = 10_000
"""Rows deleted in one transaction: the pipeline waits for some tens of milliseconds."""

RECORDS = (
    "score_snapshots", "scoring_preview_leads", "trigger_memories", "emitted_events", "notices",
    "lead_changes", "lead_notes", "bulk_changes", "import_changes", "import_undo_leads",
    "segment_picks",
)  # fmt: skip
"""Where others have noted what was said of leads; nothing but their end is decided by them."""

MOST_ATTEMPTS = 10
"""Starts without any progress, after which a deletion counts as failed."""


class ScoreChange(NamedTuple):
    """A lead's score in one ruleset, now and as it would be."""

    lead_id: str
    ruleset_id: UUID
    before: int
    after: int


def delete_events(scope: Scope, event_ids: Collection[UUID], *, now: datetime) -> int:
    """Delete events for good and replay their leads; returns how many there were.

    What Leadvibe wrote itself stays: it follows from the rest. Waits for the pipeline's batch of
    the unit. A message that is deleted may be sent again.
    """
    leads.lock_identities(scope)
    found = event_queries.get_events(scope, event_ids)
    doomed = [key for key, event in found.items() if event.event_type not in SYSTEM_TYPES]
    lead_ids = events.delete_events(scope, doomed)
    known = {lead_id for lead_id in lead_ids if lead_id is not None}
    retell_leads(scope, sorted(known), now=now)
    return len(lead_ids)


def preview_deletion(
    scope: Scope, event_ids: Collection[UUID], *, now: datetime
) -> list[ScoreChange]:
    """Return what deleting events would do to the scores of their leads, without doing it.

    It is done and undone: no estimate. Leads whose scores stay come as well. Waits for the
    pipeline's batch of the unit, as the deletion does.
    """
    leads.lock_identities(scope)
    found = event_queries.get_events(scope, event_ids)
    lead_ids = sorted({event.lead_id for event in found.values() if event.lead_id is not None})
    before = lead_scores.get_standings(scope, lead_ids)
    with session().begin_nested() as trial:
        delete_events(scope, event_ids, now=now)
        after = lead_scores.get_standings(scope, lead_ids)
        trial.rollback()
    return [
        ScoreChange(lead_id, ruleset_id, standing.score, _score_of(after, lead_id, ruleset_id))
        for lead_id in lead_ids
        for ruleset_id, standing in before.get(lead_id, {}).items()
    ]


def _score_of(
    standings: Mapping[str, Mapping[UUID, Standing]], lead_id: str, ruleset_id: UUID
) -> int:
    return standings.get(lead_id, {}).get(ruleset_id, UNSCORED).score


def request_deletion(
    principal: Principal, scope: Scope, lead_id: str, *, queue: JobQueue, now: datetime
) -> LeadDeletion:
    """Have a worker delete a lead for good once the caller has committed.

    From then on no list shows it and nothing recognises it. What waits in the inbox under its name
    goes at once; what comes in later makes a new lead. Asked again before it is done, it says how
    far it is. Raises LeadNotFoundError, and AlreadyMergedError for a part of another lead.
    """
    leads.lock_identities(scope)
    asked = deletion.find_deletion(scope, lead_id)
    if asked is not None and not asked.is_finished:
        return asked
    if asked is None or asked.state is DeletionState.COMPLETED:
        merging.get_standing(scope, lead_id)
    _take_out(scope, lead_id, now=now)
    wanted = deletion.record_deletion(
        scope, lead_id, last_receipt=removal.last_receipt(), by=principal.label, now=now
    )
    after_commit(f"deletion {wanted.deletion_id}", lambda: _send(queue, wanted))
    return wanted


def advance_deletion(scope: Scope, lead_id: str, *, is_stopping: Callable[[], bool]) -> None:
    """Delete what is left of a lead, committing as it goes, to its end or until `is_stopping`.

    Returns at once when another worker is at it or there is nothing to do.
    """
    wanted = _find_unfinished(scope, lead_id)
    if wanted is None:
        return
    with held_lock(deletion.lock_key(wanted)) as lock:
        # Asked again, for the worker that held the lock until now may have come to the end.
        if lock is not None and _find_unfinished(scope, lead_id) and _begin(wanted):
            _delete(scope, wanted, is_stopping=is_stopping)


def resume_due_deletions(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every deletion that nobody works on; returns how many there were."""
    due = deletion.due_deletions(now=now)
    for one in due:
        _send(queue, one)
    return len(due)


def _take_out(scope: Scope, lead_id: str, *, now: datetime) -> None:
    """Take a lead out of sight, with all that is quickly done."""
    merged_ids = [it.lead_id for it in merging.list_merged(scope, lead_id)]
    everyone = [lead_id, *merged_ids]
    aliases = deletion.list_alias_keys(scope, lead_id)
    removal.forget_waiting(scope, Named(frozenset(everyone), frozenset(aliases)), now=now)
    removal.forget_mentions(scope, everyone)
    removal.delete_orders(scope, lead_id)
    _forget_refused_rows(scope, aliases)
    left = accounts.accounts_of(scope, everyone).values()
    forget_leads(scope, everyone)
    forget_records(scope, everyone)
    deletion.blank(scope, lead_id, merged_ids, now=now)
    accounts.refresh_roll_ups(scope, left)


def _forget_refused_rows(scope: Scope, aliases: Iterable[AliasKey]) -> None:
    """Delete rows of files that could not be imported and hold an address of the lead.

    Other identifiers may be as short as a number, which any row may hold.
    """
    addresses = [like_pattern(it.value) for it in aliases if it.kind == AliasKind.EMAIL]
    if addresses:
        driver().execute(
            "DELETE FROM import_errors WHERE unit_id = %s AND lower(row) LIKE ANY(%s)",
            (scope.unit_id, addresses),
        )


def erase_leads(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Erase leads that nothing is left of, with what was found out about them. Needs the lock.

    Also accounts that only they belonged to.
    """
    scoring.erase_ledger(scope, lead_ids)
    events.replace_sessions(scope, lead_ids, ())
    removal.delete_written(scope, lead_ids)
    forget_records(scope, lead_ids)
    forget_leads(scope, lead_ids, with_accounts=True)
    leads.forget(scope, lead_ids)


def forget_records(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Delete what was noted about leads that are going."""
    for table in RECORDS:
        driver().execute(
            f"DELETE FROM {table} WHERE unit_id = %s AND lead_id = ANY(%s)",  # noqa: S608 - names of ours
            (scope.unit_id, list(lead_ids)),
        )
    driver().execute(
        "DELETE FROM rare_members WHERE unit_id = %s AND lead_ids && %s::text[]",
        (scope.unit_id, list(lead_ids)),
    )


def _find_unfinished(scope: Scope, lead_id: str) -> LeadDeletion | None:
    wanted = deletion.find_deletion(scope, lead_id)
    rollback()
    return None if wanted is None or wanted.is_finished else wanted


def _begin(wanted: LeadDeletion) -> bool:
    """Note that a worker is at it; False when that has led to nothing too often."""
    has_failed = wanted.attempts >= MOST_ATTEMPTS
    state = DeletionState.FAILED if has_failed else DeletionState.IN_PROGRESS
    deletion.note_progress(wanted, state, attempts=wanted.attempts + 1, now=utc_now())
    commit()
    return not has_failed


def _delete(scope: Scope, wanted: LeadDeletion, *, is_stopping: Callable[[], bool]) -> None:
    # The ledger before the events: what comes in meanwhile goes on from scores that still stand.
    for delete_some in (_delete_entries, _delete_events):
        while _step(scope, wanted, delete_some) >= ROWS_AT_ONCE:
            if is_stopping():
                return
    leads.lock_identities(scope)
    now = utc_now()
    _finish(scope, wanted.lead_id, now=now)
    deletion.note_progress(wanted, DeletionState.COMPLETED, attempts=0, now=now)
    commit()


def _step(
    scope: Scope,
    wanted: LeadDeletion,
    delete_some: Callable[[Scope, LeadDeletion], tuple[int, int]],
) -> int:
    """Do one stretch in a transaction of its own; returns how many rows it deleted."""
    leads.lock_identities(scope)
    deleted, events_deleted = delete_some(scope, wanted)
    deletion.note_progress(
        wanted,
        DeletionState.IN_PROGRESS,
        attempts=0 if deleted else wanted.attempts + 1,
        events_deleted=events_deleted,
        now=utc_now(),
    )
    commit()
    return deleted


def _delete_entries(scope: Scope, wanted: LeadDeletion) -> tuple[int, int]:
    return erasing.erase_some(scope, wanted.lead_id, limit=ROWS_AT_ONCE), 0


def _delete_events(scope: Scope, wanted: LeadDeletion) -> tuple[int, int]:
    deleted = removal.delete_some(
        scope, wanted.lead_id, up_to=wanted.last_receipt, limit=ROWS_AT_ONCE
    )
    return deleted, deleted


def _finish(scope: Scope, lead_id: str, *, now: datetime) -> None:
    """Forget the lead, or let it be a new one that only knows what came in since."""
    forget_records(scope, [lead_id])
    if removal.has_anything(scope, lead_id):
        deletion.revive(scope, lead_id, now=now)
        retell_leads(scope, [lead_id], now=now)
        return
    forget_leads(scope, [lead_id])
    scoring.erase_ledger(scope, [lead_id])
    events.replace_sessions(scope, [lead_id], ())
    events.erase_decays(scope, [lead_id])
    deletion.erase(scope, lead_id)


def _send(queue: JobQueue, wanted: LeadDeletion) -> None:
    queue.send(
        DELETE_LEAD,
        str(wanted.unit_id),
        wanted.lead_id,
        job_id=f"lead-deletion-{wanted.deletion_id}",
    )
