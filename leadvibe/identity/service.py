"""Changes to organisations, units, members and credentials, and signing in.

Does not decide who may make them (permissions), send mail (the caller does, once committed), or
commit. Two things are committed by themselves, because they must outlive the refusal that
follows them: the count of failed sign-ins, and the end of a stolen refresh token's family.
"""

from __future__ import annotations

import hmac
import itertools
import math
import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from leadvibe.identity import passwords, throttle, tokens
from leadvibe.identity.errors import (
    CredentialNotFoundError,
    LinkSpentError,
    MemberExistsError,
    MemberNotFoundError,
    NotInUnitError,
    SetupDoneError,
    SetupTokenError,
    SignInRefusedError,
    TokenRefusedError,
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
    get_unit,
    has_members,
    list_units,
    member_of,
    organization_of,
    unit_of,
)
from leadvibe.identity.security import Security, fingerprint
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
    Tokens,
    Unit,
    UnitRole,
)
from leadvibe.lib.db import own_transaction, session
from leadvibe.lib.errors import InvalidError, ThrottledError
from leadvibe.lib.ids import new_id, new_secret

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
RESET_PAUSE = timedelta(minutes=1)  # between two reset mails to one member
LONGEST_NAME = 100
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_CREDENTIAL_NAME = 50
LONGEST_SLUG = 60
CLIENT_ID_BYTES = 12
# Held while the first organisation is made, so that two first runs at once make one.
_SETUP_LOCK = 0x6C65_6164  # "lead"


# Organisations and units


def create_organization(name: str, *, now: datetime) -> Organization:
    """Make an organisation with its default unit."""
    row = OrganizationRow(org_id=new_id(), name=_checked_name(name), created_at=now)
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
    return _add_unit(org_id, _checked_name(name), is_default=False, now=now)


