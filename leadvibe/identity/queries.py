"""Reads of organisations, units, members and credentials, and who a claim of identity belongs to.

Does not check passwords or tokens (service, tokens), nor what somebody may do (permissions).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select

from leadvibe.identity.checks import typed_email
from leadvibe.identity.errors import (
    CredentialRefusedError,
    MemberNotFoundError,
    OrganizationNotFoundError,
    UnitArchivedError,
    UnitNotFoundError,
)
from leadvibe.identity.models import (
    CredentialRow,
    MemberLinkRow,
    MemberRow,
    MembershipRow,
    OrganizationRow,
    UnitRow,
)
from leadvibe.identity.remembered import RememberedCredentials, StoredCredential
from leadvibe.identity.security import fingerprint
from leadvibe.identity.types import (
    Account,
    ArchivedUnit,
    Credential,
    KeyBy,
    LimitMode,
    LinkPurpose,
    Member,
    MemberInUnit,
    Organization,
    OrgRole,
    Principal,
    Rate,
    RequestLimit,
    Scope,
    Unit,
    UnitRole,
    Via,
)
from leadvibe.lib.db import driver, session, single_statement
from leadvibe.lib.ids import parse_id

# On the path of every event: through the driver alone, which costs a third of a Core statement.
_CREDENTIAL_BY_CLIENT_ID = """
    SELECT c.secret_id, c.org_id, c.unit_id, c.secret_sha256, c.limit_per_second, c.limit_burst,
           o.limit_mode, o.limit_key_by, o.limit_per_second, o.limit_burst,
           CASE WHEN u.archived_at IS NULL THEN '' ELSE u.name END
    FROM credentials c
    JOIN organizations o ON o.org_id = c.org_id
    JOIN units u ON u.unit_id = c.unit_id
    WHERE c.client_id = %s
