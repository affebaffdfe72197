"""Backfills: doing for all leads there are what is done for new events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from leadvibe.api.answers import Pending
from leadvibe.api.fields import BackfillId
from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.imports import backfills
from leadvibe.imports.backfills import Backfill, BackfillKind, BackfillState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.errors import UnavailableError

Item = TypeVar("Item", bound="BackfillProgress")

PATIENCE_SECONDS = 3.0
"""How long a request works on a backfill before it leaves the rest to a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillProgress:
    """How far a backfill is; what it counts are the results so far."""

    job_id: UUID
    kind: BackfillKind
    status: BackfillState
    percent: int
    error: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsBackfill(BackfillProgress):
    """How many leads were gone over, came to an account, and were scored; and new accounts."""

    leads_processed: int
    accounts_linked: int
    accounts_created: int
    profile_scores_updated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAccountsBackfill(BackfillProgress):
    """How many events were looked at, and how many name their lead's account now."""

    events_scanned: int
    events_updated: int
    leads_without_account: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingsBackfill(BackfillProgress):
    """How many leads were gone over, and how many of them have other properties now."""

    leads_processed: int
    leads_updated: int


AnyBackfill = AccountsBackfill | EventAccountsBackfill | MappingsBackfill

_ITEMS: dict[BackfillKind, type[AnyBackfill]] = {
    BackfillKind.ACCOUNTS: AccountsBackfill,
    BackfillKind.EVENT_ACCOUNTS: EventAccountsBackfill,
    BackfillKind.PROFILE_MAPPINGS: MappingsBackfill,
}


def backfill_accounts(principal: Principal) -> AccountsBackfill | Pending[AccountsBackfill]:
    """Map all events there are, find every lead's account, and score leads and accounts anew.

    Leads that were unlinked from an account are linked again.
    """
    done = _run(principal, BackfillKind.ACCOUNTS)
    return _answer(done, AccountsBackfill)


def backfill_event_accounts(
    principal: Principal,
) -> EventAccountsBackfill | Pending[EventAccountsBackfill]:
    """Write into events which account their lead belongs to, where they do not say."""
    done = _run(principal, BackfillKind.EVENT_ACCOUNTS)
    return _answer(done, EventAccountsBackfill)


def apply_profile_mappings(principal: Principal) -> MappingsBackfill | Pending[MappingsBackfill]:
    """Apply the profile mappings of today to all events there are, oldest to newest."""
    done = _run(principal, BackfillKind.PROFILE_MAPPINGS)
    return _answer(done, MappingsBackfill)


def get_backfill(principal: Principal, backfill_id: BackfillId) -> AnyBackfill:
    """How far a backfill is."""
    found = backfills.get_backfill(principal.scope, backfill_id)
    return _item(found, _ITEMS[found.kind])


def cancel_backfill(principal: Principal, backfill_id: BackfillId) -> None:
    """End a backfill that is not over yet; what it has done stays."""
    backfills.cancel_backfill(principal.scope, backfill_id, now=utc_now())


def _run(principal: Principal, kind: BackfillKind) -> Backfill:
    """Work on a backfill for a while; a small unit is done with it by then."""
    scope = principal.scope
    deadline = time.monotonic() + PATIENCE_SECONDS
    asked = backfills.request_backfill(principal, scope, kind, now=utc_now())
    commit()  # workers see it from now on, and this request is the first of them
    backfills.advance_backfill(
        scope, asked.backfill_id, is_stopping=lambda: time.monotonic() >= deadline
    )
    found = backfills.get_backfill(scope, asked.backfill_id)
    if not found.is_over:
        backfills.send_backfill(job_queue(), found)
    return found


def _answer(found: Backfill, kind: type[Item]) -> Item | Pending[Item]:
    if found.state is BackfillState.FAILED:
        raise UnavailableError(found.error or "The backfill failed: try again later.")
    item = _item(found, kind)
    if found.is_over:
        return item
    return Pending(item, f"/admin/backfill/{found.backfill_id}")


def _item(found: Backfill, kind: type[Item]) -> Item:
    return kind(
        job_id=found.backfill_id,
        kind=found.kind,
        status=found.state,
        percent=found.percent,
        error=found.error,
        created_at=found.created_at,
        created_by=found.created_by,
        started_at=found.started_at,
        finished_at=found.finished_at,
        **found.counts,
    )
