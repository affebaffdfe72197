"""Random configurations and streams of events, as plain values, for checks against the reference.

Values come from small pools and gaps from just on either side of every boundary, so that rules
match, windows fill and periods end exactly where something else happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

START = datetime(2025, 3, 3, 8, tzinfo=UTC)
TYPES = ("page_view", "email_open", "demo_request", "unsubscribe")
UNSCORED = "never_in_a_rule"
RULESETS = tuple(str(UUID(int=number)) for number in (1, 2, 3))
METADATA: tuple[dict[str, Any], ...] = (
    {},
    {"campaign": 1},
    {"campaign": 1, "url": "https://a.example"},
    {"campaign": 1, "url": "https://b.example"},
    {"campaign": 2},
    {"agent": "HeadlessChrome 99"},
    {"agent": "Safari", "clicks": 12},
)
CONDITIONS = (
    {"key": "agent", "operator": "contains", "value": "headless"},
    {"key": "agent", "operator": "exists", "value": None},
    {"key": "campaign", "operator": "equals", "value": 2},
    {"key": "campaign", "operator": "not_equals", "value": 1},
    {"key": "clicks", "operator": "gt", "value": 11},
)
GAPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0, 0, 0.5, 1, 1.999, 2, 2.001, 10, 29.999, 30, 59.999, 60, 60.001, 240, 1799.999, 1800,
        1800.001, 3600, 7_200, 7_201, 40_000, 86_400, 90_000, 259_200, 700_000,
    )
)  # fmt: skip
SURGES: tuple[dict[str, Any], ...] = (
    {"mode": "off", "bands": [], "idle_reset_seconds": 1800, "cap_percent": 100},
    {
        "mode": "standard",
        "bands": [[1, 100], [3, 125], [5, 150], [10, 200]],
        "idle_reset_seconds": 1800,
        "cap_percent": 200,
    },
    {
        "mode": "gentle",
        "bands": [[1, 100], [5, 110], [10, 125], [20, 150]],
        "idle_reset_seconds": 1800,
        "cap_percent": 150,
    },
    {"mode": "custom", "bands": [[2, 133], [3, 275]], "idle_reset_seconds": 60, "cap_percent": 222},
    {"mode": "custom", "bands": [[1, 150]], "idle_reset_seconds": 7200, "cap_percent": 300},
)


def make_versions(dice: Random) -> dict[int, tuple[datetime, dict[str, Any]]]:
    """Return one to three configurations, each made from the one before by changing some of it."""
    versions: dict[int, tuple[datetime, dict[str, Any]]] = {}
    starts_at = START - timedelta(days=dice.choice((0, 1, 30)))
    snapshot: dict[str, Any] = {}
    for version in range(1, dice.choice((1, 1, 2, 3)) + 1):
        snapshot = {**snapshot, **make_parts(dice, starts_at, kept=0.5 if snapshot else 0)}
        policies = {**snapshot.get("policies", {})}
        policies |= make_policies(dice, starts_at, kept=0.5 if policies else 0)
        snapshot = {**snapshot, "version": version, "policies": policies}
        versions[version] = (starts_at, snapshot)
        starts_at += timedelta(hours=dice.choice((0, 1, 24, 100)), seconds=dice.choice((0, 0.001)))
    return versions


def make_parts(dice: Random, now: datetime, *, kept: float) -> dict[str, Any]:
    """Return new values for some parts of a configuration: each is left out with a chance."""
    parts = {
        "rulesets": [make_ruleset(dice, it, now) for it in RULESETS[: dice.randint(1, 3)]],
        "allow_negative_scores": dice.random() < 0.4,
        "session_timeout_seconds": dice.choice((0, 60, 1800)),
    }
    return {name: part for name, part in parts.items() if dice.random() >= kept}


def make_policies(dice: Random, now: datetime, *, kept: float) -> dict[str, Any]:
    """Return new values for some policies, as make_parts does."""
    policies = {
        "surge": make_surge(dice),
        "decays": [make_decay(dice, now) for _ in range(dice.choice((0, 1, 1, 2)))],
        "velocity_filters": [make_velocity(dice) for _ in range(dice.choice((0, 1, 2, 3)))],
        "metadata_filters": [make_metadata_filter(dice) for _ in range(dice.choice((0, 0, 1, 2)))],
        "event_types": {it: make_decision(dice) for it in dice.sample(TYPES, dice.choice((0, 1)))},
    }
    return {name: policy for name, policy in policies.items() if dice.random() >= kept}


def make_ruleset(dice: Random, ruleset_id: str, now: datetime) -> dict[str, Any]:
    rules = [
        {
            "rule_id": make_id(dice),
            "event_type": event_type,
            "weight": dice.choice((-60, -7, 0, 1, 3, 5, 25, 100)),
            "active": dice.random() < 0.9,
            **make_window(dice, now),
        }
        for event_type in (*TYPES, "DECAY")
        if dice.random() < 0.8
    ]
    return {
        "ruleset_id": ruleset_id,
        "name": f"Ruleset {ruleset_id[-1]}",
        "is_primary": ruleset_id == RULESETS[0],
        "active": dice.random() < 0.9,
        **make_window(dice, now),
        "rules": rules,
    }


def make_window(dice: Random, now: datetime) -> dict[str, str | None]:
    start, end = (
        (now + sum(dice.choices(GAPS, k=3), timedelta())).isoformat()
        if dice.random() < 0.1
        else None
        for _ in range(2)
    )
    return {"start_at": start, "end_at": end}


def make_surge(dice: Random) -> dict[str, Any]:
    surge = dice.choice(SURGES)
    bands = [{"min_events": at, "multiplier_percent": percent} for at, percent in surge["bands"]]
    return {**surge, "bands": bands}


def make_decay(dice: Random, now: datetime) -> dict[str, Any]:
    periods = ((2, "hours"), (1, "days"), (1, "days"), (3, "days"), (1, "weeks"))
    inactive_for, unit = dice.choice(periods)
    return {
        "decay_id": make_id(dice),
        "inactive_for": inactive_for,
        "unit": unit,
        "decrease": dice.choice((1, 4, 30)),
        "created_at": (now - dice.choice((timedelta(0), *GAPS))).isoformat(),
    }


def make_velocity(dice: Random) -> dict[str, Any]:
    return {
        "filter_id": make_id(dice),
        "event_type": dice.choice(TYPES[:2]),
        "count_threshold": dice.choice((0, 1, 1, 2, 3)),
        "time_window_ms": dice.choice((1, 2_000, 30_000, 60_000, 3_600_000)),
        "group_events": dice.random() < 0.5,
    }


def make_metadata_filter(dice: Random) -> dict[str, Any]:
    return {
        "filter_id": make_id(dice),
        "name": f"Filter {dice.random()}",
        "event_type": dice.choice(("", *TYPES)),
        "conditions": dice.sample(CONDITIONS, dice.choice((1, 1, 2))),
        "enabled": dice.random() < 0.9,
    }


def make_decision(dice: Random) -> dict[str, Any]:
    return {
        "hidden": dice.random() < 0.5,
        "reach": dice.choice(("observe", "decide", "activate")),
    }


def make_events(dice: Random, versions: dict[int, Any]) -> list[dict[str, Any]]:
    """Return a lead's events in order of time; receipts say in which order they were received."""
    number = dice.choice((0, 1, 3, 8, 15))
    receipts = dice.sample(range(1, 100), number)
    return [
        {
            "event_id": make_id(dice),
            "event_type": event_type,
            "at": at,
            "receipt": receipt,
            "version": dice.choice(list(versions)),
            "metadata": metadata,
        }
        for receipt, (at, event_type, metadata) in zip(receipts, make_moments(dice), strict=False)
    ]


def make_moments(dice: Random) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """Yield what somebody does and when, without end: mostly in a burst, then after a pause."""
    at, event_type, metadata = START, dice.choice(TYPES), dice.choice(METADATA)
    while True:
        yield at, event_type, metadata
        at += dice.choice(GAPS[:12] if dice.random() < 0.7 else GAPS)
        if dice.random() < 0.5:
            event_type = dice.choice((*TYPES, *TYPES, UNSCORED, "DECAY"))
        if dice.random() < 0.5:
            metadata = dice.choice(METADATA)


def make_id(dice: Random) -> str:
    return str(UUID(int=dice.getrandbits(128)))
