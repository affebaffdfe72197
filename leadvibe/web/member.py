"""One member of the organisation: their role in the active unit, and the end of their access."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.audit.queries import find_last_deed
from leadvibe.http.permissions import require_member
from leadvibe.identity import members, queries
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import (
    STARTING_ROLES,
    Member,
    MemberInUnit,
    OrgRole,
    Principal,
    UnitRole,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.web.forms.members import ROLES
from leadvibe.web.pages.display import Choice, Moment, Tone
from leadvibe.web.pages.members import MemberPage
from leadvibe.web.redirects import MEMBERS
from leadvibe.web.rendering import render

NO_ACCESS = "none"
SEE_OTHER = 303

pages = Blueprint("member", __name__)


@pages.get("/members/<uuid:member_id>")
def show_member(member_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    return render(
        "members/member.html",
        page=_build(principal, _get(principal, member_id)),
        section=MEMBERS,
    )


@pages.post("/members/<uuid:member_id>/role")
def change_role(member_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    member, role = _get(principal, member_id).member, request.form.get("role", "")
    if role not in {*STARTING_ROLES, NO_ACCESS}:
        raise InvalidError("Choose one of the roles on offer.", fields={"role": "is no role"})
    try:
        _give(principal, member, role)
    except ConflictError as error:
        flash(error.message, Tone.BAD)
    else:
        flash(f"The role of {member.email} is changed.", Tone.OK)
    return redirect(f"{MEMBERS}/{member_id}", SEE_OTHER)


@pages.post("/members/<uuid:member_id>/delete")
def delete_member(member_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    member = _get(principal, member_id).member
    if member.org_member_id == principal.member_id:
        flash("You cannot remove yourself: ask another admin.", Tone.BAD)
        return redirect(f"{MEMBERS}/{member_id}", SEE_OTHER)
    try:
        members.delete_member(principal.org_id, member_id)
    except ConflictError as error:
        flash(error.message, Tone.BAD)
        return redirect(f"{MEMBERS}/{member_id}", SEE_OTHER)
    flash(f"{member.email} is removed and signed out.", Tone.OK)
    return redirect(MEMBERS, SEE_OTHER)


def _give(principal: Principal, member: Member, role: str) -> None:
    """Give a member a role in the active unit, and in the organisation as far as it says so."""
    now = utc_now()
    if role == NO_ACCESS:
        members.update_member(principal.org_id, member.org_member_id, role=OrgRole.MEMBER)
        listed = members.list_unit_members(principal.scope)
        if any(it.member.org_member_id == member.org_member_id for it in listed):
            members.remove(principal, member.org_member_id)
        return
    org_role, unit_role = STARTING_ROLES[role]
    members.update_member(principal.org_id, member.org_member_id, role=org_role)
    members.assign(principal, member.org_member_id, role=unit_role, now=now)


def _get(principal: Principal, member_id: UUID) -> MemberInUnit:
    for listed in queries.list_members(principal.scope):
        if listed.member.org_member_id == member_id:
            return listed
    raise MemberNotFoundError(f"There is no member {member_id}.")


def _build(principal: Principal, listed: MemberInUnit) -> MemberPage:
    member, url = listed.member, f"{MEMBERS}/{listed.member.org_member_id}"
    everyone = {it.member.org_member_id: it for it in members.list_members(principal)}
    units = [unit.unit_id for unit in queries.list_units(principal)]
    seen_at = find_last_deed(units, member.email)
    current = _role_of(listed)
    invited = not listed.has_joined
    return MemberPage(
        name=member.name,
        email=member.email,
        state="Invited" if invited else "Active",
        state_tone=Tone.WARN if invited else Tone.OK,
        joined_at=Moment.of(member.created_at),
        last_seen_at=Moment.of(seen_at) if seen_at else None,
        units=tuple(
            f"{it.unit_name} ({it.role})" for it in everyone[member.org_member_id].memberships
        ),
        unit_name=queries.get_unit(principal.scope).name,
        roles=(
            Choice("No access", NO_ACCESS, current == NO_ACCESS),
            *(Choice(label, role, role == current) for label, role in ROLES.items()),
        ),
        is_self=member.org_member_id == principal.member_id,
        remove_label="Revoke invitation" if invited else "Remove member",
        remove_title=f"{'Revoke the invitation of' if invited else 'Remove'} {member.email}?",
        remove_text=(
            "Their link stops working at once."
            if invited
            else "They are signed out at once, and their personal tokens are refused."
        ),
        role_url=f"{url}/role",
        delete_url=f"{url}/delete",
    )


def _role_of(listed: MemberInUnit) -> str:
    if listed.member.role is OrgRole.ADMIN:
        return "admin"
    if listed.unit_role is None:
        return NO_ACCESS
    return {UnitRole.OWNER: "owner", UnitRole.OPERATOR: "operator"}.get(listed.unit_role, "viewer")
