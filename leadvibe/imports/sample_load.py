"""The sample year in a unit: loaded as if it had come in, and taken out again without a trace.

All of it is marked: events and leads by their source, the rest by who made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadvibe.events import queries as event_queries
from leadvibe.events import service as events
from leadvibe.events.types import Arrival
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity import queries as identity
from leadvibe.identity.types import Member, Principal, Scope, UnitRole
from leadvibe.imports.sample import (
    REPS,
    SAMPLE_RULESETS,
    SampleEvent,
    SampleLead,
    SampleRecord,
    SampleRuleset,
    SampleYear,
    generate,
)
from leadvibe.imports.sample.types import Aliases, Metadata
from leadvibe.imports.sample_audiences import install_audiences, remove_audiences
from leadvibe.leads import queries as lead_queries
from leadvibe.leads import service as leads
from leadvibe.leads import statuses
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.ownership import assign_owners
from leadvibe.leads.statuses import StatusChange
from leadvibe.leads.types import AliasKind, Identity
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import intake
from leadvibe.pipeline.calling import SOURCE as APP
from leadvibe.pipeline.deletion import erase_leads
from leadvibe.pipeline.intake import IncomingAlias, IncomingEvent
from leadvibe.pipeline.recording import STATUS_PROPERTY
from leadvibe.pipeline.retelling import retell_leads
from leadvibe.scoring import queries as score_queries
from leadvibe.scoring import service as scoring
from leadvibe.scoring.types import Ruleset
from leadvibe.triggers.emitting import forget_fired_by

SAMPLE_SEED = 20_260_301
SAMPLE_LEADS = 5_000
SAMPLE_EVENTS = 150_000
FIRES_FOR = timedelta(days=30)
"""How far back the sample's triggers hear its events: what is older would say little and cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What was loaded; all zeros when the unit has sample data already."""

    leads: int = 0
    events: int = 0
    rules: int = 0

    @property
    def is_new(self) -> bool:
        return self.events > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WipeReport:
    """What was deleted, and how many leads were rescored because they had other events, too."""

    events: int
    waiting: int
    dead_letters: int
    leads: int
    rules: int
    rulesets: int
    rescored: int


def load_sample(
    principal: Principal,
    scope: Scope,
    *,
    now: datetime,
    seed: int = SAMPLE_SEED,
    leads: int = SAMPLE_LEADS,
    events: int = SAMPLE_EVENTS,
) -> SampleReport:
    """Put a year of a SaaS company before `now` into the unit.

    That is rules, segments, triggers, leads and waiting events. One transaction, which the caller
    commits; then the pipeline scores. Does nothing in a unit that has sample data. Raises
    InvalidError as `generate` does.
    """
    if _lock_and_look(scope):
        return SampleReport()
    team = _sellers(scope)
    year = generate(seed=seed, leads=leads, events=events, end=now, reps=[*team] or REPS)
    rules = _install_rules(principal, scope, now=now)
    install_audiences(principal, scope, now=now)
    _make_leads(scope, year, team, now=now)
    _post_events(scope, year.events, now=now)
    return SampleReport(leads=len(year.leads), events=len(year.events), rules=rules)


def _lock_and_look(scope: Scope) -> bool:
    """Say whether the unit has sample data, letting only one ask at a time load it."""
    leads.lock_identities(scope)
    return event_queries.has_source(scope, SAMPLE_SOURCE)


def wipe_sample(principal: Principal, scope: Scope, *, now: datetime) -> WipeReport:
    """Take the sample out: what it brought is deleted, and what real events share with it stays.

    Leads that have real events as well are rescored without the sample's. Waits for the
    pipeline's batch of the unit. Safe to repeat.
    """
    leads.lock_identities(scope)
    forget_fired_by(scope, SAMPLE_SOURCE)
    wiped = events.wipe_source(scope, SAMPLE_SOURCE)
    gone = _forget_leads(scope)
    shared = sorted(wiped.lead_ids.difference(gone))
    retell_leads(scope, shared, now=now)
    remove_audiences(scope)
    rules, rulesets = _remove_rules(principal, scope, now=now)
    return WipeReport(
        events=wiped.events,
        waiting=wiped.waiting,
        dead_letters=wiped.dead_letters,
        leads=len(gone),
        rules=rules,
        rulesets=rulesets,
        rescored=len(shared),
    )


def _install_rules(principal: Principal, scope: Scope, *, now: datetime) -> int:
    """Add the sample's rules where the unit has none for their event; returns how many."""
    by = replace(principal, label=SAMPLE_SOURCE)
    return sum(_install_ruleset(by, scope, sample, now=now) for sample in SAMPLE_RULESETS)


def _install_ruleset(by: Principal, scope: Scope, sample: SampleRuleset, *, now: datetime) -> int:
    ruleset = _find_ruleset(scope, sample) or scoring.create_ruleset(
        by, scope, {"name": sample.name}, now=now
    )
    scored = {
        rule.event_type for rule in score_queries.list_rules(scope, ruleset_id=ruleset.ruleset_id)
    }
    missing = [rule for rule in sample.rules if rule.event_type not in scored]
    for rule in missing:
        scoring.create_rule(by, scope, ruleset.ruleset_id, rule._asdict(), now=now)
    return len(missing)


