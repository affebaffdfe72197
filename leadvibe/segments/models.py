"""Tables of segments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base

RULE_TYPES = (
    "lead_metadata", "event_metadata", "account_metadata",
    "engagement_level", "profile_level", "account_level",
)  # fmt: skip


class SegmentRow(Base):
    """A named audience."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class SegmentPickRow(Base):
    """A lead that somebody put into a segment or keeps out of it, whatever the rules say."""

    __tablename__ = "segment_picks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "segment_id"], ["segments.unit_id", "segments.segment_id"],
            ondelete="CASCADE",
        ),
        Index("ix_segment_picks_lead", "unit_id", "lead_id"),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    is_in: Mapped[bool] = mapped_column(comment="false for one that is kept out")
    picked_at: Mapped[datetime]
    picked_by: Mapped[str]


class SegmentRuleRow(Base):
    """What a member of a segment must meet, with its place among the other rules."""

    __tablename__ = "segment_rules"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_id", "segment_id"], ["segments.unit_id", "segments.segment_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint(f"rule_type IN {RULE_TYPES}", name="rule_type"),
        CheckConstraint("logic_op IN ('AND', 'OR')", name="logic_op"),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    rule_type: Mapped[str]
    field: Mapped[str] = mapped_column(comment="the property; empty for levels")
    operator: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    event_type: Mapped[str] = mapped_column(comment="whose events are looked at, or nothing")
    group: Mapped[int]
    logic_op: Mapped[str] = mapped_column(comment="joins it to what stands before it")
    order: Mapped[int]
    active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]