"""


def authenticate_credential(
    client_id: str, client_secret: str, *, remembered: RememberedCredentials | None = None
) -> Principal:
    """Return whom the pair speaks for: an Operator of its one unit.

    Asks the database, unless `remembered` vouches that nothing has changed since it was asked
    last, so that a deleted credential is refused at once. Raises CredentialRefusedError, and
    UnitArchivedError for who has the right secret of an archived unit.
    """
    if not client_id.isascii() or not client_id.isprintable():
        raise CredentialRefusedError  # not one of ours, and perhaps nothing PostgreSQL can compare
    stored = (
        remembered.recall(client_id, _read_credential)
        if remembered
        else _read_credential(client_id)
    )
    if stored is None or not hmac.compare_digest(stored.secret_sha256, fingerprint(client_secret)):
        raise CredentialRefusedError
    if stored.archived_unit:
        raise UnitArchivedError(stored.archived_unit)
    return stored.principal


def _read_credential(client_id: str) -> StoredCredential | None:
    with single_statement() as connection:
        row = connection.execute(_CREDENTIAL_BY_CLIENT_ID, (client_id,)).fetchone()
    if row is None:
        return None
    secret_id, org_id, unit_id, secret_sha256, per_second, burst, *of_org, archived_unit = row
    principal = Principal(
        org_id=org_id,
        via=Via.CREDENTIAL,
        org_role=OrgRole.MEMBER,
        unit_id=unit_id,
        unit_role=UnitRole.OPERATOR,
        credential_id=secret_id,
        label=client_id,
        own_limit=limit_of(*of_org)
        if per_second is None
        else RequestLimit(LimitMode.ENFORCE, KeyBy.CLIENT, Rate(per_second, burst)),
    )
    return StoredCredential(secret_sha256, principal, archived_unit)


def has_credential(scope: Scope, secret_id: UUID) -> bool:
    """Say whether the unit still has the credential."""
    statement = select(CredentialRow.secret_id).where(
        CredentialRow.unit_id == scope.unit_id, CredentialRow.secret_id == secret_id
    )
    return session().scalar(select(exists(statement))) is True


def find_member_principal(
    member_id: UUID, *, session_epoch: int, via: Via, wanted_unit_id: UUID | None = None
) -> Principal | None:
    """Return the member in the unit they want, or None. See `find_account` and `principal_of`."""
    account = find_account(member_id, session_epoch=session_epoch)
    return principal_of(account, via=via, wanted_unit_id=wanted_unit_id) if account else None


def find_account(member_id: UUID, *, session_epoch: int) -> Account | None:
    """Return the account whose member proved who they are.

    None when the member is gone or when the epoch is past, which a password change does to every
    older session and token.
    """
    account = _read_account(member_id)
    is_current = account is not None and account.member.session_epoch == session_epoch
    return account if is_current else None


def principal_of(account: Account, *, via: Via, wanted_unit_id: UUID | None = None) -> Principal:
    """Return the member in the unit they want, else in their default or only one, else in none.

    A wanted unit that is not theirs is passed over.
    """
    member, unit = account.member, _active_unit(account.units, wanted_unit_id)
    return Principal(
        org_id=member.org_id,
        via=via,
        org_role=member.role,
        unit_id=unit.unit_id if unit else None,
        unit_role=unit.role if unit else None,
        member_id=member.org_member_id,
        label=member.email,
        own_limit=account.organization.own_limit,
    )


def _active_unit(units: Sequence[Unit], wanted_unit_id: UUID | None) -> Unit | None:
    wanted = (unit for unit in units if unit.unit_id == wanted_unit_id)
    default = (unit for unit in units if unit.is_default)
    only = iter(units if len(units) == 1 else ())
    return next(chain(wanted, default, only), None)


def has_members() -> bool:
    """Say whether anybody can sign in yet; until then the first run is open."""
    return session().scalar(select(exists(select(MemberRow.org_member_id)))) is True


def has_admin(org_id: UUID) -> bool:
    """Say whether the organisation has somebody who keeps its members and units."""
    is_admin = select(MemberRow.org_member_id).where(
        MemberRow.org_id == org_id, MemberRow.role == OrgRole.ADMIN
    )
    return session().scalar(select(exists(is_admin))) is True


def get_member(member_id: UUID) -> Member:
    """Return the member. Raises MemberNotFoundError."""
    row = session().get(MemberRow, member_id)
    if row is None:
        raise MemberNotFoundError(f"There is no member {member_id}.")
    return member_of(row)


def get_member_of(org_id: UUID, member_id: UUID) -> Member:
    """Return the organisation's member. Raises MemberNotFoundError, also for another's."""
    member = get_member(member_id)
    if member.org_id != org_id:
        raise MemberNotFoundError(f"There is no member {member_id}.")
    return member


def list_members(scope: Scope) -> list[MemberInUnit]:
    """List everybody in the organisation by address, with their role in the unit."""
    rows = session().execute(
        select(MemberRow, MembershipRow.role)
        .outerjoin(
            MembershipRow,
            and_(
                MembershipRow.unit_id == scope.unit_id,
                MembershipRow.org_member_id == MemberRow.org_member_id,
            ),
        )
        .where(MemberRow.org_id == scope.org_id)
        .order_by(MemberRow.email)
    )
    return [
        MemberInUnit(
            member=member_of(row),
            unit_role=_effective_role(role, OrgRole(row.role)),
            has_joined=row.password_hash is not None,
        )
        for row, role in rows
    ]


def find_member_by_email(email: str) -> Member | None:
    """Return the member with this address, in whatever case it is written."""
    row = session().scalar(select(MemberRow).where(MemberRow.email == typed_email(email)))
    return member_of(row) if row else None


def find_link_member(token: str, purpose: LinkPurpose, *, now: datetime) -> Member | None:
    """Return whom a one-time link is for, while it is good."""
    row = session().scalar(
        select(MemberRow)
        .join(MemberLinkRow, MemberLinkRow.org_member_id == MemberRow.org_member_id)
        .where(
            MemberLinkRow.token_sha256 == fingerprint(token),
            MemberLinkRow.purpose == purpose,
            MemberLinkRow.expires_at > now,
        )
    )
    return member_of(row) if row else None


def get_account(principal: Principal) -> Account:
    """Return the signed-in member with their organisation and units.

    Raises MemberNotFoundError for a credential, or when the member is gone.
    """
    account = _read_account(principal.member_id) if principal.member_id else None
    if account is None:
        raise MemberNotFoundError(f"{principal.label} is not a member.")
    return account


def _read_account(member_id: UUID) -> Account | None:
    entries = driver().execute(_ACCOUNT, {"member_id": member_id}).fetchall()
    if not entries:
        return None
    member = _member_from(entries[0][:9])
    units = (entry[16:] for entry in entries if entry[16] is not None)
    return Account(
        member,
        _organization_from(entries[0][9:16]),
        tuple(_entered(unit, member.role) for unit in units),
    )


# On the path of every page, so through the driver alone: the member and their organisation, once
# for each unit that they may enter and once if there is none.
_ACCOUNT = """
    SELECT member.org_member_id, member.org_id, member.first_name, member.last_name, member.email,
           member.role, member.verified, member.session_epoch, member.created_at,
           organization.org_id, organization.name, organization.created_at,
           organization.limit_mode, organization.limit_key_by, organization.limit_per_second,
           organization.limit_burst,
           unit.unit_id, unit.org_id, unit.name, unit.slug, unit.external_ref, unit.is_default,
           unit.role
    FROM members member
    JOIN organizations organization USING (org_id)
    LEFT JOIN LATERAL (
        SELECT units.*, memberships.role
        FROM units
        LEFT JOIN memberships ON memberships.unit_id = units.unit_id
            AND memberships.org_member_id = member.org_member_id
        WHERE units.org_id = member.org_id AND units.archived_at IS NULL
          AND (member.role = 'admin' OR memberships.role IS NOT NULL)
    ) unit ON true
    WHERE member.org_member_id = %(member_id)s
    ORDER BY unit.name, unit.unit_id
