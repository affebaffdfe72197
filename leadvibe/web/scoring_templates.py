"""Rule sets to start from, put into a draft and never straight into force."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import DecayRule
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError
from leadvibe.lib.ids import new_id, parse_id
from leadvibe.scoring import drafts, queries
from leadvibe.scoring.condition_words import words_of_test
from leadvibe.scoring.errors import DraftNotFoundError
from leadvibe.scoring.templates import (
    TEMPLATES,
    Template,
    TemplateDecay,
    TemplateRule,
    TemplateTest,
    apply_template,
    find_template,
)
from leadvibe.scoring.types import Draft
from leadvibe.scoring.wording import signed, words_of_decay
from leadvibe.web import scoring_paths as paths
from leadvibe.web.pages.display import Level, Link, Tone, counted
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.scoring import TemplateCard, TemplateRow, TemplatesPage
from leadvibe.web.rendering import render
from leadvibe.web.scoring import has_accounts
from leadvibe.web.scoring_tabs import scoring_tabs

pages = Blueprint("scoring-templates", __name__, url_prefix="/scoring/templates")


class TemplateNotFoundError(NotFoundError):
    code = "template_not_found"


@pages.get("")
def show_templates() -> AnyResponse:
    principal = require(Permission.READ)
    scope, draft = principal.scope, _wanted_draft(principal, request.args.get("draft", ""))
    seen = {it.name for it in list_event_types(scope)}
    page = TemplatesPage(
        tabs=() if draft else scoring_tabs(paths.TEMPLATES),
        cards=tuple(_card(template, seen) for template in TEMPLATES),
        can_edit=can(principal, Permission.CONFIGURE),
        has_accounts=has_accounts(scope),
        draft_name=draft.name if draft else "",
        draft_id=str(draft.draft_id) if draft else "",
        back=Link(draft.name, paths.draft_path(draft.draft_id)) if draft else None,
    )
    return render("scoring/templates.html", page=page, section=paths.SCORING)


@pages.post("/<key>")
def use(key: str) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    template = find_template(key)
    if template is None:
        raise TemplateNotFoundError("There is no such template: choose one of those shown.")
    draft = _wanted_draft(principal, request.form.get("draft", ""))
    try:
        draft_id = _put(principal, template, draft)
    except (ConflictError, InvalidError) as error:
        flash(error.message, Tone.BAD)
        return redirect(paths.TEMPLATES, 303)
    flash(
        f"“{template.name}” is in this draft. Nothing is live yet: change what you like.", Tone.OK
    )
    return redirect(paths.draft_path(draft_id), 303)


def _put(principal: Principal, template: Template, draft: Draft | None) -> UUID:
    now, scope = utc_now(), principal.scope

    def change(config: Config) -> Config:
        return apply_template(config, template, now=now)

    if draft is not None:
        drafts.edit_draft(principal, scope, draft.draft_id, change, now=now)
        return draft.draft_id
    name = drafts.free_name(scope, template.name)
    return drafts.create_draft(principal, scope, name, change=change, now=now).draft_id


def _wanted_draft(principal: Principal, text: str) -> Draft | None:
    draft_id = parse_id(text)
    if draft_id is None:
        return None
    try:
        return queries.get_draft(principal.scope, draft_id)
    except DraftNotFoundError:
        return None


def _card(template: Template, seen: Collection[str]) -> TemplateCard:
    known = [it for it in template.rules if it.event_type in seen]
    facts = [
        counted(len(template.rules), "rule"),
        counted(len(template.fit), "rule") + " about fit",
        counted(len(template.levels[LevelKind.ENGAGEMENT]), "level"),
        "decay",
    ]
    return TemplateCard(
        key=template.key,
        name=template.name,
        audience=template.audience,
        description=template.description,
        facts=tuple(facts),
        seen=f"{len(known)} of its {len(template.rules)} event types come in here already",
        rules=tuple(_rows(template.rules, seen)),
        fit=tuple(_tests(template.fit)),
        accounts=tuple(_tests(template.accounts)),
        levels=tuple(
            (
                kind.value.capitalize(),
                tuple(Level(f"{it.name}, from {it.min_score}", it.color) for it in levels),
            )
            for kind, levels in template.levels.items()
        ),
        decays=tuple(_decay(it) for it in template.decays),
        use_url=f"{paths.TEMPLATES}/{template.key}",
    )


def _rows(rules: Iterable[TemplateRule], seen: Collection[str]) -> Iterator[TemplateRow]:
    for rule in rules:
        yield TemplateRow(
            subject=rule.event_type,
            weight_label=signed(rule.weight),
            direction=direction(rule.weight),
            reason=rule.reason,
            is_seen=rule.event_type in seen,
        )


def _tests(tests: Iterable[TemplateTest]) -> Iterator[TemplateRow]:
    for it in tests:
        yield TemplateRow(
            subject=words_of_test(it.test),
            weight_label=signed(it.weight),
            direction=direction(it.weight),
        )


def _decay(decay: TemplateDecay) -> str:
    words = words_of_decay(DecayRule(new_id(), *decay, created_at=utc_now()))
    return words[:1].upper() + words[1:]
