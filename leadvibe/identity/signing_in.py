"""Signing in and staying signed in: passwords judged and changed, attempts counted, tokens spent.

Flushes and does not commit, but for two things that must outlive a refusal: the count of failed
attempts, and what became of a refresh token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from leadvibe.identity import passwords, throttle, tokens
from leadvibe.identity.checks import typed_email
from leadvibe.identity.errors import SignInRefusedError, TokenRefusedError, WrongPasswordError
from leadvibe.identity.models import (
    LoginFailureRow,
    MemberLinkRow,
    MemberRow,
    PersonalTokenRow,
    RefreshTokenRow,
)
from leadvibe.identity.queries import get_member, member_of
from leadvibe.identity.security import Security, fingerprint
from leadvibe.identity.types import Member, Tokens
from leadvibe.lib.db import own_transaction, session
from leadvibe.lib.errors import ThrottledError
from leadvibe.lib.ids import new_id, new_secret

REFRESH_TOKEN_PREFIX = "lv_rt_"  # noqa: S105 - what a token begins with, not one


def sign_in(
    email: str, password: str, *, ip: str | None, security: Security, now: datetime
) -> Member:
    """Return the member whose password this is.

    Raises SignInRefusedError, the same for whatever is wrong and in the same time, and
    ThrottledError after many failures of the address or the network peer.
    """
    address = typed_email(email)
    count_attempt(address, ip, now)
    row = session().scalar(select(MemberRow).where(MemberRow.email == address))
    stored = row.password_hash if row else None
    is_right = passwords.is_password(password, stored, security.hashing)
    if row is None or stored is None or not is_right:
        raise SignInRefusedError
    uncount_attempt(address, ip)
    if passwords.is_outdated(stored, security.hashing):
        row.password_hash = passwords.hash_password(password, security.hashing)
        session().flush()
    return member_of(row)


def change_password(
    member_id: UUID,
    *,
    current_password: str,
    password: str,
    ip: str | None,
    security: Security,
    now: datetime,
) -> Member:
    """Replace a password by somebody who knows it; their other sessions and tokens end.

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
    return set_password(row, password, security)


def set_password(row: MemberRow, password: str, security: Security) -> Member:
    """Store a password that was judged; every session, token and link of the member ends."""
    row.password_hash = passwords.hash_password(password, security.hashing)
    row.session_epoch += 1
    for table in (RefreshTokenRow, PersonalTokenRow, MemberLinkRow):
        session().execute(delete(table).where(table.org_member_id == row.org_member_id))
    session().flush()
    return member_of(row)


def end_sessions(member_id: UUID) -> Member:
    """End every session of a member, in browsers and over the API; personal tokens stay good."""
    row = session().get_one(MemberRow, member_id, with_for_update=True)
    row.session_epoch += 1
    session().execute(
        delete(RefreshTokenRow).where(RefreshTokenRow.org_member_id == row.org_member_id)
    )
    session().flush()
    return member_of(row)


def issue_tokens(member: Member, *, security: Security, now: datetime) -> Tokens:
    """Return an access token and the first refresh token of a new family."""
    return _issue_tokens(session(), member, family_id=new_id(), security=security, now=now)


def rotate_refresh(refresh_token: str, *, security: Security, now: datetime) -> Tokens:
    """Spend a refresh token for new tokens.

    Raises TokenRefusedError. A token that comes a second time was copied: its family ends, for
    the thief and the owner alike, and that is kept although the request fails.
    """
    with own_transaction() as apart:
        new = _spend(apart, fingerprint(refresh_token), security=security, now=now)
    if new is None:
        raise TokenRefusedError("The refresh token is not valid any more: sign in again.")
    return new


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


def _issue_tokens(
    within: Session, member: Member, *, family_id: UUID, security: Security, now: datetime
) -> Tokens:
    refresh_token = f"{REFRESH_TOKEN_PREFIX}{new_secret()}"
    within.add(
        RefreshTokenRow(
            token_sha256=fingerprint(refresh_token),
            family_id=family_id,
            org_member_id=member.org_member_id,
            issued_at=now,
            expires_at=now + timedelta(days=security.refresh_token_days),
        )
    )
    within.flush()
    return Tokens(
        access_token=tokens.sign_access_token(member, security=security, now=now),
        refresh_token=refresh_token,
        expires_in_seconds=security.access_token_minutes * 60,
        member=member,
    )


def _spend(
    apart: Session, token_sha256: bytes, *, security: Security, now: datetime
) -> Tokens | None:
    """Mark a token used and issue the next, or end the family of one that was used before.

    Both in one transaction: of two uses at once, the second waits for the first and then also
    ends the token that the first was given.
    """
    is_this = RefreshTokenRow.token_sha256 == token_sha256
    spent = apart.execute(
        update(RefreshTokenRow)
        .where(is_this, RefreshTokenRow.used_at.is_(None), RefreshTokenRow.expires_at > now)
        .values(used_at=now)
        .returning(RefreshTokenRow.family_id, RefreshTokenRow.org_member_id)
    ).one_or_none()
    if spent is None:
        was_used = select(RefreshTokenRow.family_id).where(
            is_this, RefreshTokenRow.used_at.is_not(None)
        )
        apart.execute(delete(RefreshTokenRow).where(RefreshTokenRow.family_id.in_(was_used)))
        return None
    member = member_of(apart.get_one(MemberRow, spent.org_member_id))
    return _issue_tokens(apart, member, family_id=spent.family_id, security=security, now=now)


def count_attempt(email: str, ip: str | None, now: datetime) -> None:
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


def uncount_attempt(email: str, ip: str | None) -> None:
    """Take back the attempt that turned out right.

    The address starts afresh; its peer does not, or one good account would hide many guesses.
    """
    forget_failures(email)
    if ip is not None:
        session().execute(
            update(LoginFailureRow)
            .where(LoginFailureRow.subject == throttle.peer_subject(ip))
            .values(failures=func.greatest(LoginFailureRow.failures - 1, 0))
        )


def forget_failures(email: str) -> None:
    """Let an address try again at once, after a password was proved or replaced."""
    subject = throttle.email_subject(email)
    session().execute(delete(LoginFailureRow).where(LoginFailureRow.subject == subject))


def _subjects(email: str, ip: str | None) -> list[str]:
    # Always in this order, e-mail first, so that two attempts never wait for one another.
    peers = [throttle.peer_subject(ip)] if ip else []
    return [throttle.email_subject(email), *peers]
