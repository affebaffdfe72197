"""Access tokens: short-lived JWTs that carry who a member is.

Does not say whether the member still exists or has signed out everywhere: the epoch in the
claims is compared with the member's by the query that loads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from leadvibe.identity.errors import TokenRefusedError
from leadvibe.identity.security import Security
from leadvibe.identity.types import Member
from leadvibe.lib.ids import new_id, parse_id

ALGORITHM = "HS256"
PURPOSE = "access token"
CLAIMS = ("sub", "org_id", "org_member_id", "role", "epoch", "exp", "iat", "jti")


@dataclass(frozen=True, slots=True)
class Access:
    """What a valid access token claims."""

    member_id: UUID
    session_epoch: int


def sign_access_token(member: Member, *, security: Security, now: datetime) -> str:
    """Return a JWT for the member, valid from `now` on."""
    claims = {
        "sub": str(member.org_member_id),
        "org_id": str(member.org_id),
        "org_member_id": str(member.org_member_id),
        "role": member.role.value,
        "epoch": member.session_epoch,
        "iat": now,
        "exp": now + timedelta(minutes=security.access_token_minutes),
        "jti": new_id().hex,
    }
    return jwt.encode(claims, security.key(PURPOSE), algorithm=ALGORITHM)


def read_access_token(token: str, *, security: Security, now: datetime) -> Access:
    """Check signature and age. Raises TokenRefusedError, which says whether it merely expired."""
    claims = _verified_claims(token, security)
    if now.timestamp() >= claims["exp"]:
        raise TokenRefusedError("The access token has expired: get a new one at POST /auth/refresh")
    member_id, epoch = parse_id(claims["sub"]), claims["epoch"]
    if member_id is None or not isinstance(epoch, int):
        raise _unreadable()
    return Access(member_id, epoch)


def _verified_claims(token: str, security: Security) -> dict[str, Any]:
    # The library would compare `exp` with the machine's clock; ours is handed in.
    options: Any = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False}
    try:
        claims: dict[str, Any] = jwt.decode(
            token, security.key(PURPOSE), algorithms=[ALGORITHM], options=options
        )
    except jwt.InvalidTokenError:
        raise _unreadable() from None
    if not isinstance(claims["exp"], int):
        raise _unreadable()
    return claims


def _unreadable() -> TokenRefusedError:
    return TokenRefusedError("The access token is not valid: sign in again at POST /auth/login")
