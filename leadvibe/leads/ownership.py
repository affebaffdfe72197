"""Who looks after a lead."""

from __future__ import annotations

from datetime import datetime

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
