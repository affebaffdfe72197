"""What a draft would change: asked for with one click, followed, and shown beside the draft."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import Milestone
from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError
from leadvibe.rescoring import previewing, queries, service
from leadvibe.rescoring.types import Preview, PreviewKind, WalkState, kinds_affected
from leadvibe.scoring.changes import changes_between
from leadvibe.triggers.queries import list_active_triggers
from leadvibe.triggers.types import Trigger
from leadvibe.web.pages.display import Alert, Tone, counted, thousands
from leadvibe.web.pages.scoring_previews import Panel, PreviewPage, Progress
from leadvibe.web.redirects import local_path
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring_bar import BAR, Drafted
from leadvibe.web.scoring_findings import in_short, in_whole, noun_of
from leadvibe.web.scoring_paths import SCORING

PANEL = "what-changes"
PATIENCE_SECONDS = 0.5
"""How long a click waits for its preview before it shows how far that is."""

MOST_THRESHOLDS = 20

pages = Blueprint("scoring-previews", __name__, url_prefix="/scoring/drafts/<uuid:draft_id>")


@pages.get("/preview")
def show_preview(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.READ), draft_id)
    return _answer(drafted)


@pages.post("/preview")
def start_preview(draft_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    drafted = Drafted.find(principal, draft_id)
    scope, thresholds = principal.scope, _thresholds(principal.scope)
    try:
        asked = [
            service.request_preview(
                principal,
                scope,
                drafted.config,
                kind=kind,
                subject=subject_of(drafted),
                thresholds=thresholds if kind is PreviewKind.ENGAGEMENT else (),
                queue=job_queue(),
                now=utc_now(),
            )
            for kind in kinds_affected(drafted.live, drafted.config)
        ]
    except ConflictError:
        flash(
            "Several previews of this unit are under way. Wait for one of them, or cancel it.",
            Tone.BAD,
        )
        asked = []
    for preview in asked:
        previewing.await_preview(scope, preview.walk_id, seconds=PATIENCE_SECONDS)
    return _go_on(drafted)


@pages.post("/preview/cancel")
def cancel_preview(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.CONFIGURE), draft_id)
    for preview in _latest(drafted):
        service.cancel_preview(drafted.principal.scope, preview.walk_id, now=utc_now())
    return _go_on(drafted)


def subject_of(drafted: Drafted) -> str:
    """Return what previews of the draft are said to be of, here as in the API."""
    return f"draft {drafted.draft.name}"


def draft_panel(drafted: Drafted, *, url: str, is_whole: bool = False) -> Panel:
    """Return what the draft would change, as far as it is known; `url` is where the panel is."""
    previews = _latest(drafted)
    running = [it for it in previews if not it.is_complete]
    finished = [it for it in previews if it.state is WalkState.FINISHED]
    can_start = drafted.can_edit and not running and bool(_kinds(drafted))
    show = in_whole if is_whole else in_short
    return Panel(
        url=url,
        start_url=drafted.path("/preview") if can_start else "",
        start_label="Preview again" if previews else "Preview changes",
        text="" if previews else _first_words(drafted),
        alert=_alert(drafted, previews),
        progress=_progress(drafted, running) if running else None,
        results=tuple(show(drafted, it, url=url) for it in finished) if not running else (),
        more_url=drafted.path("/preview") if finished and not is_whole else "",
        is_running=bool(running),
        starts_itself=is_whole and can_start and not previews and not request.htmx,
    )


def is_fresh(drafted: Drafted, preview: Preview) -> bool:
    """Say whether a preview is of the draft as it is now, and of the rules in force."""
    is_same = not changes_between(preview.config, drafted.config)
    return is_same and preview.version == drafted.live.version


def fresh_preview(drafted: Drafted) -> Preview | None:
    """Return a finished preview of the draft as it is now, or None."""
    fresh = (
        it for it in _latest(drafted) if it.state is WalkState.FINISHED and is_fresh(drafted, it)
    )
    return next(fresh, None)


def _kinds(drafted: Drafted) -> list[PreviewKind]:
    return kinds_affected(drafted.live, drafted.config)


def _latest(drafted: Drafted) -> list[Preview]:
    draft, scope = drafted.draft, drafted.principal.scope
    found = (
        queries.find_latest_preview(scope, kind, subject_of(drafted), since=draft.created_at)
        for kind in PreviewKind
    )
    return [it for it in found if it is not None and it.state is not WalkState.CANCELLED]


def _first_words(drafted: Drafted) -> str:
    if not drafted.changes:
        return (
            "Change some points or add a rule. Then see here what it does to your leads, before"
            " anything is live."
        )
    if not _kinds(drafted):
        return "These changes move no score at once, so there is nothing to preview."
    return "See who would gain, who would lose, and how levels shift. Nothing is changed by it."


def _alert(drafted: Drafted, previews: list[Preview]) -> Alert | None:
    if any(it.state is WalkState.FAILED for it in previews):
        return Alert("The preview came to no end. Try it again.", Tone.BAD)
    done = [it for it in previews if it.state is WalkState.FINISHED]
    if done and not all(is_fresh(drafted, it) for it in done):
        return Alert("Something has changed since this preview was made.", Tone.WARN)
    return None


def _progress(drafted: Drafted, running: list[Preview]) -> Progress:
    # Each kind of score replays the same leads: what is told is how far the last one is.
    last = min(running, key=lambda it: it.percent)
    done, total = thousands(last.leads_done), counted(last.leads_total, noun_of(last))
    is_queued = all(it.state is WalkState.QUEUED for it in running)
    return Progress(
        text="Waiting for a worker" if is_queued else f"Replaying history: {done} of {total}",
        percent=last.percent,
        cancel_url=drafted.path("/preview/cancel") if drafted.can_edit else "",
    )


def _thresholds(scope: Scope) -> list[int]:
    found = {
        it.shape.score_threshold for it in milestones(scope) if isinstance(it.shape, Milestone)
    }
    return sorted(found)[:MOST_THRESHOLDS]


def milestones(scope: Scope) -> list[Trigger]:
    """Return the active triggers that look at the score that stands for leads."""
    return [
        it
        for it in list_active_triggers(scope)
        if isinstance(it.shape, Milestone) and it.shape.ruleset_id is None
    ]


def _go_on(drafted: Drafted) -> AnyResponse:
    """Show the panel where it stood, or lead back to the page that it is on."""
    back = local_path(request.form.get("next"), otherwise=drafted.path("/preview"))
    if not request.htmx or not back.startswith(drafted.path("/")):
        return redirect(back, 303)
    if back == drafted.path("/preview"):
        return _answer(drafted)
    page = PreviewPage(bar=None, panel=draft_panel(drafted, url=back))
    return render(
        "scoring/preview.html", page=page, section=SCORING, fragments={PANEL: "scoring/_panel.html"}
    )


def _answer(drafted: Drafted) -> AnyResponse:
    url = drafted.path("/preview")
    wanted = wanted_fragment()
    panel = draft_panel(drafted, url=url, is_whole=True)
    page = PreviewPage(
        bar=drafted.bar("preview", url=url) if wanted in {None, BAR} else None, panel=panel
    )
    fragments = {BAR: "scoring/_bar.html", PANEL: "scoring/_findings.html"}
    return render("scoring/preview.html", page=page, section=SCORING, fragments=fragments)
