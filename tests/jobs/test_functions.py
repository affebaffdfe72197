from __future__ import annotations

import io
from importlib import import_module
from uuid import uuid4

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.imports import sampling
from leadvibe.imports import service as imports
from leadvibe.jobs.imports import load_sample, run_import
from leadvibe.jobs.mails import send_link_mail
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue
from leadvibe.notifications import service as notifications
from tests.factories import make_principal, make_scope


@pytest.mark.parametrize(
    ("sent", "function"),
    [
        (imports.RUN_IMPORT, run_import),
        (sampling.LOAD_SAMPLE, load_sample),
        (notifications.SEND_LINK_MAIL, send_link_mail),
    ],
)
def test_what_is_sent_to_the_workers_exists(sent, function):
    module, _, name = sent.rpartition(".")

    assert getattr(import_module(module), name) is function


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


def test_the_job_loads_the_sample_and_does_no_harm_when_it_comes_twice(app, small_sample):
    scope = make_scope()
    queue = JobQueue(app.extensions["leadvibe.redis"])
    sampling.request_sample(make_principal(scope), scope, queue=queue, now=utc_now())
    commit()

    for _ in range(2):
        load_sample(str(scope.unit_id))

    assert event_queries.inbox_status(scope).waiting == 200


def test_a_job_for_what_is_gone_ends_quietly(app):
    run_import(str(uuid4()), str(uuid4()))
    load_sample(str(uuid4()))
    send_link_mail(str(uuid4()))