def rename_unit(scope: Scope, *, name: str) -> Unit:
    """Give a unit another name; the slug follows. Raises UnitNotFoundError."""
    get_unit(scope)
    row = session().get_one(UnitRow, scope.unit_id)
    row.name = _checked_name(name)
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
    slug = _slug(name)
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


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:LONGEST_SLUG] or "unit"


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
    made = create_organization(organization, now=now)
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
    address = _checked_email(email)
    if password is not None:
        passwords.require_strong(password, email=address)
    hashed = passwords.hash_password(password, security.hashing) if password else None
    row = session().scalar(
        insert(MemberRow)
        .values(
            org_member_id=new_id(),
            org_id=org_id,
            first_name=_checked_text(first_name, "first_name"),
            last_name=_checked_text(last_name, "last_name"),
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
    if get_member(member_id).org_id != scope.org_id:
        raise MemberNotFoundError(f"There is no member {member_id}.")
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
    new_password: str,
    ip: str | None,
    security: Security,
    now: datetime,
) -> Member:
    """Replace a password by somebody who knows it; every other session of theirs ends.

    Raises WrongPasswordError and WeakPasswordError by field, ThrottledError after many misses.
    """
    address = get_member(member_id).email
    _count_attempt(address, ip, now)
    row = session().get_one(MemberRow, member_id, with_for_update=True)
    if not passwords.is_password(current_password, row.password_hash, security.hashing):
        problem = "This is not your current password."
        raise WrongPasswordError(problem, fields={"current_password": problem})
    passwords.require_strong(new_password, email=row.email, field="new_password")
    _uncount_attempt(address, ip)
    return _set_password(row, new_password, security)


def invite(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which an invited member chooses a first password."""
    return _add_link(member, LinkPurpose.INVITE, now=now, lifetime=INVITATION_LIFETIME)


def create_reset_link(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which a member chooses a new password, for an admin to hand over."""
    return _add_link(member, LinkPurpose.RESET, now=now, lifetime=RESET_LIFETIME)


def request_reset(email: str, *, now: datetime) -> MemberLink | None:
    """Return a reset link to mail, or None for an unknown address or one mailed a moment ago.

    The caller answers alike in either case, so that nobody learns who is a member.
    """
    member = find_member_by_email(_typed_email(email))
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


def take_link(
    token: str, purpose: LinkPurpose, *, password: str, security: Security, now: datetime
) -> Member:
    """Choose a password under a one-time link; the address counts as verified from then on.

    Raises LinkSpentError, and WeakPasswordError, after which the link is still good.
    """
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
    row = session().get_one(MemberRow, member_id, with_for_update=True)
    passwords.require_strong(password, email=row.email)
    row.verified = True
    _forget_failures(row.email)
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


# Signing in


def sign_in(
    email: str, password: str, *, ip: str | None, security: Security, now: datetime
) -> Member:
    """Return the member whose password this is.

    Raises SignInRefusedError, the same for whatever is wrong and in the same time, and
    ThrottledError after many failures of the address or the network peer.
    """
    address = _typed_email(email)
    _count_attempt(address, ip, now)
    row = session().scalar(select(MemberRow).where(MemberRow.email == address))
    stored = row.password_hash if row else None
    is_right = passwords.is_password(password, stored, security.hashing)
    if row is None or stored is None or not is_right:
        raise SignInRefusedError
    _uncount_attempt(address, ip)
    if passwords.is_outdated(stored, security.hashing):
        row.password_hash = passwords.hash_password(password, security.hashing)
        session().flush()
    return member_of(row)


def issue_tokens(member: Member, *, security: Security, now: datetime) -> Tokens:
    """Return an access token and the first refresh token of a new family."""
    return _issue_tokens(member, family_id=new_id(), security=security, now=now)


def rotate_refresh(refresh_token: str, *, security: Security, now: datetime) -> Tokens:
    """Spend a refresh token for new tokens.

    Raises TokenRefusedError. A token that comes a second time was copied: its family ends, for
    the thief and the owner alike, and that is kept although the request fails.
    """
    token_sha256 = fingerprint(refresh_token)
    spent = (
        session()
        .execute(
            update(RefreshTokenRow)
            .where(
                RefreshTokenRow.token_sha256 == token_sha256,
                RefreshTokenRow.used_at.is_(None),
                RefreshTokenRow.expires_at > now,
            )
            .values(used_at=now)
            .returning(RefreshTokenRow.family_id, RefreshTokenRow.org_member_id)
        )
        .one_or_none()
    )
    if spent is None:
        _end_family_of_used(token_sha256)
        raise TokenRefusedError("The refresh token is not valid any more: sign in again.")
    member = get_member(spent.org_member_id)
    return _issue_tokens(member, family_id=spent.family_id, security=security, now=now)


def sign_out(refresh_token: str) -> None:
    """End the token's family. An unknown token is fine: it is signed out already."""
    session().execute(
        delete(RefreshTokenRow).where(
            RefreshTokenRow.family_id
            == select(RefreshTokenRow.family_id)
            .where(RefreshTokenRow.token_sha256 == fingerprint(refresh_token))
            .scalar_subquery()
        )
    )


def forget_expired(*, now: datetime) -> None:
    """Delete links and refresh tokens that expired and failures that no longer count."""
    session().execute(delete(MemberLinkRow).where(MemberLinkRow.expires_at <= now))
    session().execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_at <= now))
    session().execute(
        delete(LoginFailureRow).where(LoginFailureRow.last_at <= now - throttle.FORGET_AFTER)
    )


def _issue_tokens(member: Member, *, family_id: UUID, security: Security, now: datetime) -> Tokens:
    refresh_token = f"lv_rt_{new_secret()}"
    session().add(
        RefreshTokenRow(
            token_sha256=fingerprint(refresh_token),
            family_id=family_id,
            org_member_id=member.org_member_id,
            issued_at=now,
            expires_at=now + timedelta(days=security.refresh_token_days),
        )
    )
    session().flush()
    return Tokens(
        access_token=tokens.sign_access_token(member, security=security, now=now),
        refresh_token=refresh_token,
        expires_in_seconds=security.access_token_minutes * 60,
        member=member,
    )


