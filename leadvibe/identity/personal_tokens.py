"""Personal access tokens: programs that act as a member, with the member's roles.

A token is 32 random bytes, so a plain hash keeps it as well as a slow one would. Does not end
tokens when a password changes (signing_in), forget those that expired (service), or commit.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from leadvibe.identity.checks import checked_name
from leadvibe.identity.errors import (
    MemberNotFoundError,
    PersonalTokenNotFoundError,
    TokenNeedsPersonError,
    TokenRefusedError,
)
from leadvibe.identity.models import PersonalTokenRow
from leadvibe.identity.queries import find_member_principal
from leadvibe.identity.security import fingerprint
from leadvibe.identity.types import NewPersonalToken, PersonalToken, Principal, Via
from leadvibe.lib.db import session, single_statement
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import new_id, new_secret

TOKEN_PREFIX = "lv_pat_"  # noqa: S105 - what a token begins with, not one
USE_IS_NOTED_EVERY = timedelta(minutes=15)
"""Often enough to tell a token that is needed from one that is not, and no write a request."""


def is_personal_token(token: str) -> bool:
    """Say whether a bearer token is one of these, rather than an access token."""
    return token.startswith(TOKEN_PREFIX)


def authenticate_token(
    token: str, *, wanted_unit_id: UUID | None = None, now: datetime
) -> Principal:
    """Return the member whom the token acts as. Raises TokenRefusedError.

    Asks the database each time, so a revoked token is refused at once. That it was used is noted
    every quarter of an hour, and kept whatever becomes of the request.
    """
    statement = """
        SELECT token_id, name, last_used_at, org_member_id, session_epoch
        FROM personal_tokens JOIN members USING (org_member_id)
        WHERE token_sha256 = %s AND (expires_at IS NULL OR expires_at > %s)
    """
    with single_statement() as connection:
        row = connection.execute(statement, (fingerprint(token), now)).fetchone()
    if row is None:
        raise _refused()
    token_id, name, last_used_at, member_id, session_epoch = row
    if last_used_at is None or last_used_at <= now - USE_IS_NOTED_EVERY:
        _note_use(token_id, now=now)
    principal = find_member_principal(
        member_id,
        session_epoch=session_epoch,
        via=Via.PERSONAL_TOKEN,
        wanted_unit_id=wanted_unit_id,
    )
    if principal is None:
        raise _refused()
    return replace(principal, token_name=name)


def _note_use(token_id: UUID, *, now: datetime) -> None:
    statement = "UPDATE personal_tokens SET last_used_at = %s WHERE token_id = %s"
    with single_statement() as connection:
        connection.execute(statement, (now, token_id))


def _refused() -> TokenRefusedError:
    return TokenRefusedError(
        "This personal access token is unknown, has expired or was revoked:"
        " sign in and make a new one at POST /me/tokens"
    )


def list_tokens(principal: Principal) -> list[PersonalToken]:
    """List the member's tokens, the oldest first; what they consist of is never shown again."""
    rows = session().scalars(
        select(PersonalTokenRow)
        .where(PersonalTokenRow.org_member_id == principal.member_id)
        .order_by(PersonalTokenRow.token_id)
    )
    return [_token(row) for row in rows]


def create_token(
    principal: Principal, *, name: str, expires_at: datetime | None, now: datetime
) -> NewPersonalToken:
    """Make a token of the member's. It is returned here and never again.

    Raises InvalidError by field, and TokenNeedsPersonError: a token that was lost could otherwise
    outlive its own end.
    """
    if principal.via is Via.PERSONAL_TOKEN:
        raise TokenNeedsPersonError
    if principal.member_id is None:
        raise MemberNotFoundError(f"{principal.label} is not a member.")
    if expires_at is not None and expires_at <= now:
        problem = "lies in the past: give a later time, or none for a token that does not expire"
        raise InvalidError(f"expires_at {problem}.", fields={"expires_at": problem})
    token = f"{TOKEN_PREFIX}{new_secret()}"
    row = PersonalTokenRow(
        token_id=new_id(),
        org_member_id=principal.member_id,
        token_sha256=fingerprint(token),
        name=checked_name(name),
        created_at=now,
        expires_at=expires_at,
    )
    session().add(row)
    session().flush()
    return NewPersonalToken(_token(row), token)


def delete_token(principal: Principal, token_id: UUID) -> None:
    """Revoke a token of the member's at once.

    Raises PersonalTokenNotFoundError, also for another member's, and TokenNeedsPersonError.
    """
    if principal.via is Via.PERSONAL_TOKEN:
        raise TokenNeedsPersonError
    deleted = session().scalar(
        delete(PersonalTokenRow)
        .where(
            PersonalTokenRow.token_id == token_id,
            PersonalTokenRow.org_member_id == principal.member_id,
        )
        .returning(PersonalTokenRow.token_id)
    )
    if deleted is None:
        raise PersonalTokenNotFoundError(f"You have no personal access token {token_id}.")


def _token(row: PersonalTokenRow) -> PersonalToken:
    return PersonalToken(row.token_id, row.name, row.created_at, row.expires_at, row.last_used_at)
