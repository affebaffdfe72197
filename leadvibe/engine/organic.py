"""Telling people from machines: which events do not count, and why.

In this order: a metadata filter takes out what it describes; of events alike within two seconds
(a scanner that opens everything at once) one stands for all; then velocity filters count the rest,
per type, over a rolling window. Every event is judged by the filters of its own config version, and
by its place in time alone, so the order of arrival changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from json import dumps
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from leadvibe.engine.conditions import Condition, holds, parse_operator
from leadvibe.engine.facts import Event
from leadvibe.engine.policies import FieldTest, MetadataFilter, VelocityFilter

MICRO_BURST = timedelta(seconds=2)


class Suppression(StrEnum):
    """Why an event does not count."""

    METADATA = "metadata_filter"
    RATE = "inorganic"
    GROUPED = "inorganic_grouped"


class Seen(NamedTuple):
    """An event of the past, judged before: what it takes to judge the ones around it.

    `stands_alone` is False for one that a micro-burst folded into another.
    """

    event: Event
    reason: str | None
    stands_alone: bool


class Judgement(NamedTuple):
    """Why events do not count, by receipt; those without a reason are left out.

    `folded` are the receipts that a micro-burst folded into another event. `overturns` says that an
    event of the past which counted does not any more: the lead has to be replayed.
    """

    reasons: Mapping[int, str]
    folded: Collection[int]
    overturns: bool


NOTHING_SUPPRESSED = Judgement({}, (), overturns=False)

VelocityFilters: TypeAlias = Mapping[str, Sequence[VelocityFilter]]
"""The filters of one config version, by event type."""


class MetadataTest:
    """The metadata filters of a config version, ready to use."""

    def __init__(self, filters: Iterable[MetadataFilter]) -> None:
        self._by_type: dict[str, list[tuple[Condition, ...]]] = defaultdict(list)
        for one in filters:
            if one.enabled and one.conditions:
                self._by_type[one.event_type].append(tuple(map(condition_of, one.conditions)))
        self.concerns_all = "" in self._by_type
        self.event_types = frozenset(self._by_type)

    def __bool__(self) -> bool:
        return bool(self._by_type)

    def concerns(self, event_type: str) -> bool:
        """Say whether any filter looks at events of the type."""
        return self.concerns_all or event_type in self.event_types

    def suppresses(self, event_type: str, metadata: Mapping[str, Any]) -> bool:
        """Say whether some filter takes the event out: all its conditions hold."""
        return any(
            all(holds(condition, metadata) for condition in conditions)
            for key in {event_type, ""}
            for conditions in self._by_type.get(key, ())
        )


def condition_of(test: FieldTest) -> Condition:
    """Return the test as a condition. Raises ConditionError for one that means nothing."""
    return Condition(test.key, parse_operator(test.operator), test.value)


def fingerprint(metadata: Mapping[str, Any]) -> int:
    """Return a number that is the same for metadata that differs in addresses alone.

    63 bits: two events of one lead within two seconds are not alike by chance.
    """
    rest = {key: _plain(value) for key, value in metadata.items() if not _is_address(key)}
    document = dumps(rest, sort_keys=True, separators=(",", ":"), default=str)
    digest = blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _plain(value: object) -> object:
    """Write whole numbers as such: a database gives 1e25 back as an integer."""
    if isinstance(value, float):
        return int(Decimal(repr(value))) if value.is_integer() else value
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _is_address(key: str) -> bool:
    name = key.lower()
    return name.endswith(("url", "uri", "href")) or name == "link"


def judge(
    new: Iterable[Event], past: Iterable[Seen], filters_of: Callable[[int], VelocityFilters]
) -> Judgement:
    """Judge the new events of one lead, given those of its past that they may meet in a window.

    `filters_of` gives a config version's filters. The past need only reach back twice the longest
    window and a micro-burst, and need only hold the types that a filter names.
    """
    reasons: dict[int, str] = {}
    by_type: defaultdict[str, list[Seen]] = defaultdict(list)
    for event in new:
        if event.is_filtered:
            reasons[event.receipt] = Suppression.METADATA.value
        else:
            by_type[event.event_type].append(Seen(event, None, stands_alone=True))
    fresh = {seen.event.receipt for run in by_type.values() for seen in run}
    for seen in past:
        if seen.event.event_type in by_type and seen.reason != Suppression.METADATA:
            by_type[seen.event.event_type].append(seen)
    folded: set[int] = set()
    overturns = False
    for event_type, run in by_type.items():
        if not any(filters_of(seen.event.version).get(event_type) for seen in run):
            continue
        run.sort(key=lambda seen: (seen.event.occurred_at, seen.event.receipt))
        singles = _fold_micro_bursts(run, fresh, filters_of, reasons, folded)
        verdicts = _judge_velocity([seen.event for seen in singles], filters_of)
        for seen, verdict in zip(singles, verdicts, strict=True):
            if seen.event.receipt not in fresh:
                overturns |= verdict == Suppression.GROUPED and seen.reason is None
            elif verdict is not None:
                reasons[seen.event.receipt] = verdict
    return Judgement(reasons, folded, overturns)


def _fold_micro_bursts(
    run: Sequence[Seen],
    fresh: Collection[int],
    filters_of: Callable[[int], VelocityFilters],
    reasons: dict[int, str],
    folded: set[int],
) -> list[Seen]:
    """Return the events that stand for themselves, having noted the others."""
    singles: list[Seen] = []
    first_at: dict[int, datetime] = {}
    for seen in run:
        event = seen.event
        own = filters_of(event.version).get(event.event_type)
        began = first_at.get(event.fingerprint)
        if event.receipt not in fresh:
            is_alone = seen.stands_alone
        else:
            is_alone = not own or began is None or event.occurred_at - began >= MICRO_BURST
        if is_alone:
            singles.append(seen)
            if own:  # others have no fingerprint that anybody took
                first_at[event.fingerprint] = event.occurred_at
        elif event.receipt in fresh and own:
            folded.add(event.receipt)
            groups = any(one.group_events for one in own)
            reasons[event.receipt] = (Suppression.GROUPED if groups else Suppression.RATE).value
    return singles


def _judge_velocity(
    events: Sequence[Event], filters_of: Callable[[int], VelocityFilters]
) -> list[str | None]:
    """Return why each of a type's events does not count, given in order; None for those that do."""
    times = [event.occurred_at for event in events]
    own = [filters_of(event.version).get(event.event_type, ()) for event in events]
    verdicts: list[str | None] = [None] * len(events)
    distinct = dict.fromkeys(one for some in own for one in some)
    # Rates first: what is over one is so at once, and no burst found later may say otherwise.
    for velocity in sorted(distinct, key=attrgetter("group_events")):
        is_subject = [velocity in some for some in own]
        for place, over in enumerate(_over_rate(times, is_subject, velocity)):
            if over and is_subject[place] and verdicts[place] is None:
                verdicts[place] = over
    return verdicts


def _over_rate(
    times: Sequence[datetime], is_subject: Sequence[bool], velocity: VelocityFilter
) -> list[str | None]:
    """Say, event by event, what one filter makes of a run of events.

    All are counted, but only one that is subject to the filter can find that it is too many: a
    filter that is gone finds nothing more.
    """
    verdicts: list[str | None] = [None] * len(times)
    in_burst_until = 0  # events before this place belong to the burst found last
    burst_from = 0
    for place, at in enumerate(times):
        begin = bisect_right(times, at - velocity.window, 0, place)
        if not is_subject[place] or place - begin + 1 <= velocity.count_threshold:
            continue
        if not velocity.group_events:
            verdicts[place] = Suppression.RATE.value
            continue
        if begin >= in_burst_until:
            burst_from = begin  # no event in common with the burst before: a new one
        for member in range(max(burst_from + 1, in_burst_until), place + 1):
            verdicts[member] = Suppression.GROUPED.value
        in_burst_until = place + 1
    return verdicts
