"""Editing a draft: its rulesets and rules in place, each change saved as it is made.

Two who edit the same draft keep what both of them do. Who changes what somebody else has just
changed is shown that first, with what they typed still there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError, NotFoundError
from leadvibe.lib.ids import new_id, parse_id
from leadvibe.scoring import drafts, editing
from leadvibe.scoring.errors import DraftItemChangedError
from leadvibe.scoring.wording import signed
from leadvibe.web.forms.scoring import (
    AttributeRuleForm,
    AttributeRulesetForm,
    DraftForm,
    RuleForm,
    RulesetForm,
    WeightForm,
)
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Alert, Link, Tone
from leadvibe.web.pages.scoring import ScoringPage
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring import WORDS, accounts_off
from leadvibe.web.scoring_bar import BAR, Drafted
from leadvibe.web.scoring_paths import SCORING, TEMPLATES
from leadvibe.web.scoring_previews import PANEL, draft_panel
from leadvibe.web.scoring_restoring import put_back, restoring
from leadvibe.web.scoring_rules import (
    Attempts,
    Shelf,
    changes_of,
    is_active,
    learn,
    new_rule,
    new_ruleset,
    rule_form_of,
    ruleset_form_of,
)

RULESETS = "rulesets"
CHANGED = "draft-changed"
"""What the bar and the panel listen for."""

AnyForm = RuleForm | AttributeRuleForm | RulesetForm | AttributeRulesetForm | WeightForm

pages = Blueprint("scoring-drafts", __name__, url_prefix="/scoring/drafts/<uuid:draft_id>")

_KIND = "/<any(engagement, profile, account):kind>"


@pages.get("")
def show_draft(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.READ), draft_id)
    return redirect(drafted.path("/engagement"), 303)


@pages.get(_KIND)
def show_rules(draft_id: UUID, kind: str) -> AnyResponse:
    drafted = Drafted.find(require(Permission.READ), draft_id)
    return _answer(drafted, LevelKind(kind), _opened(drafted, LevelKind(kind)))


@pages.post(f"{_KIND}/rulesets")
def create_ruleset(draft_id: UUID, kind: str) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    form = _ruleset_form(shelf)

    def change(config: Config) -> Config:
        ruleset = new_ruleset(new_id(), form)
        is_first = not editing.rulesets_of(config, shelf)
        made = editing.add_ruleset(config, shelf, ruleset)
        first = {"is_primary": True} if is_first else {}
        return editing.change_ruleset(made, shelf, ruleset.ruleset_id, first)

    return _attempt(drafted, shelf, form, Attempts(ruleset=form), change)


@pages.post(f"{_KIND}/rulesets/<uuid:ruleset_id>")
def update_ruleset(draft_id: UUID, kind: str, ruleset_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    if "name" in request.form:
        return _edit_ruleset(drafted, shelf, ruleset_id)
    switch = "active" if shelf is LevelKind.ENGAGEMENT else "enabled"
    changes = {"is_primary": True} if request.form.get("primary") == "1" else _switched(switch)
    return _make(
        drafted, shelf, lambda config: editing.change_ruleset(config, shelf, ruleset_id, changes)
    )


@pages.post(f"{_KIND}/rulesets/<uuid:ruleset_id>/delete")
def delete_ruleset(draft_id: UUID, kind: str, ruleset_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    return _make(drafted, shelf, lambda config: editing.remove_ruleset(config, shelf, ruleset_id))


@pages.post(f"{_KIND}/rulesets/<uuid:ruleset_id>/rules")
def create_rule(draft_id: UUID, kind: str, ruleset_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    form = _rule_form(shelf)

    def change(config: Config) -> Config:
        beside = editing.get_ruleset(config, shelf, ruleset_id).rules
        return editing.add_rule(config, shelf, ruleset_id, new_rule(new_id(), form, beside=beside))

    return _attempt(drafted, shelf, form, Attempts(added={ruleset_id: form}), change)


@pages.post(f"{_KIND}/rules/<uuid:rule_id>")
def update_rule(draft_id: UUID, kind: str, rule_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    if "event_type" in request.form or "key" in request.form:
        return _edit_rule(drafted, shelf, rule_id)
    if "weight" not in request.form:
        changes = _switched("active")
        if shelf is not LevelKind.ENGAGEMENT:
            raise InvalidError("Rules about properties have no switch: delete the rule instead.")
        return _make(
            drafted, shelf, lambda config: editing.change_rule(config, shelf, rule_id, changes)
        )
    form = WeightForm(request.form)
    return _attempt(
        drafted,
        shelf,
        form,
        Attempts(weights={rule_id: form}),
        lambda config: editing.change_rule(
            config, shelf, rule_id, {"weight": form.weight.data}, state=_state()
        ),
        now_there=lambda config: signed(editing.get_rule(config, shelf, rule_id)[1].weight),
    )


@pages.post(f"{_KIND}/rules/<uuid:rule_id>/delete")
def delete_rule(draft_id: UUID, kind: str, rule_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    undo = restoring(drafted, shelf, rule_id)
    return _make(
        drafted,
        shelf,
        lambda config: editing.remove_rule(config, shelf, rule_id),
        done=lambda: say("The rule is taken out of this draft.", undo=undo),
    )


@pages.post(f"{_KIND}/rules/<uuid:rule_id>/restore")
def restore_rule(draft_id: UUID, kind: str, rule_id: UUID) -> AnyResponse:
    drafted, shelf = _editing(draft_id, kind)
    return _make(drafted, shelf, lambda config: put_back(drafted, config, shelf, rule_id))


@pages.post("/name")
def rename(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.CONFIGURE), draft_id)
    form, scope = DraftForm(request.form), drafted.principal.scope
    if form.validate():
        try:
            drafts.update_draft(
                drafted.principal, scope, draft_id, name=form.name.data, now=utc_now()
            )
        except ConflictError as error:
            form.show(error)
        else:
            return redirect(drafted.path("/engagement"), 303)
    return _answer(
        drafted, LevelKind.ENGAGEMENT, Attempts(), name_form=form, status=UNPROCESSABLE_ENTITY
    )


@pages.post("/discard")
def discard(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.CONFIGURE), draft_id)
    drafts.delete_draft(drafted.principal.scope, draft_id)
    flash(f"The draft “{drafted.draft.name}” is discarded. Nothing live has changed.", Tone.OK)
    return redirect(SCORING, 303)


@pages.post("/catch-up")
def catch_up(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.CONFIGURE), draft_id)
    try:
        drafts.catch_up(drafted.principal, drafted.principal.scope, draft_id, now=utc_now())
    except InvalidError as error:
        flash(
            "The draft and what has changed do not go together as they are, so nothing was brought"
            f" in. Change one of them first: {error.message}",
            Tone.BAD,
        )
    else:
        flash("What has changed since is in this draft now, beside its own changes.", Tone.OK)
    return redirect(drafted.path("/changes"), 303)


def _editing(draft_id: UUID, kind: str) -> tuple[Drafted, LevelKind]:
    return Drafted.find(require(Permission.CONFIGURE), draft_id), LevelKind(kind)


def _rule_form(kind: LevelKind) -> RuleForm | AttributeRuleForm:
    form = RuleForm if kind is LevelKind.ENGAGEMENT else AttributeRuleForm
    return form(request.form)


def _ruleset_form(kind: LevelKind) -> RulesetForm | AttributeRulesetForm:
    form = RulesetForm if kind is LevelKind.ENGAGEMENT else AttributeRulesetForm
    return form(request.form)


def _edit_rule(drafted: Drafted, kind: LevelKind, rule_id: UUID) -> AnyResponse:
    form = _rule_form(kind)

    def change(config: Config) -> Config:
        _, rule = editing.get_rule(config, kind, rule_id)
        return editing.change_rule(config, kind, rule_id, changes_of(form, rule), state=_state())

    return _attempt(drafted, kind, form, Attempts(rules={rule_id: form}), change)


def _edit_ruleset(drafted: Drafted, kind: LevelKind, ruleset_id: UUID) -> AnyResponse:
    form = _ruleset_form(kind)

    def change(config: Config) -> Config:
        window = form.window() if isinstance(form, RulesetForm) else {}
        changes = {"name": form.name.data, **window}
        return editing.change_ruleset(config, kind, ruleset_id, changes, state=_state())

    return _attempt(drafted, kind, form, Attempts(rulesets={ruleset_id: form}), change)


def _state() -> str:
    return str(request.form.get("state", ""))


def _switched(name: str) -> dict[str, bool]:
    wanted = request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    return {name: wanted == "1"}


def _opened(drafted: Drafted, kind: LevelKind) -> Attempts:
    """Open the form that the address names, where somebody may edit and it is still there."""
    rule_id, ruleset_id = (parse_id(request.args.get(name, "")) for name in ("rule", "ruleset"))
    into, added = parse_id(request.args.get("to", "")), request.args.get("add", "")
    if not drafted.can_edit:
        return Attempts()
    try:
        if rule_id:
            _, rule = editing.get_rule(drafted.config, kind, rule_id)
            return Attempts(rules={rule_id: rule_form_of(rule)})
        if ruleset_id:
            ruleset = editing.get_ruleset(drafted.config, kind, ruleset_id)
            return Attempts(rulesets={ruleset_id: ruleset_form_of(ruleset)})
    except NotFoundError:
        return Attempts()
    if into and added and kind is LevelKind.ENGAGEMENT:
        return Attempts(added={into: RuleForm(data={"event_type": added})})
    return Attempts()


def _make(
    drafted: Drafted,
    kind: LevelKind,
    change: Callable[[Config], Config],
    done: Callable[[], None] = lambda: None,
) -> AnyResponse:
    """Make a change that no form can be shown again for."""
    try:
        _save(drafted, change)
    except (InvalidError, ConflictError) as error:
        flash(error.message, Tone.BAD)
    else:
        done()
    return _done(drafted, kind)


def _attempt(
    drafted: Drafted,
    kind: LevelKind,
    form: AnyForm,
    attempts: Attempts,
    change: Callable[[Config], Config],
    *,
    now_there: Callable[[Config], str] | None = None,
) -> AnyResponse:
    """Make the change and show the draft, or the form again with what is wrong."""
    status = UNPROCESSABLE_ENTITY
    if form.validate():
        try:
            _save(drafted, change)
        except DraftItemChangedError:
            form.form_errors.append(_who_was_quicker(drafted, now_there))
            status = CONFLICT
        except (InvalidError, ConflictError) as error:
            form.show(error)
        else:
            return _done(drafted, kind)
    return _answer(drafted, kind, attempts, status=status)


def _who_was_quicker(drafted: Drafted, now_there: Callable[[Config], str] | None) -> str:
    made = f" to {now_there(drafted.config)}" if now_there else ""
    return (
        f"{drafted.draft.updated_by} has changed this{made} since you opened it. Save again to"
        " replace it with yours."
    )


def _save(drafted: Drafted, change: Callable[[Config], Config]) -> None:
    principal = drafted.principal
    drafts.edit_draft(principal, principal.scope, drafted.draft_id, change, now=utc_now())


def _done(drafted: Drafted, kind: LevelKind) -> AnyResponse:
    if not request.htmx:
        return redirect(drafted.path(f"/{kind}"), 303)
    return _answer(Drafted.find(drafted.principal, drafted.draft_id), kind, Attempts())


def _answer(
    drafted: Drafted,
    kind: LevelKind,
    attempts: Attempts,
    *,
    name_form: DraftForm | None = None,
    status: int = 200,
) -> AnyResponse:
    wanted = wanted_fragment() or ""
    known = learn(drafted.principal.scope, kind) if wanted not in {BAR, PANEL} else None
    shelf = (
        Shelf(
            drafted.config,
            kind,
            known,
            live=drafted.live,
            url=drafted.path(f"/{kind}") if drafted.can_edit else "",
            attempts=attempts,
        )
        if known
        else None
    )
    rule_id = parse_id(wanted.removeprefix("rule-")) if wanted.startswith("rule-") else None
    row = shelf.row(rule_id) if shelf and rule_id else None
    if rule_id and row is None:
        return _gone()
    page = _page(drafted, kind, shelf if row is None else None, name_form)
    fragments = {
        BAR: "scoring/_bar.html",
        PANEL: "scoring/_panel.html",
        RULESETS: "scoring/_rulesets.html",
    }
    if row is not None:
        fragments[wanted] = "scoring/_rule.html"
    response = render(
        "scoring/page.html", page=page, section=SCORING, fragments=fragments, status=status,
        row=row,
    )  # fmt: skip
    if request.method == "POST" and (wanted == RULESETS or row):
        told = json.loads(response.headers.get("HX-Trigger", "{}"))
        response.headers["HX-Trigger"] = json.dumps({**told, CHANGED: {}})
    return response


def _gone() -> AnyResponse:
    """Have the page loaded again: somebody has deleted the rule that this is about."""
    response = make_response("", 200)
    response.headers["HX-Refresh"] = "true"
    return response


def _page(
    drafted: Drafted, kind: LevelKind, shelf: Shelf | None, name_form: DraftForm | None
) -> ScoringPage:
    url, words = drafted.path(f"/{kind}"), WORDS[kind]
    is_off = kind is LevelKind.ACCOUNT and not drafted.live.policies.abm_enabled
    attempted = shelf.attempts.ruleset if shelf else None
    wanted = wanted_fragment() or ""
    return ScoringPage(
        kind=kind,
        url=url,
        intro=words.intro,
        tabs=(),
        rulesets=shelf.cards() if shelf else (),
        empty_title=words.empty_title,
        empty_text=words.empty_text,
        can_edit=drafted.can_edit,
        bar=drafted.bar(kind, url=url, form=name_form) if wanted in {"", BAR} else None,
        panel=draft_panel(drafted, url=url) if wanted in {"", PANEL} else None,
        ruleset_form=attempted
        or (RulesetForm() if kind is LevelKind.ENGAGEMENT else AttributeRulesetForm()),
        create_url=f"{url}/rulesets",
        suggestions=shelf.known.suggestions if shelf else (),
        alert=accounts_off(drafted.principal) if is_off else _nothing_known(drafted, kind, shelf),
        remedy=Link("Start from a template", f"{TEMPLATES}?draft={drafted.draft_id}"),
    )


def _nothing_known(drafted: Drafted, kind: LevelKind, shelf: Shelf | None) -> Alert | None:
    if kind is not LevelKind.ENGAGEMENT or shelf is None or shelf.known.seen:
        return None
    if not any(is_active(it) and it.rules for it in drafted.config.rulesets):
        return None
    return Alert(
        "No events have come in yet, so there is nothing to preview these rules with.",
        Tone.INFO,
        Link("Import some", "/app/imports"),
    )
