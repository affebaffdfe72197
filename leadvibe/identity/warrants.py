"""Leave to watch one unit for longer than a request takes, and a token that carries it.

Who holds a warrant has been let in; whether they still would be is asked again from time to time.
The token is good for watching alone, for minutes, and so may stand in an address, where an access
token must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from leadvibe.identity import queries
from leadvibe.identity.errors import TokenRefusedError
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.security import Security
from leadvibe.identity.tokens import ALGORITHM
from leadvibe.identity.types import Principal, Scope, Via
from leadvibe.lib.ids import parse_id

PURPOSE = "stream token"
GOOD_FOR = timedelta(minutes=5)
CLAIMS = ("org", "unit", "member", "credential", "epoch", "exp")


@dataclass(frozen=True, slots=True)
class Warrant:
    """Who watches which unit: a member since their last change of password, or a credential."""

    scope: Scope
    member_id: UUID | None
    session_epoch: int
    credential_id: UUID | None


@dataclass(frozen=True, slots=True)
class StreamToken:
    token: str
    unit_id: UUID
    expires_at: datetime


def issue_warrant(principal: Principal) -> Warrant:
    """Return the principal's leave to watch the unit they work in."""
    member_id = principal.member_id
    epoch = queries.get_member(member_id).session_epoch if member_id else 0
    return Warrant(principal.scope, member_id, epoch, principal.credential_id)


def is_good(warrant: Warrant) -> bool:
    """Say whether its holder would still be let in."""
    if warrant.credential_id is not None:
        return queries.has_credential(warrant.scope, warrant.credential_id)
    if warrant.member_id is None:
        return False
    principal = queries.find_member_principal(
        warrant.member_id,
        session_epoch=warrant.session_epoch,
        via=Via.BEARER,
        wanted_unit_id=warrant.scope.unit_id,
    )
    is_there = principal is not None and principal.unit_id == warrant.scope.unit_id
    return principal is not None and is_there and can(principal, Permission.READ)


def sign_warrant(warrant: Warrant, *, security: Security, now: datetime) -> StreamToken:
    """Write a warrant into a token that is good for minutes, and for nothing else."""
    expires_at = now + GOOD_FOR
    claims = {
        "org": str(warrant.scope.org_id),
        "unit": str(warrant.scope.unit_id),
        "member": str(warrant.member_id or ""),
        "credential": str(warrant.credential_id or ""),
        "epoch": warrant.session_epoch,
        "exp": expires_at,
    }
    token = jwt.encode(claims, security.key(PURPOSE), algorithm=ALGORITHM)
    return StreamToken(token, warrant.scope.unit_id, expires_at)


def read_warrant(token: str, *, security: Security, now: datetime) -> Warrant:
    """Return the warrant that a token carries. Raises TokenRefusedError, also when it lapsed."""
    claims = _verified_claims(token, security)
    org_id, unit_id = parse_id(claims["org"]), parse_id(claims["unit"])
    if org_id is None or unit_id is None or now.timestamp() >= claims["exp"]:
        raise _refused()
    warrant = Warrant(
        Scope(org_id, unit_id),
        parse_id(claims["member"]),
        claims["epoch"],
        parse_id(claims["credential"]),
    )
    if not is_good(warrant):
        raise _refused()
    return warrant


def _verified_claims(token: str, security: Security) -> dict[str, Any]:
    # The library would compare `exp` with the machine's clock; ours is handed in.
    options: Any = {"require": list(CLAIMS), "verify_exp": False}
    try:
        claims: dict[str, Any] = jwt.decode(
            token, security.key(PURPOSE), algorithms=[ALGORITHM], options=options
        )
    except jwt.InvalidTokenError:
        raise _refused() from None
    return claims


def _refused() -> TokenRefusedError:
    return TokenRefusedError(
        "The stream token is not valid or has expired: get a new one at POST /stream/token."
    )
