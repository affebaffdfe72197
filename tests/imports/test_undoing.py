"""Imports undone: what only they brought is gone, and everything else is as it was."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from leadvibe.identity.queries import get_organization
from leadvibe.imports import brought, lead_uploads, queries, service, undoing
from leadvibe.imports.errors import ImportUndoneError, ImportUnfinishedError, UndoTooLateError
from leadvibe.imports.types import KEEP_UNDO, Effect, Import, LeadPlan, Undo, UndoState
from leadvibe.leads import watching
from leadvibe.leads.statuses import Status
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import editing, process, recording, rescore
from tests.effort import examples
from tests.factories import make_member, make_principal, make_rule, make_scope
from tests.pipeline.describing import Describing
from tests.pipeline.unit_state import read_unit

PLAN = LeadPlan(
    primary_column="email",
    primary_kind=AliasKind.EMAIL,
    properties={"city": "city", "plan": "plan"},
    aliases={"phone": AliasKind.PHONE},
)


@pytest.fixture
def queue(app) -> JobQueue:
    return JobQueue(app.extensions["leadvibe.redis"])


@pytest.fixture
def unit(app) -> Describing:
    """Return a unit with Ana, who has a mapped property, and a visitor known by a cookie alone."""
    unit = Describing(make_scope())
    make_rule(unit.scope, "page_view", 5)
    unit.map("plan", "plan")
    unit.take_in(
        [
            unit.event("ana", hours=1, email="ana@x.test", plan="free"),
            unit.event("ana", hours=3, email="ana@x.test"),
        ]
    )
    send(unit, "event_type,cookie,timestamp\npage_view,c1,2026-03-02T10:00:00Z\n")
    return unit


def upload(unit: Describing, text: str) -> Import:
    file = service.start_import(
        make_principal(unit.scope),
        unit.scope,
        filename="events.csv",
        stream=io.BytesIO(text.encode()),
        max_bytes=10**6,
        queue=JobQueue(unit_broker()),
        now=utc_now(),
    )
    commit()
    return file


def send(unit: Describing, text: str) -> Import:
    """Import a file of events to its end."""
    return read(unit, upload(unit, text))


def unit_broker():
    from flask import current_app  # noqa: PLC0415 - the tests' own application

    return current_app.extensions["leadvibe.redis"]


def send_leads(unit: Describing, text: str, plan: LeadPlan = PLAN) -> Import:
    """Import a file of leads to its end."""
    by = make_principal(unit.scope)
    seen = lead_uploads.upload_leads(
        by, unit.scope, filename="leads.csv", stream=io.BytesIO(text.encode()), now=utc_now()
    )
    file = lead_uploads.start_leads(
        by, unit.scope, seen.file.import_id, plan, queue=JobQueue(unit_broker()), now=utc_now()
    )
    commit()
    return read(unit, file)


def read(unit: Describing, file: Import) -> Import:
    service.advance_import(unit.scope, file.import_id, ring=lambda: None, is_stopping=lambda: False)
    process.drain(unit.scope)
    return queries.get_file(unit.scope, file.import_id)


def undo(unit: Describing, file: Import, **options) -> Undo:
    """Undo an import to its end, after a dry run that must have said the same."""
    foreseen = undoing.foresee_undo(unit.scope, file.import_id, now=utc_now())
    ask(unit, file)
    undoing.advance_undo(unit.scope, file.import_id, is_stopping=lambda: False, **options)
    done = undoing.get_undo(unit.scope, file.import_id)
    assert done.state is UndoState.FINISHED
    assert done.effect == foreseen
    assert not [found for step in rescore.verify(unit.scope) for found in step.found]
    return done


def ask(unit: Describing, file: Import) -> Undo:
    asked = undoing.request_undo(
        make_principal(unit.scope),
        unit.scope,
        file.import_id,
        queue=JobQueue(unit_broker()),
        now=utc_now(),
    )
    commit()
    return asked


EVENTS = (
    "event_type,email,cookie,timestamp,metadata\n"
    'page_view,ana@x.test,,2026-03-02T08:00:00Z,"{""plan"":""pro""}"\n'
    "page_view,bo@x.test,,2026-03-02T08:00:00Z,\n"
    "page_view,ana@x.test,c1,2026-03-02T11:00:00Z,\n"
)


def test_a_file_of_events_is_undone_without_a_trace(unit):
    before = read_unit(unit.scope)
    file = send(unit, EVENTS)
    assert read_unit(unit.scope) != before

    done = undo(unit, file)

    assert read_unit(unit.scope) == before
    assert done.effect == Effect(events=3, leads_removed=1, leads_rescored=1, visitors_separated=1)


LEADS = (
    "email,phone,city,plan\nana@x.test,+44 20 7946 0018,Oslo,enterprise\n"
    "bo@x.test,+44 20 7946 0019,Rome,\nana@x.test,,Bergen,\n"
)


def test_a_file_of_leads_is_undone_and_properties_are_put_back(unit):
    before = read_unit(unit.scope)
    file = send_leads(unit, LEADS)
    assert unit.metadata("ana") == {"plan": "enterprise", "city": "Bergen"}

    done = undo(unit, file)

    assert unit.metadata("ana") == {"plan": "free"}
    assert read_unit(unit.scope) == before
    assert done.effect == Effect(leads_removed=1, properties_restored=2, identifiers_removed=1)


def test_what_somebody_has_changed_since_stays(unit):
    file = send_leads(unit, LEADS)
    editing.patch_lead(unit.scope, "ana", {"city": "Paris"}, now=utc_now())
    commit()

    done = undo(unit, file)

    assert unit.metadata("ana") == {"plan": "free", "city": "Paris"}
    assert (done.effect.properties_restored, done.effect.properties_kept) == (1, 1)


def test_a_lead_that_others_know_stays_with_what_they_know(unit):
    file = send(unit, EVENTS)
    unit.take_in([unit.event(None, hours=5, email="bo@x.test")])

    done = undo(unit, file)

    assert done.effect.leads_removed == 0
    [(score, events)] = (
        driver().execute("SELECT score, event_count FROM leads WHERE name = 'bo@x.test'").fetchall()
    )
    assert (score, events) == (5, 1)


def test_a_watched_lead_stays(unit, security):
    file = send_leads(unit, LEADS)
    [(lead_id,)] = driver().execute("SELECT lead_id FROM leads WHERE name LIKE 'bo@%'").fetchall()
    member = make_member(get_organization(unit.scope.org_id), security=security)
    watching.watch(
        unit.scope, member.org_member_id, lead_id, prediction=None, notes=None, now=utc_now()
    )
    commit()

    assert undo(unit, file).effect.leads_removed == 0


def test_a_lead_that_somebody_called_stays(unit):
    file = send_leads(unit, LEADS)
    [(lead_id,)] = driver().execute("SELECT lead_id FROM leads WHERE name LIKE 'bo@%'").fetchall()
    recording.update_lead(
        unit.scope, lead_id, properties={}, status=Status.CONTACTED, by="ada", via="app",
        now=utc_now(),
    )  # fmt: skip
    commit()

    assert undo(unit, file).effect.leads_removed == 0


@pytest.mark.parametrize("first", [0, 1])
def test_two_imports_of_a_lead_are_undone_in_either_order(unit, first):
    before = read_unit(unit.scope)
    files = [send_leads(unit, LEADS), send_leads(unit, LEADS.replace("Oslo", "Kyiv"))]

    for number in (first, 1 - first):
        undo(unit, files[number])

    # Bo was made by the one and known to the other: the first to be undone leaves him.
    assert unit.metadata("ana") == {"plan": "free"}
    if first == 1:
        assert read_unit(unit.scope) == before


def test_one_that_is_stopped_goes_on_where_it_stood(unit):
    before = read_unit(unit.scope)
    file = send(unit, "event_type,email\n" + "".join(f"page_view,p{n}@x.test\n" for n in range(9)))
    ask(unit, file)
    steps = iter([False, False, False, True])

    undoing.advance_undo(unit.scope, file.import_id, is_stopping=lambda: next(steps), at_once=2)
    halfway = undoing.get_undo(unit.scope, file.import_id)
    undoing.advance_undo(unit.scope, file.import_id, is_stopping=lambda: False, at_once=2)

    assert (halfway.state, halfway.total, halfway.left) == (UndoState.RUNNING, 9, 7)
    assert undoing.get_undo(unit.scope, file.import_id).effect.leads_removed == 9
    assert read_unit(unit.scope) == before


def test_what_has_lost_its_job_is_found_and_what_is_at_work_is_left_alone(unit, queue):
    file = send(unit, EVENTS)
    ask(unit, file)
    later = utc_now() + timedelta(minutes=1)

    with held_lock(undoing._lock_key(file.import_id)):
        assert undoing.resume_due_undos(queue, now=later) == 0
    assert undoing.resume_due_undos(queue, now=later) == 1


def test_events_that_still_wait_are_never_scored(unit):
    before = read_unit(unit.scope)
    file = upload(unit, EVENTS)
    with pytest.raises(ImportUnfinishedError):
        ask(unit, file)
    service.advance_import(unit.scope, file.import_id, ring=lambda: None, is_stopping=lambda: False)

    assert undo(unit, file).effect == Effect(events=3)
    process.drain(unit.scope)

    assert read_unit(unit.scope) == before
    with pytest.raises(ImportUndoneError):
        ask(unit, file)


PEOPLE = ("ana@x.test", "bo@x.test", "cy@x.test")
events = st.lists(
    st.tuples(
        st.sampled_from(["page_view", "chat"]),
        st.sampled_from([*PEOPLE, ""]),
        st.sampled_from(["c1", "c2", "c3"]),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=8,
)


def a_file(rows: Sequence[tuple[str, str, str, int]]) -> str:
    lines = (
        f"{kind},{email},{cookie},2026-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z\n"
        for kind, email, cookie, hour in rows
    )
    return "event_type,email,cookie,timestamp\n" + "".join(lines)


@settings(
    max_examples=examples(5),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each one costs a second
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=events, imported=events, others=events)
def test_import_and_undo_leave_every_other_lead_as_it_was(app, before, imported, others):
    unit = Describing(make_scope())
    make_rule(unit.scope, "page_view", 5)
    make_rule(unit.scope, "chat", -2)
    send(unit, a_file(before))
    send(
        unit, a_file([(kind, f"x{email}", f"x{cookie}", at) for kind, email, cookie, at in others])
    )
    stood = read_unit(unit.scope)

    undo(unit, send(unit, a_file(imported)))

    assert read_unit(unit.scope) == stood
    assert not brought.next_leads(unit.scope, unit.scope.unit_id, limit=1)


def test_after_some_months_it_can_be_undone_no_more(unit):
    file = send_leads(unit, LEADS)
    later = utc_now() + KEEP_UNDO + timedelta(days=1)

    undoing.forget_old_changes(now=utc_now())
    assert remembered() > 0
    undoing.forget_old_changes(now=later)

    assert remembered() == 0
    with pytest.raises(UndoTooLateError, match="90 days"):
        undoing.foresee_undo(unit.scope, file.import_id, now=later)
    assert undoing.foresee_undo(unit.scope, file.import_id, now=utc_now())


def remembered() -> int:
    ((number,),) = driver().execute("SELECT count(*) FROM import_changes").fetchall()
    return number
