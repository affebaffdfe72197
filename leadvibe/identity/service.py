"""Changes to organisations, units, members and credentials.

Does not decide who may make them (permissions), sign anybody in (signing_in), send mail (the
caller does, once committed), or commit.
"""

from __future__ import annotations

import hmac
import itertools
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
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
    LinkSpentError,
    MemberExistsError,
    NotInUnitError,
    SetupDoneError,
    SetupTokenError,
    WrongPasswordError,
)
from leadvibe.identity.models import (
    CredentialRow,
    LoginFailureRow,
    MemberLinkRow,
    MemberRow,
    MembershipRow,
    OrganizationRow,
    RefreshTokenRow,
    UnitRow,
)
from leadvibe.identity.queries import (
    credential_of,
    find_member_by_email,
    find_organization,
    get_default_unit,
    get_member,
    get_member_of,
    get_unit,
    has_members,
    list_units,
    member_of,
    organization_of,
    unit_of,
)
from leadvibe.identity.security import Security, fingerprint
from leadvibe.identity.signing_in import count_attempt, forget_failures, uncount_attempt
from leadvibe.identity.types import (
    Installation,
    LinkPurpose,
    Member,
    MemberLink,
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

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
RESET_PAUSE = timedelta(minutes=1)  # between two reset mails to one member
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

    Raises UnitNotFoundError for another organisation's, NotInUnitError when not a member of it.
    """
    unit = get_unit(Scope(principal.org_id, unit_id))
    for entered in list_units(principal):
        if entered.unit_id == unit_id:
            return entered
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
        problem = f"There is already a member with the address {address}."
        raise MemberExistsError(problem, fields={"email": problem})
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


def change_password(
    member_id: UUID,
    *,
    current_password: str,
    password: str,
    ip: str | None,
    security: Security,
    now: datetime,
) -> Member:
    """Replace a password by somebody who knows it; every other session of theirs ends.

    Raises WrongPasswordError and WeakPasswordError by field, ThrottledError after many misses.
    """
    address = get_member(member_id).email
    count_attempt(address, ip, now)
    row = session().get_one(MemberRow, member_id, with_for_update=True)
    if not passwords.is_password(current_password, row.password_hash, security.hashing):
        problem = "This is not your current password."
        raise WrongPasswordError(problem, fields={"current_password": problem})
    passwords.require_strong(password, email=row.email)
    uncount_attempt(address, ip)
    return _set_password(row, password, security)


def invite_member(
    scope: Scope,
    *,
    email: str,
    org_role: OrgRole,
    unit_role: UnitRole,
    security: Security,
    now: datetime,
) -> MemberLink:
    """Add somebody to an organisation and one of its units, and return their invitation.

    Raises InvalidError by field, and MemberExistsError.
    """
    member = create_member(
        scope.org_id, email=email, role=org_role, password=None, security=security, now=now
    )
    set_membership(scope, member.org_member_id, role=unit_role, now=now)
    return invite(member, now=now)


def invite(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which an invited member chooses a first password."""
    return _add_link(member, LinkPurpose.INVITE, now=now, lifetime=INVITATION_LIFETIME)


def create_reset_link(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which a member chooses a new password, for an admin to hand over."""
    return _add_link(member, LinkPurpose.RESET, now=now, lifetime=RESET_LIFETIME)


def renew_link(member: Member, *, now: datetime) -> MemberLink:
    """Return another invitation for somebody who has not taken theirs, else a reset link."""
    row = session().get_one(MemberRow, member.org_member_id)
    return (invite if row.password_hash is None else create_reset_link)(member, now=now)


def request_reset(email: str, *, now: datetime) -> MemberLink | None:
    """Return a reset link to mail, or None for an unknown address or one mailed a moment ago.

    The caller answers alike in either case, so that nobody learns who is a member.
    """
    member = find_member_by_email(email)
    if member is None:
        return None
    latest = session().scalar(
        select(func.max(MemberLinkRow.created_at)).where(
            MemberLinkRow.org_member_id == member.org_member_id,
            MemberLinkRow.purpose == LinkPurpose.RESET,
        )
    )
    if latest is not None and now - latest < RESET_PAUSE:
        return None
    return create_reset_link(member, now=now)


def accept_invitation(
    token: str,
    *,
    first_name: str,
    last_name: str,
    password: str,
    security: Security,
    now: datetime,
) -> Member:
    """Take the invitation that a link stands for, with a name and a first password.

    Raises LinkSpentError, and InvalidError by field, after which the link is still good.
    """
    row = _spend_link(token, LinkPurpose.INVITE, now=now)
    row.first_name = checked_text(first_name, field="first_name")
    row.last_name = checked_text(last_name, field="last_name")
    return _choose_password(row, password, security)


def reset_password(token: str, *, password: str, security: Security, now: datetime) -> Member:
    """Choose a new password under a one-time link; every session of the member ends.

    Raises LinkSpentError, and WeakPasswordError, after which the link is still good.
    """
    return _choose_password(_spend_link(token, LinkPurpose.RESET, now=now), password, security)


def _spend_link(token: str, purpose: LinkPurpose, *, now: datetime) -> MemberRow:
    member_id = session().scalar(
        delete(MemberLinkRow)
        .where(
            MemberLinkRow.token_sha256 == fingerprint(token),
            MemberLinkRow.purpose == purpose,
            MemberLinkRow.expires_at > now,
        )
        .returning(MemberLinkRow.org_member_id)
    )
    if member_id is None:
        raise LinkSpentError
    return session().get_one(MemberRow, member_id, with_for_update=True)


def _choose_password(row: MemberRow, password: str, security: Security) -> Member:
    passwords.require_strong(password, email=row.email)
    # The link reached its reader at this address, or an admin vouched for them.
    row.verified = True
    forget_failures(row.email)
    return _set_password(row, password, security)


def _set_password(row: MemberRow, password: str, security: Security) -> Member:
    row.password_hash = passwords.hash_password(password, security.hashing)
    row.session_epoch += 1
    for table in (RefreshTokenRow, MemberLinkRow):
        session().execute(delete(table).where(table.org_member_id == row.org_member_id))
    session().flush()
    return member_of(row)


def _add_link(
    member: Member, purpose: LinkPurpose, *, now: datetime, lifetime: timedelta
) -> MemberLink:
    link = MemberLink(new_secret(), member, purpose, now + lifetime)
    session().add(
        MemberLinkRow(
            token_sha256=fingerprint(link.token),
            org_member_id=member.org_member_id,
            purpose=purpose,
            created_at=now,
            expires_at=link.expires_at,
        )
    )
    session().flush()
    return link


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


def delete_credential(scope: Scope, secret_id: UUID) -> None:
    """Revoke a credential at once. Raises CredentialNotFoundError."""
    deleted = session().scalar(
        delete(CredentialRow)
        .where(
            CredentialRow.secret_id == secret_id,
            CredentialRow.unit_id == scope.unit_id,
            CredentialRow.org_id == scope.org_id,
        )
        .returning(CredentialRow.secret_id)
    )
    if deleted is None:
        raise CredentialNotFoundError(f"There is no credential {secret_id} in this unit.")


# Housekeeping


def forget_expired(*, now: datetime) -> None:
    """Delete links and refresh tokens that expired and failures that no longer count."""
    session().execute(delete(MemberLinkRow).where(MemberLinkRow.expires_at <= now))
    session().execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_at <= now))
    session().execute(
        delete(LoginFailureRow).where(LoginFailureRow.last_at <= now - throttle.FORGET_AFTER)
    )


def _lock_setup() -> None:
    session().execute(select(func.pg_advisory_xact_lock(_SETUP_LOCK)))
