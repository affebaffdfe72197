"""The wording of mails with links for members."""

from __future__ import annotations

from leadvibe.identity.types import LinkPurpose, MemberLink
from leadvibe.notifications import mail_layout
from leadvibe.notifications.mail_layout import Block, Button, Paragraph, Spelled
from leadvibe.notifications.transports.email import Mail

_PATHS = {LinkPurpose.RESET: "/app/reset", LinkPurpose.INVITE: "/app/invitation"}


def link_url(link: MemberLink, *, public_url: str) -> str:
    """Return the address to open, at the public origin: never one taken from a request."""
    return f"{public_url}{_PATHS[link.purpose]}/{link.token}"


def word_link(link: MemberLink, *, organization: str, public_url: str) -> Mail:
    """Word the mail that brings a member of the organisation their link."""
    member, url = link.member, link_url(link, public_url=public_url)
    if link.purpose is LinkPurpose.RESET:
        return reset_mail(to=member.email, name=member.name, url=url)
    return invitation_mail(to=member.email, organization=organization, url=url)


def reset_mail(*, to: str, name: str, url: str) -> Mail:
    """Word the mail with which a forgotten password is replaced."""
    return _link_mail(
        to=to,
        subject="Choose a new Leadvibe password",
        before=f"Hello {name}, somebody asked for a new password for your Leadvibe account.",
        label="Choose a new password",
        url=url,
        after="The link works once, within an hour. If it was not you, nothing has changed.",
    )


def invitation_mail(*, to: str, organization: str, url: str) -> Mail:
    """Word the mail that invites somebody into an organisation."""
    return _link_mail(
        to=to,
        subject=f"Join {organization} on Leadvibe",
        before=f"You are invited to join {organization} on Leadvibe.",
        label="Choose a password and join",
        url=url,
        after="The link works once, within a week.",
    )


def _link_mail(*, to: str, subject: str, before: str, label: str, url: str, after: str) -> Mail:
    blocks: list[Block] = [Paragraph(before), Button(label, url), Paragraph(after), Spelled(url)]
    return Mail(
        to=to, subject=subject, text=mail_layout.as_text(blocks), html=mail_layout.as_html(blocks)
    )
