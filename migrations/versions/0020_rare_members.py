"""Where the rare members of segments are remembered, and which leads have changed since.

Why: a first page of members that are rare read all leads, half a second at a million. What was
found once stays a good place to look as long as the leads whose properties have changed since are
looked at as well. A trigger notes these, because several statements write leads, and a change that
one of them forgets to note would hide a member.

Revision ID: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0020"
down_revision = "0019"

NOTE = """
    CREATE FUNCTION note_lead_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO lead_changes (unit_id, changed_in, lead_id)
        VALUES (NEW.unit_id, pg_current_xact_id()::text::bigint, NEW.lead_id)
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$
"""
INSERTED = """
    CREATE TRIGGER note_insert AFTER INSERT ON leads
    FOR EACH ROW EXECUTE FUNCTION note_lead_change()
"""
UPDATED = """
    CREATE TRIGGER note_update AFTER UPDATE ON leads FOR EACH ROW
    WHEN (OLD.metadata IS DISTINCT FROM NEW.metadata
          OR OLD.merged_into IS DISTINCT FROM NEW.merged_into)
    EXECUTE FUNCTION note_lead_change()
"""


def upgrade() -> None:
    op.create_table(
        "lead_changes",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "changed_in", sa.BigInteger(), nullable=False, comment="the transaction's number"
        ),
        sa.Column("lead_id", Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "changed_in", "lead_id", name=op.f("pk_lead_changes")),
    )
    op.create_table(
        "rare_members",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("digest", Text(collation="C"), nullable=False, comment="of what they meet"),
        sa.Column(
            "snapshot", sa.Text(), nullable=False, comment="which transactions the search saw"
        ),
        sa.Column(
            "lead_ids", ARRAY(sa.Text()), nullable=True, comment="null when there are too many"
        ),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "digest", name=op.f("pk_rare_members")),
    )
    for statement in (NOTE, INSERTED, UPDATED):
        op.execute(statement)
