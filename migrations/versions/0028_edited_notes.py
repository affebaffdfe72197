"""Who has changed another's note.

Why: an owner may correct or take away what somebody wrote of a lead, and a note that reads under
one name should not quietly be another's words.

Revision ID: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column(
        "lead_notes",
        sa.Column(
            "edited_by", sa.Text(), nullable=True, comment="who changed it last, unless its author"
        ),
    )
