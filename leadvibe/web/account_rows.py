"""What the two lists of the accounts page show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Level as ScoreLevel
from leadvibe.engine.rules import LevelKind
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.account_activity import list_owners
from leadvibe.leadlist.accounts import AccountSortKey, find_surging, search_accounts
from leadvibe.leadlist.queries import search_leads
from leadvibe.leadlist.types import LeadFilter, LeadLine, Sort
from leadvibe.leads.accounts import Account
from leadvibe.lib.paging import Page
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.profiles import LINKS, next_rescore
from leadvibe.web.account_paths import ACCOUNTS, account_path
from leadvibe.web.account_query import (
    FILTERS,
    MORE_FILTERS,
    SURGE_LASTS,
    UNRESOLVED,
    WITHOUT,
    AccountQuery,
)
from leadvibe.web.account_segments import segment_choices
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_query import SIZES, UNCLASSIFIED_VALUE
from leadvibe.web.lead_rows import detail_parts
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.accounts import AccountFilters, AccountList, AccountRow, UnresolvedRow
from leadvibe.web.pages.display import Choice, Moment, Pager, pager_label, thousands
from leadvibe.web.pages.leads import Chip, SortHeader

COUNT_CAP = 1_000
MOST_OWNERS = 100
CHIP_LABELS = {
    "level": "Level",
    "min_score": "Score at least",
    "owner": "Owner",
    "from": "Created from",
    "to": "Created until",
    "leads": "People",
    "surging": "Surging",
}
CHIP_VALUES = {("leads", WITHOUT): "nobody", ("surging", "1"): "in 24 hours"}
SORTS = (
    ("", "Most engaged"),
    ("-score", "Highest score"),
    ("score", "Lowest score"),
    ("-last_activity", "Last active"),
    ("-created", "Newest"),
    ("name", "Name, A to Z"),
)
HEADERS = (
    ("Account", AccountSortKey.NAME),
    ("Score", AccountSortKey.SCORE),
    ("Engagement", AccountSortKey.ENGAGEMENT),
    ("Last active", AccountSortKey.LAST_ACTIVITY),
)

Built = tuple[AccountList, int | None]
"""The page, and the number of the last one there is; None when that is not known."""


def build_list(principal: Principal, wanted: AccountQuery, *, now: datetime) -> Built:
    """Return the page of accounts that is asked for."""
    scope = principal.scope
    levels = scoring.list_levels(scope, LevelKind.ACCOUNT)
    found = None
    if not wanted.error:
        found = search_accounts(scope, wanted.account_filter, wanted.sort, wanted.request)
    rows = found.items if found else []
    return AccountList(
        tabs=_tabs(wanted),
        filters=_filters(scope, wanted, levels),
        headers=tuple(_header(wanted, label, key) for label, key in HEADERS),
        rows=_rows(scope, rows, LevelCut(levels), now=now),
        pager=_pager(wanted, found, len(rows)),
        chips=_chips(wanted),
        clear_url=wanted.clear_url(),
        export_url=wanted.url(format="csv"),
        here=wanted.here(),
        is_filtered=wanted.is_filtered,
        is_sorting=not rows and _is_sorting(scope),
        can_edit=can(principal, Permission.WRITE_DATA),
        segments=segment_choices(scope) if can(principal, Permission.WRITE_DATA) else (),
        has_new_segment=can(principal, Permission.CONFIGURE),
        post_url=ACCOUNTS,
        options_url=ACCOUNTS,
    ), last_page(found) if found else None


def _is_sorting(scope: Scope) -> bool:
    """Say whether a worker has yet to put leads into accounts: it does so before all else."""
    under_way = next_rescore(scope)
    return under_way is not None and under_way.kind == LINKS


def build_unresolved(principal: Principal, wanted: AccountQuery, *, now: datetime) -> Built:  # noqa: ARG001
    """Return the page of leads without an account that is asked for."""
    scope, found = principal.scope, None
    if not wanted.error:
        narrowed = LeadFilter(search=wanted.account_filter.search, is_unresolved=True)
        found = search_leads(scope, narrowed, Sort(), wanted.request, count_cap=COUNT_CAP)
    rows = found.items if found else []
    cut = LevelCut(scoring.list_levels(scope))
    return AccountList(
        tabs=_tabs(wanted),
        is_unresolved=True,
        filters=AccountFilters(
            action_url=ACCOUNTS, q=wanted.params.get("q", ""), error=wanted.error
        ),
        unresolved=tuple(_unresolved(it, cut) for it in rows),
        pager=_pager(wanted, found, len(rows)),
        clear_url=wanted.clear_url(),
        here=wanted.here(),
        is_filtered=wanted.is_filtered,
        can_edit=can(principal, Permission.WRITE_DATA),
        post_url=ACCOUNTS,
        options_url=ACCOUNTS,
    ), last_page(found) if found and not found.total.is_capped else None


def last_page(found: Page[Account] | Page[LeadLine]) -> int:
    return max(1, -(-found.total.count // found.request.size))


def _tabs(wanted: AccountQuery) -> tuple[Choice, ...]:
    unresolved = f"{ACCOUNTS}?tab={UNRESOLVED}"
    return (
        Choice("All accounts", "", not wanted.is_unresolved, ACCOUNTS),
        Choice("Unresolved leads", UNRESOLVED, wanted.is_unresolved, unresolved),
    )


def _rows(
    scope: Scope, accounts: Sequence[Account], cut: LevelCut, *, now: datetime
) -> tuple[AccountRow, ...]:
    ids = [it.account_id for it in accounts]
    surging = find_surging(scope, ids, since=now - SURGE_LASTS) if ids else set()
    return tuple(
        AccountRow(
            id=it.account_id,
            url=account_path(it.account_id),
            name=it.name,
            domain=it.domain or "",
            level=badge_of(cut, it.score),
            score=thousands(it.score),
            engagement=thousands(it.top_score),
            leads=thousands(it.leads_count),
            sessions=thousands(it.session_count),
            owner=it.owner_name or "",
            last_at=Moment.of(it.last_event_at) if it.last_event_at else None,
            is_surging=it.account_id in surging,
        )
        for it in accounts
    )


def _unresolved(line: LeadLine, cut: LevelCut) -> UnresolvedRow:
    return UnresolvedRow(
        id=line.lead_id,
        url=lead_path(line.lead_id),
        name=line.name,
        detail=detail_parts(line.detail),
        level=badge_of(cut, line.score),
        score=thousands(line.score),
        last_at=Moment.of(line.last_event_at) if line.last_event_at else None,
    )


def _filters(scope: Scope, wanted: AccountQuery, levels: Sequence[ScoreLevel]) -> AccountFilters:
    params = wanted.params
    more = sum(name in params for name in MORE_FILTERS)
    names = [level.name for level in reversed(levels)]
    owners = list_owners(scope, limit=MOST_OWNERS)
    chosen = params.get("owner", "")
    if chosen and chosen not in owners:
        owners.append(chosen)
    return AccountFilters(
        action_url=ACCOUNTS,
        q=params.get("q", ""),
        levels=_choices(
            [
                ("", "Any level"),
                *((name, name) for name in names),
                (UNCLASSIFIED_VALUE, UNCLASSIFIED),
            ],
            params.get("level", ""),
        ),
        owners=_choices([("", "Any owner"), *((name, name) for name in owners)], chosen),
        sorts=_choices(SORTS, params.get("sort", "")),
        leads=_choices([("", "With people"), (WITHOUT, "Without people")], params.get("leads", "")),
        min_score=params.get("min_score", ""),
        first=params.get("from", ""),
        last=params.get("to", ""),
        is_surging="surging" in params,
        size=params.get("size", ""),
        error=wanted.error,
        more_count=str(more) if more else "",
    )


def _choices(options: Sequence[tuple[str, str]], selected: str) -> tuple[Choice, ...]:
    return tuple(Choice(label, value, value == selected) for value, label in options)


def _header(wanted: AccountQuery, label: str, key: AccountSortKey) -> SortHeader:
    if wanted.sort.key is not key:
        first = key.value if key is AccountSortKey.NAME else f"-{key}"
        return SortHeader(label=label, url=wanted.url(sort=first))
    is_descending = wanted.sort.is_descending
    turned = key.value if is_descending else f"-{key}"
    direction = "descending" if is_descending else "ascending"
    return SortHeader(label=label, url=wanted.url(sort=turned), direction=direction)


def _pager(wanted: AccountQuery, found: Page[Account] | Page[LeadLine] | None, shown: int) -> Pager:
    if found is None:
        return Pager(label="")
    page, offset, total = found.request.page, found.request.offset, found.total
    known = max(total.count, offset + shown)
    has_more = offset + shown < total.count or (total.is_capped and shown == found.request.size)
    return Pager(
        label=pager_label(offset + 1, offset + shown, known, capped=total.is_capped),
        previous_url=wanted.url(page=str(page - 1)) if page > 1 else None,
        next_url=wanted.url(page=str(page + 1)) if has_more else None,
        sizes=tuple(
            Choice(str(size), str(size), size == found.request.size, wanted.url(size=str(size)))
            for size in SIZES
        ),
    )


def _chips(wanted: AccountQuery) -> tuple[Chip, ...]:
    return tuple(
        Chip(
            label=CHIP_LABELS[name],
            value=CHIP_VALUES.get((name, wanted.params[name]), wanted.params[name]),
            remove_url=wanted.url(**{name: ""}),
        )
        for name in FILTERS
        if name in CHIP_LABELS and name in wanted.params
    )
