"""Backfills and scores by attributes in real workers, which may be killed at any time."""

from __future__ import annotations

import signal
from importlib import import_module
from uuid import uuid4

import pytest

from leadvibe.engine.policies import FieldTest
from leadvibe.imports import backfills
from leadvibe.imports.backfills import BackfillKind
from leadvibe.jobs.describing import rescore_attributes, run_backfill
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import attributes as rescoring
from leadvibe.scoring import attributes, profiles
from leadvibe.scoring.profiles import Side
from tests.factories import make_principal, make_scope
from tests.jobs.conftest import wait_until
from tests.pipeline.describing import Describing

LEADS = 12_000


@pytest.mark.parametrize(
    ("sent", "function"),
    [
        (backfills.RUN_BACKFILL, run_backfill),
        (rescoring.RESCORE_ATTRIBUTES, rescore_attributes),
    ],
)
def test_what_is_sent_to_the_workers_exists(sent, function):
    module, _, name = sent.rpartition(".")

    assert getattr(import_module(module), name) is function


def test_jobs_do_no_harm_when_they_come_twice_or_for_nothing(app):
    unit = Describing(make_scope())
    unit.happen("ada", plan="pro")
    unit.map("plan", "tier")
    fit = unit.add_set()
    attributes.create_rule(
        make_principal(unit.scope), unit.scope, Side.PROFILE, fit,
        test=FieldTest("tier", "exists"), weight=3, order=0, now=utc_now(),
    )  # fmt: skip
    asked = backfills.request_backfill(
        make_principal(unit.scope), unit.scope, BackfillKind.PROFILE_MAPPINGS, now=utc_now()
    )
    commit()

    for _ in range(2):
        run_backfill(str(unit.scope.unit_id), str(asked.backfill_id))
        rescore_attributes(str(unit.scope.unit_id))
    run_backfill(str(uuid4()), str(uuid4()))
    rescore_attributes(str(uuid4()))

    assert backfills.get_backfill(unit.scope, asked.backfill_id).counts["leads_updated"] == 1
    assert unit.scores("ada") == {fit: 3}


def test_what_a_killed_worker_left_is_done_by_the_next(app, fresh_database, workers):
    unit = Describing(make_scope())
    driver().execute(
        """
        INSERT INTO leads (unit_id, lead_id, name, metadata, source, created_at, updated_at)
        SELECT %s, 'p' || n, 'p' || n, '{"tier": "pro"}', 'test', now(), now()
        FROM generate_series(1, %s) n
        """,
        (unit.scope.unit_id, LEADS),
    )
    driver().execute(
        """
        INSERT INTO events (unit_id, event_id, lead_id, receipt, occurred_at, received_at, version,
                            event_type, channel, source, metadata)
        SELECT %(unit)s, gen_random_uuid(), 'p' || n, n, now(), now(), 1, 'visit', 'web', 'test',
               jsonb_build_object('plan', 'plan ' || n)
        FROM generate_series(1, %(count)s) n
        """,
        {"unit": unit.scope.unit_id, "count": LEADS},
    )
    unit.map("plan", "plan")
    fit = unit.add_set()
    principal, queue = make_principal(unit.scope), JobQueue(app.extensions["leadvibe.redis"])
    attributes.create_rule(
        principal, unit.scope, Side.PROFILE, fit,
        test=FieldTest("tier", "exists"), weight=3, order=0, now=utc_now(),
    )  # fmt: skip
    asked = backfills.request_backfill(
        principal, unit.scope, BackfillKind.PROFILE_MAPPINGS, now=utc_now()
    )
    commit()
    backfills.send_backfill(queue, asked)
    rescoring.send_rescores(queue, unit.scope.unit_id)

    for _ in range(2):
        workers.start("jobs")
        wait_until(lambda: progress(unit, asked) > 0)
        workers.end_all(signal.SIGKILL)
    workers.start("jobs")
    workers.start("schedule")
    wait_until(lambda: is_done(unit, asked))

    over = backfills.get_backfill(unit.scope, asked.backfill_id)
    assert over.counts == {"leads_processed": LEADS, "leads_updated": LEADS}
    wrong = """
        SELECT count(*) FROM leads l LEFT JOIN lead_profile_scores s USING (unit_id, lead_id)
        WHERE l.unit_id = %s AND (l.metadata->>'plan' <> 'plan ' || substr(l.lead_id, 2)
              OR s.score IS DISTINCT FROM 3)
    """
    assert driver().execute(wrong, (unit.scope.unit_id,)).fetchone() == (0,)


def progress(unit: Describing, asked: backfills.Backfill) -> int:
    done = backfills.get_backfill(unit.scope, asked.backfill_id).done
    rollback()
    return done


def is_done(unit: Describing, asked: backfills.Backfill) -> bool:
    is_over = backfills.get_backfill(unit.scope, asked.backfill_id).is_over
    stale = profiles.next_rescore(unit.scope)
    rollback()
    return is_over and stale is None
