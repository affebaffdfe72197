from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.ids import new_id
from leadvibe.notifications import deliveries, dispatch
from leadvibe.notifications.deliveries import LEASE, claim_due
from leadvibe.notifications.errors import DeliveryNotFoundError
from leadvibe.notifications.outcomes import MOST_TRIES, Attempt, settle
from leadvibe.notifications.types import Transport
from tests.factories import make_scope
from tests.notifications.posting import post, refuse


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns forward."""

    class Clock:
        now = utc_now()

        def __call__(self):
            return self.now

        def forward(self, **span):
            self.now += timedelta(**span)

    clock = Clock()
    monkeypatch.setattr(dispatch, "utc_now", clock)
    return clock


@pytest.fixture(autouse=True)
def _alone(app):
    """Deliveries are claimed over all units, so those of other tests must not be there."""
    driver().execute("DELETE FROM notices")
    driver().execute("DELETE FROM destinations")
    commit()


def attempts(scope):
    return (
        driver()
        .execute(
            "SELECT attempt, outcome, status, problem FROM delivery_attempts WHERE unit_id = %s"
            " ORDER BY delivery_id, attempt",
            (scope.unit_id,),
        )
        .fetchall()
    )


def test_what_is_posted_is_sent_once_to_each_destination(scope, wire, deliver, posted):
    post(scope, "https://a.example", "https://b.example", "https://a.example")

    assert deliver() == 2
    assert deliver() == 0
    assert sorted(address for _, address in wire.sent) == ["https://a.example", "https://b.example"]
    assert posted.rows("state", "attempts") == [("delivered", 1)] * 2
    assert attempts(scope) == [(1, "delivered", 200, None)] * 2


def test_a_delivery_that_is_under_way_is_nobody_elses(scope, wire, deliver):
    post(scope, "https://a.example")

    [claim] = claim_due(now=utc_now(), at_most=9, under_way={})

    assert claim.attempt == 1
    assert deliver() == 0


def test_what_a_dead_worker_had_claimed_is_sent_under_the_same_id(scope, wire, deliver, clock):
    post(scope, "https://a.example", now=clock.now)
    [claim] = claim_due(now=clock.now, at_most=9, under_way={})
    commit()

    clock.forward(seconds=LEASE.total_seconds() + 1)
    deliver()

    assert wire.sent == [(claim.delivery_id, "https://a.example")]


def test_a_worker_that_was_overtaken_changes_nothing(scope, wire, deliver, clock, posted):
    post(scope, "https://a.example", now=clock.now)
    [slow] = claim_due(now=clock.now, at_most=9, under_way={})
    commit()
    clock.forward(seconds=LEASE.total_seconds() + 1)
    deliver()

    outcome = refuse(is_temporary=False)
    settle([Attempt(slow, clock.now, 70.0, outcome)], now=clock.now)

    assert posted.rows("state") == [("delivered",)]


def test_a_temporary_failure_is_tried_again_after_ever_longer_pauses(
    scope, wire, deliver, clock, posted
):
    post(scope, "https://a.example", now=clock.now)
    wire.answer = lambda _claim: refuse(is_temporary=True)
    pauses = []

    for _ in range(MOST_TRIES):
        deliver()
        [(state, due_at)] = posted.rows("state", "due_at")
        if state == "waiting":
            pauses.append((due_at - clock.now).total_seconds())
        clock.forward(hours=1)

    assert posted.rows("state", "attempts", "d.problem") == [("failed", 5, "the receiver said no")]
    for pause, wanted in zip(pauses, (10, 60, 300, 1800), strict=True):
        assert 0.8 * wanted <= pause <= 1.2 * wanted
    assert [row[0] for row in attempts(scope)] == [1, 2, 3, 4, 5]


def test_a_permanent_failure_is_not_tried_again(scope, wire, deliver, clock, posted):
    post(scope, "https://a.example", now=clock.now)
    wire.answer = lambda _claim: refuse(is_temporary=False)

    deliver()
    clock.forward(hours=9)

    assert deliver() == 0
    assert posted.rows("state", "attempts") == [("failed", 1)]


def test_a_receiver_that_asks_for_a_pause_gets_it_for_all_that_goes_there(
    scope, wire, deliver, clock, posted
):
    post(scope, "https://a.example", now=clock.now)
    wire.answer = lambda _claim: refuse(is_temporary=True, retry_after=120)
    deliver()
    post(scope, "https://a.example", "https://b.example", now=clock.now)
    wire.answer = type(wire)().answer

    deliver()
    assert {address for _, address in wire.sent[1:]} == {"https://b.example"}

    clock.forward(seconds=121)
    deliver()
    assert posted.rows("state") == [("delivered",)] * 3


def test_a_destination_that_fails_time_and_again_is_left_alone_and_then_asked_once(
    scope, wire, deliver, clock, posted
):
    for _ in range(8):
        post(scope, "https://a.example", now=clock.now)
    wire.answer = lambda _claim: refuse(is_temporary=True)
    deliver()
    tried = len(wire.sent)
    clock.forward(seconds=30)
    assert deliver() == 0
    assert deliveries.are_due(now=clock.now) is False

    clock.forward(seconds=31)
    assert deliver() == 1
    clock.forward(seconds=61)
    assert deliver() == 0

    clock.forward(minutes=30)
    wire.answer = type(wire)().answer
    deliver()
    assert 5 <= tried <= 8
    assert posted.rows("state", "t.failures", "t.paused_until") == [("delivered", 0, None)] * 8


def test_one_destination_does_not_take_all_threads(scope):
    for _ in range(9):
        post(scope, "https://slow.example")
    post(scope, "https://quick.example")

    claims = claim_due(now=utc_now(), at_most=20, under_way={})

    addresses = [claim.address for claim in claims]
    assert addresses.count("https://slow.example") == deliveries.AT_ONCE
    assert addresses.count("https://quick.example") == 1


def test_what_goes_to_hubspot_goes_together(scope, wire, deliver):
    for _ in range(7):
        post(scope, scope.unit_id.hex, transport=Transport.HUBSPOT)

    deliver()

    assert wire.groups == [7]


def test_a_hundred_contacts_are_one_sending_beside_messages(scope, wire, deliver):
    for _ in range(120):
        post(scope, scope.unit_id.hex, transport=Transport.HUBSPOT)
    post(scope, "https://a.example")

    claims = claim_due(now=utc_now(), at_most=2, under_way={})

    addresses = [claim.address for claim in claims]
    assert addresses.count(scope.unit_id.hex) == 100
    assert addresses.count("https://a.example") == 1
    rollback()
    deliver()
    assert sorted(wire.groups) == [1, 20, 100]


def test_what_goes_one_by_one_takes_a_thread_each(scope):
    post(scope, *(f"https://{n}.example" for n in range(5)))
    for _ in range(3):
        post(scope, scope.unit_id.hex, transport=Transport.HUBSPOT)

    claims = claim_due(now=utc_now(), at_most=4, under_way={})

    assert [claim.transport for claim in claims] == [Transport.WEBHOOK] * 4


def test_units_are_apart_though_their_addresses_are_the_same(scope, wire, deliver):
    post(scope, "https://a.example")
    post(make_scope(), "https://a.example")

    assert deliver() == 2


def test_a_sender_that_breaks_fails_its_delivery_alone(scope, wire, deliver, posted, caplog):
    def break_down(claim):
        if claim.address == "https://a.example":
            raise RuntimeError("broken")
        return type(wire)().answer(claim)

    wire.answer = break_down
    post(scope, "https://a.example", "https://b.example")

    deliver()

    assert sorted(posted.rows("t.address", "state")) == [
        ("https://a.example", "waiting"),
        ("https://b.example", "delivered"),
    ]
    assert "nobody foresaw" in caplog.text


def test_a_resent_delivery_keeps_its_id_and_its_history(scope, wire, deliver, posted):
    post(scope, "https://a.example")
    deliver()
    [(delivery_id, _)] = wire.sent

    deliveries.resend(scope, delivery_id, now=utc_now())
    commit()
    deliver()

    assert [it for it, _ in wire.sent] == [delivery_id] * 2
    assert posted.rows("state", "attempts", "tries") == [("delivered", 2, 1)]


def test_another_units_delivery_cannot_be_resent(scope, wire, deliver):
    post(scope, "https://a.example")
    deliver()

    with pytest.raises(DeliveryNotFoundError):
        deliveries.resend(make_scope(), wire.sent[0][0], now=utc_now())


def test_a_digest_folds_what_comes_within_the_hour(scope, wire, deliver, clock, posted):
    somebody = {"recipient_id": new_id(), "wants_digest": True, "transport": Transport.EMAIL}
    post(scope, "a@x.example", now=clock.now, **somebody)
    deliver()
    for _ in range(3):
        clock.forward(minutes=5)
        post(scope, "a@x.example", now=clock.now, **somebody)
    post(scope, "a@x.example", now=clock.now, lead_id="other", **somebody)
    deliver()
    assert len(wire.sent) == 2

    clock.forward(minutes=46)
    deliver()

    assert len(wire.sent) == 3
    assert wire.folded[wire.sent[2][0]] == 2
    assert [state for (state,) in posted.rows("state")].count("folded") == 2

    clock.forward(minutes=30)
    post(scope, "a@x.example", now=clock.now, **somebody)
    assert deliver() == 0
    clock.forward(minutes=31)
    assert deliver() == 1


def test_what_was_told_long_ago_is_forgotten(scope, deliver, posted):
    post(scope, "https://a.example")
    deliver()

    assert deliveries.forget_deliveries(before=utc_now() + timedelta(seconds=1), limit=9) == 1
    assert posted.rows("state") == []
    assert attempts(scope) == []


def test_a_delivery_that_kills_its_workers_is_given_up(scope, wire, deliver, clock, posted):
    post(scope, "https://a.example", now=clock.now)
    for _ in range(MOST_TRIES):
        claim_due(now=clock.now, at_most=9, under_way={})
        commit()
        clock.forward(seconds=LEASE.total_seconds() + 1)

    deliver()

    assert wire.sent == []
    problem = "the worker that sent it died each time"
    assert posted.rows("state", "d.problem") == [("failed", problem)]


def test_a_sender_that_cannot_prepare_fails_its_delivery_alone(
    scope, wire, deliver, posted, monkeypatch
):
    prepare = wire.prepare

    def break_down(claims, folded):
        if claims[0].address == "https://a.example":
            driver().execute("SELECT no_such_column")
        return prepare(claims, folded)

    monkeypatch.setattr(wire, "prepare", break_down)
    post(scope, "https://a.example", "https://b.example")

    deliver()

    assert sorted(posted.rows("t.address", "state")) == [
        ("https://a.example", "waiting"),
        ("https://b.example", "delivered"),
    ]
