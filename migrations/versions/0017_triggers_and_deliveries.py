"""Triggers, what they emitted, and its way to people.

Why: a trigger fires in the transaction that scores the event, and so do the deliveries that tell
of it: whatever dies on the way, a crossing is told neither never nor twice. The unique cause of an
emitted event and the unique destination of a notice say so to the database as well.

Revision ID: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "delivery_counts",
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transport", "outcome", name=op.f("pk_delivery_counts")),
    )
    op.create_table(
        "destinations",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(collation="C"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True, comment="sealed; of webhooks alone"),
        sa.Column(
            "former_secret", sa.Text(), nullable=True, comment="sealed; still signs for a while"
        ),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("last_delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "transport IN ('webhook', 'email', 'slack', 'teams', 'hubspot')",
            name=op.f("ck_destinations_transport"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "destination_id", name=op.f("pk_destinations")),
        sa.UniqueConstraint(
            "unit_id",
            "transport",
            "address",
            name=op.f("uq_destinations_unit_id_transport_address"),
        ),
    )
    op.create_table(
        "emitted_events",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("emitted_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("trigger_name", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("cause_event_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column(
            "occurred_at", sa.DateTime(timezone=True), nullable=False, comment="the event's time"
        ),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('milestone', 'sequence', 'pattern', 'surge')",
            name=op.f("ck_emitted_events_kind"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "emitted_id", name=op.f("pk_emitted_events")),
    )
    op.create_index(
        "ix_emitted_events_latest",
        "emitted_events",
        [
            "unit_id",
            "kind",
            sa.literal_column("fired_at DESC"),
            sa.literal_column("emitted_id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "ix_emitted_events_lead",
        "emitted_events",
        ["unit_id", "lead_id", sa.literal_column("occurred_at DESC")],
        unique=False,
    )
    op.create_index(
        "ix_emitted_events_trigger",
        "emitted_events",
        [
            "unit_id",
            "trigger_id",
            sa.literal_column("fired_at DESC"),
            sa.literal_column("emitted_id DESC"),
        ],
        unique=False,
    )
    op.create_index(
        "uq_emitted_events_cause",
        "emitted_events",
        ["unit_id", "trigger_id", "cause_event_id", "event"],
        unique=True,
    )
    op.create_table(
        "hubspot_connections",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("portal", sa.Text(), nullable=False),
        sa.Column("score_property", sa.Text(), nullable=False),
        sa.Column("level_property", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_hubspot_connections")),
    )
    op.create_table(
        "notices",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "notice_id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_created_at"), "notices", ["created_at"], unique=False)
    op.create_index("ix_notices_lead", "notices", ["unit_id", "lead_id"], unique=False)
    op.create_table(
        "notification_channels",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "type IN ('slack', 'teams', 'webhook', 'email')",
            name=op.f("ck_notification_channels_type"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "channel_id", name=op.f("pk_notification_channels")),
        sa.UniqueConstraint("unit_id", "name", name=op.f("uq_notification_channels_unit_id_name")),
    )
    op.create_table(
        "triggers",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fire_mode", sa.Text(), nullable=False),
        sa.Column("cooldown_seconds", sa.BigInteger(), nullable=False),
        sa.Column(
            "window_unit", sa.Text(), nullable=False, comment="in which people see the window"
        ),
        sa.Column("shape", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("filters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.CheckConstraint("fire_mode IN ('once', 'always')", name=op.f("ck_triggers_fire_mode")),
        sa.CheckConstraint(
            "kind IN ('milestone', 'sequence', 'pattern', 'surge')", name=op.f("ck_triggers_kind")
        ),
        sa.PrimaryKeyConstraint("unit_id", "trigger_id", name=op.f("pk_triggers")),
    )
    op.create_table(
        "deliveries",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("destination_id", sa.Uuid(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=True),
        sa.Column("trigger_name", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("lead_name", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=True, comment="the member it is personal to"),
        sa.Column("channel_id", sa.Uuid(), nullable=True, comment="the channel it goes through"),
        sa.Column("wording", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("folded_into", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when its event came in",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'folded')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id", "destination_id"],
            ["destinations.unit_id", "destinations.destination_id"],
            name=op.f("fk_deliveries_unit_id_destination_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id", "notice_id"],
            ["notices.unit_id", "notices.notice_id"],
            name=op.f("fk_deliveries_unit_id_notice_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "delivery_id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "unit_id",
            "notice_id",
            "destination_id",
            name=op.f("uq_deliveries_unit_id_notice_id_destination_id"),
        ),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_deliveries_folded",
        "deliveries",
        ["unit_id", "folded_into"],
        unique=False,
        postgresql_where=sa.text("folded_into IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_latest",
        "deliveries",
        ["unit_id", sa.literal_column("created_at DESC"), sa.literal_column("delivery_id DESC")],
        unique=False,
    )
    op.create_index("ix_deliveries_lead", "deliveries", ["unit_id", "lead_id"], unique=False)
    op.create_index(
        "ix_deliveries_personal",
        "deliveries",
        ["unit_id", "recipient_id", "lead_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("recipient_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["unit_id", "destination_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "trigger_memories",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("trigger_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "fired_at", sa.DateTime(timezone=True), nullable=False, comment="by the event's time"
        ),
        sa.Column("boundary_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boundary_receipt", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id", "trigger_id"],
            ["triggers.unit_id", "triggers.trigger_id"],
            name=op.f("fk_trigger_memories_unit_id_trigger_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "trigger_id", "lead_id", name=op.f("pk_trigger_memories")
        ),
    )
    op.create_index(
        "ix_trigger_memories_lead", "trigger_memories", ["unit_id", "lead_id"], unique=False
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('delivered', 'temporary', 'permanent')",
            name=op.f("ck_delivery_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id", "delivery_id"],
            ["deliveries.unit_id", "deliveries.delivery_id"],
            name=op.f("fk_delivery_attempts_unit_id_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "delivery_id", "attempt", name=op.f("pk_delivery_attempts")
        ),
    )
    op.create_table(
        "notification_preferences",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "muted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="kinds of happening that are not told",
        ),
        sa.Column(
            "digest", sa.Boolean(), nullable=False, comment="at most one message per lead and hour"
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_notification_preferences_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "unit_id", "org_member_id", name=op.f("pk_notification_preferences")
        ),
    )
