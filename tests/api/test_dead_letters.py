"""Events that could not be processed: seen, tried again, thrown away."""

from __future__ import annotations

import pytest

from leadvibe.events import queries as events
from leadvibe.pipeline import process


def test_a_failed_event_is_shown_with_its_reason(api, world):
    world.fail('{"event_type": "broken"}')

    response = api.get("/dead-letters")

    [letter] = response.json
    assert response.headers["X-Total-Count"] == "1"
    assert letter["event"] == {"event_type": "broken"}
    assert (letter["source"], bool(letter["error"])) == ("api", True)


def test_the_latest_failure_comes_first(api, world):
    for name in ("first", "second", "third"):
        world.fail(f'{{"event_type": "{name}"}}')

    pages = [api.get("/dead-letters", page=page, limit=2).json for page in (1, 2)]

    assert [[it["event"]["event_type"] for it in page] for page in pages] == [
        ["third", "second"],
        ["first"],
    ]


def test_a_retried_event_waits_for_the_pipeline_again(api, world):
    world.fail()
    [letter] = api.get("/dead-letters").json

    response = api.post(f"/dead-letters/{letter['receipt']}/retry")

    assert (response.status_code, response.json["event_id"]) == (202, letter["event_id"])
    assert api.get("/dead-letters").json == []
    assert events.inbox_status(world.scope).waiting == 1
    assert events.get_tally(world.scope, "api").failed == 0

    process.drain(world.scope)

    assert len(api.get("/dead-letters").json) == 1
    assert events.get_tally(world.scope, "api").failed == 1


def test_a_discarded_event_is_gone(api, world):
    world.fail()
    [letter] = api.get("/dead-letters").json

    assert api.delete(f"/dead-letters/{letter['receipt']}").status_code == 204

    assert api.get("/dead-letters").json == []
    assert events.inbox_status(world.scope).waiting == 0


@pytest.mark.parametrize("receipt", ["1", "0", "-1", "one", "1" * 30])
def test_a_dead_letter_that_is_not_there_is_not_found(api, receipt):
    for response in (
        api.post(f"/dead-letters/{receipt}/retry"),
        api.delete(f"/dead-letters/{receipt}"),
    ):
        assert response.status_code == 404
        assert response.json["code"] == "dead_letter_not_found"
