"""Views of the lead list, columns that members chose for it, and what is done to many leads.

Why: the list is asked for by its owner as well, so that order gets an index; only leads that have
an owner are in it, and the others pay nothing. What an action changed is kept so that it can be
taken back.

Revision ID: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "lead_views",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("view_id", sa.Uuid(), nullable=False),
        sa.Column(
            "org_member_id",
            sa.Uuid(),
            nullable=True,
            comment="whose it is; null when the unit shares it",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "query", postgresql.JSONB(), nullable=False, comment="parameters of the list, by name"
        ),
        sa.Column(
            "columns",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="empty where it leaves them to the member who looks",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_lead_views_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "view_id", name=op.f("pk_lead_views")),
        sa.UniqueConstraint(
            "unit_id",
            "org_member_id",
            "name",
            name=op.f("uq_lead_views_unit_id_org_member_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_lead_views_org_member_id"), "lead_views", ["org_member_id"])
    op.create_table(
        "lead_columns",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_lead_columns_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "org_member_id", name=op.f("pk_lead_columns")),
    )
    op.create_index(op.f("ix_lead_columns_org_member_id"), "lead_columns", ["org_member_id"])
    op.create_table(
        "bulk_actions",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "criteria",
            postgresql.JSONB(),
            nullable=True,
            comment="whom it is about, unless that is lead_ids",
        ),
        sa.Column(
            "lead_ids",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="forgotten once it is finished",
        ),
        sa.Column("member_id", sa.Uuid(), nullable=True, comment="who asked, and watches"),
        sa.Column("owner_id", sa.Uuid(), nullable=True, comment="whom the leads are given to"),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("undoes", sa.Uuid(), nullable=True, comment="the action that it takes back"),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column(
            "after_lead",
            sa.Text(collation="C"),
            server_default=sa.text("''"),
            nullable=False,
            comment="all leads up to here are done",
        ),
        sa.Column("leads_total", sa.Integer(), nullable=False),
        sa.Column("leads_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leads_changed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('assign_owner', 'watch', 'unwatch', 'rescore', 'delete')",
            name=op.f("ck_bulk_actions_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed')",
            name=op.f("ck_bulk_actions_state"),
        ),
        sa.PrimaryKeyConstraint("unit_id", "action_id", name=op.f("pk_bulk_actions")),
    )
    op.create_index(
        "ix_bulk_actions_unfinished",
        "bulk_actions",
        ["created_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "bulk_changes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Text(collation="C"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["unit_id", "action_id"],
            ["bulk_actions.unit_id", "bulk_actions.action_id"],
            name=op.f("fk_bulk_changes_unit_id_action_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("unit_id", "action_id", "lead_id", name=op.f("pk_bulk_changes")),
    )
    op.create_index(
        "ix_leads_owner",
        "leads",
        ["unit_id", "owner_id", sa.text("score DESC"), "lead_id"],
        postgresql_where=sa.text("owner_id IS NOT NULL AND merged_into IS NULL"),
    )
