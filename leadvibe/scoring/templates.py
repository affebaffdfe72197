"""Rule sets to start from, for the four ways in which most teams find their customers.

Pure data, and one function that folds a template into a configuration. What a unit has already
stays where the template says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from leadvibe.engine.policies import (
    AttributeRule,
    AttributeRuleset,
    DecayRule,
    DecayUnit,
    FieldTest,
    SurgeMode,
)
from leadvibe.engine.rules import Config, Level, LevelKind, Rule, Ruleset
from leadvibe.lib.ids import new_id
from leadvibe.scoring.defaults import DEFAULT_RULESET_NAME, SURGE_PRESETS

_GREY, _BLUE, _YELLOW, _ORANGE, _RED = "#94a3b8", "#38bdf8", "#fbbf24", "#f97316", "#ef4444"


class TemplateRule(NamedTuple):
    """What an event is worth, and why."""

    event_type: str
    weight: int
    reason: str


class TemplateLevel(NamedTuple):
    """A level that begins at a score and goes up to the next one."""

    name: str
    min_score: int
    color: str


class TemplateDecay(NamedTuple):
    inactive_for: int
    unit: DecayUnit
    decrease: int


class TemplateTest(NamedTuple):
    """What a property of a lead or an account is worth when it says so."""

    test: FieldTest
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A whole way of scoring. Kinds of level that it does not name stay as they are."""

    key: str
    name: str
    audience: str
    """Whom it is for, as the end of the sentence "for ..."."""
    description: str
    rules: tuple[TemplateRule, ...]
    levels: Mapping[LevelKind, tuple[TemplateLevel, ...]]
    decays: tuple[TemplateDecay, ...]
    surge: SurgeMode
    fit: tuple[TemplateTest, ...] = ()
    """Rules about leads."""
    accounts: tuple[TemplateTest, ...] = ()
    """Rules about accounts; they count where accounts are scored."""


def _fit(key: str, operator: str, value: object, weight: int) -> TemplateTest:
    return TemplateTest(FieldTest(key, operator, value), weight)


def _levels(**kinds: Sequence[TemplateLevel]) -> Mapping[LevelKind, tuple[TemplateLevel, ...]]:
    return MappingProxyType({LevelKind(kind): tuple(levels) for kind, levels in kinds.items()})


_SENIOR = ["Director", "VP", "Executive", "C-level", "Owner"]

SAAS = Template(
    key="saas",
    name="B2B SaaS with a sales team",
    audience="teams whose website leads to demos and trials, and whose reps close",
    description="Asking to talk outweighs reading: one demo request makes a lead warm by itself,"
    " a demo and a look at the prices make it hot. Two quiet weeks cool it down.",
    rules=(
        TemplateRule("demo_request", 40, "Wants to talk: the strongest sign there is"),
        TemplateRule("meeting_booked", 40, "Talks to you at a time of their own choosing"),
        TemplateRule("trial_signup", 35, "Tries it for themselves"),
        TemplateRule("proposal_viewed", 20, "Reads what you offered"),
        TemplateRule("webinar_attended", 12, "Gave you an hour"),
        TemplateRule("chat_started", 12, "Has a question now"),
        TemplateRule("pricing_page_view", 8, "Weighs what it costs"),
        TemplateRule("form_submit", 8, "Left their details"),
        TemplateRule("content_download", 6, "Learns about the problem"),
        TemplateRule("email_clicked", 3, "Follows what you send"),
        TemplateRule("docs_view", 2, "Checks how it works"),
        TemplateRule("page_view", 1, "Looks around"),
        TemplateRule("email_bounced", -20, "Cannot be reached there"),
        TemplateRule("email_unsubscribed", -30, "Asked you to stop"),
        TemplateRule("marked_as_spam", -100, "Is no lead"),
    ),
    levels=_levels(
        engagement=(
            TemplateLevel("Cold", 0, _GREY),
            TemplateLevel("Warm", 25, _YELLOW),
            TemplateLevel("Hot", 60, _ORANGE),
            TemplateLevel("Very Hot", 100, _RED),
        )
    ),
    decays=(TemplateDecay(2, DecayUnit.WEEKS, 10),),
    surge=SurgeMode.STANDARD,
    fit=(
        _fit("seniority", "in", _SENIOR, 30),
        _fit("employee_count", "gte", 50, 25),
        _fit("company", "exists", None, 10),
        _fit("title", "contains", "student", -40),
    ),
)

