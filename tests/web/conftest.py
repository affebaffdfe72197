"""What the tests of the pages share: a unit that scores, and a count of statements."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.scoring import service as scoring
from tests.web.world import World


@pytest.fixture
def world(people) -> World:
    """Return Acme's unit, ready to score; the stranger's is, too."""
    for scope in (people.scope, people.stranger.scope):
        scoring.install_defaults(scope, by="setup", now=utc_now())
    commit()
    return World(people.scope)


@pytest.fixture
def elsewhere(people, world) -> World:
    """Return the stranger's unit."""
    return World(people.stranger.scope)


@pytest.fixture
def statements(monkeypatch) -> Iterator[list[str]]:
    """Return the list of all statements sent to the database from now on.

    Counted in the driver, for not every statement passes through SQLAlchemy. The savepoints that
    make a test's database forget are left out.
    """
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(self, query, *args, **kwargs):
        text = str(query)
        if "SAVEPOINT" not in text:
            sent.append(text)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    return sent
