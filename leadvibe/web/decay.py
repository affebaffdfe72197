"""Decay rules: what inactivity takes, with a look at what becomes of a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.decay import Reign
from leadvibe.engine.policies import DecayRule, DecayUnit
from leadvibe.http.auditing import only_tried
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.lib.ids import new_id
from leadvibe.scoring import policies, queries
from leadvibe.scoring.types import ConfigItem, ItemKind
from leadvibe.scoring.wording import inactivity_of, points
from leadvibe.web.authors import author
from leadvibe.web.decay_curve import draw
from leadvibe.web.forms.decay import DecayForm
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    done,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.decay import Curve, DecayPage, DecayRow
from leadvibe.web.pages.display import Alert, Choice, Fact, Moment, thousands
from leadvibe.web.rendering import render
from leadvibe.web.scoring_tabs import DECAY, scoring_tabs

SCORING = "/app/scoring"
FRAGMENTS = {"decay": "decay/_decay.html", "decay-curve": "decay/_curve.html"}
SCORE, DAYS = "100", "90"
SPANS = (("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "1 year"))
LARGEST_SCORE = 1_000_000

pages = Blueprint("decay", __name__)


@dataclass(frozen=True)
class Edited:
    """The unit's rules, and the one that the form is about; none for a new one."""

    principal: Principal
    item: ConfigItem | None = None

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @property
    def url(self) -> str:
        return f"{DECAY}/{self.item.item_id}" if self.item else DECAY

    @property
    def state(self) -> str:
        return state_of(self.item) if self.item else ""


@pages.get("/scoring/decay")
def show_decay() -> AnyResponse:
    return _answer(Edited(require(Permission.READ)), DecayForm())


@pages.get("/scoring/decay/<uuid:decay_id>")
def show_rule(decay_id: UUID) -> AnyResponse:
    edited = _edited(require(Permission.CONFIGURE), decay_id)
    assert edited.item is not None
    return _answer(edited, DecayForm(data={**edited.item.body, "state": edited.state}))


@pages.post("/scoring/decay")
def create_rule() -> AnyResponse:
    return _change(Edited(require(Permission.CONFIGURE)))


@pages.post("/scoring/decay/<uuid:decay_id>")
def update_rule(decay_id: UUID) -> AnyResponse:
    return _change(_edited(require(Permission.CONFIGURE), decay_id))


