"""Scores that leads have by who they are, and accounts by what they are: kept, read, made stale.

A row says that some rules are met; whoever meets none has no row and a score of 0. Rows of rulesets
that are disabled or gone stay as they are. Does not score: engine.profile does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.policies import AttributeRuleset, Policies
from leadvibe.engine.profile import AttributeScore, sets_to_rescore
from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver, write

Scores = Mapping[str, Mapping[UUID, AttributeScore]]
"""By lead or account, and by ruleset."""


class Side(StrEnum):
    """Whose attributes: each side has rulesets and mappings of its own."""

    PROFILE = "profile"
    ACCOUNT = "account"


class _Table(NamedTuple):
    name: str
    subject: str


_TABLES = {
    Side.PROFILE: _Table("lead_profile_scores", "lead_id"),
    Side.ACCOUNT: _Table("account_scores", "account_id"),
}

LINKS, HEADLINE = "links", "headline"
"""Stand among the sides: the accounts of leads, and the score that account lists show."""


class StoredScore(NamedTuple):
    """A score with the rules it is made of, which the config of that version holds."""

    ruleset_id: UUID
    score: int
    matched: Sequence[UUID]
    version: int
    updated_at: datetime


class Rescore(NamedTuple):
    """A ruleset whose scores are being made anew; all up to `after` are.

    With LINKS and HEADLINE for a kind it is all leads, or all accounts, of the unit.
    """

    kind: str
    ruleset_id: UUID
    after: str
    requested_at: datetime


def rulesets_of(policies: Policies, side: Side) -> tuple[AttributeRuleset, ...]:
    """Return the rulesets of one side."""
    return policies.profile_rulesets if side is Side.PROFILE else policies.account_rulesets


def primary_of(rulesets: Sequence[AttributeRuleset]) -> AttributeRuleset | None:
    """Return the ruleset whose score stands for a lead or an account, or None."""
    return next((ruleset for ruleset in rulesets if ruleset.is_primary), None)


def save_scores(scope: Scope, side: Side, scores: Scores, *, version: int, now: datetime) -> None:
    """Store scores; of whoever meets no rule any more the row goes."""
    pairs = [
        (subject, ruleset_id, it)
        for subject, found in scores.items()
        for ruleset_id, it in found.items()
    ]
    table = _TABLES[side]
    blank = [(subject, ruleset_id) for subject, ruleset_id, it in pairs if not it.matched]
    if blank:
        statement = f"""
            DELETE FROM {table.name} s
            USING unnest(%s::text[], %s::uuid[]) AS gone (subject, ruleset_id)
            WHERE s.unit_id = %s AND s.{table.subject} = gone.subject
              AND s.ruleset_id = gone.ruleset_id
        """  # noqa: S608 - names of ours
        subjects, ruleset_ids = map(list, zip(*blank, strict=True))
        write(statement, (subjects, ruleset_ids, scope.unit_id))
    rows = [
        (subject, ruleset_id, it.score, _array(it.matched))
        for subject, ruleset_id, it in pairs
        if it.matched
    ]
    if rows:
        statement = f"""
            INSERT INTO {table.name} AS s (unit_id, {table.subject}, ruleset_id, score, matched,
                                           version, updated_at)
            SELECT %s, subject, ruleset_id, score, matched::uuid[], %s, %s
            FROM unnest(%s::text[], %s::uuid[], %s::int[], %s::text[])
                AS new (subject, ruleset_id, score, matched)
            ON CONFLICT (unit_id, {table.subject}, ruleset_id) DO UPDATE SET
                score = excluded.score, matched = excluded.matched, version = excluded.version,
                updated_at = excluded.updated_at
        """  # noqa: S608 - names of ours
        columns = [list(column) for column in zip(*rows, strict=True)]
        write(statement, (scope.unit_id, version, now, *columns))


def list_scores(scope: Scope, side: Side, subjects: Collection[str]) -> dict[str, dict[UUID, int]]:
    """Return the scores that leads or accounts have, by ruleset."""
    table = _TABLES[side]
    statement = f"""
        SELECT {table.subject}, ruleset_id, score FROM {table.name}
        WHERE unit_id = %s AND {table.subject} = ANY(%s)
    """  # noqa: S608 - names of ours
    scores: dict[str, dict[UUID, int]] = {}
    for subject, ruleset_id, score in driver().execute(statement, (scope.unit_id, list(subjects))):
        scores.setdefault(subject, {})[ruleset_id] = score
    return scores


def list_stored(scope: Scope, side: Side, subject: str) -> list[StoredScore]:
    """Return all scores of one lead or account, with what they are made of."""
    table = _TABLES[side]
    statement = f"""
        SELECT ruleset_id, score, matched, version, updated_at FROM {table.name}
        WHERE unit_id = %s AND {table.subject} = %s ORDER BY ruleset_id
    """  # noqa: S608 - names of ours
    return [StoredScore(*row) for row in driver().execute(statement, (scope.unit_id, subject))]


def find_unscored(
    scope: Scope, side: Side, subjects: Collection[str], ruleset_ids: Collection[UUID]
) -> set[str]:
    """Return who lacks a row in any of the rulesets."""
    table = _TABLES[side]
    statement = f"""
        SELECT wanted.subject
        FROM unnest(%s::text[]) AS wanted (subject) LEFT JOIN {table.name} s
            ON s.unit_id = %s AND s.{table.subject} = wanted.subject AND s.ruleset_id = ANY(%s)
        GROUP BY wanted.subject HAVING count(s.ruleset_id) < %s
    """  # noqa: S608 - names of ours
    bound = (list(subjects), scope.unit_id, list(ruleset_ids), len(ruleset_ids))
    return {subject for (subject,) in driver().execute(statement, bound)}


def erase_scores(scope: Scope, side: Side, subjects: Collection[str]) -> None:
    """Forget the scores of leads or accounts that are going."""
    table = _TABLES[side]
    driver().execute(
        f"DELETE FROM {table.name} WHERE unit_id = %s AND {table.subject} = ANY(%s)",  # noqa: S608 - names of ours
        (scope.unit_id, list(subjects)),
    )


def mark_stale(scope: Scope, before: Policies, after: Policies, *, now: datetime) -> None:
    """Note which scores a change of configuration makes stale; a worker makes them anew.

    So it does with leads that belong to accounts, as soon as there are any. A walk that is under
    way for one of them begins again: it notices that what it walks for was asked for anew.
    """
    wanted = [
        (side.value, ruleset_id)
        for side in Side
        for ruleset_id in sets_to_rescore(rulesets_of(before, side), rulesets_of(after, side))
    ]
    if after.abm_enabled and not before.abm_enabled:
        wanted.append((LINKS, scope.unit_id))
    if _primary_id(before) != _primary_id(after):
        wanted.append((HEADLINE, scope.unit_id))
    _mark(scope, wanted, now=now)


def mark_all_stale(scope: Scope, policies: Policies, *, now: datetime) -> None:
    """Have a worker make every score anew that an enabled ruleset gives, as a rescore does.

    Also those of rulesets that have no rules any more, which otherwise keep what they gave.
    """
    wanted = [
        (side.value, ruleset.ruleset_id)
        for side in Side
        for ruleset in rulesets_of(policies, side)
        if ruleset.enabled
    ]
    _mark(scope, wanted, now=now)


def _mark(scope: Scope, wanted: Sequence[tuple[str, UUID]], *, now: datetime) -> None:
    if not wanted:
        return
    statement = """
        INSERT INTO attribute_rescores (unit_id, kind, ruleset_id, after, requested_at)
        SELECT %s, kind, ruleset_id, '', %s
        FROM unnest(%s::text[], %s::uuid[]) AS new (kind, ruleset_id)
        ON CONFLICT (unit_id, kind, ruleset_id)
        DO UPDATE SET after = '', requested_at = greatest(
            excluded.requested_at, attribute_rescores.requested_at + interval '1 microsecond'
        )
    """
    kinds, ruleset_ids = map(list, zip(*wanted, strict=True))
    driver().execute(statement, (scope.unit_id, now, kinds, ruleset_ids))


def next_rescore(scope: Scope) -> Rescore | None:
    """Return a ruleset whose scores are to be made anew, or None; links first, headlines last."""
    statement = """
        SELECT kind, ruleset_id, after, requested_at FROM attribute_rescores
        WHERE unit_id = %s
        ORDER BY kind = 'headline', kind <> 'links', requested_at, ruleset_id LIMIT 1
    """
    row = driver().execute(statement, (scope.unit_id,)).fetchone()
    return Rescore(*row) if row else None


def note_rescored(scope: Scope, rescore: Rescore, *, after: str | None) -> None:
    """Note how far the walk has come; None says that it is over.

    Notes nothing when it was asked for again since: what is done may be wrong already.
    """
    is_this = "unit_id = %s AND kind = %s AND ruleset_id = %s AND requested_at = %s"
    bound = (scope.unit_id, rescore.kind, rescore.ruleset_id, rescore.requested_at)
    if after is None:
        driver().execute(f"DELETE FROM attribute_rescores WHERE {is_this}", bound)  # noqa: S608 - ours
    else:
        statement = f"UPDATE attribute_rescores SET after = %s WHERE {is_this}"  # noqa: S608 - ours
        driver().execute(statement, (after, *bound))


def units_with_stale_scores() -> list[UUID]:
    """Return the units of which some scores are to be made anew."""
    rows = driver().execute("SELECT DISTINCT unit_id FROM attribute_rescores")
    return [unit_id for (unit_id,) in rows]


def _primary_id(policies: Policies) -> UUID | None:
    primary = primary_of(policies.account_rulesets)
    return primary.ruleset_id if primary else None


def _array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(it.hex for it in ids) + "}"
