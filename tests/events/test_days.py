"""Counts by day: made for units from before there were any, and put right when they are wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest
from alembic import command
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, make_url, pool

from leadvibe.events import days
from leadvibe.events.days import Day
from leadvibe.lib import migrate
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import rescore
from tests.factories import make_event, make_scope
from tests.pipeline.stored import discrepancies, receive

BEFORE, AFTER = "0009", "0010"
UNIT = UUID(int=1)


@pytest.fixture
def database(empty_database_url):
    """Return a connection to a database as it was, with some events of one unit."""
    upgrade(empty_database_url, BEFORE)
    url = make_url(empty_database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        for number, (at, receipt, reason) in enumerate(
            [
                ("2026-03-01T23:59:59Z", 1, None),
                ("2026-03-02T00:00:00Z", 2, None),
                ("2026-03-02T12:00:00Z", 3, None),
                ("2026-03-02T12:00:00Z", 4, "inorganic"),
                ("2026-03-02T12:00:00Z", 0, None),
            ]
        ):
            connection.execute(
                "INSERT INTO events (unit_id, event_id, lead_id, receipt, occurred_at,"
                " received_at, version, event_type, channel, source, suppression_reason, metadata)"
                " VALUES (%s, %s, 'ana', %s, %s, now(), 1, 'page_view', 'web', 'api', %s, '{}')",
                (UNIT, UUID(int=number), receipt, at, reason),
            )
        for name, hidden in (("page_view", False), ("secret", True), ("once", False)):
            connection.execute(
                "INSERT INTO event_types (unit_id, name, hidden, first_seen_at)"
                " VALUES (%s, %s, %s, now())",
                (UNIT, name, hidden),
            )
        connection.execute(
            "INSERT INTO config_versions VALUES (%s, 1, %s, 'Hid once', now(), 'ana')",
            (UNIT, Jsonb({"policies": {"event_types": {"once": {}}}})),
        )
        yield connection


def upgrade(url: str, revision: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        command.upgrade(migrate._configuration(connection), revision)


def test_events_from_before_are_counted(database, empty_database_url):
    upgrade(empty_database_url, AFTER)

    rows = database.execute("SELECT day, event_type, events FROM event_days ORDER BY day")
    assert rows.fetchall() == [
        (date(2026, 3, 1), "page_view", 1),
        (date(2026, 3, 2), "page_view", 2),
    ]


def test_counts_from_before_are_told_apart_by_channel(database, empty_database_url):
    upgrade(empty_database_url, AFTER)
    database.execute("UPDATE events SET channel = 'email' WHERE receipt = 3")

    upgrade(empty_database_url, "head")

    rows = database.execute("SELECT day, channel, events FROM event_days ORDER BY day, channel")
    assert rows.fetchall() == [
        (date(2026, 3, 1), "web", 1),
        (date(2026, 3, 2), "email", 1),
        (date(2026, 3, 2), "web", 1),
    ]


def test_a_mix_tells_days_types_and_channels_without_hidden_types(app):
    scope = make_scope()
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    events = [
        make_event(timestamp=noon),
        make_event(timestamp=noon, metadata={"channel": "email"}),
        make_event("secret", timestamp=noon),
        make_event(timestamp=datetime(2026, 3, 4, tzinfo=UTC)),
    ]
    receive(scope, *events)

    mix = days.count_mix(scope, date(2026, 3, 2), date(2026, 3, 4), hidden={"secret"})

    assert mix == ({date(2026, 3, 2): 2}, {"page_view": 2}, {"email": 1, "web": 1})
    assert mix.total == 2
    end = datetime(2026, 3, 4, tzinfo=UTC)
    assert days.count_hours(scope, noon, end, hidden={"secret"}) == {noon: 2}


def test_types_that_were_ever_decided_about_are_known(database, empty_database_url):
    upgrade(empty_database_url, AFTER)

    decided = database.execute("SELECT name FROM event_types WHERE was_decided ORDER BY name")
    assert decided.fetchall() == [("once",), ("secret",)]


def test_wrong_counts_are_found_and_put_right(app):
    scope = make_scope()
    receive(scope, make_event(timestamp=datetime(2026, 3, 2, 12, tzinfo=UTC)))
    driver().execute("UPDATE event_days SET events = 7")
    commit()

    assert ("", "events by day") in discrepancies(scope)
    for _ in rescore.rebuild(scope):
        pass

    assert days.list_days(scope) == {Day(date(2026, 3, 2), "page_view", "web"): 1}
    assert discrepancies(scope) == []
