"""Leads merged into one and taken apart again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadvibe.engine.policies import SURGE_STANDARD
from leadvibe.events.orders import save_order
from leadvibe.events.types import Truncation, TruncationPolicy
from leadvibe.identity.types import Scope
from leadvibe.leads import merging as lead_merging
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import suggestions
from leadvibe.leads.accounts import Account, get_account
from leadvibe.leads.errors import (
    AlreadyMergedError,
    LeadNotFoundError,
    MergedTooOftenError,
    NotMergedError,
    SelfMergeError,
    SuggestionNotFoundError,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import editing, merging, process, rescore
from leadvibe.scoring import items
from leadvibe.scoring import settings as scoring_settings
from leadvibe.scoring.types import ItemKind
from tests.effort import examples
from tests.factories import (
    make_event,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    send,
    set_surge,
)
from tests.pipeline.unit_state import read_unit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALL = PageRequest(1, 100)


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit with two people whose visits alternate, an hour apart."""
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    make_rule(scope, "unsubscribe", -20)
    happen(scope, *(visit("ana", hours) for hours in (0, 2, 4)))
    happen(scope, *(visit("bo", hours) for hours in (1, 3)), visit("cy", 9))
    return scope


def visit(lead_id: str, hours: float = 0, event_type: str = "page_view", **fields: Any):
    return make_event(
        event_type,
        lead_id=lead_id,
        email=f"{lead_id}@x.test",
        timestamp=NOON + timedelta(hours=hours),
        **fields,
    )


def happen(scope: Scope, *events) -> None:
    send(scope, *events)
    commit()
    process.drain(scope)


def merge(scope: Scope, target: str, *sources: str, **options: Any) -> merging.Merge:
    done = merging.merge(make_principal(scope), scope, target, sources, now=utc_now(), **options)
    commit()
    return done


def unmerge(scope: Scope, target: str, *sources: str) -> merging.Unmerge:
    done = merging.unmerge(make_principal(scope), scope, target, sources or None, now=utc_now())
    commit()
    return done


def lead(scope: Scope, lead_id: str):
    return lead_queries.get_lead(scope, lead_id)


def events_of(scope: Scope, lead_id: str) -> list[tuple[str, str | None]]:
    rows = driver().execute(
        """
        SELECT event_type, original_lead_id FROM events
        WHERE unit_id = %s AND lead_id = %s AND receipt > 0 ORDER BY occurred_at
        """,
        (scope.unit_id, lead_id),
    )
    return rows.fetchall()


def aliases_of(scope: Scope, lead_id: str) -> list[str]:
    return [alias.value for alias in lead_queries.list_aliases(scope, lead_id)]


