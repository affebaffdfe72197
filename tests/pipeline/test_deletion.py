"""Events, whole leads and all events of a type, deleted for good."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from leadvibe import schema
from leadvibe.engine.policies import SYSTEM_TYPES
from leadvibe.engine.triggers import FireMode, Surge
from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.errors import EventTypeNotFoundError
from leadvibe.events.orders import save_order
from leadvibe.events.type_deletion import get_type_deletion
from leadvibe.http.principal import security as current_security
from leadvibe.identity.queries import get_organization
from leadvibe.identity.types import Scope
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import statuses, suggestions
from leadvibe.leads.accounts import get_account
from leadvibe.leads.deletion import (
    KEEP_ANSWERING,
    due_deletions,
    find_deletion,
    forget_old_deletions,
    get_deletion,
    lock_key,
)
from leadvibe.leads.errors import AlreadyMergedError, DeletionNotFoundError, LeadNotFoundError
from leadvibe.leads.types import DeletionState
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock, rollback
from leadvibe.lib.ids import new_id
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import deletion, editing, merging, process, rescore, type_deletion
from leadvibe.scoring import items
from leadvibe.scoring import service as scoring
from leadvibe.scoring.errors import ProtectedEventTypeError
from leadvibe.scoring.snapshots import take_snapshots
from leadvibe.scoring.types import ItemKind
from tests.factories import (
    make_event,
    make_member,
    make_principal,
    make_rule,
    make_scope,
    make_segment,
    make_trigger,
    send,
)
from tests.pipeline.unit_state import read_unit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

OUTLIVES_A_LEAD = {"lead_deletions"}  # for a while, on purpose


@pytest.fixture
def queue(app) -> JobQueue:
    app.extensions["leadvibe.redis"].flushdb()
    return JobQueue(app.extensions["leadvibe.redis"])


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit with two leads, each with two events that score and one that does not."""
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    for lead_id in ("ana", "bo"):
        happen(scope, *(visit(lead_id, hours) for hours in (0, 2)), visit(lead_id, 1, "chat"))
    return scope


def visit(lead_id: str, hours: float = 0, event_type: str = "page_view", **fields: Any):
    return make_event(
        event_type,
        lead_id=lead_id,
        email=f"{lead_id}@x.test",
        timestamp=NOON + timedelta(hours=hours),
        **fields,
    )


def happen(scope: Scope, *incoming) -> None:
    send(scope, *incoming)
    commit()
    process.drain(scope)


def request(scope: Scope, lead_id: str, queue: JobQueue):
    wanted = deletion.request_deletion(
        make_principal(scope), scope, lead_id, queue=queue, now=utc_now()
    )
    commit()
    return wanted


def finish(scope: Scope, lead_id: str) -> None:
    deletion.advance_deletion(scope, lead_id, is_stopping=lambda: False)


def delete_lead(scope: Scope, lead_id: str, queue: JobQueue) -> None:
    request(scope, lead_id, queue)
    finish(scope, lead_id)


def status(scope: Scope, lead_id: str) -> DeletionState:
    return get_deletion(scope, lead_id).state


def merge(scope: Scope, target: str, *sources: str) -> None:
    merging.merge(make_principal(scope), scope, target, sources, now=utc_now())
    commit()


def lead(scope: Scope, lead_id: str):
    return lead_queries.get_lead(scope, lead_id)


def count(table: str, where: str = "true", **bound: Any) -> int:
    [number] = driver().execute(f"SELECT count(*) FROM {table} WHERE {where}", bound).fetchone()
    return number


def mentions(scope: Scope, *texts: str) -> list[str]:
    """Return the tables in which any row of the unit mentions any of the texts."""
    return [
        table.name
        for table in schema.metadata.sorted_tables
        if "unit_id" in table.columns
        and table.name not in OUTLIVES_A_LEAD
        and count(
            f"{table.name} t",
            "unit_id = %(unit)s AND t::text LIKE ANY(%(likes)s)",
            unit=scope.unit_id,
            likes=[f"%{text}%" for text in texts],
        )
    ]