@pages.post("/scoring/decay/<uuid:decay_id>/delete")
def delete_rule(decay_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    policies.delete_decay(principal, principal.scope, decay_id, now=utc_now())
    return done(principal.scope, DECAY)


def _edited(principal: Principal, decay_id: UUID) -> Edited:
    return Edited(principal, queries.get_item(principal.scope, ItemKind.DECAY, decay_id))


def _change(edited: Edited) -> AnyResponse:
    form = DecayForm(request.form)
    is_valid = form.validate()
    if request.form.get("do") != "save":
        only_tried()
        return _answer(edited, form)
    if not is_valid:
        return _answer(edited, form, status=UNPROCESSABLE_ENTITY)
    try:
        _store(edited, form)
    except ChangedMeanwhileError:
        form.state.data = edited.state
        alert = stale_alert(edited.scope, edited.url)
        return _answer(edited, form, alert=alert, status=CONFLICT)
    except (InvalidError, ConflictError) as error:
        form.show(error)
        return _answer(edited, form, status=UNPROCESSABLE_ENTITY)
    return done(edited.scope, DECAY)


def _store(edited: Edited, form: DecayForm) -> None:
    principal, scope, item = edited.principal, edited.scope, edited.item
    fields, now = form.fields_of_decay(), utc_now()
    if item is None:
        policies.create_decay(principal, scope, fields, now=now)
        return
    item_id = item.item_id
    check_state(scope, form.state.data, lambda: queries.get_item(scope, ItemKind.DECAY, item_id))
    policies.update_decay(principal, scope, item_id, fields, now=now)


def _answer(
    edited: Edited, form: DecayForm, *, alert: Alert | None = None, status: int = 200
) -> AnyResponse:
    scope, principal = edited.scope, edited.principal
    items = queries.list_items(scope, ItemKind.DECAY)
    rules = [_rule(item) for item in items]
    score, days = request.values.get("score", SCORE).strip(), request.values.get("days", DAYS)
    days = days if days in dict(SPANS) else DAYS
    curve, curve_error = _curve(edited, rules, form, score, int(days))
    can_edit = can(principal, Permission.CONFIGURE)
    page = DecayPage(
        tabs=scoring_tabs(DECAY),
        facts=_facts(rules),
        rows=tuple(_row(it, rule, edited) for it, rule in zip(items, rules, strict=True)),
        form=form,
        form_title="Edit rule" if edited.item else "Add a rule",
        url=edited.url,
        cancel_url=DECAY if edited.item else "",
        score=score,
        days=days,
        spans=tuple(Choice(label, value, value == days) for value, label in SPANS),
        curve=curve,
        curve_error=curve_error,
        live=live_note(scope),
        can_edit=can_edit,
        alert=alert,
    )
    return render("decay/page.html", page=page, section=SCORING, fragments=FRAGMENTS, status=status)


def _curve(
    edited: Edited, rules: Sequence[DecayRule], form: DecayForm, score: str, days: int
) -> tuple[Curve | None, str]:
    """Draw what the rules would do with the one in the form among them, as far as it is one."""
    if not score.isdecimal() or not 0 < int(score[:9]) <= LARGEST_SCORE:
        return None, f"Type a score from 1 to {LARGEST_SCORE:,}."
    now, settings = utc_now(), queries.get_settings(edited.scope)
    tried = _with_tried(edited, rules, form, now)
    reign = Reign(0, now, tuple(tried), not settings.allow_negative_scores)
    return draw(int(score), reign, queries.list_levels(edited.scope), days=days), ""


def _with_tried(
    edited: Edited, rules: Sequence[DecayRule], form: DecayForm, now: datetime
) -> list[DecayRule]:
    item_id = edited.item.item_id if edited.item else None
    wanted = form.fields_of_decay()
    if any(form[name].errors or not value for name, value in wanted.items()):
        return list(rules)
    tried = DecayRule(
        decay_id=item_id or new_id(),
        created_at=now,
        **{**wanted, "unit": DecayUnit(wanted["unit"])},
    )
    others = [rule for rule in rules if rule.decay_id != item_id]
    return [*others, tried]


def _facts(rules: Sequence[DecayRule]) -> tuple[Fact, ...]:
    if not rules:
        return ()
    shortest, *_, longest = sorted([*rules, *rules], key=lambda it: it.period)
    most = max(rule.decrease for rule in rules)
    return (
        Fact("Rules", str(len(rules))),
        Fact("Largest decrease", points(most)),
        Fact("Shortest window", inactivity_of(shortest)),
        Fact("Longest window", inactivity_of(longest)),
    )


def _row(item: ConfigItem, rule: DecayRule, edited: Edited) -> DecayRow:
    url = f"{DECAY}/{item.item_id}"
    noun = "point" if rule.decrease == 1 else "points"
    return DecayRow(
        id=str(item.item_id),
        words=f"{thousands(rule.decrease)} {noun} less",
        period=inactivity_of(rule),
        made_by=author(item.updated_by),
        made_at=Moment.of(item.updated_at),
        is_edited=edited.item is not None and edited.item.item_id == item.item_id,
        url=url,
        delete_url=f"{url}/delete",
    )


def _rule(item: ConfigItem) -> DecayRule:
    facts = {**item.body, "unit": DecayUnit(item.body["unit"])}
    return DecayRule(decay_id=item.item_id, created_at=item.created_at, **facts)
