"""The one list of leads: searched, filtered, sorted and paged, the same for every front end.

What can be filtered or sorted stands in the table of leads itself, each order with an index, so a
page costs the same at a hundred leads and at a million. Merged leads never appear.

Statements are made once for each shape of filter and then only given values: making them would
take longer than running them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from leadvibe.identity.types import Scope
from leadvibe.leadlist.audiences import condition_of, where_found
from leadvibe.leadlist.counting import closed, known_total
from leadvibe.leadlist.types import LeadFilter, LeadLine, ScoreRange, Sort, SortKey
from leadvibe.leads.models import LeadRow, LeadSearchRow
from leadvibe.leads.queries import count_listed, is_let_go, like_pattern, unless_let_go
from leadvibe.leads.watching import list_watched_ids
from leadvibe.lib.db import driver, session
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.segments.membership import Audience

COUNT_CAP = 100_000
"""Where counting stops for a page: exact totals beyond it are nobody's decision."""

RARE = 3_000
"""A search that finds no more leads than this reads them all; a common one walks the list.

Of a million leads, it then has a page after some thousands.
"""

GRAM_LENGTH = 3

STEPS = 5_000
"""Leads looked at in the order of scores before another way to find a page is taken: 2 ms."""

_SHAPES_KEPT = 256
_DIALECT: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]

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
    unless_let_go(LeadRow.owner_name),
    LeadRow.last_event_at,
    LeadRow.last_event_type,
    LeadRow.event_count,
    LeadRow.session_count,
    LeadRow.created_at,
    LeadRow.updated_at,
)

_LISTED = and_(LeadRow.unit_id == bindparam("unit_id"), LeadRow.merged_into.is_(None))

# Each by the field of LeadFilter that it takes its value from, of the table or a part of it.
_CONDITIONS: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "min_score": lambda lead: lead.score >= bindparam("min_score"),
    "max_score": lambda lead: lead.score <= bindparam("max_score"),
    "event_type": lambda lead: lead.last_event_type == bindparam("event_type"),
    "active_since": lambda lead: lead.last_event_at >= bindparam("active_since"),
    "created_from": lambda lead: lead.created_at >= bindparam("created_from"),
    "created_before": lambda lead: lead.created_at < bindparam("created_before"),
    "is_unresolved": lambda lead: lead.account_id.is_(None),
    "owner_id": lambda lead: and_(
        lead.owner_id == bindparam("owner_id", type_=Uuid()), not_(is_let_go(lead))
    ),
    "is_unowned": lambda lead: or_(lead.owner_id.is_(None), is_let_go(lead)),
    "account_id": lambda lead: lead.account_id == bindparam("account_id"),
    "lead_ids": lambda lead: lead.lead_id == any_(bindparam("lead_ids", type_=ARRAY(Text()))),
    "watched_by": lambda lead: lead.lead_id == any_(bindparam("watched", type_=ARRAY(Text()))),
}
_TIMES = frozenset({"active_since", "created_from", "created_before"})
"""Fields whose leads may stand anywhere in the order of scores."""


class _Search(Enum):
    """How leads are searched: not at all, among those found already, or one by one."""

    NONE = 0
    FOUND = 1
    CONTAINING = 2
    BEGINNING = 3


_HAS_TERMS = LeadSearchRow.grams.contains(
    func.search_wanted(bindparam("unit_id", type_=Uuid()), bindparam("wanted", type_=Text()))
)
_HAS_TEXT = LeadSearchRow.text.like(func.lower(bindparam("pattern", type_=Text())))
_IS_FOUND = LeadRow.lead_id == any_(bindparam("found_ids", type_=ARRAY(Text())))
_ONE_BY_ONE: Mapping[_Search, ColumnElement[bool]] = {
    _Search.CONTAINING: _HAS_TEXT,
    _Search.BEGINNING: _HAS_TERMS,
}

_CANDIDATES = (
    select(LeadSearchRow.lead_id)
    .where(LeadSearchRow.unit_id == bindparam("unit_id"), _HAS_TERMS, _HAS_TEXT)
    .limit(RARE + 1)
)


class _Shape(NamedTuple):
    """Which conditions a filter has, without their values; `ranges` counts the score ranges."""

    fields: tuple[str, ...]
    ranges: int | None
    search: _Search


_EVERYTHING = _Shape(fields=(), ranges=None, search=_Search.NONE)
_COMMON_TEXTS = {_EVERYTHING._replace(search=search) for search in _ONE_BY_ONE}
"""Filters by nothing but a text that more than RARE leads have."""