def discrepancies(scope: Scope) -> list[rescore.Discrepancy]:
    return [one for step in rescore.verify(scope) for one in step.found]


# --- Events ---


def test_without_its_events_a_lead_has_the_points_of_those_that_stay(scope):
    [first, *_] = event_queries.list_timeline(scope, "ana", limit=9)

    deleted = deletion.delete_events(scope, [first.event_id, new_id()], now=utc_now())

    assert deleted == 1
    assert lead(scope, "ana").score == 5
    assert discrepancies(scope) == []


def test_what_leadvibe_wrote_itself_is_not_deleted_by_hand(scope):
    decay = {"inactive_for": 5, "unit": "hours", "decrease": 3, "created_at": NOON.isoformat()}
    items.create_item(
        make_principal(scope), scope, ItemKind.DECAY, decay, summary="More", now=utc_now()
    )
    merge(scope, "ana", "bo")
    rescore.rescore_leads(scope, ["ana"], now=NOON + timedelta(hours=9))
    commit()
    before = read_unit(scope)
    written = [
        it.event_id
        for it in event_queries.list_timeline(scope, "ana", limit=99)
        if it.event_type in SYSTEM_TYPES
    ]

    assert len(written) == 2
    assert deletion.delete_events(scope, written, now=NOON + timedelta(hours=9)) == 0
    assert read_unit(scope) == before


# --- A lead ---


def test_a_lead_is_out_of_sight_as_soon_as_somebody_wants_it_gone(scope, queue):
    request(scope, "ana", queue)

    with pytest.raises(LeadNotFoundError):
        lead(scope, "ana")
    assert lead_queries.search_leads(scope, "ana", limit=5) == []
    assert lead_queries.count_listed(scope) == lead_queries.recount_listed(scope) == 1
    assert status(scope, "ana") is DeletionState.PENDING
    assert discrepancies(scope) == []


def test_a_deleted_lead_leaves_no_trace(scope, queue):
    make_trigger(scope, Surge(1, 60), fire_mode=FireMode.ALWAYS)
    happen(scope, visit("zyta"), make_event(cookie="anas-cookie"))
    happen(scope, make_event(lead_id="ana", cookie="anas-cookie", phone="+1 (555) 010"))
    happen(scope, make_event(lead_id="bo", email="ana@x.test"))
    buy(scope, "ana")
    merge(scope, "ana", "zyta")
    send(scope, make_event(lead_id="zyta"), make_event(email=" ANA@x.test "))
    send(scope, make_event(phone="1 555 010"), make_event(lead_id="bo"))
    bury(scope, '{"lead_id": "ana", "event_type": "x"}', '{"aliases": [["email", "zyta@x.test"]]}')
    bury(scope, '"ana"', '{"aliases": 5}', '{"aliases": [["fax", "ana"]]}')
    record(scope, "ana", "zyta")
    assert tables_of_leads() - set(mentions(scope, "ana", "zyta")) == set()

    delete_lead(scope, "ana", queue)

    assert status(scope, "ana") is DeletionState.COMPLETED
    assert mentions(scope, "zyta", "555010", "ana@x.test", "ANA@x.test", "anas-cookie") == []
    assert mentions(scope, "ana") == ["dead_letters"]  # those that are not about her
    assert event_queries.inbox_status(scope).waiting == 1
    assert discrepancies(scope) == []


def tables_of_leads() -> set[str]:
    """Return all tables that name leads: one that comes new must be thought of in deletions."""
    names = {"lead_id", "other_lead_id", "original_lead_id", "merged_into"}
    return {
        table.name
        for table in schema.metadata.sorted_tables
        if names & {column.name for column in table.columns} and table.name not in OUTLIVES_A_LEAD
    }


