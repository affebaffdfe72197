"""One-time links, under which members take their invitation or choose a new password.

Does not mail a link or make its address (the caller does, once committed), or commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from leadvibe.identity import passwords
from leadvibe.identity.checks import checked_text
from leadvibe.identity.errors import LinkSpentError
from leadvibe.identity.models import MemberLinkRow, MemberRow
from leadvibe.identity.security import Security, fingerprint
from leadvibe.identity.signing_in import forget_failures, set_password
from leadvibe.identity.types import LinkPurpose, Member, MemberLink
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_secret

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)


def invite(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which an invited member chooses a first password."""
    return _add_link(member, LinkPurpose.INVITE, now=now, lifetime=INVITATION_LIFETIME)


def create_reset_link(member: Member, *, now: datetime) -> MemberLink:
    """Return a link under which a member chooses a new password, for an admin to hand over."""
    return _add_link(member, LinkPurpose.RESET, now=now, lifetime=RESET_LIFETIME)


def renew_link(member: Member, *, now: datetime) -> MemberLink:
    """Return another invitation for somebody who has not taken theirs, else a reset link."""
    row = session().get_one(MemberRow, member.org_member_id)
    return (invite if row.password_hash is None else create_reset_link)(member, now=now)


def accept_invitation(
    token: str,
    *,
    first_name: str,
    last_name: str,
    password: str,
    security: Security,
    now: datetime,
) -> Member:
    """Take the invitation that a link stands for, with a name and a first password.

    Raises LinkSpentError, and InvalidError by field, after which the link is still good.
    """
    row = _spend_link(token, LinkPurpose.INVITE, now=now)
    row.first_name = checked_text(first_name, field="first_name")
    row.last_name = checked_text(last_name, field="last_name")
    return _choose_password(row, password, security)


def reset_password(token: str, *, password: str, security: Security, now: datetime) -> Member:
    """Choose a new password under a one-time link; every session of the member ends.

    Raises LinkSpentError, and WeakPasswordError, after which the link is still good.
    """
    return _choose_password(_spend_link(token, LinkPurpose.RESET, now=now), password, security)


def _spend_link(token: str, purpose: LinkPurpose, *, now: datetime) -> MemberRow:
    member_id = session().scalar(
        delete(MemberLinkRow)
        .where(
            MemberLinkRow.token_sha256 == fingerprint(token),
            MemberLinkRow.purpose == purpose,
            MemberLinkRow.expires_at > now,
        )
        .returning(MemberLinkRow.org_member_id)
    )
    if member_id is None:
        raise LinkSpentError
    return session().get_one(MemberRow, member_id, with_for_update=True)


def _choose_password(row: MemberRow, password: str, security: Security) -> Member:
    passwords.require_strong(password, email=row.email)
    # The link reached its reader at this address, or an admin vouched for them.
    row.verified = True
    forget_failures(row.email)
    return set_password(row, password, security)


def _add_link(
    member: Member, purpose: LinkPurpose, *, now: datetime, lifetime: timedelta
) -> MemberLink:
    link = MemberLink(new_secret(), member, purpose, now + lifetime)
    session().add(
        MemberLinkRow(
            token_sha256=fingerprint(link.token),
            org_member_id=member.org_member_id,
            purpose=purpose,
            created_at=now,
            expires_at=link.expires_at,
        )
    )
    session().flush()
    return link
