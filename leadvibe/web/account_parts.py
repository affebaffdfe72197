"""The parts of an account's page, each put in by itself: htmx asks for some of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from leadvibe.engine.conditions import ConditionError, parse_operator
from leadvibe.engine.levels import LevelCut
from leadvibe.engine.policies import AttributeRule
from leadvibe.engine.rules import LevelKind
from leadvibe.events.queries import TimelinePosition
from leadvibe.explain.profile import AttributeExplanation, explain_attributes
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.account_activity import count_active, count_active_by_day
from leadvibe.leadlist.accounts import (
    AccountEvent,
    find_surging,
    list_account_events,
    list_account_leads,
)
from leadvibe.leads.accounts import FACTS, Account, find_fact
from leadvibe.leads.queries import get_lead
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.condition_words import OPERATOR_LABELS
from leadvibe.scoring.condition_words import spell as spell_value
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.wording import signed
from leadvibe.segments.membership import segments_among
from leadvibe.web.account_paths import ACCOUNTS, account_path
from leadvibe.web.account_properties import write_value
from leadvibe.web.account_query import SURGE_LASTS
from leadvibe.web.charts import Point, draw_columns
from leadvibe.web.event_icons import event_icon
from leadvibe.web.event_positions import write_position
from leadvibe.web.home_range import ONE_DAY, midnight, spell
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_rows import detail_parts
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.accounts import (
    AccountEventRow,
    AccountPage,
    EventBatch,
    MatchedRule,
    PersonRow,
    RollUp,
    SegmentsOfAccount,
)
from leadvibe.web.pages.display import Link, Moment, Pager, counted, query_url, thousands
from leadvibe.web.pages.explanation import direction
from leadvibe.web.segment_paths import segment_path

PEOPLE_SHOWN = 25
EVENTS_SHOWN = 25
ACTIVE_DAYS = 30
NEWEST = "account-events"


def build_plain(scope: Scope, account: Account) -> AccountPage:
    """Return the page with what every part of it needs."""
    url = account_path(account.account_id)
    return AccountPage(
        name=account.name,
        domain=account.domain or "",
        id=account.account_id,
        url=url,
        list_url=ACCOUNTS,
        level=badge_of(LevelCut(scoring.list_levels(scope, LevelKind.ACCOUNT)), account.score),
        score=thousands(account.score),
        segments=SegmentsOfAccount(url=query_url(url, {"show": "segments"})),
    )


def with_head(
    page: AccountPage, principal: Principal, account: Account, *, now: datetime
) -> AccountPage:
    """Put in what the account is worth and why, and how many of its people are active."""
    scope, id_ = principal.scope, account.account_id
    first = now.astimezone(UTC).date() - (ACTIVE_DAYS - 1) * ONE_DAY
    since = midnight(first)
    by_day = count_active_by_day(scope, id_, since=since)
    days = [first + number * ONE_DAY for number in range(ACTIVE_DAYS)]
    points = [
        Point(f"{it:%a} {spell(it)}", f"{it.day} {it:%b}", by_day.get(it, 0), 0) for it in days
    ]
    return replace(
        page,
        engagement=thousands(account.top_score),
        top_lead=_top_lead(scope, account),
        leads=thousands(account.leads_count),
        sessions=thousands(account.session_count),
        owner=account.owner_name or "",
        is_surging=bool(find_surging(scope, [id_], since=now - SURGE_LASTS)),
        last_active=Moment.of(account.last_event_at) if account.last_event_at else None,
        created_at=Moment.of(account.created_at),
        facts=tuple(
            (name.capitalize(), _spell_fact(account.metadata, keys)) for name, keys in FACTS.items()
        ),
        roll_ups=tuple(_roll_up(it) for it in explain_attributes(scope, Side.ACCOUNT, id_)),
        active=counted(count_active(scope, id_, since=since), "person", "people"),
        chart=draw_columns(points, unit=("active person", "active people")),
        can_edit=can(principal, Permission.WRITE_DATA),
    )


def with_people(page: AccountPage, scope: Scope, account: Account, *, number: int) -> AccountPage:
    """Put in a page of the account's leads, the highest score first."""
    cut, offset = LevelCut(scoring.list_levels(scope)), (number - 1) * PEOPLE_SHOWN
    found = list_account_leads(scope, account.account_id, limit=PEOPLE_SHOWN, offset=offset)
    people = tuple(
        PersonRow(
            name=it.name,
            detail=detail_parts(it.detail),
            url=lead_path(it.lead_id),
            score=thousands(it.score),
            level=badge_of(cut, it.score),
            owner=it.owner_name or "",
            last_at=Moment.of(it.last_event_at) if it.last_event_at else None,
        )
        for it in found
    )
    return replace(
        page, people=people, people_pager=_people_pager(page.url, account, number, len(people))
    )