def record(scope: Scope, *lead_ids: str) -> None:
    """Let everything be noted about leads that takes a while in life."""
    take_snapshots(scope, now=utc_now())
    suggestions.keep_apart(scope, "bo", lead_ids, by="test", now=utc_now())
    driver().execute(
        """
        INSERT INTO import_errors
        VALUES (%(unit)s, gen_random_uuid(), 2, 'bad', 'ANA@x.test,then'),
               (%(unit)s, gen_random_uuid(), 3, 'bad', '')
        """,
        {"unit": scope.unit_id},
    )
    for lead_id in lead_ids:
        statuses.change_status(
            scope, lead_id, statuses.Status.CONTACTED, by="test", via="app", now=utc_now()
        )
    for statement in (
        "INSERT INTO lead_traces (unit_id, lead_id) VALUES (%s, %s)",
        "INSERT INTO import_changes VALUES (%s, gen_random_uuid(), %s, '{}', '{}')",
        "INSERT INTO import_undo_leads VALUES (%s, gen_random_uuid(), %s)",
        """
        INSERT INTO scoring_preview_leads
        VALUES (%s, gen_random_uuid(), %s, false, 1, 2, 'Cold', 'Hot')
        """,
        """
        INSERT INTO lead_profile_scores
        VALUES (%s, %s, gen_random_uuid(), 5, '{}', 1, now())
        """,
        """
        INSERT INTO lead_notes
        VALUES (%s, gen_random_uuid(), %s, NULL, 'x', gen_random_uuid(), 'Ada', now(), now())
        """,
    ):
        for lead_id in lead_ids:
            driver().execute(statement, (scope.unit_id, lead_id))
    for lead_id in lead_ids:
        driver().execute(
            """
            WITH action AS (
                INSERT INTO bulk_actions (unit_id, action_id, org_id, kind, state, lead_ids,
                                          leads_total, created_at, created_by)
                VALUES (%s, gen_random_uuid(), %s, 'watch', 'finished', '{}', 1, now(), 'test')
                RETURNING unit_id, action_id
            )
            INSERT INTO bulk_changes (unit_id, action_id, lead_id)
            SELECT unit_id, action_id, %s FROM action
            """,
            (scope.unit_id, scope.org_id, lead_id),
        )
    picked = make_segment(scope, ())
    for lead_id in lead_ids:
        driver().execute(
            "INSERT INTO segment_picks VALUES (%s, %s, %s, true, now(), 'test')",
            (scope.unit_id, picked.segment_id, lead_id),
        )
    driver().execute(  # as a thousand entries would have left it
        """
        INSERT INTO ledger_sums (unit_id, lead_id, ruleset_id, last_seq, first_seq, began_at,
                                 ended_at, kind, version, weight, multiplier_percent, delta,
                                 times, seqs)
        VALUES (%s, %s, gen_random_uuid(), 1000, 1, now(), now(), 'event', 1, 5, 100, 5, 1, '{1}')
        """,
        (scope.unit_id, lead_ids[0]),
    )
    watcher = make_member(get_organization(scope.org_id), security=current_security())
    for lead_id in lead_ids:  # of which one is merged: it was watched before
        driver().execute(
            """
            INSERT INTO lead_watches
            VALUES (%s, %s, %s, gen_random_uuid(), 'will_convert', NULL, 5, now())
            """,
            (scope.unit_id, watcher.org_member_id, lead_id),
        )


def bury(scope: Scope, *payloads: str) -> None:
    for payload in payloads:
        driver().execute(
            """
            INSERT INTO dead_letters (unit_id, receipt, event_id, received_at, source, payload,
                                      error, failed_at)
            SELECT %s, coalesce(max(receipt), 0) + 1, gen_random_uuid(), now(), 'x', %s::json, 'x',
                   now()
            FROM dead_letters
            """,
            (scope.unit_id, payload),
        )


def buy(scope: Scope, lead_id: str) -> None:
    save_order(
        scope, lead_id, "1", amount=Decimal("9.90"), currency="EUR", status="paid",
        ordered_at=NOON, items=[], now=utc_now(),
    )  # fmt: skip


