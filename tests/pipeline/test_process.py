from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.types import Arrival
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import process, rescore
from leadvibe.scoring import lead_scores
from leadvibe.scoring import service as scoring
from tests.factories import make_event, make_principal, make_rule, make_ruleset, make_scope, send

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


def process_all(scope: Scope, *, limit: int = process.BATCH_SIZE) -> None:
    commit()
    process.drain(scope, limit=limit)


def score_of(scope: Scope, lead_id: str) -> int:
    row = driver().execute(
        "SELECT score FROM leads WHERE unit_id = %s AND lead_id = %s", (scope.unit_id, lead_id)
    )
    [score] = row.fetchone()
    return score


def count(scope: Scope, table: str) -> int:
    [number] = (
        driver()
        .execute(f"SELECT count(*) FROM {table} WHERE unit_id = %s", (scope.unit_id,))
        .fetchone()
    )
    return number


def discrepancies(scope: Scope) -> list[rescore.Discrepancy]:
    return [one for step in rescore.verify(scope) for one in step.found]


def standing(scope: Scope) -> dict[str, Any]:
    """Return all that scoring came to, by what identifies a lead instead of its random id."""
    leads = """
        SELECT a.value, l.score, l.event_count, l.session_count, l.last_event_at,
               l.last_event_type,
               (SELECT array_agg((r.name, s.score, s.seq)::text ORDER BY r.name)
                FROM lead_scores s JOIN rulesets r USING (unit_id, ruleset_id)
                WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id),
               (SELECT array_agg((started_at, ended_at, event_count)::text ORDER BY started_at)
                FROM lead_sessions n WHERE n.unit_id = l.unit_id AND n.lead_id = l.lead_id)
        FROM leads l JOIN lead_aliases a USING (unit_id, lead_id)
        WHERE l.unit_id = %s AND a.kind = 'email'
    """
    rows = driver().execute(leads, (scope.unit_id,))
    return {email: rest for email, *rest in rows}


def poison(scope: Scope, payload: str = '{"event_type": "page_view"}') -> UUID:
    """Put something into the inbox that no version of intake would let in."""
    arrival = Arrival(new_id(), utc_now(), "test", None, payload)
    events.post_arrivals(scope, [arrival], version=0)
    return arrival.event_id


def journeys() -> list[dict[str, Any]]:
    """Return what three people did over some days, one of them anonymous at first."""
    dice = random.Random(7)
    people = [
        {"email": "ana@example.com"},
        {"email": "bo@example.com", "cookie": "bo-1"},
        {"email": "cy@example.com"},
    ]
    told = [
        {
            **people[dice.randrange(3)],
            "event_type": dice.choice(["page_view", "demo_request", "email_bounced", "unscored"]),
            "timestamp": NOON + timedelta(minutes=dice.randrange(5_000)),
            "message_id": f"m{number}",
        }
        for number in range(60)
    ]
    anonymous = {"event_type": "page_view", "cookie": "bo-1", "timestamp": NOON}
    return [*told, {**anonymous, "message_id": "a1"}, {**anonymous, "message_id": "a2"}]


def run(told: Iterable[dict[str, Any]], *, limit: int) -> Scope:
    scope = make_scope()
    second = make_ruleset(scope)
    for event_type, weight in (("page_view", 3), ("demo_request", 40), ("email_bounced", -30)):
        make_rule(scope, event_type, weight)
        make_rule(scope, event_type, 1, ruleset=second)
    send(scope, *(make_event(**fields) for fields in told))
    process_all(scope, limit=limit)
    return scope


@pytest.mark.parametrize("seed", range(4))
def test_the_same_events_in_any_order_and_any_batches_end_in_the_same_scores(app, seed):
    dice = random.Random(seed)
    told = journeys()
    expected = standing(run(told, limit=1_000))
    repeated = told + dice.sample(told, 20)
    dice.shuffle(repeated)

    scope = run(repeated, limit=dice.choice([1, 7, 25]))

    assert standing(scope) == expected
    assert expected["bo@example.com"][1] > 0
    assert discrepancies(scope) == []


def test_an_event_scores_by_every_active_ruleset(scope):
    second = make_ruleset(scope)
    make_rule(scope, "page_view", 5)
    make_rule(scope, "page_view", 2, ruleset=second)

    send(scope, make_event(lead_id="ana"), make_event(lead_id="ana"))
    process_all(scope)

    scores = {one.ruleset_id: one.score for one in lead_scores.list_scores(scope, ["ana"])}
    assert sorted(scores.values()) == [4, 10]
    assert score_of(scope, "ana") == 10
    assert [entry.before for entry in lead_scores.list_entries(scope, "ana")[:2]] == [0, 5]