"""


def _organization_from(columns: Sequence[Any]) -> Organization:
    org_id, name, created_at, *limit = columns
    return Organization(org_id, name, created_at, limit_of(*limit))


def _member_from(columns: Sequence[Any]) -> Member:
    member_id, org_id, first_name, last_name, email, role, verified, epoch, created_at = columns
    return Member(
        member_id, org_id, first_name, last_name, email, OrgRole(role), verified, epoch, created_at
    )


def _entered(columns: Sequence[Any], org_role: OrgRole) -> Unit:
    unit_id, org_id, name, slug, external_ref, is_default, role = columns
    entered_as = _effective_role(role, org_role)
    return Unit(unit_id, org_id, name, slug, external_ref, is_default, entered_as)


def list_units(principal: Principal) -> list[Unit]:
    """List the units that the principal may enter, by name: a credential's is its own."""
    if principal.is_member:
        return list(get_account(principal).units)
    return [get_unit(principal.scope)]


def get_unit(scope: Scope) -> Unit:
    """Return the unit. Raises UnitNotFoundError, also for one of another organisation."""
    row = session().scalar(
        select(UnitRow).where(UnitRow.org_id == scope.org_id, UnitRow.unit_id == scope.unit_id)
    )
    if row is None:
        raise UnitNotFoundError(f"There is no organisation unit {scope.unit_id}.")
    return unit_of(row)


def find_scope(unit_id: UUID) -> Scope | None:
    """Return the scope of a unit in whose name a worker goes on; it has no principal to ask.

    None for one that is archived: its work rests until it is restored.
    """
    statement = select(UnitRow.org_id).where(
        UnitRow.unit_id == unit_id, UnitRow.archived_at.is_(None)
    )
    org_id = session().scalar(statement)
    return Scope(org_id, unit_id) if org_id is not None else None


def find_scope_of_any(unit_id: UUID) -> Scope | None:
    """Return the scope of a unit, also of an archived one: what is to be deleted there must go."""
    org_id = session().scalar(select(UnitRow.org_id).where(UnitRow.unit_id == unit_id))
    return Scope(org_id, unit_id) if org_id is not None else None


def list_archived_units(org_id: UUID) -> list[ArchivedUnit]:
    """List the archived units of an organisation, the last first."""
    rows = session().scalars(
        select(UnitRow)
        .where(UnitRow.org_id == org_id, UnitRow.archived_at.is_not(None))
        .order_by(UnitRow.archived_at.desc(), UnitRow.unit_id)
    )
    return [
        ArchivedUnit(unit_of(row), row.archived_at, row.archived_by or "")
        for row in rows
        if row.archived_at is not None
    ]


