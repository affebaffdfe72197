"""Rulesets and their rules: who changed them last, and what each event type is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from http.client import UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Rule, Ruleset
from leadvibe.web.forms.scoring import RuleForm, RulesetForm, WeightForm
from leadvibe.web.pages.display import Moment, Tone, counted, signed, thousands
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.scoring import RuleRow, RulesetCard, ScoringPage
from leadvibe.web.rendering import render

SCORING = "/app/scoring"
FRAGMENTS = {"rulesets": "scoring/_rulesets.html"}
OFFERED_TYPES = 200

pages = Blueprint("scoring", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Forms that were sent and refused, to be shown again where they stood."""

    ruleset: RulesetForm = field(default_factory=RulesetForm)
    rules: Mapping[UUID, RuleForm] = field(default_factory=dict)
    """By ruleset."""
    weights: Mapping[UUID, WeightForm] = field(default_factory=dict)
    """By rule."""


@pages.get("/scoring")
def show_scoring() -> AnyResponse:
    return _answer(require(Permission.READ), Attempts())


@pages.post("/scoring/rulesets")
def create_ruleset() -> AnyResponse:
    principal, form = require(Permission.CONFIGURE), RulesetForm(request.form)
    return _attempt(
        principal,
        form,
        Attempts(ruleset=form),
        lambda: service.create_ruleset(
            principal, principal.scope, form.fields_of_ruleset(), now=utc_now()
        ),
    )


@pages.post("/scoring/rulesets/<uuid:ruleset_id>")
def update_ruleset(ruleset_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    changes = {"is_primary": True} if request.form.get("primary") == "1" else _activity()
    service.update_ruleset(principal, principal.scope, ruleset_id, changes, now=utc_now())
    return _done(principal)


@pages.post("/scoring/rulesets/<uuid:ruleset_id>/delete")
def delete_ruleset(ruleset_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    service.delete_ruleset(principal, principal.scope, ruleset_id, now=utc_now())
    return _done(principal)


@pages.post("/scoring/rulesets/<uuid:ruleset_id>/rules")
def create_rule(ruleset_id: UUID) -> AnyResponse:
    principal, form = require(Permission.CONFIGURE), RuleForm(request.form)
    return _attempt(
        principal,
        form,
        Attempts(rules={ruleset_id: form}),
        lambda: service.create_rule(
            principal, principal.scope, ruleset_id, form.data, now=utc_now()
        ),
    )


@pages.post("/scoring/rules/<uuid:rule_id>")
def update_rule(rule_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    if "weight" not in request.form:
        service.update_rule(principal, principal.scope, rule_id, _activity(), now=utc_now())
        return _done(principal)
    form = WeightForm(request.form)
    return _attempt(
        principal,
        form,
        Attempts(weights={rule_id: form}),
        lambda: service.update_rule(principal, principal.scope, rule_id, form.data, now=utc_now()),
    )


@pages.post("/scoring/rules/<uuid:rule_id>/delete")
def delete_rule(rule_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    service.delete_rule(principal, principal.scope, rule_id, now=utc_now())
    return _done(principal)


def _done(principal: Principal) -> AnyResponse:
    """Lead back to the page, with the words that the configuration's history has for the change."""
    number = queries.current_version(principal.scope)
    version = queries.get_config_version(principal.scope, number)
    if version is not None:
        flash(f"{version.summary}.", Tone.OK)
    return redirect(SCORING, 303)


def _activity() -> dict[str, bool]:
    wanted = request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    return {"active": wanted == "1"}


def _attempt(
    principal: Principal,
    form: RulesetForm | RuleForm | WeightForm,
    attempts: Attempts,
    change: Callable[[], object],
) -> AnyResponse:
    """Make the change and lead back to the page, or show the form again with what is wrong."""
    if form.validate():
        try:
            change()
        except (InvalidError, ConflictError) as error:
            form.show(error)
        else:
            return _done(principal)
    return _answer(principal, attempts, status=UNPROCESSABLE_ENTITY)


def _answer(principal: Principal, attempts: Attempts, *, status: int = 200) -> AnyResponse:
    page = _page(principal, attempts)
    return render(
        "scoring/page.html", page=page, section=SCORING, fragments=FRAGMENTS, status=status
    )


def _page(principal: Principal, attempts: Attempts) -> ScoringPage:
    scope = principal.scope
    types = list_event_types(scope)
    seen = {type_.name: type_.event_count for type_ in types}
    rules: dict[UUID, list[Rule]] = {}
    for rule in queries.list_rules(scope):
        rules.setdefault(rule.ruleset_id, []).append(rule)
    number = queries.current_version(scope)
    version = queries.get_config_version(scope, number)
    return ScoringPage(
        rulesets=tuple(
            _card(it, rules.get(it.ruleset_id, ()), seen, attempts)
            for it in queries.list_rulesets(scope)
        ),
        ruleset_form=attempts.ruleset,
        event_types=tuple(type_.name for type_ in types[:OFFERED_TYPES] if not type_.hidden),
        version=str(number),
        changed_by=version.created_by if version else "",
        changed_at=Moment.of(version.created_at) if version else None,
        can_edit=can(principal, Permission.CONFIGURE),
    )


def _card(
    ruleset: Ruleset, rules: Sequence[Rule], seen: Mapping[str, int], attempts: Attempts
) -> RulesetCard:
    url = f"{SCORING}/rulesets/{ruleset.ruleset_id}"
    return RulesetCard(
        id=str(ruleset.ruleset_id),
        name=ruleset.name,
        is_primary=ruleset.is_primary,
        is_active=ruleset.active,
        period=period(ruleset.start_at, ruleset.end_at),
        rules=tuple(_row(it, seen.get(it.event_type, 0), attempts.weights) for it in rules),
        rules_label=counted(len(rules), "rule"),
        rule_form=attempts.rules.get(ruleset.ruleset_id) or RuleForm(),
        add_rule_url=f"{url}/rules",
        update_url=url,
        delete_url="" if ruleset.is_primary else f"{url}/delete",
    )


def _row(rule: Rule, seen: int, attempts: Mapping[UUID, WeightForm]) -> RuleRow:
    url, refused = f"{SCORING}/rules/{rule.rule_id}", attempts.get(rule.rule_id)
    return RuleRow(
        id=str(rule.rule_id),
        event_type=rule.event_type,
        weight=rule.weight,
        weight_label=signed(rule.weight),
        direction=direction(rule.weight),
        is_active=rule.active,
        seen=thousands(seen),
        period=period(rule.start_at, rule.end_at),
        error=" ".join(refused.weight.errors) if refused else "",
        update_url=url,
        delete_url=f"{url}/delete",
    )


def period(start_at: datetime | None, end_at: datetime | None) -> str:
    """Say when something applies; an end at midnight means that the day before is the last."""
    first = _day(start_at) if start_at else ""
    last = _day(_last_moment(end_at)) if end_at else ""
    if first and last:
        return f"{first} to {last}"
    if first:
        return f"from {first}"
    return f"until {last}" if last else ""


def _last_moment(end_at: datetime) -> datetime:
    is_midnight = end_at.astimezone(UTC).time() == time()
    return end_at - timedelta(microseconds=1) if is_midnight else end_at


def _day(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"
