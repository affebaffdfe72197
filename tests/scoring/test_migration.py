"""A unit from before there were levels of every kind, drafts and surge gets what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from alembic import command
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, make_url, pool

from leadvibe.engine.policies import SURGE_OFF
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.lib import migrate

BEFORE, AFTER = "0004", "0005"
UNIT, RULESET, RULE = (UUID(int=number) for number in range(1, 4))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD_CONFIG = {
    "version": 7,
    "rulesets": [
        {
            "ruleset_id": str(RULESET),
            "name": "Engagement",
            "is_primary": True,
            "rules": [{"rule_id": str(RULE), "event_type": "demo", "weight": 50}],
        }
    ],
    "levels": [
        {"level_id": str(UUID(int=9)), "kind": "engagement", "name": "Any", "min_score": 0},
    ],
}


@pytest.fixture
def database(empty_database_url: str) -> Iterator[psycopg.Connection]:
    """Return a connection to a database as it was, with one unit that scores."""
    upgrade(empty_database_url, BEFORE)
    url = make_url(empty_database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO config_versions"
            " (unit_id, version, config, summary, created_at, created_by)"
            " VALUES (%s, 6, '{}', 'older', %s, 'ana'), (%s, 7, %s, 'old', %s, 'ana')",
            (UNIT, NOW, UNIT, Jsonb(OLD_CONFIG), NOW),
        )
        connection.execute(
            "INSERT INTO rulesets VALUES"
            " (%s, %s, 'Engagement', 'points', true, true, NULL, NULL, %s, %s, 'ana', 'ana')",
            (UNIT, RULESET, NOW, NOW),
        )
        connection.execute(
            "INSERT INTO rules VALUES"
            " (%s, %s, %s, 'demo', 50, 'eye', true, NULL, NULL, %s, %s, 'ana', 'ana')",
            (UNIT, RULE, RULESET, NOW, NOW),
        )
        connection.execute(
            "INSERT INTO levels VALUES"
            " (%s, %s, 'engagement', 'Any', 0, NULL, '#000000', 0, '', '')",
            (UNIT, UUID(int=9)),
        )
        yield connection


def upgrade(database_url: str, revision: str) -> None:
    engine = create_engine(database_url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        command.upgrade(migrate._configuration(connection), revision)


def test_a_unit_gets_the_levels_it_lacks_as_a_version_and_scores_as_before(
    database, empty_database_url
):
    upgrade(empty_database_url, AFTER)

    rows = database.execute("SELECT kind, name FROM levels WHERE unit_id = %s", (UNIT,)).fetchall()
    assert {kind: sum(row[0] == kind for row in rows) for kind in LevelKind} == {
        LevelKind.ENGAGEMENT: 1,
        LevelKind.PROFILE: 4,
        LevelKind.ACCOUNT: 3,
    }
    versions = database.execute(
        "SELECT version, config FROM config_versions WHERE unit_id = %s ORDER BY version", (UNIT,)
    ).fetchall()
    assert [number for number, _ in versions] == [6, 7, 8]
    assert versions[1][1] == OLD_CONFIG

    config = Config.from_json(versions[2][1])
    assert config.version == 8
    assert sorted((level.kind, level.name) for level in config.levels) == sorted(rows)
    assert config.policies.surge == SURGE_OFF
    assert config.rulesets[0].score_column == "points"
    assert config.rulesets[0].rules[0].icon == "eye"
    [(body,)] = database.execute("SELECT body FROM config_items WHERE kind = 'surge_policy'")
    assert body == {"mode": "off", "bands": [], "idle_reset_seconds": 1800, "cap_percent": 100}


def test_a_unit_that_lacks_nothing_keeps_what_it_has(database, empty_database_url):
    database.execute(
        "INSERT INTO levels VALUES (%s, %s, 'profile', 'Fits', 0, NULL, '#000000', 0, '', ''),"
        " (%s, %s, 'account', 'Big', 0, NULL, '#000000', 0, '', '')",
        (UNIT, UUID(int=10), UNIT, UUID(int=11)),
    )

    upgrade(empty_database_url, AFTER)

    names = database.execute("SELECT name FROM levels WHERE unit_id = %s ORDER BY name", (UNIT,))
    assert names.fetchall() == [("Any",), ("Big",), ("Fits",)]
