"""The figures of a range beside those of as many days before, read from counts that are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from leadvibe.engine.levels import LevelCut
from leadvibe.events import days
from leadvibe.events.days import Mix
from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.types import LeadFilter, Sort
from leadvibe.leads import histograms
from leadvibe.leads.histograms import Moment as LeadMoment
from leadvibe.leads.queries import count_listed
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.wording import signed
from leadvibe.web.charts import Point, draw_columns
from leadvibe.web.home_range import ONE_DAY, TODAY, HomeRange, midnight, spell
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.lead_rows import detail_parts
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.display import Moment, counted, query_url, share, spell_share, thousands
from leadvibe.web.pages.home import ChartCard, Figure, MixCard, MixRow, TopLead
from leadvibe.web.pages.timeline import channel_icon

TOP = 8
MIX_ROWS = 8
MOST_BY_THE_HOUR = 100_000
"""Events of today and yesterday up to which they are counted by the hour: 40 ms."""
ONE_HOUR = timedelta(hours=1)
HOURS = 24

Figures = tuple[tuple[Figure, ...], tuple[ChartCard, ...], tuple[MixCard, ...]]


def build_figures(
    scope: Scope, span: HomeRange, hidden: Collection[str], *, now: datetime
) -> Figures:
    """Return the numbers on top, the charts, and what the events are made of."""
    mix = days.count_mix(scope, span.first, span.end, hidden=hidden)
    before = days.count_mix(scope, span.before, span.first, hidden=hidden)
    created = histograms.list_created(scope, midnight(span.before), midnight(span.end))
    events = _event_points(scope, span, mix, before, hidden, now=now)
    leads = list(_lead_points(span, created, now=now))
    made = sum(it.value for it in leads)
    event_figure = Figure(
        label="Events",
        value=thousands(mix.total),
        url="#home-types",
        **_compared(sum(it.value for it in events), sum(it.before for it in events)),
    )
    lead_figure = Figure(
        label="New leads",
        value=thousands(made),
        url=query_url(
            LEADS,
            {
                "created_from": span.first.isoformat(),
                "created_to": span.last.isoformat(),
                "sort": "-created",
            },
        ),
        **_compared(made, sum(it.before for it in leads)),
    )
    return (
        (event_figure, lead_figure, *_active(scope, span), _total(scope)),
        (
            _card("home-events", "Events", event_figure, events, span, unit=("event", "events")),
            _card(
                "home-leads", "New leads", lead_figure, leads, span, unit=("new lead", "new leads")
            ),
        ),
        (
            _types(mix, None if span.key == TODAY else before),
            _channels(mix, None if span.key == TODAY else before),
        ),
    )


def build_top(scope: Scope) -> tuple[TopLead, ...]:
    """Return the leads with the highest scores now."""
    cut = LevelCut(scoring.list_levels(scope))
    found = search_leads(scope, LeadFilter(), Sort(), PageRequest(1, TOP))
    return tuple(
        TopLead(
            name=line.name,
            detail=detail_parts(line.detail),
            url=f"{lead_path(line.lead_id)}#why",
            score=thousands(line.score),
            level=badge_of(cut, line.score),
            last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
        )
        for line in found.items
    )


def _event_points(
    scope: Scope,
    span: HomeRange,
    mix: Mix,
    before: Mix,
    hidden: Collection[str],
    *,
    now: datetime,
) -> list[Point]:
    if not _is_by_the_hour(span, mix, before):
        return list(_daily(span, mix.by_day, before.by_day))
    counts = days.count_hours(scope, midnight(span.before), midnight(span.end), hidden=hidden)
    return list(_hourly(span, counts, now=now))


def _is_by_the_hour(span: HomeRange, mix: Mix, before: Mix) -> bool:
    return span.days == 1 and mix.total + before.total <= MOST_BY_THE_HOUR


def _lead_points(
    span: HomeRange, created: Mapping[datetime, int], *, now: datetime
) -> Iterator[Point]:
    if span.days == 1:
        return _hourly(span, created, now=now)
    by_day: Counter[date] = Counter()
    for hour, leads in created.items():
        by_day[hour.astimezone(UTC).date()] += leads
    return _daily(span, by_day, by_day)


def _daily(
    span: HomeRange, counts: Mapping[date, int], before: Mapping[date, int]
) -> Iterator[Point]:
    for number in range(span.days):
        day, then = span.first + number * ONE_DAY, span.before + number * ONE_DAY
        yield Point(
            f"{day:%a} {spell(day)}", f"{day.day} {day:%b}", counts.get(day, 0), before.get(then, 0)
        )


def _hourly(span: HomeRange, counts: Mapping[datetime, int], *, now: datetime) -> Iterator[Point]:
    """Yield the hours of a day; of the day before only those that this one has had, too."""
    for hour in range(HOURS):
        at = midnight(span.first) + hour * ONE_HOUR
        then = at - ONE_DAY if at <= now else None
        label = f"{hour:02}:00 to {hour + 1:02}:00 UTC"
        yield Point(label, f"{hour:02}:00", counts.get(at, 0), counts.get(then, 0) if then else 0)


def _compared(value: int, before: int) -> dict[str, str]:
    """Say by how many percent a number rose or fell; from nothing nothing can be told."""
    if before == 0:
        return {"change": "", "direction": "flat"}
    percent = round((value - before) * 100 / before)
    direction = "up" if percent > 0 else "down" if percent < 0 else "flat"
    return {"change": f"{signed(percent)} %", "direction": direction}


def _active(scope: Scope, span: HomeRange) -> tuple[Figure, ...]:
    """Return how many leads were active; of a range that is over it is not known any more."""
    if not span.is_open:
        return ()
    active = histograms.count_between(scope, LeadMoment.ACTIVE, since=span.starts_at, before=None)
    listed = count_listed(scope)
    return (
        Figure(
            label="Active leads",
            value=thousands(active),
            url=query_url(LEADS, {"last_active": span.first.isoformat(), "sort": "-last_active"}),
            note=f"{spell_share(active, listed)} of all",
        ),
    )


def _total(scope: Scope) -> Figure:
    return Figure(label="Leads in all", value=thousands(count_listed(scope)), url=LEADS)


def _card(
    id_: str,
    title: str,
    figure: Figure,
    points: list[Point],
    span: HomeRange,
    *,
    unit: tuple[str, str],
) -> ChartCard:
    label = "the same hours of yesterday" if span.key == TODAY else span.label_before
    is_whole = len(points) == 1
    return ChartCard(
        id=id_,
        title=title,
        figure=figure,
        chart=draw_columns(points, unit=unit, before=f"{span.label_before}"),
        before=label[:1].upper() + label[1:],
        note=f"By the hour up to {MOST_BY_THE_HOUR:,} events in two days." if is_whole else "",
    )


def _types(mix: Mix, before: Mix | None) -> MixCard:
    rows = _mix_rows(mix.by_type, before.by_type if before else None)
    left_out = list(mix.by_type.values())[MIX_ROWS:]
    rest = f"{counted(len(left_out), 'other type')}: {thousands(sum(left_out))}."
    return MixCard(
        id="home-types",
        title="Events by type",
        column="Type",
        rows=tuple(
            replace(row, url=query_url(LEADS, {"event_type": row.label, "sort": "-last_active"}))
            for row in rows
        ),
        note=rest if left_out else "",
    )


def _channels(mix: Mix, before: Mix | None) -> MixCard:
    rows = _mix_rows(mix.by_channel, before.by_channel if before else None)
    return MixCard(
        id="home-channels",
        title="Events by channel",
        column="Channel",
        rows=tuple(replace(row, icon=channel_icon(row.label)) for row in rows),
    )


def _mix_rows(now: Mapping[str, int], before: Mapping[str, int] | None) -> Iterator[MixRow]:
    """Yield the most frequent; without a `before`, as of today, nothing is compared."""
    total, largest = sum(now.values()), max(now.values(), default=0)
    for name, count in list(now.items())[:MIX_ROWS]:
        yield MixRow(
            label=name,
            count=thousands(count),
            share=spell_share(count, total),
            length=share(count, largest),
            **_mix_change(count, None if before is None else before.get(name, 0)),
        )


def _mix_change(count: int, before: int | None) -> dict[str, str]:
    if before is None:
        return {"change": "", "direction": "flat"}
    return _compared(count, before) if before else {"change": "new", "direction": "flat"}
