"""A process that hears of changes: it remembers credentials, and forgets them when they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from leadvibe.app import remember_credentials
from leadvibe.identity.remembered import GOOD_FOR_SECONDS
from leadvibe.lib.listening import Listener
from tests.api.conftest import Caller
from tests.cli.conftest import wait_until
from tests.people import People, basic

MOMENT_SECONDS = GOOD_FOR_SECONDS / 2  # for a notice to arrive, before it is looked up anyway


@pytest.fixture
def credential(app: Flask, people: People, world) -> Caller:
    return Caller(app.test_client(), basic(people.credential))


@pytest.fixture
def is_looked_up(credential: Caller, statements: list[str]) -> Callable[[], bool]:
    """Return a question: does a request with the credential ask the database for it?"""

    def ask() -> bool:
        statements.clear()
        assert credential.get("/leads").status_code == 200
        return any("FROM credentials" in statement for statement in statements)

    return ask


@pytest.fixture
def listener(app: Flask, fresh_database, is_looked_up) -> Iterator[Listener]:
    """Let the application remember, and it does already."""
    listener = remember_credentials(app)
    wait_until(lambda: not is_looked_up())
    yield listener
    listener.stop()


def test_without_an_ear_for_changes_every_request_looks_up(is_looked_up):
    assert [is_looked_up() for _ in range(3)] == [True] * 3


@pytest.mark.usefixtures("listener")
def test_a_deleted_pair_is_forgotten_at_once(credential, call_as, people):
    secret_id = people.credential.credential.secret_id

    assert call_as("owner").delete(f"/secrets/{secret_id}").status_code == 204

    wait_until(lambda: credential.get("/leads").status_code == 401, MOMENT_SECONDS)


@pytest.mark.usefixtures("listener")
def test_a_wrong_secret_of_a_remembered_pair_is_refused(app, credential, people):
    pair = basic(people.credential)
    wrong = {"Authorization": f"{pair['Authorization'][:-8]}AAAAAAA="}

    assert app.test_client().get("/leads", headers=wrong).status_code == 401
    assert credential.get("/leads").status_code == 200


@pytest.mark.usefixtures("listener")
def test_a_new_pair_works_at_once(app, call_as):
    made = call_as("owner").post("/secrets", {"name": "Another"}).json
    client = app.test_client()

    answer = client.get("/leads", auth=(made["client_id"], made["client_secret"]))

    assert answer.status_code == 200


def test_once_it_stops_listening_it_looks_up_again(listener, is_looked_up):
    listener.stop()

    assert [is_looked_up() for _ in range(2)] == [True, True]