class _Way(Enum):
    """How the leads of a page are found."""

    ROWS = 0
    """In the order of the list, row by row: the quickest for a first page."""
    IDS = 1
    """The same, ids first: skipping over index entries is several times cheaper than over rows."""
    FAR = 4
    """The same behind many others: a text is looked up, for walking there asks lead by lead."""
    STEPS = 2
    """Among the first STEPS leads of the unit; there may be more behind."""
    GATHERED = 3
    """All that match are read by the filter's own index, and sorted."""


class _Condition(NamedTuple):
    shape: _Shape
    values: Mapping[str, Any]


def search_leads(
    scope: Scope,
    lead_filter: LeadFilter,
    sort: Sort,
    request: PageRequest,
    *,
    count_cap: int | None = COUNT_CAP,
) -> Page[LeadLine]:
    """Return one page of leads with the total, which is exact when `count_cap` is None."""
    condition, asked = _condition(scope, lead_filter), condition_of(scope, lead_filter)
    if asked is not None:
        return _search_asking(scope, condition, asked, sort, request)
    known = known_total(scope, lead_filter)
    if known is not None and sort == Sort() and _is_by_time(condition.shape):
        items = _find_scattered(scope, condition, request, known)
    else:
        items = _read(condition, sort, request, _usual_way(request))
    if known is not None:
        return Page(items, Total(known), request)
    return Page(items, _total(condition, request, len(items), count_cap), request)


def _search_asking(
    scope: Scope,
    condition: _Condition,
    asked: ColumnElement[bool],
    sort: Sort,
    request: PageRequest,
) -> Page[LeadLine]:
    """Return one page of the leads that meet a condition which no index knows.

    It is asked of the first few in the order of the list, where that makes a page; else of all
    that the rest of the filter leaves, which are then counted as well.
    """
    order, shape = _order(sort), condition.shape
    if request.offset + request.size < STEPS:
        first = select(*_ID).where(_where(shape)).order_by(*order).limit(STEPS).subquery()
        found = _read_asked(first, condition, asked, order, request)
        is_all = count_listed(scope) <= STEPS
        if found.items and (is_all or len(found.items) == request.size):
            return Page(found.items, Total(found.total.count, is_capped=not is_all), request)
    page = _read_every(condition, asked, sort, request)
    if not page.items and request.offset:  # behind the last one, which says nothing of the others
        return Page([], Total(_count_asking(condition, asked)), request)
    return page


def _read_every(
    condition: _Condition, asked: ColumnElement[bool], sort: Sort, request: PageRequest
) -> Page[LeadLine]:
    """Return a page of all leads that meet a condition; only those on it are read whole."""
    key = _SORT_COLUMNS[sort.key].label("key")
    every = (
        select(*_ID, key).where(_where(condition.shape), asked).cte().prefix_with("MATERIALIZED")
    )
    chosen = (
        select(every, func.count().over().label("total"))
        .order_by(*_ordered(sort, every.c.key, every.c.lead_id))
        .limit(request.size)
        .offset(request.offset)
        .subquery()
    )
    is_one = (LeadRow.unit_id == chosen.c.unit_id) & (LeadRow.lead_id == chosen.c.lead_id)
    statement = select(*_LINE, chosen.c.total).join(chosen, is_one)
    in_order = _ordered(sort, chosen.c.key, chosen.c.lead_id)
    rows = session().execute(statement.order_by(*in_order), dict(condition.values)).all()
    total = rows[0][-1] if rows else 0
    return Page([LeadLine(*row[:-1]) for row in rows], Total(total), request)


def _read_asked(
    among: Any,
    condition: _Condition,
    asked: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    request: PageRequest,
) -> Page[LeadLine]:
    """Return a page of those among some ids that meet a condition; the total is of these."""
    is_one = (LeadRow.unit_id == among.c.unit_id) & (LeadRow.lead_id == among.c.lead_id)
    statement = (
        select(*_LINE, func.count().over()).join(among, is_one).where(asked).order_by(*order)
    )
    page = statement.limit(request.size).offset(request.offset)
    rows = session().execute(page, dict(condition.values)).all()
    total = rows[0][-1] if rows else 0
    return Page([LeadLine(*row[:-1]) for row in rows], Total(total), request)


