"""Units that are put away: they take no events, nobody works in them, and their data stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from leadvibe.identity.errors import LastUnitError, UnitNotFoundError
from leadvibe.identity.models import OrganizationRow, UnitRow
from leadvibe.identity.queries import unit_of
from leadvibe.identity.types import Principal, Scope, Unit
from leadvibe.lib.db import session


def archive_unit(principal: Principal, scope: Scope, *, now: datetime) -> Unit:
    """Put a unit away; archived again, it stays so. The default unit hands that over.

    Raises UnitNotFoundError, and LastUnitError for the only one that is left.
    """
    rows = _locked_units(scope)
    row = _find(rows, scope)
    if row.archived_at is not None:
        return unit_of(row)
    others = [it for it in rows if it is not row and it.archived_at is None]
    if not others:
        raise LastUnitError(row.name)
    if row.is_default:
        row.is_default = False
        session().flush()  # there is one default at a time
        others[0].is_default = True
    row.archived_at, row.archived_by = now, principal.label
    session().flush()
    return unit_of(row)


def restore_unit(scope: Scope) -> Unit:
    """Let a unit be worked in again, as it was. Raises UnitNotFoundError."""
    row = _find(_locked_units(scope), scope)
    row.archived_at = row.archived_by = None
    session().flush()
    return unit_of(row)


def _locked_units(scope: Scope) -> list[UnitRow]:
    """Return the organisation's units, the oldest first, while nobody else archives one."""
    session().execute(
        select(OrganizationRow.org_id)
        .where(OrganizationRow.org_id == scope.org_id)
        .with_for_update()
    )
    units = select(UnitRow).where(UnitRow.org_id == scope.org_id)
    rows = session().scalars(
        units.order_by(UnitRow.created_at, UnitRow.unit_id).execution_options(
            populate_existing=True
        )
    )
    return list(rows)


def _find(rows: list[UnitRow], scope: Scope) -> UnitRow:
    for row in rows:
        if row.unit_id == scope.unit_id:
            return row
    raise UnitNotFoundError(f"There is no organisation unit {scope.unit_id}.")
