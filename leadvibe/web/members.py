"""Members of the organisation: invited, and helped back in, by its admins.

A link is mailed by a worker; the page tells how that goes and offers the link when it does not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.member_links import link_url, mailer, post_link
from leadvibe.http.permissions import require_member
from leadvibe.http.principal import security
from leadvibe.identity import member_links, queries, service
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import (
    STARTING_ROLES,
    LinkPurpose,
    Member,
    MemberInUnit,
    MemberLink,
    OrgRole,
    Principal,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.notifications.queries import list_link_mails
from leadvibe.notifications.service import withdraw_link
from leadvibe.notifications.types import LinkMail, MailState
from leadvibe.web.forms.members import InviteForm
from leadvibe.web.pages.display import Moment, Tone
from leadvibe.web.pages.members import HandedLink, MailNote, MemberRow, MembersPage
from leadvibe.web.redirects import MEMBERS
from leadvibe.web.rendering import render

FRAGMENTS = {"member-list": "members/_list.html"}
BY_HAND = "hand"
"""Value of the form's `by`: the admin hands the link over."""

PATIENCE = timedelta(minutes=1)
"""After which a mail that no worker has tried is worth a word."""

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
        member = service.invite_member(
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
    return _hand_on(principal, member, "The invitation")


@pages.post("/members/<uuid:member_id>/link")
def renew_link(member_id: UUID) -> AnyResponse:
    principal = require_member(Permission.ADMINISTER)
    member = queries.get_member_of(principal.org_id, member_id)
    if request.form.get("by") == BY_HAND:
        return _show_link(principal, member)
    return _hand_on(principal, member, "A link")


def _hand_on(principal: Principal, member: Member, what: str) -> AnyResponse:
    """Mail a link if there is a mail server, else show it."""
    if not mailer().can_send:
        return _show_link(principal, member)
    post_link(member)
    flash(f"{what} is on its way to {member.email}.", Tone.OK)
    return redirect(MEMBERS, 303)


def _show_link(principal: Principal, member: Member) -> AnyResponse:
    """Answer with the page: the link is in no place a redirect could show."""
    withdraw_link(member)
    link = member_links.renew_link(member, now=utc_now())
    response = _answer(principal, InviteForm(), link=link)
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(
    principal: Principal, form: InviteForm, *, link: MemberLink | None = None, status: int = 200
) -> AnyResponse:
    mails, now = list_link_mails(principal.org_id), utc_now()
    listed = queries.list_members(principal.scope)
    rows = tuple(_row(it, mails.get(it.member.org_member_id), now=now) for it in listed)
    page = MembersPage(
        members=rows,
        is_mailing=any(row.mail is not None and row.mail.is_underway for row in rows),
        form=form,
        org_name=queries.get_organization(principal.org_id).name,
        unit_name=queries.get_unit(principal.scope).name,
        can_send_mail=mailer().can_send,
        link=_handed(link) if link else None,
    )
    return render(
        "members/page.html", page=page, section=MEMBERS, fragments=FRAGMENTS, status=status
    )


def _row(listed: MemberInUnit, mail: LinkMail | None, *, now: datetime) -> MemberRow:
    member = listed.member
    return MemberRow(
        name=f"{member.first_name} {member.last_name}".strip(),
        email=member.email,
        org_role=_ORG_ROLES[member.role],
        unit_role=listed.unit_role or "",
        state="Active" if listed.has_joined else "Invited",
        state_tone=Tone.OK if listed.has_joined else Tone.WARN,
        url=f"{MEMBERS}/{member.org_member_id}",
        link_label="Reset link" if listed.has_joined else "Invite again",
        link_url=f"{MEMBERS}/{member.org_member_id}/link",
        mail=_note(mail, now=now) if mail else None,
    )


def _note(mail: LinkMail, *, now: datetime) -> MailNote:
    """Say how the latest mail to somebody fares; while it is under way the page looks again."""
    if mail.state is MailState.SENT:
        return MailNote(text="Mailed", at=Moment.of(mail.asked_at))
    if mail.state is MailState.FAILED:
        text = f"The mail could not be delivered: {mail.problem}."
        return MailNote(text=text, tone=Tone.BAD)
    if mail.problem:
        text = f"Not delivered yet: {mail.problem}. It is tried again."
        return MailNote(text=text, tone=Tone.WARN)
    if now - mail.asked_at > PATIENCE:
        return MailNote(text="Not sent yet: no worker has come by.", tone=Tone.WARN)
    return MailNote(text="The mail is on its way", is_underway=True)


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
