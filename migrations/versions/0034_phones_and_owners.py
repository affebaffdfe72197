"""Leads found by their phone numbers as lists show them, and counted by owner from the index.

Why: lists show numbers as + and digits, and who copies one from there should find its lead. A claim
that has ended is nobody's, and whether it has is asked of every lead that is counted.

Revision ID: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0032"


def upgrade() -> None:
    op.execute(
        """
        UPDATE lead_search s
        SET text = new.text, grams = search_terms(s.unit_id, new.text)
        FROM (
            SELECT f.unit_id, f.lead_id,
                f.text || E'\\n' || string_agg(a.value, E'\\n' ORDER BY a.created_at) AS text
            FROM lead_search f
            JOIN lead_aliases a ON a.unit_id = f.unit_id AND a.lead_id = f.lead_id
            WHERE a.kind = 'phone' AND a.value <> a.raw_value
            GROUP BY f.unit_id, f.lead_id, f.text
        ) AS new
        WHERE s.unit_id = new.unit_id AND s.lead_id = new.lead_id
        """
    )
    op.drop_index("ix_lead_records_owner", "lead_records")
    op.create_index(
        "ix_lead_records_owner",
        "lead_records",
        ["unit_id", "owner_id", "next_call_at", sa.text("created_at DESC"), "lead_id"],
        postgresql_where=sa.text("is_listed AND owner_id IS NOT NULL"),
        postgresql_include=["claimed_until", "status"],
    )
