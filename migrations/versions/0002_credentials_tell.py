"""A notice whenever a credential changes or goes.

Why: web processes remember credentials, and must forget them the moment one is revoked.

Revision ID: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

FUNCTION = """
    CREATE FUNCTION tell_credentials_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NOTIFY credentials_changed;
        RETURN NULL;
    END
    $$
"""

# Once a statement, however many rows: listeners forget everything anyway. A cascade fires it too.
# New credentials need no notice, because that an id is unknown is never remembered.
TRIGGER = """
    CREATE TRIGGER credentials_changed AFTER UPDATE OR DELETE OR TRUNCATE ON credentials
    FOR EACH STATEMENT EXECUTE FUNCTION tell_credentials_changed()
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(TRIGGER)
