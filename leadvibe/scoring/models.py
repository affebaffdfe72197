"""Tables of what steers scoring, and of the scores with the ledger they are sums of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class RulesetRow(Base):
    """A named set of engagement rules; each active one keeps its own score per lead."""

    __tablename__ = "rulesets"
    __table_args__ = (
        UniqueConstraint("unit_id", "name"),
        Index("uq_rulesets_primary", "unit_id", unique=True, postgresql_where=text("is_primary")),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    score_column: Mapped[str]
    is_primary: Mapped[bool]
    active: Mapped[bool]
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class RuleRow(Base):
    __tablename__ = "rules"
    __table_args__ = (
        UniqueConstraint("unit_id", "ruleset_id", "event_type"),
        ForeignKeyConstraint(
            ["unit_id", "ruleset_id"], ["rulesets.unit_id", "rulesets.ruleset_id"],
            ondelete="CASCADE",
        ),
    )  # fmt: skip

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    ruleset_id: Mapped[UUID]
    event_type: Mapped[str]
    weight: Mapped[int]
    icon: Mapped[str | None]
    active: Mapped[bool]
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class LevelRow(Base):
    """A name for a range of scores, both ends included; no `max_score` means open."""

    __tablename__ = "levels"
    __table_args__ = (
        CheckConstraint("kind IN ('engagement', 'profile', 'account')", name="kind"),
        UniqueConstraint("unit_id", "kind", "name"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    level_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    min_score: Mapped[int]
    max_score: Mapped[int | None]
    color: Mapped[str]
    order: Mapped[int]
    created_by: Mapped[str]
    updated_by: Mapped[str]


class OrgScoringSettingsRow(Base):
    __tablename__ = "org_scoring_settings"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    allow_negative_scores: Mapped[bool] = mapped_column(server_default=text("false"))
    abm_enabled: Mapped[bool] = mapped_column(server_default=text("false"))


class UnitScoringSettingsRow(Base):
    __tablename__ = "unit_scoring_settings"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_timeout_minutes: Mapped[int] = mapped_column(server_default=text("30"))


class ConfigVersionRow(Base):
    """An immutable snapshot of everything that steers scoring in a unit."""

    __tablename__ = "config_versions"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    config: Mapped[dict[str, Any]]
    summary: Mapped[str] = mapped_column(comment="what changed, in words")
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class StaleHeadlinesRow(Base):
    """A unit whose leads may show the score of a ruleset that no longer stands for them."""

    __tablename__ = "stale_headlines"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class LeadScoreRow(Base):
    """The cache of a lead's last ledger row in one ruleset."""

    __tablename__ = "lead_scores"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    score: Mapped[int]
    seq: Mapped[int]
    updated_at: Mapped[datetime]


class ScoreEntryRow(Base):
    """The ledger: append-only contributions; `before` is the previous row's `after`."""

    __tablename__ = "score_entries"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[UUID]
    rule_id: Mapped[UUID | None]
    version: Mapped[int]
    kind: Mapped[str]
    weight: Mapped[int]
    multiplier_percent: Mapped[int] = mapped_column(SmallInteger)
    before: Mapped[int]
    delta: Mapped[int]
    after: Mapped[int]
    occurred_at: Mapped[datetime]
