"""What filters make of events on their way through the pipeline, and of those before them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leadvibe.engine.policies import Reach
from leadvibe.identity.types import Scope
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import merging, rescore
from leadvibe.scoring import event_types, policies
from tests.factories import (
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_scope,
    make_velocity_filter,
)

from .conftest import NOON
from .stored import (
    count,
    deltas,
    discrepancies,
    get_lead,
    list_events,
    reasons,
    receive,
    rescore_all,
)

RATE, GROUPED, METADATA = "inorganic", "inorganic_grouped", "metadata_filter"
BOT = {"agent": "HeadlessChrome"}


@pytest.fixture
def scope(app, clock) -> Scope:
    """Return a unit where a page view is worth 5; the clock is an hour after noon."""
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    clock.forward(hours=1)
    return scope


def view(second: float = 0, **fields):
    """Make a page view of Ana's some seconds after noon, unlike any other."""
    fields = {"lead_id": "ana", "metadata": {"page": second}, **fields}
    return make_event("page_view", timestamp=NOON + timedelta(seconds=second), **fields)


def views(*seconds: float):
    return [view(second) for second in seconds]


# --- Metadata filters ---


def test_a_filtered_event_is_stored_with_its_reason_and_touches_nothing(scope):
    make_metadata_filter(scope, ("agent", "contains", "headless"))
    receive(scope, view(0))

    receive(scope, view(10, metadata=BOT))

    assert reasons(scope) == [None, METADATA]
    assert get_lead(scope, "ana") == (5, NOON, "page_view", 1, 1, None)
    assert count(scope, "score_entries") == 1
    assert discrepancies(scope) == []


@pytest.mark.parametrize(
    "identity", [{"email": "ana@example.com", "lead_id": None}, {"lead_id": "ana"}]
)
def test_a_filtered_event_of_a_stranger_makes_no_lead_but_keeps_who_it_named(scope, identity):
    make_metadata_filter(scope, ("agent", "exists", None))

    receive(scope, view(0, metadata=BOT, **identity))

    [event] = list_events(scope)
    aliases = [["email", "ana@example.com"]] if "email" in identity else []
    assert event.lead_id is None
    assert event.unclaimed == {"lead_id": identity["lead_id"], "aliases": aliases}
    assert event.reason == METADATA
    for table in ("leads", "lead_aliases", "lead_sessions", "score_entries", "lead_scores"):
        assert count(scope, table) == 0, table


def test_a_filtered_event_goes_to_whom_it_names_without_teaching_us_more_of_them(scope):
    make_metadata_filter(scope, ("agent", "exists", None))
    receive(scope, make_event(email="ana@example.com", timestamp=NOON))

    receive(scope, make_event(email="ana@example.com", cookie="c-1", metadata=BOT, timestamp=NOON))

    [counted, filtered] = list_events(scope)
    assert filtered.lead_id == counted.lead_id
    assert filtered.unclaimed is None
    assert count(scope, "lead_aliases") == 1


def test_in_one_batch_a_filtered_event_knows_the_lead_that_another_event_makes(scope):
    make_metadata_filter(scope, ("agent", "exists", None))

    receive(scope, view(0, metadata=BOT), view(1), view(2, metadata=BOT))

    assert [event.lead_id for event in list_events(scope)] == ["ana", "ana", "ana"]
    assert get_lead(scope, "ana").event_count == 1


def test_a_filter_that_is_off_or_for_another_type_filters_nothing(scope):
    make_metadata_filter(scope, ("agent", "exists", None), enabled=False)
    make_metadata_filter(scope, ("agent", "exists", None), event_type="email_open")

    receive(scope, view(0, metadata=BOT))

    assert reasons(scope) == [None]


def test_a_filtered_event_folds_no_stranger_into_anybody(scope):
    make_metadata_filter(scope, ("agent", "exists", None))
    receive(scope, make_event(cookie="c-1"), make_event(email="ana@example.com"))

    receive(scope, make_event(cookie="c-1", email="ana@example.com", metadata=BOT))

    assert count(scope, "leads") == 2
    assert {event.reason for event in list_events(scope)} == {None, METADATA}
    assert discrepancies(scope) == []


# --- Micro-bursts and velocity ---


