"""What a segment's members are like: their levels, scores and age, and how many convert.

Each is held against all leads of the unit, for a share alone says little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any, TypeVar

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import LevelKind
from leadvibe.events.days import list_days
from leadvibe.events.queries import list_event_types
from leadvibe.identity.types import Scope
from leadvibe.leadlist.analysis import Converted, Makeup, count_converted, describe_members
from leadvibe.leads.histograms import tally_scores
from leadvibe.leads.queries import count_listed
from leadvibe.lib.recently import Dated, Recently
from leadvibe.scoring import queries as scoring
from leadvibe.segments.membership import Audience
from leadvibe.web.pages.display import (
    MONTHS,
    UNCLASSIFIED_COLOR,
    Choice,
    Level,
    Moment,
    counted,
    query_url,
    thousands,
)
from leadvibe.web.pages.segment_analysis import (
    Analysis,
    Bar,
    Columns,
    Conversion,
    MixRow,
    Rate,
)

T = TypeVar("T")

WEEKS = 12
SPANS = (7, 30, 90)
USUAL_SPAN = 30
MOST_LOOKED_AT, MOST_MET = 2_000_000, 500_000
"""Events of a span, and those of the type among them: more take longer than a second."""
HEIGHT = 120
FILLED = 0.72
"""The part of a column's place that it takes."""
MOST_BINS = 16
_WIDTHS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_500, 5_000, 10_000)
NEARLY_ALL = 0.99
"""Of leads: higher scores share the last column, so that a single one does not flatten all."""
LARGE = 50_000
"""Leads from which on looking takes long enough for what was seen to be kept."""

