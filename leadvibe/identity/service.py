"""Changes to organisations, units, members and credentials.

Does not decide who may make them (permissions), change members that there are (members), give them
links (member_links) or tokens (personal_tokens), sign anybody in (signing_in), or commit.
"""

from __future__ import annotations

import hmac
import itertools
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity import passwords, throttle
from leadvibe.identity.checks import (
    checked_email,
    checked_name,
    checked_text,
    slug_of,
)
from leadvibe.identity.errors import (
    CredentialNotFoundError,
    MemberExistsError,
    NotInUnitError,
    SetupDoneError,
    SetupTokenError,
    UnitArchivedError,
)
from leadvibe.identity.models import (
    CredentialRow,
    LoginFailureRow,
    MemberLinkRow,
    MemberRow,
    MembershipRow,
    OrganizationRow,
    PersonalTokenRow,
    RefreshTokenRow,
    UnitRow,
)
from leadvibe.identity.queries import (
    credential_of,
    find_organization,
    get_default_unit,
    get_member_of,
    get_unit,
    has_members,
    list_archived_units,
    list_units,
    member_of,
    organization_of,
    unit_of,
)
from leadvibe.identity.security import Security, fingerprint
from leadvibe.identity.types import (
    Installation,
    Member,
    NewCredential,
    Organization,
    OrgRole,
    Principal,
    Scope,
    Unit,
    UnitRole,
)
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id, new_secret

LONGEST_CREDENTIAL_NAME = 50
CLIENT_ID_BYTES = 12
# Held while the first organisation is made, so that two first runs at once make one.
_SETUP_LOCK = 0x6C65_6164  # "lead"


# Organisations and units


def create_organization(name: str, *, now: datetime, field: str = "name") -> Organization:
    """Make an organisation with its default unit; `field` is what a bad name is blamed on."""
    row = OrganizationRow(org_id=new_id(), name=checked_name(name, field=field), created_at=now)
    session().add(row)
    session().flush()
    _add_unit(row.org_id, "Default", is_default=True, now=now)
    return organization_of(row)


def ensure_organization(name: str, *, now: datetime) -> Organization:
    """Return the organisation of that name or id, or make it; two callers at once make one."""
    _lock_setup()
    return find_organization(name) or create_organization(name, now=now)


def rename_organization(org_id: UUID, *, name: str) -> Organization:
    """Give an organisation another name. Raises InvalidError by field."""
    row = session().get_one(OrganizationRow, org_id)
    row.name = checked_name(name)
    session().flush()
    return organization_of(row)


def create_unit(org_id: UUID, *, name: str, now: datetime) -> Unit:
    """Make a unit; its slug follows from the name and is unique in the organisation."""
    return _add_unit(org_id, checked_name(name), is_default=False, now=now)


def rename_unit(scope: Scope, *, name: str) -> Unit:
    """Give a unit another name; the slug follows. Raises UnitNotFoundError."""
    get_unit(scope)
    row = session().get_one(UnitRow, scope.unit_id)
    row.name = checked_name(name)
    row.slug = _free_slug(scope.org_id, row.name, except_unit_id=scope.unit_id)
    session().flush()
    return unit_of(row)


def choose_unit(principal: Principal, unit_id: UUID) -> Unit:
    """Check that the principal may work in the unit. Remembering it is the caller's.

    Raises UnitNotFoundError for another organisation's, UnitArchivedError, and NotInUnitError when
    not a member of it.
    """
    unit = get_unit(Scope(principal.org_id, unit_id))
    for entered in list_units(principal):
        if entered.unit_id == unit_id:
            return entered
    if any(it.unit.unit_id == unit_id for it in list_archived_units(principal.org_id)):
        raise UnitArchivedError(unit.name)
    raise NotInUnitError(f'You do not belong to "{unit.name}": ask one of its Owners to add you.')


def _add_unit(org_id: UUID, name: str, *, is_default: bool, now: datetime) -> Unit:
    row = UnitRow(
        unit_id=new_id(),
        org_id=org_id,
        name=name,
        slug=_free_slug(org_id, name),
        is_default=is_default,
        created_at=now,
    )
    session().add(row)
    session().flush()
    return unit_of(row)


