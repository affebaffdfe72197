"""All leads scored anew: in steps, one at a time, and always under the rules of today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.events import queries as events
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import process
from leadvibe.pipeline import rescore as replaying
from leadvibe.rescoring import queries, rewriting, service
from leadvibe.rescoring.errors import RescoreRunningError
from leadvibe.rescoring.rewriting import advance_rescore
from leadvibe.rescoring.types import WalkState
from leadvibe.scoring import policies
from leadvibe.scoring import queries as scoring
from leadvibe.scoring import service as rules
from tests.factories import (
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_scope,
    send,
)
from tests.rescoring.walks import ask_rescore, rescore

SPRING = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOT = {"agent": "bot"}


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit with five leads who have a visit each, scored before it was worth anything."""
    scope = make_scope()
    send(scope, *(make_event(lead_id=f"lead{number}") for number in range(5)))
    commit()
    process.drain(scope)
    make_rule(scope, "page_view", 5)
    commit()
    return scope


def scores(scope: Scope) -> dict[str, int]:
    rows = driver().execute(
        "SELECT name, score FROM leads WHERE unit_id = %s AND merged_into IS NULL",
        (scope.unit_id,),
    )
    return dict(rows.fetchall())


def discrepancies(scope: Scope) -> list[replaying.Discrepancy]:
    return [one for step in replaying.verify(scope) for one in step.found]


def in_steps_of(monkeypatch: pytest.MonkeyPatch, leads: int) -> None:
    monkeypatch.setattr(rewriting, "LEADS_AT_ONCE", leads)


def test_a_rescore_makes_history_count_as_under_the_current_rules(scope):
    assert set(scores(scope).values()) == {0}

    done = rescore(scope)

    assert (done.state, done.leads_total, done.leads_done) == (WalkState.FINISHED, 5, 5)
    assert done.version == scoring.current_version(scope)
    assert set(scores(scope).values()) == {5}
    assert discrepancies(scope) == []


def test_a_unit_is_rescored_once_at_a_time(scope):
    running = ask_rescore(scope)

    with pytest.raises(RescoreRunningError, match=str(running.walk_id)):
        ask_rescore(scope)
    advance_rescore(scope, running.walk_id, ring=lambda: None)

    assert ask_rescore(scope).walk_id != running.walk_id


def test_a_rescore_goes_on_where_its_worker_stopped(scope, monkeypatch):
    in_steps_of(monkeypatch, 2)
    asked = ask_rescore(scope)
    looks = iter([False, True])

    advance_rescore(scope, asked.walk_id, ring=lambda: None, is_stopping=lambda: next(looks))
    halfway = queries.get_rescore(scope, asked.walk_id)
    half_scores = scores(scope)
    advance_rescore(scope, asked.walk_id, ring=lambda: None)

    assert (halfway.leads_done, halfway.after_lead, halfway.attempts) == (2, "lead1", 0)
    assert sorted(half_scores.values()) == [0, 0, 0, 5, 5]
    assert queries.get_rescore(scope, asked.walk_id).state is WalkState.FINISHED
    assert set(scores(scope).values()) == {5}


def test_a_rescore_begins_again_when_the_rules_change(scope, monkeypatch):
    in_steps_of(monkeypatch, 2)
    asked = ask_rescore(scope)
    [rule] = scoring.list_rules(scope)
    seen = []

    def change_after_the_first_step(current) -> None:
        seen.append((current.version, current.leads_done))
        if len(seen) == 1:
            rules.update_rule(
                make_principal(scope), scope, rule.rule_id, {"weight": 7}, now=utc_now()
            )
            commit()

    advance_rescore(scope, asked.walk_id, ring=lambda: None, progress=change_after_the_first_step)

    first, second = asked.version, asked.version + 1
    assert seen == [(first, 2), (second, 0), (second, 2), (second, 4), (second, 5)]
    done = queries.get_rescore(scope, asked.walk_id)
    assert (done.state, done.version, done.restarts) == (WalkState.FINISHED, second, 1)
    assert set(scores(scope).values()) == {7}
    assert discrepancies(scope) == []


def test_a_change_after_the_last_step_is_seen_as_well(scope):
    asked = ask_rescore(scope)
    [rule] = scoring.list_rules(scope)
    seen = []

    def change_once(current) -> None:
        seen.append(current.leads_done)
        if len(seen) == 1:
            rules.update_rule(
                make_principal(scope), scope, rule.rule_id, {"weight": 7}, now=utc_now()
            )
            commit()

    advance_rescore(scope, asked.walk_id, ring=lambda: None, progress=change_once)

    assert seen == [5, 0, 5]
    assert set(scores(scope).values()) == {7}


