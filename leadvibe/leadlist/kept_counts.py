"""What conditions on records come to, where leads.record_counts knows it without counting.

Whole days are known; of a day that is not wanted whole, the smaller part is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leadlist import record_sql
from leadvibe.leadlist.record_sql import Where
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.record_counts import (
    BY_DAY_OF,
    CONTACTED,
    FACETS,
    OWNED,
    OWNED_CONTACTED,
    Counted,
    count,
    count_without,
)
from leadvibe.leads.statuses import Status
from leadvibe.lib.db import driver

_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)
_BOUNDS = frozenset({"gte", "gt", "lte", "lt"})


def find_kept_count(scope: Scope, conditions: Sequence[Comparison]) -> int | None:
    """Return how many leads meet all conditions, or None when that must be counted."""
    asked = _Asked()
    return asked.answer(scope) if asked.takes(conditions) else None


def is_kept(conditions: Sequence[Comparison]) -> bool:
    """Say whether it is known how many leads meet all conditions."""
    return _Asked().takes(conditions)


def count_unheld(scope: Scope, conditions: Sequence[Comparison], *, now: datetime) -> int | None:
    """Return how many leads nobody has; None where more is asked than for their status.

    Those of somebody are known, and few claims are over that have not been taken back yet.
    """
    status = None
    if conditions:
        column, operator, value = conditions[0]
        if len(conditions) > 1 or (column, operator) != ("status", "eq"):
            return None
        status = Status(value)
    outcomes = [status.outcome] if status else None
    owned = count(scope, Counted(outcomes, facet=OWNED))
    if status in {Status.CONTACTED, Status.NOT_CONTACTED}:
        called = count(scope, Counted(outcomes, facet=OWNED_CONTACTED))
        owned = called if status is Status.CONTACTED else owned - called
    asked = _Asked()
    assert asked.takes(conditions)
    return asked.answer(scope) - owned + _count_over(scope, status, now)


def _count_over(scope: Scope, status: Status | None, now: datetime) -> int:
    """Count leads whose owner had only claimed them, and until an instant that has passed."""
    statement = """
        SELECT count(*) FROM lead_records
        WHERE unit_id = %(unit)s AND is_listed AND owner_id IS NOT NULL
          AND claimed_until <= %(now)s AND (%(status)s::text IS NULL OR status = %(status)s)
    """
    bound = {"unit": scope.unit_id, "now": now, "status": status}
    [number] = driver().execute(statement, bound).fetchone() or [0]
    return int(number)


class _Span(NamedTuple):
    """Instants from one on, and before another; None where there is no end."""

    since: datetime | None = None
    before: datetime | None = None

    def within(self, other: _Span) -> _Span:
        return _Span(
            max((it for it in (self.since, other.since) if it), default=None),
            min((it for it in (self.before, other.before) if it), default=None),
        )

    @property
    def is_empty(self) -> bool:
        return bool(self.since and self.before and self.since >= self.before)


class _Asked:
    """Conditions as far as they are known to be answered by what is kept."""

    def __init__(self) -> None:
        self.outcomes: set[str] | None = None
        self.intakes: set[str] | None = None
        self.facet = ""
        self.is_without = False
        self.day_of = ""
        self.span = _Span()
        self.others: list[Comparison] = []
        """Those that are not about the span."""

    def takes(self, conditions: Sequence[Comparison]) -> bool:
        """Take conditions in, and say whether they are known to be answered."""
        is_known = all(map(self._take, conditions))
        return is_known and not (self.facet and BY_DAY_OF.get(self.day_of))

    def _take(self, condition: Comparison) -> bool:
        column, operator, value = condition
        if column in BY_DAY_OF and operator in _BOUNDS:
            return self._take_bound(condition)
        self.others.append(condition)
        if column == "outcome" and operator in {"eq", "in"}:
            self.outcomes = _narrowed(self.outcomes, value)
        elif column == "intake" and operator in {"eq", "in"}:
            self.intakes = _narrowed(self.intakes, value)
        elif column == "status" and operator == "eq" and not self.facet:
            status = Status(value)
            self.outcomes = _narrowed(self.outcomes, status.outcome)
            if status in {Status.CONTACTED, Status.NOT_CONTACTED}:
                self.facet, self.is_without = CONTACTED, status is Status.NOT_CONTACTED
        elif operator == "exists" and column in FACETS and not self.facet:
            self.facet, self.is_without = column, not value
        else:
            return column in {"created_at", "updated_at"} and (operator, value) == ("exists", True)
        return True

    def _take_bound(self, condition: Comparison) -> bool:
        column, operator, at = condition
        if self.day_of not in {"", column}:
            return False
        self.day_of = column
        if operator in {"gt", "lte"}:
            at += _INSTANT
        bound = _Span(since=at) if operator in {"gte", "gt"} else _Span(before=at)
        self.span = self.span.within(bound)
        return True

    def answer(self, scope: Scope) -> int:
        """Add up days, and what is wanted of the first and the last one."""
        if self.span.is_empty:
            return 0
        since, before = self.span
        first = _midnight(since) if since else None
        end = _midnight(before - _INSTANT) + _DAY if before else None
        total = 0
        for day in self._broken_days():
            wanted = self.span.within(day)
            unwanted = [it for it in _around(wanted, day) if not it.is_empty]
            if self._guess(scope, wanted) > sum(self._guess(scope, it) for it in unwanted):
                total -= sum(self._count_within(scope, it) for it in unwanted)
                continue
            total += self._count_within(scope, wanted)
            if day.since == first:
                first = day.before
            else:
                end = day.since
        days = _Span(first, end)
        return total if days.is_empty else total + self._count_days(scope, days)

    def _broken_days(self) -> list[_Span]:
        """Return the days that are wanted, but not whole: two at most."""
        cuts = {it for it in self.span if it and it != _midnight(it)}
        days = sorted({_midnight(it) for it in cuts})
        return [_Span(it, it + _DAY) for it in days]

    def _count_days(self, scope: Scope, days: _Span) -> int:
        since, before = (it.date() if it else None for it in days)
        wanted = Counted(
            self.outcomes, self.intakes, self.facet, since, before, self.day_of or "created_at"
        )
        return count_without(scope, wanted) if self.is_without else count(scope, wanted)

    def _count_within(self, scope: Scope, span: _Span) -> int:
        return record_sql.count(self._where(scope, span))

    def _guess(self, scope: Scope, span: _Span) -> float:
        return record_sql.estimate(self._where(scope, span))

    def _where(self, scope: Scope, span: _Span) -> Where:
        bounds = [Comparison(self.day_of, "gte", span.since)] if span.since else []
        bounds += [Comparison(self.day_of, "lt", span.before)] if span.before else []
        asked = [*bounds, *self.others]
        return record_sql.where_listed(scope) & record_sql.meeting(asked, by=self.day_of)


def _around(span: _Span, day: _Span) -> Iterator[_Span]:
    """Yield the parts of a day before and after a span of it."""
    yield _Span(day.since, span.since)
    yield _Span(span.before, day.before)


def _narrowed(known: set[str] | None, value: str | Sequence[str]) -> set[str]:
    wanted = {value} if isinstance(value, str) else set(value)
    return wanted if known is None else known & wanted


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC), time(), UTC)
