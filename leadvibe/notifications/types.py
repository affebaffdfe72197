"""What is known about what is on its way to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class MailState(StrEnum):
    """`waiting` mail will be tried, perhaps again; of the others nothing more comes by itself."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMail:
    """The latest mail with a link to a member. It is stale once they have chosen a password."""

    org_member_id: UUID
    is_invitation: bool
    """Whether it invites somebody even if they have a password; others depend on that."""
    state: MailState
    attempts: int
    problem: str | None
    """Why the latest attempt failed, for the admin: the end of a sentence about the mail."""
    asked_at: datetime
    due_at: datetime
    """When a waiting mail is tried next."""