def test_the_inbox_has_its_turn_between_two_steps(scope, monkeypatch):
    in_steps_of(monkeypatch, 2)
    asked = ask_rescore(scope)
    waiting = []

    def send_more(current) -> None:
        waiting.append(events.inbox_status(scope).waiting)
        send(scope, make_event(lead_id="lead4"))
        commit()

    advance_rescore(scope, asked.walk_id, ring=lambda: None, progress=send_more)

    assert waiting == [0, 0, 0]
    process.drain(scope)
    assert scores(scope)["lead4"] == 20
    assert discrepancies(scope) == []


def test_events_put_aside_come_in_again_when_filters_let_them(scope):
    make_metadata_filter(scope, ("kind", "equals", "test"))
    gone = make_metadata_filter(scope, ("agent", "contains", "bot"))
    send(
        scope,
        make_event(email="eve@acme.test", metadata=BOT, timestamp=SPRING, message_id="m-1"),
        make_event(email="eve@acme.test", metadata=BOT, timestamp=SPRING + timedelta(hours=1)),
        make_event(email="fay@acme.test", metadata={"kind": "test"}),
        source="form",
    )
    commit()
    process.drain(scope)
    assert len(scores(scope)) == 5
    policies.delete_metadata_filter(make_principal(scope), scope, gone.item_id, now=utc_now())
    commit()
    rings = []

    asked = ask_rescore(scope)
    advance_rescore(scope, asked.walk_id, ring=lambda: rings.append(1))

    assert queries.get_rescore(scope, asked.walk_id).events_returned == 2
    assert rings == [1]
    assert scores(scope)["eve@acme.test"] == 10
    assert "fay@acme.test" not in scores(scope)
    tally = events.get_tally(scope, "form")
    assert (tally.processed, tally.duplicates, tally.failed) == (3, 0, 0)
    counts = {it.name: it.event_count for it in events.list_event_types(scope)}
    assert counts == {"page_view": 8}
    assert discrepancies(scope) == []


def test_a_lead_of_events_that_came_back_is_scored_as_the_others_are(scope):
    gone = make_metadata_filter(scope, ("agent", "contains", "bot"))
    send(scope, make_event(email="eve@acme.test", metadata=BOT))
    send(scope, make_event(lead_id="lead1"))
    commit()
    process.drain(scope)
    policies.delete_metadata_filter(make_principal(scope), scope, gone.item_id, now=utc_now())
    commit()

    done = rescore(scope)

    rows = driver().execute(
        "SELECT DISTINCT base_version FROM leads WHERE unit_id = %s", (scope.unit_id,)
    )
    assert rows.fetchall() == [(done.version,)]


def test_an_event_that_came_back_is_the_same_and_in_its_old_place(scope):
    gone = make_metadata_filter(scope, ("agent", "contains", "bot"))
    metadata = {**BOT, "n": 1.5, "list": [1, "a", None], "name": 'Ünïcode \\ "'}
    send(scope, make_event(email="eve@acme.test", metadata=metadata, timestamp=SPRING))
    commit()
    process.drain(scope)
    statement = """
        SELECT event_id, receipt, occurred_at, received_at, source, message_id, metadata, channel
        FROM events WHERE unit_id = %s AND metadata ? 'agent'
    """
    before = driver().execute(statement, (scope.unit_id,)).fetchall()
    policies.delete_metadata_filter(make_principal(scope), scope, gone.item_id, now=utc_now())
    commit()

    rescore(scope)

    assert driver().execute(statement, (scope.unit_id,)).fetchall() == before
    assert before[0][6] == metadata


def test_a_message_that_came_back_is_still_known(scope):
    gone = make_metadata_filter(scope, ("agent", "contains", "bot"))
    again = make_event(email="eve@acme.test", metadata=BOT, message_id="m-1")
    send(scope, again)
    commit()
    process.drain(scope)
    policies.delete_metadata_filter(make_principal(scope), scope, gone.item_id, now=utc_now())
    commit()

    rescore(scope)
    send(scope, again)
    commit()
    process.drain(scope)

    assert scores(scope)["eve@acme.test"] == 5


def test_a_rescore_that_nobody_works_on_is_found(scope):
    asked = ask_rescore(scope)
    later = utc_now() + timedelta(seconds=10)

    assert [it.walk_id for it in queries.due_rescores(now=later)] == [asked.walk_id]
    advance_rescore(scope, asked.walk_id, ring=lambda: None)
    assert queries.due_rescores(now=later) == []


def test_a_rescore_that_fails_tells_so_and_is_tried_again(scope, monkeypatch):
    asked = ask_rescore(scope)
    with monkeypatch.context() as patch:
        patch.setattr(rewriting.rescore, "rescore_leads", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            advance_rescore(scope, asked.walk_id, ring=lambda: None)
    failing = queries.get_rescore(scope, asked.walk_id)

    advance_rescore(scope, asked.walk_id, ring=lambda: None)

    assert (failing.state, failing.error) == (WalkState.RUNNING, "ZeroDivisionError")
    done = queries.get_rescore(scope, asked.walk_id)
    assert (done.state, done.error, done.attempts) == (WalkState.FINISHED, None, 0)
    assert service.MOST_ATTEMPTS > 1
