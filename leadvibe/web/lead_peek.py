"""One lead beside the list: enough to decide what to do with it, and no more."""

from __future__ import annotations

from leadvibe.engine.facts import EntryKind
from leadvibe.engine.levels import level_of
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.queries import list_timeline
from leadvibe.events.types import Event
from leadvibe.explain.queries import explain_span
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.facts import FactReader
from leadvibe.leads import queries as leads
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.types import Lead
from leadvibe.leads.watching import list_watched_ids
from leadvibe.leadviews.types import Column
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.movements import EntryGroup, Span
from leadvibe.scoring.wording import signed
from leadvibe.web.event_icons import event_icon, mover_icon
from leadvibe.web.facts import summarize
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import LeadQuery
from leadvibe.web.lead_rows import badge_of
from leadvibe.web.pages.display import Moment, counted, thousands
from leadvibe.web.pages.explanation import KIND_LABELS, direction
from leadvibe.web.pages.peek import Peek, PeekEvent, Reason

REASONS = 5
EVENTS = 5
SHOWN = (Column.PROFILE_LEVEL, Column.ALIASES, Column.ACCOUNT, Column.TITLE)


def build_peek(principal: Principal, config: Config, wanted: LeadQuery) -> Peek | None:
    """Return the lead that the address names beside the list, if it names one."""
    lead_id = wanted.params.get("peek")
    if not lead_id:
        return None
    try:
        lead = leads.get_lead(principal.scope, lead_id)
    except LeadNotFoundError:
        return _gone(lead_id, wanted)
    scope = principal.scope
    reader = FactReader(scope, config, SHOWN)
    facts = reader.read([lead.lead_id])[lead.lead_id]
    url = lead_path(lead.lead_id)
    return Peek(
        id=lead.lead_id,
        name=lead.name,
        detail=lead.detail or "",
        url=url,
        why_url=f"{url}#why",
        close_url=wanted.here(peek=""),
        score=thousands(lead.score),
        level=badge_of(level_of(config.levels_of(LevelKind.ENGAGEMENT), lead.score)),
        profile_level=(
            badge_of(facts.profile_level) if Column.PROFILE_LEVEL in reader.columns else None
        ),
        owner=lead.owner_name or "",
        account=facts.account,
        title=facts.title,
        last_active=Moment.of(lead.last_event_at) if lead.last_event_at else None,
        events=thousands(lead.event_count),
        is_watched=_is_watched(principal, lead),
        query=wanted.query,
        can_assign=can(principal, Permission.WRITE_DATA),
        is_mine=lead.owner_id is not None and lead.owner_id == principal.member_id,
        aliases=facts.aliases[:REASONS],
        reasons=_reasons(principal, lead),
        latest=tuple(_event(it) for it in list_timeline(scope, lead.lead_id, limit=EVENTS)),
    )


def _gone(lead_id: str, wanted: LeadQuery) -> Peek:
    return Peek(
        id=lead_id,
        name=lead_id,
        detail="",
        url="",
        why_url="",
        close_url=wanted.here(peek=""),
        score="",
        level=badge_of(None),
        is_gone=True,
    )


def _is_watched(principal: Principal, lead: Lead) -> bool:
    member_id = principal.member_id
    return member_id is not None and lead.lead_id in list_watched_ids(principal.scope, member_id)


def _reasons(principal: Principal, lead: Lead) -> tuple[Reason, ...]:
    """Name what gave or took most points, over all time."""
    rulesets = scoring.list_rulesets(principal.scope)
    behind = (it for it in rulesets if it.ruleset_id == lead.ruleset_id)
    ruleset = next(behind, rulesets[0] if rulesets else None)
    if ruleset is None:
        return ()
    explained = explain_span(principal.scope, lead.lead_id, ruleset.ruleset_id, Span(), newest=1)
    largest = sorted(explained.groups, key=lambda it: -abs(it.delta))
    return tuple(_reason(group) for group in largest[:REASONS])


def _reason(group: EntryGroup) -> Reason:
    return Reason(
        label=KIND_LABELS.get(EntryKind(group.kind), group.event_type),
        icon=mover_icon(group.kind, group.event_type),
        times=counted(group.count, "time"),
        points=signed(group.delta),
        direction=direction(group.delta),
    )


def _event(event: Event) -> PeekEvent:
    return PeekEvent(
        event_type=event.event_type,
        summary=summarize(event.event_type, event.metadata),
        icon=event_icon(event.event_type, event.channel),
        at=Moment.of(event.occurred_at),
    )