def system_events(scope: Scope, lead_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    rows = driver().execute(
        """
        SELECT event_type, channel, metadata FROM events
        WHERE unit_id = %s AND lead_id = %s AND receipt = 0 ORDER BY occurred_at
        """,
        (scope.unit_id, lead_id),
    )
    return rows.fetchall()


def discrepancies(scope: Scope) -> list[rescore.Discrepancy]:
    return [one for step in rescore.verify(scope) for one in step.found]


def test_a_merged_lead_has_all_events_aliases_and_points(scope):
    done = merge(scope, "ana", "bo", "cy")

    assert (done.moved_events, done.lost_events, list(done.source_ids)) == (3, 0, ["bo", "cy"])
    [change] = done.scores.values()
    assert (change.before, change.after) == (15, 30)
    assert done.target.score == 30
    assert done.target.event_count == 6
    assert aliases_of(scope, "ana") == ["ana@x.test", "bo@x.test", "cy@x.test"]
    assert [original for _, original in events_of(scope, "ana")] == [
        None, "bo", None, "bo", None, "cy",
    ]  # fmt: skip
    assert discrepancies(scope) == []


def test_sources_leave_the_list_and_stand_for_the_target(scope):
    merge(scope, "ana", "bo")

    assert lead_queries.count_listed(scope) == 2
    assert lead(scope, "bo").lead_id == "ana"
    assert lead_queries.search_leads(scope, "bo@x", limit=5) == [("ana", "alias", "bo@x.test")]


def test_the_target_is_scored_as_if_it_had_been_one_lead_from_the_start(scope):
    happen(scope, visit("bo", 1.5, "unsubscribe"))
    assert lead(scope, "bo").score == 5

    merge(scope, "ana", "bo")

    # 5, 10, then 0 instead of -10, and three more visits
    assert lead(scope, "ana").score == 15


def test_what_names_a_source_later_goes_to_the_target(scope):
    merge(scope, "ana", "bo")

    happen(scope, visit("bo", 20), make_event(email="bo@x.test"), make_event(lead_id="bo"))

    assert len(events_of(scope, "ana")) == 8
    assert lead_queries.count_listed(scope) == 2
    assert discrepancies(scope) == []


def test_the_timeline_of_the_target_says_what_was_merged_and_it_counts_for_nothing(scope):
    before = lead(scope, "ana")

    merge(scope, "ana", "bo")

    [(event_type, channel, metadata)] = system_events(scope, "ana")
    assert (event_type, channel) == ("lead_merged", "system")
    assert metadata == {
        "channel": "system",
        "source_lead_ids": ["bo"],
        "events_moved": 2,
        "events_truncated": 0,
        "merged_by": "test",
    }
    after = lead(scope, "ana")
    assert after.last_event_at == before.last_event_at
    assert (after.event_count, after.session_count) == (5, 5)


def test_an_event_that_says_it_is_a_merge_counts_for_nothing_either(scope):
    make_rule(scope, "lead_merged", 50)

    happen(scope, visit("ana", 30, "lead_merged"))

    assert lead(scope, "ana").score == 15
    assert lead(scope, "ana").event_count == 3


def test_orders_go_along(scope):
    order(scope, "bo", "1")

    merge(scope, "ana", "bo")
    assert owners_of_orders(scope) == {("1", "ana", "bo")}

    unmerge(scope, "ana")
    assert owners_of_orders(scope) == {("1", "bo", None)}


def order(scope: Scope, lead_id: str, order_id: str) -> None:
    save_order(
        scope, lead_id, order_id, amount=Decimal("9.90"), currency="EUR", status="paid",
        ordered_at=NOON, items=[], now=utc_now(),
    )  # fmt: skip


def owners_of_orders(scope: Scope) -> set[tuple[Any, ...]]:
    return read_unit(scope)["orders"]


def test_what_events_tell_of_the_person_goes_with_them(scope):
    mapping = {
        "source_field": "plan",
        "target_property": "plan",
        "update_behavior": "always_latest",
    }
    items.create_item(
        make_principal(scope), scope, ItemKind.PROFILE_MAPPING, mapping, summary="", now=utc_now()
    )
    happen(scope, visit("ana", 10, metadata={"plan": "free"}))
    happen(scope, visit("bo", 11, metadata={"plan": "team"}))
    before = read_unit(scope)

    merge(scope, "ana", "bo")
    assert lead(scope, "ana").metadata == {"plan": "team"}
    unmerge(scope, "ana")

    assert lead(scope, "ana").metadata == {"plan": "free"}
    assert read_unit(scope) == before


def test_accounts_count_merged_leads_once(scope):
    make_account(scope)
    happen(scope, visit("ana", 10), visit("bo", 10))

    merge(scope, "ana", "bo")
    assert [(it.leads_count, it.top_score) for it in [account(scope)]] == [(2, 35)]

    unmerge(scope, "ana")
    assert [(it.leads_count, it.top_score) for it in [account(scope)]] == [(3, 20)]
    assert discrepancies(scope) == []


def make_account(scope: Scope) -> None:
    """Let the leads of the unit belong to the company behind their addresses."""
    who = make_principal(scope)
    scoring_settings.update_settings(who, scope, {"abm_enabled": True}, now=utc_now())
    for lead_id in ("ana", "bo", "cy"):
        editing.move_lead(scope, lead_id, "x-corp", now=utc_now())
    commit()


def account(scope: Scope) -> Account:
    return get_account(scope, "x-corp")


@pytest.mark.parametrize(
    ("truncation", "kept"),
    [
        (Truncation(TruncationPolicy.BEFORE, before=NOON + timedelta(hours=3)), ["bo", "cy"]),
        (Truncation(TruncationPolicy.LIMIT, keep=1), ["cy"]),
        (Truncation(TruncationPolicy.LIMIT, keep=0), []),
        (Truncation(TruncationPolicy.LIMIT, keep=9), ["bo", "bo", "cy"]),
    ],
)
def test_truncation_leaves_out_old_events_of_the_sources_alone(scope, truncation, kept):
    done = merge(scope, "ana", "bo", "cy", truncation=truncation)

    assert [original for _, original in events_of(scope, "ana") if original] == kept
    assert (done.moved_events, done.lost_events) == (len(kept), 3 - len(kept))
    assert done.target.event_count == 3 + len(kept)
    assert dict(read_unit(scope)["types"])["page_view"] == 3 + len(kept)
    assert discrepancies(scope) == []


def test_what_truncation_deleted_does_not_come_back(scope):
    merge(scope, "ana", "bo", truncation=Truncation(TruncationPolicy.LIMIT, keep=1))

    done = unmerge(scope, "ana")

    assert done.lost_events == {"bo": 1}
    assert lead(scope, "bo").event_count == 1
    assert lead(scope, "bo").score == 5
    assert discrepancies(scope) == []


def test_a_preview_tells_and_changes_nothing(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test", timestamp=NOON))
    before = read_unit(scope)

    seen = merging.preview(scope, "ana", ["bo", "cy"])

    assert (seen.target_events, seen.events, seen.aliases, seen.sessions) == (4, 3, 2, 3)
    assert seen.contested_aliases == 1
    assert [source.score for source in seen.sources] == [10, 5]
    assert read_unit(scope) == before


def test_unmerging_tells_what_moved_and_gives_back_what_was_each_ones(scope):
    merge(scope, "ana", "bo", "cy")

    done = unmerge(scope, "ana", "bo")

    assert (done.moved_events, [it.lead_id for it in done.released]) == (2, ["bo"])
    assert lead(scope, "bo").score == 10
    assert lead(scope, "cy").lead_id == "ana"
    assert lead(scope, "ana").score == 20
    assert system_events(scope, "ana")[-1][2]["source_lead_ids"] == ["bo"]
    assert discrepancies(scope) == []


def test_what_came_for_the_target_meanwhile_stays_with_it(scope):
    merge(scope, "ana", "bo")
    happen(scope, visit("bo", 20), make_event(lead_id="bo", phone="+1 555"))

    unmerge(scope, "ana")

    assert lead(scope, "ana").event_count == 5
    assert lead(scope, "bo").event_count == 2
    assert aliases_of(scope, "ana") == ["ana@x.test", "+1555"]
    assert discrepancies(scope) == []


def test_a_chain_of_merges_comes_apart_link_by_link(scope):
    before = read_unit(scope)
    merge(scope, "bo", "ana")
    linked = read_unit(scope)
    merge(scope, "cy", "bo")
    assert lead(scope, "ana").lead_id == "cy"
    assert lead(scope, "cy").event_count == 6

    unmerge(scope, "cy")
    assert read_unit(scope) == linked

    unmerge(scope, "bo")
    assert read_unit(scope) == before


def test_the_first_of_a_chain_can_be_taken_out_alone(scope):
    merge(scope, "bo", "ana")
    merge(scope, "cy", "bo")

    unmerge(scope, "cy", "ana")

    assert lead(scope, "ana").event_count == 3
    assert lead(scope, "bo").lead_id == "cy"
    assert lead(scope, "cy").event_count == 3
    unmerge(scope, "cy")
    assert lead(scope, "bo").event_count == 2
    assert discrepancies(scope) == []


def test_a_whole_chain_can_be_taken_apart_at_once(scope):
    before = read_unit(scope)
    merge(scope, "bo", "ana")
    merge(scope, "cy", "bo")

    unmerge(scope, "cy", "ana", "bo")

    assert read_unit(scope) == before


def test_visitors_whom_the_pipeline_knew_again_stay_unless_they_are_named(scope):
    happen(scope, make_event(cookie="c1"))
    happen(scope, make_event(lead_id="ana", cookie="c1"))
    [visitor] = [it.lead_id for it in lead_merging.list_merged(scope, "ana")]
    with pytest.raises(NotMergedError):
        unmerge(scope, "ana")

    unmerge(scope, "ana", visitor)

    assert lead(scope, visitor).event_count == 1
    assert aliases_of(scope, visitor) == ["c1"]
    assert discrepancies(scope) == []


def test_a_lead_that_was_rescored_keeps_its_points_through_merge_and_unmerge(scope):
    make_rule(scope, "page_view", 40, ruleset=make_ruleset(scope))
    rescore.rescore_leads(scope, ["bo"], now=utc_now())
    commit()
    before = read_unit(scope)

    done = merge(scope, "ana", "bo")
    # three visits of before the second ruleset, two that count as after it
    assert sorted(change.after for change in done.scores.values()) == [25, 80]
    unmerge(scope, "ana")

    assert read_unit(scope) == before
    assert discrepancies(scope) == []


def test_a_lead_is_not_merged_into_itself(scope):
    with pytest.raises(SelfMergeError):
        merge(scope, "ana", "bo", "ana")


@pytest.mark.parametrize(("target", "source"), [("ana", "zoe"), ("zoe", "ana")])
def test_only_leads_of_the_unit_are_merged(scope, target, source):
    happen(elsewhere := make_scope(), visit("zoe"))

    with pytest.raises(LeadNotFoundError):
        merge(scope, target, source)

    assert lead(elsewhere, "zoe").event_count == 1


@pytest.mark.parametrize(("target", "source"), [("bo", "cy"), ("cy", "bo"), ("bo", "ana")])
def test_a_part_of_another_lead_is_refused_by_name(scope, target, source):
    merge(scope, "ana", "bo")

    with pytest.raises(AlreadyMergedError, match="'bo' was merged into 'ana'"):
        merge(scope, target, source)


@pytest.mark.parametrize("source", ["cy", "zoe"])
def test_only_what_is_merged_into_it_can_be_taken_out(scope, source):
    merge(scope, "ana", "bo")

    with pytest.raises(NotMergedError):
        unmerge(scope, "ana", source)


def test_a_chain_ends_where_its_first_lead_would_be_lost(scope, monkeypatch):
    monkeypatch.setattr(lead_queries, "MERGE_DEPTH", 2)
    merge(scope, "bo", "ana")

    with pytest.raises(MergedTooOftenError):
        merge(scope, "cy", "bo")

    merge(scope, "bo", "cy")
    assert lead(scope, "cy").lead_id == "bo"


def pairs(scope: Scope) -> list[tuple[str, str]]:
    page = suggestions.list_suggestions(scope, ALL)
    assert page.total.count == len(page.items)
    return [(it.lead_id, it.other_lead_id) for it in page.items]


def test_leads_that_an_event_named_together_are_suggested(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test"))

    [suggestion] = suggestions.list_suggestions(scope, ALL).items

    assert (suggestion.lead_id, suggestion.other_lead_id) == ("ana", "bo")
    assert (suggestion.lead_name, suggestion.other_name) == ("ana@x.test", "bo@x.test")
    assert suggestion.aliases == (("email", "bo@x.test"),)


def test_a_pair_is_suggested_once_whichever_way_round_it_was_seen(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test"))
    happen(scope, make_event(lead_id="bo", email="ana@x.test"))

    assert len(pairs(scope)) == 1


def test_a_suggestion_follows_a_merge_and_goes_with_its_own(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test"))
    merge(scope, "cy", "bo")
    assert pairs(scope) == [("ana", "cy")]

    merge(scope, "ana", "cy")

    assert pairs(scope) == []


def test_a_dismissed_suggestion_stays_away(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test"))

    suggestions.dismiss(scope, "bo", "ana", by="test", now=utc_now())
    happen(scope, make_event(lead_id="bo", email="ana@x.test"))

    assert pairs(scope) == []
    with pytest.raises(SuggestionNotFoundError):
        suggestions.dismiss(scope, "ana", "bo", by="test", now=utc_now())


def test_leads_that_were_taken_apart_are_not_suggested_again(scope):
    happen(scope, make_event(lead_id="ana", email="bo@x.test"))
    merge(scope, "ana", "bo")

    unmerge(scope, "ana")

    assert pairs(scope) == []


# --- Merge then unmerge is the identity ---

people = st.sampled_from(["ana", "bo", "cy", "di"])
some_events = st.lists(
    st.tuples(people, st.integers(0, 3_000), st.sampled_from(["page_view", "unsubscribe", "chat"])),
    min_size=1,
    max_size=14,
)


def add_policies(scope: Scope) -> None:
    """Let everything that scoring depends on be at work: surge, decay and a velocity filter."""
    set_surge(scope, SURGE_STANDARD)
    who = make_principal(scope)
    decay = {"inactive_for": 5, "unit": "hours", "decrease": 3, "created_at": NOON.isoformat()}
    velocity = {
        "event_type": "page_view",
        "count_threshold": 2,
        "time_window_ms": 3_600_000,
        "group_events": True,
    }
    for kind, body in ((ItemKind.DECAY, decay), (ItemKind.VELOCITY_FILTER, velocity)):
        items.create_item(who, scope, kind, body, summary="More", now=utc_now())


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=some_events, data=st.data())
def test_merging_and_unmerging_leaves_everything_as_it_was(app, events, data):
    scope = make_scope()
    make_rule(scope, "page_view", 7)
    make_rule(scope, "unsubscribe", -9)
    add_policies(scope)
    happen(scope, *(visit(who, minutes / 60, what) for who, minutes, what in events))
    known = sorted({who for who, _, _ in events})
    before = [read_unit(scope)]
    merges = []
    while len(known) > 1 and len(merges) < 3:
        target = data.draw(st.sampled_from(known), label="target")
        others = [one for one in known if one != target]
        sources = data.draw(st.lists(st.sampled_from(others), min_size=1, unique=True))
        merge(scope, target, *sources)
        assert discrepancies(scope) == []
        merges.append((target, sources))
        before.append(read_unit(scope))
        known = [one for one in known if one not in sources]

    for target, sources in reversed(merges):
        assert read_unit(scope) == before.pop()
        unmerge(scope, target, *sources)

    assert read_unit(scope) == before.pop()
    assert discrepancies(scope) == []


# --- At once ---


def in_threads(app, *works) -> list[Exception]:
    failures: list[Exception] = []

    def run(work) -> None:
        with app.app_context():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - told to the test
                rollback()
                failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    return failures


def test_of_two_merges_that_cross_one_is_refused(app, fresh_database):
    scope = make_scope()
    happen(scope, visit("ana"), visit("bo"))

    failures = in_threads(app, lambda: merge(scope, "ana", "bo"), lambda: merge(scope, "bo", "ana"))

    assert [type(failure) for failure in failures] == [AlreadyMergedError]
    assert lead_queries.count_listed(scope) == 1
    assert discrepancies(scope) == []


def test_leads_merge_and_part_while_their_events_stream_in(app, fresh_database):
    scope = make_scope()
    make_rule(scope, "page_view", 1)
    happen(scope, visit("ana"), visit("bo"))
    total = 600
    send(scope, *(visit("ana" if n % 2 else "bo", n * 7 % total) for n in range(total)))
    commit()

    def work_off() -> None:
        while process.process_batch(scope, limit=20).claimed:
            pass

    def merge_and_part() -> None:
        for _ in range(4):
            merge(scope, "ana", "bo")
            unmerge(scope, "ana")

    failures = in_threads(app, work_off, merge_and_part)
    process.drain(scope)

    assert failures == []
    assert lead(scope, "ana").score + lead(scope, "bo").score == total + 2
    assert discrepancies(scope) == []
