"""Which events are a machine's: metadata filters, micro-bursts, and how many come in how long."""

from __future__ import annotations

import pytest

from leadvibe.engine.conditions import ConditionError
from leadvibe.engine.organic import MetadataTest, Seen, Suppression, fingerprint, judge
from leadvibe.engine.replay import advance, replay

from .factories import (
    MONDAY,
    after,
    make_config,
    make_event,
    make_history,
    make_metadata_filter,
    make_policies,
    make_rule,
    make_ruleset,
    make_velocity,
)

RATE, GROUPED, METADATA = (
    it.value for it in (Suppression.RATE, Suppression.GROUPED, Suppression.METADATA)
)
ALIKE = 4711
"""The fingerprint of events whose metadata is the same."""


def opens(*seconds: float, **fields):
    """Make e-mail opens at these seconds, received in that order and unlike one another."""
    return [
        make_event("email_open", after(seconds=second), receipt=number, **fields)
        for number, second in enumerate(seconds, start=1)
    ]


def filters_of(*filters):
    """Let every version have these filters."""
    by_type = {}
    for one in filters:
        by_type.setdefault(one.event_type, []).append(one)
    return lambda version: by_type


def reasons(events, *filters, past=()):
    """Return why each event does not count, in order; None for those that do."""
    judgement = judge(events, past, filters_of(*filters))
    return [judgement.reasons.get(event.receipt) for event in events]


# --- Metadata filters ---


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"agent": "HeadlessChrome", "clicks": 12}, True),
        ({"agent": "headlesschrome 99", "clicks": "11"}, True),
        ({"agent": "HeadlessChrome", "clicks": 10}, False),
        ({"agent": "Safari", "clicks": 12}, False),
        ({"agent": "HeadlessChrome"}, False),
        ({}, False),
    ],
)
def test_an_event_is_filtered_when_all_conditions_of_a_filter_hold(metadata, expected):
    test = MetadataTest(
        [make_metadata_filter(("agent", "contains", "headless"), ("clicks", "gt", 10))]
    )

    assert test.suppresses("visit", metadata) is expected


def test_one_of_several_filters_is_enough():
    bots = make_metadata_filter(("agent", "contains", "bot"))
    tests = make_metadata_filter(("is_test", "equals", True))

    test = MetadataTest([bots, tests])

    assert test.suppresses("visit", {"agent": "bot"})
    assert test.suppresses("visit", {"is_test": True})
    assert not test.suppresses("visit", {"is_test": False})


def test_a_filter_of_one_event_type_leaves_the_others_alone():
    test = MetadataTest([make_metadata_filter(("bot", "exists", None), event_type="visit")])

    assert test.suppresses("visit", {"bot": 1})
    assert not test.suppresses("Visit", {"bot": 1})
    assert (test.concerns("visit"), test.concerns("Visit"), test.concerns_all) == (
        True,
        False,
        False,
    )


def test_a_filter_without_an_event_type_looks_at_all():
    test = MetadataTest([make_metadata_filter(("bot", "exists", None))])

    assert test.suppresses("anything", {"bot": 1})
    assert (test.concerns("anything"), test.concerns_all) == (True, True)


@pytest.mark.parametrize(
    "idle",
    [make_metadata_filter(("bot", "exists", None), enabled=False), make_metadata_filter()],
    ids=["switched off", "without conditions"],
)
def test_a_filter_that_is_off_or_empty_filters_nothing(idle):
    test = MetadataTest([idle])

    assert not test
    assert not test.suppresses("visit", {"bot": 1})


def test_a_filter_reaches_into_nested_metadata():
    test = MetadataTest([make_metadata_filter(("client.kind", "in", "bot, scanner"))])

    assert test.suppresses("visit", {"client": {"kind": "Scanner"}})


def test_a_filter_that_means_nothing_is_refused():
    with pytest.raises(ConditionError):
        MetadataTest([make_metadata_filter(("bot", "resembles", "x"))])


