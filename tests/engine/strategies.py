"""Hypothesis strategies for configurations, their histories and the events scored under them.

Event types, rulesets, metadata and instants come from small pools, so that rules really match,
versions really change the same ruleset, bursts really happen and events really collide in time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from leadvibe.engine.decay import Fading
from leadvibe.engine.engagement import Awarder, compile_config
from leadvibe.engine.facts import Event
from leadvibe.engine.organic import fingerprint
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
from leadvibe.engine.replay import History, reign_of
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset

EVENT_TYPES = ("page_view", "demo_request", "unsubscribe", "Page View")
UNSCORED_TYPE = "never_in_a_rule"
RULESET_IDS = tuple(UUID(int=number) for number in (1, 2, 3))
START = datetime(2025, 1, 1, tzinfo=UTC)
MOST_EVENTS = 14

percents = st.sampled_from((100, 110, 125, 150, 175, 200, 333))

# In a burst, close together, over one day, over a fortnight: gaps on both sides of every limit.
_seconds = st.one_of(
    st.sampled_from((0, 0.5, 1.999, 2, 2.001, 30, 59.999, 60, 60.001)),
    st.integers(0, 8).map(lambda minutes: minutes * 60),
    st.integers(0, 600).map(lambda minutes: minutes * 60),
    st.integers(0, 20_000).map(lambda minutes: minutes * 60),
)
instants = _seconds.map(lambda seconds: START + timedelta(seconds=seconds))

_always = (None, None)
_windows = st.one_of(
    st.just(_always),
    st.just(_always),
    st.tuples(st.one_of(st.none(), instants), st.one_of(st.none(), instants)),
)
_mostly = st.sampled_from((True, True, True, False))
_rule_facts = st.tuples(st.sampled_from(EVENT_TYPES), st.integers(-60, 100), _mostly, _windows)
_ruleset_facts = st.tuples(
    st.sampled_from(("", "Default", "Größe \u2028 'x'")), st.booleans(), _mostly, _windows
)


@st.composite
def rulesets(draw, ruleset_id: UUID) -> Ruleset:
    name, is_primary, active, (start_at, end_at) = draw(_ruleset_facts)
    rules = tuple(
        Rule(UUID(int=ruleset_id.int * 1000 + number), event_type, weight, rule_active, *window)
        for number, (event_type, weight, rule_active, window) in enumerate(
            draw(st.lists(_rule_facts, max_size=4))
        )
    )
    return Ruleset(ruleset_id, name, is_primary, active, start_at, end_at, rules)


def levels() -> st.SearchStrategy[Level]:
    return st.builds(
        _make_level,
        level_id=st.uuids(),
        kind=st.sampled_from(LevelKind),
        name=st.text(min_size=1, max_size=12),
        low=st.integers(-50, 120),
        width=st.one_of(st.none(), st.integers(0, 60)),
        color=st.sampled_from(("#64748b", "#ef4444")),
        order=st.integers(0, 5),
    )


def _make_level(*, level_id, kind, name, low, width, color, order) -> Level:
    high = None if width is None else low + width
    return Level(level_id, kind, name, low, high, color, order)


# --- Policies ---

_bands = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 90)), min_size=1, max_size=3)


def _custom_surge(steps: list[tuple[int, int]], idle: int, cap: int) -> SurgePolicy:
    """Add up steps to bands that ascend in both their place and their percentage."""
    places = accumulate(step for step, _ in steps)
    raised = accumulate(more for _, more in steps)
    bands = tuple(Band(place, 100 + more) for place, more in zip(places, raised, strict=True))
    return SurgePolicy(SurgeMode.CUSTOM, bands, idle, cap)


surges = st.one_of(
    st.sampled_from((SURGE_OFF, SURGE_STANDARD, SURGE_GENTLE)),
    st.builds(
        _custom_surge, _bands, st.sampled_from((1, 60, 1800, 86_400)), st.sampled_from((150, 300))
    ),
)
decays = st.builds(
    DecayRule,
    decay_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
    inactive_for=st.sampled_from((1, 1, 2, 5)),
    unit=st.sampled_from(DecayUnit),
    decrease=st.integers(1, 50),
    created_at=st.one_of(st.just(START - timedelta(days=60)), instants),
)
velocity_filters = st.builds(
    VelocityFilter,
    filter_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
    event_type=st.sampled_from(EVENT_TYPES[:2]),
    count_threshold=st.integers(0, 3),
    time_window_ms=st.sampled_from((1, 2_000, 60_000, 300_000, 36_000_000)),
    group_events=st.booleans(),
)
METADATA: tuple[Mapping[str, Any], ...] = (
    {},
    {"campaign": 1},
    {"campaign": 1, "url": "https://a.example"},
    {"agent": "Headless"},
)
_field_tests = st.sampled_from(
    (
        FieldTest("agent", "contains", "headless"),
        FieldTest("campaign", "exists"),
        FieldTest("campaign", "not_equals", 1),
    )
)
metadata_filters = st.builds(
    MetadataFilter,
    filter_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
    name=st.sampled_from(("Bots", "Tests")),
    event_type=st.sampled_from(("", *EVENT_TYPES)),
    conditions=st.lists(_field_tests, max_size=2).map(tuple),
    enabled=_mostly,
)
_decisions = st.dictionaries(
    st.sampled_from(EVENT_TYPES),
    st.builds(EventTypePolicy, hidden=st.booleans(), reach=st.sampled_from(Reach)),
    max_size=1,
)
policies = st.builds(
    Policies,
    surge=surges,
    decays=st.lists(decays, max_size=2, unique_by=lambda it: it.decay_id).map(tuple),
    velocity_filters=st.lists(velocity_filters, max_size=2).map(tuple),
    metadata_filters=st.lists(metadata_filters, max_size=1).map(tuple),
    event_types=_decisions,
)

_mappings = st.lists(
    st.builds(
        FieldMapping, st.uuids(), st.text(max_size=9), st.text(), st.sampled_from(UpdateBehavior)
    ),
    max_size=2,
).map(tuple)
_json_scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9))
_attribute_rules = st.builds(
    AttributeRule,
    st.uuids(),
    st.builds(FieldTest, st.text(max_size=9), st.text(max_size=9), _json_scalars),
    st.integers(-99, 99),
    st.integers(0, 9),
)
_attribute_rulesets = st.lists(
    st.builds(
        AttributeRuleset,
        st.uuids(),
        st.text(max_size=9),
        st.booleans(),
        st.booleans(),
        st.lists(_attribute_rules, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
unscoring_policies = st.fixed_dictionaries(
    {
        "profile_mappings": _mappings,
        "account_mappings": _mappings,
        "profile_rulesets": _attribute_rulesets,
        "account_rulesets": _attribute_rulesets,
        "abm_enabled": st.booleans(),
    }
)
"""Fields of policies that say nothing about engagement, by name."""


# --- Configurations and their history ---


@st.composite
def configs(draw, version: int = 1, *, policies: st.SearchStrategy[Policies] = policies) -> Config:
    chosen = draw(st.sets(st.sampled_from(RULESET_IDS)))
    return Config(
        version=version,
        rulesets=tuple(draw(rulesets(ruleset_id)) for ruleset_id in sorted(chosen)),
        allow_negative_scores=draw(st.booleans()),
        session_timeout_seconds=draw(st.sampled_from((0, 60, 1800, 86_400))),
        policies=draw(policies),
    )


@dataclass(frozen=True)
class Versions:
    """A unit's configurations by version, and the instants from which each was in force."""

    configs: Mapping[int, Config]
    starts: tuple[datetime, ...]
    awarders: Mapping[int, Awarder]

    def __getitem__(self, version: int) -> Config:
        return self.configs[version]

    def at(self, now: datetime) -> int:
        """Return the version that is in force; the first one was from the beginning."""
        return max(1, bisect_right(self.starts, now))

    def history(self, *, known_at: datetime | None = None) -> History:
        """Return what all events are scored under, or what of it is known at an instant."""
        latest = len(self.starts) if known_at is None else self.at(known_at)
        reigns = [
            reign_of(self.configs[version], self.starts[version - 1])
            for version in range(1, latest + 1)
        ]
        return History(self.awarders, Fading.of(reigns))