def test_other_timelines_forget_a_lead_that_was_once_merged_into_them(scope, queue):
    happen(scope, visit("zyta"))
    merge(scope, "bo", "ana", "zyta")
    merging.unmerge(make_principal(scope), scope, "bo", ["ana"], now=utc_now())
    commit()

    delete_lead(scope, "ana", queue)

    assert mentions(scope, "ana") == []
    assert mentions(scope, "zyta") != []


def test_an_account_goes_on_without_a_deleted_lead(scope, queue):
    for lead_id in ("ana", "bo"):
        editing.move_lead(scope, lead_id, "x-corp", now=utc_now())

    delete_lead(scope, "ana", queue)

    account = get_account(scope, "x-corp")
    assert (account.leads_count, account.top_lead_id) == (1, "bo")


def test_a_suppressed_event_that_named_nobody_goes_with_the_one_it_named(scope, queue):
    conditions = [{"key": "bot", "operator": "equals", "value": "yes"}]
    items.create_item(
        make_principal(scope), scope, ItemKind.METADATA_FILTER,
        {"name": "Bots", "event_type": "", "conditions": conditions, "enabled": True},
        summary="More", now=utc_now(),
    )  # fmt: skip
    happen(scope, make_event(email="dora@x.test", metadata={"bot": "yes"}))
    happen(scope, make_event(lead_id="dora", email="dora@x.test"))

    delete_lead(scope, "dora", queue)

    assert mentions(scope, "dora") == []
    assert dict(read_unit(scope)["types"])["page_view"] == 4


def test_an_import_still_comes_to_its_end(scope, queue):
    send(scope, visit("ana", 5), visit("bo", 5), source="import:1")
    commit()

    delete_lead(scope, "ana", queue)
    process.drain(scope)

    assert event_queries.get_tally(scope, "import:1").processed == 2


def test_a_worker_that_comes_late_does_nothing(scope, queue):
    wanted = request(scope, "ana", queue)
    finish(scope, "ana")
    happen(scope, visit("ana"))

    with held_lock(lock_key(wanted)):
        finish(scope, "ana")
    finish(scope, "ana")

    assert lead(scope, "ana").score == 5
    assert status(scope, "ana") is DeletionState.COMPLETED
    assert discrepancies(scope) == []


def test_what_comes_later_makes_a_new_lead(scope, queue):
    delete_lead(scope, "ana", queue)

    happen(scope, make_event(email="ana@x.test"), visit("ana"))

    [(found, *_)] = lead_queries.search_leads(scope, "ana@x", limit=5)
    assert found != "ana"
    assert lead(scope, found).event_count == 1
    assert lead(scope, "ana").event_count == 1
    assert discrepancies(scope) == []


def test_what_comes_meanwhile_makes_a_new_lead_too(scope, queue):
    request(scope, "ana", queue)
    happen(scope, make_event(email="ana@x.test"))
    happen(
        scope,
        make_event(lead_id="ana", timestamp=NOON + timedelta(hours=30)),
        make_event(lead_id="ana", timestamp=NOON - timedelta(hours=30)),
        make_event(lead_id="ana", cookie="new"),
    )
    assert lead_queries.count_listed(scope) == 2

    finish(scope, "ana")

    assert lead_queries.count_listed(scope) == 3
    assert lead(scope, "ana").event_count == 3
    assert lead(scope, "ana").score == 15
    assert discrepancies(scope) == []


def test_asking_again_meanwhile_says_how_far_it_is(scope, queue):
    wanted = request(scope, "ana", queue)

    assert request(scope, "ana", queue) == wanted
    finish(scope, "ana")
    with pytest.raises(LeadNotFoundError):
        request(scope, "ana", queue)


def test_a_new_lead_of_the_same_id_can_be_deleted_again(scope, queue):
    delete_lead(scope, "ana", queue)
    happen(scope, visit("ana"))

    delete_lead(scope, "ana", queue)

    assert mentions(scope, "ana") == []


def test_a_part_of_another_lead_is_not_deleted_by_itself(scope, queue):
    merge(scope, "ana", "bo")

    with pytest.raises(AlreadyMergedError, match="merged into 'ana'"):
        request(scope, "bo", queue)