def test_a_filtered_event_gives_no_points_and_leaves_no_trace_but_its_reason():
    policies = make_policies(metadata_filters=(make_metadata_filter(("bot", "exists", None)),))
    config = make_config(make_ruleset(make_rule("visit", 10)), policies=policies)
    bot = make_event("visit", is_filtered=True)

    outcome = replay("ana", [bot], make_history(config))

    assert (outcome.entries, outcome.sessions, outcome.counted) == ([], [], [])
    assert outcome.state.last_at is None
    assert outcome.judgement.reasons == {bot.receipt: METADATA}


# --- Micro-bursts ---


@pytest.mark.parametrize(
    "urls",
    [
        ({"url": "https://a"}, {"url": "https://b"}),
        ({"Page_URL": "a"}, {"Page_URL": "b"}),
        ({"href": "a"}, {"uri": "b"}),
        ({"link": "a"}, {}),
    ],
)
def test_metadata_that_differs_in_addresses_alone_is_alike(urls):
    first, second = urls

    assert fingerprint({"campaign": 7, **first}) == fingerprint({**second, "campaign": 7})


@pytest.mark.parametrize(
    ("number", "other"),
    [(1, 1.0), (0, -0.0), (1e25, 10**25), (1e16, 10**16), (-3e20, -(3 * 10**20))],
)
def test_a_number_is_alike_however_it_is_written(number, other):
    assert fingerprint({"a": [number, {"b": number}]}) == fingerprint({"a": [other, {"b": other}]})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1.5}, {"a": 1}),
        ({"a": True}, {"a": 1}),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {}),
        ({"links": 1}, {"links": 2}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
    ],
)
def test_other_metadata_is_not_alike(first, second):
    assert fingerprint(first) != fingerprint(second)


def test_a_fingerprint_fits_into_a_database_integer_whatever_the_text():
    assert all(0 < fingerprint({"a": text}) < 2**63 for text in ("", "ü", "\ud800", "\U0001f600"))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((0, 0), [None, RATE]),
        ((0, 1.999999), [None, RATE]),
        ((0, 2), [None, None]),
        ((0, 1, 2, 3, 4), [None, RATE, None, RATE, None]),
    ],
)
def test_of_events_alike_within_two_seconds_of_the_first_one_stands_for_all(seconds, expected):
    events = opens(*seconds, fingerprint=ALIKE)

    assert reasons(events, make_velocity(threshold=100)) == expected


def test_a_folded_event_says_grouped_where_the_filter_groups():
    events = opens(0, 1, fingerprint=ALIKE)

    assert reasons(events, make_velocity(100, group_events=True)) == [None, GROUPED]


def test_events_unlike_one_another_are_no_micro_burst():
    first, second = opens(0, 1)

    assert reasons([first, second], make_velocity(100)) == [None, None]


def test_events_alike_of_a_type_without_a_velocity_filter_all_count():
    events = opens(0, 1, fingerprint=ALIKE)

    assert reasons(events, make_velocity(1, event_type="visit")) == [None, None]


def test_folded_events_are_named_and_do_not_count_towards_the_rate():
    events = opens(0, 0.5, 1, 5, fingerprint=ALIKE)

    judgement = judge(events, (), filters_of(make_velocity(threshold=2)))

    assert (judgement.reasons, judgement.folded) == ({2: RATE, 3: RATE}, {2, 3})


def test_a_filtered_event_stands_for_nobody():
    first, second = opens(0, 1, fingerprint=ALIKE)
    first = first._replace(is_filtered=True)

    assert reasons([first, second], make_velocity(100)) == [METADATA, None]


# --- Velocity ---


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0, [RATE, RATE, RATE, RATE]),
        (1, [None, RATE, RATE, RATE]),
        (3, [None, None, None, RATE]),
        (4, [None, None, None, None]),
    ],
)
def test_what_goes_beyond_the_threshold_does_not_count(threshold, expected):
    assert reasons(opens(0, 10, 20, 30), make_velocity(threshold)) == expected


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0, [None, GROUPED, GROUPED, GROUPED]),
        (1, [None, GROUPED, GROUPED, GROUPED]),
        (3, [None, GROUPED, GROUPED, GROUPED]),
        (4, [None, None, None, None]),
    ],
)
def test_a_grouped_burst_counts_as_its_first_event(threshold, expected):
    filters = make_velocity(threshold, group_events=True)

    assert reasons(opens(0, 10, 20, 30), filters) == expected


