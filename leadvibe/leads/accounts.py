"""Accounts: the companies that leads belong to, and what their leads add up to.

An account is made by the first lead that is found to belong to it. What follows from its leads is
kept in its row and has to be refreshed whenever leads come, go or change their score. All writes
need the identities' lock. Does not decide who belongs where: engine.account does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic_core import from_json

from leadvibe.engine.account import registrable_domain
from leadvibe.engine.mapping import Document
from leadvibe.identity.types import Scope
from leadvibe.leads import documents
from leadvibe.leads.documents import written
from leadvibe.leads.errors import AccountNotFoundError
from leadvibe.lib.db import driver

NAME_PROPERTIES = ("name", "company", "company_name")
"""What of an account's metadata it is called by, the first that there is."""

FACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "industry": ("industry", "sector"),
        "employees": ("employees", "employee_count", "number_of_employees", "company_size"),
        "revenue": ("revenue", "annual_revenue"),
    }
)
"""What of an account's metadata is asked for first, by the properties that may hold it."""

LONGEST_NAME = 200
"""As of leads: lists are sorted by it, and what their index can hold is limited."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with what its leads add up to; `score` is the one of the primary ruleset."""

    account_id: str
    domain: str | None
    name: str
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    leads_count: int
    top_score: int
    top_lead_id: str | None
    owner_name: str | None
    session_count: int
    last_event_at: datetime | None
    score: int


class RollUp(NamedTuple):
    """What the leads of an account add up to."""

    leads_count: int
    top_score: int
    top_lead_id: str | None
    owner_name: str | None
    session_count: int
    last_event_at: datetime | None


ACCOUNT_COLUMNS = """
    a.account_id, a.domain, a.name, a.metadata, a.created_at, a.updated_at, a.leads_count,
    a.top_score, a.top_lead_id, a.owner_name, a.session_count, a.last_event_at, a.score
"""

_ROLL_UPS = """
    SELECT wanted.account_id, total.leads_count, coalesce(top.score, 0) AS top_score,
           top.lead_id AS top_lead_id, top.owner_name, total.session_count, total.last_event_at
    FROM unnest(%(ids)s::text[]) AS wanted (account_id)
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS leads_count, coalesce(sum(session_count), 0)::int AS session_count,
               max(last_event_at) AS last_event_at
        FROM leads
        WHERE unit_id = %(unit)s AND account_id = wanted.account_id AND merged_into IS NULL
    ) AS total
    LEFT JOIN LATERAL (
        SELECT lead_id, score, owner_name FROM leads
        WHERE unit_id = %(unit)s AND account_id = wanted.account_id AND merged_into IS NULL
        ORDER BY score DESC, lead_id LIMIT 1
    ) AS top ON true
"""


