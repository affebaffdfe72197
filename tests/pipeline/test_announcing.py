"""What a batch tells whoever watches: what happened, little of much, and after the commit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.engine.policies import Reach
from leadvibe.engine.triggers import Surge
from leadvibe.events import queries as event_queries
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.metrics.live import GAP
from leadvibe.pipeline import announcing, process
from leadvibe.scoring import event_types
from tests.factories import (
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    make_trigger,
    send,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Watcher:
    """An audience that remembers what it was told, and how much was committed by then."""

    def __init__(self, *, listens: bool = True) -> None:
        self.listens = listens
        self.asked: list[str] = []
        self.told: list[tuple[str, list]] = []

    def is_listening(self, topic):
        self.asked.append(topic)
        return self.listens

    def tell(self, topic, messages):
        self.told.append((topic, list(messages)))

    def said(self, kind):
        return [
            json.loads(message.body)
            for _, messages in self.told
            for message in messages
            if message.kind == kind
        ]


@pytest.fixture
def scope(app):
    return make_scope()


@pytest.fixture
def watcher():
    return Watcher()


def batch(scope, watcher, *events):
    send(scope, *events)
    commit()
    return process.process_batch(scope, listeners=process.Listeners(watcher))


def test_an_event_is_told_with_what_it_gave(scope, watcher):
    rule = make_rule(scope, "page_view", 5)

    batch(scope, watcher, make_event(lead_id="ana", timestamp=NOON))

    [(topic, messages)] = watcher.told
    assert topic == str(scope.unit_id)
    assert [message.kind for message in messages] == ["new_event", "score_update"]
    [event] = watcher.said("new_event")
    assert event.pop("event_id")
    assert event == {
        "type": "new_event", "lead_id": "ana", "event_type": "page_view",
        "timestamp": "2026-03-02T12:00:00Z", "channel": "web",
    }  # fmt: skip
    assert watcher.said("score_update") == [
        {
            "type": "score_update", "lead_id": "ana", "delta": 5, "score": 5,
            "ruleset_id": str(rule.ruleset_id),
        }
    ]  # fmt: skip


def test_each_entry_of_a_small_batch_is_told(scope, watcher):
    make_rule(scope, "page_view", 5)
    make_rule(scope, "page_view", 7, ruleset=make_ruleset(scope))

    batch(scope, watcher, *(make_event(lead_id="ana") for _ in range(2)))

    moves = [(it["delta"], it["score"]) for it in watcher.said("score_update")]
    assert sorted(moves) == [(5, 5), (5, 10), (7, 7), (7, 14)]
    assert len(watcher.told) == 1


def test_a_late_event_is_told_as_the_change_it_made(scope, watcher):
    make_rule(scope, "page_view", 5)
    make_rule(scope, "bounce", -3)
    batch(scope, None, make_event(lead_id="ana", timestamp=NOON))

    late = make_event("bounce", lead_id="ana", timestamp=NOON - timedelta(hours=1))
    batch(scope, watcher, make_event("page_view", lead_id="ben"), late)

    moves = {it["lead_id"]: (it["delta"], it["score"]) for it in watcher.said("score_update")}
    # The bounce came first and met the floor: nothing has changed for ana.
    assert moves == {"ben": (5, 5)}
    assert [it["lead_id"] for it in watcher.said("new_event")] == ["ben", "ana"]


def test_a_late_event_that_moves_the_score_says_by_how_much(scope, watcher):
    make_rule(scope, "page_view", 5)
    batch(scope, None, make_event(lead_id="ana", timestamp=NOON))

    batch(scope, watcher, make_event(lead_id="ana", timestamp=NOON - timedelta(hours=1)))

    [move] = watcher.said("score_update")
    assert (move["delta"], move["score"]) == (5, 10)


def test_suppressed_events_and_hidden_types_are_not_told(scope, watcher):
    make_metadata_filter(scope, ("agent", "exists", None))
    batch(scope, None, make_event("secret"))
    event_types.decide_event_type(
        make_principal(scope), scope, "secret", hidden=True, reach=Reach.ACTIVATE, now=utc_now()
    )
    commit()

    batch(
        scope,
        watcher,
        make_event("secret"),
        make_event(metadata={"agent": "bot"}),
        make_event(lead_id="unheard_of", metadata={"agent": "bot"}),
        make_event("seen"),
    )

    assert [it["event_type"] for it in watcher.said("new_event")] == ["seen"]


def test_of_many_events_the_last_are_told_and_that_there_were_more(scope, watcher, monkeypatch):
    monkeypatch.setattr(announcing, "MOST_MESSAGES", 10)
    make_rule(scope, "page_view", 1)

    batch(scope, watcher, *(make_event(lead_id=f"lead {number:02}") for number in range(30)))

    expected = [f"lead {number:02}" for number in range(20, 30)]
    assert [it["lead_id"] for it in watcher.said("new_event")] == expected
    assert [it["lead_id"] for it in watcher.said("score_update")] == expected
    [(_, messages)] = watcher.told
    assert messages[-1] == GAP


def test_many_entries_of_a_lead_are_told_as_one_move(scope, watcher, monkeypatch):
    monkeypatch.setattr(announcing, "MOST_MESSAGES", 10)
    make_rule(scope, "page_view", 2)

    batch(scope, watcher, *(make_event(lead_id="ana") for _ in range(30)))

    [move] = watcher.said("score_update")
    assert (move["delta"], move["score"]) == (60, 60)


def test_nobody_is_told_when_nobody_listens_and_nothing_more_is_read(scope, statements):
    deaf = Watcher(listens=False)
    make_rule(scope, "page_view", 5)
    batch(scope, deaf, make_event(lead_id="ana", timestamp=NOON))
    late = make_event(lead_id="ana", timestamp=NOON - timedelta(hours=1))

    def cost(audience):
        send(scope, late)
        commit()
        statements.clear()
        process.process_batch(scope, listeners=process.Listeners(audience))
        return len(statements)

    assert cost(deaf) == cost(None)
    assert deaf.told == []
    assert set(deaf.asked) == {str(scope.unit_id)}


def test_a_batch_that_fails_in_part_tells_of_the_rest(scope, watcher):
    make_rule(scope, "page_view", 5)
    send(scope, make_event(lead_id="ana"), make_event(lead_id="ben"))
    driver().execute(
        "UPDATE inbox SET payload = '{}' WHERE unit_id = %s AND payload ->> 'lead_id' = 'ana'",
        (scope.unit_id,),
    )
    commit()

    process.process_batch(scope, listeners=process.Listeners(watcher))

    assert event_queries.count_dead_letters(scope) == 1
    assert [it["lead_id"] for it in watcher.said("score_update")] == ["ben"]


def test_what_is_not_committed_is_not_told(scope, watcher, monkeypatch):
    send(scope, make_event())
    commit()

    def fail():
        raise ConnectionError

    monkeypatch.setattr(process, "commit", fail)
    with pytest.raises(ConnectionError):
        process.process_batch(scope, listeners=process.Listeners(watcher))

    assert watcher.told == []


def test_a_surge_that_fires_a_trigger_is_told(scope, watcher):
    trigger = make_trigger(scope, Surge(2, 60), name="Busy")

    batch(scope, watcher, *(make_event(lead_id="ana", timestamp=NOON) for _ in range(2)))

    [surge] = watcher.said("surge")
    assert (surge["lead_id"], surge["name"]) == ("ana", "Busy")
    assert surge["trigger_id"] == str(trigger.trigger_id)