_made_up: Recently[Makeup] = Recently()
_converted: Recently[Converted] = Recently()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose members are looked at, and as what: `state` names the rules and what they rest on."""

    scope: Scope
    audience: Audience
    state: str
    now: datetime
    is_afresh: bool = False

    def look(self, kept: Recently[T], look: Callable[[], T], *asked: str) -> Dated[T]:
        """Look, or in a large unit take what was seen some minutes ago."""
        if count_listed(self.scope) < LARGE:
            return Dated(self.now, look())
        key = (self.scope.unit_id, self.state, *asked)
        return kept.find(key, look, now=self.now, is_afresh=self.is_afresh)


def analyse(subject: Subject, *, url: str, event_type: str, days: str) -> Analysis | None:
    """Return what the members are like; None when there are none."""
    scope, now = subject.scope, subject.now
    since = _first_monday(now)
    seen_at, made_up = subject.look(
        _made_up, lambda: describe_members(scope, subject.audience, since=since)
    )
    if not made_up.total:
        return None
    all_scores = tally_scores(scope)
    total = max(sum(all_scores.values()), made_up.total)
    part = _percent(made_up.total, total)
    converted_at, conversion = _conversion(
        subject, made_up, total, event_type=event_type, days=days
    )
    oldest_at = min(seen_at, converted_at)
    return Analysis(
        url=url,
        as_of=Moment.of(oldest_at) if oldest_at < now else None,
        afresh_url=query_url(
            url, {"view": "analysis", "event": event_type, "days": days, "afresh": "1"}
        ),
        total=f"{counted(made_up.total, 'lead')}, {part} of all {thousands(total)}.",
        levels=tuple(_mix(scope, made_up.scores, all_scores)),
        scores=_score_columns(made_up.scores, all_scores),
        newcomers=_week_columns(made_up.weeks, since.date()),
        conversion=conversion,
    )


def _first_monday(now: datetime) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=now.weekday(), weeks=WEEKS - 1)


# Levels


def _mix(
    scope: Scope, scores: Mapping[int, int], all_scores: Mapping[int, int]
) -> Iterator[MixRow]:
    config = scoring.get_config(scope, scoring.current_version(scope))
    levels = sorted(config.levels_of(LevelKind.ENGAGEMENT), key=lambda it: -it.min_score)
    cut = LevelCut(levels)
    members, leads = _by_level(cut, scores), _by_level(cut, all_scores)
    shown = [Level(it.name, it.color) for it in levels]
    if members[UNCLASSIFIED] or leads[UNCLASSIFIED]:
        shown.append(Level(UNCLASSIFIED, UNCLASSIFIED_COLOR))
    for level in shown:
        mine, of_all = members[level.name], leads[level.name]
        yield MixRow(
            level=level,
            count=thousands(mine),
            share=_percent(mine, members.total()),
            width=_width(mine, members.total()),
            share_of_all=_percent(of_all, leads.total()),
            width_of_all=_width(of_all, leads.total()),
        )


def _by_level(cut: LevelCut, scores: Mapping[int, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for score, leads in scores.items():
        counts[cut.name_of(score)] += leads
    return counts


# Scores


def _score_columns(scores: Mapping[int, int], all_scores: Mapping[int, int]) -> Columns:
    bins = _bins(scores, all_scores)
    mine, of_all = _sorted_into(bins, scores), _sorted_into(bins, all_scores)
    total, total_of_all = max(sum(mine), 1), max(sum(of_all), 1)
    top = max(max(mine) / total, max(of_all) / total_of_all) or 1
    place = 100 / len(bins)
    bars = []
    for number, (low, high) in enumerate(bins):
        height = round(mine[number] / total / top * HEIGHT, 1)
        height_beside = round(of_all[number] / total_of_all / top * HEIGHT, 1)
        bars.append(
            Bar(
                label=_range(low, high, is_open=number == len(bins) - 1),
                value=f"{_percent(mine[number], total)} ({thousands(mine[number])})",
                beside=_percent(of_all[number], total_of_all),
                **_placed(number, place),
                y=HEIGHT - height,
                height=height,
                y_beside=HEIGHT - height_beside,
                height_beside=height_beside,
                tick=thousands(low) if number % 2 == 0 else "",
            )
        )
    return Columns(
        title="Scores",
        note="How many members have which score, in percent; the line is all leads.",
        height=HEIGHT,
        bars=tuple(bars),
        top=f"{100 * top:.0f} %",
        label_heading="Score",
        value_heading="Members",
        beside_heading="All leads",
    )


def _bins(*tallies: Mapping[int, int]) -> list[tuple[int, int]]:
    """Cut the scores into at most MOST_BINS ranges of one round width; the last is open above."""
    lowest = min(0, *(min(it, default=0) for it in tallies))
    highest = max(1, *(_score_below_which(it, NEARLY_ALL) for it in tallies))
    for width in _WIDTHS:
        first = lowest // width * width
        if (highest - first) // width < MOST_BINS:
            break
    else:
        width = -(-(highest - lowest) // MOST_BINS) + 1
        first = lowest
    count = (highest - first) // width + 1
    return [(first + n * width, first + (n + 1) * width - 1) for n in range(count)]


def _score_below_which(scores: Mapping[int, int], part: float) -> int:
    """Return the lowest score that at least such a part of the leads do not exceed."""
    if not scores:
        return 0
    ordered = sorted(scores)
    sums = list(accumulate(scores[it] for it in ordered))
    return ordered[bisect_left(sums, part * sums[-1])]


def _sorted_into(bins: Sequence[tuple[int, int]], scores: Mapping[int, int]) -> list[int]:
    first, width = bins[0][0], bins[0][1] - bins[0][0] + 1
    counts = [0] * len(bins)
    for score, leads in scores.items():
        counts[min(max((score - first) // width, 0), len(bins) - 1)] += leads
    return counts


def _range(low: int, high: int, *, is_open: bool) -> str:
    if is_open:
        return f"{thousands(low)} or more"
    return thousands(low) if low == high else f"{thousands(low)} to {thousands(high)}"


# Newcomers


def _week_columns(weeks: Mapping[date, int], first: date) -> Columns:
    mondays = [first + timedelta(weeks=n) for n in range(WEEKS)]
    top, place = max(1, *(weeks.get(it, 0) for it in mondays)), 100 / WEEKS
    bars = []
    for number, monday in enumerate(mondays):
        height = round(weeks.get(monday, 0) / top * HEIGHT, 1)
        bars.append(
            Bar(
                label=f"Week of {_day(monday)}",
                value=thousands(weeks.get(monday, 0)),
                **_placed(number, place),
                y=HEIGHT - height,
                height=height,
                tick=_day(monday) if number % 3 == 0 else "",
            )
        )
    return Columns(
        title="New members",
        note="Members of today by the week in which they were first seen.",
        height=HEIGHT,
        bars=tuple(bars),
        top=thousands(top),
        label_heading="Week",
        value_heading="Members",
    )


def _day(at: date) -> str:
    return f"{at.day} {MONTHS[at.month - 1]}"


# Conversion


def _conversion(
    subject: Subject, made_up: Makeup, total: int, *, event_type: str, days: str
) -> Dated[Conversion | None]:
    scope, now = subject.scope, subject.now
    types = [it.name for it in list_event_types(scope) if not it.hidden]
    if not types:
        return Dated(now, None)
    chosen = event_type if event_type in types else _telling_type(scope, types)
    span = int(days) if days in map(str, SPANS) else USUAL_SPAN
    shown = Conversion(
        event_types=tuple(Choice(it, it, it == chosen) for it in types),
        spans=tuple(Choice(f"{it} days", str(it), it == span) for it in SPANS),
    )
    since = now - timedelta(days=span)
    if problem := _find_problem(scope, chosen, since):
        return Dated(now, replace(shown, problem=problem))
    at, did = subject.look(
        _converted,
        lambda: count_converted(scope, subject.audience, event_type=chosen, since=since),
        chosen,
        str(span),
    )
    mine, of_all = did.members / made_up.total, did.leads / total
    rates = (
        _rate("This segment", did.members, made_up.total, top=max(mine, of_all)),
        _rate("All leads", did.leads, total, top=max(mine, of_all), is_of_all=True),
    )
    return Dated(at, replace(shown, rates=rates, verdict=_verdict(mine, of_all)))


def _find_problem(scope: Scope, event_type: str, since: datetime) -> str:
    """Say why the events since then cannot be looked through; empty when they can."""
    days = list_days(scope, since=since.date())
    of_type = sum(events for day, events in days.items() if day.event_type == event_type)
    if of_type > MOST_MET:
        looked_at, advice = of_type, "Choose fewer days, or an event that is rarer."
    else:
        looked_at, advice = sum(days.values()), "Choose fewer days."
        if looked_at <= MOST_LOOKED_AT:
            return ""
    return (
        f"{thousands(looked_at)} events came in that time, more than can be looked through while"
        f" you wait. {advice}"
    )


def _telling_type(scope: Scope, types: Sequence[str]) -> str:
    """Return the event that weighs most in the score that counts: what is hoped for, as a rule."""
    primary = scoring.find_primary(scope)
    rules = scoring.list_rules(scope, ruleset_id=primary.ruleset_id) if primary else []
    wanted = (it.event_type for it in rules if it.weight > 0 and it.event_type in types)
    return next(wanted, types[0])


def _rate(name: str, did: int, whole: int, *, top: float, is_of_all: bool = False) -> Rate:
    return Rate(
        name=name,
        count=f"{thousands(did)} of {counted(whole, 'lead')}",
        rate=_percent(did, whole),
        width=_width(did / whole, top),
        is_of_all=is_of_all,
    )


def _verdict(mine: float, of_all: float) -> str:
    if not of_all:
        return "Nobody did it in that time."
    ratio = mine / of_all
    if not ratio:
        return "No member did it in that time."
    if 0.95 <= ratio <= 1.05:  # noqa: PLR2004 - what a reader takes for equal
        return "As often as all leads."
    return f"{ratio:.1f} times as often as all leads." if ratio >= 0.1 else "Hardly ever."  # noqa: PLR2004


# Geometry and numbers


def _placed(number: int, place: float) -> dict[str, Any]:
    return {
        "x": round((number + (1 - FILLED) / 2) * place, 3),
        "width": round(FILLED * place, 3),
        "tick_x": round((number + 0.5) * place, 3),
    }


def _width(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole else 0


def _percent(part: float, whole: float) -> str:
    """12%, 3.4%, <0.1%: small ones with a digit more."""
    percent = 100 * part / whole if whole else 0
    if percent == 0 or percent >= 10:  # noqa: PLR2004 - where a digit more says nothing
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 0.1 else "<0.1 %"  # noqa: PLR2004
