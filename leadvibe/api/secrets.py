"""API credentials of a unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.fields import CredentialId, Text
from leadvibe.identity import queries, service
from leadvibe.identity.types import Credential, Principal
from leadvibe.lib.clock import utc_now


class NewSecret(BaseModel):
    """What to call the credential."""

    name: Text = Field(description="A label of 1 to 50 characters.")


class Consent(BaseModel):
    """Whether to take the sender's word on consent."""

    trust_upstream_consent: StrictBool = Field(
        description="Whether the consent status of events that come with it is trusted."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretItem:
    """A credential; its secret is not stored and never shown again."""

    secret_id: UUID
    unit_id: UUID
    client_id: str
    name: str
    trust_upstream_consent: bool
    created_at: datetime
    rps: int | None
    """Of a limit of its own; null when it is counted with the others."""
    burst: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecretItem:
    """A new credential with its secret: keep it, for it is shown this once."""

    secret_id: UUID
    unit_id: UUID
    client_id: str
    client_secret: str
    name: str
    created_at: datetime


def list_secrets(principal: Principal) -> list[SecretItem]:
    """The unit's credentials, the oldest first."""
    return [_item(credential) for credential in queries.list_credentials(principal.scope)]


def create_secret(principal: Principal, body: NewSecret) -> NewSecretItem:
    """Make a pair of client_id and client_secret that acts as an Operator of this unit."""
    made = service.create_credential(
        principal.scope, name=body.name, created_by=principal.label, now=utc_now()
    )
    credential = made.credential
    return NewSecretItem(
        secret_id=credential.secret_id,
        unit_id=credential.unit_id,
        client_id=credential.client_id,
        client_secret=made.client_secret,
        name=credential.name,
        created_at=credential.created_at,
    )


def update_secret(principal: Principal, credential_id: CredentialId, body: Consent) -> None:
    """Say whether the consent status that comes with a credential's events is trusted."""
    service.trust_consent(principal.scope, credential_id, is_trusted=body.trust_upstream_consent)


def delete_secret(principal: Principal, credential_id: CredentialId) -> None:
    """Revoke a credential at once."""
    service.delete_credential(principal.scope, credential_id)


def _item(credential: Credential) -> SecretItem:
    return SecretItem(
        secret_id=credential.secret_id,
        unit_id=credential.unit_id,
        client_id=credential.client_id,
        name=credential.name,
        trust_upstream_consent=credential.trust_upstream_consent,
        created_at=credential.created_at,
        rps=credential.own_rate.per_second if credential.own_rate else None,
        burst=credential.own_rate.burst if credential.own_rate else None,
    )
