"""Who looks after a lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Member, Scope
from leadvibe.leads import accounts
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.service import lock_identities
from leadvibe.lib.db import driver


def assign_owner(scope: Scope, lead_id: str, owner: Member | None, *, now: datetime) -> None:
    """Give a lead to a member, or to nobody. Raises LeadNotFoundError."""
    lock_identities(scope)
    row = (
        driver()
        .execute(
            """
            UPDATE leads SET owner_id = %s, owner_name = %s, updated_at = %s
            WHERE unit_id = %s AND lead_id = %s AND merged_into IS NULL RETURNING account_id
            """,
            (
                owner.org_member_id if owner else None,
                owner.name if owner else None,
                now,
                scope.unit_id,
                lead_id,
            ),
        )
        .fetchone()
    )
    if row is None:
        raise LeadNotFoundError(f"There is no lead '{lead_id}' in this unit.")
    accounts.refresh_roll_ups(scope, row)


def owners_of(scope: Scope, lead_ids: Collection[str]) -> dict[str, UUID | None]:
    """Return who looks after each of the leads; those that are part of another are left out."""
    statement = """
        SELECT lead_id, owner_id FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND merged_into IS NULL
    """
    return dict(driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall())


def assign_owners(
    scope: Scope, owners: Mapping[str, Member | None], *, now: datetime
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
    return {lead_id: owner_id for lead_id, owner_id, _ in rows}