def find_fact(metadata: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return the first of these properties that there is, or None."""
    return next((metadata[key] for key in keys if metadata.get(key) not in (None, "")), None)


def find_account(scope: Scope, account_id: str) -> Account | None:
    """Return the account of this id, else of this domain, or None."""
    statement = f"""
        SELECT {ACCOUNT_COLUMNS} FROM accounts a
        WHERE a.unit_id = %(unit)s AND (a.account_id = %(id)s OR a.domain = lower(%(id)s))
        ORDER BY a.account_id = %(id)s DESC LIMIT 1
    """  # noqa: S608 - names of ours
    row = driver().execute(statement, {"unit": scope.unit_id, "id": account_id}).fetchone()
    return Account(*row) if row else None


def get_account(scope: Scope, account_id: str) -> Account:
    """Return the account of this id, else of this domain. Raises AccountNotFoundError."""
    found = find_account(scope, account_id)
    if found is None:
        raise AccountNotFoundError(f"There is no account '{account_id}' in this unit.")
    return found


def ensure_accounts(scope: Scope, account_ids: Collection[str], *, now: datetime) -> list[str]:
    """Make those of the accounts that are not there yet; returns them."""
    if not account_ids:
        return []
    ids = sorted(account_ids)
    statement = """
        INSERT INTO accounts (unit_id, account_id, domain, name, created_at, updated_at)
        SELECT %(unit)s, new.account_id, new.domain, new.account_id, %(now)s, %(now)s
        FROM unnest(%(ids)s::text[], %(domains)s::text[]) AS new (account_id, domain)
        ON CONFLICT DO NOTHING RETURNING account_id
    """
    domains = [account_id if _is_domain(account_id) else None for account_id in ids]
    bound = {"unit": scope.unit_id, "now": now, "ids": ids, "domains": domains}
    made = [account_id for (account_id,) in driver().execute(statement, bound)]
    _index(scope, {account_id: account_id for account_id in made})
    return made


def load_documents(scope: Scope, account_ids: Collection[str]) -> dict[str, Document]:
    """Return what is known about accounts, with its traces."""
    statement = """
        SELECT account_id, metadata::text, traces::text FROM accounts
        WHERE unit_id = %s AND account_id = ANY(%s)
    """
    rows = driver().execute(statement, (scope.unit_id, list(account_ids)))
    return {
        account_id: Document(from_json(metadata), documents.read_traces(traces))
        for account_id, metadata, traces in rows
    }


def save_documents(
    scope: Scope, before: Mapping[str, Document], after: Mapping[str, Document], *, now: datetime
) -> dict[str, Document]:
    """Store what is known about accounts now, and call them by it. Returns those that changed."""
    changed = {
        account_id: each for account_id, each in after.items() if each is not before[account_id]
    }
    statement = """
        UPDATE accounts SET metadata = (new.value->'metadata')::jsonb,
            traces = (new.value->'traces')::jsonb, name = new.value->>'name', updated_at = %s
        FROM json_each(%s::json) AS new
        WHERE accounts.unit_id = %s AND accounts.account_id = new.key
    """
    for part in documents.in_parts(changed):
        values = {
            account_id: {
                "metadata": each.properties,
                "traces": {name: trace.to_json() for name, trace in each.traces.items()},
                "name": _name_of(account_id, each),
            }
            for account_id, each in part.items()
        }
        driver().execute(statement, (now, written(values), scope.unit_id))
    documents.note_properties(
        scope, documents.ACCOUNT, (each.properties for each in changed.values())
    )
    names = {account_id: _name_of(account_id, each) for account_id, each in changed.items()}
    _index(scope, {it: name for it, name in names.items() if name != _name_of(it, before[it])})
    return changed


def save_scores(scope: Scope, scores: Mapping[str, int]) -> None:
    """Show these scores in account lists."""
    if not scores:
        return
    statement = """
        UPDATE accounts SET score = new.score
        FROM unnest(%s::text[], %s::int[]) AS new (account_id, score)
        WHERE accounts.unit_id = %s AND accounts.account_id = new.account_id
          AND accounts.score <> new.score
    """
    driver().execute(statement, (list(scores), list(scores.values()), scope.unit_id))


def accounts_of(scope: Scope, lead_ids: Collection[str]) -> dict[str, str]:
    """Return the account of each lead that has one."""
    statement = """
        SELECT lead_id, account_id FROM leads
        WHERE unit_id = %s AND lead_id = ANY(%s) AND account_id IS NOT NULL
    """
    return dict(driver().execute(statement, (scope.unit_id, list(lead_ids))).fetchall())


def refresh_roll_ups(scope: Scope, account_ids: Collection[str | None]) -> None:
    """Count anew what the leads of these accounts add up to; None is passed over."""
    ids = sorted({account_id for account_id in account_ids if account_id is not None})
    if not ids:
        return
    statement = f"""
        UPDATE accounts a SET leads_count = new.leads_count, top_score = new.top_score,
            top_lead_id = new.top_lead_id, owner_name = new.owner_name,
            session_count = new.session_count, last_event_at = new.last_event_at
        FROM ({_ROLL_UPS}) AS new
        WHERE a.unit_id = %(unit)s AND a.account_id = new.account_id
          AND (a.leads_count, a.top_score, a.top_lead_id, a.owner_name, a.session_count,
               a.last_event_at)
            IS DISTINCT FROM (new.leads_count, new.top_score, new.top_lead_id, new.owner_name,
               new.session_count, new.last_event_at)
    """  # noqa: S608 - names of ours
    driver().execute(statement, {"unit": scope.unit_id, "ids": ids})


def compare_roll_ups(
    scope: Scope, account_ids: Sequence[str]
) -> Iterator[tuple[str, RollUp, RollUp]]:
    """Yield accounts whose roll-up is wrong, with what is stored and what is true."""
    statement = f"""
        SELECT a.account_id, a.leads_count, a.top_score, a.top_lead_id, a.owner_name,
               a.session_count, a.last_event_at, new.leads_count, new.top_score,
               new.top_lead_id, new.owner_name, new.session_count, new.last_event_at
        FROM ({_ROLL_UPS}) AS new
        JOIN accounts a ON a.unit_id = %(unit)s AND a.account_id = new.account_id
        ORDER BY a.account_id
    """  # noqa: S608 - names of ours
    bound = {"unit": scope.unit_id, "ids": list(account_ids)}
    width = len(RollUp._fields)
    for account_id, *values in driver().execute(statement, bound):
        stored, true = RollUp(*values[:width]), RollUp(*values[width:])
        if stored != true:
            yield account_id, stored, true


def list_ids(scope: Scope, *, after: str, limit: int) -> list[str]:
    """Return account ids in order, from after one on: a walk over all accounts of a unit."""
    statement = """
        SELECT account_id FROM accounts WHERE unit_id = %s AND account_id > %s
        ORDER BY account_id LIMIT %s
    """
    rows = driver().execute(statement, (scope.unit_id, after, limit))
    return [account_id for (account_id,) in rows]


def count_accounts(scope: Scope) -> int:
    """Return how many accounts `list_ids` walks over."""
    row = driver().execute("SELECT count(*) FROM accounts WHERE unit_id = %s", (scope.unit_id,))
    return int((row.fetchone() or (0,))[0])


def leads_of(scope: Scope, account_ids: Collection[str]) -> dict[str, str]:
    """Return all leads of these accounts, each with its account."""
    statement = """
        SELECT lead_id, account_id FROM leads
        WHERE unit_id = %s AND account_id = ANY(%s) AND merged_into IS NULL
    """
    return dict(driver().execute(statement, (scope.unit_id, list(account_ids))).fetchall())


def list_names(scope: Scope, account_ids: Collection[str]) -> dict[str, str]:
    """Return what those of the accounts that there are are called."""
    statement = "SELECT account_id, name FROM accounts WHERE unit_id = %s AND account_id = ANY(%s)"
    return dict(driver().execute(statement, (scope.unit_id, list(account_ids))).fetchall())


def find_existing(scope: Scope, account_ids: Collection[str]) -> list[str]:
    """Return which of these accounts there are."""
    statement = "SELECT account_id FROM accounts WHERE unit_id = %s AND account_id = ANY(%s)"
    rows = driver().execute(statement, (scope.unit_id, list(account_ids)))
    return [account_id for (account_id,) in rows]


def delete_unused(scope: Scope, account_ids: Collection[str]) -> list[str]:
    """Delete those of the accounts that no lead belongs to; returns them."""
    bound = {"unit": scope.unit_id, "ids": list(account_ids)}
    statement = """
        DELETE FROM accounts a
        WHERE a.unit_id = %(unit)s AND a.account_id = ANY(%(ids)s) AND NOT EXISTS (
            SELECT FROM leads l
            WHERE l.unit_id = a.unit_id AND l.account_id = a.account_id AND l.merged_into IS NULL
        )
        RETURNING a.account_id
    """
    gone = [account_id for (account_id,) in driver().execute(statement, bound)]
    driver().execute(
        "DELETE FROM account_search WHERE unit_id = %s AND account_id = ANY(%s)",
        (scope.unit_id, gone),
    )
    return gone


def _is_domain(account_id: str) -> bool:
    return "." in account_id and registrable_domain(account_id) == account_id


def _name_of(account_id: str, document: Document) -> str:
    for key in NAME_PROPERTIES:
        value = document.properties.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:LONGEST_NAME]
    return account_id


def _index(scope: Scope, names: Mapping[str, str]) -> None:
    """Have accounts found by their name and id, which is the domain of those that have one."""
    if not names:
        return
    texts = [f"{name}\n{account_id}".lower() for account_id, name in names.items()]
    statement = """
        INSERT INTO account_search (unit_id, account_id, text, grams)
        SELECT %(unit)s, account_id, content, search_grams(%(unit)s, content)
        FROM unnest(%(ids)s::text[], %(texts)s::text[]) AS new (account_id, content)
        ON CONFLICT (unit_id, account_id)
        DO UPDATE SET text = excluded.text, grams = excluded.grams
        WHERE account_search.text <> excluded.text
    """
    driver().execute(statement, {"unit": scope.unit_id, "ids": list(names), "texts": texts})
