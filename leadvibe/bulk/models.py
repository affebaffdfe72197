"""Tables of what is done to many leads at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base

KINDS = (
    "assign_owner", "watch", "unwatch", "rescore", "delete", "add_to_segment",
    "remove_from_segment",
)  # fmt: skip
STATES = ("queued", "running", "finished", "failed")


class BulkActionRow(Base):
    """Something to be done to many leads, and how far it is."""

    __tablename__ = "bulk_actions"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(
            "ix_bulk_actions_unfinished", "created_at",
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    action_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    criteria: Mapped[Any] = mapped_column(
        JSONB(none_as_null=True), nullable=True, comment="whom it is about, unless that is lead_ids"
    )
    lead_ids: Mapped[list[str]] = mapped_column(
        ARRAY(Text()), comment="forgotten once it is finished"
    )
    member_id: Mapped[UUID | None] = mapped_column(comment="who asked, and watches")
    owner_id: Mapped[UUID | None] = mapped_column(comment="whom the leads are given to")
    owner_name: Mapped[str | None]
    segment_id: Mapped[UUID | None] = mapped_column(
        comment="that leads are put into or kept out of"
    )
    undoes: Mapped[UUID | None] = mapped_column(comment="the action that it takes back")
    undone_by: Mapped[UUID | None]
    after_lead: Mapped[str] = mapped_column(
        Text(collation="C"), server_default=text("''"), comment="all leads up to here are done"
    )
    leads_total: Mapped[int]
    leads_done: Mapped[int] = mapped_column(server_default=text("0"))
    leads_changed: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    beat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class BulkChangeRow(Base):
    """A lead that an action has changed, and what it had before, for taking it back."""

    __tablename__ = "bulk_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "action_id"], ["bulk_actions.unit_id", "bulk_actions.action_id"],
            ondelete="CASCADE",
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    action_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    owner_id: Mapped[UUID | None]
    owner_name: Mapped[str | None]
    was_in: Mapped[bool | None] = mapped_column(comment="how it was picked before, if so")