def stream_leads(scope: Scope, lead_filter: LeadFilter, sort: Sort) -> Iterator[LeadLine]:
    """Yield all matching leads in order, without holding them in memory."""
    condition, asked = _condition(scope, lead_filter), condition_of(scope, lead_filter)
    statement = select(*_LINE).where(_where(condition.shape)).order_by(*_order(sort))
    if asked is not None:
        statement = statement.where(asked)
    return _stream(statement, dict(condition.values))


def list_matching(scope: Scope, lead_filter: LeadFilter, *, after: str, limit: int) -> list[str]:
    """Return ids of matching leads in their own order, from after one on: a walk over them."""
    condition, asked = _condition(scope, lead_filter), condition_of(scope, lead_filter)
    statement = (
        select(LeadRow.lead_id)
        .where(_where(condition.shape), LeadRow.lead_id > bindparam("after", after, Text()))
        .order_by(LeadRow.lead_id)
        .limit(limit)
    )
    if asked is not None:
        statement = statement.where(asked)
    return list(session().scalars(statement, {**condition.values, "after": after}))


def count_matching(scope: Scope, lead_filter: LeadFilter) -> int:
    """Return how many leads match, exactly."""
    known = known_total(scope, lead_filter)
    if known is not None:
        return known
    return _count_asking(_condition(scope, lead_filter), condition_of(scope, lead_filter))


def _count_asking(condition: _Condition, asked: ColumnElement[bool] | None) -> int:
    statement = _count(condition.shape, at_most=None)
    if asked is not None:
        statement = statement.where(asked)
    return session().scalar(statement, dict(condition.values)) or 0


def count_members(scope: Scope, audience: Audience) -> int:
    """Return how many leads an audience has now."""
    statement = select(func.count()).select_from(LeadRow).where(*where_members(scope, audience))
    return session().scalar(statement, {"unit_id": scope.unit_id}) or 0


def list_members(scope: Scope, audience: Audience, request: PageRequest) -> list[LeadLine]:
    """Return a page of an audience, the highest score first.

    Only the first few leads are asked one by one, in the order of scores: where members are rare,
    sorting those that are is several times quicker, even when all leads have to be read for it.
    """
    order, last = _order(Sort()), request.offset + request.size
    first = select(*_ID).where(_LISTED, audience.by_score).order_by(*order).limit(STEPS).subquery()
    is_first = (LeadRow.unit_id == first.c.unit_id) & (LeadRow.lead_id == first.c.lead_id)
    among_first = select(*_LINE).join(first, is_first).where(audience.condition).order_by(*order)
    if last < STEPS:
        found = _read_members(scope, among_first, request)
        if len(found) == request.size or count_listed(scope) <= STEPS:
            return found
    # A sum is no column: the index of scores cannot give this order, and is not walked.
    summed = LeadRow.score + literal_column("0", Integer())
    gathered = select(*_LINE).where(*where_members(scope, audience))
    return _read_members(scope, gathered.order_by(summed.desc(), LeadRow.lead_id), request)


def where_members(scope: Scope, audience: Audience) -> list[ColumnElement[bool]]:
    """Say that a lead is a member, and where members are if that is known."""
    return [_LISTED, *where_found(scope, audience), audience.condition]


def _read_members(scope: Scope, statement: Select[Any], request: PageRequest) -> list[LeadLine]:
    page = statement.limit(request.size).offset(request.offset)
    return [LeadLine(*row) for row in session().execute(page, {"unit_id": scope.unit_id})]


def stream_members(scope: Scope, audience: Audience) -> Iterator[LeadLine]:
    """Yield a whole audience in that order, without holding it in memory."""
    statement = select(*_LINE).where(_LISTED, audience.condition).order_by(*_order(Sort()))
    return _stream(statement, {"unit_id": scope.unit_id})


def _stream(statement: Select[Any], bound: dict[str, Any]) -> Iterator[LeadLine]:
    # Asked with the first line, not before: a file is sent once its request has committed, which
    # would have ended a cursor that was open by then.
    rows = session().execute(statement, bound, execution_options={"yield_per": 1_000})
    yield from (LeadLine(*row) for row in rows)


def page_statement(
    scope: Scope, lead_filter: LeadFilter, sort: Sort, request: PageRequest
) -> Select[Any]:
    """Return the statement behind a page, for looking at its plan."""
    condition = _condition(scope, lead_filter)
    statement = _page(condition.shape, sort, _usual_way(request), size=request.size)
    return statement.params({**condition.values, "offset": request.offset})


def has_leads(scope: Scope) -> bool:
    """Say whether the unit has any lead at all."""
    return bool(session().scalar(select(exists().where(_LISTED)), {"unit_id": scope.unit_id}))


