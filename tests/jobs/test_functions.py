from __future__ import annotations

import io
from importlib import import_module
from uuid import uuid4

from leadvibe.events import queries as event_queries
from leadvibe.imports import service as imports
from leadvibe.jobs.imports import run_import
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue
from tests.factories import make_principal, make_scope


def test_what_is_sent_to_the_workers_exists():
    module, _, name = imports.RUN_IMPORT.rpartition(".")

    assert getattr(import_module(module), name) is run_import


def test_the_job_reads_the_file_and_does_no_harm_when_it_comes_twice(app):
    scope = make_scope()
    file = imports.start_import(
        make_principal(scope),
        scope,
        filename="events.csv",
        stream=io.BytesIO(b"event_type,email\npage_view,ana@example.com\n"),
        max_bytes=1_000,
        queue=JobQueue(app.extensions["leadvibe.redis"]),
        now=utc_now(),
    )
    commit()

    for _ in range(2):
        run_import(str(scope.unit_id), str(file.import_id))

    assert event_queries.inbox_status(scope).waiting == 1


def test_a_job_for_a_unit_that_is_gone_ends_quietly(app):
    run_import(str(uuid4()), str(uuid4()))
