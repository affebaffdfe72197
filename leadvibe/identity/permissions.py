"""The one matrix of who may do what.

Viewer reads everything in the unit; Operator also writes configuration, data and memberships;
Owner also keys, wiping and integrations; an organisation's admin is Owner everywhere and keeps
members, units and organisation settings. A credential acts as Operator of its unit.
"""

from __future__ import annotations

from enum import StrEnum

from leadvibe.identity.types import OrgRole, Principal, UnitRole


class Permission(StrEnum):
    """A kind of action. The text completes the sentence "you may not ..."."""

    SIGNED_IN = "do this without signing in"
    READ = "see this unit"
    WRITE_DATA = "change data in this unit"
    CONFIGURE = "change how this unit scores"
    MANAGE_MEMBERSHIPS = "manage who belongs to this unit"
    OWN = "manage keys and integrations of this unit"
    ADMINISTER = "administer the organisation"


_OF_UNIT_ROLE = {
    UnitRole.VIEWER: frozenset({Permission.READ}),
    UnitRole.OPERATOR: frozenset(
        {
            Permission.READ,
            Permission.WRITE_DATA,
            Permission.CONFIGURE,
            Permission.MANAGE_MEMBERSHIPS,
        }
    ),
    UnitRole.OWNER: frozenset(
        {
            Permission.READ,
            Permission.WRITE_DATA,
            Permission.CONFIGURE,
            Permission.MANAGE_MEMBERSHIPS,
            Permission.OWN,
        }
    ),
}


def role_in_unit(principal: Principal) -> UnitRole | None:
    """Return the effective role: an organisation's admin is Owner of every unit."""
    if principal.org_role is OrgRole.ADMIN and principal.unit_id is not None:
        return UnitRole.OWNER
    return principal.unit_role


def can(principal: Principal, permission: Permission) -> bool:
    """Say whether the principal may do such a thing in its current unit."""
    if permission is Permission.SIGNED_IN:
        return True
    if permission is Permission.ADMINISTER:
        return principal.org_role is OrgRole.ADMIN
    role = role_in_unit(principal)
    return role is not None and permission in _OF_UNIT_ROLE[role]
