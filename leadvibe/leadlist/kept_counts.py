"""What conditions on records come to, where leads.record_counts knows it without counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import Comparison
from leadvibe.leads.record_counts import (
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

_DAY = timedelta(days=1)
_KINDS = {CONTACTED: "status = 'contacted'"}


def find_kept_count(scope: Scope, conditions: Sequence[Comparison]) -> int | None:
    """Return how many leads meet all conditions, or None when that must be counted."""
    asked = _Asked()
    return asked.answer(scope) if all(map(asked.take, conditions)) else None


def is_kept(conditions: Sequence[Comparison]) -> bool:
    """Say whether it is known how many leads meet all conditions."""
    asked = _Asked()
    return all(map(asked.take, conditions))


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
    assert all(map(asked.take, conditions))
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


class _Asked:
    """Conditions as far as they are known to be answered by what is kept."""

    def __init__(self) -> None:
        self.outcomes: set[str] | None = None
        self.intakes: set[str] | None = None
        self.facet = ""
        self.is_without = False
        self.since: datetime | None = None
        self.before: datetime | None = None

    def take(self, condition: Comparison) -> bool:
        """Take a condition in, unless it is of another kind."""
        column, operator, value = condition
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
        elif column == "created_at" and operator == "gte":
            self.since = max(self.since or value, value)
        elif column == "created_at" and operator == "lt":
            self.before = min(self.before or value, value)
        else:
            return column in {"created_at", "updated_at"} and (operator, value) == ("exists", True)
        return True

    def answer(self, scope: Scope) -> int:
        """Add up whole days, and take off what is outside on the first and the last one."""
        if self.since and self.before and self.since >= self.before:
            return 0
        first = self.since.date() if self.since else None
        end = (self.before - timedelta(microseconds=1)).date() + _DAY if self.before else None
        total = self._count_days(scope, first, end)
        if self.since and first and self.since > _midnight(first):
            total -= self._count_between(scope, _midnight(first), self.since)
        if self.before and end and self.before < _midnight(end):
            total -= self._count_between(scope, self.before, _midnight(end))
        return total

    def _count_days(self, scope: Scope, first: date | None, end: date | None) -> int:
        wanted = Counted(self.outcomes, self.intakes, self.facet, first, end)
        return count_without(scope, wanted) if self.is_without else count(scope, wanted)

    def _count_between(self, scope: Scope, since: datetime, before: datetime) -> int:
        has = _KINDS.get(self.facet, f"{self.facet} IS NOT NULL")
        facet = f"AND {'NOT' if self.is_without else ''} ({has})" if self.facet else ""
        statement = f"""
            SELECT count(*) FROM lead_records
            WHERE unit_id = %(unit)s AND is_listed
              AND created_at >= %(since)s AND created_at < %(before)s {facet}
              AND (%(outcomes)s::text[] IS NULL OR outcome = ANY(%(outcomes)s))
              AND (%(intakes)s::text[] IS NULL OR intake = ANY(%(intakes)s))
        """  # noqa: S608 - names of ours
        bound = {
            "unit": scope.unit_id,
            "since": since,
            "before": before,
            "outcomes": None if self.outcomes is None else sorted(self.outcomes),
            "intakes": None if self.intakes is None else sorted(self.intakes),
        }
        row = driver().execute(statement, bound).fetchone()
        assert row is not None
        return int(row[0])


def _narrowed(known: set[str] | None, value: str | Sequence[str]) -> set[str]:
    wanted = {value} if isinstance(value, str) else set(value)
    return wanted if known is None else known & wanted


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
