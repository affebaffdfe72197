"""Who looks after a lead: for good, or for as long as a member has claimed it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from leadvibe.identity.types import Member, Scope
from leadvibe.leads import accounts, records
from leadvibe.leads.errors import LeadNotFoundError, LeadTakenError
from leadvibe.leads.service import lock_identities
from leadvibe.lib.db import driver

CLAIM_LASTS = timedelta(hours=24)


def assign_owner(scope: Scope, lead_id: str, owner: Member | None, *, now: datetime) -> None:
    """Give a lead to a member, or to nobody. Raises LeadNotFoundError."""
    lock_identities(scope)
    _require_standing(scope, lead_id)
    assign_owners(scope, {lead_id: owner}, now=now)


def claim_lead(scope: Scope, lead_id: str, member: Member, *, now: datetime) -> datetime:
    """Give a lead that nobody has to a member for a day; returns when that ends.

    Raises LeadNotFoundError, and LeadTakenError when somebody has it, this member included: who
    could claim again and again would never have to let go.
    """
    lock_identities(scope)
    _require_standing(scope, lead_id)
    row = driver().execute(_HOLDER, (scope.unit_id, lead_id, now)).fetchone()
    if row is not None:
        raise LeadTakenError(f"{row[0] or 'Somebody'} has this lead{_until(row[1])}.")
    until = now + CLAIM_LASTS
    assign_owners(scope, {lead_id: member}, claimed_until=until, now=now)
    return until


def units_with_ended_claims(*, now: datetime) -> list[UUID]:
    """Return the units in which a claim has ended that is not released yet."""
    statement = """
        SELECT DISTINCT unit_id FROM lead_records WHERE is_listed AND claimed_until <= %s
    """
    return [unit_id for (unit_id,) in driver().execute(statement, (now,))]


def release_claims(scope: Scope, *, now: datetime) -> int:
    """Put leads back into the pool whose claim has ended; returns how many."""
    lock_identities(scope)
    statement = """
        SELECT lead_id FROM lead_records
        WHERE unit_id = %s AND is_listed AND claimed_until <= %s
    """
    ended = [lead_id for (lead_id,) in driver().execute(statement, (scope.unit_id, now))]
    assign_owners(scope, dict.fromkeys(ended), now=now)
    return len(ended)


def owners_of(scope: Scope, lead_ids: Collection[str]) -> dict[str, UUID | None]:
    """Return who looks after each of the leads; those that are part of another are left out."""
    statement = """
        SELECT lead_id, owner_id FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    return dict(driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall())


def assign_owners(
    scope: Scope,
    owners: Mapping[str, Member | None],
    *,
    claimed_until: datetime | None = None,
    now: datetime,
) -> dict[str, UUID | None]:
    """Give leads to members, or to nobody; returns who had each before. Needs the lock.

    Leads that are part of another are passed over.
    """
    if not owners:
        return {}
    statement = """
        UPDATE leads SET owner_id = new.owner_id, owner_name = new.owner_name, updated_at = %s
        FROM unnest(%s::text[], %s::uuid[], %s::text[]) AS new (lead_id, owner_id, owner_name),
            leads AS old
        WHERE leads.unit_id = %s AND leads.lead_id = new.lead_id AND leads.merged_into IS NULL
          AND old.unit_id = leads.unit_id AND old.lead_id = leads.lead_id
        RETURNING leads.lead_id, old.owner_id, leads.account_id
    """
    ids = [owner.org_member_id if owner else None for owner in owners.values()]
    names = [owner.name if owner else None for owner in owners.values()]
    rows = driver().execute(statement, (now, list(owners), ids, names, scope.unit_id)).fetchall()
    accounts.refresh_roll_ups(scope, {account_id for _, _, account_id in rows})
    before = {lead_id: owner_id for lead_id, owner_id, _ in rows}
    records.copy_owners(scope, before, claimed_until=claimed_until, now=now)
    return before


_HOLDER = """
    SELECT l.owner_name, r.claimed_until
    FROM leads l JOIN lead_records r ON r.unit_id = l.unit_id AND r.lead_id = l.lead_id
    WHERE l.unit_id = %s AND l.lead_id = %s AND l.owner_id IS NOT NULL
      AND (r.claimed_until IS NULL OR r.claimed_until > %s)
"""


def _require_standing(scope: Scope, lead_id: str) -> None:
    if not owners_of(scope, [lead_id]):
        raise LeadNotFoundError(f"There is no lead '{lead_id}' in this unit.")


def _until(ends_at: datetime | None) -> str:
    return f" until {ends_at:%Y-%m-%d %H:%M} UTC" if ends_at else ""