def test_a_late_event_changes_what_came_after_it(scope):
    make_rule(scope, "page_view", 5)
    make_rule(scope, "email_bounced", -8)
    send(scope, make_event("page_view", lead_id="ana", timestamp=NOON))
    process_all(scope)
    assert score_of(scope, "ana") == 5

    send(scope, make_event("email_bounced", lead_id="ana", timestamp=NOON - timedelta(hours=1)))
    process_all(scope)

    # The floor at 0 is what makes order matter: -8 first leaves 5, -8 last would leave 0.
    assert score_of(scope, "ana") == 5
    deltas = [entry.delta for entry in lead_scores.list_entries(scope, "ana")]
    assert deltas == [0, 5]
    assert discrepancies(scope) == []


def test_an_event_keeps_the_version_it_was_scored_under_even_through_a_replay(scope):
    rule = make_rule(scope, "page_view", 5)
    send(scope, make_event(lead_id="ana", timestamp=NOON))
    process_all(scope)

    scoring.update_rule(make_principal(scope), scope, rule.rule_id, {"weight": 100}, now=utc_now())
    send(
        scope,
        make_event(lead_id="ana", timestamp=NOON + timedelta(hours=1)),
        make_event("other", lead_id="ana", timestamp=NOON - timedelta(hours=1)),
    )
    process_all(scope)

    assert score_of(scope, "ana") == 105


def test_a_message_id_counts_once_in_a_batch_and_in_later_ones(scope):
    make_rule(scope, "page_view", 5)
    send(scope, *[make_event(lead_id="ana", message_id="m1")] * 3)
    process_all(scope)

    send(scope, make_event(lead_id="ana", message_id="m1"), make_event(lead_id="ana"))
    process_all(scope)

    assert score_of(scope, "ana") == 10
    tally = event_queries.get_tally(scope, "test")
    assert (tally.processed, tally.duplicates) == (2, 3)


def test_a_message_id_of_another_unit_means_nothing(scope):
    elsewhere = make_scope()
    for one in (scope, elsewhere):
        send(one, make_event(lead_id="ana", message_id="m1"))
        process_all(one)

    assert count(scope, "events") == count(elsewhere, "events") == 1


def test_events_of_a_merged_lead_go_to_the_one_that_stands_for_it(scope):
    make_rule(scope, "page_view", 5)
    send(scope, *(make_event(lead_id=lead_id) for lead_id in ("old", "older", "ana")))
    process_all(scope)
    for merged, target in (("older", "old"), ("old", "ana")):
        driver().execute("UPDATE leads SET merged_into = %s WHERE lead_id = %s", (target, merged))

    send(scope, make_event(lead_id="older"), make_event(lead_id="old"))
    process_all(scope)

    assert score_of(scope, "ana") == 15


def test_a_stranger_who_turns_out_to_be_somebody_brings_what_they_did(scope):
    make_rule(scope, "page_view", 5)
    send(scope, make_event(cookie="c1", timestamp=NOON), make_event(email="ana@example.com"))
    process_all(scope)
    assert standing(scope)["ana@example.com"][0] == 5

    send(scope, make_event("sign_in", cookie="c1", email="ana@example.com"))
    process_all(scope)

    assert standing(scope)["ana@example.com"][0] == 10
    assert discrepancies(scope) == []


def test_an_event_that_cannot_be_processed_is_put_aside_and_the_others_are_scored(scope):
    make_rule(scope, "page_view", 5)
    send(scope, *(make_event(lead_id="ana") for _ in range(5)))
    bad = poison(scope)
    send(scope, *(make_event(lead_id="ana") for _ in range(5)))

    process_all(scope)

    assert score_of(scope, "ana") == 50
    [letter] = event_queries.list_dead_letters(scope, limit=10)
    assert letter.event_id == bad
    assert "KeyError" in letter.error
    assert event_queries.inbox_status(scope).waiting == 0
    assert event_queries.get_tally(scope, "test").failed == 1


def test_a_value_that_no_index_can_hold_is_the_events_own_fault(scope):
    make_rule(scope, "page_view", 5)
    dice = random.Random(1)
    endless = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(2_000))
    poison(
        scope,
        f'{{"event_type": "{endless}", "timestamp": "2026-03-02T12:00:00Z", "lead_id": "bo",'
        ' "aliases": [], "metadata": {}}',
    )
    send(scope, make_event(lead_id="ana"))

    process_all(scope)

    assert score_of(scope, "ana") == 5
    [letter] = event_queries.list_dead_letters(scope, limit=10)
    assert "index row" in letter.error


def test_a_dead_letter_that_is_retried_too_early_comes_back(scope):
    poison(scope)
    process_all(scope)
    [letter] = event_queries.list_dead_letters(scope, limit=10)

    events.retry_dead_letter(scope, letter.receipt)
    process_all(scope)

    [again] = event_queries.list_dead_letters(scope, limit=10)
    assert again.event_id == letter.event_id


