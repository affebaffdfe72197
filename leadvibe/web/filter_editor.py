"""What the editors of both kinds of filters share: the form, and what it would take out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.client import CONFLICT, UNPROCESSABLE_ENTITY

from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events.queries import list_event_types, list_metadata_keys
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads.queries import list_names
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.metrics.suppression import EVENTS_TRIED, FilterTrial
from leadvibe.scoring import queries
from leadvibe.scoring.types import ConfigItem, ItemKind
from leadvibe.triggers.checks import MOST_TESTS
from leadvibe.web.filters import LATELY, SCORING, say_window
from leadvibe.web.forms.filters import MetadataForm, VelocityForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    leave,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.display import Alert, Moment, counted, spell_share, thousands
from leadvibe.web.pages.filters import EditorPage, FilterPreview, TrialLead
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring_tabs import FILTERS
from leadvibe.web.trigger_builder import show_conditions
from leadvibe.web.trigger_rows import Errors, Rows

FORM, PREVIEW = "filter-form", "filter-preview"
FRAGMENTS = {FORM: "filters/_editor.html", PREVIEW: "filters/_preview.html"}
OFFERED_TYPES = 200


@dataclass(frozen=True)
class Edited:
    """The filter that an editor is about; without an item a new one of the kind."""

    principal: Principal
    kind: ItemKind
    item: ConfigItem | None = None

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @property
    def is_velocity(self) -> bool:
        return self.kind is ItemKind.VELOCITY_FILTER

    @property
    def url(self) -> str:
        noun = "velocity" if self.is_velocity else "metadata"
        return f"{FILTERS}/{noun}/{self.item.item_id if self.item else 'new'}"

    @property
    def state(self) -> str:
        return state_of(self.item) if self.item else ""

    def check(self, state: str | None) -> None:
        """Raise ChangedMeanwhileError when somebody was quicker."""
        if self.item is not None:
            item_id = self.item.item_id
            check_state(self.scope, state, lambda: queries.get_item(self.scope, self.kind, item_id))


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a form has, right or wrong."""

    form: VelocityForm | MetadataForm
    rows: Rows = field(default_factory=Rows)
    errors: Errors = field(default_factory=dict)
    focus: str = ""
    preview: FilterPreview | None = None
    alert: Alert | None = None
    status: int = 200

    @property
    def refused(self) -> Shown:
        return replace(self, status=UNPROCESSABLE_ENTITY)


def save(edited: Edited, shown: Shown, store: Callable[[], object]) -> AnyResponse:
    """Store what a form has and lead back to the list, or show it again with what is wrong."""
    form = shown.form
    try:
        edited.check(form.state.data)
        store()
    except ChangedMeanwhileError:
        form.state.data = edited.state
        alert = stale_alert(edited.scope, edited.url)
        return answer(edited, replace(shown, alert=alert, status=CONFLICT))
    except (InvalidError, ConflictError) as error:
        form.show(error)
        return answer(edited, shown.refused)
    return leave(edited.scope, FILTERS)


def answer(edited: Edited, shown: Shown) -> AnyResponse:
    scope, form = edited.scope, shown.form
    is_preview = wanted_fragment() == PREVIEW
    types = [] if is_preview else [it.name for it in list_event_types(scope) if not it.hidden]
    name, kind = _name_of(edited), "velocity" if edited.is_velocity else "property"
    page = EditorPage(
        title=f"Edit filter for {name}" if name else f"New {kind} filter",
        is_velocity=edited.is_velocity,
        form=form,
        hint=_window_hint(form),
        conditions=show_conditions(shown.rows),
        can_add=len(shown.rows.conditions) < MOST_TESTS,
        errors=shown.errors,
        event_types=tuple(types[:OFFERED_TYPES]),
        properties=() if is_preview else tuple(_properties(scope, edited, form)),
        url=edited.url,
        cancel_url=FILTERS,
        delete_url=f"{edited.url}/delete" if edited.item else "",
        preview=shown.preview,
        live=live_note(scope),
        alert=shown.alert,
        focus=shown.focus,
    )
    return render(
        "filters/editor.html", page=page, section=SCORING, fragments=FRAGMENTS, status=shown.status
    )


def describe_trial(scope: Scope, trial: FilterTrial) -> FilterPreview:
    """Say what a filter would have done."""
    names = list_names(scope, [lead_id for lead_id, _ in trial.leads])
    if not trial.looked_at:
        return FilterPreview(title=f"No such events in the last {LATELY.days} days")
    part = spell_share(trial.suppressed, trial.looked_at)
    whole = counted(trial.looked_at, "event")
    told = [f"{thousands(trial.suppressed)} of {whole} ({part}) would not have counted."]
    if trial.already:
        told.append(f"{thousands(trial.already)} of them do not count today either.")
    if trial.is_capped:
        told.append(
            f"Looked at the latest {thousands(EVENTS_TRIED)}, back to"
            f" {Moment.of(trial.since).text}."
        )
    return FilterPreview(
        title=f"In the last {LATELY.days} days",
        sentences=tuple(told),
        leads=tuple(
            TrialLead(
                name=names.get(lead_id, lead_id),
                url=lead_path(lead_id) if lead_id in names else "",
                events=thousands(events),
            )
            for lead_id, events in trial.leads
        ),
    )


def _name_of(edited: Edited) -> str:
    if edited.item is None:
        return ""
    return str(edited.item.body["event_type" if edited.is_velocity else "name"])


def _window_hint(form: VelocityForm | MetadataForm) -> str:
    """Say milliseconds in the unit that people think in."""
    if not isinstance(form, VelocityForm) or form.unit.data != "milliseconds":
        return ""
    return f"= {say_window(form.window_ms)}" if form.window_ms > 0 else ""


def _properties(scope: Scope, edited: Edited, form: VelocityForm | MetadataForm) -> list[str]:
    """Return what events of the type have been seen to carry; of no type, nothing is offered."""
    event_type = form.event_type.data
    if edited.is_velocity or not event_type:
        return []
    return list_metadata_keys(scope, event_type)
