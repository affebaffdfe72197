"""Leads and accounts as they are, beside what a configuration would make of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.engine.crossings import count_rises
from leadvibe.engine.facts import Standing
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.profile import scorers_of
from leadvibe.engine.rules import LevelKind
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import rescore
from leadvibe.pipeline.scorebook import Result
from leadvibe.rescoring import queries
from leadvibe.rescoring.findings import Comparison, Findings
from leadvibe.rescoring.queries import Head
from leadvibe.rescoring.types import Preview
from leadvibe.scoring import lead_scores, profiles
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring.profiles import Side

CALM_TRIES = 2
"""How often leads that change while they are looked at are looked at again without a lock."""


class Look(NamedTuple):
    """A lead at one instant: what it shows, and what its score and those by ruleset would be."""

    head: Head
    standings: Mapping[UUID, Standing]
    new_score: int
    new_standings: Mapping[UUID, Standing]
    rises: Mapping[int, int]


class EngagementComparer:
    """Compares engagement scores: stored ones with a replay of the whole history."""

    def __init__(self, scope: Scope, preview: Preview) -> None:
        self._scope = scope
        self._config = preview.config
        self._thresholds = preview.thresholds
        before = score_queries.get_config(scope, preview.version)
        self._old_levels = LevelCut(before.levels_of(LevelKind.ENGAGEMENT))
        self._new_levels = LevelCut(self._config.levels_of(LevelKind.ENGAGEMENT))
        rulesets = (*before.rulesets, *self._config.rulesets)
        self._ruleset_ids = {ruleset.ruleset_id for ruleset in rulesets}

    def look_at(self, heads: Sequence[Head]) -> Iterator[Look]:
        """Yield the leads, each as it was at one instant.

        No lock is held meanwhile: the pipeline goes on. A lead that has changed between the first
        look and the last is looked at again, and in the end under the lock.
        """
        waiting = {head.lead_id: head for head in heads}
        tries = 0
        while waiting:
            lead_ids = list(waiting)
            standings = lead_scores.get_standings(self._scope, lead_ids)
            replays = rescore.replay_under(self._scope, lead_ids, self._config, until=utc_now())
            seen = queries.load_heads(self._scope, lead_ids)
            for lead_id in [it for it in lead_ids if seen.get(it) == waiting[it]]:
                old = standings.get(lead_id, {})
                yield self._look(waiting.pop(lead_id), old, replays[lead_id].result)
            tries += 1
            if waiting and tries >= CALM_TRIES:
                leads.lock_identities(self._scope)
            waiting = queries.load_heads(self._scope, list(waiting)) if waiting else {}

    def compare(self, heads: Sequence[Head], findings: Findings) -> list[Comparison]:
        """Return every lead before and after, having counted it."""
        return self.count(self.look_at(heads), findings)

    def count(
        self, looks: Iterable[Look], findings: Findings, *, new: Collection[str] = ()
    ) -> list[Comparison]:
        """Return every lead before and after, having counted it; `new` ones are not there yet."""
        compared = []
        for look in looks:
            lead = self._compare(look, is_new=look.head.lead_id in new)
            findings.add(lead)
            for ruleset_id in self._ruleset_ids & (look.standings.keys() | look.new_standings):
                change = _score(look.new_standings, ruleset_id) - _score(look.standings, ruleset_id)
                findings.add_ruleset(ruleset_id, change)
            findings.add_rises(lead, look.rises, self._thresholds)
            compared.append(lead)
        return compared

    def leave_as_is(self, head: Head) -> Comparison:
        """Return a lead that stays as it is."""
        level = self._old_levels.name_of(head.score)
        return Comparison(
            head.lead_id, is_new=False, old_score=head.score, new_score=head.score,
            old_level=level, new_level=level,
        )  # fmt: skip

    def _look(self, head: Head, standings: Mapping[UUID, Standing], result: Result) -> Look:
        activity = result.activity
        shown = (it for it in result.entries if it.ruleset_id == activity.ruleset_id)
        rises = count_rises(shown, self._thresholds) if self._thresholds else {}
        return Look(head, standings, activity.score, result.state.standings, rises)

    def _compare(self, look: Look, *, is_new: bool) -> Comparison:
        return Comparison(
            lead_id=look.head.lead_id,
            is_new=is_new,
            old_score=look.head.score,
            new_score=look.new_score,
            old_level=self._old_levels.name_of(look.head.score),
            new_level=self._new_levels.name_of(look.new_score),
        )


class AttributeComparer:
    """Compares scores by attributes: stored ones with what rules make of what is known.

    Of leads or of accounts, whichever the preview is of.
    """

    def __init__(self, scope: Scope, preview: Preview) -> None:
        self._scope = scope
        self._side = Side(preview.kind)
        config, kind = preview.config, LevelKind(preview.kind)
        rulesets = profiles.rulesets_of(config.policies, self._side)
        before = score_queries.get_config(scope, preview.version)
        self._old_levels = LevelCut(before.levels_of(kind))
        self._new_levels = LevelCut(config.levels_of(kind))
        self._old_primary = profiles.primary_of(profiles.rulesets_of(before.policies, self._side))
        self._new_primary = profiles.primary_of(rulesets)
        self._scorers = scorers_of(rulesets, allow_negative=config.allow_negative_scores)

    def compare(self, subjects: Sequence[str], findings: Findings) -> list[Comparison]:
        """Return every lead or account before and after, having counted it.

        Under the lock, which what is known about a lead and its scores change under together.
        """
        leads.lock_identities(self._scope)
        known = self._load_properties(subjects)
        stored = profiles.list_scores(self._scope, self._side, subjects)
        compared = []
        for subject, properties in known.items():
            old = stored.get(subject, {})
            new = {**old, **{it.ruleset_id: it.score(properties).score for it in self._scorers}}
            comparison = self._compare(subject, old, new)
            findings.add(comparison)
            for ruleset_id, score in new.items():
                findings.add_ruleset(ruleset_id, score - old.get(ruleset_id, 0))
            compared.append(comparison)
        return compared

    def _load_properties(self, subjects: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        if self._side is Side.PROFILE:
            known = documents.load(self._scope, subjects)
            return {lead_id: it.document.properties for lead_id, it in known.items()}
        found = accounts.load_documents(self._scope, subjects)
        return {account_id: it.properties for account_id, it in found.items()}

    def _compare(
        self, subject: str, old: Mapping[UUID, int], new: Mapping[UUID, int]
    ) -> Comparison:
        old_score = old.get(self._old_primary.ruleset_id, 0) if self._old_primary else 0
        new_score = new.get(self._new_primary.ruleset_id, 0) if self._new_primary else 0
        return Comparison(
            lead_id=subject,
            is_new=False,
            old_score=old_score,
            new_score=new_score,
            old_level=self._old_levels.name_of(old_score),
            new_level=self._new_levels.name_of(new_score),
        )


def _score(standings: Mapping[UUID, Standing], ruleset_id: UUID) -> int:
    standing = standings.get(ruleset_id)
    return standing.score if standing else 0
