"""Field mappings: what events bring to a document, whatever their order."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.mapping import (
    EMPTY,
    LONGEST_LIST,
    LONGEST_VALUE,
    Document,
    Mapper,
    Told,
    Trace,
    set_by_hand,
)
from leadvibe.engine.policies import FieldMapping, UpdateBehavior
from tests.engine.factories import MONDAY, after
from tests.engine.strategies import batches_of

LATEST, ONCE, APPEND = UpdateBehavior


def mapping(source: str, target: str, behavior: UpdateBehavior = LATEST, number: int = 0):
    return FieldMapping(UUID(int=number), source, target, behavior)


def told(hours: float, receipt: int = 1, **metadata) -> Told:
    return Told(after(hours=hours), receipt, metadata)


def described(mapper: Mapper, *events: Told, document: Document = EMPTY) -> dict:
    return dict(mapper.apply(document, events).properties)


def test_the_latest_event_decides_however_late_it_comes():
    plan = Mapper([mapping("plan", "tier")])

    assert described(plan, told(2, plan="pro"), told(1, plan="free")) == {"tier": "pro"}


def test_of_events_at_the_same_instant_the_last_received_is_the_latest():
    plan = Mapper([mapping("plan", "tier")])

    assert described(plan, told(1, 9, plan="new"), told(1, 3, plan="old")) == {"tier": "new"}


def test_set_once_keeps_the_earliest():
    source = Mapper([mapping("utm", "source", ONCE)])

    assert described(source, told(3, utm="c"), told(1, utm="a"), told(2, utm="b")) == {
        "source": "a"
    }


def test_append_keeps_the_last_ten_in_order_and_shows_the_newest():
    page = Mapper([mapping("page", "page", APPEND)])
    events = [told(hour, page=hour) for hour in (12, 3, 7, 1, 9, 2, 11, 4, 8, 10, 6, 5)]

    assert described(page, *events) == {"page": 12, "page_list": list(range(3, 13))}


def test_dots_reach_inside_and_empty_values_are_passed_over():
    size = Mapper([mapping("company.size", "employees")])
    nothing = [told(n, n, company={"size": it}) for n, it in enumerate(("", None, [], {}), 2)]

    assert described(size, told(1, company={"size": 0}), *nothing) == {"employees": 0}


def test_a_value_too_long_for_a_property_is_passed_over():
    bio = Mapper([mapping("bio", "bio")])

    assert described(bio, told(1, bio="x" * LONGEST_VALUE), told(2, bio="y" * 10_001)) == {
        "bio": "x" * LONGEST_VALUE
    }
    assert described(bio, told(1, bio=["y" * LONGEST_VALUE])) == {}


def test_the_oldest_mapping_that_finds_a_value_speaks_for_the_property():
    mapper = Mapper([mapping("plan", "tier"), mapping("package", "tier", ONCE)])

    assert described(mapper, told(1, plan="a", package="b")) == {"tier": "a"}
    assert described(mapper, told(1, package="b"), told(2, package="c")) == {"tier": "c"}


def test_the_list_of_an_appending_mapping_is_nobody_elses():
    mapper = Mapper([mapping("tags", "tag_list"), mapping("tag", "tag", APPEND)])

    assert described(mapper, told(1, tags="all", tag="a")) == {"tag": "a", "tag_list": ["a"]}


def test_what_was_there_already_is_older_than_any_event():
    document = Document({"tier": "gold", "source": "fair", "tag": "x", "tag_list": ["w", "x"]})
    mapper = Mapper(
        [mapping("a", "tier"), mapping("a", "source", ONCE), mapping("a", "tag", APPEND)]
    )

    assert described(mapper, told(1, a="new"), document=document) == {
        "tier": "new",
        "source": "fair",
        "tag": "new",
        "tag_list": ["w", "x", "new"],
    }


@pytest.mark.parametrize("behavior", UpdateBehavior)
def test_an_event_from_before_somebody_set_a_property_says_nothing(behavior):
    mapper = Mapper([mapping("plan", "tier", behavior)])
    by_hand = set_by_hand(EMPTY, {"tier": "gold", "tier_list": ["gold"]}, at=after(hours=5))

    assert mapper.apply(by_hand, [told(4, plan="pro")]) is by_hand


def test_a_later_event_covers_what_was_set_by_hand_unless_it_is_set_once():
    mapper = Mapper([mapping("plan", "tier"), mapping("plan", "first", ONCE)])
    by_hand = set_by_hand(EMPTY, {"tier": "gold", "first": "gold"}, at=after(hours=5))

    assert described(mapper, told(6, plan="pro"), document=by_hand) == {
        "tier": "pro",
        "first": "gold",
    }


def test_setting_by_hand_shows_even_against_an_event_that_claims_to_be_later():
    mapper = Mapper([mapping("plan", "tier")])
    document = mapper.apply(EMPTY, [told(9, plan="pro")])

    changed = set_by_hand(document, {"tier": "gold"}, at=after(hours=5))

    assert described(mapper, told(9, plan="pro"), document=changed) == {"tier": "gold"}


def test_a_property_taken_away_stays_away_until_a_later_event():
    mapper = Mapper([mapping("plan", "tier", ONCE)])
    document = mapper.apply(EMPTY, [told(1, plan="pro")])

    emptied = set_by_hand(document, {"tier": None}, at=after(hours=5))

    assert described(mapper, told(1, plan="pro"), document=emptied) == {}
    assert described(mapper, told(6, plan="new"), document=emptied) == {"tier": "new"}


def test_replacing_takes_away_what_is_not_named():
    document = Document({"a": 1, "b": 2})

    replaced = set_by_hand(document, {"b": 3, "c": None}, at=MONDAY, replaces=True)

    assert replaced.properties == {"b": 3}
    assert set(replaced.traces) == {"a", "b", "c"}


def test_rebuilding_follows_the_mappings_of_today():
    before = Mapper([mapping("plan", "tier")])
    events = [told(1, plan="pro", package="big"), told(2, plan="free")]
    document = before.apply(Document({"city": "Bern"}), events)

    rebuilt = Mapper([mapping("package", "tier")]).rebuild(document, events)

    assert rebuilt.properties == {"city": "Bern", "tier": "big"}


def test_rebuilding_without_the_event_keeps_its_value_only_when_asked_to():
    mapper = Mapper([mapping("plan", "tier"), mapping("plan", "tags", APPEND)])
    by_hand = set_by_hand(EMPTY, {"tier": "gold"}, at=MONDAY)
    document = mapper.apply(by_hand, [told(1, plan="pro")])

    assert mapper.rebuild(document, []) is document
    assert mapper.rebuild(document, [], keeps_orphans=False).properties == {"tier": "gold"}


def test_what_is_not_mapped_any_more_is_left_alone():
    document = Mapper([mapping("plan", "tier")]).apply(EMPTY, [told(1, plan="pro")])

    assert Mapper([]).rebuild(document, [], keeps_orphans=False) is document


def test_nothing_to_say_makes_no_new_document():
    mapper = Mapper([mapping("plan", "tier")])
    document = mapper.apply(EMPTY, [told(5, plan="pro")])

    assert mapper.apply(document, [told(1, plan="old"), told(6, other=1)]) is document
    assert mapper.hears({"plan": "x"})
    assert not mapper.hears({"plan": ""})
    assert not Mapper([])


# Few sources, properties and instants, so that mappings and events really meet and collide.
_values = st.one_of(
    st.none(), st.sampled_from(("", [], "a", "b", 0, 1, True, 2.5)), st.just(["x", {"y": 1}])
)
_metadata = st.dictionaries(st.sampled_from(("plan", "city", "nested.key")), _values, max_size=3)


@st.composite
def mappers(draw) -> Mapper:
    sources = st.sampled_from(("plan", "city", "nested.key"))
    targets = st.sampled_from(("plan", "tier", "place"))
    drawn = draw(st.lists(st.tuples(sources, targets), unique=True, max_size=4))
    behaviors = {target: draw(st.sampled_from(UpdateBehavior)) for _, target in drawn}
    return Mapper(
        mapping(source, target, behaviors[target], number)
        for number, (source, target) in enumerate(drawn)
    )


@st.composite
def events(draw) -> list[Told]:
    drawn = draw(st.lists(st.tuples(st.integers(0, 6), _metadata), max_size=16))
    return [Told(after(hours=hour), place, it) for place, (hour, it) in enumerate(drawn)]


@st.composite
def documents(draw) -> Document:
    properties = draw(st.dictionaries(st.sampled_from(("tier", "plan_list", "city")), _values))
    document = Document({key: value for key, value in properties.items() if value is not None})
    changes = draw(st.dictionaries(st.sampled_from(("tier", "place_list", "plan")), _values))
    return set_by_hand(document, changes, at=MONDAY + timedelta(hours=2)) if changes else document


@given(mappers(), documents(), events(), st.data())
def test_the_order_of_arrival_and_its_batches_make_no_difference(mapper, document, stream, data):
    whole = mapper.apply(document, stream)
    shuffled = data.draw(st.permutations(stream))

    in_parts = document
    for batch in data.draw(batches_of(shuffled)):
        in_parts = mapper.apply(in_parts, batch)

    assert in_parts == whole


@given(mappers(), documents(), events())
def test_an_event_that_comes_twice_says_nothing_new(mapper, document, stream):
    once = mapper.apply(document, stream)

    assert mapper.apply(once, stream) is once


@given(mappers(), documents(), events(), st.booleans())
def test_a_rebuild_from_all_events_gives_the_same_again(mapper, document, stream, keeps_orphans):
    described_before = mapper.apply(document, stream)
    oldest_first = sorted(stream, key=lambda each: each.moment)

    rebuilt = mapper.rebuild(described_before, oldest_first, keeps_orphans=keeps_orphans)

    assert rebuilt is described_before


@given(mappers(), documents(), events(), st.data())
def test_a_strict_rebuild_forgets_events_that_are_gone(mapper, document, stream, data):
    kept = data.draw(st.lists(st.sampled_from(stream), unique_by=id)) if stream else []
    rebuilt = mapper.rebuild(mapper.apply(document, stream), kept, keeps_orphans=False)

    # Empty by hand and not there at all are one and the same once an event has covered it.
    assert rebuilt.properties == mapper.apply(document, kept).properties


@given(mappers(), events())
def test_every_property_is_what_a_look_at_all_events_says(mapper, stream):
    """Compare with the rule in its plainest words, for documents that were empty."""
    properties = mapper.apply(EMPTY, stream).properties
    for name, sources in mapper._sources:
        spoken = []
        for each in sorted(stream, key=lambda it: (it.occurred_at, it.receipt)):
            values = [each.metadata.get(source) for source in sources]
            there = [value for value in values if value not in (None, "", [])]
            spoken += there[:1]
        behavior = mapper._behaviors[name]
        newest = spoken[0] if behavior is ONCE and spoken else spoken[-1:]
        if behavior is ONCE:
            assert properties.get(name) == (spoken[0] if spoken else None)
        else:
            assert [properties[name]] == newest if spoken else name not in properties
        if behavior is APPEND:
            assert properties.get(f"{name}_list", []) == spoken[-LONGEST_LIST:]


@given(mappers(), documents(), events())
def test_traces_survive_as_json(mapper, document, stream):
    traces = mapper.apply(document, stream).traces

    assert {name: Trace.from_json(it.to_json()) for name, it in traces.items()} == traces