def test_events_beyond_the_rate_are_stored_and_do_not_count(scope):
    make_velocity_filter(scope, 2, 60)

    receive(scope, *views(0, 10, 20, 30, 100))

    assert reasons(scope) == [None, None, RATE, RATE, None]
    assert deltas(scope, "ana") == [5, 5, 5]
    assert get_lead(scope, "ana").event_count == 3
    assert discrepancies(scope) == []


def test_the_rate_is_counted_across_batches(scope):
    make_velocity_filter(scope, 2, 60)

    receive(scope, *views(0, 10, 20, 30, 100), limit=1)

    assert reasons(scope) == [None, None, RATE, RATE, None]
    assert discrepancies(scope) == []


def test_what_a_scanner_opens_at_once_counts_as_one(scope):
    make_velocity_filter(scope, 2, 60)
    at_once = [view(0.1 * place, metadata={"url": f"https://{place}"}) for place in range(9)]

    receive(scope, *at_once, view(30))

    assert reasons(scope) == [None, *[RATE] * 8, None]
    assert folded(scope) == [False, *[True] * 8, False]
    assert get_lead(scope, "ana").score == 10
    assert discrepancies(scope) == []


@pytest.mark.parametrize("number", [1e25, -0.0, 100.0, 1.5, 10**30, 5e-324])
def test_numbers_are_alike_before_and_after_they_are_stored(scope, number):
    make_velocity_filter(scope, 9, 60)

    receive(scope, *(view(second, metadata={"a": [{"n": number}]}) for second in (0, 1)))

    assert reasons(scope) == [None, RATE]
    assert discrepancies(scope) == []


def test_a_burst_that_is_recognised_later_takes_back_all_but_its_first_event(scope):
    make_velocity_filter(scope, 2, 60, group_events=True)
    receive(scope, *views(0, 10))
    assert get_lead(scope, "ana").score == 10

    receive(scope, view(20))

    assert reasons(scope) == [None, GROUPED, GROUPED]
    assert deltas(scope, "ana") == [5]
    assert get_lead(scope, "ana") == (5, NOON, "page_view", 1, 1, None)
    assert discrepancies(scope) == []


def test_a_late_event_is_judged_in_its_place_and_so_are_those_after_it(scope):
    make_velocity_filter(scope, 2, 60)
    receive(scope, *views(0, 20))

    receive(scope, view(10))

    assert reasons(scope) == [None, None, RATE]
    assert discrepancies(scope) == []


def test_a_late_event_moves_the_one_that_stands_for_a_micro_burst(scope):
    make_velocity_filter(scope, 9, 60)
    receive(scope, view(1.5, metadata={}), view(3, metadata={}))
    assert reasons(scope) == [None, RATE]

    receive(scope, view(0, metadata={}))

    assert reasons(scope) == [None, RATE, None]
    assert discrepancies(scope) == []


def test_a_late_event_stands_for_others_even_where_none_of_them_counts(scope):
    """It is later than all that counts, so only the filter knows that it is late."""
    make_velocity_filter(scope, 1, 60)
    receive(scope, *(view(second, metadata={}) for second in (0, 10, 11.5)))
    assert folded(scope) == [False, False, True]

    receive(scope, view(9, metadata={}))

    assert folded(scope) == [False, False, True, False]
    assert reasons(scope) == [None, RATE, RATE, RATE]
    assert discrepancies(scope) == []


def test_another_lead_another_count(scope):
    make_velocity_filter(scope, 1, 60)

    receive(scope, view(0), view(1, lead_id="bo"), view(2), view(3, lead_id="bo"))

    assert reasons(scope) == [None, None, RATE, RATE]


def test_no_session_begins_with_a_suppressed_event(scope):
    make_velocity_filter(scope, 1, 7_200)

    receive(scope, *views(0, 3_500))

    assert count(scope, "lead_sessions") == 1
    assert get_lead(scope, "ana").session_count == 1


def test_a_rate_of_none_counts_none_and_makes_no_lead(scope):
    make_velocity_filter(scope, 0, 60)

    receive(scope, view(0))

    [event] = list_events(scope)
    assert (event.lead_id, event.reason) == (None, RATE)
    assert count(scope, "leads") == 0


def folded(scope):
    return [event.is_folded for event in list_events(scope)]


# --- Filters that change ---


def test_a_new_filter_judges_what_comes_from_now_on_and_counts_what_came_before(scope):
    receive(scope, *views(0, 1, 2))
    make_velocity_filter(scope, 3, 60)

    receive(scope, *views(3, 4))

    assert reasons(scope) == [None, None, None, RATE, RATE]
    assert discrepancies(scope) == []


