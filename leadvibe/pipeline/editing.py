"""What people change about leads and accounts by hand, and what follows from it.

Waits for the pipeline's batch of the unit and flushes without committing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from leadvibe.engine.account import unlink_by_hand
from leadvibe.engine.mapping import instant_of
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads.types import Lead
from leadvibe.pipeline.describe import describe_leads
from leadvibe.pipeline.scorebook import current_config
from leadvibe.scoring import profiles
from leadvibe.scoring.profiles import Side


class AccountsDeleted(NamedTuple):
    """How many leads were taken out of accounts, and how many of these are gone."""

    leads: int
    accounts: int


def create_lead(
    scope: Scope,
    *,
    lead_id: str,
    metadata: Mapping[str, Any],
    account_id: str | None,
    source: str,
    now: datetime,
) -> Lead:
    """Make a lead under an id the client chose. Raises LeadExistsError."""
    made = leads.create(
        scope, lead_id=lead_id, metadata=metadata, account_id=account_id, source=source, now=now
    )
    return _restate(scope, made.lead_id, now=now)


def patch_lead(scope: Scope, lead_id: str, changes: Mapping[str, Any], *, now: datetime) -> Lead:
    """Merge keys into the lead's metadata; a null removes its key. Raises LeadNotFoundError."""
    return _restate(scope, leads.patch_metadata(scope, lead_id, changes, now=now).lead_id, now=now)


def replace_lead(scope: Scope, lead_id: str, metadata: Mapping[str, Any], *, now: datetime) -> Lead:
    """Put new metadata in the place of the lead's. Raises LeadNotFoundError."""
    return _restate(
        scope, leads.replace_metadata(scope, lead_id, metadata, now=now).lead_id, now=now
    )


def move_lead(scope: Scope, lead_id: str, account_id: str | None, *, now: datetime) -> Lead:
    """Say which account a lead belongs to; with None it is found by its events and addresses.

    Raises LeadNotFoundError.
    """
    leads.lock_identities(scope)
    lead = lead_queries.get_lead(scope, lead_id)
    leads.set_account(scope, lead.lead_id, account_id, now=now)
    return _restate(scope, lead.lead_id, now=now)


def delete_accounts(
    scope: Scope, account_ids: Collection[str], *, now: datetime
) -> AccountsDeleted:
    """Take leads out of accounts, and delete those that are left empty.

    The leads stay without an account until an event names one.
    """
    leads.lock_identities(scope)
    existing = accounts.find_existing(scope, account_ids)
    members = documents.load(scope, accounts.leads_of(scope, existing))
    at = instant_of(now)
    documents.save_links(
        scope, {lead_id: unlink_by_hand(each.link, at=at) for lead_id, each in members.items()}
    )
    gone = accounts.delete_unused(scope, existing)
    profiles.erase_scores(scope, Side.ACCOUNT, gone)
    accounts.refresh_roll_ups(scope, existing)
    return AccountsDeleted(len(members), len(gone))


def forget_leads(scope: Scope, lead_ids: Collection[str], *, with_accounts: bool = False) -> None:
    """Forget what leads that are about to be deleted were found to be.

    Their accounts go on without them; `with_accounts` those that nobody else belongs to go, too.
    Needs the identities' lock.
    """
    left = set(accounts.accounts_of(scope, lead_ids).values())
    documents.forget(scope, lead_ids)
    profiles.erase_scores(scope, Side.PROFILE, lead_ids)
    if with_accounts:
        gone = accounts.delete_unused(scope, left)
        profiles.erase_scores(scope, Side.ACCOUNT, gone)
    accounts.refresh_roll_ups(scope, left)


def _restate(scope: Scope, lead_id: str, *, now: datetime) -> Lead:
    """Let follow what follows from a change of one lead."""
    describe_leads(scope, {}, current_config(scope), now=now, restated=[lead_id])
    return lead_queries.get_lead(scope, lead_id)
