"""The one list of accounts: searched, filtered, sorted and paged, and what one account looks like.

All that can be filtered or sorted stands in the account's row, each order with an index. Accounts
without leads do not appear. Whether one surges is looked up for those that are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.events.queries import TimelinePosition
from leadvibe.identity.types import Scope
from leadvibe.leadlist.types import ScoreRange
from leadvibe.leads.accounts import ACCOUNT_COLUMNS, Account
from leadvibe.leads.queries import like_pattern
from leadvibe.lib.db import driver
from leadvibe.lib.paging import Page, PageRequest, Total

RARE = 1_000
"""A search that finds no more accounts than this reads them all; a common one walks the list."""

GRAM_LENGTH = 3
PLAIN_PERCENT = 100


class AccountSortKey(StrEnum):
    SCORE = "score"
    """What the account itself is worth."""
    ENGAGEMENT = "engagement"
    """The highest score of its leads."""
    LAST_ACTIVITY = "last_activity"
    CREATED = "created"
    NAME = "name"


class AccountSort(NamedTuple):
    key: AccountSortKey = AccountSortKey.ENGAGEMENT
    is_descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Conditions that all hold; None or empty leaves one out.

    `engagement` is about the highest score of the leads, `score` and `score_ranges` about the
    account's own; ranges are alternatives.
    """

    search: str = ""
    engagement: ScoreRange | None = None
    score: ScoreRange | None = None
    score_ranges: tuple[ScoreRange, ...] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    active_since: datetime | None = None
    surged_since: datetime | None = None
    owner: str = ""
    """Name of who owns the lead with the highest score."""
    has_leads: bool = True


class AccountLead(NamedTuple):
    """A lead as its account shows it."""

    lead_id: str
    name: str
    detail: str | None
    score: int
    owner_name: str | None
    last_event_at: datetime | None


class AccountEvent(NamedTuple):
    """Something that a lead of an account did."""

    event_id: UUID
    lead_id: str
    event_type: str
    occurred_at: datetime
    channel: str
    receipt: int
    lead_name: str


_COLUMNS = {
    AccountSortKey.SCORE: "a.score",
    AccountSortKey.ENGAGEMENT: "a.top_score",
    AccountSortKey.LAST_ACTIVITY: "a.last_event_at",
    AccountSortKey.CREATED: "a.created_at",
    AccountSortKey.NAME: "a.name",
}

_SURGING = """
    EXISTS (
        SELECT FROM leads l
        WHERE l.unit_id = a.unit_id AND l.account_id = a.account_id AND l.merged_into IS NULL
          AND l.last_event_at >= %(surged_since)s AND (EXISTS (
            SELECT FROM score_entries e
            WHERE e.unit_id = l.unit_id AND e.lead_id = l.lead_id
              AND e.occurred_at >= %(surged_since)s AND e.multiplier_percent > %(plain)s
        ) OR EXISTS (
            SELECT FROM emitted_events s
            WHERE s.unit_id = l.unit_id AND s.lead_id = l.lead_id AND s.kind = 'surge'
              AND s.occurred_at >= %(surged_since)s
        ))
    )
"""


def search_accounts(
    scope: Scope, wanted: AccountFilter, sort: AccountSort, request: PageRequest
) -> Page[Account]:
    """Return one page of accounts that have leads, with the total."""
    where, values = _where(scope, wanted)
    statement = f"""
        SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE {where}
        ORDER BY {_order(sort)} LIMIT %(limit)s OFFSET %(offset)s
    """  # noqa: S608 - pieces of ours
    bound = {**values, "limit": request.size, "offset": request.offset}
    items = [Account(*row) for row in driver().execute(statement, bound)]
    return Page(items, _total(where, values, request, len(items)), request)


def find_surging(scope: Scope, account_ids: Collection[str], *, since: datetime) -> set[str]:
    """Return which of the accounts have a lead whose points were multiplied since then."""
    statement = f"""
        SELECT a.account_id FROM accounts a
        WHERE a.unit_id = %(unit)s AND a.account_id = ANY(%(ids)s) AND {_SURGING}
    """  # noqa: S608 - pieces of ours
    bound = {
        "unit": scope.unit_id,
        "ids": list(account_ids),
        "surged_since": since,
        "plain": PLAIN_PERCENT,
    }
    return {account_id for (account_id,) in driver().execute(statement, bound)}


def stream_accounts(scope: Scope, wanted: AccountFilter, sort: AccountSort) -> Iterator[Account]:
    """Yield all accounts that match, in order, without holding them in memory."""
    where, values = _where(scope, wanted)
    statement = f"""
        SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE {where} ORDER BY {_order(sort)}
    """  # noqa: S608 - pieces of ours
    with driver().cursor(name="accounts") as cursor:
        cursor.itersize = 1_000
        yield from (Account(*row) for row in cursor.execute(statement, values))


def list_account_leads(
    scope: Scope, account_id: str, *, limit: int, offset: int = 0
) -> list[AccountLead]:
    """Return leads of an account, the highest score first."""
    statement = """
        SELECT lead_id, name, detail, score,
            CASE WHEN owner_name IS NULL OR lead_id <> ALL(ARRAY(
                SELECT lead_id FROM lead_records
                WHERE unit_id = %(unit)s AND is_listed AND claimed_until <= now()
            )) THEN owner_name END,
            last_event_at
        FROM leads
        WHERE unit_id = %(unit)s AND account_id = %(account)s AND merged_into IS NULL
        ORDER BY score DESC, lead_id LIMIT %(limit)s OFFSET %(offset)s
    """
    bound = {"unit": scope.unit_id, "account": account_id, "limit": limit, "offset": offset}
    rows = driver().execute(statement, bound)
    return [AccountLead(*row) for row in rows]