def test_a_filter_that_is_gone_judges_nothing_more_but_what_it_said_stands(scope):
    one = make_velocity_filter(scope, 1, 60)
    receive(scope, *views(0, 1))
    policies.delete_velocity_filter(make_principal(scope), scope, one.item_id, now=NOON)

    receive(scope, *views(2, 3))

    assert reasons(scope) == [None, RATE, None, None]
    assert discrepancies(scope) == []


def test_an_event_that_comes_after_its_filter_is_gone_takes_nothing_back(scope):
    grouping = make_velocity_filter(scope, 2, 60, group_events=True)
    receive(scope, *views(0, 10))
    policies.delete_velocity_filter(make_principal(scope), scope, grouping.item_id, now=NOON)

    receive(scope, view(20))

    assert reasons(scope) == [None, None, None]
    assert discrepancies(scope) == []


def test_a_late_event_completes_a_burst_of_a_filter_that_is_gone(scope):
    """Nothing that counts comes after it, so only the filter of back then knows that it is late."""
    grouping = make_velocity_filter(scope, 3, 10, group_events=True)
    receive(scope, *views(0, 5, 9, 12, 13))
    assert reasons(scope) == [None, None, GROUPED, GROUPED, GROUPED]
    policies.delete_velocity_filter(make_principal(scope), scope, grouping.item_id, now=NOON)

    receive(scope, view(6))

    assert reasons(scope) == [None, GROUPED, None, GROUPED, GROUPED, GROUPED]
    assert discrepancies(scope) == []


def test_of_two_filters_the_one_that_counts_has_the_first_word_and_keeps_it(scope):
    make_velocity_filter(scope, 2, 60, group_events=True)
    make_velocity_filter(scope, 1, 60)

    receive(scope, *views(0, 1, 2), limit=1)

    assert reasons(scope) == [None, RATE, RATE]
    assert discrepancies(scope) == []


def test_a_rescore_judges_all_events_by_the_filters_of_now(scope, clock):
    receive(scope, view(0), view(1, metadata=BOT), *views(2, 3))
    make_metadata_filter(scope, ("agent", "exists", None))
    make_velocity_filter(scope, 2, 60)

    rescore_all(scope, clock.now)

    assert reasons(scope) == [None, METADATA, None, RATE]
    assert deltas(scope, "ana") == [5, 5]
    assert discrepancies(scope) == []


def test_a_rescore_done_again_changes_nothing(scope, clock):
    receive(scope, view(0), view(1, metadata=BOT), *views(2, 3))
    make_metadata_filter(scope, ("agent", "exists", None))
    make_velocity_filter(scope, 1, 60, group_events=True)
    rescore_all(scope, clock.now)
    once = list_events(scope), get_lead(scope, "ana"), deltas(scope, "ana")

    rescore_all(scope, clock.forward(hours=1))

    assert (list_events(scope), get_lead(scope, "ana"), deltas(scope, "ana")) == once
    assert discrepancies(scope) == []


def test_a_rescore_without_the_filter_lets_events_count_again(scope, clock):
    one = make_metadata_filter(scope, ("agent", "exists", None))
    two = make_velocity_filter(scope, 1, 60)
    receive(scope, view(0), view(1, metadata=BOT), *views(2, 3))
    assert reasons(scope) == [None, METADATA, RATE, RATE]
    who = make_principal(scope)
    policies.delete_metadata_filter(who, scope, one.item_id, now=clock.now)
    policies.delete_velocity_filter(who, scope, two.item_id, now=clock.now)

    rescore_all(scope, clock.now)

    assert reasons(scope) == [None, None, None, None]
    assert get_lead(scope, "ana").score == 20
    assert discrepancies(scope) == []


def test_after_a_rescore_late_events_are_judged_beside_the_others_by_the_same_filters(scope, clock):
    receive(scope, *views(0, 30))
    make_velocity_filter(scope, 2, 60)
    rescore_all(scope, clock.now)

    receive(scope, view(10))

    assert reasons(scope) == [None, None, RATE]
    assert discrepancies(scope) == []


# --- Events that change hands ---


def test_what_a_stranger_did_is_judged_as_that_of_the_lead_it_turns_out_to_be(scope, clock):
    receive(scope, view(0), view(10, lead_id=None, cookie="c-1", metadata=BOT))
    make_metadata_filter(scope, ("agent", "exists", None))
    rescore.rescore_leads(scope, ["ana"], now=clock.now)
    commit()
    assert reasons(scope) == [None, None]

    receive(scope, view(20, cookie="c-1"))

    assert reasons(scope) == [None, METADATA, None]
    assert get_lead(scope, "ana").score == 10
    assert discrepancies(scope) == []


