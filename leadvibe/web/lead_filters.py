"""The filters of the leads list: the toolbar, what is behind its buttons, and the chips."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.queries import list_event_types
from leadvibe.identity.queries import list_members
from leadvibe.identity.types import Scope
from leadvibe.leadlist.facts import offered_columns
from leadvibe.leads.accounts import find_account
from leadvibe.leadviews.types import FILTERS, Column
from leadvibe.scoring.profiles import primary_of
from leadvibe.segments.errors import SegmentNotFoundError
from leadvibe.segments.queries import get_segment, list_segments
from leadvibe.web import recorded_filter
from leadvibe.web.lead_query import (
    IN_PANEL,
    KEPT,
    ME,
    NOBODY,
    UNCLASSIFIED_VALUE,
    WATCHED,
    LeadQuery,
)
from leadvibe.web.pages.display import Choice
from leadvibe.web.pages.leads import Chip, ColumnPanel, FilterPanel, Hidden, LeadFilters

OFFERED_TYPES = 200

CHIP_LABELS = {
    "level": "Level",
    "profile_level": "Profile level",
    "last_active": "Last active",
    "owner": "Owner",
    "watched": "Watched by",
    "segment": "Segment",
    "account": "Account",
    "min_score": "Score at least",
    "max_score": "Score at most",
    "event_type": "Last event",
    "created_from": "Created from",
    "created_to": "Created until",
}
CHIP_VALUES = {
    "7d": "within 7 days", "30d": "within 30 days", ME: "Me", NOBODY: "Nobody", WATCHED: "Me",
    UNCLASSIFIED_VALUE: UNCLASSIFIED,
}  # fmt: skip
ACTIVITY = (("", "Active any time"), ("7d", "Active in 7 days"), ("30d", "Active in 30 days"))
SORTS = (
    ("", "Highest score"),
    ("score", "Lowest score"),
    ("-last_active", "Last active"),
    ("-created", "Newest"),
    ("created", "Oldest"),
    ("name", "Name, A to Z"),
    ("-name", "Name, Z to A"),
)
COLUMN_LABELS = {
    Column.ALIASES: "Aliases",
    Column.SCORE: "Engagement score",
    Column.LEVEL: "Engagement level",
    Column.PROFILE_SCORE: "Profile score",
    Column.PROFILE_LEVEL: "Profile level",
    Column.RULESETS: "Other rulesets",
    Column.OWNER: "Owner",
    Column.ACCOUNT: "Account",
    Column.ACCOUNT_SCORE: "Account score",
    Column.ACCOUNT_LEVEL: "Account level",
    Column.TITLE: "Title",
    Column.COMPANY: "Company",
    Column.LAST_ACTIVE: "Last active",
    Column.EVENTS: "Events",
    Column.SESSIONS: "Sessions",
    Column.CREATED: "Created",
    **{Column(name): label for name, label in recorded_filter.LABELS.items() if name != "company"},
}


def build_filters(wanted: LeadQuery, config: Config) -> LeadFilters:
    params = wanted.params
    more = sum(name in params for name in IN_PANEL)
    return LeadFilters(
        q=params.get("q", ""),
        levels=choices(_level_options(config, LevelKind.ENGAGEMENT), params.get("level", "")),
        last_active=_activity(params.get("last_active", "")),
        sorts=choices(SORTS, params.get("sort", "")),
        kept=_hidden(wanted, ("size", *KEPT)),
        error=wanted.error,
        more_count=str(more) if more else "",
    )


def say_empty(wanted: LeadQuery) -> tuple[str, str]:
    """Say why no lead is shown, and what can be done about it."""
    return EMPTY.get(frozenset(wanted.filters.items()), NO_MATCH)


NO_MATCH = ("No lead matches", "Try fewer filters, a shorter search, or a wider score range.")
EMPTY = {
    frozenset({("watched", WATCHED)}): (
        "You watch no lead yet",
        "Choose leads in any list and press Watch: they are gathered here, for you alone.",
    ),
    frozenset({("owner", ME)}): (
        "No lead is yours yet",
        "Choose leads in any list and assign them to yourself, or take one while you look at it.",
    ),
}
"""What is said of a list that is nothing but this filter."""


def kept_beside(wanted: LeadQuery) -> tuple[Hidden, ...]:
    """Return the address without the lead beside the list."""
    return tuple(Hidden(name, value) for name, value in wanted.params.items() if name != "peek")


def closed_panel(wanted: LeadQuery) -> FilterPanel:
    return FilterPanel(url=_panel_url(wanted, "filters"), kept=_hidden(wanted, IN_PANEL))


def build_panel(scope: Scope, config: Config, wanted: LeadQuery) -> FilterPanel:
    params = wanted.params
    has_profiles = primary_of(config.policies.profile_rulesets) is not None
    return FilterPanel(
        url=_panel_url(wanted, "filters"),
        is_loaded=True,
        min_score=params.get("min_score", ""),
        max_score=params.get("max_score", ""),
        event_type=params.get("event_type", ""),
        created_from=params.get("created_from", ""),
        created_to=params.get("created_to", ""),
        account=params.get("account", ""),
        is_watched="watched" in params,
        owners=owner_choices(
            scope, params.get("owner", ""), (("", "Anybody"), (ME, "Me"), (NOBODY, "Nobody"))
        ),
        segments=_segments(scope, params.get("segment", "")),
        profile_levels=(
            choices(_level_options(config, LevelKind.PROFILE), params.get("profile_level", ""))
            if has_profiles
            else ()
        ),
        has_accounts=config.policies.abm_enabled,
        event_types=_types(scope),
        recorded=params.get("recorded", ""),
        fields=choices([("", "Choose…"), *recorded_filter.LABELS.items()], ""),
        operators=choices(list(recorded_filter.OPERATORS.items()), "eq"),
    )


def closed_columns(wanted: LeadQuery) -> ColumnPanel:
    return ColumnPanel(url=_panel_url(wanted, "columns"))


def build_columns(config: Config, wanted: LeadQuery, shown: frozenset[Column]) -> ColumnPanel:
    offered = offered_columns(config)
    return ColumnPanel(
        url=_panel_url(wanted, "columns"),
        is_loaded=True,
        choices=tuple(
            Choice(label, column.value, column in shown)
            for column, label in COLUMN_LABELS.items()
            if column in offered and not column.is_recorded
        ),
        recorded=tuple(
            Choice(label, column.value, column in shown)
            for column, label in COLUMN_LABELS.items()
            if column.is_recorded
        ),
        query=wanted.query,
        note=(
            "Save the view to keep them with it."
            if wanted.view_id
            else "Yours alone, on any device."
        ),
    )


def owner_choices(
    scope: Scope, selected: str, first: Sequence[tuple[str, str]]
) -> tuple[Choice, ...]:
    """Offer those who work in the unit, behind what else may be chosen."""
    members = [it.member for it in list_members(scope) if it.unit_role is not None]
    named = sorted(((str(it.org_member_id), it.name) for it in members), key=lambda it: it[1])
    return choices([*first, *named], selected)


def build_chips(scope: Scope, wanted: LeadQuery) -> tuple[Chip, ...]:
    usual = (
        Chip(
            label=CHIP_LABELS[name],
            value=_chip_value(scope, name, wanted.params[name]),
            remove_url=wanted.url(**{name: ""}),
        )
        for name in FILTERS
        if name in CHIP_LABELS and name in wanted.params
    )
    recorded = (
        Chip(
            label=it.label,
            value=it.says,
            remove_url=wanted.url(recorded=recorded_filter.without(wanted.recorded, it)),
        )
        for it in wanted.recorded
    )
    return (*usual, *recorded)


def _chip_value(scope: Scope, name: str, value: str) -> str:
    """Say what a filter is about; what the address names by its id is looked up."""
    if name == "owner" and value not in CHIP_VALUES:
        return next(
            (it.member.name for it in list_members(scope) if str(it.member.org_member_id) == value),
            "Somebody who left",
        )
    if name == "segment":
        return _segment_name(scope, value)
    if name == "account":
        account = find_account(scope, value)
        return account.name if account else value
    return CHIP_VALUES.get(value, value)


def _segment_name(scope: Scope, value: str) -> str:
    try:
        return get_segment(scope, UUID(value)).name
    except (SegmentNotFoundError, ValueError):
        return "deleted"


def choices(options: Sequence[tuple[str, str]], selected: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, value, value == selected) for value, label in options)


def _level_options(config: Config, kind: LevelKind) -> list[tuple[str, str]]:
    """Name the levels from the highest to the lowest, as the list itself runs."""
    names = [level.name for level in reversed(config.levels_of(kind))]
    return [
        ("", "Any level"), *((name, name) for name in names), (UNCLASSIFIED_VALUE, UNCLASSIFIED)
    ]  # fmt: skip


def _segments(scope: Scope, selected: str) -> tuple[Choice, ...]:
    named = ((str(it.segment_id), it.name) for it in list_segments(scope) if it.active)
    return choices([("", "Any"), *named], selected)


def _types(scope: Scope) -> tuple[str, ...]:
    types = list_event_types(scope)
    return tuple(type_.name for type_ in types[:OFFERED_TYPES] if not type_.hidden)


def _hidden(wanted: LeadQuery, names: Sequence[str]) -> tuple[Hidden, ...]:
    return tuple(Hidden(name, wanted.params[name]) for name in names if name in wanted.params)


def _panel_url(wanted: LeadQuery, panel: str) -> str:
    return wanted.url(panel=panel)


def _activity(chosen: str) -> tuple[Choice, ...]:
    """Return what can be chosen; a date that a link leads to is there while it is in force."""
    is_known = any(value == chosen for value, _ in ACTIVITY)
    since = () if is_known else ((chosen, f"Active since {chosen}"),)
    return choices((*ACTIVITY, *since), chosen)
