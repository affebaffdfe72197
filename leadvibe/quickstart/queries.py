"""What a unit's quick start remembers, and what the unit has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select

from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.quickstart.models import QuickStartRow
from leadvibe.quickstart.types import Answers, Current, Made, QuickStart
from leadvibe.scoring.queries import read_config
from leadvibe.segments.queries import list_rules_of_all, list_segments
from leadvibe.triggers.queries import list_triggers

ANSWERS: TypeAdapter[Answers] = TypeAdapter(Answers)
MADE: TypeAdapter[Mapping[str, Made]] = TypeAdapter(Mapping[str, Made])


def read_quick_start(scope: Scope) -> QuickStart:
    """Return what is remembered; an empty one when nothing is."""
    row: Any = session().execute(
        select(
            QuickStartRow.answers, QuickStartRow.made, QuickStartRow.applied_at,
            QuickStartRow.applied_by, QuickStartRow.dismissed_at,
        ).where(QuickStartRow.unit_id == scope.unit_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        return QuickStart()
    return QuickStart(
        answers=ANSWERS.validate_python(row.answers) if row.answers else None,
        made=MADE.validate_python(row.made),
        applied_at=row.applied_at,
        applied_by=row.applied_by,
        dismissed_at=row.dismissed_at,
    )


def read_current(scope: Scope) -> Current:
    """Return everything that a plan is held against."""
    rules = list_rules_of_all(scope)
    return Current(
        config=read_config(scope),
        segments=tuple((it, tuple(rules.get(it.segment_id, ()))) for it in list_segments(scope)),
        triggers=tuple(list_triggers(scope)),
        made=read_quick_start(scope).made,
    )
