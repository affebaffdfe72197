"""Parts of a configuration in words, for summaries of versions and for differences between them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from pydantic_core import to_json

from leadvibe.engine.policies import (
    PLAIN_PERCENT,
    Band,
    DecayRule,
    FieldTest,
    MetadataFilter,
    VelocityFilter,
)
from leadvibe.engine.rules import Level, Rule
from leadvibe.scoring.condition_words import words_of_test


def words_of_rule(rule: Rule) -> str:
    """Say what an engagement rule does."""
    return f"Each {rule.event_type} {effect_of(rule.weight)}"


def signed(weight: int) -> str:
    """+1,200, \N{MINUS SIGN}12 or 0."""
    return f"{weight:+,}".replace("-", "\N{MINUS SIGN}") if weight else "0"


def effect_of(weight: int) -> str:
    """Say what a weight does to a score, as the end of a sentence."""
    if weight == 0:
        return "changes nothing"
    return f"adds {points(weight)}" if weight > 0 else f"takes {points(-weight)} away"


def range_of(level: Level) -> str:
    """Say which scores a level holds."""
    if level.max_score is None:
        return f"{level.min_score} and more"
    return f"{level.min_score} to {level.max_score}"


def inactivity_of(rule: DecayRule) -> str:
    """Say how long somebody must be inactive for the rule to take points."""
    unit = rule.unit.value if rule.inactive_for != 1 else rule.unit.value.removesuffix("s")
    return f"{rule.inactive_for} {unit}"


def words_of_decay(rule: DecayRule) -> str:
    """Say what the rule takes, and after how long."""
    return f"{points(rule.decrease)} less after {inactivity_of(rule)} without activity"


def rate_of(velocity: VelocityFilter) -> str:
    """Say which rate is still organic."""
    seconds = velocity.time_window_ms / 1000
    return f"{velocity.count_threshold} within {seconds:g} s"


def kept_by(velocity: VelocityFilter) -> str:
    """Say what still counts of a burst beyond that rate."""
    return "the first of a burst" if velocity.group_events else "events up to the limit"


def words_of_velocity(velocity: VelocityFilter) -> str:
    """Say what the filter lets through."""
    return f"{velocity.event_type}, at most {rate_of(velocity)}"


def words_of_conditions(tests: Iterable[FieldTest]) -> str:
    """Say what all must hold."""
    return " and ".join(map(words_of_test, tests))


def exact_words_of(tests: Iterable[FieldTest]) -> str:
    """Say it with values as JSON, so that 5 and "5" can be told apart."""
    return " and ".join(f"{it.key} {it.operator} {to_json(it.value).decode()}" for it in tests)


def events_of(one: MetadataFilter) -> str:
    """Say which events the filter looks at."""
    return one.event_type or "any"


def multiplier(percent: int) -> str:
    """Write a percentage as the multiplier that people know it by."""
    return f"{percent / PLAIN_PERCENT:g}x"


def words_of_bands(bands: Iterable[Band]) -> str:
    """Say from which event of a session on weights count how much."""
    words = (f"{multiplier(it.multiplier_percent)} from event {it.min_events}" for it in bands)
    return ", ".join(words) or "none"


def points(count: int) -> str:
    return f"{count} point" if abs(count) == 1 else f"{count} points"


def instant(at: datetime | None) -> str:
    """Write an instant as people read it, in UTC: a whole day as such, else to the second."""
    if at is None:
        return "none"
    day = f"{at.day} {at:%b %Y}"
    return day if at.time() == time.min else f"{day} {at:%H:%M:%S} UTC"


def until(at: datetime | None) -> str:
    """Write when something ends: at midnight, the day that it counts on last."""
    if at is None or at.time() != time.min:
        return instant(at)
    return f"the end of {instant(at - timedelta(days=1))}"
