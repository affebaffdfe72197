"""Scores as they were at any instant, from the ledger, and who has gained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import process
from leadvibe.scoring import history, queries, snapshots
from tests.factories import make_event, make_rule, make_ruleset, make_scope, send

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def scope(app) -> Scope:
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    make_rule(scope, "spam", -8)
    return scope


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def receive(scope: Scope, *events) -> None:
    send(scope, *events)
    commit()
    process.drain(scope)


def primary(scope: Scope):
    found = queries.find_primary(scope)
    assert found is not None
    return found.ruleset_id


def test_a_score_is_known_for_any_instant_in_every_ruleset(scope):
    second = make_ruleset(scope)
    make_rule(scope, "page_view", 2, ruleset=second)
    times = (at(0), at(1), at(2))
    receive(scope, *(make_event(lead_id="ana", timestamp=it) for it in times))
    instant = timedelta(microseconds=1)

    assert history.scores_at(scope, "ana", at(0) - instant) == {}
    assert history.scores_at(scope, "ana", at(0)) == {primary(scope): 5, second.ruleset_id: 2}
    assert history.scores_at(scope, "ana", at(2) - instant)[primary(scope)] == 10
    assert history.scores_at(scope, "ana", at(99))[second.ruleset_id] == 6
    assert history.scores_at(scope, "nobody", at(99)) == {}


def test_a_late_event_counts_from_its_own_time_on(scope):
    receive(scope, make_event(lead_id="ana", timestamp=at(5)))
    receive(scope, make_event(lead_id="ana", timestamp=at(1)))

    scores = [history.scores_at(scope, "ana", at(hour)).get(primary(scope)) for hour in (0, 1, 5)]

    assert scores == [None, 5, 10]


def test_looking_back_shows_every_hour(scope):
    receive(
        scope,
        make_event(lead_id="ana", timestamp=at(-1)),
        make_event(lead_id="ana", timestamp=at(0.5)),
        make_event("spam", lead_id="ana", timestamp=at(2)),
    )

    points = history.look_back(scope, "ana", primary(scope), start=at(0), end=at(3))

    assert [(point.at, point.score) for point in points] == [
        (at(0), 5), (at(1), 10), (at(2), 2), (at(3), 2),
    ]  # fmt: skip


def test_gains_are_of_those_whose_score_rose_the_largest_first(scope):
    receive(
        scope,
        *(make_event(lead_id="ana", timestamp=at(hour)) for hour in (-9, 1, 2)),
        *(make_event(lead_id="bo", timestamp=at(hour)) for hour in (1, 2, 3)),
        make_event(lead_id="cy", timestamp=at(-5)),
        make_event(lead_id="di", timestamp=at(-5)),
        make_event("spam", lead_id="di", timestamp=at(1)),
        make_event("unscored", lead_id="ed", timestamp=at(1)),
    )

    def gains(**span):
        return [
            (it.lead_id, it.score, it.gain)
            for it in history.list_gains(scope, **{"limit": 10, **span})
        ]

    assert gains(start=at(0)) == [("bo", 15, 15), ("ana", 15, 10)]
    assert gains(start=at(0), end=at(2)) == [("ana", 15, 5), ("bo", 15, 5)]
    assert gains(start=at(0), limit=1) == [("bo", 15, 15)]
    assert gains(start=at(-10), end=at(0)) == [
        ("ana", 15, 5), ("cy", 5, 5), ("di", 0, 5),
    ]  # fmt: skip


def test_the_configuration_of_an_instant_is_known(scope):
    commit()
    now = utc_now()

    assert history.config_at(scope, now).version == queries.current_version(scope)
    assert history.config_at(scope, NOON - timedelta(days=9999)).version == 0


def shots(scope: Scope) -> list[tuple[str, datetime, int]]:
    rows = driver().execute(
        "SELECT lead_id, snapshot_at, score FROM score_snapshots WHERE unit_id = %s"
        " ORDER BY lead_id, snapshot_at",
        (scope.unit_id,),
    )
    return rows.fetchall()


def test_snapshots_are_taken_of_scores_that_have_changed(scope):
    start = utc_now()
    receive(scope, make_event(lead_id="ana"), make_event(lead_id="bo"))
    hours = [start + timedelta(hours=hour) for hour in (1, 2, 3)]

    assert snapshots.take_snapshots(scope, now=hours[0]) == 2
    assert snapshots.take_snapshots(scope, now=hours[1]) == 0
    receive(scope, make_event(lead_id="ana"))
    driver().execute(
        "UPDATE leads SET updated_at = %s WHERE lead_id = 'ana'", (hours[1] + timedelta(minutes=9),)
    )
    assert snapshots.take_snapshots(scope, now=hours[2]) == 1

    assert shots(scope) == [("ana", hours[0], 5), ("ana", hours[2], 10), ("bo", hours[0], 5)]


def test_a_change_that_was_committed_after_a_snapshot_is_in_the_next(scope):
    start = utc_now()
    receive(scope, make_event(lead_id="bo"))
    snapshots.take_snapshots(scope, now=start + timedelta(minutes=30))
    receive(scope, make_event(lead_id="ana"))  # begun before that snapshot, to all appearances

    assert snapshots.take_snapshots(scope, now=start + timedelta(hours=2)) == 1


def test_a_score_that_is_gone_is_noted_as_nothing(scope):
    start = utc_now()
    receive(scope, make_event(lead_id="ana"))
    snapshots.take_snapshots(scope, now=start + timedelta(minutes=1))
    driver().execute("DELETE FROM lead_scores WHERE unit_id = %s", (scope.unit_id,))

    for _ in range(2):
        snapshots.take_snapshots(scope, now=start + timedelta(minutes=2))

    assert [score for _, _, score in shots(scope)] == [5, 0]


def test_old_snapshots_are_forgotten_but_for_what_the_period_begins_with(scope):
    ruleset_id = primary(scope)
    days = {"ana": (100, 95, 91, 89), "bo": (300,), "cy": (1,)}
    now = utc_now()
    for lead_id, ages in days.items():
        for age in ages:
            driver().execute(
                "INSERT INTO score_snapshots VALUES (%s, %s, %s, %s, %s)",
                (scope.unit_id, lead_id, ruleset_id, now - timedelta(days=age), age),
            )

    assert snapshots.forget_snapshots(now=now) == 2

    assert [(lead_id, score) for lead_id, _, score in shots(scope)] == [
        ("ana", 91), ("ana", 89), ("bo", 300), ("cy", 1),
    ]  # fmt: skip
    seen = snapshots.list_snapshots(
        scope, "ana", ruleset_id, start=now - timedelta(days=90), end=now
    )
    assert [point.score for point in seen] == [91, 89]


def test_units_without_scores_need_no_snapshots(scope):
    assert snapshots.units_with_scores() == []
    receive(scope, make_event(lead_id="ana"))
    assert snapshots.units_with_scores() == [scope.unit_id]
