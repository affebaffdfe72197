"""Rate limits of an organisation's own and of single credentials, and units that are archived.

Why: one program that runs wild should be slowed down without the others, by those who know it. A
unit that is over should neither take events nor stand in the way, and its data should stay. Web
processes remember credentials with both, and so are told of every change.

Revision ID: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

TRIGGER = """
    CREATE TRIGGER {table}_changed AFTER UPDATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION tell_credentials_changed()
"""


def upgrade() -> None:
    op.add_column(
        "organizations",
        sa.Column("limit_mode", sa.Text(), nullable=True, comment="null for the installation's"),
    )
    op.add_column("organizations", sa.Column("limit_key_by", sa.Text(), nullable=True))
    for table in ("organizations", "credentials"):
        op.add_column(table, sa.Column("limit_per_second", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("limit_burst", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_organizations_limit"),
        "organizations",
        "num_nulls(limit_mode, limit_key_by, limit_per_second, limit_burst) IN (0, 4)",
    )
    op.create_check_constraint(
        op.f("ck_credentials_limit"),
        "credentials",
        "num_nulls(limit_per_second, limit_burst) IN (0, 2)",
    )
    op.add_column("units", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("units", sa.Column("archived_by", sa.Text(), nullable=True))
    for table in ("organizations", "units"):
        op.execute(TRIGGER.format(table=table))
