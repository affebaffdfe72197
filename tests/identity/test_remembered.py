from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url

from leadvibe.identity.remembered import (
    CHANGED,
    GOOD_FOR_SECONDS,
    RememberedCredentials,
    StoredCredential,
)
from leadvibe.identity.types import OrgRole, Principal, Via
from leadvibe.lib import migrate
from leadvibe.lib.db import commit
from tests.factories import make_credential, make_unit

NOBODY = UUID(int=0)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Stored:
    """What stands in the table; counts how often each id is looked up there."""

    def __init__(self, *client_ids: str) -> None:
        self.rows = {client_id: make_stored(client_id) for client_id in client_ids}
        self.reads: Counter[str] = Counter()
        self.meanwhile: Callable[[], None] = lambda: None

    def read(self, client_id: str) -> StoredCredential | None:
        self.reads[client_id] += 1
        found = self.rows.get(client_id)
        self.meanwhile()
        return found


def make_stored(client_id: str, secret: bytes = b"sha") -> StoredCredential:
    return StoredCredential(
        secret,
        Principal(org_id=NOBODY, via=Via.CREDENTIAL, org_role=OrgRole.MEMBER, label=client_id),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def remembered(clock) -> RememberedCredentials:
    made = RememberedCredentials(most=3, clock=clock)
    made.resume()
    return made


def test_what_was_read_is_not_read_again(remembered):
    stored = Stored("a")

    found = [remembered.recall("a", stored.read) for _ in range(3)]

    assert found == [stored.rows["a"]] * 3
    assert stored.reads["a"] == 1


def test_a_change_makes_it_read_again(remembered):
    stored = Stored("a")
    remembered.recall("a", stored.read)
    del stored.rows["a"]

    remembered.forget()

    assert remembered.recall("a", stored.read) is None


@pytest.mark.parametrize("change", ["forget", "resume", "suspend"])
def test_what_was_read_before_a_change_is_not_remembered_after_it(remembered, change):
    stored = Stored("a")
    stored.meanwhile = getattr(remembered, change)

    overtaken = remembered.recall("a", stored.read)
    stored.meanwhile = lambda: None
    stored.rows["a"] = make_stored("a", b"another")

    assert overtaken == make_stored("a")
    assert remembered.recall("a", stored.read) == make_stored("a", b"another")


def test_that_an_id_is_unknown_is_not_remembered(remembered):
    stored = Stored()
    assert remembered.recall("a", stored.read) is None

    stored.rows["a"] = make_stored("a")

    assert remembered.recall("a", stored.read) is not None


def test_nothing_is_remembered_before_changes_can_be_heard():
    deaf, stored = RememberedCredentials(), Stored("a")

    deaf.forget()
    found = [deaf.recall("a", stored.read) for _ in range(2)]

    assert found == [stored.rows["a"]] * 2
    assert stored.reads["a"] == 2


def test_nothing_is_remembered_while_changes_go_unheard(remembered):
    stored = Stored("a")
    remembered.recall("a", stored.read)

    remembered.suspend()
    for _ in range(2):
        remembered.recall("a", stored.read)
    assert stored.reads["a"] == 3

    remembered.resume()
    for _ in range(2):
        remembered.recall("a", stored.read)
    assert stored.reads["a"] == 4


def test_an_entry_is_good_for_seconds_from_before_it_was_read(remembered, clock):
    stored = Stored("a")
    stored.meanwhile = lambda: setattr(clock, "seconds", clock.seconds + 1)  # a slow database
    remembered.recall("a", stored.read)

    clock.seconds = GOOD_FOR_SECONDS - 0.1
    remembered.recall("a", stored.read)
    assert stored.reads["a"] == 1

    clock.seconds = GOOD_FOR_SECONDS
    remembered.recall("a", stored.read)
    assert stored.reads["a"] == 2

    clock.seconds += GOOD_FOR_SECONDS - 1.1
    remembered.recall("a", stored.read)
    assert stored.reads["a"] == 2


def test_one_too_many_pushes_out_what_was_read_longest_ago(remembered, clock):
    stored = Stored(*"abcd")
    for client_id in "abc":
        remembered.recall(client_id, stored.read)
    clock.seconds = GOOD_FOR_SECONDS
    remembered.recall("a", stored.read)  # expired: read again, and so the latest

    remembered.recall("d", stored.read)
    clock.seconds = 0
    for client_id in "cad":
        remembered.recall(client_id, stored.read)
    assert stored.reads == {"a": 2, "b": 1, "c": 1, "d": 1}

    remembered.recall("b", stored.read)
    assert stored.reads["b"] == 2


def test_no_secret_is_shown():
    assert "sha" not in repr(make_stored("a"))


# What the database tells of


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE credentials SET secret_sha256 = 'another'",
        "DELETE FROM credentials",
        "TRUNCATE credentials",
        "UPDATE units SET archived_at = now()",
        "UPDATE organizations SET name = name",
    ],
)
def test_the_database_tells_of_each_change(app, fresh_database, change):
    make_credential(make_unit())
    commit()

    with connect(fresh_database) as listening, connect(fresh_database) as changing:
        listening.execute(f"LISTEN {CHANGED}")
        changing.execute(change)

        assert is_told(listening)


def test_the_database_tells_of_credentials_that_go_with_their_unit(empty_database_url):
    migrate.upgrade(empty_database_url)
    with connect(empty_database_url) as listening, connect(empty_database_url) as changing:
        changing.execute("""
            ALTER TABLE credentials DROP CONSTRAINT fk_credentials_unit_id;
            ALTER TABLE credentials ADD FOREIGN KEY (unit_id) REFERENCES units ON DELETE CASCADE;
            INSERT INTO organizations VALUES (gen_random_uuid(), 'Acme', now());
            INSERT INTO units (unit_id, org_id, name, slug, is_default, created_at)
            SELECT gen_random_uuid(), org_id, 'Sales', 'sales', false, now() FROM organizations;
            INSERT INTO credentials (secret_id, org_id, unit_id, client_id, secret_sha256, name,
                                     trust_upstream_consent, created_at)
            SELECT gen_random_uuid(), org_id, unit_id, 'a', '', 'Website', false, now() FROM units;
        """)
        listening.execute(f"LISTEN {CHANGED}")

        changing.execute("DELETE FROM units")

        assert is_told(listening)
        assert changing.execute("SELECT count(*) FROM credentials").fetchone() == (0,)


def connect(url: str) -> psycopg.Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def is_told(listening: psycopg.Connection) -> bool:
    notices = list(listening.notifies(timeout=10, stop_after=1))
    return [notice.channel for notice in notices] == [CHANGED]
