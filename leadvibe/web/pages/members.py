"""Members of the organisation: templates/members/page.html.

Without a mail server the answer to a successful POST is this page with `link` set, not a
redirect: a link is shown once and kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    name: str
    """Empty for somebody who has not told theirs."""
    email: str
    org_role: str
    unit_role: str
    """Empty for somebody who may not enter the unit."""
    state: str
    state_tone: Tone
    link_label: str
    """What the button asks for: a reset link, or another invitation."""
    link_url: str
    """POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedLink:
    """A link that nobody mails, for the admin to hand over."""

    title: str
    explanation: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage:
    members: tuple[MemberRow, ...]
    form: Form
    """`email` and `role`."""
    org_name: str
    unit_name: str
    can_send_mail: bool
    link: HandedLink | None = None
    action_url: str = "/app/members"
