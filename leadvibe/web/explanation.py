"""A score explained: ledger entries arranged as a waterfall that ends in the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from urllib.parse import quote

from leadvibe.engine.facts import Entry, EntryKind
from leadvibe.explain.types import SpanExplanation
from leadvibe.scoring.movements import EntryGroup, Opened, Span
from leadvibe.scoring.types import Ruleset
from leadvibe.scoring.wording import signed
from leadvibe.web.event_icons import mover_icon
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.chart import ScoreChart
from leadvibe.web.pages.display import MONTHS, Choice, Link, Moment, counted, multiplied, thousands
from leadvibe.web.pages.explanation import (
    KIND_LABELS,
    AsOf,
    Bar,
    Explanation,
    ExplanationGroup,
    LedgerRow,
    direction,
    place_bars,
)

RECENT, ALL = "30d", "all"
WINDOWS: Mapping[str, timedelta | None] = MappingProxyType(
    {
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        RECENT: timedelta(days=30),
        "90d": timedelta(days=90),
        ALL: None,
    }
)
WINDOW_NAMES = {"24h": "24 h", "7d": "7 d", RECENT: "30 d", "90d": "90 d", ALL: "All time"}
WINDOW_LABELS = {
    "24h": "24 hours",
    "7d": "7 days",
    RECENT: "30 days",
    "90d": "90 days",
}
ENTRIES_SHOWN = 25
FEW_TIMES = 8
"""How many times as many entries the link to more of them shows."""
LONGEST_WAY_BACK = 365
"""Days that the slider reaches; the date field reaches all of them."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyQuery:
    """What the lead's page explains: which ruleset, over which time, and which group in full."""

    state: LeadState
    window: str
    default_window: str
    """The one that the address does not name."""
    ruleset: Ruleset | None
    as_of: date | None = None
    """The past day whose end is explained; None for now."""
    group: str = ""
    entries: int = ENTRIES_SHOWN

    def url(self, **changes: str) -> str:
        return self.state.url(**changes)

    def until(self, now: datetime) -> datetime:
        if self.as_of is None:
            return now
        return datetime.combine(self.as_of, time(), UTC) + timedelta(days=1) - _INSTANT

    def span(self, now: datetime) -> Span:
        """Return the time explained. Without a day it is open, for what is dated ahead of now."""
        length = WINDOWS[self.window]
        since = None if length is None else self.until(now) - length
        return Span(since, None if self.as_of is None else self.until(now))

    @property
    def opened(self) -> Opened | None:
        kind, _, event_type = self.group.partition(":")
        return Opened(kind, event_type, self.entries) if event_type else None

    @property
    def window_label(self) -> str:
        if self.window == ALL:
            return "until then" if self.as_of else "so far"
        length = WINDOW_LABELS[self.window]
        return f"in the {length} until then" if self.as_of else f"in the last {length}"