def _free_slug(org_id: UUID, name: str, *, except_unit_id: UUID | None = None) -> str:
    # The organisation's row is the lock under which slugs are handed out.
    session().execute(
        select(OrganizationRow.org_id).where(OrganizationRow.org_id == org_id).with_for_update()
    )
    slug = slug_of(name)
    rows = session().scalars(
        select(UnitRow.slug).where(
            UnitRow.org_id == org_id,
            UnitRow.slug.startswith(slug, autoescape=True),
            UnitRow.unit_id.is_distinct_from(except_unit_id),
        )
    )
    taken = set(rows)
    numbered = (f"{slug}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([slug], numbered) if free not in taken)


# Members


def set_up(
    token: str,
    *,
    organization: str,
    email: str,
    first_name: str,
    last_name: str,
    password: str,
    security: Security,
    now: datetime,
) -> Installation:
    """Make the first organisation and its admin. Works once, for who can read the log.

    Raises SetupTokenError, SetupDoneError when there is a member, and InvalidError by field.
    """
    if not hmac.compare_digest(token.encode(), security.setup_token.encode()):
        raise SetupTokenError
    _lock_setup()
    if has_members():
        raise SetupDoneError
    made = create_organization(organization, field="organization", now=now)
    member = create_member(
        made.org_id,
        email=email,
        first_name=first_name,
        last_name=last_name,
        role=OrgRole.ADMIN,
        password=password,
        security=security,
        now=now,
    )
    unit = get_default_unit(made.org_id)
    set_membership(unit.scope, member.org_member_id, role=UnitRole.OWNER, now=now)
    return Installation(made, unit, member)


def create_member(
    org_id: UUID,
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    role: OrgRole,
    password: str | None,
    security: Security,
    now: datetime,
) -> Member:
    """Add somebody to an organisation; without a password they wait for their invitation.

    Raises InvalidError by field, and MemberExistsError: an address belongs to one member.
    """
    address = checked_email(email)
    if password is not None:
        passwords.require_strong(password, email=address)
    hashed = passwords.hash_password(password, security.hashing) if password else None
    row = session().scalar(
        insert(MemberRow)
        .values(
            org_member_id=new_id(),
            org_id=org_id,
            first_name=checked_text(first_name, field="first_name"),
            last_name=checked_text(last_name, field="last_name"),
            email=address,
            password_hash=hashed,
            role=role,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[MemberRow.email])
        .returning(MemberRow)
    )
    if row is None:
        raise MemberExistsError(address)
    return member_of(row)


def set_membership(scope: Scope, member_id: UUID, *, role: UnitRole, now: datetime) -> None:
    """Let a member into a unit of their organisation, or change their role there."""
    get_unit(scope)
    get_member_of(scope.org_id, member_id)
    added = insert(MembershipRow).values(
        unit_id=scope.unit_id, org_member_id=member_id, role=role, created_at=now
    )
    session().execute(
        added.on_conflict_do_update(
            index_elements=[MembershipRow.unit_id, MembershipRow.org_member_id],
            set_={"role": added.excluded.role},
        )
    )


def invite_member(
    scope: Scope,
    *,
    email: str,
    org_role: OrgRole,
    unit_role: UnitRole,
    security: Security,
    now: datetime,
) -> Member:
    """Add somebody to an organisation and one of its units, without a password.

    They join by a link of `renew_link`. Raises InvalidError by field, and MemberExistsError.
    """
    member = create_member(
        scope.org_id, email=email, role=org_role, password=None, security=security, now=now
    )
    set_membership(scope, member.org_member_id, role=unit_role, now=now)
    return member


# Credentials


def create_credential(
    scope: Scope, *, name: str, created_by: str | None, now: datetime
) -> NewCredential:
    """Make a pair for one unit. The secret is returned here and never again."""
    get_unit(scope)
    client_secret = f"lv_cs_{new_secret()}"
    row = CredentialRow(
        secret_id=new_id(),
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        client_id=f"lv_ci_{secrets.token_hex(CLIENT_ID_BYTES)}",
        secret_sha256=fingerprint(client_secret),
        name=checked_name(name, longest=LONGEST_CREDENTIAL_NAME),
        created_at=now,
        created_by=created_by,
    )
    session().add(row)
    session().flush()
    return NewCredential(credential_of(row), client_secret)


def trust_consent(scope: Scope, secret_id: UUID, *, is_trusted: bool) -> None:
    """Say whether a sender's word on consent is taken for true. Raises CredentialNotFoundError."""
    changed = session().scalar(
        update(CredentialRow)
        .where(*_is_credential(scope, secret_id))
        .values(trust_upstream_consent=is_trusted)
        .returning(CredentialRow.secret_id)
    )
    if changed is None:
        raise _no_credential(secret_id)


def delete_credential(scope: Scope, secret_id: UUID) -> None:
    """Revoke a credential at once. Raises CredentialNotFoundError."""
    deleted = session().scalar(
        delete(CredentialRow)
        .where(*_is_credential(scope, secret_id))
        .returning(CredentialRow.secret_id)
    )
    if deleted is None:
        raise _no_credential(secret_id)


def _is_credential(scope: Scope, secret_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        CredentialRow.secret_id == secret_id,
        CredentialRow.unit_id == scope.unit_id,
        CredentialRow.org_id == scope.org_id,
    )


def _no_credential(secret_id: UUID) -> CredentialNotFoundError:
    return CredentialNotFoundError(f"There is no credential {secret_id} in this unit.")


# Housekeeping


def forget_expired(*, now: datetime) -> None:
    """Delete links and tokens that expired and failures that no longer count."""
    for table in (MemberLinkRow, RefreshTokenRow, PersonalTokenRow):
        session().execute(delete(table).where(table.expires_at <= now))
    session().execute(
        delete(LoginFailureRow).where(LoginFailureRow.last_at <= now - throttle.FORGET_AFTER)
    )


def _lock_setup() -> None:
    session().execute(select(func.pg_advisory_xact_lock(_SETUP_LOCK)))
