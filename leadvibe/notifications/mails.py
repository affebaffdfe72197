"""The wording of mail: one plain layout, as text and as HTML that says the same."""

from __future__ import annotations

from html import escape

from leadvibe.identity.types import LinkPurpose, MemberLink
from leadvibe.notifications.transports.email import Mail

_PATHS = {LinkPurpose.RESET: "/app/reset", LinkPurpose.INVITE: "/app/invitation"}

_PARAGRAPH = '<p style="margin:0 0 16px">{}</p>'
_BUTTON = (
    '<p style="margin:0 0 16px"><a href="{url}" style="display:inline-block;padding:10px 18px;'
    'border-radius:6px;background:#4a50c8;color:#ffffff;text-decoration:none">{label}</a></p>'
)
_PAGE = (
    '<!doctype html><html lang="en"><body style="margin:0;padding:32px 16px;background:#f6f6f9">'
    '<div style="max-width:480px;margin:0 auto;padding:32px;border-radius:8px;background:#ffffff;'
    'color:#1c1d2b;font:15px/1.5 system-ui,sans-serif">{content}</div></body></html>'
)


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
    content = (
        _PARAGRAPH.format(escape(before))
        + _BUTTON.format(url=escape(url), label=escape(label))
        + _PARAGRAPH.format(escape(after))
        + _PARAGRAPH.format(f"<small>{escape(url)}</small>")
    )
    return Mail(
        to=to,
        subject=subject,
        text=f"{before}\n\n{label}:\n{url}\n\n{after}\n",
        html=_PAGE.format(content=content),
    )
