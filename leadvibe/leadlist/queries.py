"""The one list of leads: searched, filtered, sorted and paged, the same for every front end.

What can be filtered or sorted stands in the table of leads itself, each order with an index, so a
page costs the same at a hundred leads and at a million. Merged leads never appear.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true

from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import LeadFilter, LeadLine, ScoreRange, Sort, SortKey
from leadvibe.leads.models import LeadRow, LeadSearchRow
from leadvibe.leads.queries import like_pattern
from leadvibe.lib.db import session
from leadvibe.lib.paging import Page, PageRequest, Total

COUNT_CAP = 100_000
"""Where counting stops for a page: exact totals beyond it are nobody's decision."""

RARE = 1_000
"""A search that finds no more leads than this reads them all; a common one walks the list."""

GRAM_LENGTH = 3

_SORT_COLUMNS: dict[SortKey, Any] = {
    SortKey.SCORE: LeadRow.score,
    SortKey.LAST_ACTIVE: LeadRow.last_event_at,
    SortKey.CREATED: LeadRow.created_at,
    SortKey.NAME: LeadRow.name,
}

_LINE: tuple[Any, ...] = (
    LeadRow.lead_id,
    LeadRow.name,
    LeadRow.detail,
    LeadRow.score,
    LeadRow.ruleset_id,
    LeadRow.owner_name,
    LeadRow.last_event_at,
    LeadRow.last_event_type,
    LeadRow.event_count,
    LeadRow.session_count,
    LeadRow.created_at,
    LeadRow.updated_at,
)


def search_leads(
    scope: Scope,
    lead_filter: LeadFilter,
    sort: Sort,
    request: PageRequest,
    *,
    count_cap: int | None = COUNT_CAP,
) -> Page[LeadLine]:
    """Return one page of leads with the total, which is exact when `count_cap` is None."""
    condition = _condition(scope, lead_filter)
    statement = _page(condition, sort, request)
    items = [LeadLine(*row) for row in session().execute(statement)]
    return Page(items, _total(condition, request, len(items), count_cap), request)


def stream_leads(scope: Scope, lead_filter: LeadFilter, sort: Sort) -> Iterator[LeadLine]:
    """Yield all matching leads in order, without holding them in memory."""
    statement = select(*_LINE).where(_condition(scope, lead_filter)).order_by(*_order(sort))
    rows = session().execute(statement, execution_options={"yield_per": 1_000})
    return (LeadLine(*row) for row in rows)


def page_statement(
    scope: Scope, lead_filter: LeadFilter, sort: Sort, request: PageRequest
) -> Select[Any]:
    """Return the statement behind a page, for looking at its plan."""
    return _page(_condition(scope, lead_filter), sort, request)


def has_leads(scope: Scope) -> bool:
    """Say whether the unit has any lead at all."""
    listed = exists().where(_listed(scope))
    return bool(session().scalar(select(listed)))


def highest_score(scope: Scope) -> int:
    """Return the highest score of a lead in the unit; 0 when there is none."""
    ranked = select(LeadRow.score).where(_listed(scope)).order_by(LeadRow.score.desc())
    return session().scalar(ranked.limit(1)) or 0


def _page(condition: ColumnElement[bool], sort: Sort, request: PageRequest) -> Select[Any]:
    order = _order(sort)
    if request.offset == 0:
        return select(*_LINE).where(condition).order_by(*order).limit(request.size)
    # Ids first: skipping over index entries is several times cheaper than over whole rows.
    chosen = (
        select(LeadRow.unit_id, LeadRow.lead_id)
        .where(condition)
        .order_by(*order)
        .limit(request.size)
        .offset(request.offset)
        .subquery()
    )
    joined = (LeadRow.unit_id == chosen.c.unit_id) & (LeadRow.lead_id == chosen.c.lead_id)
    return select(*_LINE).join(chosen, joined).order_by(*order)


def _order(sort: Sort) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    # Each index is read forwards or backwards, so ties follow the direction of the sort.
    column = _SORT_COLUMNS[sort.key]
    index_descends = sort.key is not SortKey.NAME
    key = column.desc() if sort.is_descending else column.asc()
    if sort.key is SortKey.LAST_ACTIVE:
        key = key.nulls_last() if sort.is_descending else key.nulls_first()
    forwards = sort.is_descending == index_descends
    return key, LeadRow.lead_id.asc() if forwards else LeadRow.lead_id.desc()


def _condition(scope: Scope, wanted: LeadFilter) -> ColumnElement[bool]:
    conditions = [_listed(scope), *_plain_conditions(wanted)]
    if wanted.search.strip():
        conditions.append(_found(scope, wanted.search.strip().lower()))
    return and_(*conditions)


def _listed(scope: Scope) -> ColumnElement[bool]:
    return and_(LeadRow.unit_id == scope.unit_id, LeadRow.merged_into.is_(None))


def _plain_conditions(wanted: LeadFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.min_score is not None:
        yield LeadRow.score >= wanted.min_score
    if wanted.max_score is not None:
        yield LeadRow.score <= wanted.max_score
    if wanted.score_ranges is not None:
        yield or_(false(), *(_within(bounds) for bounds in wanted.score_ranges))
    if wanted.event_type is not None:
        yield LeadRow.last_event_type == wanted.event_type
    if wanted.active_since is not None:
        yield LeadRow.last_event_at >= wanted.active_since
    if wanted.created_from is not None:
        yield LeadRow.created_at >= wanted.created_from
    if wanted.created_before is not None:
        yield LeadRow.created_at < wanted.created_before


def _within(bounds: ScoreRange) -> ColumnElement[bool]:
    low = true() if bounds.low is None else LeadRow.score >= bounds.low
    high = true() if bounds.high is None else LeadRow.score <= bounds.high
    return and_(low, high)


def _found(scope: Scope, text: str) -> ColumnElement[bool]:
    """Return the condition that a lead's search text contains the text.

    A rare text is looked up by its trigrams; a common or very short one is checked lead by lead in
    the order of the list, where a page of hits turns up soon.
    """
    contains = LeadSearchRow.text.like(like_pattern(text))
    if len(text) >= GRAM_LENGTH:
        candidates = (
            select(LeadSearchRow.lead_id)
            .where(
                LeadSearchRow.unit_id == scope.unit_id,
                LeadSearchRow.grams.contains(func.search_grams(scope.unit_id, text)),
                contains,
            )
            .limit(RARE + 1)
        )
        lead_ids = list(session().scalars(candidates))
        if len(lead_ids) <= RARE:
            return LeadRow.lead_id.in_(lead_ids)
    return exists().where(
        LeadSearchRow.unit_id == scope.unit_id,
        LeadSearchRow.lead_id == LeadRow.lead_id,
        contains,
    )


def _total(
    condition: ColumnElement[bool], request: PageRequest, shown: int, cap: int | None
) -> Total:
    if 0 < shown < request.size or (shown == 0 and request.offset == 0):
        return Total(request.offset + shown)  # the last page says it without counting
    if cap is None:
        statement = select(func.count()).select_from(LeadRow).where(condition)
        return Total(session().scalar(statement) or 0)
    counted = select(LeadRow.lead_id).where(condition).limit(cap + 1).subquery()
    count = session().scalar(select(func.count()).select_from(counted)) or 0
    return Total(min(count, cap), is_capped=count > cap)