@pytest.mark.parametrize("group_events", [False, True])
@pytest.mark.parametrize(("second", "is_over"), [(59.999, True), (60, False), (60.001, False)])
def test_an_event_exactly_a_window_earlier_is_outside(second, is_over, group_events):
    velocity = make_velocity(1, 60, group_events=group_events)

    assert (reasons(opens(0, second), velocity)[1] is not None) is is_over


def test_suppressed_events_keep_a_stream_over_the_rate():
    events = opens(0, 20, 40, 59, 78, 97, 160)

    assert reasons(events, make_velocity(2, 60)) == [None, None, RATE, RATE, RATE, RATE, None]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        # One stream that never falls below the rate is one burst, however long.
        ((0, 25, 50, 75, 100, 125), [None, *[GROUPED] * 5]),
        # Two bursts further apart than a window: the first of each counts.
        ((0, 1, 2, 100, 101, 102), [None, GROUPED, GROUPED] * 2),
        # Near one another, but no window holds too many of both.
        ((0, 1, 2, 61.5, 62, 63), [None, GROUPED, GROUPED] * 2),
        # The window that ends at 61 begins after 1, with an event of the burst before.
        ((0, 1, 2, 61, 61.5), [None, GROUPED, GROUPED, GROUPED, GROUPED]),
        # Slow events around a burst are not in it.
        ((0, 100, 101, 102, 190), [None, None, GROUPED, GROUPED, None]),
    ],
)
def test_where_a_grouped_burst_begins_and_ends(seconds, expected):
    assert reasons(opens(*seconds), make_velocity(2, 60, group_events=True)) == expected


def test_each_type_is_counted_by_itself():
    views = [make_event("view", after(seconds=second)) for second in (1, 2)]
    events = [*opens(0, 1, 2), *views]

    filters = make_velocity(2), make_velocity(2, event_type="view")

    assert reasons(events, *filters) == [None, None, RATE, None, None]


def test_filtered_events_do_not_count_towards_the_rate():
    first, second, third = opens(0, 1, 2)

    assert reasons([first, second._replace(is_filtered=True), third], make_velocity(2)) == [
        None,
        METADATA,
        None,
    ]


def test_the_order_of_arrival_says_nothing():
    early, late = (
        make_event("email_open", MONDAY, receipt=9),
        make_event("email_open", after(seconds=1), receipt=1),
    )

    assert reasons([late, early], make_velocity(1)) == [RATE, None]


def test_of_events_of_one_instant_the_first_received_counts():
    first, second = (make_event("email_open", receipt=number) for number in (1, 2))

    assert reasons([second, first], make_velocity(1)) == [RATE, None]


@pytest.mark.parametrize("strict_first", [True, False])
def test_of_two_filters_the_stricter_one_wins_whichever_stands_first(strict_first):
    strict, lax = make_velocity(1, 10), make_velocity(2, 60)
    filters = (strict, lax) if strict_first else (lax, strict)

    assert reasons(opens(0, 5, 30, 50), *filters) == [None, RATE, RATE, RATE]


@pytest.mark.parametrize("grouping_first", [True, False])
def test_what_is_over_a_rate_stays_so_when_it_turns_out_to_be_in_a_burst(grouping_first):
    grouping, counting = make_velocity(2, group_events=True), make_velocity(1)
    filters = (grouping, counting) if grouping_first else (counting, grouping)

    assert reasons(opens(0, 1), *filters) == [None, RATE]
    assert reasons(opens(0, 1, 2), *filters) == [None, RATE, RATE]


# --- The past ---


def seen(events, *judged):
    """Make the past of events and why they did not count."""
    return [
        Seen(event, reason, stands_alone=True) for event, reason in zip(events, judged, strict=True)
    ]


def test_events_of_the_past_count_towards_the_rate_and_are_not_judged_again():
    *old, new = opens(0, 1, 2)

    judgement = judge([new], seen(old, None, None), filters_of(make_velocity(2)))

    assert (judgement.reasons, judgement.overturns) == ({3: RATE}, False)


def test_suppressed_events_of_the_past_count_towards_the_rate_but_not_filtered_ones():
    *old, new = opens(0, 1, 2)
    velocity = make_velocity(2)

    assert reasons([new], velocity, past=seen(old, None, RATE)) == [RATE]
    assert reasons([new], velocity, past=seen(old, None, METADATA)) == [None]