PRODUCT_LED = Template(
    key="product-led",
    name="Product-led growth",
    audience="products that people sign up for and get to know before they ever talk to you",
    description="Habits and team mates count, single clicks hardly do. Who connects their tools"
    " and invites colleagues is ready to buy; a week away from the product takes points.",
    rules=(
        TemplateRule("plan_upgraded", 50, "Pays"),
        TemplateRule("plan_limit_reached", 25, "Needs more than they have"),
        TemplateRule("integration_connected", 20, "Builds it into their work"),
        TemplateRule("trial_signup", 20, "Starts"),
        TemplateRule("teammate_invited", 15, "Brings the team"),
        TemplateRule("onboarding_completed", 15, "Is set up and has seen the point"),
        TemplateRule("pricing_page_view", 8, "Weighs what it costs"),
        TemplateRule("report_exported", 5, "Takes results elsewhere"),
        TemplateRule("product_login", 2, "Comes back"),
        TemplateRule("docs_view", 2, "Goes deeper"),
        TemplateRule("feature_used", 1, "Works with it"),
        TemplateRule("email_unsubscribed", -10, "Asked you to stop"),
        TemplateRule("trial_expired", -25, "Let it run out"),
        TemplateRule("account_cancelled", -80, "Left"),
    ),
    levels=_levels(
        engagement=(
            TemplateLevel("Exploring", 0, _GREY),
            TemplateLevel("Activated", 30, _BLUE),
            TemplateLevel("Engaged", 70, _YELLOW),
            TemplateLevel("Ready to buy", 120, _RED),
        )
    ),
    decays=(TemplateDecay(1, DecayUnit.WEEKS, 10),),
    surge=SurgeMode.GENTLE,
    fit=(
        _fit("employee_count", "gte", 20, 25),
        _fit("seniority", "in", ["Manager", *_SENIOR], 20),
        _fit("company", "exists", None, 15),
    ),
)

CONTENT = Template(
    key="content",
    name="Content and inbound marketing",
    audience="teams that win readers first, and hand over those who start to look at the product",
    description="Reading alone makes followers, not leads: it takes a look at prices, a case study"
    " or a form to reach sales. Interest fades slowly, over months.",
    rules=(
        TemplateRule("form_submit", 25, "Asked something of you"),
        TemplateRule("webinar_attended", 15, "Gave you an hour"),
        TemplateRule("pricing_page_view", 12, "Turned from reader to buyer"),
        TemplateRule("newsletter_signup", 10, "Wants to hear more"),
        TemplateRule("content_download", 8, "Learns about the problem"),
        TemplateRule("case_study_view", 8, "Looks whether it worked for others"),
        TemplateRule("webinar_replay_viewed", 8, "Caught up on what they missed"),
        TemplateRule("webinar_registered", 6, "Plans to come"),
        TemplateRule("email_clicked", 4, "Follows what you send"),
        TemplateRule("podcast_played", 3, "Listens"),
        TemplateRule("blog_view", 2, "Reads"),
        TemplateRule("page_view", 1, "Looks around"),
        TemplateRule("email_opened", 1, "Still opens your mail, or their program does"),
        TemplateRule("email_bounced", -15, "Cannot be reached there"),
        TemplateRule("email_unsubscribed", -25, "Asked you to stop"),
    ),
    levels=_levels(
        engagement=(
            TemplateLevel("Reader", 0, _GREY),
            TemplateLevel("Follower", 20, _BLUE),
            TemplateLevel("Interested", 50, _YELLOW),
            TemplateLevel("Sales-ready", 90, _RED),
        )
    ),
    decays=(TemplateDecay(30, DecayUnit.DAYS, 10),),
    surge=SurgeMode.STANDARD,
    fit=(
        _fit("seniority", "in", ["Manager", *_SENIOR], 25),
        _fit("department", "contains", "marketing", 25),
        _fit("company", "exists", None, 10),
    ),
)

