"""Making and changing a filter of what comes too fast."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import VelocityFilter
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import new_id
from leadvibe.metrics.suppression import try_velocity
from leadvibe.scoring import policies, queries
from leadvibe.scoring.types import ItemKind
from leadvibe.web.filter_editor import Edited, Shown, answer, describe_trial, save
from leadvibe.web.filters import LATELY, velocity_filter
from leadvibe.web.forms.filters import VelocityForm, split_window
from leadvibe.web.live_changes import done
from leadvibe.web.scoring_tabs import FILTERS

_KIND = ItemKind.VELOCITY_FILTER
_START = {"count_threshold": 5, "window": 10, "enabled": True}
"""What a new one offers: five in ten seconds is more than a person clicks."""

pages = Blueprint("velocity-filters", __name__)


@pages.get("/scoring/filters/velocity/new")
def show_new() -> AnyResponse:
    edited = Edited(require(Permission.CONFIGURE), _KIND)
    return answer(edited, Shown(form=VelocityForm(data=_START)))


@pages.get("/scoring/filters/velocity/<uuid:filter_id>")
def show(filter_id: UUID) -> AnyResponse:
    edited = _edited(filter_id)
    assert edited.item is not None
    one = velocity_filter(edited.item)
    window, unit = split_window(one.time_window_ms)
    data = {
        "event_type": one.event_type,
        "count_threshold": one.count_threshold,
        "window": window,
        "unit": unit,
        "group_events": "1" if one.group_events else "0",
        "enabled": one.enabled,
        "state": edited.state,
    }
    return answer(edited, Shown(form=VelocityForm(data=data)))


@pages.post("/scoring/filters/velocity/new")
def create() -> AnyResponse:
    return _change(Edited(require(Permission.CONFIGURE), _KIND))


@pages.post("/scoring/filters/velocity/<uuid:filter_id>")
def update(filter_id: UUID) -> AnyResponse:
    return _change(_edited(filter_id))


@pages.post("/scoring/filters/velocity/<uuid:filter_id>/active")
def switch(filter_id: UUID) -> AnyResponse:
    principal, wanted = require(Permission.CONFIGURE), request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    policies.update_velocity_filter(
        principal, principal.scope, filter_id, {"enabled": wanted == "1"}, now=utc_now()
    )
    return done(principal.scope, FILTERS)


@pages.post("/scoring/filters/velocity/<uuid:filter_id>/delete")
def delete(filter_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    policies.delete_velocity_filter(principal, principal.scope, filter_id, now=utc_now())
    return done(principal.scope, FILTERS)


def _edited(filter_id: UUID) -> Edited:
    principal = require(Permission.CONFIGURE)
    return Edited(principal, _KIND, queries.get_item(principal.scope, _KIND, filter_id))


def _change(edited: Edited) -> AnyResponse:
    form = VelocityForm(request.form)
    shown, is_valid = Shown(form=form), form.validate()
    is_final = request.form.get("do") == "save"
    if not is_valid:
        return answer(edited, shown.refused if is_final else shown)
    if is_final:
        return save(edited, shown, lambda: _store(edited, form.fields_of_filter()))
    tried = VelocityFilter(filter_id=new_id(), **form.fields_of_filter())
    trial = try_velocity(edited.scope, tried, since=utc_now() - LATELY)
    return answer(edited, replace(shown, preview=describe_trial(edited.scope, trial)))


def _store(edited: Edited, fields: dict[str, Any]) -> None:
    principal, scope, now = edited.principal, edited.scope, utc_now()
    if edited.item is None:
        policies.create_velocity_filter(principal, scope, fields, now=now)
    else:
        policies.update_velocity_filter(principal, scope, edited.item.item_id, fields, now=now)
