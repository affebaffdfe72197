"""Who is asking, for which unit, and what their roles are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from leadvibe.identity.errors import NoActiveUnitError


class OrgRole(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class UnitRole(StrEnum):
    OWNER = "Owner"
    OPERATOR = "Operator"
    VIEWER = "Viewer"


# How a new member may begin, by the word that a form or a command has for it.
STARTING_ROLES = {
    "viewer": (OrgRole.MEMBER, UnitRole.VIEWER),
    "operator": (OrgRole.MEMBER, UnitRole.OPERATOR),
    "owner": (OrgRole.MEMBER, UnitRole.OWNER),
    "admin": (OrgRole.ADMIN, UnitRole.OWNER),
}


class LinkPurpose(StrEnum):
    """What a one-time link is good for."""

    INVITE = "invite"
    RESET = "reset"


class Via(StrEnum):
    """How somebody proved who they are."""

    SESSION = "session"
    BEARER = "bearer"
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a name, not a token
    CREDENTIAL = "credential"
    COMMAND = "command"


class LimitMode(StrEnum):
    """What comes of too many requests: nothing, a note, or a refusal."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class KeyBy(StrEnum):
    """Who shares a bucket. Whoever is not known by that is known by an address."""

    ORG = "org"
    UNIT = "unit"
    USER = "user"
    """Each member, and each API credential."""
    CLIENT = "client"
    """Each API credential; members by their address."""
    IP = "ip"


class Rate(NamedTuple):
    """How many requests a second, and how many at once after a pause."""

    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """How many requests to the JSON API there may be, and what comes of more."""

    mode: LimitMode
    key_by: KeyBy
    rate: Rate


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisation unit that a query is confined to."""

    org_id: UUID
    unit_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who proved who they are. `unit_role` is None outside any unit of theirs."""

    org_id: UUID
    via: Via
    org_role: OrgRole
    unit_id: UUID | None = None
    unit_role: UnitRole | None = None
    member_id: UUID | None = None
    credential_id: UUID | None = None
    label: str = ""
    """E-mail address of a member, client id of a credential: what the audit shows."""
    token_name: str = ""
    """Of the personal access token that they came with, if any."""
    own_limit: RequestLimit | None = None
    """Of their credential, else of their organisation; None where the installation's holds."""

    @property
    def is_member(self) -> bool:
        return self.member_id is not None

    @property
    def scope(self) -> Scope:
        """Return the active unit. Raises NoActiveUnitError when there is none."""
        if self.unit_id is None:
            raise NoActiveUnitError
        return Scope(self.org_id, self.unit_id)


@dataclass(frozen=True, slots=True)
class Member:
    org_member_id: UUID
    org_id: UUID
    first_name: str
    last_name: str
    email: str
    role: OrgRole
    verified: bool
    session_epoch: int
    created_at: datetime

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email


@dataclass(frozen=True, slots=True)
class MemberInUnit:
    """A member of an organisation, seen from one of its units."""

    member: Member
    unit_role: UnitRole | None
    """Their effective role there; None for somebody who may not enter."""
    has_joined: bool
    """They have a password; until then their invitation waits for them."""


@dataclass(frozen=True, slots=True)
class UnitMember:
    """Somebody who was let into a unit, with the role that they were given there."""

    member: Member
    role: UnitRole


@dataclass(frozen=True, slots=True)
class Membership:
    """A unit that a member was let into, with the role that they were given there."""

    unit_id: UUID
    unit_name: str
    role: UnitRole


@dataclass(frozen=True, slots=True)
class MemberWithUnits:
    member: Member
    memberships: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    unit_id: UUID
    org_id: UUID
    name: str
    slug: str
    external_ref: str | None
    is_default: bool
    role: UnitRole | None = None
    """The asking member's role there, where a query knows it."""

    @property
    def scope(self) -> Scope:
        return Scope(self.org_id, self.unit_id)


@dataclass(frozen=True, slots=True)
class ArchivedUnit:
    """A unit that takes no events and is not worked in, with all that it had."""

    unit: Unit
    archived_at: datetime
    archived_by: str


@dataclass(frozen=True, slots=True)
class Organization:
    org_id: UUID
    name: str
    created_at: datetime
    own_limit: RequestLimit | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in member with their organisation and every unit they may enter, by name."""

    member: Member
    organization: Organization
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    secret_id: UUID
    org_id: UUID
    unit_id: UUID
    client_id: str
    name: str
    trust_upstream_consent: bool
    created_at: datetime
    own_rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential with the secret that is shown once and never stored."""

    credential: Credential
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token that acts as its member; what it consists of is not stored."""

    token_id: UUID
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """True to a quarter of an hour; None while it has not been used."""


@dataclass(frozen=True, slots=True)
class NewPersonalToken:
    """A token with what it consists of, which is shown once and never stored."""

    stored: PersonalToken
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MemberLink:
    """A one-time link to choose a password; the token is not stored and cannot be had again."""

    token: str = field(repr=False)
    member: Member
    purpose: LinkPurpose
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """What the first run made."""

    organization: Organization
    unit: Unit
    member: Member


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in over the API returns."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int
    member: Member
