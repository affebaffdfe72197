"""Long ledgers are summed block by block, and say exactly what their entries say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from leadvibe.engine.policies import SURGE_STANDARD
from leadvibe.explain import queries
from leadvibe.explain.queries import explain_span, explain_window
from leadvibe.explain.types import Window
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import process, rescore
from leadvibe.scoring import history, lead_scores, policies
from leadvibe.scoring import service as scoring
from leadvibe.scoring.ledger_sums import BLOCK
from leadvibe.scoring.movements import Opened, Span, list_movements
from tests.factories import make_event, send, set_surge

DAY = timedelta(days=1)
WEIGHTS = {"demo_request": 10, "page_view": 1, "complaint": -4, "rare": 7}


@pytest.fixture
def long(world):
    """Return a unit where Ann did 2,600 things, and was away twice in between.

    Her ledger has whole blocks, days with several, entries at one instant, decay and two versions.
    """
    chance = Random(7)
    rules = {name: world.add_rule(name, weight) for name, weight in WEIGHTS.items()}
    world.add_rule("page_view", 3, world.add_ruleset("Second"))
    decay = {"inactive_for": 1, "unit": "days", "decrease": 10}
    policies.create_decay(world.principal, world.scope, decay, now=utc_now() - 50 * DAY)
    at = utc_now() - 40 * DAY
    for size in (1_500, 900, 200):
        events = []
        for event_type in chance.choices(list(WEIGHTS), weights=(4, 40, 3, 0.2), k=size):
            at += timedelta(seconds=chance.choice([0, 1, 60, 4_000]))
            events.append(make_event(event_type, lead_id="ann", timestamp=at))
        send(world.scope, *events)
        commit()
        process.drain(world.scope)
        at += 5 * DAY
        if size == 900:
            rescore.rescore_leads(world.scope, ["ann"], now=at)
            scoring.update_rule(
                world.principal, world.scope, rules["demo_request"].rule_id, {"weight": 20},
                now=utc_now(),
            )  # fmt: skip
            commit()
    # As within 15 s: plans for tables that were empty when last looked at take ten times as long.
    driver().execute("ANALYZE events, score_entries, ledger_sums, lead_scores")
    return world


def ledger(world):
    return lead_scores.list_entries(world.scope, "ann", ruleset_id=world.primary.ruleset_id)


def spans(entries):
    """Return spans of all kinds: open ones, and with ends on, beside and far from entries."""
    chance = Random(3)
    first, last = entries[0].occurred_at, entries[-1].occurred_at
    length = (last - first) / timedelta(seconds=1)

    def some_time():
        entry = chance.choice(entries).occurred_at
        near = entry + timedelta(microseconds=chance.choice([-1, 0, 1]))
        return chance.choice([near, first + chance.uniform(-0.1, 1.1) * timedelta(seconds=length)])

    yield Span()
    for _ in range(25):
        yield Span(*sorted([some_time(), some_time()]))
        yield Span(some_time(), None)
        yield Span(None, some_time())


def within(entries, span):
    since, until = span
    return [
        it
        for it in entries
        if (not since or it.occurred_at >= since) and (not until or it.occurred_at <= until)
    ]


def test_a_span_is_explained_as_its_entries_say(long):
    entries = ledger(long)
    assert len(entries) > 2 * BLOCK
    assert len({it.kind for it in entries}) == len({it.version for it in entries}) == 2

    for span in spans(entries):
        inside = within(entries, span)
        opened = Opened("event", "page_view", 1_500)
        explained = explain_span(
            long.scope, "ann", long.primary.ruleset_id, span, newest=7, opened=opened
        )

        expected = {}
        for it in inside:
            expected.setdefault((it.kind, it.event_type), []).append(it)
        assert {(it.kind, it.event_type): (it.delta, it.count) for it in explained.groups} == {
            key: (sum(it.delta for it in some), len(some)) for key, some in expected.items()
        }
        for group in explained.groups:
            key = (group.kind, group.event_type)
            most = 1_500 if key == opened[:2] else 7
            assert [it.seq for it in group.entries] == [it.seq for it in expected[key]][
                : -most - 1 : -1
            ]
        if inside:
            assert (explained.opening, explained.score) == (inside[0].before, inside[-1].after)


@pytest.mark.parametrize("step", [DAY, 3 * DAY, timedelta(hours=1)])
def test_a_chart_is_drawn_as_the_entries_say(long, step):
    entries = ledger(long)
    start = (entries[0].occurred_at - DAY).replace(hour=0, minute=0, second=0, microsecond=0)

    for span in spans(entries):
        moved = list_movements(
            long.scope, "ann", long.primary.ruleset_id, span, start=start, step=step
        )

        expected = {}
        for it in within(entries, span):
            at = start + (it.occurred_at - start) // step * step
            expected.setdefault((at, it.kind, it.rule_id, it.version), []).append(it)
        assert [
            (it.at, it.kind, it.event_type, it.delta, it.times, it.event_id, it.after)
            for it in moved
        ] == [
            (
                at,
                kind,
                some[-1].event_type,
                sum(it.delta for it in some),
                len(some),
                some[-1].event_id,
                some[-1].after,
            )
            for (at, kind, *_), some in sorted(expected.items(), key=lambda it: it[1][-1].seq)
        ]


def test_the_ledger_is_found_by_time(long):
    entries = ledger(long)
    by_all = lead_scores.list_entries(long.scope, "ann")

    for span in spans(entries):
        found = lead_scores.list_entries(long.scope, "ann", since=span.since, until=span.until)
        assert found == within(by_all, span)
        if span.until:
            scores = {it.ruleset_id: it.after for it in within(by_all, Span(None, span.until))}
            assert history.scores_at(long.scope, "ann", span.until) == scores
    for it in entries[::200]:
        of_event = lead_scores.list_entries(long.scope, "ann", event_ids=[it.event_id])
        assert of_event == [one for one in by_all if one.event_id == it.event_id]


def test_the_api_is_told_of_many_entries_what_each_of_them_says(long, monkeypatch):
    set_surge(long.scope, SURGE_STANDARD)
    rescore.rescore_leads(long.scope, ["ann"], now=utc_now())
    commit()
    lead = get_lead(long.scope, "ann")
    assert any(it.multiplier_percent > 100 for it in ledger(long))

    for span in spans(ledger(long)):
        wanted = Window(*span)
        found = explain_window(long.scope, lead, wanted, now=utc_now())
        monkeypatch.setattr(queries, "MOST_READ", 10_000)
        read = explain_window(long.scope, lead, wanted, now=utc_now())
        monkeypatch.setattr(queries, "MOST_READ", 50)

        assert (found.score, found.window, found.suppressed) == (
            read.score, read.window, read.suppressed
        )  # fmt: skip
        assert [replace(it, entries=it.entries[-100:]) for it in read.steps] == [
            replace(it, entries=it.entries[-100:]) for it in found.steps
        ]


def test_sums_are_forgotten_with_a_ledger_that_is_written_anew(long):
    before = ledger(long)
    long.happen("rare", "ann", at=before[700].occurred_at)  # late: all is replayed

    assert not has_wrong_sums(long)
    [rare] = [
        it
        for it in explain_span(long.scope, "ann", long.primary.ruleset_id, Span(), newest=1).groups
        if it.event_type == "rare"
    ]
    assert rare.count == len([it for it in before if it.event_type == "rare"]) + 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_sums SET delta = delta + 1 WHERE last_seq = 1000",
        "DELETE FROM ledger_sums WHERE last_seq = 2000",
    ],
)
def test_wrong_sums_are_found_and_put_right(long, damage):
    assert not has_wrong_sums(long)
    driver().execute(damage)
    commit()
    assert has_wrong_sums(long)

    for _ in rescore.rebuild(long.scope):
        pass

    assert not has_wrong_sums(long)


def has_wrong_sums(world):
    return any(step.found for step in rescore.verify(world.scope))
