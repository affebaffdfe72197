"""Members of the organisation: templates/members/page.html, and _list.html alone.

A link that is not mailed comes as the answer to its POST, this page with `link` set and not a
redirect: it is shown once and kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Choice, Moment, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class MailNote:
    """How the latest mail with a link fares; one with a problem comes with another way out."""

    text: str
    tone: Tone = Tone.NEUTRAL
    at: Moment | None = None
    is_underway: bool = False

    @property
    def is_problem(self) -> bool:
        return self.tone is not Tone.NEUTRAL


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
    url: str
    """The member's own page: their role, and the end of it."""
    link_label: str
    """What the button asks for: a reset link, or another invitation."""
    link_url: str
    """POST; with by=hand the answer shows the link, else it is mailed if it can be."""
    mail: MailNote | None = None


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
    is_mailing: bool = False
    """The list asks for itself, as long as a mail is under way that nothing is known of."""
    link: HandedLink | None = None
    action_url: str = "/app/members"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """One member: templates/members/member.html."""

    name: str
    email: str
    state: str
    state_tone: Tone
    joined_at: Moment
    last_seen_at: Moment | None
    """When they last signed in or changed anything."""
    units: tuple[str, ...]
    """Where they belong, each with their role there."""
    unit_name: str
    roles: tuple[Choice, ...]
    is_self: bool
    remove_label: str
    remove_title: str
    remove_text: str
    role_url: str
    delete_url: str
    list_url: str = "/app/members"
