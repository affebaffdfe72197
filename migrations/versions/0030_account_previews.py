"""Previews of account scores.

Why: rules about accounts could be published, but not tried on the accounts there are.

Revision ID: 0030
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_scoring_previews_kind"), "scoring_previews", type_="check")
    op.create_check_constraint(
        op.f("ck_scoring_previews_kind"),
        "scoring_previews",
        "kind IN ('engagement', 'profile', 'account')",
    )
