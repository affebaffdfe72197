"""The parts of a lead's page beside its score and its history: who it is, and what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from leadvibe.engine.levels import UNCLASSIFIED, level_of
from leadvibe.engine.mapping import Trace
from leadvibe.engine.policies import FieldMapping
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.explain.profile import AttributeExplanation
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import list_members
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.queries import SOURCE_PREFIX
from leadvibe.leads import documents, merging, queries, suggestions
from leadvibe.leads.accounts import find_account
from leadvibe.leads.types import AliasKind, Lead, MergedLead, MergeSuggestion, StoredAlias
from leadvibe.leads.watching import is_watched
from leadvibe.pipeline.editing import state_of
from leadvibe.scoring import lead_scores
from leadvibe.scoring.movements import has_surged
from leadvibe.scoring.types import Ruleset
from leadvibe.scoring.wording import signed
from leadvibe.web.account_paths import account_path
from leadvibe.web.facts import spell_fact
from leadvibe.web.forms.lead import ALIAS_LABELS, AliasForm, DocumentForm, PropertyForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_record import shows_in_deal
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.display import (
    MONTHS,
    Choice,
    Fact,
    Level,
    Link,
    Moment,
    Tone,
    counted,
    query_url,
    thousands,
)
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.lead import (
    Aliases,
    AliasRow,
    Drafts,
    LeadHead,
    MergedRow,
    Merges,
    ProfileReason,
    ProfileScore,
    Properties,
    PropertyRow,
    RulesetScore,
    SuggestedRow,
    alias_icon,
)
from leadvibe.web.trigger_words import say_test

SURGE_LASTS = timedelta(hours=24)
MOST_PROPERTIES = 100
NEW, DOCUMENT = "+", "{}"
"""Values of `edit` in the address that no property has: names are kept printable and these are not
offered as links, so one called like that is edited as JSON."""

_UNTRACED = Trace()


def build_head(
    principal: Principal,
    lead: Lead,
    state: LeadState,
    *,
    rulesets: Sequence[Ruleset],
    config: Config,
    profile: Sequence[AttributeExplanation],
    now: datetime,
) -> LeadHead:
    scope, path = principal.scope, lead_path(lead.lead_id)
    can_write = can(principal, Permission.WRITE_DATA)
    scores = {it.ruleset_id: it.score for it in lead_scores.list_scores(scope, [lead.lead_id])}
    primary = next((it for it in profile if it.is_primary and it.is_live), None)
    member_id = principal.member_id
    return LeadHead(
        name=lead.name,
        detail=lead.detail or "",
        level=_level(config, LevelKind.ENGAGEMENT, lead.score),
        score=thousands(lead.score),
        rulesets=tuple(
            RulesetScore(
                name=ruleset.name,
                score=thousands(scores.get(ruleset.ruleset_id, 0)),
                level=_level(config, LevelKind.ENGAGEMENT, scores.get(ruleset.ruleset_id, 0)),
                url=state.url(ruleset=str(ruleset.ruleset_id)),
                is_primary=ruleset.is_primary,
            )
            for ruleset in rulesets
        ),
        profile_score=thousands(primary.score) if primary else "",
        profile_level=_level(config, LevelKind.PROFILE, primary.score) if primary else None,
        badges=tuple(_badges(scope, lead, now)),
        events=thousands(lead.event_count),
        sessions=thousands(lead.session_count),
        last_active=Moment.of(lead.last_event_at) if lead.last_event_at else None,
        created_at=Moment.of(lead.created_at),
        source=_say_source(lead.source),
        account=_account(scope, lead, has_page=config.policies.abm_enabled),
        owner=lead.owner_name or "",
        owners=_owners(scope, lead) if can_write else (),
        owner_url=f"{path}/owner",
        is_watched=bool(member_id and is_watched(scope, member_id, lead.lead_id)),
        watch_url=f"{path}/watch" if member_id else "",
        merge_url=f"{path}/merge" if can_write else "",
        delete_url=f"{path}/delete" if can_write else "",
    )


def _badges(scope: Scope, lead: Lead, now: datetime) -> Iterator[Fact]:
    if has_surged(scope, lead.lead_id, since=now - SURGE_LASTS):
        yield Fact(Tone.WARN, "Surging")
    if queries.find_strangers(scope, [lead.lead_id]):
        yield Fact(Tone.NEUTRAL, "Anonymous visitor")


def _account(scope: Scope, lead: Lead, *, has_page: bool) -> Link | None:
    account = find_account(scope, lead.account_id) if lead.account_id else None
    if account is None:
        return None
    return Link(account.name, account_path(account.account_id) if has_page else "")


def _owners(scope: Scope, lead: Lead) -> tuple[Choice, ...]:
    members = [it.member for it in list_members(scope) if it.unit_role]
    known = {it.org_member_id for it in members}
    choices = [Choice("Nobody", "", lead.owner_id is None)]
    if lead.owner_id and lead.owner_id not in known:
        choices.append(Choice(lead.owner_name or "Somebody", str(lead.owner_id), True))
    choices += [
        Choice(it.name, str(it.org_member_id), it.org_member_id == lead.owner_id)
        for it in sorted(members, key=lambda it: it.name.lower())
    ]
    return tuple(choices)


def _level(config: Config, kind: LevelKind, score: int) -> Level:
    level = level_of(config.levels_of(kind), score)
    return Level(level.name, level.color) if level else Level(UNCLASSIFIED)


def build_aliases(principal: Principal, lead: Lead, drafts: Drafts) -> Aliases:
    path, can_write = lead_path(lead.lead_id), can(principal, Permission.WRITE_DATA)
    stored = queries.list_aliases(principal.scope, lead.lead_id)
    return Aliases(
        lead_id=lead.lead_id,
        rows=tuple(_alias(it, f"{path}/aliases" if can_write else "") for it in stored),
        form=(drafts.alias or AliasForm(kind=AliasKind.EMAIL)) if can_write else None,
        add_url=f"{path}/aliases",
        is_open=drafts.alias is not None,
    )


def _alias(alias: StoredAlias, url: str) -> AliasRow:
    return AliasRow(
        id=str(alias.alias_id),
        kind=ALIAS_LABELS.get(alias.kind, alias.kind),
        value=alias.raw_value,
        icon=alias_icon(alias.kind),
        created_at=Moment.of(alias.created_at),
        remove_url=f"{url}/{alias.alias_id}/remove" if url else "",
    )


def build_properties(
    principal: Principal,
    lead: Lead,
    state: LeadState,
    *,
    config: Config,
    edited: str,
    drafts: Drafts,
) -> Properties:
    """Arrange what is known about a lead; `edited` names what is open, NEW or DOCUMENT included."""
    path, can_edit = lead_path(lead.lead_id), can(principal, Permission.WRITE_DATA)
    if drafts.property is not None:
        edited = drafts.property.name.data or NEW
        edited = edited if edited in lead.metadata else NEW
    traces = documents.load_traces(principal.scope, lead.lead_id)
    known = [it for it in lead.metadata if it == edited or not shows_in_deal(it, lead.metadata[it])]
    names = known[:MOST_PROPERTIES]
    left_out = len(known) - len(names)
    is_new, is_document = edited == NEW, edited == DOCUMENT or drafts.document is not None
    return Properties(
        url=state.url(),
        rows=tuple(
            _property(
                name,
                lead.metadata[name],
                traces.get(name, _UNTRACED),
                config.policies.profile_mappings,
                edit_url=f"{state.url(edit=name)}#lead-properties" if can_edit else "",
                form=_property_form(name, lead.metadata[name], drafts)
                if can_edit and name == edited
                else None,
            )
            for name in names
        ),
        is_in_deal=bool(lead.metadata) and not known,
        more=f"{counted(left_out, 'more property', 'more properties')}: see them as JSON."
        if left_out > 0
        else "",
        can_edit=can_edit,
        save_url=f"{path}/property",
        add_url=f"{state.url(edit=NEW)}#lead-properties",
        new=(drafts.property or PropertyForm.of("", None, state_of(None)))
        if can_edit and is_new
        else None,
        document_url=f"{state.url(edit=DOCUMENT)}#lead-properties",
        document_save_url=f"{path}/properties",
        document=(drafts.document or DocumentForm.of(lead.metadata, state_of(lead.metadata)))
        if can_edit and is_document
        else None,
    )


def _property(
    name: str,
    value: Any,
    trace: Trace,
    mappings: Sequence[FieldMapping],
    *,
    edit_url: str,
    form: PropertyForm | None,
) -> PropertyRow:
    return PropertyRow(
        name=name,
        value=spell_fact(value),
        origin=_origin(name, trace, mappings),
        is_mapped=trace.is_covered,
        edit_url=edit_url,
        form=form,
    )


def _property_form(name: str, value: Any, drafts: Drafts) -> PropertyForm:
    return drafts.property or PropertyForm.of(name, value, state_of(value))


def _origin(name: str, trace: Trace, mappings: Sequence[FieldMapping]) -> str:
    """Say where a property's value comes from, as far as that is known."""
    if trace.event is not None or trace.kept:
        at = trace.event.at if trace.event else trace.kept[-1].moment.at
        source = next((it.source_field for it in mappings if it.target_property == name), "")
        return f"From {source or 'an event'}, {_day(at)}"
    return f"Set by hand, {_day(trace.hand)}" if trace.hand >= 0 else ""


