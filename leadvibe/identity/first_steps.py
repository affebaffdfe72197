"""Who has put away what a unit's home page says about the first steps.

Does not know what the steps are, nor which are done.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


def hide_first_steps(scope: Scope, member_id: UUID, *, now: datetime) -> None:
    """Show them to the member no more. Called again, it changes nothing."""
    statement = """
        INSERT INTO first_steps_hidden (unit_id, org_member_id, hidden_at) VALUES (%s, %s, %s)
        ON CONFLICT DO NOTHING
    """
    driver().execute(statement, (scope.unit_id, member_id, now))


def show_first_steps(scope: Scope, member_id: UUID) -> None:
    """Show them to the member again."""
    statement = "DELETE FROM first_steps_hidden WHERE unit_id = %s AND org_member_id = %s"
    driver().execute(statement, (scope.unit_id, member_id))


def are_hidden(scope: Scope, member_id: UUID) -> bool:
    statement = """
        SELECT EXISTS (SELECT FROM first_steps_hidden WHERE unit_id = %s AND org_member_id = %s)
    """
    row = driver().execute(statement, (scope.unit_id, member_id)).fetchone()
    return bool(row and row[0])