ENTERPRISE = Template(
    key="enterprise-abm",
    name="Enterprise and account-based sales",
    audience="long deals with few, large accounts and many people in each",
    description="Steps of a purchase count, browsing does not. People are weighed by seniority,"
    " accounts by size; scores last for months, because such deals do.",
    rules=(
        TemplateRule("contract_viewed", 60, "Is about to decide"),
        TemplateRule("meeting_booked", 50, "Talks to you"),
        TemplateRule("demo_request", 40, "Wants to see it"),
        TemplateRule("proposal_viewed", 35, "Reads what you offered"),
        TemplateRule("event_attended", 25, "Met you in person"),
        TemplateRule("security_docs_view", 20, "Their security team has begun to look"),
        TemplateRule("email_replied", 20, "Writes back"),
        TemplateRule("webinar_attended", 15, "Gave you an hour"),
        TemplateRule("pricing_page_view", 10, "Weighs what it costs"),
        TemplateRule("case_study_view", 8, "Looks whether it worked for others"),
        TemplateRule("content_download", 5, "Learns about the problem"),
        TemplateRule("email_clicked", 2, "Follows what you send"),
        TemplateRule("email_bounced", -15, "Has left, or cannot be reached"),
        TemplateRule("email_unsubscribed", -20, "Asked you to stop"),
    ),
    levels=_levels(
        engagement=(
            TemplateLevel("Unaware", 0, _GREY),
            TemplateLevel("Aware", 20, _BLUE),
            TemplateLevel("Engaged", 60, _YELLOW),
            TemplateLevel("In the deal", 120, _RED),
        ),
        account=(
            TemplateLevel("Watch", 0, _GREY),
            TemplateLevel("Engage", 25, _YELLOW),
            TemplateLevel("Pursue", 50, _RED),
        ),
    ),
    decays=(TemplateDecay(30, DecayUnit.DAYS, 5),),
    surge=SurgeMode.GENTLE,
    fit=(
        _fit("seniority", "in", ["VP", "Executive", "C-level", "Owner"], 40),
        _fit("seniority", "equals", "Director", 25),
        _fit("employee_count", "gte", 1000, 25),
        _fit("title", "contains", "procurement", 15),
        _fit("title", "contains", "student", -40),
    ),
    accounts=(
        _fit("tier", "equals", "target", 40),
        _fit("employee_count", "gte", 1000, 25),
        _fit("employee_count", "gte", 250, 15),
        _fit("annual_revenue", "gte", 50_000_000, 15),
    ),
)

TEMPLATES = (SAAS, PRODUCT_LED, CONTENT, ENTERPRISE)

FIT_NAME, ACCOUNT_NAME = "Fit", "Account fit"


def find_template(key: str) -> Template | None:
    """Return the template of that key, or None."""
    return next((template for template in TEMPLATES if template.key == key), None)


