"""The rules in force: looked at here, and edited in a draft that one click makes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import LevelKind
from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.lib.ids import parse_id
from leadvibe.rescoring import queries as rescoring
from leadvibe.rescoring import service as rescores
from leadvibe.rescoring.types import Rescore, WalkState
from leadvibe.scoring import drafts, queries
from leadvibe.scoring.settings import update_settings
from leadvibe.web.authors import author
from leadvibe.web.forms.scoring import RulesetForm
from leadvibe.web.pages.display import Alert, Choice, Link, Moment, Tone, counted, thousands
from leadvibe.web.pages.scoring import DraftRow, RescoreCard, ScoringPage
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring_paths import DRAFTS, LIVE, RESCORES, SCORING, TEMPLATES, draft_path
from leadvibe.web.scoring_rules import Shelf, learn
from leadvibe.web.scoring_tabs import scoring_tabs

RESCORE = "rescore"
FRAGMENTS = {"rulesets": "scoring/_rulesets.html", RESCORE: "scoring/_rescore.html"}
ACCOUNTS_OFF = "Account scoring is off"

pages = Blueprint("scoring", __name__)


class Words(NamedTuple):
    """What a kind of score is about, and what to say where there is nothing yet."""

    intro: str
    empty_title: str
    empty_text: str


WORDS: Mapping[LevelKind, Words] = MappingProxyType({
    LevelKind.ENGAGEMENT: Words(
        "What leads do: a rule gives points each time an event of its type comes in. Every active"
        " ruleset keeps its own score; the primary one decides the level of a lead.",
        "No rules yet",
        "Say which events matter and what each is worth: a demo request 40 points, a page view 1.",
    ),
    LevelKind.PROFILE: Words(
        "Who leads are: a rule gives points while a property of the lead says so. Scores follow"
        " the rules by themselves.",
        "No profile rules yet",
        "Say who fits: “seniority is one of director, vp” adds 30 points, say.",
    ),
    LevelKind.ACCOUNT: Words(
        "What companies are: a rule gives points while a property of the account says so. Scores"
        " follow the rules by themselves.",
        "No account rules yet",
        "Say which companies fit: “employee_count is at least 250” adds 15 points, say.",
    ),
})  # fmt: skip


@pages.get("/scoring")
def show_scoring() -> AnyResponse:
    return _show(LevelKind.ENGAGEMENT)


@pages.get("/scoring/profile")
def show_profile() -> AnyResponse:
    return _show(LevelKind.PROFILE)


@pages.get("/scoring/account")
def show_account() -> AnyResponse:
    return _show(LevelKind.ACCOUNT)


@pages.post("/scoring/account")
def switch_accounts() -> AnyResponse:
    """Switch account scoring on or off, for the whole organisation."""
    principal, wanted = require(Permission.ADMINISTER), request.form.get("abm")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    is_on = wanted == "1"
    update_settings(principal, principal.scope, {"abm_enabled": is_on}, now=utc_now())
    flash(f"Account scoring is {'on' if is_on else 'off'} in the whole organisation.", Tone.OK)
    return redirect(LIVE[LevelKind.ACCOUNT], 303)


@pages.post("/scoring/drafts")
def start_draft() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    kind = request.form.get("kind", "")
    name = drafts.free_name(principal.scope, usual_name())
    try:
        draft = drafts.create_draft(principal, principal.scope, name, now=utc_now())
    except ConflictError as error:
        flash(error.message, Tone.BAD)
        return redirect(SCORING, 303)
    end = kind if kind in frozenset(LevelKind) else LevelKind.ENGAGEMENT
    return redirect(draft_path(draft.draft_id, f"/{end}"), 303)


@pages.post("/scoring/rescores")
def start_rescore() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    return redirect(rescore_path(request_rescore(principal)), 303)


def usual_name() -> str:
    """Return what a draft is called that nobody has named: what day it was begun on."""
    today = utc_now()
    return f"Changes of {today.day} {today:%b}"


def request_rescore(principal: Principal) -> UUID:
    """Have all leads scored again; one that is under way takes in every change, so it will do."""
    running = rescoring.find_running_rescore(principal.scope)
    if running is not None:
        return running.walk_id
    asked = rescores.request_rescore(principal, principal.scope, queue=job_queue(), now=utc_now())
    return asked.walk_id


def rescore_path(rescore_id: UUID) -> str:
    """Return the page that shows how far a rescore is."""
    return f"{SCORING}?rescore={rescore_id}"


def has_accounts(scope: Scope) -> bool:
    return queries.get_settings(scope).abm_enabled


def accounts_off(principal: Principal) -> Alert:
    """Say how to have accounts scored."""
    may_switch = can(principal, Permission.ADMINISTER)
    how = "" if may_switch else " An admin of your organisation can switch it on."
    return Alert(
        f"{ACCOUNTS_OFF}, so these rules score nobody.{how} Once it is on, leads find their account"
        " by their e-mail domain, and companies get a score of their own.",
        Tone.INFO,
    )


def _show(kind: LevelKind) -> AnyResponse:
    principal = require(Permission.READ)
    if wanted_fragment() == RESCORE:
        return render("scoring/page.html", page=_rescore_page(principal, kind), section=SCORING,
                      fragments=FRAGMENTS)  # fmt: skip
    return render(
        "scoring/page.html", page=_page(principal, kind), section=SCORING, fragments=FRAGMENTS
    )


def _rescore_page(principal: Principal, kind: LevelKind) -> ScoringPage:
    return ScoringPage(
        kind=kind, intro="", tabs=(), ruleset_form=RulesetForm(), rescore=_rescore(principal.scope)
    )


def _page(principal: Principal, kind: LevelKind) -> ScoringPage:
    scope, words = principal.scope, WORDS[kind]
    number = queries.current_version(scope)
    version, config = queries.get_config_version(scope, number), queries.get_config(scope, number)
    is_off = kind is LevelKind.ACCOUNT and not config.policies.abm_enabled
    can_draft = can(principal, Permission.CONFIGURE)
    return ScoringPage(
        kind=kind,
        intro=words.intro,
        tabs=scoring_tabs(LIVE[kind]),
        rulesets=Shelf(config, kind, learn(scope, kind)).cards(),
        empty_title=words.empty_title,
        empty_text=words.empty_text,
        ruleset_form=RulesetForm(),
        version=str(number),
        changed_by=author(version.created_by) if version else "",
        changed_at=Moment.of(version.created_at) if version else None,
        can_draft=can_draft,
        start_url=DRAFTS,
        drafts=tuple(
            DraftRow(
                name=draft.name,
                url=draft_path(draft.draft_id, f"/{kind}"),
                edited_by=draft.updated_by,
                edited_at=Moment.of(draft.updated_at),
            )
            for draft in sorted(
                queries.list_drafts(scope), key=lambda it: it.updated_at, reverse=True
            )
        ),
        rescore=_rescore(scope),
        rescore_url=RESCORES if can_draft and kind is LevelKind.ENGAGEMENT else "",
        alert=accounts_off(principal) if is_off else None,
        remedy=Link("Start from a template", TEMPLATES),
        accounts_switch=_accounts_switch(principal, is_off=is_off)
        if kind is LevelKind.ACCOUNT
        else None,
    )


def _accounts_switch(principal: Principal, *, is_off: bool) -> Choice | None:
    if not can(principal, Permission.ADMINISTER):
        return None
    label = "Switch account scoring on" if is_off else "Switch account scoring off"
    return Choice(label, "1" if is_off else "0", is_off, url=LIVE[LevelKind.ACCOUNT])


def _rescore(scope: Scope) -> RescoreCard | None:
    """Return how far the rescore is that the address names, or that is under way."""
    asked = parse_id(request.args.get("rescore", ""))
    found = rescoring.find_rescore(scope, asked) if asked else None
    found = found or rescoring.find_running_rescore(scope)
    return _card(found) if found else None


def _card(rescore: Rescore) -> RescoreCard:
    done, total = thousands(rescore.leads_done), thousands(rescore.leads_total)
    texts = {
        WalkState.QUEUED: "Scoring all leads by the new rules: waiting for a worker",
        WalkState.RUNNING: f"Scoring all leads by the new rules: {done} of {total}",
        WalkState.FINISHED: f"Done: {counted(rescore.leads_done, 'lead')} scored by version"
        f" {rescore.version}",
    }
    return RescoreCard(
        text=texts.get(rescore.state, f"The rescore has failed. {rescore.error or ''}".strip()),
        percent=rescore.percent,
        is_running=not rescore.is_complete,
        is_failed=rescore.state in {WalkState.FAILED, WalkState.CANCELLED},
        url=rescore_path(rescore.walk_id),
    )
