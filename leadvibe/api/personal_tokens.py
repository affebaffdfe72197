"""Personal access tokens: programs that act as a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import Instant, Name, TokenId
from leadvibe.identity import personal_tokens
from leadvibe.identity.types import PersonalToken, Principal
from leadvibe.lib.clock import utc_now


class NewToken(BaseModel):
    """What to call the token, and when it ends."""

    name: Name = Field(description="What uses it, in 1 to 100 characters.")
    expires_at: Instant | None = Field(
        None, description="It is refused from then on; null for a token that does not expire."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenItem:
    """A token without what it consists of. `last_used_at` is true to a quarter of an hour."""

    token_id: UUID
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenItem(TokenItem):
    """A new token: keep what it consists of, for it is shown this once."""

    token: str


def list_tokens(principal: Principal) -> list[TokenItem]:
    """Your tokens, the oldest first."""
    return [TokenItem(**_of(token)) for token in personal_tokens.list_tokens(principal)]


def create_token(principal: Principal, body: NewToken) -> NewTokenItem:
    """Make a token that acts as you, with your roles as they are at the time, until it ends.

    It ends when it expires or is revoked, when you get a new password, and when you leave. Not for
    programs that themselves come with a personal access token.
    """
    made = personal_tokens.create_token(
        principal, name=body.name, expires_at=body.expires_at, now=utc_now()
    )
    return NewTokenItem(**_of(made.stored), token=made.token)


def delete_token(principal: Principal, token_id: TokenId) -> None:
    """Revoke a token of yours at once. Not for programs that themselves come with one."""
    personal_tokens.delete_token(principal, token_id)


def _of(token: PersonalToken) -> dict[str, Any]:
    return {
        "token_id": token.token_id,
        "name": token.name,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }
