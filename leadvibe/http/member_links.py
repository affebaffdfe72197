"""One-time links of members over HTTP: their addresses, and the mails that carry them."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from flask import current_app

from leadvibe.http.workers import job_queue
from leadvibe.identity.queries import find_member_by_email, get_organization
from leadvibe.identity.types import Member, MemberLink
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import mails, service
from leadvibe.notifications.mailer import Mailer

RESET_PAUSE = timedelta(minutes=1)  # between two mails to one member that anybody can ask for


def mailer() -> Mailer:
    return cast("Mailer", current_app.extensions["leadvibe.mailer"])


def link_url(link: MemberLink) -> str:
    """Return the address to open, at the public origin: never one taken from the request."""
    return mails.link_url(link, public_url=_public_url())


def post_link(member: Member) -> None:
    """Have a worker mail the member a link after the commit."""
    service.post_link(member, queue=job_queue(), now=utc_now())


def post_invitation(member: Member) -> None:
    """Have a worker invite the member, who has a password already, if there is a mail server."""
    if mailer().can_send:
        service.post_invitation(member, queue=job_queue(), now=utc_now())


def post_reset(email: str) -> None:
    """Do as `post_link` for whoever has the address, once in a while.

    The caller answers alike in any case, so that nobody learns who is a member.
    """
    member = find_member_by_email(email)
    if member is not None:
        service.post_link(member, queue=job_queue(), now=utc_now(), pause=RESET_PAUSE)


def send_link(link: MemberLink) -> None:
    """Mail a committed link and wait. Raises TransportError."""
    organization = get_organization(link.member.org_id).name
    mailer().send(mails.word_link(link, organization=organization, public_url=_public_url()))


def _public_url() -> str:
    return cast("str", current_app.config["PUBLIC_URL"])
