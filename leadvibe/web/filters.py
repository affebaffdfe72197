"""Filters of inorganic events: the list of them, and what each took out lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.conditions import parse_operator
from leadvibe.engine.organic import Suppression
from leadvibe.engine.policies import FieldTest, MetadataFilter, VelocityFilter
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Scope
from leadvibe.leads.queries import list_names
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.metrics import suppression
from leadvibe.metrics.queries import count_suppressed, list_by_metadata
from leadvibe.metrics.suppression import BY_VELOCITY, SuppressedEvent
from leadvibe.scoring import policies, queries
from leadvibe.scoring.condition_words import OPERATOR_LABELS, spell
from leadvibe.scoring.types import ConfigItem, ItemKind
from leadvibe.web.facts import list_facts
from leadvibe.web.forms.filters import split_window
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.live_changes import done, live_note
from leadvibe.web.pages.display import Moment, counted, thousands
from leadvibe.web.pages.filters import FilterRow, FiltersPage, SuppressedPage, SuppressedRow
from leadvibe.web.rendering import render
from leadvibe.web.scoring_tabs import FILTERS, scoring_tabs
from leadvibe.web.trigger_words import WITHOUT_VALUE

SCORING = "/app/scoring"
FRAGMENTS = {"filters": "filters/_filters.html"}
LATELY = timedelta(days=30)
MOST_SHOWN = 100
REASONS = {
    Suppression.METADATA.value: "Matched a filter by property",
    Suppression.RATE.value: "Came too fast",
    Suppression.GROUPED.value: "Part of a burst",
}

pages = Blueprint("filters", __name__)


@pages.get("/scoring/filters")
def show_filters() -> AnyResponse:
    principal = require(Permission.READ)
    scope, since = principal.scope, utc_now() - LATELY
    counts = suppression.count_lately(scope, since=since)
    metadata = queries.list_items(scope, ItemKind.METADATA_FILTER)
    met = count_suppressed(scope, [metadata_filter(it) for it in metadata], since=since)
    page = FiltersPage(
        tabs=scoring_tabs(FILTERS),
        velocity=tuple(
            _velocity_row(it, counts) for it in queries.list_items(scope, ItemKind.VELOCITY_FILTER)
        ),
        metadata=tuple(_metadata_row(it, met[it.item_id]) for it in metadata),
        total=thousands(sum(counts.values())),
        new_velocity_url=f"{FILTERS}/velocity/new",
        new_metadata_url=f"{FILTERS}/metadata/new",
        live=live_note(scope),
        can_edit=can(principal, Permission.CONFIGURE),
    )
    return render("filters/page.html", page=page, section=SCORING, fragments=FRAGMENTS)


@pages.post("/scoring/filters/metadata/<uuid:filter_id>/active")
def switch(filter_id: UUID) -> AnyResponse:
    principal, wanted = require(Permission.CONFIGURE), request.form.get("active")
    if wanted not in {"0", "1"}:
        raise InvalidError("Nothing to change was sent: reload the page and try again.")
    changes = {"enabled": wanted == "1"}
    scope = principal.scope
    policies.update_metadata_filter(principal, scope, filter_id, changes, now=utc_now())
    return done(scope, FILTERS)


@pages.get("/scoring/filters/velocity/<uuid:filter_id>/events")
def show_by_velocity(filter_id: UUID) -> AnyResponse:
    scope, since = require(Permission.READ).scope, utc_now() - LATELY
    item = queries.get_item(scope, ItemKind.VELOCITY_FILTER, filter_id)
    event_type = str(item.body["event_type"])
    found = suppression.list_by_velocity(scope, event_type, since=since, limit=MOST_SHOWN)
    return _show_suppressed(scope, found, f"{event_type}: too fast to count")


@pages.get("/scoring/filters/metadata/<uuid:filter_id>/events")
def show_by_metadata(filter_id: UUID) -> AnyResponse:
    scope, since = require(Permission.READ).scope, utc_now() - LATELY
    one = metadata_filter(queries.get_item(scope, ItemKind.METADATA_FILTER, filter_id))
    found = list_by_metadata(scope, one, since=since, limit=MOST_SHOWN)
    return _show_suppressed(scope, found, f"Taken out by “{one.name}”")


def _show_suppressed(scope: Scope, found: Sequence[SuppressedEvent], title: str) -> AnyResponse:
    names = list_names(scope, {it.lead_id for it in found if it.lead_id is not None})
    page = SuppressedPage(
        title=title,
        back_url=FILTERS,
        rows=tuple(_suppressed_row(it, names) for it in found),
        note=f"The latest {MOST_SHOWN} of the last {LATELY.days} days."
        if len(found) == MOST_SHOWN
        else f"{counted(len(found), 'event')} in the last {LATELY.days} days.",
    )
    return render("filters/suppressed.html", page=page, section=SCORING)


def _suppressed_row(it: SuppressedEvent, names: Mapping[str, str]) -> SuppressedRow:
    lead_id = it.lead_id or ""
    return SuppressedRow(
        event_type=it.event_type,
        at=Moment.of(it.occurred_at),
        reason=REASONS.get(it.reason, it.reason),
        lead_name=names.get(lead_id, lead_id),
        lead_url=f"{lead_path(lead_id)}?event={it.event_id}" if lead_id in names else "",
        facts=list_facts(it.metadata),
    )


def _velocity_row(item: ConfigItem, counts: Mapping[tuple[str, str], int]) -> FilterRow:
    one = velocity_filter(item)
    url = f"{FILTERS}/velocity/{item.item_id}"
    taken = sum(counts.get((one.event_type, reason), 0) for reason in BY_VELOCITY)
    words = say_velocity(one)
    return _row(item, url, name=one.event_type, words=words, taken=taken, is_active=one.enabled)


def _metadata_row(item: ConfigItem, taken: int) -> FilterRow:
    one = metadata_filter(item)
    url, words = f"{FILTERS}/metadata/{item.item_id}", say_metadata(one)
    return _row(item, url, name=one.name, words=words, taken=taken, is_active=one.enabled)


def _row(
    item: ConfigItem, url: str, *, name: str, words: str, taken: int, is_active: bool = True
) -> FilterRow:
    return FilterRow(
        id=str(item.item_id),
        name=name,
        words=words,
        is_active=is_active,
        suppressed=thousands(taken),
        suppressed_url=f"{url}/events" if taken else "",
        changed_by=item.updated_by,
        changed_at=Moment.of(item.updated_at),
        url=url,
    )


def say_velocity(one: VelocityFilter) -> str:
    """Say what a velocity filter does with a burst."""
    window = say_window(one.time_window_ms)
    kept = "the first counts" if one.group_events else f"the first {one.count_threshold} count"
    if not one.group_events and one.count_threshold == 0:
        kept = "none counts"
    return f"Of more than {thousands(one.count_threshold)} within {window}, {kept}"


def say_window(window_ms: int) -> str:
    number, unit = split_window(window_ms)
    return counted(number, unit.removesuffix("s"))


def say_metadata(one: MetadataFilter) -> str:
    """Say which events a metadata filter takes out."""
    tests = " and ".join(say_test(test) for test in one.conditions)
    return f"{one.event_type or 'Any event'} where {tests}"


def say_test(test: FieldTest) -> str:
    operator = parse_operator(test.operator)
    words = f"{test.key} {OPERATOR_LABELS[operator]}"
    return words if operator in WITHOUT_VALUE else f"{words} {spell(test.value)}"


def velocity_filter(item: ConfigItem) -> VelocityFilter:
    return VelocityFilter(filter_id=item.item_id, **item.body)


def metadata_filter(item: ConfigItem) -> MetadataFilter:
    conditions = tuple(FieldTest(**test) for test in item.body["conditions"])
    return MetadataFilter(filter_id=item.item_id, **{**item.body, "conditions": conditions})
