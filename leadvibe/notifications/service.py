"""Mails with links to members: asked for, tried until they are through, and given up visibly.

No link is stored: each attempt makes a new one, so that the database never holds what would let
its reader in. Asking is a row; the job is only a bell, and `resume_due_mails` finds what was lost.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity import member_links
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.types import Member
from leadvibe.lib.db import after_commit, commit, session
from leadvibe.lib.queue import NOTIFICATIONS, JobQueue
from leadvibe.notifications import queries
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.mailer import Mailer
from leadvibe.notifications.mails import word_link
from leadvibe.notifications.models import LinkMailRow
from leadvibe.notifications.types import LinkMail, MailState

log = logging.getLogger(__name__)

SEND_LINK_MAIL = "leadvibe.jobs.mails.send_link_mail"
"""What a worker calls, with the member."""

RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""Between attempts, while trying again may help; somebody waits, so it does not go on for days."""

MOST_ATTEMPTS = len(RETRY_AFTER) + 1
LONGEST_ATTEMPT = timedelta(minutes=2)
"""After which an attempt counts as lost with its worker; each step of SMTP has its own limit."""

_NO_PAUSE = timedelta(0)


def post_link(
    member: Member, *, queue: JobQueue, now: datetime, pause: timedelta = _NO_PAUSE
) -> None:
    """Have a worker mail a link to the member once the caller has committed.

    An invitation for somebody who has not joined yet, else a link to choose a new password. Does
    nothing when one was asked for less than `pause` ago.
    """
    _post(member, is_invitation=False, queue=queue, now=now, pause=pause)


def post_invitation(member: Member, *, queue: JobQueue, now: datetime) -> None:
    """Do as `post_link`, but invite the member even if somebody gave them a password already."""
    _post(member, is_invitation=True, queue=queue, now=now, pause=_NO_PAUSE)


def _post(
    member: Member, *, is_invitation: bool, queue: JobQueue, now: datetime, pause: timedelta
) -> None:
    asked: dict[str, Any] = {
        "session_epoch": member.session_epoch,
        "is_invitation": is_invitation,
        "state": MailState.WAITING,
        "attempts": 0,
        "problem": None,
        "asked_at": now,
        "due_at": now,
    }
    posted = session().scalar(
        insert(LinkMailRow)
        .values(org_member_id=member.org_member_id, org_id=member.org_id, **asked)
        .on_conflict_do_update(
            index_elements=[LinkMailRow.org_member_id],
            set_=asked,
            where=LinkMailRow.asked_at <= now - pause,
        )
        .returning(LinkMailRow.org_member_id)
    )
    if posted is not None:
        after_commit(f"mail {posted}", lambda: _send(queue, posted))


def withdraw_link(member: Member) -> None:
    """Forget the mail to the member: somebody hands them a link instead."""
    session().execute(delete(LinkMailRow).where(LinkMailRow.org_member_id == member.org_member_id))


def deliver_link(member_id: UUID, *, mailer: Mailer, public_url: str, now: datetime) -> None:
    """Try once to mail the link that a member waits for, and note how that went; commits.

    Does nothing when it is not due, or when they have chosen a password since it was asked for.
    """
    mail = _claim(member_id, now=now)
    if mail is None:
        commit()
        return
    make_link = member_links.invite if mail.is_invitation else member_links.renew_link
    link = make_link(identity_queries.get_member(member_id), now=now)
    organization = identity_queries.get_organization(link.member.org_id)
    commit()  # before it is sent, so that it is good when it arrives
    try:
        mailer.send(word_link(link, organization=organization.name, public_url=public_url))
    except TransportError as error:
        log.warning("mail to %s was not sent: %s", link.member.email, error)
        _note_failure(mail, error, now=now)
    else:
        _note(mail, state=MailState.SENT, problem=None)
    commit()


def resume_due_mails(queue: JobQueue, *, now: datetime) -> int:
    """Send a job for every mail that should be tried by now; returns how many there were."""
    due = queries.due_link_mails(now=now)
    for member_id in due:
        _send(queue, member_id)
    return len(due)


def _claim(member_id: UUID, *, now: datetime) -> LinkMail | None:
    """Begin the next attempt: for its time the mail is not due. None when there is none to make."""
    row = session().scalar(
        update(LinkMailRow)
        .where(
            LinkMailRow.org_member_id == member_id,
            LinkMailRow.state == MailState.WAITING,
            LinkMailRow.due_at <= now,
        )
        .values(attempts=LinkMailRow.attempts + 1, due_at=now + LONGEST_ATTEMPT)
        .returning(LinkMailRow)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    mail = queries.link_mail_of(row)
    if row.session_epoch != identity_queries.get_member(member_id).session_epoch:
        session().delete(row)
        return None
    if mail.attempts > MOST_ATTEMPTS:
        _note(mail, state=MailState.FAILED, problem="the worker that sent it died each time")
        return None
    return mail


def _note_failure(mail: LinkMail, error: TransportError, *, now: datetime) -> None:
    if error.is_temporary and mail.attempts < MOST_ATTEMPTS:
        _note(mail, problem=error.reason, due_at=now + RETRY_AFTER[mail.attempts - 1])
    else:
        _note(mail, state=MailState.FAILED, problem=error.reason)


def _note(mail: LinkMail, **values: Any) -> None:
    """Change the mail's row, unless it was asked for anew or withdrawn meanwhile."""
    session().execute(
        update(LinkMailRow)
        .where(
            LinkMailRow.org_member_id == mail.org_member_id,
            LinkMailRow.asked_at == mail.asked_at,
            LinkMailRow.attempts == mail.attempts,
        )
        .values(**values)
    )


def _send(queue: JobQueue, member_id: UUID) -> None:
    queue.send(SEND_LINK_MAIL, str(member_id), job_id=f"mail-{member_id}", name=NOTIFICATIONS)
