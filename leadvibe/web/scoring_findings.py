"""What a preview has found, in words, bars and rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from htmx_flask import request

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.policies import DECAY_TYPE, FieldTest
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import Milestone as MilestoneShape
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts
from leadvibe.leads.queries import list_names
from leadvibe.lib.paging import PageRequest
from leadvibe.rescoring import queries
from leadvibe.rescoring.findings import Comparison, Milestone
from leadvibe.rescoring.reasons import Shift, explain_moves
from leadvibe.rescoring.types import Direction, Preview, PreviewKind
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.condition_words import words_of_test
from leadvibe.scoring.wording import signed
from leadvibe.triggers.queries import list_active_triggers
from leadvibe.web.account_paths import account_path
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.pages.display import (
    UNCLASSIFIED_COLOR,
    Choice,
    Fact,
    Level,
    Pager,
    counted,
    duration,
    pager_label,
    query_url,
    share,
    thousands,
)
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.scoring_previews import (
    AlertRow,
    Bar,
    Chart,
    LevelRow,
    MoverRow,
    Result,
    ShiftWords,
)
from leadvibe.web.scoring_bar import Drafted
from leadvibe.web.trigger_paths import trigger_path

SHOWN_IN_SHORT = 3
SHOWN = 10
REASONS_SHOWN = 3
CHART_WIDTH, CHART_HEIGHT = 640, 150
GAP = 2.0
MOST_TICKS = 9
FEWEST_SLOTS = 8
"""So that the bars of few buckets are no walls."""

TITLES = {
    PreviewKind.ENGAGEMENT: "Engagement",
    PreviewKind.PROFILE: "Profile",
    PreviewKind.ACCOUNT: "Account",
}
_SHOWN_LABELS = {
    Direction.ANY: "All",
    Direction.UP: "Up",
    Direction.DOWN: "Down",
    Direction.LEVEL: "New level",
}


class Movers(NamedTuple):
    """Which leads are asked for."""

    direction: Direction
    page: int


def wanted_movers(kind: PreviewKind) -> Movers:
    """Read from the address which leads to list of a kind of score."""
    chosen, number = request.args.get(f"{kind}", ""), request.args.get(f"{kind}_page", "1")
    is_number = number.isdecimal() and len(number) <= len(str(LAST_PAGE))
    return Movers(
        Direction(chosen) if chosen in frozenset(Direction) else Direction.ANY,
        min(max(int(number), 1), LAST_PAGE) if is_number else 1,
    )


def in_short(drafted: Drafted, preview: Preview, *, url: str) -> Result:  # noqa: ARG001
    """Return the most important of what was found."""
    scope = drafted.principal.scope
    leads = queries.list_largest_moves(scope, preview.walk_id, limit=SHOWN_IN_SHORT)
    return _result(scope, preview, movers=_movers(scope, preview, leads))


def in_whole(drafted: Drafted, preview: Preview, *, url: str) -> Result:
    """Return all that was found, with the leads that the address asks for."""
    scope, movers = drafted.principal.scope, wanted_movers(preview.kind)
    request_ = PageRequest(movers.page, SHOWN)
    found = queries.search_preview_leads(
        scope, preview.walk_id, request_, direction=movers.direction
    )
    shown = _result(scope, preview, movers=_movers(scope, preview, found.items, with_reasons=True))
    first = request_.offset + 1
    total = found.total.count
    return Result(
        kind=shown.kind,
        title=shown.title,
        subjects=shown.subjects,
        headline=shown.headline,
        facts=shown.facts,
        levels=shown.levels,
        movers=shown.movers,
        chart=None if is_still(preview) else _chart(preview),
        alerts=_alerts(scope, preview),
        shown=() if is_still(preview) else _choices(preview.kind, movers, url),
        pager=_pager(preview.kind, movers, url, first=first, shown=len(found.items), total=total),
        movers_label=counted(total, noun_of(preview)),
    )


def noun_of(preview: Preview) -> str:
    """Say what a preview is of, one of them."""
    return "account" if preview.kind is PreviewKind.ACCOUNT else "lead"


def is_still(preview: Preview) -> bool:
    """Say whether a preview has found that nothing would move."""
    found = preview.findings
    return not (found.affected or found.level_changes or found.new_leads)


def headline(preview: Preview) -> str:
    """Say in a sentence what a preview has found."""
    found, noun = preview.findings, noun_of(preview)
    if not found.leads and not found.new_leads:
        return f"There are no {noun}s yet, so nothing would move."
    if is_still(preview):
        return f"No score would change: {counted(found.leads, noun)} looked at."
    moved = f"{thousands(found.affected)} of {counted(found.leads, noun)} would get another score"
    if not found.level_changes:
        return f"{moved}, and none another level."
    return f"{moved}, {thousands(found.level_changes)} another level."


def _result(scope: Scope, preview: Preview, *, movers: Sequence[MoverRow]) -> Result:
    return Result(
        kind=preview.kind,
        title=TITLES[preview.kind],
        subjects=f"{noun_of(preview).capitalize()}s",
        headline=headline(preview),
        facts=tuple(_facts(preview)),
        levels=tuple(_levels(scope, preview)),
        movers=tuple(movers),
    )


def _facts(preview: Preview) -> list[Fact]:
    found, moved = preview.findings, preview.findings.movement
    average = round(moved.total / found.leads, 1) if found.leads else 0.0
    facts = [
        Fact("Up", thousands(moved.increases)),
        Fact("Down", thousands(moved.decreases)),
        Fact("Unchanged", thousands(found.leads - found.affected)),
        Fact("On average", f"{average:+.1f}".replace("-", "\N{MINUS SIGN}") if average else "0"),
    ]
    if found.new_leads:
        facts.append(Fact("New leads", thousands(found.new_leads)))
    if preview.kind is PreviewKind.ENGAGEMENT:
        facts.append(Fact("A rescore takes about", duration(max(preview.rescore_seconds, 1))))
    return facts


def _levels(scope: Scope, preview: Preview) -> list[LevelRow]:
    """Return the levels there will be, the highest first, then those there are only now."""
    kind, before = LevelKind(preview.kind), scoring.get_config(scope, preview.version)
    after = preview.config
    colors = _colors(before, kind) | _colors(after, kind)
    names = dict.fromkeys((
        *(it.name for it in reversed(after.levels_of(kind))),
        *(it.name for it in reversed(before.levels_of(kind))),
        UNCLASSIFIED,
    ))  # fmt: skip
    old, new = preview.findings.old_levels, preview.findings.new_levels
    longest = max((*old.values(), *new.values(), 1))
    return [
        _level_row(Level(name, colors.get(name, UNCLASSIFIED_COLOR)), old.get(name, 0),
                   new.get(name, 0), longest)
        for name in names
        if name != UNCLASSIFIED or old.get(name, 0) or new.get(name, 0)
    ]  # fmt: skip


def _level_row(level: Level, before: int, after: int, longest: int) -> LevelRow:
    return LevelRow(
        level=level,
        before=thousands(before),
        after=thousands(after),
        change=signed(after - before) if after != before else "",
        direction=direction(after - before),
        before_width=max(share(before, longest), int(before > 0)),
        after_width=max(share(after, longest), int(after > 0)),
    )


def _colors(config: Config, kind: LevelKind) -> dict[str, str]:
    return {it.name: it.color for it in config.levels_of(kind)}


def _movers(
    scope: Scope, preview: Preview, leads: Sequence[Comparison], *, with_reasons: bool = False
) -> list[MoverRow]:
    known = [lead.lead_id for lead in leads if not lead.is_new]
    is_of_accounts = preview.kind is PreviewKind.ACCOUNT
    names = (accounts.list_names if is_of_accounts else list_names)(scope, known)
    path_of = account_path if is_of_accounts else lead_path
    moves = explain_moves(scope, preview, known) if with_reasons else {}
    kind = LevelKind(preview.kind)
    old = _colors(scoring.get_config(scope, preview.version), kind)
    new = _colors(preview.config, kind)

    def badge(name: str, colors: dict[str, str]) -> Level:
        return Level(name, colors.get(name, UNCLASSIFIED_COLOR))

    return [
        MoverRow(
            name="A new lead" if lead.is_new else names.get(lead.lead_id) or lead.lead_id,
            url=path_of(lead.lead_id) if lead.lead_id in names else "",
            before=thousands(lead.old_score),
            after=thousands(lead.new_score),
            change=signed(lead.change),
            direction=direction(lead.change),
            old_level=badge(lead.old_level, old) if lead.old_level != lead.new_level else None,
            new_level=badge(lead.new_level, new),
            reasons=tuple(map(_words, moves.get(lead.lead_id, ())[:REASONS_SHOWN])),
        )
        for lead in leads
    ]


def _words(shift: Shift) -> ShiftWords:
    subject = shift.subject
    if isinstance(subject, FieldTest):
        subject = words_of_test(subject)
    return ShiftWords(
        subject="Decay" if subject == DECAY_TYPE else subject,
        before=signed(shift.before),
        after=signed(shift.after),
        direction=direction(shift.change),
    )


def _choices(kind: PreviewKind, wanted: Movers, url: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(label, way, way is wanted.direction, url=_movers_url(kind, way, 1, url))
        for way, label in _SHOWN_LABELS.items()
    )


def _movers_url(kind: PreviewKind, way: Direction, page: int, url: str) -> str:
    params = {name: value for name, value in request.args.items() if not name.startswith(kind)}
    chosen = "" if way is Direction.ANY else way.value
    return query_url(url, params, **{kind: chosen, f"{kind}_page": str(page) if page > 1 else ""})


def _pager(
    kind: PreviewKind, wanted: Movers, url: str, *, first: int, shown: int, total: int
) -> Pager | None:
    if total <= SHOWN:
        return None
    last = first + shown - 1

    def page(number: int) -> str:
        return _movers_url(kind, wanted.direction, number, url)

    return Pager(
        label=pager_label(first, last, total),
        previous_url=page(wanted.page - 1) if wanted.page > 1 else None,
        next_url=page(wanted.page + 1) if last < total else None,
    )


def _chart(preview: Preview) -> Chart | None:
    """Draw both distributions, bucket beside bucket, gaps between buckets included."""
    buckets, noun = preview.findings.buckets(), noun_of(preview)
    if not buckets:
        return None
    width = buckets[0][1] - buckets[0][0] + 1
    counts = {start: (before, after) for start, _, before, after in buckets}
    starts = range(buckets[0][0], buckets[-1][0] + 1, width)
    if len(starts) > CHART_WIDTH // 4:
        starts = range(0)  # a few leads far apart: the table says it better
    highest = max(max(before, after) for before, after in counts.values())
    slot = CHART_WIDTH / max(len(starts), FEWEST_SLOTS)
    bars = tuple(
        _bar(
            x=place * slot,
            slot=slot,
            scores=(start, start + width - 1),
            counts=counts.get(start, (0, 0)),
            highest=highest,
        )
        for place, start in enumerate(starts)
    )
    step = -(-len(starts) // MOST_TICKS) or 1
    ticks = tuple(
        (round(place * slot, 1), thousands(start))
        for place, start in enumerate(starts)
        if place % step == 0
    )
    return Chart(
        width=CHART_WIDTH,
        height=CHART_HEIGHT,
        bars=bars,
        ticks=ticks,
        top=counted(highest, noun),
        label=f"{noun.capitalize()}s by score, in steps of {width} points",
    )


def _bar(
    *, x: float, slot: float, scores: tuple[int, int], counts: tuple[int, int], highest: int
) -> Bar:
    (low, high), (before, after) = scores, counts

    def height(count: int) -> float:
        return round(max(count / highest * CHART_HEIGHT, 1.5 if count else 0), 1)

    return Bar(
        label=f"{thousands(low)} to {thousands(high)}",
        before=thousands(before),
        after=thousands(after),
        x=round(x, 1),
        width=round(max((slot - GAP) / 2, 1.0), 1),
        before_y=CHART_HEIGHT - height(before),
        before_height=height(before),
        after_y=CHART_HEIGHT - height(after),
        after_height=height(after),
    )


def _alerts(scope: Scope, preview: Preview) -> tuple[AlertRow, ...]:
    """Say of each milestone trigger how many leads would come to be above it, and below."""
    found = preview.findings.milestones
    rows = []
    for trigger in list_active_triggers(scope) if found else ():
        shape = trigger.shape
        if isinstance(shape, MilestoneShape) and shape.ruleset_id is None:
            milestone = found.get(shape.score_threshold)
            if milestone is not None:
                rows.append(AlertRow(
                    name=trigger.name or f"Score reaches {shape.score_threshold}",
                    url=trigger_path(trigger.kind, trigger.trigger_id),
                    threshold=thousands(shape.score_threshold),
                    text=say_alert(shape.score_threshold, milestone),
                ))  # fmt: skip
    return tuple(rows)


def say_alert(threshold: int, milestone: Milestone) -> str:
    """Say who would come to have a milestone's score, who no longer, and how often in all."""
    score, times = counted(threshold, "point"), milestone.times
    come, go = counted(milestone.entering, "more lead"), counted(milestone.leaving, "lead")
    if milestone.entering:
        left = go if milestone.leaving else "none"
        moved = f"{come} would have {score} or more, and {left} would drop below"
    elif milestone.leaving:
        moved = f"{go} would drop below {score}, and none would come up to it"
    else:
        moved = f"The same leads as now would have {score} or more"
    often = {1: "once", 2: "twice"}.get(times, counted(times, "time"))
    reached = f"it would have been reached {often}" if times else "nobody would have reached it"
    return f"{moved}. Over all of history {reached}."