@st.composite
def histories(draw) -> Versions:
    """One to three config versions, each a whole snapshot; some parts outlast a change."""
    starts = sorted(draw(st.lists(instants, min_size=1, max_size=3)))
    made: dict[int, Config] = {}
    kept: st.SearchStrategy[Policies] = policies
    for version in range(1, len(starts) + 1):
        made[version] = draw(configs(version, policies=kept))
        kept = st.one_of(policies, st.just(made[version].policies))
    awarders = {version: compile_config(config) for version, config in made.items()}
    return Versions(made, tuple(starts), awarders)


# --- Events ---

_event_types = st.one_of(
    st.sampled_from(EVENT_TYPES[:2]), st.sampled_from((*EVENT_TYPES, UNSCORED_TYPE, "DECAY"))
)
_happenings = st.tuples(_event_types, instants, st.sampled_from(METADATA))


def make_event(
    number: int,
    event_type: str,
    at: datetime,
    metadata: Mapping[str, Any],
    *,
    receipt: int,
    version: int,
    versions: Versions,
) -> Event:
    test = versions.awarders[version].metadata_test
    return Event(
        event_id=UUID(int=number),
        event_type=event_type,
        occurred_at=at,
        receipt=receipt,
        version=version,
        fingerprint=fingerprint(metadata),
        is_filtered=test.suppresses(event_type, metadata),
    )


