"""Tables of what steers scoring, and of the scores with the ledger they are sums of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
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


class ConfigItemRow(Base):
    """One thing that steers scoring beside rules, such as a decay rule: a small document."""

    __tablename__ = "config_items"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
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


class DraftRow(Base):
    """A configuration somebody works on; it scores nothing until it is published."""

    __tablename__ = "scoring_drafts"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_version: Mapped[int] = mapped_column(comment="the version it was copied from")
    config: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str]
    updated_by: Mapped[str]


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
    __table_args__ = (
        Index(
            "ix_score_entries_boosted", "unit_id", "occurred_at",
            postgresql_where=text("multiplier_percent > 100"),
        ),
    )  # fmt: skip

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


class LedgerSumRow(Base):
    """What a full block of a ledger adds up to, by rule, worth and UTC day (ledger_sums).

    One row's entries are `seqs`, of which `first_seq` and `last_seq` are the ends.
    """

    __tablename__ = "ledger_sums"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seq: Mapped[int]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    kind: Mapped[str]
    rule_id: Mapped[UUID | None]
    version: Mapped[int]
    weight: Mapped[int]
    multiplier_percent: Mapped[int] = mapped_column(SmallInteger)
    delta: Mapped[int]
    times: Mapped[int]
    seqs: Mapped[list[int]] = mapped_column(ARRAY(Integer()))


class ScoreSnapshotRow(Base):
    """What a lead's score was when it was looked at, once an hour and only when it had changed.

    A rescore changes the ledger of the past, but not what people saw then, which is here.
    """

    __tablename__ = "score_snapshots"
    __table_args__ = (Index("ix_score_snapshots_latest", "unit_id", text("snapshot_at DESC")),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    snapshot_at: Mapped[datetime] = mapped_column(primary_key=True)
    score: Mapped[int]


class ScoreMixRow(Base):
    """How many leads had which score when a day was first looked at."""

    __tablename__ = "score_mixes"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    score: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    leads: Mapped[int] = mapped_column(BigInteger)


class LeadProfileScoreRow(Base):
    """What a lead is worth in a profile ruleset; without a row it met none of its rules.

    `version` is the config version that says what the `matched` rules were worth.
    """

    __tablename__ = "lead_profile_scores"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    score: Mapped[int]
    matched: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    version: Mapped[int]
    updated_at: Mapped[datetime]


class AccountScoreRow(Base):
    """What an account is worth in an account ruleset, as LeadProfileScoreRow is for leads."""

    __tablename__ = "account_scores"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    score: Mapped[int]
    matched: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    version: Mapped[int]
    updated_at: Mapped[datetime]


class AttributeRescoreRow(Base):
    """A ruleset whose scores do not yet say what its rules say, and how far the walk has come.

    Other walks have the unit's id for a ruleset: `links` takes leads to the accounts that they have
    now that there are any, and `headline` renews the score that account lists show.
    """

    __tablename__ = "attribute_rescores"
    __table_args__ = (
        CheckConstraint("kind IN ('links', 'profile', 'account', 'headline')", name="kind"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    ruleset_id: Mapped[UUID] = mapped_column(primary_key=True)
    after: Mapped[str] = mapped_column(Text(collation="C"), comment="the last one that is done")
    requested_at: Mapped[datetime]