def _end_family_of_used(token_sha256: bytes) -> None:
    with own_transaction() as apart:
        family_id = apart.scalar(
            select(RefreshTokenRow.family_id).where(
                RefreshTokenRow.token_sha256 == token_sha256, RefreshTokenRow.used_at.is_not(None)
            )
        )
        if family_id is not None:
            apart.execute(delete(RefreshTokenRow).where(RefreshTokenRow.family_id == family_id))


def _count_attempt(email: str, ip: str | None, now: datetime) -> None:
    """Count an attempt before it is judged, so that a burst of guesses cannot outrun the count.

    Raises ThrottledError when an earlier failure still has to be waited for.
    """
    with own_transaction() as apart:
        rows = _locked_failures(apart, _subjects(email, ip), now)
        waits = [_seconds_left(row, now) for row in rows]
        if any(waits):
            seconds = max(waits)
            raise ThrottledError(
                f"Too many failed attempts: try again in {seconds} seconds.",
                retry_after_seconds=seconds,
            )
        for row in rows:
            is_old = throttle.is_forgotten(row.last_at, now)
            row.failures = 1 if is_old else row.failures + 1
            row.first_at, row.last_at = now if is_old else row.first_at, now


def _locked_failures(
    apart: Session, subjects: list[str], now: datetime
) -> Sequence[LoginFailureRow]:
    fresh = [{"subject": each, "failures": 0, "first_at": now, "last_at": now} for each in subjects]
    apart.execute(insert(LoginFailureRow).on_conflict_do_nothing(), fresh)
    return apart.scalars(
        select(LoginFailureRow)
        .where(LoginFailureRow.subject.in_(subjects))
        .order_by(LoginFailureRow.subject)
        .with_for_update()
    ).all()


def _seconds_left(row: LoginFailureRow, now: datetime) -> int:
    if throttle.is_forgotten(row.last_at, now):
        return 0
    wait = throttle.wait_seconds(row.failures, throttle.limit_of(row.subject))
    return max(0, math.ceil(wait - (now - row.last_at).total_seconds()))


def _uncount_attempt(email: str, ip: str | None) -> None:
    """Take back the attempt that turned out right.

    The address starts afresh; its peer does not, or one good account would hide many guesses.
    """
    _forget_failures(email)
    if ip is not None:
        session().execute(
            update(LoginFailureRow)
            .where(LoginFailureRow.subject == throttle.peer_subject(ip))
            .values(failures=func.greatest(LoginFailureRow.failures - 1, 0))
        )


def _forget_failures(email: str) -> None:
    subject = throttle.email_subject(email)
    session().execute(delete(LoginFailureRow).where(LoginFailureRow.subject == subject))


def _subjects(email: str, ip: str | None) -> list[str]:
    # Always in this order, e-mail first, so that two attempts never wait for one another.
    peers = [throttle.peer_subject(ip)] if ip else []
    return [throttle.email_subject(email), *peers]


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
        name=_checked_name(name, longest=LONGEST_CREDENTIAL_NAME),
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


# What people type


def _lock_setup() -> None:
    session().execute(select(func.pg_advisory_xact_lock(_SETUP_LOCK)))


def _typed_email(email: str) -> str:
    """Return what was typed as an address to look up: never an error, at worst unknown."""
    return "".join(filter(str.isprintable, email)).strip().lower()[:LONGEST_EMAIL]


def _checked_email(email: str) -> str:
    try:
        # Installations behind a firewall have addresses that the internet does not know.
        checked = validate_email(
            email.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        problem = f"This is not an e-mail address: {error}"
        raise InvalidError(problem, fields={"email": problem}) from None
    return checked.normalized.lower()


def _checked_name(name: str, *, longest: int = LONGEST_NAME) -> str:
    text = _checked_text(name, "name", longest=longest)
    if not text:
        problem = f"Give a name of 1 to {longest} characters."
        raise InvalidError(problem, fields={"name": problem})
    return text


def _checked_text(text: str, field: str, *, longest: int = LONGEST_NAME) -> str:
    stripped = text.strip()
    if len(stripped) > longest or not stripped.isprintable():
        problem = f"Use at most {longest} characters, without line breaks or control characters."
        raise InvalidError(problem, fields={field: problem})
    return stripped
