"""Lists of the newest leads find their page in an index alone, as those in other orders do.

Why: it is the order that clients get unless they name one, and twenty thousand leads were looked up
one by one where few of them were among those asked for.

Revision ID: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

INDEX, TABLE = "ix_lead_records_created", "lead_records"
SHORT = ("website_key", "label_id_key", "utm_source_key", "utm_medium_key", "utm_campaign_key")
HELD = ("updated_at", "qualified_at", "value", "clicks", *SHORT, "outcome", "intake")


def upgrade() -> None:
    op.drop_index(INDEX, TABLE)
    op.create_index(
        INDEX,
        TABLE,
        ["unit_id", sa.text("created_at DESC"), "lead_id"],
        postgresql_where=sa.text("is_listed"),
        postgresql_include=list(HELD),
    )
