"""Keys with which clients of other lead products come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.fields import KeyId, Name
from leadvibe.identity import api_keys
from leadvibe.identity.api_keys import TEST_TOKEN_LASTS, USUAL_SCOPES, ApiKey, KeyKind
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now


class NewKey(BaseModel):
    """What uses the key, and what it may do."""

    name: Name = Field(description="A label of 1 to 100 characters.")
    kind: KeyKind = Field(description="Whose API it opens.")
    scopes: list[Literal["leads.read", "leads.write", "leads.delete"]] = Field(
        ["leads.read", "leads.write"],
        description="What a key of kind nexus may do; those of the others are as they are.",
    )
    is_test: StrictBool = Field(False, description="Whether it ends after an hour.")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyItem:
    """A key without what it consists of; `prefix` is its beginning."""

    key_id: UUID
    kind: KeyKind
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeyItem(KeyItem):
    """A new key: keep its text, for it is shown this once."""

    api_key: str


def list_keys(principal: Principal) -> list[KeyItem]:
    """The unit's keys that are still good, the oldest first."""
    keys = api_keys.list_api_keys(principal.scope, now=utc_now())
    return [KeyItem(**_of(key)) for key in keys]


def create_key(principal: Principal, body: NewKey) -> NewKeyItem:
    """Make a key for a client of another lead product: it works in this unit alone."""
    made = api_keys.create_api_key(
        principal.scope,
        body.kind,
        name=body.name,
        scopes=body.scopes if body.kind is KeyKind.NEXUS else USUAL_SCOPES,
        lasts=TEST_TOKEN_LASTS if body.is_test else None,
        created_by=principal.label,
        now=utc_now(),
    )
    return NewKeyItem(**_of(made.key), api_key=made.text)


def delete_key(principal: Principal, key_id: KeyId) -> None:
    """Refuse a key from now on."""
    api_keys.delete_api_key(principal.scope, key_id)


def _of(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in KeyItem.__dataclass_fields__}
