"""Personal access tokens, events counted by month, and an audit that can be searched.

Why: programs act as a member under a token of theirs. What an organisation uses in a month is asked
often, and counting ten million events each time is not an answer. The audit is listed by unit and
by who did it, is kept for a limited time, and says how somebody came in. A mail with a link may be
an invitation even for somebody who was given a password.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# Receipt 0 is what Leadvibe itself wrote; sample data is no use. Both as events.usage counts.
USAGE = """
    INSERT INTO usage_months (unit_id, month, event_count)
    SELECT unit_id, date_trunc('month', received_at AT TIME ZONE 'UTC')::date, count(*)
    FROM events WHERE receipt > 0 AND source <> 'seed' GROUP BY 1, 2
"""


def upgrade() -> None:
    op.create_table(
        "personal_tokens",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("org_member_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="true to a quarter of an hour",
        ),
        sa.ForeignKeyConstraint(
            ["org_member_id"],
            ["members.org_member_id"],
            name=op.f("fk_personal_tokens_org_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_personal_tokens")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_personal_tokens_token_sha256")),
    )
    op.create_index(op.f("ix_personal_tokens_org_member_id"), "personal_tokens", ["org_member_id"])
    op.create_table(
        "usage_months",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("event_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "month", name=op.f("pk_usage_months")),
    )
    op.execute(USAGE)
    op.add_column("audit_log", sa.Column("via", sa.Text(), nullable=True))
    op.add_column("audit_log", sa.Column("token_name", sa.Text(), nullable=True))
    op.create_index("ix_audit_log_unit", "audit_log", ["unit_id", "created_at", "audit_id"])
    op.create_index(
        "ix_audit_log_actor", "audit_log", ["unit_id", "actor", "created_at", "audit_id"]
    )
    op.create_index(
        "ix_audit_log_no_unit",
        "audit_log",
        ["org_id", "created_at", "audit_id"],
        postgresql_where=sa.text("unit_id IS NULL"),
    )
    op.create_index("ix_audit_log_created_at", "audit_log", ["created_at"])
    op.add_column(
        "link_mails",
        sa.Column(
            "is_invitation",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="also for somebody who has a password already",
        ),
    )
