"""Backfills: all leads gone over once, whatever comes in between."""

from __future__ import annotations

import pytest

from leadvibe.imports import backfills
from leadvibe.imports.backfills import MOST_ATTEMPTS, Backfill, BackfillKind, BackfillState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock
from leadvibe.lib.queue import JobQueue, open_queue
from leadvibe.pipeline import describe
from leadvibe.scoring.profiles import Side
from tests.factories import make_principal, make_scope
from tests.pipeline.describing import Describing

PEOPLE = [f"p{number}" for number in range(7)]


@pytest.fixture
def unit(app) -> Describing:
    """Return a unit whose leads told what nobody listened to."""
    made = Describing(make_scope())
    made.take_in(
        made.event(name, hours=number, email=f"{name}@acme{number % 2}.test", plan=f"t{number}")
        for number, name in enumerate(PEOPLE)
    )
    made.map("plan", "tier")
    return made


def ask(unit: Describing, kind: BackfillKind = BackfillKind.PROFILE_MAPPINGS) -> Backfill:
    asked = backfills.request_backfill(make_principal(unit.scope), unit.scope, kind, now=utc_now())
    commit()
    return asked


def advance(unit: Describing, asked: Backfill, *, steps: int | None = None) -> Backfill:
    """Work on a backfill, two leads a step, to the end or for some steps."""
    left = iter(range(1_000 if steps is None else steps))
    backfills.advance_backfill(
        unit.scope, asked.backfill_id, is_stopping=lambda: next(left, None) is None, at_once=2
    )
    return backfills.get_backfill(unit.scope, asked.backfill_id)


def tiers(unit: Describing) -> list[str | None]:
    return [unit.metadata(name).get("tier") for name in PEOPLE]


ALL_TIERS = [f"t{number}" for number in range(7)]


def test_one_that_is_left_goes_on_where_it_stood(unit):
    asked = ask(unit)

    halfway = advance(unit, asked, steps=2)
    assert (halfway.state, halfway.done, halfway.percent) == (BackfillState.RUNNING, 4, 57)
    assert tiers(unit) == [*ALL_TIERS[:4], None, None, None]
    over = advance(unit, asked)

    assert over.state is BackfillState.FINISHED
    assert over.counts == {"leads_processed": 7, "leads_updated": 7}
    assert tiers(unit) == ALL_TIERS


def test_accounts_are_described_anew_once_all_leads_are(unit):
    unit.enable_accounts()
    unit.map("plan", "plan", side=Side.ACCOUNT)

    over = advance(unit, ask(unit, BackfillKind.ACCOUNTS))

    assert over.state is BackfillState.FINISHED
    assert (over.counts["leads_processed"], over.done, over.total) == (7, 9, 9)
    assert unit.account("acme0.test").metadata == {"plan": "t6"}
    assert unit.account("acme1.test").metadata == {"plan": "t5"}
    assert unit.wrong_roll_ups() == []


def test_two_workers_do_not_share_one(app, fresh_database):
    unit = Describing(make_scope())
    unit.happen("ada", plan="pro")
    asked = ask(unit)

    with held_lock(backfills.lock_key(asked.backfill_id)) as lock:
        assert lock is not None
        assert advance(unit, asked).state is BackfillState.QUEUED
        assert backfills.resume_due_backfills(queue_of(app), now=long_after(asked)) == 0

    assert backfills.resume_due_backfills(queue_of(app), now=asked.created_at) == 0
    assert backfills.resume_due_backfills(queue_of(app), now=long_after(asked)) == 1
    assert advance(unit, asked).state is BackfillState.FINISHED
    assert backfills.resume_due_backfills(queue_of(app), now=long_after(asked)) == 0


def queue_of(app) -> JobQueue:
    open_queue(app.extensions["leadvibe.redis"]).empty()
    return JobQueue(app.extensions["leadvibe.redis"])


def long_after(asked: Backfill):
    return asked.created_at + backfills.STARTS_WITHIN * 2


def test_one_whose_worker_dies_each_time_is_given_up(unit):
    asked = ask(unit)
    driver().execute("UPDATE backfills SET attempts = %s", (MOST_ATTEMPTS,))
    commit()

    given_up = advance(unit, asked)

    assert given_up.state is BackfillState.FAILED
    assert "Ask for it again" in (given_up.error or "")
    assert ask(unit).backfill_id != asked.backfill_id


def test_leaving_in_good_order_is_no_failed_attempt(unit):
    asked = ask(unit)

    for _ in range(MOST_ATTEMPTS + 2):
        assert advance(unit, asked, steps=0).attempts == 0


def test_a_bug_is_told_by_its_kind_and_tried_again(unit, monkeypatch):
    asked = ask(unit)
    with monkeypatch.context() as patch:
        patch.setattr(describe, "redescribe_leads", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            advance(unit, asked)
    failed = backfills.get_backfill(unit.scope, asked.backfill_id)
    assert (failed.error, failed.attempts) == ("ZeroDivisionError", 1)

    over = advance(unit, asked)

    assert (over.state, over.error) == (BackfillState.FINISHED, None)


def test_one_that_was_cancelled_stays_where_it_is(unit):
    asked = ask(unit)
    advance(unit, asked, steps=1)

    backfills.cancel_backfill(unit.scope, asked.backfill_id, now=utc_now())
    commit()

    assert advance(unit, asked).state is BackfillState.CANCELLED
    assert tiers(unit) == [*ALL_TIERS[:2], None, None, None, None, None]


def test_those_that_ended_long_ago_are_forgotten(unit):
    over = advance(unit, ask(unit))
    running = ask(unit, BackfillKind.ACCOUNTS)
    assert over.finished_at is not None

    backfills.forget_old_backfills(now=over.finished_at + backfills.KEEP_FINISHED * 2)

    assert driver().execute("SELECT backfill_id FROM backfills").fetchall() == [
        (running.backfill_id,)
    ]