def test_a_folded_event_of_the_past_stays_folded_and_is_not_counted():
    old = [
        Seen(event, reason, stands_alone=stands_alone)
        for event, reason, stands_alone in zip(
            opens(0, 1, 1.5, fingerprint=ALIKE),
            (None, RATE, RATE),
            (True, False, False),
            strict=True,
        )
    ]
    new = make_event("email_open", after(seconds=30))

    assert reasons([new], make_velocity(2), past=old) == [None]


@pytest.mark.parametrize(("second", "expected"), [(1.999, RATE), (2, None)])
def test_an_event_of_the_past_stands_for_one_alike_within_two_seconds(second, expected):
    [old] = opens(0, fingerprint=ALIKE)
    new = make_event("email_open", after(seconds=second), fingerprint=ALIKE)

    assert reasons([new], make_velocity(100), past=seen([old], None)) == [expected]


def test_a_burst_that_is_recognised_overturns_what_counted_of_it_so_far():
    *old, new = opens(0, 1, 2)
    filters = filters_of(make_velocity(2, group_events=True))

    judgement = judge([new], seen(old, None, None), filters)

    assert judgement.reasons == {3: GROUPED}
    assert judgement.overturns


def test_a_burst_that_goes_on_overturns_nothing():
    *old, new = opens(0, 1, 2, 3)
    filters = filters_of(make_velocity(2, group_events=True))

    judgement = judge([new], seen(old, None, GROUPED, GROUPED), filters)

    assert judgement.reasons == {4: GROUPED}
    assert not judgement.overturns


def test_a_first_event_that_is_a_burst_by_itself_overturns_nothing():
    [old, new] = opens(0, 1)
    filters = filters_of(make_velocity(1, group_events=True))

    judgement = judge([new], seen([old], None), filters)

    assert (judgement.reasons, judgement.overturns) == ({2: GROUPED}, False)


# --- Versions ---


def history_of(*velocity_filters):
    """Make one config version after the other, each with one velocity filter or None."""
    ruleset = make_ruleset(make_rule("email_open", 10))
    return make_history(
        *(
            make_config(
                ruleset,
                version=version,
                policies=make_policies(velocity_filters=(one,) if one else ()),
            )
            for version, one in enumerate(velocity_filters, start=1)
        )
    )


def test_each_event_is_judged_by_the_filters_of_its_own_version():
    history = history_of(make_velocity(1), make_velocity(2), None)
    versions = (1, 1, 2, 3)
    events = [
        event._replace(version=version)
        for event, version in zip(opens(0, 1, 2, 3), versions, strict=True)
    ]

    outcome = replay("ana", events, history)

    assert outcome.judgement.reasons == {2: RATE, 3: RATE}


def test_an_event_that_no_filter_looked_at_stands_for_no_other():
    history = history_of(None, make_velocity(9))
    early, late, later = opens(0, 1, 1.5, fingerprint=ALIKE)
    events = [early, late._replace(version=2), later._replace(version=2)]

    assert replay("ana", events, history).judgement.reasons == {3: RATE}


def test_an_event_that_no_filter_looks_at_any_more_takes_nothing_back():
    grouping = make_velocity(2, group_events=True)
    history = history_of(grouping, None)
    *old, new = opens(0, 1, 2)
    events = [*old, new._replace(version=2)]

    state = replay("ana", old, history).state
    outcome = advance("ana", state, events[2:], history, past=seen(old, None, None))

    assert outcome.judgement.reasons == replay("ana", events, history).judgement.reasons == {}


def test_a_filter_that_stayed_takes_back_what_counted_under_an_older_version():
    grouping = make_velocity(2, group_events=True)
    history = history_of(grouping, grouping)
    *old, new = opens(0, 1, 2)
    new = new._replace(version=2)

    assert replay("ana", [*old, new], history).judgement.reasons == {2: GROUPED, 3: GROUPED}
    outcome = advance(
        "ana", replay("ana", old, history).state, [new], history, past=seen(old, None, None)
    )
    assert outcome.judgement.overturns
