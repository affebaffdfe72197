"""The page that a segment is built on: its rules as controls, with suggestions of what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leadvibe.engine.conditions import MAX_CLAUSES, Joiner, Operator
from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.queries import list_event_types, list_metadata_keys
from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import count_members, list_members
from leadvibe.leadlist.types import LeadLine
from leadvibe.leads import documents
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.condition_words import OPERATOR_LABELS, hint_of
from leadvibe.segments.membership import Membership
from leadvibe.segments.types import RuleType
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import UNCLASSIFIED_COLOR, Choice, Level, counted, thousands
from leadvibe.web.pages.segments import (
    BuilderGroup,
    BuilderRule,
    Preview,
    PreviewRow,
    Suggestions,
)
from leadvibe.web.segment_rules import RuleInput, Stored, drafts_of
from leadvibe.web.segment_words import ACCOUNTS_OFF, JOINER_LABELS, TYPE_LABELS

SHOWN_IN_PREVIEW = 5
OFFERED = 300
"""Suggestions for one control: what else there is can be typed."""
TYPES_LOOKED_INTO = 5
"""Event types whose metadata is looked through for suggestions: each costs some milliseconds."""

LEVELS_OF: Mapping[RuleType, LevelKind] = {
    RuleType.ENGAGEMENT_LEVEL: LevelKind.ENGAGEMENT,
    RuleType.PROFILE_LEVEL: LevelKind.PROFILE,
    RuleType.ACCOUNT_LEVEL: LevelKind.ACCOUNT,
}
_OF_LEVELS = (Operator.EQUALS, Operator.NOT_EQUALS)
_PROPERTY_LISTS = {
    RuleType.LEAD_METADATA: "lead-properties",
    RuleType.ACCOUNT_METADATA: "account-properties",
}
EVENT_TYPES = "event-types"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the rules of a unit can be about."""

    config: Config
    has_accounts: bool
    event_lists: Mapping[str, str]
    """Ids of the suggestions for an event's properties, by event type."""
    suggestions: tuple[Suggestions, ...]


def learn(scope: Scope, rules: Iterable[RuleInput]) -> Vocabulary:
    """Look up what is known in the unit that these rules could be about."""
    config = scoring.get_config(scope, scoring.current_version(scope))
    types = [type_.name for type_ in list_event_types(scope) if not type_.hidden]
    asked = {it.event_type: None for it in rules if it.rule_type is RuleType.EVENT_METADATA}
    looked_into = [name for name in asked if name in types][:TYPES_LOOKED_INTO]
    event_lists = {name: f"event-properties-{n}" for n, name in enumerate(looked_into)}
    suggestions = {
        _PROPERTY_LISTS[RuleType.LEAD_METADATA]: documents.list_properties(scope, documents.LEAD),
        EVENT_TYPES: types,
        **{id_: list_metadata_keys(scope, name) for name, id_ in event_lists.items()},
    }
    has_accounts = scoring.get_settings(scope).abm_enabled
    if has_accounts:
        of_accounts = documents.list_properties(scope, documents.ACCOUNT)
        suggestions[_PROPERTY_LISTS[RuleType.ACCOUNT_METADATA]] = of_accounts
    lists = (Suggestions(id=id_, values=tuple(it[:OFFERED])) for id_, it in suggestions.items())
    return Vocabulary(config, has_accounts, event_lists, tuple(lists))


def show_rules(rules: Sequence[RuleInput], known: Vocabulary) -> tuple[BuilderGroup, ...]:
    """Return the rules as controls, group by group."""
    shown: dict[int, list[BuilderRule]] = {}
    for number, rule in enumerate(rules):
        controls = _controls(rules, number, known)
        shown.setdefault(rule.group, []).append(controls)
    return tuple(
        BuilderGroup(
            number=number,
            joiners=members[0].joiners if number else (),
            joiner_name=f"rules-{members[0].number}-logic_op",
            rules=tuple(members),
        )
        for number, members in shown.items()
    )


