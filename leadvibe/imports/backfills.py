"""Backfills: going over all leads of a unit once, to do what is done for new events.

Asking is a row in the database. Whoever asks works on it for a few seconds, then a worker goes on
from where it stands; the job is only a bell, and what nobody works on is found by
`resume_due_backfills`. Each stretch is a transaction with its checkpoint, so that a worker that is
killed repeats and loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadvibe.events.telling import write_accounts
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.errors import BackfillNotFoundError
from leadvibe.imports.queries import STARTS_WITHIN, lock_key
from leadvibe.leads import accounts, documents
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock, held_lock_keys, is_outage, rollback
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import describe
from leadvibe.pipeline.scorebook import current_config

log = logging.getLogger(__name__)

RUN_BACKFILL = "leadvibe.jobs.describing.run_backfill"
"""What a worker calls, with the unit and the backfill."""

AT_ONCE = 500
"""Leads or accounts in one transaction: some 10,000 events, for which the pipeline waits."""

_AT_MOST = {"event_accounts": 100}
"""Changing an event takes ten times as long as reading it."""

MOST_ATTEMPTS = 5
"""Starts without a step, after which a backfill counts as one that kills its worker."""

KEEP_FINISHED = timedelta(days=30)


class BackfillKind(StrEnum):
    ACCOUNTS = "accounts"
    """Describes all leads and their accounts anew, links them and scores them."""
    EVENT_ACCOUNTS = "event_accounts"
    """Writes into events which account their leads belong to."""
    PROFILE_MAPPINGS = "profile_mappings"
    """Applies the mappings of today to all events there are."""


class BackfillState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    LEADS = "leads"
    ACCOUNTS = "accounts"


UNFINISHED = frozenset({BackfillState.QUEUED, BackfillState.RUNNING})

_COUNTS: Mapping[BackfillKind, tuple[str, ...]] = {
    BackfillKind.ACCOUNTS: (
        "leads_processed", "accounts_linked", "accounts_created", "profile_scores_updated",
    ),
    BackfillKind.EVENT_ACCOUNTS: ("events_scanned", "events_updated", "leads_without_account"),
    BackfillKind.PROFILE_MAPPINGS: ("leads_processed", "leads_updated"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """How far a backfill is; `counts` are what the contract names, so far."""

    backfill_id: UUID
    org_id: UUID
    unit_id: UUID
    kind: BackfillKind
    state: BackfillState
    phase: Phase
    after: str
    total: int
    done: int
    counts: Mapping[str, int]
    attempts: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def percent(self) -> int:
        """How much is done, 100 only when all of it is."""
        if self.state is BackfillState.FINISHED:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


_COLUMNS = """
    backfill_id, org_id, unit_id, kind, state, phase, after, total, done, counts, attempts, error,
    created_at, created_by, started_at, finished_at
