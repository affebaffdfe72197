"""Views of the leads list: the tabs above it, and what members do with views and columns."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadviews import queries, service
from leadvibe.leadviews.queries import known_columns
from leadvibe.leadviews.types import VIEW_PARAMETERS, Column, LeadLook, LeadView
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError, PreconditionFailedError
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.lead_query import DEFAULTS, ME, PARAMETERS, WATCHED, LeadQuery
from leadvibe.web.notices import say
from leadvibe.web.pages.display import Tone, query_url
from leadvibe.web.pages.leads import CurrentView, Tab, ViewBar
from leadvibe.web.pages.notices import Undo

VIEWS = f"{LEADS}/views"
REFUSALS = (ConflictError, InvalidError, PreconditionFailedError)
"""What is told above the list, for there is something to do about it there."""

pages = Blueprint("lead_views", __name__)


def build_view_bar(
    principal: Principal, config: Config, wanted: LeadQuery, look: LeadLook
) -> ViewBar:
    """Lay out the tabs: views that are always there, those of the unit, and the member's own."""
    current = find_current(wanted, look)
    tabs = [
        Tab(label, query_url(LEADS, query), current is None and wanted.filters == query)
        for label, query in _usual_views(config)
    ]
    is_usual = any(tab.is_current for tab in tabs)
    tabs += [Tab(it.name, _view_url(it), it == current, it.is_shared) for it in look.views]
    return ViewBar(
        tabs=tuple(tabs),
        query=wanted.query,
        current=_current(principal, wanted, current) if current else None,
        is_new=current is None and not (is_usual and not _is_arranged(wanted)),
        can_share=can(principal, Permission.CONFIGURE),
    )


def find_current(wanted: LeadQuery, look: LeadLook) -> LeadView | None:
    """Return the saved view that the address names, if it is there still."""
    return next((it for it in look.views if it.view_id == wanted.view_id), None)


@pages.post("/leads/views")
def create() -> AnyResponse:
    principal = require_member(Permission.READ)
    params = read_sent_query()
    try:
        view = service.create_view(
            principal,
            name=request.form.get("name", "").strip(),
            query=_kept(params),
            columns=_columns(principal, params),
            shared="shared" in request.form,
            now=utc_now(),
        )
    except REFUSALS as error:
        return _refused(error.message, params)
    flash(f"“{view.name}” is saved.", Tone.OK)
    return redirect(_view_url(view), 303)


@pages.post("/leads/views/<uuid:view_id>")
def update(view_id: UUID) -> AnyResponse:
    """Save the list as the view, or with `name` call the view that."""
    principal = require_member(Permission.READ)
    params = read_sent_query()
    try:
        view = service.update_view(
            principal, view_id, _changes(params), seen_at=_seen_at(), now=utc_now()
        )
    except REFUSALS as error:
        return _refused(error.message, params)
    flash(f"“{view.name}” is saved.", Tone.OK)
    return redirect(_view_url(view), 303)


@pages.post("/leads/views/<uuid:view_id>/delete")
def delete(view_id: UUID) -> AnyResponse:
    principal = require_member(Permission.READ)
    view = service.delete_view(principal, view_id)
    say(f"The view “{view.name}” is deleted. Its leads stay.", undo=_make_again(view))
    return redirect(LEADS, 303)


def _make_again(view: LeadView) -> Undo:
    params = dict(view.query) | ({"columns": ",".join(view.columns)} if view.columns else {})
    shared = {"shared": "1"} if view.org_member_id is None else {}
    return Undo(url=VIEWS, fields={"name": view.name, "query": urlencode(params), **shared})


@pages.post("/leads/columns")
def choose_columns() -> AnyResponse:
    """Keep the columns for the member, or, in a saved view, show them until it is saved."""
    principal = require_member(Permission.READ)
    params = read_sent_query()
    is_usual = "usual" in request.form
    chosen = () if is_usual else known_columns(request.form.getlist("column"))
    if params.pop("columns", "") or "view" in params:
        params["columns"] = ",".join(chosen)
    if "view" not in params:
        service.choose_columns(principal, chosen)
        params.pop("columns", None)
    return redirect(query_url(LEADS, params), 303)


def _usual_views(config: Config) -> list[tuple[str, dict[str, str]]]:
    levels = config.levels_of(LevelKind.ENGAGEMENT)
    top = [(levels[-1].name, {"level": levels[-1].name})] if levels else []
    return [
        ("All leads", {}),
        *top,
        ("Active this week", {"last_active": "7d"}),
        ("Watched", {"watched": WATCHED}),
        ("Mine", {"owner": ME}),
    ]


def _is_arranged(wanted: LeadQuery) -> bool:
    return "sort" in wanted.params or "columns" in wanted.params


def _current(principal: Principal, wanted: LeadQuery, view: LeadView) -> CurrentView:
    path = f"{VIEWS}/{view.view_id}"
    is_changed = wanted.kept_by_views != view.query or (
        bool(wanted.columns) and wanted.columns != view.columns
    )
    return CurrentView(
        name=view.name,
        is_shared=view.is_shared,
        can_change=not view.is_shared or can(principal, Permission.CONFIGURE),
        update_url=path,
        delete_url=f"{path}/delete",
        seen=view.updated_at.isoformat(),
        reset_url=_view_url(view) if is_changed else "",
    )


def _view_url(view: LeadView) -> str:
    return query_url(LEADS, {**view.query, "view": str(view.view_id)})


def read_sent_query() -> dict[str, str]:
    """Return the parameters of the list that a form was sent from, which it sends as `query`."""
    given = dict(parse_qsl(request.form.get("query", "")))
    return {
        name: given[name]
        for name in PARAMETERS
        if name in given and given[name] != DEFAULTS.get(name)
    }


def _kept(params: dict[str, str]) -> dict[str, str]:
    return {name: params[name] for name in VIEW_PARAMETERS if name in params}


def _columns(principal: Principal, params: dict[str, str]) -> tuple[Column, ...]:
    """Return the columns that the list shows, unless they are those that everybody sees."""
    return (
        known_columns(params.get("columns", "").split(",")) or queries.get_look(principal).columns
    )


def _changes(params: dict[str, str]) -> dict[str, object]:
    if "name" in request.form:
        shared = {"shared": "shared" in request.form} if "may_share" in request.form else {}
        return {"name": request.form["name"].strip(), **shared}
    changes: dict[str, object] = {"query": _kept(params)}
    if "columns" in params:
        changes["columns"] = list(known_columns(params["columns"].split(",")))
    return changes


def _seen_at() -> datetime | None:
    try:
        return datetime.fromisoformat(request.form["seen"])
    except (KeyError, ValueError):
        return None


def _refused(message: str, params: dict[str, str]) -> AnyResponse:
    flash(message, Tone.BAD)
    return redirect(query_url(LEADS, params), 303)
