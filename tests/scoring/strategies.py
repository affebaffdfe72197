"""Hypothesis strategies for whole configurations as people can make them: nothing wrong in them.

Ids, names and values come from small pools, so that two configurations often have things in common
and each of those often differs in one fact alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from leadvibe.engine.policies import (
    SURGE_GENTLE,
    SURGE_OFF,
    SURGE_STANDARD,
    AttributeRule,
    AttributeRuleset,
    Band,
    DecayRule,
    DecayUnit,
    EventTypePolicy,
    FieldMapping,
    FieldTest,
    MetadataFilter,
    Policies,
    Reach,
    SurgeMode,
    SurgePolicy,
    UpdateBehavior,
    VelocityFilter,
)
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset

NAMES = ("Default", "Größe 'x'", "a, b and c")
EVENT_TYPES = ("page_view", "demo_request", "Page View", "a in b")
FIELDS = ("agent", "utm.source", "Zahl")
START = datetime(2025, 1, 1, tzinfo=UTC)

_instants = st.integers(0, 3).map(lambda days: START + timedelta(days=days, microseconds=days))
_tests = st.one_of(
    st.builds(
        FieldTest,
        st.sampled_from(FIELDS),
        st.sampled_from(("equals", "not_equals", "contains")),
        st.sampled_from(("5", 5, 5.0, True, 1, "or")),
    ),
    st.builds(FieldTest, st.sampled_from(FIELDS), st.just("in"), st.just(["a", "b"])),
    st.builds(FieldTest, st.sampled_from(FIELDS), st.just("exists")),
)


def _ids(family: int) -> st.SearchStrategy[UUID]:
    return st.integers(1, 5).map(lambda number: UUID(int=family * 1000 + number))


def _few(things, *unique_by, most: int = 3):
    return st.lists(things, unique_by=unique_by, max_size=most).map(tuple)


def _id(name: str):
    return lambda thing: getattr(thing, name)


@st.composite
def _windows(draw):
    """Draw what begins and ends, in that order; either may be open."""
    start = draw(st.one_of(st.none(), _instants))
    end = draw(st.one_of(st.none(), _instants))
    return (start, end) if start is None or end is None or start < end else (start, None)


@st.composite
def _rules(draw, set_number: int) -> Rule:
    start_at, end_at = draw(_windows())
    return Rule(
        rule_id=draw(_ids(20 + set_number)),
        event_type=draw(st.sampled_from(EVENT_TYPES)),
        weight=draw(st.sampled_from((-5, 0, 1, 50))),
        active=draw(st.booleans()),
        start_at=start_at,
        end_at=end_at,
        icon=draw(st.sampled_from((None, "eye", "none"))),
    )


@st.composite
def _rulesets(draw) -> tuple[Ruleset, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    numbers = draw(st.permutations((1, 2, 3)))
    primary = draw(st.sampled_from((None, *names)))
    rulesets = []
    for name, number in zip(names, numbers, strict=False):
        start_at, end_at = draw(_windows())
        rules = draw(_few(_rules(number), _id("rule_id"), _id("event_type")))
        rulesets.append(
            Ruleset(
                ruleset_id=UUID(int=number),
                name=name,
                is_primary=name == primary,
                active=draw(st.booleans()),
                start_at=start_at,
                end_at=end_at,
                rules=rules,
                score_column=draw(st.sampled_from(("total_score", "points"))),
            )
        )
    return tuple(rulesets)


@st.composite
def _levels(draw, kind: LevelKind) -> list[Level]:
    """Draw one to three levels of a kind with gaps between some, the last one perhaps open."""
    cuts = sorted(draw(st.sets(st.integers(-20, 60), min_size=2, max_size=6)))
    names = draw(st.permutations(NAMES))
    bounds = list(zip(cuts[::2], cuts[1::2], strict=False))
    family = 40 + list(LevelKind).index(kind)
    levels = [
        Level(
            level_id=UUID(int=family * 1000 + place),
            kind=kind,
            name=names[place],
            min_score=low,
            max_score=high,
            color=draw(st.sampled_from(("#64748b", "#ef4444"))),
            order=draw(st.integers(0, 2)),
        )
        for place, (low, high) in enumerate(bounds)
    ]
    if draw(st.booleans()):
        last = levels[-1]
        levels[-1] = Level(last.level_id, kind, last.name, last.min_score, None)
    return levels


@st.composite
def _custom_surge(draw) -> SurgePolicy:
    places = sorted(draw(st.sets(st.integers(1, 30), min_size=1, max_size=4)))
    percents = sorted(draw(st.lists(st.integers(100, 300), min_size=4, max_size=4)))
    return SurgePolicy(
        SurgeMode.CUSTOM,
        tuple(Band(*band) for band in zip(places, percents, strict=False)),
        draw(st.integers(1, 7200)),
        draw(st.integers(100, 300)),
    )


_surges = st.one_of(st.sampled_from((SURGE_OFF, SURGE_STANDARD, SURGE_GENTLE)), _custom_surge())
_decays = st.builds(
    DecayRule,
    decay_id=_ids(50),
    inactive_for=st.integers(1, 3),
    unit=st.sampled_from(DecayUnit),
    decrease=st.integers(1, 3),
    created_at=_instants,
)
_velocity_filters = st.builds(
    VelocityFilter,
    filter_id=_ids(51),
    event_type=st.sampled_from(EVENT_TYPES),
    count_threshold=st.integers(0, 3),
    time_window_ms=st.sampled_from((1, 1000, 60_000)),
    group_events=st.booleans(),
)
_metadata_filters = st.builds(
    MetadataFilter,
    filter_id=_ids(52),
    name=st.sampled_from(NAMES),
    event_type=st.sampled_from(("", *EVENT_TYPES)),
    conditions=st.lists(_tests, min_size=1, max_size=3).map(tuple),
    enabled=st.booleans(),
)


def _mappings(family: int):
    mapping = st.builds(
        FieldMapping,
        mapping_id=_ids(family),
        source_field=st.sampled_from(FIELDS),
        target_property=st.sampled_from(FIELDS),
        update_behavior=st.sampled_from(UpdateBehavior),
    )
    return _few(mapping, _id("mapping_id"), lambda it: (it.source_field, it.target_property))


@st.composite
def _attribute_rulesets(draw, family: int) -> tuple[AttributeRuleset, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
    primary = draw(st.sampled_from((None, *names)))
    rule_ids = iter(draw(st.permutations([UUID(int=family * 1000 + n) for n in range(10, 16)])))
    facts = st.tuples(_tests, st.integers(-2, 2), st.integers(0, 2))
    return tuple(
        AttributeRuleset(
            ruleset_id=UUID(int=family * 1000 + number),
            name=name,
            enabled=draw(st.booleans()),
            is_primary=name == primary,
            rules=tuple(
                AttributeRule(next(rule_ids), *fact) for fact in draw(st.lists(facts, max_size=3))
            ),
        )
        for number, name in enumerate(names)
    )


_decided = st.builds(EventTypePolicy, hidden=st.booleans(), reach=st.sampled_from(Reach))


@st.composite
def policies(draw) -> Policies:
    types = draw(st.dictionaries(st.sampled_from(EVENT_TYPES), _decided, max_size=3))
    return Policies(
        surge=draw(_surges),
        decays=draw(_few(_decays, _id("decay_id"))),
        velocity_filters=draw(_few(_velocity_filters, _id("filter_id"))),
        metadata_filters=draw(_few(_metadata_filters, _id("filter_id"), _id("name"))),
        profile_mappings=draw(_mappings(53)),
        account_mappings=draw(_mappings(54)),
        profile_rulesets=draw(_attribute_rulesets(55)),
        account_rulesets=draw(_attribute_rulesets(56)),
        event_types={name: it for name, it in types.items() if it != EventTypePolicy()},
    )


@st.composite
def whole_configs(draw) -> Config:
    """A configuration of a unit in an organisation that has chosen nothing."""
    return Config(
        version=0,
        rulesets=draw(_rulesets()),
        levels=tuple(level for kind in LevelKind for level in draw(_levels(kind))),
        session_timeout_seconds=draw(st.sampled_from((60, 1800, 86_400))),
        policies=draw(policies()),
    )
