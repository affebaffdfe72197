"""Reads of the audit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    collate,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from leadvibe.audit.models import AuditRow
from leadvibe.audit.types import AuditOrder, AuditSearch, AuditSpan, Entry, Place, Placed
from leadvibe.lib.db import session

FIRST_REFUSAL = 400


def list_entries(org_id: UUID | None, *, limit: int, offset: int = 0) -> list[Entry]:
    """List an organisation's entries, the latest first.

    None lists those of nobody known: sign-ins to addresses that are no member's.
    """
    rows = session().scalars(
        select(AuditRow)
        .where(AuditRow.org_id.is_not_distinct_from(org_id))
        .order_by(AuditRow.created_at.desc(), AuditRow.audit_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_entry(row) for row in rows]


def search_entries(
    org_id: UUID,
    wanted: AuditSearch,
    *,
    places: Collection[UUID | None] | None,
    limit: int,
    offset: int = 0,
) -> list[Entry]:
    """Return the organisation's entries that are looked for, in order.

    `places` are units; None among them stands for what belongs to no unit, such as sign-ins, and
    None in their place for the whole organisation.
    """
    conditions = (AuditRow.org_id == org_id, *_conditions(wanted))
    # Each place by itself, so that an index hands out its entries in order: with all places in
    # one condition, PostgreSQL would read and sort everything there is.
    first = (
        select(AuditRow)
        .where(*conditions, is_there)
        .order_by(*_order(AuditRow, wanted))
        .limit(limit + offset)
        for is_there in _at(places)
    )
    row = aliased(AuditRow, union_all(*first).subquery())
    found = select(row).order_by(*_order(row, wanted)).limit(limit).offset(offset)
    return [_entry(it) for it in session().scalars(found)]


def list_before(
    org_id: UUID,
    before: Place | None,
    wanted: AuditSpan,
    *,
    places: Collection[UUID | None],
    limit: int,
) -> list[Placed]:
    """Return the entries before a place, the latest first; `places` are as in search_entries."""
    conditions = [AuditRow.org_id == org_id, *_spanning(wanted)]
    if before is not None:
        place = tuple_(AuditRow.created_at, AuditRow.audit_id)
        conditions.append(place < tuple_(before.created_at, before.audit_id))
    latest = (AuditRow.created_at.desc(), AuditRow.audit_id.desc())
    first = (
        select(AuditRow).where(*conditions, is_there).order_by(*latest).limit(limit)
        for is_there in _at(places)
    )
    row = aliased(AuditRow, union_all(*first).subquery())
    found = select(row).order_by(row.created_at.desc(), row.audit_id.desc()).limit(limit)
    return [
        Placed(Place(it.created_at, it.audit_id), _entry(it)) for it in session().scalars(found)
    ]


def find_last_deed(unit_ids: Collection[UUID], actor: str) -> datetime | None:
    """Return when somebody last signed in, or asked for a change in any of the units."""
    statement = select(func.max(AuditRow.created_at)).where(
        or_(AuditRow.unit_id.in_(unit_ids), AuditRow.unit_id.is_(None)), AuditRow.actor == actor
    )
    return session().scalar(statement)


def _spanning(wanted: AuditSpan) -> Iterator[ColumnElement[bool]]:
    if wanted.actor is not None:
        yield AuditRow.actor == wanted.actor
    if wanted.since is not None:
        yield AuditRow.created_at >= wanted.since
    if wanted.until is not None:
        yield AuditRow.created_at < wanted.until
    if wanted.is_done:
        yield AuditRow.status < FIRST_REFUSAL


def _at(places: Collection[UUID | None] | None) -> list[ColumnElement[bool]]:
    return [true()] if places is None else [AuditRow.unit_id == place for place in places]


def _conditions(wanted: AuditSearch) -> Iterator[ColumnElement[bool]]:
    if wanted.actor is not None:
        yield AuditRow.actor == wanted.actor
    if wanted.method is not None:
        yield AuditRow.method == wanted.method
    if wanted.status_min is not None:
        yield AuditRow.status >= wanted.status_min
    if wanted.status_max is not None:
        yield AuditRow.status <= wanted.status_max
    if wanted.text:
        yield _mentions(wanted.text)


def _mentions(text: str) -> ColumnElement[bool]:
    """Say whether a text stands in an entry; only the case of A to Z is passed over.

    In this way a million entries take under a second where nothing is found, and ILIKE takes half
    as long again; an index of trigrams would cost each write more than all the others.
    """
    folded = text.encode().lower().decode()  # of bytes, only A to Z have a case
    columns = (AuditRow.actor, AuditRow.path, func.coalesce(AuditRow.ip, ""))
    return or_(*(func.lower(collate(it, "C")).contains(folded, autoescape=True) for it in columns))


def _order(row: type[AuditRow], wanted: AuditSearch) -> list[ColumnElement[Any]]:
    columns: dict[AuditOrder, SQLColumnExpression[Any]] = {
        AuditOrder.CREATED_AT: row.created_at,
        AuditOrder.USER_EMAIL: row.actor,
        AuditOrder.METHOD: row.method,
        AuditOrder.PATH: row.path,
        AuditOrder.STATUS: row.status,
        AuditOrder.IP: func.coalesce(row.ip, ""),
        AuditOrder.LATENCY_MS: row.latency_ms,
    }
    keys = (columns[wanted.order], row.audit_id)
    return [key.desc() if wanted.is_descending else key.asc() for key in keys]


def _entry(row: AuditRow) -> Entry:
    return Entry(
        created_at=row.created_at,
        actor=row.actor,
        method=row.method,
        path=row.path,
        status=row.status,
        latency_ms=row.latency_ms,
        org_id=row.org_id,
        unit_id=row.unit_id,
        ip=row.ip,
        request_id=row.request_id,
        via=row.via,
        token_name=row.token_name,
    )
