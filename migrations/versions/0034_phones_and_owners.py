"""Leads found by their phone numbers as lists show them, and listed by owner from indexes alone.

Why: lists show numbers as + and digits, and who copies one from there should find its lead. A claim
that has ended is nobody's, and whether it has is asked of every lead that is looked at.

Revision ID: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


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
    for name, columns, where, holding in (
        ("owner", ["owner_id", "next_call_at"], "owner_id", ["claimed_until", "status"]),
        ("next_call", ["next_call_at"], "next_call_at", ["owner_id", "claimed_until", "status"]),
    ):
        op.drop_index(f"ix_lead_records_{name}", "lead_records")
        op.create_index(
            f"ix_lead_records_{name}",
            "lead_records",
            ["unit_id", *columns, sa.text("created_at DESC"), "lead_id"],
            postgresql_where=sa.text(f"is_listed AND {where} IS NOT NULL"),
            postgresql_include=holding,
        )
