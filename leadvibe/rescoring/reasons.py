"""Why leads of a preview would have another score: which events or rules give them other points.

Worked out for the few leads that somebody looks at, as they are now: a preview keeps scores alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leadvibe.engine.facts import EntryKind
from leadvibe.engine.mapping import Document
from leadvibe.engine.policies import DECAY_TYPE, AttributeRule, FieldTest
from leadvibe.engine.profile import scorers_of
from leadvibe.explain.profile import explain_attributes
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import rescore
from leadvibe.pipeline.rescore import Replay
from leadvibe.rescoring import queries
from leadvibe.rescoring.types import Preview, PreviewKind
from leadvibe.scoring import lead_scores, profiles

MOST_EVENTS = 20_000
"""Of the leads that are looked at together: what a page can replay while somebody waits."""


class Shift(NamedTuple):
    """What an event type gives a lead in total, or a rule about it, before and after."""

    subject: str | FieldTest
    before: int
    after: int

    @property
    def change(self) -> int:
        return self.after - self.before


def explain_moves(
    scope: Scope, preview: Preview, lead_ids: Sequence[str]
) -> dict[str, list[Shift]]:
    """Return what moves each lead or account, the largest first.

    Nothing for leads too big to replay.
    """
    if preview.kind is not PreviewKind.ENGAGEMENT:
        return {lead_id: _attribute_shifts(scope, preview, lead_id) for lead_id in lead_ids}
    heads = queries.load_heads(scope, lead_ids)
    if sum(head.event_count for head in heads.values()) > MOST_EVENTS:
        return {}
    replays = rescore.replay_under(scope, list(heads), preview.config, until=utc_now())
    old = lead_scores.sum_by_type(scope, list(heads))
    return {
        lead_id: _shifts(
            old.get(lead_id, {}).get(head.ruleset_id, {}) if head.ruleset_id else {},
            _sums(replays[lead_id]),
        )
        for lead_id, head in heads.items()
    }


def _sums(replay: Replay) -> dict[str, int]:
    types = {event.event_id: event.event_type for event in replay.events}
    sums: dict[str, int] = {}
    for entry in replay.result.entries:
        if entry.ruleset_id == replay.result.activity.ruleset_id:
            is_decay = entry.kind == EntryKind.DECAY
            event_type = DECAY_TYPE if is_decay else types.get(entry.event_id, DECAY_TYPE)
            sums[event_type] = sums.get(event_type, 0) + entry.delta
    return sums


def _shifts(before: Mapping[str, int], after: Mapping[str, int]) -> list[Shift]:
    found = (Shift(it, before.get(it, 0), after.get(it, 0)) for it in {**before, **after})
    return _largest_first([shift for shift in found if shift.change])


def _attribute_shifts(scope: Scope, preview: Preview, subject: str) -> list[Shift]:
    explained = explain_attributes(scope, profiles.Side(preview.kind), subject)
    old = {rule.rule_id: rule for it in explained if it.is_primary for rule in it.matched}
    new = {rule.rule_id: rule for rule in _matched(scope, preview, subject)}
    found = [
        Shift(
            (new.get(rule_id) or old[rule_id]).test,
            old[rule_id].weight if rule_id in old else 0,
            new[rule_id].weight if rule_id in new else 0,
        )
        for rule_id in {**old, **new}
    ]
    return _largest_first([shift for shift in found if shift.change])


def _matched(scope: Scope, preview: Preview, subject: str) -> list[AttributeRule]:
    config, side = preview.config, profiles.Side(preview.kind)
    primary = profiles.primary_of(profiles.rulesets_of(config.policies, side))
    document = _find_document(scope, side, subject)
    if primary is None or document is None:
        return []
    [scorer] = scorers_of([primary], allow_negative=config.allow_negative_scores) or [None]
    met = scorer.score(document.properties).matched if scorer else ()
    return [rule for rule in primary.rules if rule.rule_id in met]


def _find_document(scope: Scope, side: profiles.Side, subject: str) -> Document | None:
    if side is profiles.Side.ACCOUNT:
        return accounts.load_documents(scope, [subject]).get(subject)
    known = documents.load(scope, [subject]).get(subject)
    return known.document if known else None


def _largest_first(shifts: list[Shift]) -> list[Shift]:
    return sorted(shifts, key=lambda it: (-abs(it.change), str(it.subject)))