def _find_ruleset(scope: Scope, sample: SampleRuleset) -> Ruleset | None:
    """Return the unit's primary ruleset for the sample's, else the one of that name."""
    if sample.is_primary and (primary := score_queries.find_primary(scope)):
        return primary
    rulesets = score_queries.list_rulesets(scope)
    return next((ruleset for ruleset in rulesets if ruleset.name == sample.name), None)


def _sellers(scope: Scope) -> dict[str, Member]:
    """Return by name who may call leads of the unit, and is there to do so."""
    return {
        it.member.name: it.member
        for it in identity.list_members(scope)
        if it.has_joined and it.unit_role in {UnitRole.OWNER, UnitRole.OPERATOR}
    }


def _make_leads(
    scope: Scope, year: SampleYear, team: Mapping[str, Member], *, now: datetime
) -> None:
    """Make the people before their events come, as old as the first of these.

    Somebody who is in the unit already keeps what is known of them.
    """
    leads.lock_identities(scope)
    first_seen = _first_seen(year.events)
    identities = [
        Identity(
            None,
            tuple(make_alias(kind, value) for kind, value in lead.aliases),
            SAMPLE_SOURCE,
            min(first_seen[alias] for alias in lead.aliases),
        )
        for lead in year.leads
    ]
    keys = {alias.key for identity in identities for alias in identity.aliases}
    known = set(lead_queries.owners_of_aliases(scope, keys).values())
    lead_ids = leads.resolve_identities(scope, identities, now=now).lead_ids
    told = zip(lead_ids, year.leads, year.records, strict=True)
    new = {lead_id: (lead, record) for lead_id, lead, record in told if lead_id not in known}
    leads.describe(scope, {lead_id: _properties(*of) for lead_id, of in new.items()}, now=now)
    records = {lead_id: record for lead_id, (_, record) in new.items()}
    statuses.record_changes(scope, list(_changes(records)), now=now)
    keepers = {it: team.get(record.rep or "") for it, record in records.items()}
    assign_owners(scope, {it: keeper for it, keeper in keepers.items() if keeper}, now=now)


def _properties(lead: SampleLead, record: SampleRecord) -> Metadata:
    told = {**lead.metadata, **record.fields}
    return {**told, STATUS_PROPERTY: record.changes[-1].status} if record.changes else told


def _changes(records: Mapping[str, SampleRecord]) -> Iterator[StatusChange]:
    for lead_id, record in records.items():
        for it in record.changes:
            yield StatusChange(new_id(), lead_id, it.status, it.before, it.at, it.by, APP)


def _first_seen(sample: Iterable[SampleEvent]) -> dict[tuple[str, str], datetime]:
    first_seen: dict[tuple[str, str], datetime] = {}
    for event in sample:  # in order of time
        for alias in event.aliases:
            first_seen.setdefault(alias, event.occurred_at)
    return first_seen


def _post_events(scope: Scope, sample: Iterable[SampleEvent], *, now: datetime) -> None:
    version = score_queries.current_version(scope)
    events.post_arrivals(scope, _arrivals(sample, now=now), version=version)


def _arrivals(sample: Iterable[SampleEvent], *, now: datetime) -> Iterator[Arrival]:
    """Yield the events as the inbox keeps them: built, not checked, because they are our own."""
    incoming: dict[Aliases, list[IncomingAlias]] = {}
    for event in sample:
        aliases = incoming.get(event.aliases)
        if aliases is None:
            aliases = incoming[event.aliases] = [
                IncomingAlias.model_construct(alias_kind=AliasKind(kind), raw_value=value)
                for kind, value in event.aliases
            ]
        yield intake.arrive(
            IncomingEvent.model_construct(
                event_type=event.event_type,
                lead_id=None,
                aliases=aliases,
                timestamp=event.occurred_at,
                metadata=event.metadata,
                message_id=None,
            ),
            source=SAMPLE_SOURCE,
            now=now,
            is_quiet=event.occurred_at < now - FIRES_FOR,
        )


def _forget_leads(scope: Scope) -> list[str]:
    """Delete the sample's leads that have no events left; returns them."""
    sample = lead_queries.list_ids_of_source(scope, SAMPLE_SOURCE)
    busy = event_queries.find_leads_with_events(scope, sample)
    gone = [lead_id for lead_id in sample if lead_id not in busy]
    erase_leads(scope, gone)
    return gone


def _remove_rules(principal: Principal, scope: Scope, *, now: datetime) -> tuple[int, int]:
    """Delete the rules and rulesets that the sample brought; returns how many of each."""
    rules = [rule for rule in score_queries.list_rules(scope) if rule.created_by == SAMPLE_SOURCE]
    for rule in rules:
        scoring.delete_rule(principal, scope, rule.rule_id, now=now)
    rulesets = [
        one for one in score_queries.list_rulesets(scope) if one.created_by == SAMPLE_SOURCE
    ]
    for ruleset in rulesets:
        scoring.delete_ruleset(principal, scope, ruleset.ruleset_id, now=now)
    return len(rules), len(rulesets)
