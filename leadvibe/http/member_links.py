"""One-time links of members: their addresses, and mailing them once they are committed."""

from __future__ import annotations

from typing import cast

from flask import current_app

from leadvibe.identity.queries import get_organization
from leadvibe.identity.types import LinkPurpose, MemberLink
from leadvibe.lib.db import after_commit
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.mails import invitation_mail, reset_mail
from leadvibe.notifications.transports.email import Mail

_PATHS = {LinkPurpose.RESET: "/app/reset", LinkPurpose.INVITE: "/app/invitation"}


def mailer() -> Mailer:
    return cast("Mailer", current_app.extensions["leadvibe.mailer"])


def link_url(link: MemberLink) -> str:
    """Return the address to open, at the public origin: never one taken from the request."""
    return f"{current_app.config['PUBLIC_URL']}{_PATHS[link.purpose]}/{link.token}"


def mail_link(link: MemberLink) -> bool:
    """Mail the link after the commit; False without a mail server: somebody must hand it on."""
    sender = mailer()
    if not sender.can_send:
        return False
    mail = _mail(link)
    after_commit(f"mail {mail.to}", lambda: sender.post(mail))
    return True


def send_link(link: MemberLink) -> bool:
    """Mail a committed link and wait; False when it did not leave: somebody must hand it on."""
    return mailer().can_send and mailer().send(_mail(link))


def _mail(link: MemberLink) -> Mail:
    member, url = link.member, link_url(link)
    if link.purpose is LinkPurpose.RESET:
        return reset_mail(to=member.email, name=member.name, url=url)
    organization = get_organization(member.org_id).name
    return invitation_mail(to=member.email, organization=organization, url=url)