def test_nobody_has_asked_to_delete_a_lead_that_is_there(scope):
    assert find_deletion(scope, "ana") is None
    with pytest.raises(DeletionNotFoundError):
        get_deletion(scope, "ana")


def test_a_deletion_goes_on_where_it_stopped(scope, queue, monkeypatch):
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 1)
    request(scope, "ana", queue)

    stops = iter([False, False, False, True])
    deletion.advance_deletion(scope, "ana", is_stopping=lambda: next(stops))

    assert status(scope, "ana") is DeletionState.IN_PROGRESS
    assert get_deletion(scope, "ana").events_deleted == 2
    assert count("events", "lead_id = 'ana'") == 1
    finish(scope, "ana")
    assert status(scope, "ana") is DeletionState.COMPLETED
    assert mentions(scope, "ana") == []


def test_a_deletion_that_nobody_works_on_is_sent_for_again(scope, queue):
    request(scope, "ana", queue)
    now = utc_now()

    assert due_deletions(now=now) == []
    assert deletion.resume_due_deletions(queue, now=now + timedelta(seconds=5)) == 1
    finish(scope, "ana")
    assert deletion.resume_due_deletions(queue, now=now + timedelta(seconds=5)) == 0


def test_a_deletion_that_never_gets_on_is_given_up_and_may_be_asked_for_anew(scope, queue):
    request(scope, "ana", queue)
    driver().execute("UPDATE lead_deletions SET attempts = 10")
    commit()

    finish(scope, "ana")
    assert status(scope, "ana") is DeletionState.FAILED
    assert lead_queries.count_listed(scope) == 1

    delete_lead(scope, "ana", queue)
    assert status(scope, "ana") is DeletionState.COMPLETED
    assert lead_queries.count_listed(scope) == 1


def test_that_a_lead_was_deleted_is_forgotten_in_the_end(scope, queue):
    delete_lead(scope, "ana", queue)

    forget_old_deletions(now=utc_now() + KEEP_ANSWERING - timedelta(days=1))
    assert find_deletion(scope, "ana") is not None
    forget_old_deletions(now=utc_now() + KEEP_ANSWERING)
    assert find_deletion(scope, "ana") is None


def test_leads_go_while_their_events_stream_in(app, fresh_database, monkeypatch):
    monkeypatch.setattr(deletion, "ROWS_AT_ONCE", 7)
    scope, queue = make_scope(), JobQueue(app.extensions["leadvibe.redis"])
    make_rule(scope, "page_view", 1)
    happen(scope, *(visit("ana", n) for n in range(60)), *(visit("bo", n) for n in range(60)))
    request(scope, "ana", queue)
    send(scope, *(visit("ana" if n % 2 else "bo", n * 7 % 90) for n in range(200)))
    commit()
    failures: list[Exception] = []

    def work_off() -> None:
        with app.app_context():
            try:
                while process.process_batch(scope, limit=10).claimed:
                    pass
            except Exception as error:  # noqa: BLE001 - told to the test
                rollback()
                failures.append(error)

    worker = threading.Thread(target=work_off)
    worker.start()
    finish(scope, "ana")
    worker.join(timeout=100)
    process.drain(scope)

    assert failures == []
    assert event_queries.count_dead_letters(scope) == 0
    assert (lead(scope, "ana").score, lead(scope, "bo").score) == (100, 160)
    assert discrepancies(scope) == []


# --- A type ---


def pause_rules(scope: Scope) -> None:
    who = make_principal(scope)
    for rule in scoring.queries.list_rules(scope):
        scoring.delete_rule(who, scope, rule.rule_id, now=utc_now())
    commit()


def delete_type(scope: Scope, event_type: str, queue: JobQueue, patience_seconds: float = 60):
    return type_deletion.delete_type(
        make_principal(scope), scope, event_type,
        queue=queue, now=utc_now(), patience_seconds=patience_seconds,
    )  # fmt: skip


