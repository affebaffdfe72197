"""Members of the organisation, and those of one of its units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from leadvibe.api.fields import LEFT_OUT, Changes, MemberId, Name, Text, UnitId
from leadvibe.http.member_links import post_invitation
from leadvibe.http.principal import security
from leadvibe.identity import members, service
from leadvibe.identity.types import (
    Member,
    Membership,
    MemberWithUnits,
    OrgRole,
    Principal,
    UnitMember,
    UnitRole,
)
from leadvibe.lib.clock import utc_now


class GivenRole(StrEnum):
    """A role in the organisation as clients may write it."""

    ADMIN = "admin"
    MEMBER = "member"
    EDITOR = "editor"
    VIEWER = "viewer"

    @property
    def org_role(self) -> OrgRole:
        return OrgRole.ADMIN if self is GivenRole.ADMIN else OrgRole.MEMBER


Email = Annotated[
    Text, Field(description="The address to sign in with.", json_schema_extra={"format": "email"})
]
Role = Annotated[
    GivenRole,
    Field(
        description="admin: administers the organisation and is Owner of every unit. All others are"
        " stored as member, whose rights are those of their memberships in units."
    ),
]


class NewMember(BaseModel):
    """Somebody who may sign in at once with the password."""

    first_name: Name
    last_name: Name
    email: Email
    password: Text = Field(
        description="10 to 256 characters.", json_schema_extra={"format": "password"}
    )
    role: Role


class MemberChanges(Changes):
    """What to change of a member; what is left out stays as it is."""

    first_name: Name = LEFT_OUT
    last_name: Name = LEFT_OUT
    email: Email = LEFT_OUT
    role: Role = LEFT_OUT


class Assignment(BaseModel):
    """Who is let into the unit, and as what."""

    org_member_id: UUID
    role: UnitRole = Field(
        UnitRole.VIEWER,
        description="Left out, it makes nobody who belongs to the unit already less than they are.",
    )


class RoleChange(BaseModel):
    """What somebody is to be in the unit."""

    role: UnitRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipItem:
    unit_id: UUID
    unit_name: str
    role: UnitRole


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMemberItem:
    """A member; `role` is theirs in the organisation."""

    org_member_id: UUID
    first_name: str
    last_name: str
    email: str
    role: OrgRole


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberItem(NewMemberItem):
    """A member of the organisation, and the units that they were let into."""

    ou_memberships: list[MembershipItem]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMemberItem:
    """A member of a unit; `role` is theirs there."""

    org_member_id: UUID
    first_name: str
    last_name: str
    email: str
    role: UnitRole


def list_members(principal: Principal) -> list[MemberItem]:
    """Everybody in the organisation, by address, with where they belong of the units you may enter.

    For admins, and for Owners and Operators, who choose from it whom to let into their unit.
    """
    return [_item(listed) for listed in members.list_members(principal)]


def create_member(principal: Principal, body: NewMember) -> NewMemberItem:
    """Add somebody who may sign in at once with the password.

    If there is a mail server, they are invited by mail to choose a password of their own. They
    enter units once they are assigned to them; admins enter all.
    """
    member = service.create_member(
        principal.org_id,
        email=body.email,
        first_name=body.first_name,
        last_name=body.last_name,
        role=body.role.org_role,
        password=body.password,
        security=security(),
        now=utc_now(),
    )
    post_invitation(member)
    return NewMemberItem(**_of(member), role=member.role)


def update_member(principal: Principal, member_id: MemberId, body: MemberChanges) -> None:
    """Change name, address or role. The last admin who can sign in stays one."""
    given = body.given()
    if "role" in given:
        given["role"] = body.role.org_role
    members.update_member(principal.org_id, member_id, **given)


def delete_member(principal: Principal, member_id: MemberId) -> None:
    """Remove a member with their memberships, sessions and tokens, all at once and for good.

    You may remove yourself. The last admin who can sign in cannot be removed.
    """
    members.delete_member(principal.org_id, member_id)


def list_unit_members(principal: Principal, _unit_id: UnitId) -> list[UnitMemberItem]:
    """Those who were let into the unit, by address. You must belong to it yourself."""
    return [_unit_item(listed) for listed in members.list_unit_members(principal.scope)]


def assign_member(principal: Principal, _unit_id: UnitId, body: Assignment) -> UnitMemberItem:
    """Let a member of the organisation into the unit, or give them another role there.

    The same again changes nothing. Only Owners make and unmake Owners; the last one stays.
    """
    role = body.role if "role" in body.model_fields_set else None
    return _unit_item(members.assign(principal, body.org_member_id, role=role, now=utc_now()))


def update_unit_member(
    principal: Principal, _unit_id: UnitId, member_id: MemberId, body: RoleChange
) -> UnitMemberItem:
    """Give a member of the unit another role.

    Only Owners make and unmake Owners; the last one stays.
    """
    return _unit_item(members.change_role(principal, member_id, role=body.role, now=utc_now()))


def remove_unit_member(principal: Principal, _unit_id: UnitId, member_id: MemberId) -> None:
    """Take a member out of the unit. Only Owners remove Owners; the last one stays."""
    members.remove(principal, member_id)


def _item(listed: MemberWithUnits) -> MemberItem:
    member = listed.member
    return MemberItem(
        **_of(member),
        role=member.role,
        ou_memberships=[_membership(it) for it in listed.memberships],
        created_at=member.created_at,
    )


def _membership(membership: Membership) -> MembershipItem:
    return MembershipItem(
        unit_id=membership.unit_id, unit_name=membership.unit_name, role=membership.role
    )


def _unit_item(listed: UnitMember) -> UnitMemberItem:
    return UnitMemberItem(**_of(listed.member), role=listed.role)


def _of(member: Member) -> dict[str, Any]:
    return {
        "org_member_id": member.org_member_id,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
    }
