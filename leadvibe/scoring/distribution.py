"""How many leads or accounts have which score: what levels divide."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from leadvibe.engine.rules import LevelKind
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import count_listed
from leadvibe.lib.db import driver
from leadvibe.scoring import profiles, queries
from leadvibe.scoring.profiles import Side

Distribution = Mapping[int, int]
"""By score, ascending; scores that nobody has are left out."""

_ENGAGEMENT = """
    SELECT bucket, leads FROM lead_histograms
    WHERE unit_id = %(unit)s AND facet = 'score' AND label = '' AND leads > 0 ORDER BY bucket
"""
_PROFILE = """
    SELECT score, count(*) FROM lead_profile_scores
    WHERE unit_id = %(unit)s AND ruleset_id = %(ruleset)s GROUP BY score ORDER BY score
"""
_ACCOUNT = """
    SELECT score, count(*) FROM accounts WHERE unit_id = %(unit)s GROUP BY score ORDER BY score
"""


def read_distribution(scope: Scope, kind: LevelKind) -> Distribution:
    """Return who has which of the scores that levels of a kind divide.

    Nobody has a profile score where no profile ruleset stands for leads.
    """
    if kind is LevelKind.PROFILE:
        ruleset_id = primary_profile_ruleset(scope)
        return {} if ruleset_id is None else _profile_scores(scope, ruleset_id)
    statement = _ENGAGEMENT if kind is LevelKind.ENGAGEMENT else _ACCOUNT
    return dict(driver().execute(statement, {"unit": scope.unit_id}).fetchall())


def primary_profile_ruleset(scope: Scope) -> UUID | None:
    """Return the ruleset whose score stands for a lead's profile, or None."""
    rulesets = profiles.rulesets_of(queries.read_policies(scope), Side.PROFILE)
    primary = profiles.primary_of(rulesets)
    return primary.ruleset_id if primary else None


def _profile_scores(scope: Scope, ruleset_id: UUID) -> Distribution:
    bound = {"unit": scope.unit_id, "ruleset": ruleset_id}
    scores: dict[int, int] = dict(driver().execute(_PROFILE, bound).fetchall())
    # Whoever meets none of its rules has no row, and a score of 0.
    unscored = count_listed(scope) - sum(scores.values())
    if unscored > 0:
        scores[0] = scores.get(0, 0) + unscored
    return dict(sorted(scores.items()))