def test_a_dry_run_counts_events_and_their_points(scope):
    before = read_unit(scope)

    counted = type_deletion.count_type(scope, "page_view")

    assert (counted.events, counted.entries) == (4, 4)
    assert type_deletion.count_type(scope, "chat") == type_deletion.DryRun(2, 0, leads=2, points=0)
    assert read_unit(scope) == before


def test_a_type_goes_with_its_points_and_its_leads_stay(scope, queue):
    pause_rules(scope)

    done = delete_type(scope, "page_view", queue)

    assert (done.state, done.events_deleted, done.entries_deleted) == ("completed", 4, 4)
    assert [lead(scope, lead_id).score for lead_id in ("ana", "bo")] == [0, 0]
    assert read_unit(scope)["types"] == {("chat", 2)}
    assert discrepancies(scope) == []


def test_sessions_and_last_activity_follow(scope, queue):
    delete_type(scope, "chat", queue)

    assert (lead(scope, "ana").event_count, lead(scope, "ana").session_count) == (2, 2)
    assert lead(scope, "ana").score == 10


@pytest.mark.parametrize("event_type", ["page_view", "lead_merged", "DECAY"])
def test_protected_types_stay(scope, queue, event_type):
    merge(scope, "ana", "bo")
    events.register_types(scope, {"DECAY": 1}, now=utc_now())

    with pytest.raises(ProtectedEventTypeError, match=event_type):
        delete_type(scope, event_type, queue)


def test_a_type_that_nobody_has_seen_is_not_there(scope, queue):
    with pytest.raises(EventTypeNotFoundError):
        delete_type(scope, "never", queue)
    with pytest.raises(EventTypeNotFoundError):
        type_deletion.count_type(scope, "never")


def test_what_takes_longer_goes_on_in_a_worker(scope, queue, monkeypatch):
    monkeypatch.setattr(type_deletion, "LEADS_AT_ONCE", 1)

    begun = delete_type(scope, "chat", queue, patience_seconds=0)
    again = delete_type(scope, "chat", queue, patience_seconds=0)
    assert (begun.state, begun.events_deleted) == ("in_progress", 0)
    assert again.deletion_id == begun.deletion_id

    stops = iter([False, True])
    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: next(stops))
    assert get_type_deletion(scope, "chat").events_deleted == 1
    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: False)

    done = get_type_deletion(scope, "chat")
    assert (done.state, done.events_deleted) == ("completed", 2)
    assert discrepancies(scope) == []


def test_events_that_come_in_meanwhile_stay(scope, queue):
    delete_type(scope, "chat", queue, patience_seconds=0)
    happen(scope, visit("ana", 9, "chat"))

    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: False)

    assert dict(read_unit(scope)["types"])["chat"] == 1


def test_events_that_change_hands_meanwhile_are_found(scope, queue, monkeypatch):
    monkeypatch.setattr(type_deletion, "LEADS_AT_ONCE", 1)
    delete_type(scope, "chat", queue, patience_seconds=0)
    stops = iter([False, True])
    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: next(stops))

    merge(scope, "ana", "bo")
    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: False)

    assert get_type_deletion(scope, "chat").events_deleted == 2
    assert "chat" not in dict(read_unit(scope)["types"])


def test_a_type_deletion_that_nobody_works_on_is_sent_for_again(scope, queue):
    delete_type(scope, "chat", queue, patience_seconds=0)
    soon = utc_now() + timedelta(minutes=1)

    assert type_deletion.resume_due_type_deletions(queue, now=soon) == 1
    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: False)
    assert type_deletion.resume_due_type_deletions(queue, now=soon) == 0


def test_a_type_deletion_that_never_gets_on_is_given_up(scope, queue):
    delete_type(scope, "chat", queue, patience_seconds=0)
    driver().execute("UPDATE event_type_deletions SET attempts = 10")
    commit()

    type_deletion.advance_type_deletion(scope, "chat", is_stopping=lambda: False)
    assert get_type_deletion(scope, "chat").state == "failed"

    assert delete_type(scope, "chat", queue).state == "completed"