@st.composite
def events(draw, versions: Versions, min_size: int = 0) -> list[Event]:
    """A lead's events in any order; receipts differ and say nothing about that order."""
    drawn = draw(
        st.lists(
            st.tuples(_happenings, st.sampled_from(sorted(versions.configs))),
            min_size=min_size,
            max_size=MOST_EVENTS,
        )
    )
    receipts = draw(st.permutations(range(1, len(drawn) + 1)))
    return [
        make_event(number, *told, receipt=receipt, version=version, versions=versions)
        for number, ((told, version), receipt) in enumerate(zip(drawn, receipts, strict=True))
    ]


@st.composite
def leads(draw) -> tuple[Versions, list[Event]]:
    """A lead's events with the config versions that they are scored under."""
    versions = draw(histories())
    return versions, draw(events(versions))


class Delivery(NamedTuple):
    """Events that come in together, and what the clock says then."""

    now: datetime
    events: list[Event]


# Seconds before it is heard of; below 0 for what is dated ahead.
_delays = st.sampled_from((0, 0, 0.5, 1.999, 2, 2.001, 30, 60, 60.001, 3_600, 90_000, -2, -40_000))
_news = st.tuples(_event_types, st.one_of(_delays, _delays, instants), st.sampled_from(METADATA))


@st.composite
def deliveries(draw, versions: Versions) -> list[Delivery]:
    """A lead's events as they come in, each under the version that is in force by then.

    Most have just happened, others long ago, and some are dated ahead. A delivery without events
    is a moment at which somebody settles what decay has taken by then.
    """
    told = draw(st.lists(st.tuples(instants, st.lists(_news, max_size=4)), max_size=6))
    made: list[Delivery] = []
    receipt = 0
    for now, news in sorted(told, key=lambda delivery: delivery[0]):
        batch = []
        for event_type, when, metadata in news:
            receipt += 1
            at = when if isinstance(when, datetime) else now - timedelta(seconds=when)
            batch.append(
                make_event(
                    receipt,
                    event_type,
                    at,
                    metadata,
                    receipt=receipt,
                    version=versions.at(now),
                    versions=versions,
                )
            )
        made.append(Delivery(now, batch))
    return made


@st.composite
def batches_of(draw, items: list) -> list[list]:
    """Split a list into consecutive batches, some of them perhaps empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(items)), max_size=6)))
    return [items[low:high] for low, high in zip([0, *cuts], [*cuts, len(items)], strict=True)]
