"""Making and changing a filter of events that carry certain properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.conditions import ConditionError
from leadvibe.engine.policies import FieldTest, MetadataFilter
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import new_id
from leadvibe.metrics.suppression import try_metadata
from leadvibe.scoring import policies, queries
from leadvibe.scoring.checks import problems_of_conditions
from leadvibe.scoring.types import ItemKind
from leadvibe.triggers.checks import MOST_TESTS
from leadvibe.web.filter_editor import Edited, Shown, answer, describe_trial, save
from leadvibe.web.filters import LATELY, metadata_filter
from leadvibe.web.forms.filters import MetadataForm
from leadvibe.web.live_changes import done
from leadvibe.web.pages.display import Alert, Tone
from leadvibe.web.scoring_tabs import FILTERS
from leadvibe.web.trigger_rows import (
    ConditionInput,
    Errors,
    Kept,
    Rows,
    focus_after,
    judged,
    lead_tests_of,
    read_rows,
    rearranged,
    rows_of_tests,
    without_blanks,
)

_KIND = ItemKind.METADATA_FILTER
_BLANK = Rows(conditions=(ConditionInput(),))

pages = Blueprint("metadata-filters", __name__)


@pages.get("/scoring/filters/metadata/new")
def show_new() -> AnyResponse:
    edited = Edited(require(Permission.CONFIGURE), _KIND)
    return answer(edited, Shown(form=MetadataForm(), rows=_BLANK))


@pages.get("/scoring/filters/metadata/<uuid:filter_id>")
def show(filter_id: UUID) -> AnyResponse:
    edited = _edited(filter_id)
    assert edited.item is not None
    form = MetadataForm(data={**edited.item.body, "state": edited.state})
    return answer(edited, Shown(form=form, rows=rows_of_tests(_stored(edited))))


@pages.post("/scoring/filters/metadata/new")
def create() -> AnyResponse:
    return _change(Edited(require(Permission.CONFIGURE), _KIND))


@pages.post("/scoring/filters/metadata/<uuid:filter_id>")
def update(filter_id: UUID) -> AnyResponse:
    return _change(_edited(filter_id))


@pages.post("/scoring/filters/metadata/<uuid:filter_id>/delete")
def delete(filter_id: UUID) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    policies.delete_metadata_filter(principal, principal.scope, filter_id, now=utc_now())
    return done(principal.scope, FILTERS)


def _edited(filter_id: UUID) -> Edited:
    principal = require(Permission.CONFIGURE)
    return Edited(principal, _KIND, queries.get_item(principal.scope, _KIND, filter_id))


def _stored(edited: Edited) -> tuple[FieldTest, ...]:
    return metadata_filter(edited.item).conditions if edited.item else ()


def _change(edited: Edited) -> AnyResponse:
    form, action = MetadataForm(request.form), request.form.get("do", "")
    rows = rearranged(read_rows(request.form), action)
    shown = Shown(form=form, rows=rows, focus=focus_after(rows, action))
    if action == "save":
        return _save(edited, replace(shown, rows=without_blanks(rows)))
    return _answer_trial(edited, shown)


def _save(edited: Edited, shown: Shown) -> AnyResponse:
    form, rows = shown.form, shown.rows
    if len(_stored(edited)) > MOST_TESTS:
        text = f"This filter has more than {MOST_TESTS} conditions: change it through the API."
        return answer(edited, replace(shown, alert=Alert(text, Tone.WARN)).refused)
    is_valid, tests = form.validate(), _tests(edited, rows)
    errors = judged(rows, has_counts=False) or _find_problems(tests)
    if not tests:
        form.form_errors.append("Add at least one condition: without any it would take nothing.")
        shown = replace(shown, rows=_BLANK)
    if not is_valid or errors or not tests:
        return answer(edited, replace(shown, errors=errors).refused)
    return save(edited, shown, lambda: _store(edited, form.data, tests))


def _tests(edited: Edited, rows: Rows) -> tuple[FieldTest, ...]:
    return lead_tests_of(rows, Kept(_stored(edited)))["attribute_tests"]


def _find_problems(tests: Sequence[FieldTest]) -> Errors:
    found = problems_of_conditions(tests, "conditions.")
    return {field.replace(".", "-"): f"This {problem}." for field, problem in found}


def _store(edited: Edited, data: dict[str, Any], tests: Sequence[FieldTest]) -> None:
    principal, scope, now = edited.principal, edited.scope, utc_now()
    fields = {
        "name": data["name"],
        "event_type": data["event_type"],
        "conditions": [{"key": it.key, "operator": it.operator, "value": it.value} for it in tests],
        "enabled": data["enabled"],
    }
    if edited.item is None:
        policies.create_metadata_filter(principal, scope, fields, now=now)
    else:
        policies.update_metadata_filter(principal, scope, edited.item.item_id, fields, now=now)


def _answer_trial(edited: Edited, shown: Shown) -> AnyResponse:
    rows = without_blanks(shown.rows)
    tests = _tests(edited, rows)
    if not tests or judged(rows, has_counts=False) or _find_problems(tests):
        return answer(edited, shown)
    tried = MetadataFilter(new_id(), "", shown.form.event_type.data or "", tests)
    try:
        trial = try_metadata(edited.scope, tried, since=utc_now() - LATELY)
    except ConditionError:
        return answer(edited, shown)
    return answer(edited, replace(shown, preview=describe_trial(edited.scope, trial)))
