"""Profile scores and levels of many leads, as answers about leads show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from leadvibe.engine.levels import LevelCut
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.identity.types import Scope
from leadvibe.scoring import profiles, queries
from leadvibe.scoring.profiles import Side


class ProfileScores:
    """The profile scores of leads by ruleset; the configuration in force names them."""

    def __init__(self, scope: Scope, config: Config) -> None:
        self._scope = scope
        rulesets = config.policies.profile_rulesets
        self._live = [str(it.ruleset_id) for it in rulesets if it.enabled]
        self._names = {str(it.ruleset_id): it.name for it in rulesets}
        primary = profiles.primary_of(rulesets)
        self._primary_id = str(primary.ruleset_id) if primary else ""
        self.primary_name = primary.name if primary else ""

    def by_lead(self, lead_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the scores of each lead: of all live rulesets, and what others have left."""
        return self.complete(profiles.list_scores(self._scope, Side.PROFILE, lead_ids), lead_ids)

    def complete(
        self, found: Mapping[str, Mapping[UUID, int]], lead_ids: Sequence[str]
    ) -> dict[str, dict[str, int]]:
        """Return stored scores with those of rulesets of which a lead meets no rule."""
        return {
            lead_id: dict.fromkeys(self._live, 0)
            | {str(key): score for key, score in found.get(lead_id, {}).items()}
            for lead_id in lead_ids
        }

    def names(self, ruleset_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of those of the rulesets that are there still."""
        return {each: self._names[each] for each in ruleset_ids if each in self._names}

    def levels_of(self, lead_ids: Sequence[str]) -> dict[str, str]:
        """Return the profile level of each lead, by the primary ruleset."""
        cut = LevelCut(queries.list_levels(self._scope, LevelKind.PROFILE))
        scores = self.by_lead(lead_ids)
        return {it: cut.name_of(scores[it].get(self._primary_id, 0)) for it in lead_ids}
