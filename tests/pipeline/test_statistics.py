"""What PostgreSQL knows of tables that a burst has just filled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.triggers import Milestone
from leadvibe.events.acts import load_acts
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import process
from leadvibe.pipeline.scorebook import current_config
from leadvibe.triggers import notices
from leadvibe.triggers.firings import Firing
from leadvibe.triggers.types import Trigger
from tests.factories import make_event, make_scope, make_trigger, send

LEADS_OF_UNIT = "SELECT lead_id FROM leads WHERE unit_id = %s"

pytestmark = pytest.mark.usefixtures("app", "fresh_database")


def burst(count: int) -> Scope:
    scope = make_scope()
    send(scope, *(make_event(email=f"p{number}@acme.test") for number in range(count)))
    commit()
    process.drain(scope)
    return scope


def look_up(statement: str) -> int:
    [number] = driver().execute(statement).fetchone()
    rollback()
    return number


def known_rows() -> int:
    """Return how many events the planner believes in; -1 when it was never told."""
    return look_up("SELECT reltuples::int FROM pg_class WHERE relname = 'events'")


def rows_read() -> int:
    """Return how many events this transaction has fetched so far."""
    statement = "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"
    [number] = driver().execute(statement).fetchone()
    return number


def analyses() -> int:
    return look_up("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'events'")


def fired(trigger: Trigger, lead_id: str) -> Firing:
    now = utc_now()
    return Firing(
        trigger=trigger, lead_id=lead_id, cause_id=new_id(), event_type="page_view",
        occurred_at=now, received_at=now, channel="web", key=(now, 0),
    )  # fmt: skip


def test_a_burst_into_empty_tables_is_told_at_once():
    burst(process.FEWEST_CHANGES)

    process.refresh_statistics()

    assert known_rows() == process.FEWEST_CHANGES


def test_tables_whose_statistics_are_fit_are_left_alone():
    burst(process.FEWEST_CHANGES)
    process.refresh_statistics()
    before = analyses()

    process.refresh_statistics()
    burst(10)
    process.refresh_statistics()

    assert analyses() == before


def test_a_unit_that_statistics_do_not_know_is_read_lead_by_lead():
    burst(process.FEWEST_CHANGES)
    process.refresh_statistics()
    scope = burst(100)
    lead_ids = [it for (it,) in driver().execute(LEADS_OF_UNIT, (scope.unit_id,))]
    long_ago = utc_now() - timedelta(days=9999)

    leads, config = notices.read_leads(scope, lead_ids), current_config(scope)
    trigger = make_trigger(scope, Milestone(10))
    firings = [(new_id(), fired(trigger, it)) for it in lead_ids]

    before = rows_read()
    acts = load_acts(
        scope, dict.fromkeys(lead_ids, long_ago), types=None, unheard=("none",), new=()
    )
    told = notices.make_notices(scope, firings, leads, config, now=utc_now())

    assert len(acts) == len(told) == 100
    assert all(it.recent for it in told)
    # Of each lead its acts, what it did last, and what moved its score. Autovacuum may have told of
    # some tables meanwhile, and one more row is read then; of a whole unit they would be a hundred.
    assert rows_read() - before <= 5 * 100
    rollback()