def highest_score(scope: Scope) -> int:
    """Return the highest score of a lead in the unit; 0 when there is none."""
    return session().scalar(_HIGHEST_SCORE, {"unit_id": scope.unit_id}) or 0


_HIGHEST_SCORE = select(LeadRow.score).where(_LISTED).order_by(LeadRow.score.desc()).limit(1)


def _is_by_time(shape: _Shape) -> bool:
    return bool(shape.fields) and _TIMES.issuperset(shape.fields)


def _usual_way(request: PageRequest) -> _Way:
    if request.offset == 0:
        return _Way.ROWS
    return _Way.IDS if request.offset < STEPS else _Way.FAR


def _find_scattered(
    scope: Scope, condition: _Condition, request: PageRequest, known: int
) -> list[LeadLine]:
    """Return a page, by score, of leads that the order of scores says nothing about.

    New leads may be among the first or the last by score, and the planner takes them for spread
    evenly: it would read a million rows to find twenty-five. So only the first few are tried,
    where that promises a page; then the smaller side decides, those that match or all others.
    """
    listed, last = count_listed(scope), request.offset + request.size
    if known * STEPS >= 2 * last * listed:
        items = _read(condition, Sort(), request, _Way.STEPS)
        if len(items) == request.size:
            return items
    way = _Way.GATHERED if 2 * known <= listed else _Way.IDS
    return _read(condition, Sort(), request, way)


def _read(condition: _Condition, sort: Sort, request: PageRequest, way: _Way) -> list[LeadLine]:
    statement = _page_text(condition.shape, sort, way, size=request.size)
    rows = driver().execute(statement, {**condition.values, "offset": request.offset})
    return [LeadLine(*row) for row in rows]


@lru_cache(maxsize=_SHAPES_KEPT)
def _page_text(shape: _Shape, sort: Sort, way: _Way, *, size: int) -> str:
    """Return the statement as the driver takes it: alone, it needs a third of the time."""
    return str(_page(shape, sort, way, size=size).compile(dialect=_DIALECT))


def _page(shape: _Shape, sort: Sort, way: _Way, *, size: int) -> Select[Any]:
    order = _order(sort)
    # Written into the statement, so that PostgreSQL need not plan it anew for each value.
    limit = literal_column(f"{size:d}", Integer())
    if way is _Way.ROWS:
        return select(*_LINE).where(_where(shape, in_order=True)).order_by(*order).limit(limit)
    offset = bindparam("offset", type_=BigInteger())
    chosen = _chosen(shape, sort, way).limit(limit).offset(offset).subquery()
    joined = (LeadRow.unit_id == chosen.c.unit_id) & (LeadRow.lead_id == chosen.c.lead_id)
    return select(*_LINE).join(chosen, joined).order_by(*order)


def _chosen(shape: _Shape, sort: Sort, way: _Way) -> Select[Any]:
    """Return the ids of all leads that match, in order."""
    if way is _Way.STEPS:
        first = (
            select(LeadRow.unit_id, LeadRow.lead_id, LeadRow.score, *_TIME_COLUMNS)
            .where(_LISTED)
            .order_by(*_order(sort))
            .limit(literal_column(str(STEPS), Integer()))
            .subquery()
            .c
        )
        conditions = (_CONDITIONS[field](first) for field in shape.fields)
        order = (first.score.desc(), first.lead_id)
        id_: tuple[Any, ...] = (first.unit_id, first.lead_id)
        return select(*id_).where(*conditions).order_by(*order)
    ids = select(*_ID).where(_where(shape, in_order=way is not _Way.FAR))
    if way is _Way.GATHERED:
        # A sum is no column: the index of scores cannot give this order, and is not walked.
        summed = LeadRow.score + literal_column("0", Integer())
        return ids.order_by(summed.desc(), LeadRow.lead_id)
    return ids.order_by(*_order(sort))


_ID: tuple[Any, ...] = (LeadRow.unit_id, LeadRow.lead_id)
_TIME_COLUMNS: tuple[Any, ...] = (LeadRow.created_at, LeadRow.last_event_at)


def _order(sort: Sort) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return _ordered(sort, _SORT_COLUMNS[sort.key], LeadRow.lead_id)