"""


def request_backfill(
    principal: Principal, scope: Scope, kind: BackfillKind, *, now: datetime
) -> Backfill:
    """Ask for a backfill; one of the kind that is not over yet is the one that was asked for."""
    statement = f"""
        INSERT INTO backfills
            (unit_id, backfill_id, org_id, kind, state, phase, after, total, counts, created_at,
             created_by)
        VALUES (%s, %s, %s, %s, 'queued', 'leads', '', %s, %s::jsonb, %s, %s)
        ON CONFLICT (unit_id, kind) WHERE state IN ('queued', 'running')
        DO UPDATE SET kind = excluded.kind
        RETURNING {_COLUMNS}
    """  # noqa: S608 - names of ours
    counts = to_json(dict.fromkeys(_COUNTS[kind], 0)).decode()
    total = lead_queries.count_leads(scope)
    if kind is BackfillKind.ACCOUNTS:
        total += accounts.count_accounts(scope)
    bound = (
        scope.unit_id, new_id(), scope.org_id, kind.value, total, counts, now, principal.label,
    )  # fmt: skip
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return _backfill(row)


def get_backfill(scope: Scope, backfill_id: UUID) -> Backfill:
    """Return how far a backfill is. Raises BackfillNotFoundError."""
    statement = f"SELECT {_COLUMNS} FROM backfills WHERE unit_id = %s AND backfill_id = %s"  # noqa: S608 - names of ours
    row = driver().execute(statement, (scope.unit_id, backfill_id)).fetchone()
    if row is None:
        raise BackfillNotFoundError(f"There is no backfill '{backfill_id}' in this unit.")
    return _backfill(row)


def find_latest_backfill(scope: Scope, kind: BackfillKind) -> Backfill | None:
    """Return the backfill of a kind that was asked for last, or None."""
    statement = f"""
        SELECT {_COLUMNS} FROM backfills WHERE unit_id = %s AND kind = %s
        ORDER BY created_at DESC, backfill_id DESC LIMIT 1
    """  # noqa: S608 - names of ours
    row = driver().execute(statement, (scope.unit_id, kind.value)).fetchone()
    return _backfill(row) if row else None


def cancel_backfill(scope: Scope, backfill_id: UUID, *, now: datetime) -> Backfill:
    """End a backfill that is not over yet; what it has done stays. Raises as get_backfill does."""
    get_backfill(scope, backfill_id)
    driver().execute(
        """
        UPDATE backfills SET state = 'cancelled', finished_at = %s
        WHERE unit_id = %s AND backfill_id = %s AND state IN ('queued', 'running')
        """,
        (now, scope.unit_id, backfill_id),
    )
    return get_backfill(scope, backfill_id)


def advance_backfill(
    scope: Scope, backfill_id: UUID, *, is_stopping: Callable[[], bool], at_once: int = AT_ONCE
) -> None:
    """Go on with a backfill, to its end or until `is_stopping`, committing as it goes.

    Returns at once when another worker is at it or there is nothing to do.
    """
    with held_lock(lock_key(backfill_id)) as lock:
        if lock is None or not _begin(scope, backfill_id, now=utc_now()):
            rollback()
            return
        try:
            while not is_stopping() and _step(scope, backfill_id, at_once=at_once):
                commit()
        except Exception as error:
            if is_outage(error):
                raise
            rollback()
            # The log has the rest: whoever asked is told nothing internal.
            _set(scope, backfill_id, error=type(error).__name__, beat_at=None)
            commit()
            raise
        _leave(scope, backfill_id)


def send_backfill(queue: JobQueue, backfill: Backfill) -> None:
    """Call a worker for a backfill."""
    backfill_id = backfill.backfill_id
    queue.send(
        RUN_BACKFILL, str(backfill.unit_id), str(backfill_id), job_id=f"backfill-{backfill_id}"
    )


def resume_due_backfills(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every backfill that nobody works on; returns how many there were."""
    statement = f"""
        SELECT {_COLUMNS} FROM backfills
        WHERE state IN ('queued', 'running') AND coalesce(beat_at, created_at) < %s
        ORDER BY created_at
    """  # noqa: S608 - names of ours
    waiting = [_backfill(row) for row in driver().execute(statement, (now - STARTS_WITHIN,))]
    held = held_lock_keys() if waiting else set()
    due = [one for one in waiting if lock_key(one.backfill_id) not in held]
    for one in due:
        send_backfill(queue, one)
    return len(due)


def forget_old_backfills(*, now: datetime) -> None:
    """Forget backfills that ended long ago."""
    driver().execute("DELETE FROM backfills WHERE finished_at < %s", (now - KEEP_FINISHED,))


def _begin(scope: Scope, backfill_id: UUID, *, now: datetime) -> bool:
    """Note that somebody is at it; False when there is nothing to do."""
    found = get_backfill(scope, backfill_id)
    if found.is_over:
        return False
    if found.attempts >= MOST_ATTEMPTS:
        why = found.error or "its worker died each time"
        error = f"It did not get on in {found.attempts} attempts ({why}). Ask for it again."
        _set(scope, backfill_id, state=BackfillState.FAILED, error=error, finished_at=now)
        commit()
        return False
    _set(
        scope,
        backfill_id,
        state=BackfillState.RUNNING,
        attempts=found.attempts + 1,
        started_at=found.started_at or now,
        beat_at=now,
    )
    commit()
    return True


