"""Search or go to: one list of what a few letters may mean, as a page and in the palette.

The palette asks for the same list as a fragment; without scripts its button leads to the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import Blueprint
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.accounts import AccountFilter, AccountSort, search_accounts
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.types import LeadFilter, Sort
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring import queries as scoring
from leadvibe.segments.queries import list_segments
from leadvibe.triggers.queries import list_triggers
from leadvibe.web.account_paths import ACCOUNTS, account_path
from leadvibe.web.lead_paths import LEADS, lead_path
from leadvibe.web.pages.display import counted, query_url
from leadvibe.web.pages.search import Hit, HitGroup, SearchPage
from leadvibe.web.rendering import render, wanted_fragment
from leadvibe.web.scoring_paths import SCORING
from leadvibe.web.search_places import choose, list_actions, list_pages
from leadvibe.web.segment_paths import segment_path
from leadvibe.web.trigger_paths import trigger_path

PALETTE = "palette-list"
FRAGMENTS = {PALETTE: "search/_palette.html"}
LONGEST_QUERY = 100
SHORTEST_QUERY = 2
"""One letter would find half of all leads: only pages and actions are looked for by it."""

pages = Blueprint("search", __name__)


class _Most(NamedTuple):
    """How many of a kind are shown."""

    found: int
    places: int


ON_PAGE, IN_PALETTE, IN_EMPTY_PALETTE = _Most(20, 100), _Most(5, 5), _Most(0, 8)


@pages.get("/search")
def show_search() -> AnyResponse:
    principal = require_member()
    query = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
    most = ON_PAGE
    if wanted_fragment() == PALETTE:
        most = IN_PALETTE if query else IN_EMPTY_PALETTE
    page = SearchPage(query=query, groups=tuple(_find(principal, query, most)))
    return render("search/page.html", page=page, fragments=FRAGMENTS)


def _find(principal: Principal, query: str, most: _Most) -> Iterator[HitGroup]:
    """Yield the groups that have something: what is near comes before what is many."""
    yield from _group("Go to", choose(list_pages(principal), query)[: most.places])
    if len(query) >= SHORTEST_QUERY and can(principal, Permission.READ):
        yield from _find_things(principal.scope, query, most.found)
    yield from _group("Do", choose(list_actions(principal), query)[: most.places])


def _find_things(scope: Scope, query: str, most: int) -> Iterator[HitGroup]:
    yield from _group("Leads", _leads(scope, query, most))
    if scoring.get_settings(scope).abm_enabled:
        yield from _group("Accounts", _accounts(scope, query, most))
    yield from _group("Segments", list(_segments(scope, query))[:most])
    yield from _group("Triggers", list(_triggers(scope, query))[:most])
    yield from _group("Rulesets", list(_rulesets(scope, query))[:most])


def _group(label: str, hits: Iterable[Hit]) -> Iterator[HitGroup]:
    shown = tuple(hits)
    if shown:
        yield HitGroup(label=label, hits=shown)


def _leads(scope: Scope, query: str, most: int) -> Iterator[Hit]:
    """Yield the leads with the highest scores, and the way to the others."""
    wanted = LeadFilter(search=query)
    found = search_leads(scope, wanted, Sort(), PageRequest(1, most + 1), count_cap=most + 1)
    for lead in found.items[:most]:
        points = counted(lead.score, "point")
        detail = f"{points} · {lead.detail}" if lead.detail else points
        yield Hit(label=lead.name, detail=detail, icon="user", url=lead_path(lead.lead_id))
    if len(found.items) > most:
        yield _all("leads", LEADS, query)


def _accounts(scope: Scope, query: str, most: int) -> Iterator[Hit]:
    wanted, request_ = AccountFilter(search=query), PageRequest(1, most + 1)
    found = search_accounts(scope, wanted, AccountSort(), request_).items
    for account in found[:most]:
        yield Hit(
            label=account.name,
            detail=account.account_id if account.account_id != account.name else "",
            icon="building",
            url=account_path(account.account_id),
        )
    if len(found) > most:
        yield _all("accounts", ACCOUNTS, query)


def _all(noun: str, url: str, query: str) -> Hit:
    label = f"All {noun} with “{query}”"
    return Hit(label=label, icon="search", url=query_url(url, {"q": query}))


def _segments(scope: Scope, query: str) -> Iterator[Hit]:
    for it in list_segments(scope):
        if _has(it.name, query):
            url = segment_path(it.segment_id)
            yield Hit(label=it.name, detail=_state(it.active), icon="list-filter", url=url)


def _triggers(scope: Scope, query: str) -> Iterator[Hit]:
    for it in list_triggers(scope):
        if _has(it.name, query):
            detail = f"{it.kind.capitalize()}{'' if it.active else ', paused'}"
            url = trigger_path(it.kind, it.trigger_id)
            yield Hit(label=it.name, detail=detail, icon="zap", url=url)


def _rulesets(scope: Scope, query: str) -> Iterator[Hit]:
    for it in scoring.list_rulesets(scope):
        if _has(it.name, query):
            url = f"{SCORING}#ruleset-{it.ruleset_id}"
            yield Hit(label=it.name, detail=_state(it.active), icon="layers", url=url)


def _has(name: str, query: str) -> bool:
    return query.casefold() in name.casefold()


def _state(is_active: bool) -> str:  # noqa: FBT001 - the only thing there is to say
    return "" if is_active else "Paused"