def test_a_merge_that_is_undone_leaves_everything_filtered_as_it_was(scope, clock):
    one = make_metadata_filter(scope, ("agent", "exists", None))
    receive(scope, view(0), view(10, lead_id="bo"), view(20, lead_id="bo", metadata=BOT))
    who = make_principal(scope)
    policies.delete_metadata_filter(who, scope, one.item_id, now=clock.now)
    rescore.rescore_leads(scope, ["ana"], now=clock.now)
    commit()

    merging.merge(who, scope, "ana", ["bo"], now=clock.now)
    commit()
    assert reasons_of_views(scope) == [None, None, None]
    assert get_lead(scope, "ana").score == 15
    assert discrepancies(scope) == []

    merging.unmerge(who, scope, "ana", ["bo"], now=clock.now)
    commit()
    assert reasons_of_views(scope) == [None, None, METADATA]
    assert (get_lead(scope, "ana").score, get_lead(scope, "bo").score) == (5, 5)
    assert discrepancies(scope) == []


def reasons_of_views(scope):
    return [event.reason for event in list_events(scope, "page_view")]


# --- Tampering ---


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE events SET suppression_reason = NULL WHERE suppression_reason = 'metadata_filter'",
        "UPDATE events SET suppression_reason = NULL WHERE suppression_reason = 'inorganic'",
        "UPDATE events SET suppression_reason = 'metadata_filter' WHERE suppression_reason IS NULL",
        "UPDATE events SET suppression_reason = 'inorganic_grouped'",
        "UPDATE events SET is_folded = NOT is_folded WHERE suppression_reason IS NOT NULL",
        "UPDATE events SET fingerprint = 1",
        "UPDATE events SET fingerprint = NULL",
    ],
)
def test_tampering_with_what_filters_said_is_found_and_repaired(scope, tampering):
    make_metadata_filter(scope, ("agent", "exists", None))
    make_velocity_filter(scope, 2, 60)
    receive(scope, view(0), view(0.5, metadata={"page": 0}), view(1, metadata=BOT), *views(2, 3))
    before = list_events(scope), get_lead(scope, "ana")
    assert reasons(scope) == [None, RATE, METADATA, None, RATE]

    driver().execute(tampering)
    commit()

    # Where it also changes which events count, the counts by day disagree as well.
    assert "ana" in {lead_id for lead_id, _ in discrepancies(scope)}
    for _ in rescore.rebuild(scope):
        pass
    assert discrepancies(scope) == []
    assert (list_events(scope), get_lead(scope, "ana")) == before


# --- Event types ---


def test_events_of_a_hidden_type_show_that_somebody_is_there_and_score_nothing(scope):
    receive(scope, view(0))
    hide(scope, "page_view", hidden=True)

    receive(scope, view(10))

    assert deltas(scope, "ana") == [5]
    assert get_lead(scope, "ana").event_count == 2
    assert get_lead(scope, "ana").last_event_at == NOON + timedelta(seconds=10)
    assert discrepancies(scope) == []


def test_events_of_a_type_that_is_only_observed_are_stored_and_change_nothing(scope):
    receive(scope, view(0))
    before = get_lead(scope, "ana")
    hide(scope, "page_view", reach=Reach.OBSERVE)

    receive(scope, view(10))

    assert reasons(scope) == [None, None]
    assert get_lead(scope, "ana") == before
    assert count(scope, "lead_sessions") == 1
    assert discrepancies(scope) == []


@pytest.mark.parametrize("event_type", ["DECAY", "lead_merged", "lead_unmerged"])
def test_an_event_of_our_own_type_that_somebody_sends_counts_for_nothing(scope, event_type):
    make_rule(scope, event_type, 500)

    receive(scope, make_event(event_type, lead_id="ana"), view(0))
    rebuilt = get_lead(scope, "ana")

    assert (rebuilt.score, rebuilt.event_count) == (5, 1)
    assert len(list_events(scope, event_type)) == 1
    assert discrepancies(scope) == []


def hide(scope, name, **decision):
    event_types.decide_event_type(make_principal(scope), scope, name, **decision, now=NOON)
    commit()