def limit_of(
    mode: str | None, key_by: str | None, per_second: int | None, burst: int | None
) -> RequestLimit | None:
    """Return the limit that an organisation has stored, if it has one of its own."""
    if mode is None or key_by is None or per_second is None or burst is None:
        return None
    return RequestLimit(LimitMode(mode), KeyBy(key_by), Rate(per_second, burst))


def get_default_unit(org_id: UUID) -> Unit:
    """Return the unit that every organisation is made with."""
    return unit_of(
        session().scalars(select(UnitRow).where(UnitRow.org_id == org_id, UnitRow.is_default)).one()
    )


def find_unit(org_id: UUID, id_slug_or_name: str) -> Unit | None:
    """Return the organisation's unit that a command names by id, slug or exact name."""
    row = session().scalar(
        select(UnitRow)
        .where(
            UnitRow.org_id == org_id,
            or_(
                UnitRow.unit_id == parse_id(id_slug_or_name),
                UnitRow.slug == id_slug_or_name,
                UnitRow.name == id_slug_or_name,
            ),
        )
        .order_by((UnitRow.slug == id_slug_or_name).desc(), UnitRow.created_at)
        .limit(1)
    )
    return unit_of(row) if row else None


def get_organization(org_id: UUID) -> Organization:
    """Return the organisation. Raises OrganizationNotFoundError."""
    row = session().get(OrganizationRow, org_id)
    if row is None:
        raise OrganizationNotFoundError(f"There is no organisation {org_id}.")
    return organization_of(row)


def find_organization(id_or_name: str) -> Organization | None:
    """Return the organisation that a command names by id or exact name, the oldest first."""
    row = session().scalar(
        select(OrganizationRow)
        .where(
            or_(OrganizationRow.org_id == parse_id(id_or_name), OrganizationRow.name == id_or_name)
        )
        .order_by(OrganizationRow.created_at)
        .limit(1)
    )
    return organization_of(row) if row else None


def list_credentials(scope: Scope) -> list[Credential]:
    """List the unit's credentials, the oldest first; secrets are not stored and never shown."""
    rows = session().scalars(
        select(CredentialRow)
        .where(CredentialRow.unit_id == scope.unit_id, CredentialRow.org_id == scope.org_id)
        .order_by(CredentialRow.secret_id)
    )
    return [credential_of(row) for row in rows]


def organization_of(row: OrganizationRow) -> Organization:
    """Return the organisation that a row holds."""
    limit = limit_of(row.limit_mode, row.limit_key_by, row.limit_per_second, row.limit_burst)
    return Organization(row.org_id, row.name, row.created_at, own_limit=limit)


def unit_of(row: UnitRow) -> Unit:
    """Return the unit that a row holds."""
    return Unit(row.unit_id, row.org_id, row.name, row.slug, row.external_ref, row.is_default)


def member_of(row: MemberRow) -> Member:
    """Return the member that a row holds."""
    return Member(
        org_member_id=row.org_member_id,
        org_id=row.org_id,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        role=OrgRole(row.role),
        verified=row.verified,
        session_epoch=row.session_epoch,
        created_at=row.created_at,
    )


def credential_of(row: CredentialRow) -> Credential:
    """Return the credential that a row holds."""
    return Credential(
        secret_id=row.secret_id,
        org_id=row.org_id,
        unit_id=row.unit_id,
        client_id=row.client_id,
        name=row.name,
        trust_upstream_consent=row.trust_upstream_consent,
        created_at=row.created_at,
        own_rate=None
        if row.limit_per_second is None or row.limit_burst is None
        else Rate(row.limit_per_second, row.limit_burst),
    )


def _effective_role(role: str | None, org_role: OrgRole) -> UnitRole | None:
    # An admin is Owner everywhere, whatever a membership says; nobody else enters without one.
    if org_role is OrgRole.ADMIN:
        return UnitRole.OWNER
    return UnitRole(role) if role is not None else None
