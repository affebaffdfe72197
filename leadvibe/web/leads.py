"""The leads list: searched, filtered, sorted and paged by its address alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, redirect, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.imports.queries import find_sample
from leadvibe.leadlist.export import write_leads
from leadvibe.leadlist.facts import FactReader, offered_columns
from leadvibe.leadlist.queries import has_leads, search_leads
from leadvibe.leadlist.types import LeadLine
from leadvibe.leadviews.queries import get_look
from leadvibe.leadviews.types import DEFAULT_COLUMNS, Column, LeadLook
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import read_by_statements
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.paging import Page
from leadvibe.scoring import queries as scoring
from leadvibe.segments.errors import SegmentNotFoundError
from leadvibe.web import lead_filters, recorded_filter
from leadvibe.web.bulk_strip import build_strip
from leadvibe.web.import_cards import SAMPLE_ID
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.lead_peek import build_peek
from leadvibe.web.lead_query import LeadQuery, read_lead_query
from leadvibe.web.lead_rows import build_pager, build_rows, build_sort_headers
from leadvibe.web.lead_views import build_view_bar, find_current
from leadvibe.web.pages.bulk import BulkStrip
from leadvibe.web.pages.leads import LeadList, RecordedColumn
from leadvibe.web.redirects import CREDENTIALS, IMPORTS, SAMPLE
from leadvibe.web.rendering import render, wanted_fragment

LIST, PANEL, COLUMNS, PEEK = "lead-list", "lead-panel", "lead-columns", "lead-peek"
STRIP = "bulk-strip"
BULK_DONE = "bulk-done"
"""What the page is told when an action that it followed has come to its end."""
FRAGMENTS = {
    LIST: "leads/_list.html",
    PANEL: "leads/_panel.html",
    COLUMNS: "leads/_columns.html",
    PEEK: "leads/_peek.html",
    STRIP: "leads/_strip.html",
}
LIST_FRAGMENTS = {name: it for name, it in FRAGMENTS.items() if name != STRIP}
COUNT_CAP = 1_000
"""Where counting stops: beyond, it would cost more than everything else on the page."""
EXPORT = f"{LEADS}/export"
NO_SUCH_SEGMENT = "There is no such segment any more: remove that filter."

pages = Blueprint("leads", __name__)


@pages.get("/leads")
def show_leads() -> AnyResponse:
    read_by_statements()
    principal = require(Permission.READ)
    scope = principal.scope
    config = scoring.get_config(scope, scoring.current_version(scope))
    wanted = read_query(principal, config)
    look = get_look(principal)
    if wanted_fragment() in {PANEL, COLUMNS, PEEK, STRIP}:
        return _answer(principal, config, wanted, look, None)
    wanted, found = _find(scope, wanted)
    if found is not None and not found.items and wanted.request.page > 1:
        return redirect(wanted.url(page=str(_last_page(found))))
    return _answer(principal, config, wanted, look, found)


@pages.get("/leads/export")
def export() -> AnyResponse:
    """Stream the list that the address names as CSV, with the columns that it shows."""
    principal = require(Permission.READ)
    scope = principal.scope
    config = scoring.get_config(scope, scoring.current_version(scope))
    wanted = read_query(principal, config)
    if wanted.error:
        raise InvalidError(wanted.error)
    columns = shown_columns(wanted, get_look(principal))
    pieces = write_leads(scope, config, columns, wanted.lead_filter, wanted.sort)
    return csv_file(pieces)


def csv_file(pieces: Iterator[str]) -> Response:
    """Answer with a file of leads that is read as it is sent."""
    response = Response(stream_with_context(pieces), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="leads.csv")
    return response


def read_query(
    principal: Principal, config: Config, arguments: Mapping[str, str] | None = None
) -> LeadQuery:
    """Read the list that the request's address, or some other, names."""
    return read_lead_query(
        request.args if arguments is None else arguments,
        config.levels_of(LevelKind.ENGAGEMENT),
        profile_levels=config.levels_of(LevelKind.PROFILE),
        member_id=principal.member_id,
        now=utc_now(),
    )


