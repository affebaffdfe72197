"""Why a score moved in a window that holds very many entries, from sums and the newest of them.

Says what engine.explain says of the entries one by one. An event is counted once for each rule that
scored it, which is the same: a ruleset has one rule for an event type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from leadvibe.engine.explain import (
    BROUGHT_FORWARD,
    Driver,
    Explanation,
    Step,
    SurgeBoost,
    boost_of,
    in_order_of_boosts,
    in_order_of_drivers,
)
from leadvibe.engine.facts import EntryKind
from leadvibe.engine.policies import PLAIN_PERCENT
from leadvibe.explain.types import SpanExplanation
from leadvibe.scoring.movements import EntrySum


def explain_sums(
    shown: Sequence[EntrySum], of_all: Iterable[EntrySum], *, since: datetime | None
) -> Explanation:
    """Explain a window by what rules did in the ruleset that is shown, and decay in all."""
    return Explanation(
        since=since,
        top_drivers=in_order_of_drivers(_drivers(shown)),
        surge_boosts=in_order_of_boosts(_boosts(shown)),
        decay_applied=sum(it.delta for it in of_all if it.kind == EntryKind.DECAY),
    )


def steps_of(explained: SpanExplanation) -> Iterator[Step]:
    """Yield the steps of a waterfall, each with as many entries as were read."""
    running_total = explained.opening
    if running_total or not explained.groups:
        yield Step(BROUGHT_FORWARD, "", running_total, running_total, (), 0)
    for it in explained.groups:
        running_total += it.delta
        entries = tuple(reversed(it.entries))
        yield Step(it.event_type, it.kind, it.delta, running_total, entries, it.count)


def _drivers(sums: Iterable[EntrySum]) -> Iterator[Driver]:
    by_type: dict[str, list[EntrySum]] = {}
    for it in sums:
        if it.kind == EntryKind.EVENT:
            by_type.setdefault(it.event_type, []).append(it)
    for event_type, some in by_type.items():
        newest = max(some, key=lambda it: it.seq)
        total, count = sum(it.delta for it in some), sum(it.times for it in some)
        yield Driver(event_type, total, count, newest.rule_id, newest.weight)


def _boosts(sums: Iterable[EntrySum]) -> Iterator[SurgeBoost]:
    raised: dict[tuple[str, int], list[EntrySum]] = {}
    for it in sums:
        if it.multiplier_percent != PLAIN_PERCENT:
            raised.setdefault((it.event_type, it.multiplier_percent), []).append(it)
    for (event_type, percent), some in raised.items():
        yield SurgeBoost(
            event_type=event_type,
            base=sum(it.weight * it.times for it in some),
            multiplier_percent=percent,
            boost=sum(boost_of(it.weight, percent) * it.times for it in some),
            event_count=sum(it.times for it in some),
        )
