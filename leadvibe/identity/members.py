"""Members that there are, and the units they belong to: reads, changes and the end of both.

Two rules hold however many requests come at once, because each change waits for the one before: an
organisation keeps an admin who can sign in, and a unit keeps an Owner. Does not make members
(service), decide who may change them but for Owners (permissions), or commit.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError

from leadvibe.identity import service
from leadvibe.identity.checks import checked_email, checked_name
from leadvibe.identity.errors import (
    LastAdminError,
    LastOwnerError,
    MemberExistsError,
    MemberNotFoundError,
    MembershipNotFoundError,
    OwnersOnlyError,
    UnitNotFoundError,
)
from leadvibe.identity.models import (
    MemberLinkRow,
    MemberRow,
    MembershipRow,
    OrganizationRow,
    UnitRow,
)
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import list_units, member_of
from leadvibe.identity.types import (
    Membership,
    MemberWithUnits,
    OrgRole,
    Principal,
    Scope,
    UnitMember,
    UnitRole,
)
from leadvibe.lib.db import session


def list_members(principal: Principal) -> list[MemberWithUnits]:
    """List everybody in the organisation by address, with where they belong.

    Of units that the principal may not enter nothing is told.
    """
    memberships = _memberships_in({unit.unit_id for unit in list_units(principal)})
    rows = session().scalars(
        select(MemberRow).where(MemberRow.org_id == principal.org_id).order_by(MemberRow.email)
    )
    return [
        MemberWithUnits(member_of(row), tuple(memberships.get(row.org_member_id, ())))
        for row in rows
    ]


def _memberships_in(unit_ids: set[UUID]) -> dict[UUID, list[Membership]]:
    rows = session().execute(
        select(MembershipRow.org_member_id, UnitRow.unit_id, UnitRow.name, MembershipRow.role)
        .join(UnitRow, UnitRow.unit_id == MembershipRow.unit_id)
        .where(UnitRow.unit_id.in_(unit_ids))
        .order_by(UnitRow.name, UnitRow.unit_id)
    )
    found: defaultdict[UUID, list[Membership]] = defaultdict(list)
    for member_id, unit_id, name, role in rows:
        found[member_id].append(Membership(unit_id, name, UnitRole(role)))
    return found


def update_member(
    org_id: UUID,
    member_id: UUID,
    *,
    first_name: str | None = None,
    last_name: str | None = None,
    email: str | None = None,
    role: OrgRole | None = None,
) -> None:
    """Change what is given of a member.

    Another address has not been proved yet, and links that went to the old one are void. Raises
    MemberNotFoundError, InvalidError by field, MemberExistsError, and LastAdminError.
    """
    _lock_organization(org_id)
    row = _lock_member(org_id, member_id)
    if first_name is not None:
        row.first_name = checked_name(first_name, field="first_name")
    if last_name is not None:
        row.last_name = checked_name(last_name, field="last_name")
    if role is not None and role is not OrgRole.ADMIN:
        _keep_an_admin(row)
    row.role = role or row.role
    if email is not None:
        _readdress(row, checked_email(email))
    session().flush()


def _readdress(row: MemberRow, email: str) -> None:
    if email == row.email:
        return
    row.email, row.verified = email, False
    try:
        with session().begin_nested():
            session().flush()
    except IntegrityError:
        raise MemberExistsError(email) from None
    session().execute(delete(MemberLinkRow).where(MemberLinkRow.org_member_id == row.org_member_id))


def delete_member(org_id: UUID, member_id: UUID) -> None:
    """Remove a member for good, with their memberships, sessions, tokens and links.

    Also an only Owner of a unit, because somebody who leaves must not be kept: admins are Owners
    of every unit. Raises MemberNotFoundError and LastAdminError.
    """
    _lock_organization(org_id)
    row = _lock_member(org_id, member_id)
    _keep_an_admin(row)
    session().execute(delete(MemberRow).where(MemberRow.org_member_id == member_id))


def list_unit_members(scope: Scope) -> list[UnitMember]:
    """List those who were let into the unit, by address, with the role they were given there."""
    rows = session().execute(
        select(MemberRow, MembershipRow.role)
        .join(MembershipRow, MembershipRow.org_member_id == MemberRow.org_member_id)
        .where(MembershipRow.unit_id == scope.unit_id, MemberRow.org_id == scope.org_id)
        .order_by(MemberRow.email)
    )
    return [UnitMember(member_of(row), UnitRole(role)) for row, role in rows]


def assign(
    principal: Principal, member_id: UUID, *, role: UnitRole | None, now: datetime
) -> UnitMember:
    """Let a member of the organisation into the principal's unit, or give them another role there.

    Without a role, somebody new becomes a Viewer and others stay what they are. Raises
    MemberNotFoundError, OwnersOnlyError, and LastOwnerError.
    """
    scope = principal.scope
    unit = _lock_unit(scope)
    row = _hold_member(scope.org_id, member_id)
    current = _find_role(scope, member_id)
    wanted = role or current or UnitRole.VIEWER
    _check_owners(principal, unit, row, current=current, wanted=wanted)
    service.set_membership(scope, member_id, role=wanted, now=now)
    return UnitMember(member_of(row), wanted)


def change_role(
    principal: Principal, member_id: UUID, *, role: UnitRole, now: datetime
) -> UnitMember:
    """Give somebody who belongs to the principal's unit another role there.

    Raises MembershipNotFoundError, OwnersOnlyError, and LastOwnerError.
    """
    _lock_unit(principal.scope)
    _get_role(principal.scope, member_id)
    return assign(principal, member_id, role=role, now=now)


def remove(principal: Principal, member_id: UUID) -> None:
    """Take a member out of the principal's unit.

    Raises MembershipNotFoundError, OwnersOnlyError, and LastOwnerError.
    """
    scope = principal.scope
    unit = _lock_unit(scope)
    current = _get_role(scope, member_id)
    row = _hold_member(scope.org_id, member_id)
    _check_owners(principal, unit, row, current=current, wanted=None)
    session().execute(delete(MembershipRow).where(*_is_membership(scope, member_id)))


def _check_owners(
    principal: Principal,
    unit: UnitRow,
    row: MemberRow,
    *,
    current: UnitRole | None,
    wanted: UnitRole | None,
) -> None:
    """Raise unless the change leaves Owners to Owners and leaves the unit one of them."""
    if current is wanted or UnitRole.OWNER not in {current, wanted}:
        return
    if not can(principal, Permission.OWN):
        raise OwnersOnlyError
    if current is UnitRole.OWNER and not _has_owner_beside(unit.unit_id, row.org_member_id):
        raise LastOwnerError(row.email, unit.name)


def _has_owner_beside(unit_id: UUID, member_id: UUID) -> bool:
    others = select(MembershipRow.org_member_id).where(
        MembershipRow.unit_id == unit_id,
        MembershipRow.role == UnitRole.OWNER,
        MembershipRow.org_member_id != member_id,
    )
    return session().scalar(others.limit(1)) is not None


def _keep_an_admin(row: MemberRow) -> None:
    """Raise LastAdminError when nobody else could keep the organisation's members and units.

    An admin who has not taken their invitation cannot: it may expire.
    """
    if row.role != OrgRole.ADMIN:
        return
    others = select(MemberRow.org_member_id).where(
        MemberRow.org_id == row.org_id,
        MemberRow.role == OrgRole.ADMIN,
        MemberRow.org_member_id != row.org_member_id,
        MemberRow.password_hash.is_not(None),
    )
    if session().scalar(others.limit(1)) is None:
        raise LastAdminError(row.email)


def _get_role(scope: Scope, member_id: UUID) -> UnitRole:
    role = _find_role(scope, member_id)
    if role is None:
        raise MembershipNotFoundError(f"Member {member_id} does not belong to this unit.")
    return role


def _find_role(scope: Scope, member_id: UUID) -> UnitRole | None:
    role = session().scalar(select(MembershipRow.role).where(*_is_membership(scope, member_id)))
    return UnitRole(role) if role is not None else None


def _is_membership(scope: Scope, member_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        MembershipRow.unit_id == scope.unit_id,
        MembershipRow.org_member_id == member_id,
    )


def _lock_organization(org_id: UUID) -> None:
    # Weak enough (here and below) that new rows which refer to it need not wait.
    session().execute(
        select(OrganizationRow.org_id)
        .where(OrganizationRow.org_id == org_id)
        .with_for_update(key_share=True)
    )


def _lock_unit(scope: Scope) -> UnitRow:
    row = session().scalar(
        select(UnitRow)
        .where(UnitRow.org_id == scope.org_id, UnitRow.unit_id == scope.unit_id)
        .with_for_update(key_share=True)
    )
    if row is None:
        raise UnitNotFoundError(f"There is no organisation unit {scope.unit_id}.")
    return row


def _lock_member(org_id: UUID, member_id: UUID) -> MemberRow:
    """Return the member as they are now, for a change."""
    return _read_member(org_id, member_id, is_shared=False)


def _hold_member(org_id: UUID, member_id: UUID) -> MemberRow:
    """Return the member, who cannot be deleted before the transaction ends."""
    return _read_member(org_id, member_id, is_shared=True)


def _read_member(org_id: UUID, member_id: UUID, *, is_shared: bool) -> MemberRow:
    row = session().scalar(
        select(MemberRow)
        .where(MemberRow.org_id == org_id, MemberRow.org_member_id == member_id)
        .with_for_update(read=is_shared, key_share=is_shared)
        .execution_options(populate_existing=True)  # as it is after the wait
    )
    if row is None:
        raise MemberNotFoundError(f"There is no member {member_id}.")
    return row
