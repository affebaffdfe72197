"""The rows of the leads list, its heads and its pager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.rules import Level as ScoreLevel
from leadvibe.identity.types import Scope
from leadvibe.leadlist.facts import FactReader, Facts
from leadvibe.leadlist.queries import highest_score
from leadvibe.leadlist.types import LeadLine, SortKey
from leadvibe.leads.naming import SEPARATOR
from leadvibe.leadviews.types import Column
from leadvibe.lib.paging import Page
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import SIZES, LeadQuery
from leadvibe.web.lead_record import say
from leadvibe.web.pages.display import (
    UNCLASSIFIED_COLOR,
    Choice,
    Level,
    Moment,
    Pager,
    pager_label,
    share,
    thousands,
)
from leadvibe.web.pages.leads import LeadRow, SortHeader, SortHeaders

ASCENDING_FIRST = frozenset({SortKey.NAME})
ALIASES_SHOWN = 3


def build_rows(
    scope: Scope, config: Config, wanted: LeadQuery, lines: Sequence[LeadLine], reader: FactReader
) -> tuple[LeadRow, ...]:
    if not lines:
        return ()
    levels = LevelCut(config.levels_of(LevelKind.ENGAGEMENT))
    top = _top_score(scope, wanted, lines)
    facts = reader.read([line.lead_id for line in lines])
    return tuple(_row(line, levels, top, facts[line.lead_id], reader.recorded) for line in lines)


def _top_score(scope: Scope, wanted: LeadQuery, lines: Sequence[LeadLine]) -> int:
    """Return the score that a full bar stands for: the highest in the unit."""
    if wanted.is_best_first:
        return lines[0].score
    return highest_score(scope)


def _row(
    line: LeadLine, levels: LevelCut, top: int, facts: Facts, recorded: Sequence[Column]
) -> LeadRow:
    level, url = levels.level_of(line.score), lead_path(line.lead_id)
    return LeadRow(
        id=line.lead_id,
        url=url,
        why_url=f"{url}#why",
        name=line.name,
        detail=detail_parts(line.detail),
        score=thousands(line.score),
        score_share=share(line.score, top),
        level=level.name if level else UNCLASSIFIED,
        level_color=level.color if level else UNCLASSIFIED_COLOR,
        event_type=line.last_event_type or "",
        last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
        events=thousands(line.event_count),
        sessions=thousands(line.session_count),
        created_at=Moment.of(line.created_at),
        ruleset_scores=tuple(map(thousands, facts.ruleset_scores)),
        profile_score=thousands(facts.profile_score),
        profile_level=badge_of(facts.profile_level),
        aliases=_few(facts.aliases),
        owner=line.owner_name or "",
        account=facts.account,
        account_score=thousands(facts.account_score) if facts.account_id else "",
        account_level=badge_of(facts.account_level) if facts.account_id else None,
        title=facts.title,
        company=facts.company,
        recorded=tuple(_say_cell(it, facts.recorded) for it in recorded),
    )


def _say_cell(column: Column, record: Mapping[str, Any]) -> str | Moment:
    said = say(column, record.get(column))
    currency = record.get(Column.CURRENCY) if column is Column.VALUE and said else None
    return f"{said} {currency}" if currency else said


def detail_parts(detail: str | None) -> tuple[str, ...]:
    """Return the best alias and the company apart, so that a narrow list cuts only the first."""
    return tuple(detail.split(SEPARATOR, 1)) if detail else ()


def badge_of(level: ScoreLevel | None) -> Level:
    """Return what shows a level; one in no level is unclassified."""
    return Level(level.name, level.color) if level else _UNCLASSIFIED


_UNCLASSIFIED = Level(UNCLASSIFIED)


def _few(aliases: Sequence[str]) -> str:
    more = len(aliases) - ALIASES_SHOWN
    shown = ", ".join(aliases[:ALIASES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def build_sort_headers(wanted: LeadQuery) -> SortHeaders:
    return SortHeaders(
        lead=_sort_header(wanted, "Lead", SortKey.NAME),
        score=_sort_header(wanted, "Score", SortKey.SCORE),
        last_active=_sort_header(wanted, "Last event", SortKey.LAST_ACTIVE),
        created=_sort_header(wanted, "Created", SortKey.CREATED),
    )


def _sort_header(wanted: LeadQuery, label: str, key: SortKey) -> SortHeader:
    if wanted.sort.key is not key:
        first = key.value if key in ASCENDING_FIRST else f"-{key}"
        return SortHeader(label=label, url=wanted.url(sort=first))
    is_descending = wanted.sort.is_descending
    turned = key.value if is_descending else f"-{key}"
    direction = "descending" if is_descending else "ascending"
    return SortHeader(label=label, url=wanted.url(sort=turned), direction=direction)


def build_pager(wanted: LeadQuery, found: Page[LeadLine] | None) -> Pager:
    if found is None:
        return Pager(label="")
    page, offset, shown = found.request.page, found.request.offset, len(found.items)
    total = found.total
    # A page beyond the count's cap shows that there are at least as many as it has reached.
    known = max(total.count, offset + shown)
    has_more = offset + shown < total.count or (total.is_capped and shown == found.request.size)
    return Pager(
        label=pager_label(offset + 1, offset + shown, known, capped=total.is_capped),
        previous_url=wanted.url(page=str(page - 1)) if page > 1 else None,
        next_url=wanted.url(page=str(page + 1)) if has_more else None,
        sizes=tuple(
            Choice(str(size), str(size), size == found.request.size, wanted.url(size=str(size)))
            for size in SIZES
        ),
    )