def _day(micros: int) -> str:
    at = datetime.fromtimestamp(micros / 1_000_000, UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def build_profile(explained: Sequence[AttributeExplanation]) -> tuple[ProfileScore, ...]:
    return tuple(
        ProfileScore(
            name=it.name,
            score=thousands(it.score),
            note="" if it.is_live else "Switched off: it keeps the score it gave.",
            reasons=tuple(
                ProfileReason(
                    label=say_test(rule.test),
                    weight=signed(rule.weight),
                    direction=direction(rule.weight),
                )
                for rule in it.matched
            ),
        )
        for it in explained
    )


def build_merges(principal: Principal, lead: Lead) -> Merges:
    scope, path = principal.scope, lead_path(lead.lead_id)
    can_merge = can(principal, Permission.WRITE_DATA)
    merged = merging.list_merged(scope, lead.lead_id)
    return Merges(
        merged=tuple(
            _merged(it, can_merge=can_merge, number=number) for number, it in enumerate(merged)
        ),
        suggested=tuple(
            _suggested(path, it) for it in suggestions.list_others(scope, lead.lead_id, merged)
        ),
        unmerge_url=f"{path}/unmerge",
        dismiss_url=f"{path}/dismiss",
        can_merge=can_merge,
    )


def _merged(it: MergedLead, *, can_merge: bool, number: int) -> MergedRow:
    who = f"Merged by {it.merged_by}" if it.merged_by else "The same visitor, known again"
    lost = f", {counted(it.lost_events, 'event')} left out" if it.lost_events else ""
    return MergedRow(
        lead_id=it.lead_id, note=f"{who}{lost}", unmerge_id=f"unmerge-{number}" if can_merge else ""
    )


def _suggested(path: str, it: MergeSuggestion) -> SuggestedRow:
    named = ", ".join(alias.value for alias in it.aliases[:2])
    return SuggestedRow(
        lead=Link(it.other_name, lead_path(it.other_lead_id)),
        why=f"An event named both: {named}",
        merge_url=query_url(f"{path}/merge", {"with": it.other_lead_id}),
        lead_id=it.other_lead_id,
    )


def _say_source(source: str) -> str:
    """Name where a lead came from; of an import, that it was one and not its id."""
    if source == SAMPLE_SOURCE:
        return "Sample data"
    return "Import" if source.startswith(SOURCE_PREFIX) else source
