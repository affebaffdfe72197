"""A score explained: ledger entries arranged as a waterfall that ends in the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote

from leadvibe.engine.explain import Step
from leadvibe.engine.facts import Entry, EntryKind
from leadvibe.events.channels import channel_of
from leadvibe.explain.types import ScoreExplanation
from leadvibe.scoring.types import Ruleset
from leadvibe.web.pages.display import (
    Choice,
    Link,
    Moment,
    counted,
    multiplied,
    query_url,
    signed,
    thousands,
)
from leadvibe.web.pages.explanation import (
    Bar,
    Explanation,
    ExplanationGroup,
    LedgerRow,
    direction,
    place_bars,
)
from leadvibe.web.pages.timeline import channel_icon

DEFAULT_WINDOW = "all"
WINDOWS: Mapping[str, timedelta | None] = MappingProxyType(
    {
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        "30d": timedelta(days=30),
        "90d": timedelta(days=90),
        "all": None,
    }
)
WINDOW_NAMES = {"24h": "24 h", "7d": "7 d", "30d": "30 d", "90d": "90 d", "all": "All time"}
WINDOW_LABELS = {
    "24h": "in the last 24 hours",
    "7d": "in the last 7 days",
    "30d": "in the last 30 days",
    "90d": "in the last 90 days",
    "all": "of all time",
}
KIND_LABELS = {
    EntryKind.DECAY: "Decay",
    EntryKind.MERGE: "Merge",
    EntryKind.ADJUSTMENT: "Adjustment",
}
ENTRIES_SHOWN = 25
FEW_TIMES = 8
"""How many times as many entries the link to more of them shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyQuery:
    """What the lead's page explains: which ruleset, over which time, and which group in full."""

    path: str
    """The lead's page."""
    window: str
    ruleset: Ruleset | None
    chosen_ruleset: str = ""
    """As the address says it; empty for the one that stands for the lead."""
    group: str = ""
    entries: int = ENTRIES_SHOWN

    def url(self, **changes: str) -> str:
        window = "" if self.window == DEFAULT_WINDOW else self.window
        return query_url(self.path, {"ruleset": self.chosen_ruleset, "window": window}, **changes)

    def since(self, now: datetime) -> datetime | None:
        length = WINDOWS[self.window]
        return None if length is None else now - length


def build_explanation(
    query: WhyQuery, explained: ScoreExplanation, rulesets: Sequence[Ruleset], *, now: datetime
) -> Explanation:
    """Arrange the steps: what came before the window, one group a step, and the score."""
    steps = [step for step in explained.steps if step.entries]
    gained = sum(step.delta for step in steps)
    opening = explained.score - gained
    opening_bar, bars, score_bar = place_bars(opening, [step.delta for step in steps])
    return Explanation(
        score=thousands(explained.score),
        score_bar=score_bar,
        opening=thousands(opening),
        opening_bar=opening_bar,
        opens_at_zero=explained.since is None,
        gained=signed(gained),
        groups=tuple(
            _group(query, step, bar, explained) for step, bar in zip(steps, bars, strict=True)
        ),
        windows=_windows(query),
        window_label=WINDOW_LABELS[query.window],
        rulesets=_rulesets(query, rulesets),
        ruleset_name=query.ruleset.name if query.ruleset else "",
        note=_note(query.ruleset, now),
    )


def _group(query: WhyQuery, step: Step, bar: Bar, explained: ScoreExplanation) -> ExplanationGroup:
    key, is_open = _key(step), query.group == _key(step)
    shown = query.entries if is_open else ENTRIES_SHOWN
    newest_first = step.entries[: -shown - 1 : -1]
    return ExplanationGroup(
        label=_label(step),
        icon=channel_icon(channel_of(step.label, {})),
        count=counted(len(step.entries), *_counted_as(step)),
        total=signed(step.delta),
        running=thousands(step.running_total),
        bar=bar,
        entries=tuple(
            _row(query, entry, explained.event_types[entry.event_id]) for entry in newest_first
        ),
        more=_more(query, key, shown, len(step.entries)),
        is_open=is_open,
    )


def _key(step: Step) -> str:
    return f"{step.kind}:{step.label}"


def _label(step: Step) -> str:
    return KIND_LABELS.get(EntryKind(step.kind), step.label)


def _counted_as(step: Step) -> tuple[str, str]:
    return ("event", "events") if step.kind == EntryKind.EVENT else ("time", "times")


def _more(query: WhyQuery, key: str, shown: int, count: int) -> Link | None:
    if count <= shown:
        return None
    wanted = min(count, shown * FEW_TIMES)
    label = f"Show {wanted:,} of {count:,} entries"
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
            query.url(window="" if window == DEFAULT_WINDOW else window),
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
