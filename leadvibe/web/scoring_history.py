"""Every state that the rules have been in: who changed what and when, side by side, and back."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Config
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring import drafts, queries, versions
from leadvibe.scoring.changes import Change, changes_between
from leadvibe.scoring.types import ConfigVersion
from leadvibe.web.authors import author
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.pages.display import (
    Choice,
    Moment,
    Pager,
    Tone,
    counted,
    pager_label,
    query_url,
)
from leadvibe.web.pages.scoring import HistoryPage, VersionPage, VersionRow
from leadvibe.web.rendering import render
from leadvibe.web.scoring_bar import group_changes
from leadvibe.web.scoring_paths import HISTORY, SCORING, draft_path, version_path
from leadvibe.web.scoring_tabs import scoring_tabs

LIST = "version-list"
PAGE_SIZE = 25
OFFERED = 100
"""Versions to compare with: older ones are reached by their address."""

pages = Blueprint("scoring-history", __name__, url_prefix="/scoring/history")


@pages.get("")
def show_history() -> AnyResponse:
    scope = require(Permission.READ).scope
    wanted = PageRequest(min(_number(request.args.get("page", "1"), 1), LAST_PAGE), PAGE_SIZE)
    found, current = versions.search_versions(scope, wanted), queries.current_version(scope)
    page = HistoryPage(
        tabs=scoring_tabs(HISTORY),
        versions=tuple(_row(version, current) for version in found.items),
        pager=_pager(wanted, len(found.items), found.total.count),
    )
    return render(
        "scoring/history.html",
        page=page,
        section=SCORING,
        fragments={LIST: "scoring/_versions.html"},
    )


@pages.get("/<int:number>")
def show_version(number: int) -> AnyResponse:
    principal = require(Permission.READ)
    scope = principal.scope
    version, current = versions.get_version(scope, number), queries.current_version(scope)
    other = _number(request.args.get("with", ""), number - 1)
    low, high = sorted((other, number))
    changes = versions.compare_versions(scope, low, high) if low else _from_nothing(scope, high)
    is_current = number == current
    page = VersionPage(
        version=_row(version, current),
        other=str(other),
        title=f"What version {number} changed"
        if other == number - 1
        else f"From version {low} to version {high}",
        groups=group_changes(changes),
        views=_views(number, other, current),
        numbers=_numbers(scope, number, other),
        can_restore=can(principal, Permission.CONFIGURE) and not is_current,
        restore_url=f"{version_path(number)}/restore",
        draft_url=f"{version_path(number)}/draft",
    )
    return render("scoring/version.html", page=page, section=SCORING)


@pages.post("/<int:number>/restore")
def restore(number: int) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    applied = versions.restore_version(principal, principal.scope, number, now=utc_now())
    told = counted(len(applied.sentences), "change")
    flash(
        f"The rules are as in version {number} again, as version {applied.version}: {told}."
        if applied.sentences
        else f"The rules were as in version {number} already, so nothing has changed.",
        Tone.OK,
    )
    return redirect(SCORING, 303)


@pages.post("/<int:number>/draft")
def draft(number: int) -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    config = versions.get_version_config(principal.scope, number)
    try:
        made = _draft_of(principal, config, f"Back to version {number}")
    except (ConflictError, InvalidError) as error:
        flash(error.message, Tone.BAD)
        return redirect(version_path(number), 303)
    return redirect(draft_path(made, "/changes"), 303)


def _draft_of(principal: Principal, config: Config, wanted: str) -> UUID:
    scope = principal.scope
    name = drafts.free_name(scope, wanted)
    made = drafts.create_draft(principal, scope, name, change=lambda _: config, now=utc_now())
    return made.draft_id


def _number(text: str, otherwise: int) -> int:
    """Read a number from the address; anything that is none, or not above 0, is the other one."""
    is_number = text.isdecimal() and len(text) <= len(str(LAST_PAGE)) + 2
    return int(text) if is_number and int(text) > 0 else otherwise


def _from_nothing(scope: Scope, number: int) -> list[Change]:
    before = queries.get_config(scope, 0)
    return changes_between(before, versions.get_version_config(scope, number))


def _row(version: ConfigVersion, current: int) -> VersionRow:
    return VersionRow(
        number=str(version.version),
        summary=version.summary,
        by=author(version.created_by),
        at=Moment.of(version.created_at),
        url=version_path(version.version),
        is_current=version.version == current,
    )


def _views(number: int, other: int, current: int) -> tuple[Choice, ...]:
    url = version_path(number)
    views = [("What it changed", number - 1, url)]
    if number != current:
        views.append(("Against what is live", current, f"{url}?with={current}"))
    return tuple(
        Choice(label, str(with_), with_ == other, url=address) for label, with_, address in views
    )


def _numbers(scope: Scope, number: int, other: int) -> tuple[Choice, ...]:
    found = versions.search_versions(scope, PageRequest(1, OFFERED)).items
    return tuple(
        Choice(f"Version {it.version}: {it.summary}", str(it.version), it.version == other)
        for it in found
        if it.version != number
    )


def _pager(wanted: PageRequest, shown: int, total: int) -> Pager | None:
    if total <= PAGE_SIZE:
        return None
    page, last = wanted.page, wanted.offset + shown

    def url(number: int) -> str:
        return query_url(HISTORY, {"page": str(number) if number > 1 else ""})

    return Pager(
        label=pager_label(wanted.offset + 1, last, total) if shown else pager_label(0, 0, 0),
        previous_url=url(page - 1) if page > 1 else None,
        next_url=url(page + 1) if last < total else None,
    )
