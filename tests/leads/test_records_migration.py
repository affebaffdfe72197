"""Leads of before there were records are recorded, whatever their metadata says."""

from __future__ import annotations

import json
from random import Random
from uuid import UUID

import psycopg
from alembic import command
from sqlalchemy import create_engine, make_url, pool

from leadvibe.lib import migrate

BEFORE = "0030"
UNIT = UUID(int=1)
LATIN = "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3_000))
CHINESE = "".join(map(chr, Random(2).choices(range(0x4E00, 0x9000), k=3_000)))


def migrated(database_url: str, *properties: dict[str, str]) -> psycopg.Connection:
    """Return the database of an installation that had a lead with each of these."""
    _upgrade(database_url, BEFORE)
    url = make_url(database_url).set(drivername="postgresql")
    connection = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
    for number, metadata in enumerate(properties):
        connection.execute(
            "INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at, metadata)"
            " VALUES (%s, %s, '', 'api', '2026-03-01', '2026-03-02', %s)",
            (UNIT, str(number), json.dumps(metadata)),
        )
    _upgrade(database_url, "head")
    return connection


def _upgrade(database_url: str, revision: str) -> None:
    engine = create_engine(database_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        command.upgrade(migrate._configuration(connection), revision)


def test_texts_that_no_index_holds_are_cut(empty_database_url):
    long = {"name": LATIN, "company": CHINESE, "notes": CHINESE}
    with migrated(empty_database_url, long) as database:
        rows = database.execute("SELECT name, company, notes FROM lead_records").fetchall()
    assert rows == [(LATIN[:500], CHINESE[:500], CHINESE)]


def test_records_say_what_is_said_and_nothing_of_what_is_no_value_or_time(empty_database_url):
    leads = (
        dict.fromkeys(("utm_source", "utm_medium", "utm_campaign"), LATIN),
        {"value": "NaN", "next_call_at": "infinity", "ad_storage": "granted"},
        {"value": "Infinity", "expires_at": "4713-01-01 BC", "ad_storage": "Denied"},
        {"value": "12.5", "next_call_at": "1901-02-03", "expires_at": "someday", "ad_storage": "y"},
    )
    with migrated(empty_database_url, *leads) as database:
        texts = database.execute("SELECT utm_source, utm_medium, utm_campaign FROM lead_records")
        assert texts.fetchone() == (LATIN[:2_000],) * 3
        values = database.execute("SELECT value FROM lead_records ORDER BY lead_id").fetchall()
        assert values == [(None,), (None,), (None,), (12.5,)]
        times = database.execute("SELECT count(next_call_at), count(expires_at) FROM lead_records")
        assert times.fetchone() == (1, 0)
        said = database.execute("SELECT ad_storage FROM lead_records ORDER BY lead_id").fetchall()
        assert said == [(None,), (True,), (False,), (None,)]
        totals = database.execute(
            "SELECT leads, value FROM lead_record_counts WHERE facet IN ('', 'value') ORDER BY 1"
        )
        assert totals.fetchall() == [(1, 12.5), (4, 12.5)]
