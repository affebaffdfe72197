"""Slack: the organisation's app, the units' workspaces, and who members are in them.

Why: a unit tells people in Slack, with a token that must be read back and so is sealed.

Revision ID: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "slack_apps",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.org_id"], name=op.f("fk_slack_apps_org_id")
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_slack_apps")),
    )
    op.create_table(
        "slack_connections",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("team_name", sa.Text(), nullable=False),
        sa.Column("bot_user_id", sa.Text(), nullable=False),
        sa.Column(
            "sealed_token", sa.Text(), nullable=True, comment="null once the connection has ended"
        ),
        sa.Column(
            "problem", sa.Text(), nullable=True, comment="why it ended, unless somebody ended it"
        ),
        sa.Column("default_target_kind", sa.Text(), nullable=True),
        sa.Column("default_target_id", sa.Text(), nullable=True),
        sa.Column("default_target_name", sa.Text(), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("connected_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "default_target_kind IN ('channel', 'user')",
            name=op.f("ck_slack_connections_default_target_kind"),
        ),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_slack_connections")),
    )
    op.create_table(
        "slack_states",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("state_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_slack_states_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "state_sha256", name=op.f("pk_slack_states")),
    )
    op.create_table(
        "slack_identities",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('email', 'manual')", name=op.f("ck_slack_identities_source")
        ),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_slack_identities_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "org_member_id", name=op.f("pk_slack_identities")),
    )
