"""Whom a trigger may fire for, by what leads are now: their levels and their attributes.

A test of an attribute asks the lead's metadata and, where that has no such property, what
Leadvibe knows itself. Levels are compared by the names that people see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from leadvibe.engine.conditions import Condition, holds, parse_operator
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import Filters
from leadvibe.identity.types import Scope
from leadvibe.leads.documents import list_emails
from leadvibe.lib.db import driver
from leadvibe.scoring.profiles import primary_of
from leadvibe.scoring.queries import current_version, get_config

ANYBODY = Filters()
LEADS_AT_ONCE = 5_000
"""Whose metadata is held in memory at one time."""

EMAIL = "email"

OWN_PROPERTIES = (
    "score", "engagement_level", "profile_level", "account_level", "owner_name", "lead_id", EMAIL,
)  # fmt: skip
"""What can be tested of every lead, unless its metadata has a property of that name."""


class _Subject(NamedTuple):
    """A lead as filters see it; `account_level` is None without an account."""

    lead_id: str
    levels: Mapping[LevelKind, str | None]
    document: Mapping[str, Any]


def passing(scope: Scope, filters: Filters, lead_ids: Collection[str]) -> set[str]:
    """Return which of the leads all filters let through, as they stand now.

    Leads that there are not pass no filter; without any filter all pass, and nothing is read.
    """
    if filters == ANYBODY:
        return set(lead_ids)
    wanted = _wanted_levels(filters)
    conditions = [_condition(test) for test in (*filters.profile_tests, *filters.attribute_tests)]
    return {
        subject.lead_id
        for subject in _subjects(scope, sorted(lead_ids), conditions)
        if all(subject.levels[kind] in names for kind, names in wanted.items())
        and all(holds(condition, subject.document) for condition in conditions)
    }


def _wanted_levels(filters: Filters) -> dict[LevelKind, Collection[str]]:
    named = {
        LevelKind.ENGAGEMENT: filters.engagement_levels,
        LevelKind.PROFILE: filters.profile_levels,
        LevelKind.ACCOUNT: filters.account_levels,
    }
    return {kind: names for kind, names in named.items() if names}


def _condition(test: FieldTest) -> Condition:
    return Condition(test.key, parse_operator(test.operator), test.value)


def _subjects(
    scope: Scope, lead_ids: list[str], conditions: Iterable[Condition]
) -> Iterator[_Subject]:
    config = get_config(scope, current_version(scope))
    cuts = {kind: LevelCut(config.levels_of(kind)) for kind in LevelKind}
    fields = {condition.field for condition in conditions}
    for start in range(0, len(lead_ids), LEADS_AT_ONCE):
        part = lead_ids[start : start + LEADS_AT_ONCE]
        emails = list_emails(scope, part) if EMAIL in fields else {}
        for lead_id, metadata, score, owner_name, profile_score, account_score in _read(
            scope, config, part, with_metadata=bool(fields)
        ):
            scores = {
                LevelKind.ENGAGEMENT: score,
                LevelKind.PROFILE: profile_score,
                LevelKind.ACCOUNT: account_score,
            }
            levels = {
                kind: None if it is None else cuts[kind].name_of(it) for kind, it in scores.items()
            }
            own = {f"{kind}_level": name for kind, name in levels.items()} | {
                "score": score,
                "owner_name": owner_name,
                "lead_id": lead_id,
                EMAIL: emails.get(lead_id),
            }
            yield _Subject(lead_id, levels, {**own, **from_json(metadata)})


def _read(
    scope: Scope, config: Config, lead_ids: list[str], *, with_metadata: bool
) -> Iterator[tuple[Any, ...]]:
    statement = """
        SELECT l.lead_id, CASE WHEN %(with_metadata)s THEN l.metadata::text ELSE '{}' END,
               l.score, l.owner_name, coalesce(p.score, 0), a.score
        FROM leads l
        LEFT JOIN lead_profile_scores p ON p.unit_id = l.unit_id AND p.lead_id = l.lead_id
            AND p.ruleset_id = %(profile)s
        LEFT JOIN accounts a ON a.unit_id = l.unit_id AND a.account_id = l.account_id
        WHERE l.unit_id = %(unit)s AND l.lead_id = ANY(%(ids)s)
    """
    bound = {
        "unit": scope.unit_id,
        "ids": lead_ids,
        "with_metadata": with_metadata,
        "profile": _primary_profile_id(config),
    }
    yield from driver().execute(statement, bound)


def _primary_profile_id(config: Config) -> UUID | None:
    primary = primary_of(config.policies.profile_rulesets)
    return primary.ruleset_id if primary else None