def read_day(text: str, *, now: datetime) -> date | None:
    """Read the day that an address names; None unless it is one that has passed."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year >= 1970 and day < now.astimezone(UTC).date() else None  # noqa: PLR2004 - no lead is older


def build_explanation(
    query: WhyQuery,
    explained: SpanExplanation,
    chart: ScoreChart,
    rulesets: Sequence[Ruleset],
    *,
    began_at: datetime,
    now: datetime,
) -> Explanation:
    """Arrange the groups: what came before the window, one bar each, and the score."""
    deltas = [group.delta for group in explained.groups]
    opening_bar, bars, score_bar = place_bars(explained.opening, deltas)
    running, groups = explained.opening, []
    for group, bar in zip(explained.groups, bars, strict=True):
        running += group.delta
        groups.append(_group(query, group, bar, running))
    return Explanation(
        score=thousands(explained.score),
        score_bar=score_bar,
        opening=thousands(explained.opening),
        opening_bar=opening_bar,
        opens_at_zero=query.window == ALL,
        gained=signed(sum(deltas)),
        groups=tuple(groups),
        windows=_windows(query),
        window_label=query.window_label,
        rulesets=_rulesets(query, rulesets),
        ruleset_name=query.ruleset.name if query.ruleset else "",
        note=_note(query.ruleset, now),
        as_of=_as_of(query, began_at, now),
        chart=chart,
    )


def _as_of(query: WhyQuery, began_at: datetime, now: datetime) -> AsOf:
    today, began = now.astimezone(UTC).date(), began_at.astimezone(UTC).date()
    day = query.as_of or today
    kept = {name: value for name, value in query.state.params.items() if name != "as_of"}
    return AsOf(
        day=day.isoformat(),
        label=f"{day.day} {MONTHS[day.month - 1]} {day.year}" if query.as_of else "now",
        is_past=query.as_of is not None,
        first_day=min(began, day).isoformat(),
        today=today.isoformat(),
        days_back=max(1, min(LONGEST_WAY_BACK, (today - began).days)),
        place=(day - today).days,
        action_url=query.state.path,
        kept=tuple(kept.items()),
        now_url=query.url(as_of=""),
    )


def _group(query: WhyQuery, group: EntryGroup, bar: Bar, running: int) -> ExplanationGroup:
    key = _key(group)
    is_open = query.group == key
    return ExplanationGroup(
        label=KIND_LABELS.get(EntryKind(group.kind), group.event_type),
        icon=mover_icon(group.kind, group.event_type),
        count=counted(group.count, *_counted_as(group)),
        total=signed(group.delta),
        running=thousands(running),
        bar=bar,
        entries=tuple(_row(query, entry, group.event_type) for entry in group.entries),
        more=_more(query, key, group),
        is_open=is_open,
    )


def _key(group: EntryGroup) -> str:
    return f"{group.kind}:{group.event_type}"


def _counted_as(group: EntryGroup) -> tuple[str, str]:
    return ("event", "events") if group.kind == EntryKind.EVENT else ("time", "times")


def _more(query: WhyQuery, key: str, group: EntryGroup) -> Link | None:
    if group.count <= len(group.entries):
        return None
    wanted = min(group.count, len(group.entries) * FEW_TIMES)
    label = f"Show {wanted:,} of {group.count:,} entries"
    url = query.url(group=key, entries=str(wanted))
    return Link(label, f"{url}#why")


def _row(query: WhyQuery, entry: Entry, event_type: str) -> LedgerRow:
    event_id = str(entry.event_id)
    return LedgerRow(
        at=Moment.of(entry.occurred_at),
        event_id=event_id,
        event_url=f"{query.url(event=event_id)}#event-{quote(event_id)}",
        rule=_rule(entry, event_type),
        weight=signed(entry.weight),
        multiplier=multiplied(entry.multiplier_percent / 100),
        before=thousands(entry.before),
        delta=signed(entry.delta),
        after=thousands(entry.after),
        direction=direction(entry.delta),
    )


def _rule(entry: Entry, event_type: str) -> str:
    what = KIND_LABELS.get(EntryKind(entry.kind), event_type)
    return f"{what} · version {entry.version}"


def _windows(query: WhyQuery) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            name,
            window,
            window == query.window,
            query.url(window="" if window == query.default_window else window),
        )
        for window, name in WINDOW_NAMES.items()
    )


def _rulesets(query: WhyQuery, rulesets: Sequence[Ruleset]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            ruleset.name,
            str(ruleset.ruleset_id),
            query.ruleset is not None and ruleset.ruleset_id == query.ruleset.ruleset_id,
            query.url(ruleset=str(ruleset.ruleset_id)),
        )
        for ruleset in rulesets
    )


def _note(ruleset: Ruleset | None, now: datetime) -> str:
    if ruleset is None:
        return ""
    if not ruleset.active:
        return "This ruleset is paused: new events give no points in it."
    if ruleset.start_at and now < ruleset.start_at:
        return f"This ruleset starts on {Moment.of(ruleset.start_at).text}."
    if ruleset.end_at and ruleset.end_at <= now:
        return f"This ruleset ended on {Moment.of(ruleset.end_at).text}."
    return ""
