"""Events count under the configuration that was in force when they were accepted.

Why: the pipeline took the one in force when it came to an event, so that a rule edited right after
an event was acknowledged could still decide what that event was worth.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column(
        "inbox",
        sa.Column(
            "version",
            sa.Integer(),
            nullable=True,
            comment="config version that it counts under; null: the one in force when processed",
        ),
    )
