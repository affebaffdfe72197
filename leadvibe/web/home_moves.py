"""How scores moved within a range: levels then and now, who rose, who fell, and mainly why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadvibe.engine.facts import EntryKind
from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Level as ScoreLevel
from leadvibe.identity.types import Scope
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.mixes import ScoreMix, find_mix, read_mix
from leadvibe.scoring.movers import Cause, Movement, Movements, list_causes, list_movements
from leadvibe.scoring.wording import signed
from leadvibe.web.home_range import HomeRange, spell
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.lead_query import UNCLASSIFIED_VALUE
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.display import Level, counted, query_url, share, thousands
from leadvibe.web.pages.explanation import KIND_LABELS, direction
from leadvibe.web.pages.home import LevelCard, LevelPart, LevelRow, Mover, Moves

SHOWN = 6


def build_moves(scope: Scope, span: HomeRange) -> Moves:
    levels = scoring.list_levels(scope)
    moved = list_movements(scope, start=span.starts_at, end=span.ends_at)
    risers, fallers = moved.risers(SHOWN), moved.fallers(SHOWN)
    ids = [it.lead_id for it in (*risers, *fallers)]
    causes = list_causes(scope, ids, start=span.starts_at, end=span.ends_at)
    cut = LevelCut(levels)
    return Moves(
        levels=_levels(scope, span, moved, levels, cut),
        risers=tuple(_mover(it, causes.get(it.lead_id, ()), cut) for it in risers),
        fallers=tuple(_mover(it, causes.get(it.lead_id, ()), cut) for it in fallers),
        note="" if moved.is_complete else "Among the leads that were active last.",
    )


def _mover(lead: Movement, causes: Sequence[Cause], cut: LevelCut) -> Mover:
    return Mover(
        name=lead.name,
        url=f"{lead_path(lead.lead_id)}#why",
        change=signed(lead.change),
        score=thousands(lead.score),
        level=badge_of(cut, lead.score),
        reason=_reason(lead, causes),
    )


def _reason(lead: Movement, causes: Sequence[Cause]) -> str:
    """Say what moved the score most in the direction in which it moved."""
    if not causes:
        return ""
    main = causes[0] if lead.change > 0 else causes[-1]
    what = KIND_LABELS.get(EntryKind(main.kind), main.event_type)
    often = counted(main.times, "time")
    return f"{what}, {often}: {signed(main.points)}"


def _levels(
    scope: Scope,
    span: HomeRange,
    moved: Movements,
    levels: Sequence[ScoreLevel],
    cut: LevelCut,
) -> LevelCard:
    now = read_mix(scope)
    before, label, note = _mix_before(scope, span, moved, now)
    counts, counts_before = _by_level(now, cut), _by_level(before or {}, cut)
    shown = [*(Level(it.name, it.color) for it in reversed(levels)), Level(UNCLASSIFIED)]
    shown = [it for it in shown if it.name != UNCLASSIFIED or counts.get(it.name)]
    return LevelCard(
        now=_parts(shown, counts),
        before=_parts(shown, counts_before),
        rows=tuple(
            _level_row(it, counts, counts_before, is_known=before is not None) for it in shown
        ),
        now_label="Now",
        before_label=label,
        note=note,
    )


def _mix_before(
    scope: Scope, span: HomeRange, moved: Movements, now: ScoreMix
) -> tuple[ScoreMix | None, str, str]:
    """Return what scores were when the range began, the day, and what is to be said about it."""
    if moved.is_complete:
        return moved.mix_before(now, span.starts_at), spell(span.first), ""
    noted = find_mix(scope, span.first, span.end)
    if noted is None:
        return None, "", "What it was then is not known: it is noted once a day from now on."
    is_later = noted.day > span.first
    note = f"Noted since {spell(noted.day)}: what it was before is not known." if is_later else ""
    return noted.leads, spell(noted.day), note


def _by_level(mix: ScoreMix, cut: LevelCut) -> dict[str, int]:
    counts: dict[str, int] = {}
    for score, leads in mix.items():
        name = cut.name_of(score)
        counts[name] = counts.get(name, 0) + leads
    return counts


def _parts(levels: Sequence[Level], counts: Mapping[str, int]) -> tuple[LevelPart, ...]:
    total, x, parts = sum(counts.values()), 0.0, []
    for level in levels:
        if not counts.get(level.name):
            continue
        width = counts[level.name] * 100 / total
        label = f"{level.name}: {thousands(counts[level.name])}"
        parts.append(
            LevelPart(x=round(x, 3), width=round(width, 3), color=level.color, label=label)
        )
        x += width
    return tuple(parts)


def _level_row(
    level: Level, now: Mapping[str, int], before: Mapping[str, int], *, is_known: bool
) -> LevelRow:
    count, then = now.get(level.name, 0), before.get(level.name, 0)
    value = UNCLASSIFIED_VALUE if level.name == UNCLASSIFIED else level.name
    return LevelRow(
        level=level,
        url=query_url(LEADS, {"level": value}),
        now=thousands(count),
        share=f"{share(count, sum(now.values()))} %",
        before=thousands(then) if is_known else "",
        change=signed(count - then) if is_known else "",
        direction=direction(count - then) if is_known else "flat",
    )