def apply_template(config: Config, template: Template, *, now: datetime) -> Config:
    """Fold a template into a configuration; applied twice it changes nothing more.

    Its rules go into the primary rulesets: what they say of an event or a property takes the
    place of what stood there, other rules stay. Its decay, surge and kinds of levels replace those
    there were. What has the same name or meaning keeps its id, so history stays with it.
    """
    policies = replace(
        config.policies,
        decays=tuple(_decays(config.policies.decays, template, now=now)),
        surge=SURGE_PRESETS[template.surge],
        profile_rulesets=_attribute_sets(config.policies.profile_rulesets, FIT_NAME, template.fit),
        account_rulesets=_attribute_sets(
            config.policies.account_rulesets, ACCOUNT_NAME, template.accounts
        ),
    )
    return replace(
        config,
        rulesets=_rulesets(config.rulesets, template),
        levels=tuple(_apply_levels(config.levels, template)),
        policies=policies,
    )


def _rulesets(rulesets: tuple[Ruleset, ...], template: Template) -> tuple[Ruleset, ...]:
    primary = next((it for it in rulesets if it.is_primary), None)
    if primary is None:
        name = _free_name(DEFAULT_RULESET_NAME, (it.name for it in rulesets))
        primary = Ruleset(new_id(), name, is_primary=True)
        rulesets = (*rulesets, primary)
    filled = replace(primary, active=True, rules=tuple(_rules(primary.rules, template.rules)))
    return tuple(filled if it is primary else it for it in rulesets)


def _rules(rules: Sequence[Rule], wanted: Sequence[TemplateRule]) -> Iterable[Rule]:
    weights = {it.event_type: it.weight for it in wanted}
    for rule in rules:
        weight = weights.pop(rule.event_type, None)
        yield rule if weight is None else replace(rule, weight=weight, active=True)
    for event_type, weight in weights.items():
        yield Rule(new_id(), event_type, weight)


def _attribute_sets(
    rulesets: tuple[AttributeRuleset, ...], name: str, wanted: Sequence[TemplateTest]
) -> tuple[AttributeRuleset, ...]:
    if not wanted:
        return rulesets
    primary = next((it for it in rulesets if it.is_primary), None)
    if primary is None:
        free = _free_name(name, (it.name for it in rulesets))
        primary = AttributeRuleset(new_id(), free, is_primary=True)
        rulesets = (*rulesets, primary)
    rules = tuple(_attribute_rules(primary.rules, wanted))
    filled = replace(primary, enabled=True, rules=rules)
    return tuple(filled if it is primary else it for it in rulesets)


def _attribute_rules(
    rules: Sequence[AttributeRule], wanted: Sequence[TemplateTest]
) -> Iterable[AttributeRule]:
    left = list(wanted)
    for rule in rules:
        match = next((it for it in left if it.test == rule.test), None)
        if match is not None:
            left.remove(match)
        yield rule if match is None else replace(rule, weight=match.weight)
    first = max((rule.order for rule in rules), default=-1) + 1
    for order, it in enumerate(left, start=first):
        yield AttributeRule(new_id(), it.test, it.weight, order)


def _decays(
    decays: Sequence[DecayRule], template: Template, *, now: datetime
) -> Iterable[DecayRule]:
    known = {TemplateDecay(it.inactive_for, it.unit, it.decrease): it for it in decays}
    for wanted in template.decays:
        yield known.get(wanted) or DecayRule(new_id(), *wanted, created_at=now)


def _apply_levels(levels: Sequence[Level], template: Template) -> Iterable[Level]:
    yield from (it for it in levels if it.kind not in template.levels)
    ids: dict[tuple[LevelKind, str], UUID] = {(it.kind, it.name): it.level_id for it in levels}
    for kind, wanted in template.levels.items():
        ends = [it.min_score - 1 for it in wanted[1:]]
        for order, (it, end) in enumerate(zip(wanted, [*ends, None], strict=True)):
            level_id = ids.get((kind, it.name)) or new_id()
            yield Level(level_id, kind, it.name, it.min_score, end, it.color, order)


def _free_name(wanted: str, taken: Iterable[str]) -> str:
    names = set(taken)
    numbered = (f"{wanted} {number}" for number in range(2, len(names) + 3))
    return wanted if wanted not in names else next(it for it in numbered if it not in names)
