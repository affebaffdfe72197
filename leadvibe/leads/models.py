"""Tables of leads. `unit_id` leads every key: isolation, locality, a ready distribution key.

Hot tables carry no foreign keys: a per-row check would cost a third of the pipeline's speed, and
only the pipeline writes them, set by set.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base

ALIAS_KINDS = ("email", "phone", "external_id", "cookie", "social")


def _listed_by(name: str, order: str) -> Index:
    """Return the index behind one order of the lead list, in which merged leads never appear."""
    return Index(
        f"ix_leads_{name}",
        "unit_id",
        text(order),
        "lead_id",
        postgresql_where=text("merged_into IS NULL"),
    )


class LeadRow(Base):
    """A lead with what lists filter and sort by; `score` caches its headline ruleset's score."""

    __tablename__ = "leads"
    __table_args__ = (
        _listed_by("score", "score DESC"),
        _listed_by("last_event_at", "last_event_at DESC NULLS LAST"),
        _listed_by("created_at", "created_at DESC"),
        _listed_by("name", "name"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    account_id: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    owner_name: Mapped[str | None]
    name: Mapped[str] = mapped_column(comment="what people call it: a name, an address or its id")
    detail: Mapped[str | None] = mapped_column(comment="second line: company or best alias")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'"))
    source: Mapped[str]
    has_own_id: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="the client chose the id, so it is no stranger"
    )
    merged_into: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    score: Mapped[int] = mapped_column(server_default=text("0"))
    ruleset_id: Mapped[UUID | None] = mapped_column(comment="the ruleset behind `score`")
    last_event_at: Mapped[datetime | None]
    last_event_type: Mapped[str | None]
    last_receipt: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    event_count: Mapped[int] = mapped_column(server_default=text("0"))
    session_count: Mapped[int] = mapped_column(server_default=text("0"))


class LeadTallyRow(Base):
    """How many leads a unit has, merged ones not counted: a total that costs nothing to ask for.

    Changes in the same transaction and under the same lock as the leads themselves.
    """

    __tablename__ = "lead_tallies"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    listed: Mapped[int] = mapped_column(BigInteger)


class AliasRow(Base):
    """One way to recognise a lead; `value` is normalised, `raw_value` is as first seen."""

    __tablename__ = "lead_aliases"
    __table_args__ = (
        CheckConstraint(f"kind IN {ALIAS_KINDS}", name="kind"),
        Index("ix_lead_aliases_lead", "unit_id", "lead_id"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    raw_value: Mapped[str]
    lead_id: Mapped[str] = mapped_column(Text(collation="C"))
    alias_id: Mapped[UUID]
    created_at: Mapped[datetime]


class LeadSearchRow(Base):
    """What a lead is found by: text and its trigrams, each marked with the unit.

    Stands apart from `leads` so that a change of score never touches the trigram index.
    """

    __tablename__ = "lead_search"
    __table_args__ = (Index("ix_lead_search_grams", "grams", postgresql_using="gin"),)

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    text: Mapped[str]
    grams: Mapped[list[str]] = mapped_column(ARRAY(Text()))


class AliasConflictRow(Base):
    """One event named two leads: they may be the same person."""

    __tablename__ = "lead_alias_conflicts"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    other_lead_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str]
    value: Mapped[str]
    seen_at: Mapped[datetime]
