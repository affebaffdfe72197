"""From a draft to the rules in force: what would change, a note about it, and the rescore."""

from __future__ import annotations

from http.client import CONFLICT, UNPROCESSABLE_ENTITY
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import LevelKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.rescoring.types import PreviewKind, kinds_affected
from leadvibe.scoring import drafts
from leadvibe.scoring.errors import DraftOutdatedError
from leadvibe.web.forms.scoring import PublishForm
from leadvibe.web.pages.display import Alert, Tone, counted
from leadvibe.web.pages.scoring import DraftPage
from leadvibe.web.rendering import render
from leadvibe.web.scoring import request_rescore, rescore_path
from leadvibe.web.scoring_bar import BAR, Drafted, group_changes
from leadvibe.web.scoring_findings import headline
from leadvibe.web.scoring_paths import LIVE, SCORING
from leadvibe.web.scoring_previews import fresh_preview

FRAGMENTS = {BAR: "scoring/_bar.html"}

pages = Blueprint("scoring-publishing", __name__, url_prefix="/scoring/drafts/<uuid:draft_id>")


@pages.get("/changes")
def show_changes(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.READ), draft_id)
    page = _page(drafted, PublishForm(), tab="changes")
    return render("scoring/changes.html", page=page, section=SCORING, fragments=FRAGMENTS)


@pages.get("/publish")
def show_publishing(draft_id: UUID) -> AnyResponse:
    drafted = Drafted.find(require(Permission.CONFIGURE), draft_id)
    return _answer(drafted, PublishForm())


@pages.post("/publish")
def publish(draft_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    drafted, form = Drafted.find(principal, draft_id), PublishForm(request.form)
    if request.form.get("seen", "") != drafted.draft.updated_at.isoformat():
        return _answer(drafted, form, alert=_changed_meanwhile(drafted), status=CONFLICT)
    if not form.validate():
        return _answer(drafted, form, status=UNPROCESSABLE_ENTITY)
    wants_rescore = form.rescore.data and _moves_past_scores(drafted)
    back = _where_it_is_live(drafted)
    try:
        applied = drafts.publish_draft(
            principal,
            principal.scope,
            draft_id,
            note=form.note.data or "",
            force=request.form.get("force") == "1" or not drafted.others_changes,
            now=utc_now(),
        )
    except DraftOutdatedError:
        return _answer(drafted, form, status=CONFLICT)
    except InvalidError as error:
        return _answer(drafted, form, alert=Alert(error.message, Tone.BAD), status=422)
    told = counted(len(applied.sentences), "change")
    flash(f"“{drafted.draft.name}” is live as version {applied.version}: {told}.", Tone.OK)
    return redirect(rescore_path(request_rescore(principal)) if wants_rescore else back, 303)


def _moves_past_scores(drafted: Drafted) -> bool:
    """Say whether engagement scores would differ; those by properties follow by themselves."""
    return PreviewKind.ENGAGEMENT in kinds_affected(drafted.live, drafted.config)


def _where_it_is_live(drafted: Drafted) -> str:
    """Return the page of the first score that would differ."""
    kinds = kinds_affected(drafted.live, drafted.config)
    return LIVE[LevelKind(kinds[0])] if kinds else SCORING


def _changed_meanwhile(drafted: Drafted) -> Alert:
    return Alert(
        f"{drafted.draft.updated_by} has changed this draft since you opened this page. Look at"
        " what it would change now, then publish.",
        Tone.WARN,
    )


def _answer(
    drafted: Drafted, form: PublishForm, *, alert: Alert | None = None, status: int = 200
) -> AnyResponse:
    page = _page(drafted, form, tab="publish", alert=alert)
    return render(
        "scoring/publish.html",
        page=page,
        section=SCORING,
        fragments=FRAGMENTS,
        status=status,
        seen=drafted.draft.updated_at.isoformat(),
    )


def _page(
    drafted: Drafted, form: PublishForm, *, tab: str, alert: Alert | None = None
) -> DraftPage:
    preview = fresh_preview(drafted)
    return DraftPage(
        bar=drafted.bar(tab, url=drafted.path(f"/{tab}")),
        groups=group_changes(drafted.changes),
        form=form,
        publish_url=drafted.path("/publish"),
        back_url=drafted.path("/engagement"),
        preview_url=drafted.path("/preview"),
        preview_text=headline(preview) if preview else "",
        can_rescore=_moves_past_scores(drafted),
        alert=alert,
    )
