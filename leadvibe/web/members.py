"""Members of the organisation: invited, and helped back in, by its admins."""

from __future__ import annotations

from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.member_links import link_url, mail_link, mailer
from leadvibe.http.permissions import require_member
from leadvibe.http.principal import security
from leadvibe.identity import queries, service
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import (
    STARTING_ROLES,
    LinkPurpose,
    MemberInUnit,
    MemberLink,
    OrgRole,
    Principal,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.web.forms.members import InviteForm
from leadvibe.web.pages.display import Tone
from leadvibe.web.pages.members import HandedLink, MemberRow, MembersPage
from leadvibe.web.redirects import MEMBERS
from leadvibe.web.rendering import render

_ORG_ROLES = {OrgRole.ADMIN: "Admin", OrgRole.MEMBER: "Member"}

pages = Blueprint("members", __name__)


@pages.get("/members")
def show_members() -> AnyResponse:
    return _answer(require_member(Permission.ADMINISTER), InviteForm())


@pages.post("/members")
def invite_member() -> AnyResponse:
    principal, form = require_member(Permission.ADMINISTER), InviteForm(request.form)
    if not form.validate():
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    org_role, unit_role = STARTING_ROLES[form.starting_role]
    try:
        link = service.invite_member(
            principal.scope,
            email=form.email.data or "",
            org_role=org_role,
            unit_role=unit_role,
            security=security(),
            now=utc_now(),
        )
    except (InvalidError, ConflictError) as error:
        form.show(error)
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    return _hand_on(principal, link)


@pages.post("/members/<uuid:member_id>/link")
def renew_link(member_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    member = queries.get_member_of(principal.org_id, member_id)
    return _hand_on(principal, service.renew_link(member, now=utc_now()))


def _hand_on(principal: Principal, link: MemberLink) -> AnyResponse:
    """Mail the link, or answer with the page: the link is in no place a redirect could show."""
    if mail_link(link):
        what = "The invitation" if link.purpose is LinkPurpose.INVITE else "The reset link"
        flash(f"{what} is on its way to {link.member.email}.", Tone.OK)
        return redirect(MEMBERS, 303)
    response = _answer(principal, InviteForm(), link=link)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(
    principal: Principal, form: InviteForm, *, link: MemberLink | None = None, status: int = 200
) -> AnyResponse:
    page = MembersPage(
        members=tuple(_row(it) for it in queries.list_members(principal.scope)),
        form=form,
        org_name=queries.get_organization(principal.org_id).name,
        unit_name=queries.get_unit(principal.scope).name,
        can_send_mail=mailer().can_send,
        link=_handed(link) if link else None,
    )
    return render("members/page.html", page=page, section=MEMBERS, status=status)


def _row(listed: MemberInUnit) -> MemberRow:
    member = listed.member
    return MemberRow(
        name=f"{member.first_name} {member.last_name}".strip(),
        email=member.email,
        org_role=_ORG_ROLES[member.role],
        unit_role=listed.unit_role or "",
        state="Active" if listed.has_joined else "Invited",
        state_tone=Tone.OK if listed.has_joined else Tone.WARN,
        link_label="Reset link" if listed.has_joined else "Invite again",
        link_url=f"{MEMBERS}/{member.org_member_id}/link",
    )


def _handed(link: MemberLink) -> HandedLink:
    email, url = link.member.email, link_url(link)
    if link.purpose is LinkPurpose.INVITE:
        title, lifetime = f"{email} is invited", "a week"
        purpose = "choose a password and join"
    else:
        title, lifetime = f"A reset link for {email}", "an hour"
        purpose = "choose a new password"
    return HandedLink(
        title=title,
        explanation=(
            f"Copy the link now and hand it over yourself: it is shown only this once."
            f" Whoever opens it can {purpose}; it works once, within {lifetime}."
        ),
        url=url,
    )