def _find(scope: Scope, wanted: LeadQuery) -> tuple[LeadQuery, Page[LeadLine] | None]:
    if wanted.error:
        return wanted, None
    try:
        return wanted, search_leads(
            scope, wanted.lead_filter, wanted.sort, wanted.request, count_cap=COUNT_CAP
        )
    except SegmentNotFoundError:
        return wanted.refused(NO_SUCH_SEGMENT), None


def _last_page(found: Page[LeadLine]) -> int:
    return max(1, -(-found.total.count // found.request.size))


def shown_columns(wanted: LeadQuery, look: LeadLook) -> tuple[Column, ...]:
    """Return the columns: of the address, else of the view, else the member's, else the usual."""
    view = find_current(wanted, look)
    return wanted.columns or (view.columns if view else ()) or look.columns or DEFAULT_COLUMNS


def _answer(
    principal: Principal,
    config: Config,
    wanted: LeadQuery,
    look: LeadLook,
    found: Page[LeadLine] | None,
) -> AnyResponse:
    scope, lines = principal.scope, found.items if found else []
    has_any = bool(lines) or found is None or has_leads(scope)
    reader = FactReader(scope, config, shown_columns(wanted, look))
    pager, strip = build_pager(wanted, found), _strip(principal, wanted)
    empty_title, empty_text = lead_filters.say_empty(wanted)
    page = LeadList(
        rows=build_rows(scope, config, wanted, lines, reader),
        filters=lead_filters.build_filters(wanted, config),
        sort=build_sort_headers(wanted),
        pager=pager,
        views=build_view_bar(principal, config, wanted, look),
        panel=(
            lead_filters.build_panel(scope, config, wanted)
            if _is_open(PANEL, "filters")
            else lead_filters.closed_panel(wanted)
        ),
        columns=(
            lead_filters.build_columns(config, wanted, reader.columns)
            if _is_open(COLUMNS, "columns")
            else lead_filters.closed_columns(wanted)
        ),
        shows=frozenset(column.value for column in reader.columns),
        chips=lead_filters.build_chips(scope, wanted),
        clear_url=wanted.clear_url(),
        has_leads=has_any,
        has_usual_columns=reader.columns == offered_columns(config) & frozenset(DEFAULT_COLUMNS),
        ruleset_columns=tuple(ruleset.name for ruleset in reader.rulesets),
        recorded_columns=tuple(
            RecordedColumn(recorded_filter.LABELS[it], is_number=it is Column.VALUE)
            for it in reader.recorded
        ),
        matching=pager.label.rpartition(" ")[2],
        has_more=bool(pager.previous_url or pager.next_url),
        query=wanted.query,
        export_url=wanted.export_url(EXPORT),
        strip=strip,
        peek=None if wanted_fragment() == LIST else build_peek(principal, config, wanted),
        peek_kept=lead_filters.kept_beside(wanted),
        empty_title=empty_title,
        empty_text=empty_text,
        can_write=can(principal, Permission.WRITE_DATA),
        can_configure=can(principal, Permission.CONFIGURE),
        in_segment=wanted.lead_filter.segment_id is not None,
        import_url=IMPORTS if can(principal, Permission.WRITE_DATA) else "",
        credentials_url=CREDENTIALS if can(principal, Permission.OWN) else "",
        sample_url=SAMPLE if can(principal, Permission.OWN) else "",
        sample_progress_url="" if has_any else _sample_progress_url(scope),
    )
    status = 422 if wanted.error else 200
    fragments = FRAGMENTS if strip else LIST_FRAGMENTS
    response = render(
        "leads/page.html", page=page, section=LEADS, fragments=fragments, status=status
    )
    if strip and not strip.is_running and wanted_fragment() == STRIP:
        response.headers["HX-Trigger"] = BULK_DONE
    return response


def _strip(principal: Principal, wanted: LeadQuery) -> BulkStrip | None:
    action_id = request.args.get("action")
    return build_strip(principal, wanted, action_id) if action_id else None


def _is_open(fragment: str, panel: str) -> bool:
    return wanted_fragment() == fragment or request.args.get("panel") == panel


def _sample_progress_url(scope: Scope) -> str:
    """Return where sample data is watched that is on its way; empty when there is none."""
    sample = find_sample(scope)
    return f"{IMPORTS}#{SAMPLE_ID}" if sample and not sample.is_complete else ""
