"""What holds for all scoring of a unit or an organisation, and rescores."""

from __future__ import annotations

from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from typing import Any

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.queries import count_listed
from leadvibe.lib.clock import utc_now
from leadvibe.lib.paging import PageRequest
from leadvibe.rescoring import queries as rescoring
from leadvibe.rescoring import service as rescoring_service
from leadvibe.rescoring.types import Rescore, WalkState
from leadvibe.scoring import profiles, queries, settings
from leadvibe.web.forms.scoring_settings import SettingsForm
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    done,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.display import Alert, Moment, Tone, counted, duration, thousands
from leadvibe.web.pages.scoring_settings import (
    LastChange,
    RescoreCard,
    ScoringSettingsPage,
)
from leadvibe.web.rendering import render

SETTINGS = "/app/settings/scoring"
FRAGMENTS = {"rescore": "scoring_settings/_rescore.html"}

pages = Blueprint("scoring-settings", __name__)


@pages.get("/settings/scoring")
def show_settings() -> AnyResponse:
    principal = require(Permission.READ)
    return _answer(principal, _form(principal.scope))


@pages.post("/settings/scoring")
def change_settings() -> AnyResponse:
    principal, form = require(Permission.CONFIGURE), SettingsForm(request.form)
    scope = principal.scope
    if not form.validate():
        return _answer(principal, form, status=UNPROCESSABLE_ENTITY)
    try:
        state, lock = form.state.data, settings.lock_settings
        check_state(scope, state, lambda: queries.get_settings(scope), lock=lock)
    except ChangedMeanwhileError:
        form.state.data = state_of(queries.get_settings(scope))
        return _answer(principal, form, alert=stale_alert(scope, SETTINGS), status=CONFLICT)
    wanted = _wanted(principal, form)
    if not settings.differing_settings(scope, wanted):
        flash("Nothing was changed.", Tone.INFO)
        return redirect(SETTINGS, 303)
    settings.update_settings(principal, scope, wanted, now=utc_now())
    return done(scope, SETTINGS, note="What is scored so far stays until a rescore.")


@pages.post("/settings/scoring/rescore")
def rescore() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    if rescoring.find_running_rescore(principal.scope) is None:
        queue, now = job_queue(), utc_now()
        rescoring_service.request_rescore(principal, principal.scope, queue=queue, now=now)
    return redirect(f"{SETTINGS}#rescore", 303)


def _form(scope: Scope) -> SettingsForm:
    found = queries.get_settings(scope)
    return SettingsForm(
        data={
            "session_timeout_minutes": found.session_timeout_minutes,
            "allow_negative_scores": found.allow_negative_scores,
            "abm_enabled": found.abm_enabled,
            "state": state_of(found),
        }
    )


def _wanted(principal: Principal, form: SettingsForm) -> dict[str, Any]:
    """Return what of the form the member may decide."""
    wanted = {name: form[name].data for name in settings.ORG_SETTINGS}
    minutes = {"session_timeout_minutes": form.session_timeout_minutes.data}
    return {**wanted, **minutes} if can(principal, Permission.ADMINISTER) else minutes


def _answer(
    principal: Principal, form: SettingsForm, *, alert: Alert | None = None, status: int = 200
) -> AnyResponse:
    scope = principal.scope
    page = ScoringSettingsPage(
        form=form,
        changes={
            name: LastChange(by=it.created_by, at=Moment.of(it.created_at))
            for name, it in settings.last_changes(scope).items()
        },
        can_edit=can(principal, Permission.CONFIGURE),
        can_administer=can(principal, Permission.ADMINISTER),
        live=live_note(scope),
        rescore=_rescore(scope),
        alert=alert,
    )
    return render(
        "scoring_settings/page.html",
        page=page,
        section=SETTINGS,
        fragments=FRAGMENTS,
        status=status,
    )


def _rescore(scope: Scope) -> RescoreCard:
    running = rescoring.find_running_rescore(scope)
    if running is not None:
        return RescoreCard(
            is_running=True,
            percent=running.percent,
            sentence=f"{thousands(running.leads_done)} of {counted(running.leads_total, 'lead')}"
            f" scored anew under version {running.version}.",
            cost="",
        )
    last = next(iter(rescoring.search_rescores(scope, PageRequest(size=1)).items), None)
    leads = counted(count_listed(scope), "lead")
    seconds = _seconds(last)
    about = f", about {duration(seconds)}" if seconds else ""
    background = profiles.next_rescore(scope) is not None
    return RescoreCard(
        is_running=False,
        percent=0,
        sentence=_say_last(last)
        or ("Profile and account scores are being made anew." if background else ""),
        cost=f"{leads}{about}",
        error=(last.error or "It did not finish.")
        if last and last.state is WalkState.FAILED
        else "",
        at=Moment.of(last.finished_at or last.created_at) if last else None,
    )


def _say_last(last: Rescore | None) -> str:
    if last is None or last.state is not WalkState.FINISHED:
        return ""
    leads = counted(last.leads_done, "lead")
    return f"Last done by {last.created_by}: {leads} under version {last.version}"


def _seconds(last: Rescore | None) -> float:
    if last is None or last.started_at is None or last.finished_at is None:
        return 0.0
    return max(1.0, (last.finished_at - last.started_at).total_seconds())
