"""What commands have in common: the unit they name, and the mark they leave in the audit."""

from __future__ import annotations

from uuid import UUID

import click

from leadvibe.audit import service as audit
from leadvibe.audit.types import Entry
from leadvibe.identity import queries
from leadvibe.identity.errors import OrganizationNotFoundError, UnitNotFoundError
from leadvibe.identity.types import Organization, OrgRole, Principal, Scope, Unit, Via
from leadvibe.lib.clock import utc_now

ACTOR = "command"
CREATED = 201

org_option = click.option("--org", required=True, help="Name or id of the organisation.")
ou_option = click.option("--ou", help="Name, slug or id of the unit; default: the default one.")


def named_organization(org: str) -> Organization:
    """Return the organisation that --org names. Raises OrganizationNotFoundError."""
    organization = queries.find_organization(org)
    if organization is None:
        raise OrganizationNotFoundError(
            f'There is no organisation "{org}": `leadvibe user create` makes one'
        )
    return organization


def named_unit(organization: Organization, ou: str | None) -> Unit:
    """Return the unit that --ou names, or the default one. Raises UnitNotFoundError."""
    if ou is None:
        return queries.get_default_unit(organization.org_id)
    unit = queries.find_unit(organization.org_id, ou)
    if unit is None:
        raise UnitNotFoundError(f'"{organization.name}" has no organisation unit "{ou}"')
    return unit


def acting_in(scope: Scope) -> Principal:
    """Return who a command acts as: whoever can run it may do anything."""
    return Principal(
        org_id=scope.org_id,
        via=Via.COMMAND,
        org_role=OrgRole.ADMIN,
        unit_id=scope.unit_id,
        label=ACTOR,
    )


def record(command: str, org_id: UUID, unit_id: UUID | None) -> None:
    """Write to the audit that a command changed something."""
    audit.record(
        Entry(
            created_at=utc_now(),
            actor=ACTOR,
            method="COMMAND",
            path=f"leadvibe {command}",
            status=CREATED,
            latency_ms=0,
            org_id=org_id,
            unit_id=unit_id,
        )
    )
