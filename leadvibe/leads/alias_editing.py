"""Aliases that somebody gives a lead by hand, or takes away. Needs the identities' lock.

What follows from them, such as the lead's account, is for pipeline.editing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.leads import queries
from leadvibe.leads.errors import AliasNotFoundError, AliasTakenError
from leadvibe.leads.service import refresh_names
from leadvibe.leads.types import Alias, Lead
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id


def add_alias(scope: Scope, lead: Lead, alias: Alias, *, now: datetime) -> None:
    """Let a lead be recognised by an alias. Raises AliasTakenError when somebody is already."""
    owner = queries.owners_of_aliases(scope, [alias.key]).get(alias.key)
    if owner == lead.lead_id:
        raise AliasTakenError("The lead is known by this already.", fields={"value": "is there"})
    if owner is not None:
        names = queries.list_names(scope, [owner])
        problem = f"belongs to {names.get(owner, owner)}: merge the two if they are one person."
        raise AliasTakenError(f"'{alias.raw_value}' {problem}", fields={"value": problem})
    driver().execute(
        """
        INSERT INTO lead_aliases (unit_id, kind, value, raw_value, lead_id, alias_id, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (scope.unit_id, alias.kind, alias.value, alias.raw_value, lead.lead_id, new_id(), now),
    )
    refresh_names(scope, [lead.lead_id], now=now)


def remove_alias(scope: Scope, lead: Lead, alias_id: UUID, *, now: datetime) -> str:
    """Let a lead be recognised by an alias no more; returns how it was spelled.

    Raises AliasNotFoundError.
    """
    statement = """
        DELETE FROM lead_aliases WHERE unit_id = %s AND lead_id = %s AND alias_id = %s
        RETURNING raw_value
    """
    row = driver().execute(statement, (scope.unit_id, lead.lead_id, alias_id)).fetchone()
    if row is None:
        raise AliasNotFoundError("The lead is not known by this alias any more.")
    refresh_names(scope, [lead.lead_id], now=now)
    return str(row[0])
