"""One history of all triggers.

Why: the history page lists what triggers of all kinds emitted, the newest first.

Revision ID: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_index(
        "ix_emitted_events_history",
        "emitted_events",
        ["unit_id", sa.text("fired_at DESC"), sa.text("emitted_id DESC")],
    )