def _leave(scope: Scope, backfill_id: UUID) -> None:
    """Leave a backfill to others; that this one came is no failed attempt."""
    driver().execute(
        """
        UPDATE backfills SET beat_at = NULL, attempts = greatest(attempts - 1, 0)
        WHERE unit_id = %s AND backfill_id = %s
        """,
        (scope.unit_id, backfill_id),
    )
    commit()


def _step(scope: Scope, backfill_id: UUID, *, at_once: int) -> bool:
    """Do a stretch and move the checkpoint; False when it is over, or somebody cancelled it."""
    leads.lock_identities(scope)
    now = utc_now()
    current = get_backfill(scope, backfill_id)
    if current.is_over:
        return False
    list_ids = lead_queries.list_ids if current.phase is Phase.LEADS else accounts.list_ids
    limit = min(at_once, _AT_MOST.get(current.kind, at_once))
    subjects = list_ids(scope, after=current.after, limit=limit)
    more = _DO[current.phase, current.kind](scope, subjects, now)
    is_last = len(subjects) < limit
    phase, after = current.phase, "" if is_last else subjects[-1]
    is_over = is_last and (phase is Phase.ACCOUNTS or current.kind is not BackfillKind.ACCOUNTS)
    if is_last and not is_over:
        phase = Phase.ACCOUNTS
    counts = {name: count + more.get(name, 0) for name, count in current.counts.items()}
    _set(
        scope,
        backfill_id,
        phase=phase.value,
        after=after,
        done=current.done + len(subjects),
        counts=to_json(counts).decode(),
        attempts=0,
        error=None,
        beat_at=now,
        **({"state": BackfillState.FINISHED, "finished_at": now} if is_over else {}),
    )
    return not is_over


def _describe_leads(scope: Scope, lead_ids: list[str], now: datetime) -> dict[str, int]:
    config = current_config(scope)
    done = describe.redescribe_leads(scope, lead_ids, config, is_thorough=True, now=now)
    return {
        "leads_processed": len(documents.find_standing(scope, lead_ids)),
        "accounts_linked": done.linked,
        "accounts_created": done.accounts_created,
        "profile_scores_updated": done.scored,
    }


def _describe_accounts(scope: Scope, account_ids: list[str], now: datetime) -> dict[str, int]:
    describe.redescribe_accounts(scope, account_ids, current_config(scope), now=now)
    return {}


def _map_leads(scope: Scope, lead_ids: list[str], now: datetime) -> dict[str, int]:
    done = describe.redescribe_leads(scope, lead_ids, current_config(scope), now=now)
    processed = len(documents.find_standing(scope, lead_ids))
    return {"leads_processed": processed, "leads_updated": done.updated}


def _write_accounts(scope: Scope, lead_ids: list[str], _now: datetime) -> dict[str, int]:
    found = accounts.accounts_of(scope, lead_ids)
    scanned, updated = write_accounts(scope, lead_ids, found)
    return {
        "events_scanned": scanned,
        "events_updated": updated,
        "leads_without_account": len(documents.find_unlinked(scope, lead_ids)),
    }


_DO: Mapping[tuple[Phase, BackfillKind], Callable[[Scope, list[str], datetime], dict[str, int]]] = {
    (Phase.LEADS, BackfillKind.ACCOUNTS): _describe_leads,
    (Phase.ACCOUNTS, BackfillKind.ACCOUNTS): _describe_accounts,
    (Phase.LEADS, BackfillKind.EVENT_ACCOUNTS): _write_accounts,
    (Phase.LEADS, BackfillKind.PROFILE_MAPPINGS): _map_leads,
}


def _set(scope: Scope, backfill_id: UUID, **values: Any) -> None:
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    driver().execute(
        f"UPDATE backfills SET {assignments} WHERE unit_id = %(unit)s AND backfill_id = %(id)s",  # noqa: S608 - names of ours
        {**values, "unit": scope.unit_id, "id": backfill_id},
    )


def _backfill(row: tuple[Any, ...]) -> Backfill:
    names = (name.strip() for name in _COLUMNS.split(","))
    values = dict(zip(names, row, strict=True))
    values["kind"] = BackfillKind(values["kind"])
    values["state"] = BackfillState(values["state"])
    values["phase"] = Phase(values["phase"])
    return Backfill(**values)