def list_account_events(
    scope: Scope, account_id: str, *, limit: int, before: TimelinePosition | None = None
) -> list[AccountEvent]:
    """Return events of an account's leads, newest first, from before a position on.

    Suppressed ones do not count. The latest are all among those of the leads that were active last.
    """
    earlier = "AND (occurred_at, receipt, event_id) < (%(at)s, %(receipt)s, %(event)s)"
    statement = f"""
        SELECT e.event_id, active.lead_id, e.event_type, e.occurred_at, e.channel, e.receipt,
               active.name
        FROM (
            SELECT lead_id, name FROM leads
            WHERE unit_id = %(unit)s AND account_id = %(account)s AND merged_into IS NULL
            ORDER BY last_event_at DESC NULLS LAST LIMIT %(leads)s
        ) AS active CROSS JOIN LATERAL (
            SELECT event_id, event_type, occurred_at, channel, receipt FROM events
            WHERE unit_id = %(unit)s AND lead_id = active.lead_id AND suppression_reason IS NULL
              {earlier if before else ""}
            ORDER BY occurred_at DESC, receipt DESC, event_id DESC LIMIT %(limit)s
        ) AS e
        ORDER BY e.occurred_at DESC, e.receipt DESC, e.event_id DESC LIMIT %(limit)s
    """  # noqa: S608 - pieces of ours
    bound: dict[str, Any] = {
        "unit": scope.unit_id,
        "account": account_id,
        "limit": limit,
        "leads": limit if before is None else None,
    }
    if before is not None:
        bound |= {"at": before.occurred_at, "receipt": before.receipt, "event": before.event_id}
    return [AccountEvent(*row) for row in driver().execute(statement, bound)]


def _where(scope: Scope, wanted: AccountFilter) -> tuple[str, dict[str, Any]]:
    number = "a.leads_count > 0" if wanted.has_leads else "a.leads_count = 0"
    pieces = ["a.unit_id = %(unit)s", number]
    values: dict[str, Any] = {"unit": scope.unit_id}
    for column, bounds in (("a.top_score", wanted.engagement), ("a.score", wanted.score)):
        if bounds is not None:
            pieces.append(_within(column, bounds, values))
    if wanted.score_ranges is not None:
        ranges = [_within("a.score", bounds, values) for bounds in wanted.score_ranges]
        pieces.append(f"({' OR '.join(ranges) or 'false'})")
    for column, comparison, value in (
        ("a.created_at", ">=", wanted.created_from),
        ("a.created_at", "<", wanted.created_before),
        ("a.last_event_at", ">=", wanted.active_since),
    ):
        if value is not None:
            pieces.append(f"{column} {comparison} {_bind(value, values)}")
    if wanted.owner:
        pieces.append(f"a.owner_name = {_bind(wanted.owner, values)}")
    if wanted.surged_since is not None:
        values |= {"surged_since": wanted.surged_since, "plain": PLAIN_PERCENT}
        pieces.append(_SURGING)
    if text := wanted.search.strip():
        pieces.append(_searched(text, values))
    return " AND ".join(pieces), values


def _searched(text: str, values: dict[str, Any]) -> str:
    """Say how accounts are found: a rare text by its trigrams, any other one by one."""
    pattern = like_pattern(text)
    if len(text) >= GRAM_LENGTH:
        statement = """
            SELECT account_id FROM account_search
            WHERE unit_id = %s AND grams @> search_grams(%s, %s) AND text LIKE lower(%s) LIMIT %s
        """
        unit = values["unit"]
        rows = driver().execute(statement, (unit, unit, text, pattern, RARE + 1)).fetchall()
        if len(rows) <= RARE:
            return f"a.account_id = ANY({_bind([row[0] for row in rows], values)})"
    called = "lower(a.name || E'\\n' || a.account_id)"
    return f"{called} LIKE lower({_bind(pattern, values)})"


def _within(column: str, bounds: ScoreRange, values: dict[str, Any]) -> str:
    pieces = [
        f"{column} {comparison} {_bind(bound, values)}"
        for comparison, bound in ((">=", bounds.low), ("<=", bounds.high))
        if bound is not None
    ]
    return f"({' AND '.join(pieces) or 'true'})"


def _bind(value: object, values: dict[str, Any]) -> str:
    name = f"value_{len(values)}"
    values[name] = value
    return f"%({name})s"


def _order(sort: AccountSort) -> str:
    # Each index is read forwards or backwards, so ties follow the direction of the sort.
    index_descends = sort.key is not AccountSortKey.NAME
    direction = "DESC" if sort.is_descending else "ASC"
    nulls = ""
    if sort.key is AccountSortKey.LAST_ACTIVITY:
        nulls = "NULLS LAST" if sort.is_descending else "NULLS FIRST"
    ties = "ASC" if sort.is_descending == index_descends else "DESC"
    return f"{_COLUMNS[sort.key]} {direction} {nulls}, a.account_id {ties}"


def _total(where: str, values: dict[str, Any], request: PageRequest, shown: int) -> Total:
    if 0 < shown < request.size or (shown == 0 and request.offset == 0):
        return Total(request.offset + shown)  # the last page says it without counting
    statement = f"SELECT count(*) FROM accounts a WHERE {where}"  # noqa: S608 - pieces of ours
    row: Sequence[int] | None = driver().execute(statement, values).fetchone()
    assert row is not None
    return Total(row[0])