def with_events(
    page: AccountPage, scope: Scope, account: Account, *, before: TimelinePosition | None
) -> AccountPage:
    """Put in what the account's people did, from before a position on."""
    found = list_account_events(scope, account.account_id, limit=EVENTS_SHOWN + 1, before=before)
    shown = found[:EVENTS_SHOWN]
    has_older = len(found) > EVENTS_SHOWN
    position = _position(shown[-1]) if has_older else None
    batch = EventBatch(
        id=batch_id(before),
        rows=tuple(_event(it) for it in shown),
        older_url=query_url(page.url, {"before": write_position(position)}) if position else "",
        older_id=batch_id(position) if position else "",
    )
    return replace(page, events=batch)


def with_segments(page: AccountPage, scope: Scope, account: Account) -> AccountPage:
    """Put in the segments that any of its people is in."""
    found = segments_among(scope, account.account_id)
    links = tuple(Link(it.name, segment_path(it.segment_id)) for it in found)
    return replace(page, segments=SegmentsOfAccount(url=page.url, links=links))


def batch_id(before: TimelinePosition | None) -> str:
    """Return the id of the element that a batch of events takes the place of."""
    return NEWEST if before is None else f"events-{before.event_id.hex}"


def _top_lead(scope: Scope, account: Account) -> Link | None:
    if account.top_lead_id is None:
        return None
    lead = get_lead(scope, account.top_lead_id)
    return Link(lead.name, f"{lead_path(lead.lead_id)}#why")


def _spell_fact(metadata: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    value = find_fact(metadata, keys)
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return thousands(value) if is_count else write_value(value)


def _roll_up(explained: AttributeExplanation) -> RollUp:
    return RollUp(
        name=f"{explained.name} · primary" if explained.is_primary else explained.name,
        score=thousands(explained.score),
        rules=tuple(_matched(rule) for rule in explained.matched),
        note="" if explained.is_live else "This ruleset is off: the score stays as it was.",
    )


def _matched(rule: AttributeRule) -> MatchedRule:
    test = rule.test
    try:
        words = OPERATOR_LABELS[parse_operator(test.operator)]
    except ConditionError:
        words = test.operator
    text = f"{test.key} {words} {spell_value(test.value)}".strip()
    return MatchedRule(text=text, points=signed(rule.weight), direction=direction(rule.weight))


def _people_pager(url: str, account: Account, number: int, shown: int) -> Pager | None:
    if account.leads_count <= PEOPLE_SHOWN and number == 1:
        return None
    offset = (number - 1) * PEOPLE_SHOWN
    previous = str(number - 1) if number > 2 else ""  # noqa: PLR2004 - the first has no number
    return Pager(
        label=f"{offset + 1:,}\N{EN DASH}{offset + shown:,} of {account.leads_count:,}",
        previous_url=query_url(url, {"page": previous}) if number > 1 else None,
        next_url=query_url(url, {"page": str(number + 1)})
        if offset + shown < account.leads_count and shown
        else None,
    )


def _position(event: AccountEvent) -> TimelinePosition:
    return TimelinePosition(event.occurred_at, event.receipt, event.event_id)


def _event(event: AccountEvent) -> AccountEventRow:
    url = query_url(lead_path(event.lead_id), {"event": str(event.event_id)})
    return AccountEventRow(
        lead=event.lead_name,
        url=f"{url}#event-{event.event_id}",
        event_type=event.event_type,
        channel=event.channel,
        icon=event_icon(event.event_type, event.channel),
        at=Moment.of(event.occurred_at),
    )
