"""Which keys of events fill which properties of leads and accounts, seen on events of late."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from http.client import CONFLICT, NOT_FOUND, UNPROCESSABLE_ENTITY
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.conditions import find_value, is_empty
from leadvibe.engine.mapping import Document, Mapper, Told
from leadvibe.engine.policies import FieldMapping, UpdateBehavior
from leadvibe.events.queries import list_event_types
from leadvibe.events.samples import SampledEvent, read_latest
from leadvibe.http.auditing import only_tried
from leadvibe.http.permissions import require
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports import backfills
from leadvibe.imports.backfills import BackfillKind
from leadvibe.leads import accounts, documents
from leadvibe.leads.queries import list_names
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.lib.ids import new_id
from leadvibe.scoring import attributes, queries
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ConfigItem
from leadvibe.web.forms.mapping import BEHAVIORS, MappingForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    done,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.display import Alert, Choice, Link, counted, query_url, share, thousands
from leadvibe.web.pages.mapping import (
    Filled,
    KeyRow,
    MappingPage,
    MappingPreview,
    MappingRow,
)
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring_tabs import MAPPING, scoring_tabs
from leadvibe.web.seen_keys import find_keys, shortened

SCORING = "/app/scoring"
PREVIEW = "mapping-preview"
BACKFILL = "mapping-backfill"
FRAGMENTS = {
    "mapping": "mapping/_mapping.html",
    PREVIEW: "mapping/_preview.html",
    BACKFILL: "mapping/_backfill.html",
}
LATELY = timedelta(days=90)
EVENTS_LOOKED_AT = 500
KEYS_SHOWN = 12
LEADS_SHOWN = 5
OFFERED_TYPES = 200
NO_EVENTS = "No events came in the last 90 days. Once they do, what they say is listed here."
NO_METADATA = (
    "Events of the last 90 days carry no metadata here. Send some along with an event, such as a"
    " job title, and map it."
)
_LABELS = {behavior.value: label for behavior, label, _ in BEHAVIORS}

pages = Blueprint("mapping", __name__)


@dataclass(frozen=True)
class Edited:
    """The mappings of one side, and the one that the form is about; none for a new one."""

    principal: Principal
    side: Side
    item: ConfigItem | None = None

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @property
    def list_url(self) -> str:
        return MAPPING if self.side is Side.PROFILE else f"{MAPPING}/{self.side}"

    @property
    def url(self) -> str:
        return f"{MAPPING}/{self.side}/{self.item.item_id}" if self.item else self.list_url

    @property
    def state(self) -> str:
        return state_of(self.item) if self.item else ""

    @property
    def event_type(self) -> str:
        return request.values.get("type", "").strip()

    @cached_property
    def items(self) -> list[ConfigItem]:
        return queries.list_items(self.scope, attributes.KINDS[self.side].mapping)

    @cached_property
    def events(self) -> list[SampledEvent]:
        return read_latest(
            self.scope,
            event_type=self.event_type or None,
            since=utc_now() - LATELY,
            limit=EVENTS_LOOKED_AT,
        )

    @property
    def is_off(self) -> bool:
        return self.side is Side.ACCOUNT and not queries.get_settings(self.scope).abm_enabled


@pages.get("/scoring/mapping", defaults={"side": "profile"})
@pages.get("/scoring/mapping/<side>")
def show_mappings(side: str) -> AnyResponse:
    edited = Edited(require(Permission.READ), _side(side))
    return _answer(edited, MappingForm(data={"source_field": request.args.get("key", "")}))


@pages.get("/scoring/mapping/<side>/<uuid:mapping_id>")
def show_mapping(side: str, mapping_id: UUID) -> AnyResponse:
    edited = _edited(side, mapping_id)
    assert edited.item is not None
    return _answer(edited, MappingForm(data={**edited.item.body, "state": edited.state}))


@pages.post("/scoring/mapping", defaults={"side": "profile"})
@pages.post("/scoring/mapping/<side>")
def create_mapping(side: str) -> AnyResponse:
    return _change(Edited(require(Permission.CONFIGURE), _side(side)))


@pages.post("/scoring/mapping/<side>/<uuid:mapping_id>")
def update_mapping(side: str, mapping_id: UUID) -> AnyResponse:
    return _change(_edited(side, mapping_id))


@pages.post("/scoring/mapping/<side>/<uuid:mapping_id>/delete")
def delete_mapping(side: str, mapping_id: UUID) -> AnyResponse:
    edited = _edited(side, mapping_id)
    principal, scope = edited.principal, edited.scope
    attributes.delete_mapping(principal, scope, edited.side, mapping_id, now=utc_now())
    return done(scope, edited.list_url, note="What it filled in stays.")


@pages.post("/scoring/mapping/backfill")
def backfill() -> AnyResponse:
    """Have a worker apply the profile mappings of today to all events there are."""
    principal = require(Permission.CONFIGURE)
    asked = backfills.request_backfill(
        principal, principal.scope, BackfillKind.PROFILE_MAPPINGS, now=utc_now()
    )
    queue = job_queue()
    after_commit(f"backfill {asked.backfill_id}", lambda: backfills.send_backfill(queue, asked))
    return redirect(MAPPING, 303)


def _side(text: str) -> Side:
    if text not in frozenset(Side):
        abort(NOT_FOUND)
    return Side(text)


def _edited(side: str, mapping_id: UUID) -> Edited:
    principal, which = require(Permission.CONFIGURE), _side(side)
    item = queries.get_item(principal.scope, attributes.KINDS[which].mapping, mapping_id)
    return Edited(principal, which, item)


def _change(edited: Edited) -> AnyResponse:
    form = MappingForm(request.form)
    is_valid = form.validate()
    if request.form.get("do") != "save":
        only_tried()
        return _answer(edited, form, preview=_preview(edited, form) if is_valid else None)
    if not is_valid:
        return _answer(edited, form, status=UNPROCESSABLE_ENTITY)
    if edited.is_off:
        queries.require_abm(edited.scope)
    try:
        _store(edited, form)
    except ChangedMeanwhileError:
        form.state.data = edited.state
        alert = stale_alert(edited.scope, edited.url)
        return _answer(edited, form, alert=alert, status=CONFLICT)
    except (InvalidError, ConflictError) as error:
        form.show(error)
        return _answer(edited, form, status=UNPROCESSABLE_ENTITY)
    return done(edited.scope, edited.list_url, note="It applies to events that come from now on.")


def _store(edited: Edited, form: MappingForm) -> None:
    principal, scope, side = edited.principal, edited.scope, edited.side
    fields, now = form.fields_of_mapping(), utc_now()
    if edited.item is None:
        attributes.create_mapping(principal, scope, side, fields, now=now)
        return
    kind, item_id = attributes.KINDS[side].mapping, edited.item.item_id
    check_state(scope, form.state.data, lambda: queries.get_item(scope, kind, item_id))
    attributes.update_mapping(principal, scope, side, item_id, fields, now=now)


def _answer(
    edited: Edited,
    form: MappingForm,
    *,
    preview: MappingPreview | None = None,
    alert: Alert | None = None,
    status: int = 200,
) -> AnyResponse:
    scope, side = edited.scope, edited.side
    is_part = wanted_fragment() in {PREVIEW, BACKFILL}
    kind = documents.LEAD if side is Side.PROFILE else documents.ACCOUNT
    properties = [] if is_part else documents.list_properties(scope, kind)
    filled = {it.body["target_property"] for it in edited.items}
    types = [] if is_part else [it.name for it in list_event_types(scope) if not it.hidden]
    run = _run(edited)
    page = MappingPage(
        tabs=scoring_tabs(MAPPING),
        sides=tuple(
            Choice(it.capitalize(), it, it is side, Edited(edited.principal, it).list_url)
            for it in Side
        ),
        side=side,
        who="lead" if side is Side.PROFILE else "account",
        url=edited.list_url,
        form_url=edited.url,
        event_type=edited.event_type,
        event_types=tuple(types[:OFFERED_TYPES]),
        keys=() if is_part else tuple(_keys(edited, properties)),
        keys_shown=KEYS_SHOWN,
        looked_at=f"Of the latest {counted(len(edited.events), 'event')}." if edited.events else "",
        no_keys=NO_METADATA if edited.events else NO_EVENTS,
        mappings=tuple(_row(it, edited) for it in edited.items),
        unmapped=tuple(name for name in properties if name not in filled),
        properties=tuple(properties),
        form=form,
        behaviors=tuple((it.value, label, words) for it, label, words in BEHAVIORS),
        form_title="Edit mapping" if edited.item else "New mapping",
        is_editing=edited.item is not None,
        preview=preview,
        backfill=run[0],
        is_backfilling=run[1],
        can_backfill=side is Side.PROFILE and bool(edited.items),
        live=live_note(scope),
        can_edit=can(edited.principal, Permission.CONFIGURE) and not edited.is_off,
        alert=alert,
        empty="Accounts are not scored, so nothing is mapped to them: an admin can switch"
        " account scoring on."
        if edited.is_off
        else "",
        remedy=Link("Open scoring settings", "/app/settings/scoring") if edited.is_off else None,
    )
    return render(
        "mapping/page.html", page=page, section=SCORING, fragments=FRAGMENTS, status=status
    )


def _run(edited: Edited) -> tuple[str, bool]:
    """Say how the last run over past events went, and whether it still goes on."""
    found = backfills.find_latest_backfill(edited.scope, BackfillKind.PROFILE_MAPPINGS)
    if found is None or edited.side is not Side.PROFILE:
        return "", False
    if found.error and found.is_over:
        return f"Applying mappings to past events failed: {found.error}", False
    updated = counted(found.counts.get("leads_updated", 0), "lead")
    if found.is_over:
        return f"Last applied to past events by {found.created_by}: {updated} changed.", False
    return f"Applying to past events, {found.percent} %: {updated} changed so far.", True


def _keys(edited: Edited, properties: Collection[str]) -> Iterator[KeyRow]:
    """Yield what events say, first what bears the name of a property."""
    targets: dict[str, list[str]] = {}
    for it in edited.items:
        targets.setdefault(it.body["source_field"], []).append(it.body["target_property"])
    can_map = can(edited.principal, Permission.CONFIGURE) and not edited.is_off
    total = len(edited.events)
    found = find_keys(it.metadata for it in edited.events)
    for seen in sorted(found, key=lambda it: it.key not in properties):
        params = {"key": seen.key, "type": edited.event_type}
        yield KeyRow(
            key=seen.key,
            kinds=", ".join(kind for kind, _ in seen.kinds.most_common()),
            samples=tuple(seen.samples),
            events=f"{thousands(seen.events)} ({share(seen.events, total) or '<1'} %)",
            targets=tuple(targets.get(seen.key, ())),
            map_url=query_url(edited.list_url, params) if can_map else "",
        )


def _row(item: ConfigItem, edited: Edited) -> MappingRow:
    url = f"{MAPPING}/{edited.side}/{item.item_id}"
    return MappingRow(
        id=str(item.item_id),
        source=item.body["source_field"],
        target=item.body["target_property"],
        behavior=_LABELS[item.body["update_behavior"]],
        is_edited=edited.item is not None and edited.item.item_id == item.item_id,
        url=url,
        delete_url=f"{url}/delete",
    )


def _preview(edited: Edited, form: MappingForm) -> MappingPreview:
    """Say what the latest events would have made of the property, had they come now."""
    wanted = FieldMapping(
        new_id(),
        form.source_field.data or "",
        form.target_property.data or "",
        UpdateBehavior(form.update_behavior.data),
    )
    saying = [
        it
        for it in edited.events
        if it.lead_id is not None and not is_empty(find_value(it.metadata, wanted.source_field))
    ]
    if not saying:
        return MappingPreview(
            title=f"None of the latest {len(edited.events)} events has “{wanted.source_field}”"
        )
    filled = tuple(_fill(edited, wanted, saying))
    changed = [it for it in filled if it.before != it.after]
    return MappingPreview(
        title=f"{len(saying)} of the latest {counted(len(edited.events), 'event')} would fill it",
        filled=tuple(changed[:LEADS_SHOWN]),
        note=_note(len(changed), len(filled)),
    )


def _note(changed: int, told: int) -> str:
    """Say of how many leads the property would change."""
    if not changed:
        return "It would change nothing: leads say the same already, or keep what they have."
    return f"It would change for {thousands(changed)} of {counted(told, 'lead')}."


def _fill(edited: Edited, wanted: FieldMapping, saying: Sequence[SampledEvent]) -> Iterator[Filled]:
    latest: dict[str, SampledEvent] = {}
    for it in saying:
        latest.setdefault(it.lead_id or "", it)
    names, mapper = list_names(edited.scope, latest.keys()), Mapper([wanted])
    before = _documents(edited, latest.keys())
    for lead_id, event in latest.items():
        document = before.get(lead_id)
        if document is None:
            continue
        told = Told(event.occurred_at, event.receipt, event.metadata)
        after = mapper.apply(document, [told])
        target = wanted.target_property
        yield Filled(
            lead_name=names.get(lead_id, lead_id),
            lead_url=lead_path(lead_id),
            event_type=event.event_type,
            before=_spelled(document.properties, target),
            after=_spelled(after.properties, target),
        )


def _documents(edited: Edited, lead_ids: Collection[str]) -> Mapping[str, Document]:
    """Return what is known about the leads, or about their accounts, by lead."""
    scope = edited.scope
    if edited.side is Side.PROFILE:
        return {key: it.document for key, it in documents.load(scope, lead_ids).items()}
    of_leads = accounts.accounts_of(scope, lead_ids)
    found = accounts.load_documents(scope, set(of_leads.values()))
    return {lead_id: found[account_id] for lead_id, account_id in of_leads.items()}


def _spelled(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    return "nothing" if is_empty(value) else shortened(value)
