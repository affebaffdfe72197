"""The leads list: searched, filtered, sorted and paged by its address alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Config, LevelKind, Ruleset
from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.queries import find_sample
from leadvibe.leadlist.queries import has_leads, highest_score, search_leads
from leadvibe.leadlist.types import LeadLine, SortKey
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import read_by_statements
from leadvibe.lib.paging import Page
from leadvibe.scoring import lead_scores
from leadvibe.scoring import queries as scoring
from leadvibe.web.import_cards import SAMPLE_ID
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.lead_query import (
    FILTERS,
    MORE_FILTERS,
    SIZES,
    UNCLASSIFIED_VALUE,
    LeadQuery,
    read_lead_query,
)
from leadvibe.web.pages.display import (
    UNCLASSIFIED_COLOR,
    Choice,
    Moment,
    Pager,
    pager_label,
    share,
    thousands,
)
from leadvibe.web.pages.leads import (
    Chip,
    LeadFilters,
    LeadList,
    LeadRow,
    SortHeader,
    SortHeaders,
)
from leadvibe.web.redirects import CREDENTIALS, IMPORTS, SAMPLE
from leadvibe.web.rendering import render

FRAGMENTS = {"lead-list": "leads/_list.html"}
COUNT_CAP = 1_000
"""Where counting stops: beyond, it would cost more than everything else on the page."""
OFFERED_TYPES = 200
SCORE_COLUMNS = 3
"""Rulesets beside the primary one whose scores get a column: more would not fit a screen."""

CHIP_LABELS = {
    "level": "Level",
    "last_active": "Last active",
    "min_score": "Score at least",
    "max_score": "Score at most",
    "event_type": "Last event",
    "created_from": "Created from",
    "created_to": "Created until",
}
CHIP_VALUES = {"7d": "within 7 days", "30d": "within 30 days"}
ACTIVITY = (("", "Active any time"), ("7d", "Active in 7 days"), ("30d", "Active in 30 days"))
SORTS = (
    ("", "Highest score"),
    ("score", "Lowest score"),
    ("-last_active", "Last active"),
    ("-created", "Newest"),
    ("created", "Oldest"),
    ("name", "Name, A to Z"),
    ("-name", "Name, Z to A"),
)
ASCENDING_FIRST = frozenset({SortKey.NAME})

pages = Blueprint("leads", __name__)


@pages.get("/leads")
def show_leads() -> AnyResponse:
    read_by_statements()
    principal = require(Permission.READ)
    scope = principal.scope
    config = scoring.get_config(scope, scoring.current_version(scope))
    wanted = read_lead_query(request.args, config.levels_of(LevelKind.ENGAGEMENT), now=utc_now())
    if wanted.error:
        return _answer(principal, config, wanted, None)
    found = search_leads(
        scope, wanted.lead_filter, wanted.sort, wanted.request, count_cap=COUNT_CAP
    )
    if not found.items and wanted.request.page > 1:
        return redirect(wanted.url(page=str(_last_page(found))))
    return _answer(principal, config, wanted, found)


def _last_page(found: Page[LeadLine]) -> int:
    return max(1, -(-found.total.count // found.request.size))


def _answer(
    principal: Principal, config: Config, wanted: LeadQuery, found: Page[LeadLine] | None
) -> AnyResponse:
    scope, lines = principal.scope, found.items if found else []
    has_any = bool(lines) or found is None or has_leads(scope)
    page = LeadList(
        rows=_rows(scope, config, wanted, lines),
        filters=_filters(wanted, config, _types(scope)),
        sort=_sort_headers(wanted),
        pager=_pager(wanted, found),
        chips=_chips(wanted),
        clear_url=wanted.clear_url(),
        has_leads=has_any,
        ruleset_columns=tuple(ruleset.name for ruleset in _other_rulesets(config)),
        import_url=IMPORTS if can(principal, Permission.WRITE_DATA) else "",
        credentials_url=CREDENTIALS if can(principal, Permission.OWN) else "",
        sample_url=SAMPLE if can(principal, Permission.OWN) else "",
        sample_progress_url="" if has_any else _sample_progress_url(scope),
    )
    status = UNPROCESSABLE_ENTITY if wanted.error else 200
    return render("leads/page.html", page=page, section=LEADS, fragments=FRAGMENTS, status=status)


def _sample_progress_url(scope: Scope) -> str:
    """Return where sample data is watched that is on its way; empty when there is none."""
    sample = find_sample(scope)
    return f"{IMPORTS}#{SAMPLE_ID}" if sample and not sample.is_complete else ""


def _types(scope: Scope) -> tuple[str, ...]:
    types = list_event_types(scope)
    return tuple(type_.name for type_ in types[:OFFERED_TYPES] if not type_.hidden)


def _rows(
    scope: Scope, config: Config, wanted: LeadQuery, lines: Sequence[LeadLine]
) -> tuple[LeadRow, ...]:
    if not lines:
        return ()
    levels = LevelCut(config.levels_of(LevelKind.ENGAGEMENT))
    others = _other_rulesets(config)
    scores = _other_scores(scope, others, lines)
    top = _top_score(scope, wanted, lines)
    return tuple(
        _row(
            line,
            levels,
            top,
            tuple(thousands(scores.get((line.lead_id, it.ruleset_id), 0)) for it in others),
        )
        for line in lines
    )


def _other_rulesets(config: Config) -> list[Ruleset]:
    active = [it for it in config.rulesets if it.active and not it.is_primary]
    return active[:SCORE_COLUMNS]


def _other_scores(
    scope: Scope, rulesets: Sequence[Ruleset], lines: Sequence[LeadLine]
) -> Mapping[tuple[str, UUID], int]:
    if not rulesets:
        return {}
    stored = lead_scores.list_scores(scope, [line.lead_id for line in lines])
    return {(it.lead_id, it.ruleset_id): it.score for it in stored}


def _top_score(scope: Scope, wanted: LeadQuery, lines: Sequence[LeadLine]) -> int:
    """Return the score that a full bar stands for: the highest in the unit."""
    return lines[0].score if not wanted.params else highest_score(scope)


def _row(line: LeadLine, levels: LevelCut, top: int, ruleset_scores: tuple[str, ...]) -> LeadRow:
    level, url = levels.level_of(line.score), lead_path(line.lead_id)
    return LeadRow(
        url=url,
        why_url=f"{url}#why",
        name=line.name,
        detail=line.detail or "",
        score=thousands(line.score),
        score_share=share(line.score, top),
        level=level.name if level else UNCLASSIFIED,
        level_color=level.color if level else UNCLASSIFIED_COLOR,
        event_type=line.last_event_type or "",
        last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
        events=thousands(line.event_count),
        sessions=thousands(line.session_count),
        created_at=Moment.of(line.created_at),
        ruleset_scores=ruleset_scores,
    )


def _filters(wanted: LeadQuery, config: Config, event_types: tuple[str, ...]) -> LeadFilters:
    params = wanted.params
    more = sum(name in params for name in MORE_FILTERS)
    return LeadFilters(
        q=params.get("q", ""),
        min_score=params.get("min_score", ""),
        max_score=params.get("max_score", ""),
        event_type=params.get("event_type", ""),
        created_from=params.get("created_from", ""),
        created_to=params.get("created_to", ""),
        levels=_choices(_level_options(config), params.get("level", "")),
        last_active=_activity(params.get("last_active", "")),
        sorts=_choices(SORTS, params.get("sort", "")),
        size=params.get("size", ""),
        event_types=event_types,
        error=wanted.error,
        more_count=str(more) if more else "",
    )


def _level_options(config: Config) -> list[tuple[str, str]]:
    """Name the levels from the highest to the lowest, as the list itself runs."""
    names = [level.name for level in reversed(config.levels_of(LevelKind.ENGAGEMENT))]
    return [
        ("", "Any level"), *((name, name) for name in names), (UNCLASSIFIED_VALUE, UNCLASSIFIED)
    ]  # fmt: skip


def _activity(chosen: str) -> tuple[Choice, ...]:
    """Return what can be chosen; a date that a link leads to is there while it is in force."""
    is_known = any(value == chosen for value, _ in ACTIVITY)
    since = () if is_known else ((chosen, f"Active since {chosen}"),)
    return _choices((*ACTIVITY, *since), chosen)


def _choices(options: Sequence[tuple[str, str]], selected: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, value, value == selected) for value, label in options)


def _sort_headers(wanted: LeadQuery) -> SortHeaders:
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


def _pager(wanted: LeadQuery, found: Page[LeadLine] | None) -> Pager:
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


def _chips(wanted: LeadQuery) -> tuple[Chip, ...]:
    return tuple(
        Chip(
            label=CHIP_LABELS[name],
            value=CHIP_VALUES.get(wanted.params[name], wanted.params[name]),
            remove_url=wanted.url(**{name: ""}),
        )
        for name in FILTERS
        if name in CHIP_LABELS and name in wanted.params
    )