def _controls(rules: Sequence[RuleInput], number: int, known: Vocabulary) -> BuilderRule:
    rule = rules[number]
    is_first = number == 0 or rules[number - 1].group != rule.group
    is_last = number + 1 == len(rules) or rules[number + 1].group != rule.group
    is_off = rule.rule_type.is_of_account and not known.has_accounts
    levels = _levels(rule, known)
    return BuilderRule(
        number=number,
        label=f"Rule {number + 1}",
        rule_id=str(rule.rule_id or ""),
        name=rule.name,
        group=rule.group,
        is_active=rule.active,
        is_first=is_first,
        joiners=_choices(((it, JOINER_LABELS[it]) for it in Joiner), rule.logic_op),
        types=_types(rule, known),
        operators=_operators(rule),
        event_type=rule.event_type,
        field=rule.field,
        value=rule.value,
        has_event_type=rule.rule_type is RuleType.EVENT_METADATA,
        has_field=not rule.rule_type.is_level,
        has_value=rule.needs_value,
        levels=levels,
        field_list=_property_list(rule, known),
        value_hint=hint_of(rule.operator),
        # At its group's edge a rule moves into the next group; there must be one.
        can_move_up=not is_first or rule.group > 0,
        can_move_down=not is_last or number + 1 < len(rules),
        note=f"{ACCOUNTS_OFF.capitalize()}: it asks what was known until then." if is_off else "",
        errors=rule.errors,
    )


def _choices(options: Iterable[tuple[str, str]], selected: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, value, value == selected) for value, label in options)


def _types(rule: RuleInput, known: Vocabulary) -> tuple[Choice, ...]:
    offered = (
        it for it in RuleType if known.has_accounts or not it.is_of_account or it is rule.rule_type
    )
    return _choices(((it, TYPE_LABELS[it]) for it in offered), rule.rule_type)


def _operators(rule: RuleInput) -> tuple[Choice, ...]:
    offered = [
        it
        for it in Operator
        if not rule.rule_type.is_level or it in _OF_LEVELS or it is rule.operator
    ]
    return _choices(((it, OPERATOR_LABELS[it]) for it in offered), rule.operator)


def _levels(rule: RuleInput, known: Vocabulary) -> tuple[Choice, ...]:
    """Return what a level is chosen from; nothing where the value is no name of one level."""
    kind = LEVELS_OF.get(rule.rule_type)
    if kind is None or rule.operator not in _OF_LEVELS:
        return ()
    names = [*(level.name for level in known.config.levels_of(kind)), UNCLASSIFIED]
    chosen = next((name for name in names if name.lower() == rule.value.lower()), rule.value)
    if chosen not in names:
        names.insert(0, chosen)  # a level that was renamed or deleted, or none yet
    return _choices(((name, name or "Choose a level") for name in names), chosen)


def _property_list(rule: RuleInput, known: Vocabulary) -> str:
    if rule.rule_type is RuleType.EVENT_METADATA:
        return known.event_lists.get(rule.event_type, "")
    return _PROPERTY_LISTS.get(rule.rule_type, "")


def preview(
    scope: Scope, rules: Sequence[RuleInput], stored: Stored, *, is_active: bool
) -> Preview:
    """Count the leads that the rules match as they stand; those that are not whole are left out."""
    drafts = drafts_of(rules, stored)
    left_out = len(rules) - len(drafts)
    if not any(draft.active for draft in drafts):
        return Preview(
            title="Nobody yet", note="A segment has members once it has a rule that is complete."
        )
    audience = Membership(scope).of_rules(drafts)
    count = count_members(scope, audience)
    lines = list_members(scope, audience, PageRequest(1, SHOWN_IN_PREVIEW)) if count else []
    verb = "matches" if count == 1 else "match"
    notes = [f"{counted(left_out, 'rule is', 'rules are')} not complete and left out."] * bool(
        left_out
    )
    if not is_active:
        notes.append("The segment is switched off, so nobody is in it until you switch it on.")
    return Preview(
        title=f"{counted(count, 'lead')} {verb} now",
        note=" ".join(notes),
        leads=_rows(scope, lines),
    )


def _rows(scope: Scope, lines: Sequence[LeadLine]) -> tuple[PreviewRow, ...]:
    levels = engagement_levels(scope)
    return tuple(
        PreviewRow(
            name=line.name,
            url=lead_path(line.lead_id),
            score=thousands(line.score),
            level=level_badge(levels, line.score),
        )
        for line in lines
    )


def engagement_levels(scope: Scope) -> LevelCut:
    config = scoring.get_config(scope, scoring.current_version(scope))
    return LevelCut(config.levels_of(LevelKind.ENGAGEMENT))


def level_badge(levels: LevelCut, score: int) -> Level:
    level = levels.level_of(score)
    return Level(level.name, level.color) if level else Level(UNCLASSIFIED, UNCLASSIFIED_COLOR)


def has_room(rules: Sequence[RuleInput]) -> bool:
    return len(rules) < MAX_CLAUSES
