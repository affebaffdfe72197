"""Hypothesis strategies for configurations, their histories and the events scored under them.

Event types, rulesets and instants come from small pools, so that rules really match, versions
really change the same ruleset, and events really collide in time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from leadvibe.engine.facts import Event
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset

EVENT_TYPES = ("page_view", "demo_request", "unsubscribe", "Page View")
UNSCORED_TYPE = "never_in_a_rule"
RULESET_IDS = tuple(UUID(int=number) for number in (1, 2, 3))
START = datetime(2025, 1, 1, tzinfo=UTC)
MOST_EVENTS = 14

percents = st.sampled_from((100, 110, 125, 150, 175, 200, 333))

# Close together, over one day, over a fortnight: gaps on both sides of every session timeout.
_minutes = st.one_of(st.integers(0, 8), st.integers(0, 600), st.integers(0, 20_000))
instants = _minutes.map(lambda minutes: START + timedelta(minutes=minutes))

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


@st.composite
def configs(draw, version: int = 1) -> Config:
    chosen = draw(st.sets(st.sampled_from(RULESET_IDS)))
    return Config(
        version=version,
        rulesets=tuple(draw(rulesets(ruleset_id)) for ruleset_id in sorted(chosen)),
        allow_negative_scores=draw(st.booleans()),
        session_timeout_seconds=draw(st.sampled_from((0, 60, 1800, 86_400))),
    )


@st.composite
def histories(draw) -> dict[int, Config]:
    """One to three config versions, each a whole snapshot, by their numbers."""
    versions = range(1, draw(st.integers(1, 3)) + 1)
    return {version: draw(configs(version=version)) for version in versions}


@st.composite
def events(draw, history: dict[int, Config], min_size: int = 0) -> list[Event]:
    """A lead's events in any order; receipts differ and say nothing about that order."""
    happenings = st.tuples(
        st.sampled_from((*EVENT_TYPES, UNSCORED_TYPE)), instants, st.sampled_from(sorted(history))
    )
    drawn = draw(st.lists(happenings, min_size=min_size, max_size=MOST_EVENTS))
    receipts = draw(st.permutations(range(1, len(drawn) + 1)))
    return [
        Event(UUID(int=number), event_type, at, receipt, version)
        for number, ((event_type, at, version), receipt) in enumerate(
            zip(drawn, receipts, strict=True)
        )
    ]


@st.composite
def leads(draw) -> tuple[dict[int, Config], list[Event]]:
    """A lead's events with the config versions that they are scored under."""
    history = draw(histories())
    return history, draw(events(history))


@st.composite
def batches_of(draw, items: list) -> list[list]:
    """Split a list into consecutive batches, some of them perhaps empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(items)), max_size=6)))
    return [items[low:high] for low, high in zip([0, *cuts], [*cuts, len(items)], strict=True)]