def _ordered(
    sort: Sort, column: Any, lead_id: Any
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    # Each index is read forwards or backwards, so ties follow the direction of the sort.
    index_descends = sort.key is not SortKey.NAME
    key = column.desc() if sort.is_descending else column.asc()
    if sort.key is SortKey.LAST_ACTIVE:
        key = key.nulls_last() if sort.is_descending else key.nulls_first()
    forwards = sort.is_descending == index_descends
    return key, lead_id.asc() if forwards else lead_id.desc()


def _where(shape: _Shape, *, in_order: bool = False) -> ColumnElement[bool]:
    conditions = [_LISTED, *(_CONDITIONS[field](LeadRow) for field in shape.fields)]
    if shape.ranges is not None:
        conditions.append(or_(false(), *(_within(number) for number in range(shape.ranges))))
    if shape.search is _Search.FOUND:
        conditions.append(_IS_FOUND)
    elif shape.search in _ONE_BY_ONE:
        conditions.append(_is_searched(shape.search, in_order=in_order))
    return and_(*conditions)


def _is_searched(search: _Search, *, in_order: bool) -> ColumnElement[bool]:
    """Say that a lead has the text; `in_order` keeps the planner from joining instead.

    It cannot tell how many leads have a text, and would read and sort all of them for a page.
    """
    of_the_lead = and_(
        LeadSearchRow.unit_id == bindparam("unit_id"),
        LeadSearchRow.lead_id == LeadRow.lead_id,
        _ONE_BY_ONE[search],
    )
    if in_order:
        return select(true()).where(of_the_lead).scalar_subquery()
    return exists().where(of_the_lead)


def _within(number: int) -> ColumnElement[bool]:
    return LeadRow.score.between(bindparam(f"low_{number}"), bindparam(f"high_{number}"))


def _condition(scope: Scope, wanted: LeadFilter) -> _Condition:
    fields = tuple(name for name in _CONDITIONS if getattr(wanted, name) is not None)
    values: dict[str, Any] = {name: getattr(wanted, name) for name in fields}
    if wanted.lead_ids is not None:
        values["lead_ids"] = list(wanted.lead_ids)
    if wanted.watched_by is not None:
        values["watched"] = list_watched_ids(scope, wanted.watched_by)
    for number, bounds in enumerate(wanted.score_ranges or ()):
        values |= _bounds(number, bounds)
    search, searched = _search(scope, wanted.search.strip())
    ranges = None if wanted.score_ranges is None else len(wanted.score_ranges)
    return _Condition(
        _Shape(fields, ranges, search), {"unit_id": scope.unit_id, **values, **searched}
    )


def _bounds(number: int, bounds: ScoreRange) -> dict[str, int]:
    low, high = closed(bounds)
    return {f"low_{number}": low, f"high_{number}": high}


def _search(scope: Scope, text: str) -> tuple[_Search, dict[str, Any]]:
    """Say how leads whose search text contains the text are found, and by which values.

    One that is too short for a trigram must begin a word, or a line: a name, an address, a number.
    A rare text is looked up by its index; a common one is checked lead by lead in the order of the
    list, where a page of hits turns up soon.
    """
    if not text:
        return _Search.NONE, {}
    pattern = like_pattern(text)
    wanted = {"unit_id": scope.unit_id, "wanted": text, "pattern": pattern}
    lead_ids = list(session().scalars(_CANDIDATES, wanted))
    if len(lead_ids) <= RARE:
        return _Search.FOUND, {"found_ids": lead_ids}
    if len(text) < GRAM_LENGTH:
        return _Search.BEGINNING, {"wanted": text}
    return _Search.CONTAINING, {"pattern": pattern}


def _total(condition: _Condition, request: PageRequest, shown: int, cap: int | None) -> Total:
    if 0 < shown < request.size or (shown == 0 and request.offset == 0):
        return Total(request.offset + shown)  # the last page says it without counting
    if condition.shape in _COMMON_TEXTS and cap is not None and cap <= RARE:
        return Total(cap, is_capped=True)  # or it would have been found by its index
    statement = _count(condition.shape, at_most=None if cap is None else cap + 1)
    count = session().scalar(statement, dict(condition.values)) or 0
    if cap is None:
        return Total(count)
    return Total(min(count, cap), is_capped=count > cap)


@lru_cache(maxsize=_SHAPES_KEPT)
def _count(shape: _Shape, *, at_most: int | None) -> Select[Any]:
    if at_most is None:
        return select(func.count()).select_from(LeadRow).where(_where(shape))
    most = bindparam("at_most", at_most, Integer(), literal_execute=True)
    counted = select(LeadRow.lead_id).where(_where(shape)).limit(most).subquery()
    return select(func.count()).select_from(counted)
