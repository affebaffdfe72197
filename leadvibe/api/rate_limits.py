"""Rate limits: as whoever asks meets them, and those of the organisation and its credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictInt

from leadvibe.api.fields import CredentialId
from leadvibe.http.rate_limits import limit_on, limiter
from leadvibe.identity import limits, queries
from leadvibe.identity.checks import MOST_REQUESTS
from leadvibe.identity.types import KeyBy, LimitMode, Principal, Rate, RequestLimit

_Number = Annotated[StrictInt, Field(ge=1, le=MOST_REQUESTS)]


class RateBody(BaseModel):
    """How many requests a credential may make, counted apart from all others."""

    rps: _Number = Field(description="Requests a second.")
    burst: _Number = Field(description="At once after a pause; no less than rps.")


class OwnLimit(RateBody):
    """How many requests the organisation may make."""

    mode: LimitMode = Field(description="observe counts and refuses nothing.")
    key_by: KeyBy = Field(description="Who shares a bucket.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many requests share the bucket `key`: `rps` a second, `burst` at once after a pause.

    `stage` says when a request is counted: an address before anybody knows whose it is, all else
    once that is known. `observe` counts and refuses nothing.
    """

    enabled: bool
    mode: LimitMode
    key_by: KeyBy
    key: str
    rps: int
    burst: int
    stage: Literal["before_authentication", "after_authentication"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationLimit:
    """The limit of the organisation; `own` is false while the installation's holds."""

    own: bool
    mode: LimitMode
    key_by: KeyBy
    rps: int
    burst: int


def get_rate_limit(principal: Principal) -> RateLimit:
    """The limit on your requests, and the bucket that they are counted in."""
    limit, key = limit_on(principal)
    is_early = principal.own_limit is None and limit.key_by is KeyBy.IP
    return RateLimit(
        enabled=limit.mode is not LimitMode.OFF,
        mode=limit.mode,
        key_by=limit.key_by,
        key=key,
        rps=limit.rate.per_second,
        burst=limit.rate.burst,
        stage="before_authentication" if is_early else "after_authentication",
    )


def get_organization_limit(principal: Principal) -> OrganizationLimit:
    """The limit that holds for the organisation: its own, else the installation's."""
    own = queries.get_organization(principal.org_id).own_limit
    return _organization(own or limiter().limit, is_own=own is not None)


def set_organization_limit(principal: Principal, body: OwnLimit) -> OrganizationLimit:
    """Give the organisation a limit of its own; it holds at once."""
    limit = RequestLimit(body.mode, body.key_by, Rate(body.rps, body.burst))
    limits.set_limit(principal.org_id, limit)
    return _organization(limit, is_own=True)


def drop_organization_limit(principal: Principal) -> None:
    """Leave it to the installation's limit again."""
    limits.set_limit(principal.org_id, None)


def set_secret_limit(principal: Principal, credential_id: CredentialId, body: RateBody) -> None:
    """Give a credential a limit of its own; more requests of it are refused at once."""
    limits.limit_credential(principal.scope, credential_id, per_second=body.rps, burst=body.burst)


def drop_secret_limit(principal: Principal, credential_id: CredentialId) -> None:
    """Count a credential with the others again."""
    limits.limit_credential(principal.scope, credential_id, per_second=None, burst=None)


def _organization(limit: RequestLimit, *, is_own: bool) -> OrganizationLimit:
    return OrganizationLimit(
        own=is_own,
        mode=limit.mode,
        key_by=limit.key_by,
        rps=limit.rate.per_second,
        burst=limit.rate.burst,
    )
