"""Tables of walks over all leads of a unit: how far they are, and what previews found."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base

STATES = ("queued", "running", "finished", "failed", "cancelled")
UNFINISHED = text("state IN ('queued', 'running')")


class PreviewRow(Base):
    """What a configuration would make of history; `after_lead` is the checkpoint.

    It moves with the findings and the leads behind them, in one transaction.
    """

    __tablename__ = "scoring_previews"
    __table_args__ = (
        CheckConstraint("kind IN ('engagement', 'profile', 'account')", name="kind"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_scoring_previews_unfinished", "created_at", postgresql_where=UNFINISHED),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    preview_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    subject: Mapped[str] = mapped_column(comment="which configuration it is of, in words")
    config: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(comment="the one in force when it was asked for")
    thresholds: Mapped[list[Any]]
    leads_total: Mapped[int]
    leads_done: Mapped[int] = mapped_column(server_default=text("0"))
    after_lead: Mapped[str] = mapped_column(Text(collation="C"), server_default=text("''"))
    findings: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="starts since the checkpoint last moved"
    )
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]


class PreviewLeadRow(Base):
    """A lead, or an account, that would have another score or level.

    And every lead that events which are taken back would touch, which the walk then passes over.
    """

    __tablename__ = "scoring_preview_leads"
    __table_args__ = (
        Index(
            "ix_scoring_preview_leads_change", "unit_id", "preview_id",
            text("abs(new_score - old_score) DESC"), "lead_id",
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    preview_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_new: Mapped[bool] = mapped_column(comment="it would come to be; its id is a stand-in")
    old_score: Mapped[int]
    new_score: Mapped[int]
    old_level: Mapped[str]
    new_level: Mapped[str]


class RescoreRow(Base):
    """All leads of a unit scored anew, of which a unit has one at a time."""

    __tablename__ = "scoring_rescores"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index(
            "uq_scoring_rescores_unfinished", "unit_id", unique=True, postgresql_where=UNFINISHED
        ),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    rescore_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(comment="the one that leads up to the checkpoint have")
    leads_total: Mapped[int]
    leads_done: Mapped[int] = mapped_column(server_default=text("0"))
    after_lead: Mapped[str] = mapped_column(Text(collation="C"), server_default=text("''"))
    restarts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="how often a new version made it begin again"
    )
    events_returned: Mapped[int] = mapped_column(
        server_default=text("0"), comment="events without a lead that went back to the inbox"
    )
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="starts since the checkpoint last moved"
    )
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None] = mapped_column(
        comment="the last sign of life of its worker; null while it has none"
    )
    finished_at: Mapped[datetime | None]