def test_a_dead_letter_whose_cause_is_gone_is_scored_by_a_retry(scope):
    make_rule(scope, "page_view", 5)
    driver().execute("ALTER TABLE events ADD CONSTRAINT no_ana CHECK (lead_id <> 'ana')")
    send(scope, make_event(lead_id="ana"), make_event(lead_id="bo"))
    process_all(scope)
    assert score_of(scope, "bo") == 5
    [letter] = event_queries.list_dead_letters(scope, limit=10)

    driver().execute("ALTER TABLE events DROP CONSTRAINT no_ana")
    events.retry_dead_letter(scope, letter.receipt)
    process_all(scope)

    assert score_of(scope, "ana") == 5
    assert event_queries.count_dead_letters(scope) == 0
    assert discrepancies(scope) == []


def test_a_discarded_dead_letter_is_gone_for_good(scope):
    poison(scope)
    process_all(scope)
    [letter] = event_queries.list_dead_letters(scope, limit=10)

    events.discard_dead_letter(scope, letter.receipt)
    process_all(scope)

    assert event_queries.count_dead_letters(scope) == 0
    assert count(scope, "events") == 0


def test_many_poisoned_events_do_not_stop_the_good_ones_between_them(scope):
    make_rule(scope, "page_view", 1)
    for _ in range(10):
        poison(scope)
        send(scope, make_event(lead_id="ana"))

    process_all(scope)

    assert score_of(scope, "ana") == 10
    assert event_queries.count_dead_letters(scope) == 10


def test_large_events_make_smaller_batches(scope, monkeypatch):
    monkeypatch.setattr(events, "LARGEST_CLAIM", 10_000)
    large = make_event(lead_id="ana", metadata={"text": "x" * 4_000})
    send(scope, *[large] * 7)
    commit()

    claimed = [process.process_batch(scope).claimed for _ in range(4)]

    assert claimed == [3, 3, 1, 0]


def test_metadata_and_timestamps_arrive_as_they_were_sent(scope):
    metadata = {"a": [1, 2.5, None, {"b": "ünïcode \U0001f600"}], "n": 12345678901234567890}
    send(scope, make_event(lead_id="ana", timestamp=NOON, metadata=metadata))

    process_all(scope)

    [event] = event_queries.list_timeline(scope, "ana", limit=10)
    assert event.metadata == metadata
    assert event.occurred_at == NOON


def test_an_event_from_a_clock_that_runs_far_ahead_happens_now(scope):
    send(scope, make_event(lead_id="ana", timestamp=utc_now() + timedelta(days=400)))

    process_all(scope)

    [event] = event_queries.list_timeline(scope, "ana", limit=10)
    assert event.occurred_at <= utc_now()


def test_an_event_counts_under_the_rules_of_when_it_was_accepted(scope):
    rule = make_rule(scope, "call", 5)
    send(scope, make_event("call", lead_id="ana"), make_event("call", lead_id="bo"))
    send(scope, make_event("call", lead_id="cy"))
    commit()

    scoring.update_rule(make_principal(scope), scope, rule.rule_id, {"weight": 50}, now=utc_now())
    commit()
    send(scope, make_event("call", lead_id="ana"))
    commit()
    process.drain(scope)

    assert [score_of(scope, lead_id) for lead_id in ("ana", "bo", "cy")] == [55, 5, 5]
    assert [step.found for step in rescore.verify(scope)] == [[], []]


def test_a_rescore_reaches_the_events_that_still_wait(scope):
    rule = make_rule(scope, "call", 5)
    send(scope, make_event("call", lead_id="ana"))
    commit()
    process.drain(scope)
    send(scope, make_event("call", lead_id="ana"))
    commit()

    scoring.update_rule(make_principal(scope), scope, rule.rule_id, {"weight": 50}, now=utc_now())
    commit()
    rescore.rescore_leads(scope, ["ana"], now=utc_now())
    commit()
    process.drain(scope)

    assert score_of(scope, "ana") == 100
    assert [step.found for step in rescore.verify(scope)] == [[], []]


def test_an_event_that_comes_in_again_counts_under_the_rules_of_now(scope):
    rule = make_rule(scope, "call", 5)
    poisoned = poison(scope, '{"event_type": "call"}')
    commit()
    process.drain(scope)
    [letter] = event_queries.list_dead_letters(scope, limit=2)
    assert letter.event_id == poisoned

    scoring.update_rule(make_principal(scope), scope, rule.rule_id, {"weight": 50}, now=utc_now())
    events.retry_dead_letter(scope, letter.receipt)
    [arrival] = events.claim_arrivals(scope, limit=1)

    assert arrival.version is None
