"""An installation from before usage was counted knows what it has used."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
from alembic import command
from sqlalchemy import create_engine, make_url, pool

from leadvibe.lib import migrate

BEFORE, AFTER = "0008", "0009"
UNIT = UUID(int=1)


def upgrade(database_url: str, revision: str) -> None:
    engine = create_engine(database_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        command.upgrade(migrate._configuration(connection), revision)


def test_events_of_before_are_counted_by_month_without_what_is_no_use(empty_database_url):
    upgrade(empty_database_url, BEFORE)
    march, april = (
        datetime.fromisoformat(it)
        for it in ("2026-03-31T23:59:59+00:00", "2026-04-01T01:00:00+02:00")
    )
    events = [(march, "api", 1), (april, "api", 2), (march, "seed", 3), (march, "system", 0)]
    later = datetime(2026, 4, 1, tzinfo=UTC)
    url = make_url(empty_database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as database:
        for received_at, source, receipt in [*events, (later, "api", 4)]:
            database.execute(
                "INSERT INTO events (unit_id, event_id, receipt, occurred_at, received_at, version,"
                " event_type, channel, source, metadata)"
                " VALUES (%s, gen_random_uuid(), %s, now(), %s, 1, 'visit', 'web', %s, '{}')",
                (UNIT, receipt, received_at, source),
            )

        upgrade(empty_database_url, AFTER)

        rows = database.execute("SELECT unit_id, month, event_count FROM usage_months ORDER BY 2")
        assert rows.fetchall() == [(UNIT, date(2026, 3, 1), 2), (UNIT, date(2026, 4, 1), 1)]
