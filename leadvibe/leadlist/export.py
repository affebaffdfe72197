"""Leads and accounts as files that people open in spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leadvibe.engine.levels import LevelCut
from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import stream_members
from leadvibe.leads.accounts import FACTS, Account, find_fact
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.segments.membership import Audience

COLUMNS = (
    "lead_id", "name", "detail", "score", "owner_name", "last_event_at", "last_event_type",
    "event_count", "session_count", "created_at",
)  # fmt: skip


def write_members(scope: Scope, audience: Audience) -> Iterator[str]:
    """Yield CSV text of everybody in an audience, the highest score first, as it is read."""
    lines = stream_members(scope, audience)
    return write_csv(COLUMNS, (tuple(getattr(line, name) for name in COLUMNS) for line in lines))


ACCOUNT_COLUMNS = (
    "account_id", "name", "domain", "level", "score", "engagement", "leads", "sessions", "owner",
    "industry", "employees", "revenue", "last_activity", "created_at",
)  # fmt: skip


def write_accounts(accounts: Iterable[Account], levels: LevelCut) -> Iterator[str]:
    """Yield CSV text of accounts in the order in which they come, as they are read."""
    return write_csv(ACCOUNT_COLUMNS, (_account_cells(each, levels) for each in accounts))


def _account_cells(account: Account, levels: LevelCut) -> tuple[object, ...]:
    return (
        account.account_id,
        account.name,
        account.domain,
        levels.name_of(account.score),
        account.score,
        account.top_score,
        account.leads_count,
        account.session_count,
        account.owner_name,
        *(find_fact(account.metadata, keys) for keys in FACTS.values()),
        account.last_event_at,
        account.created_at,
    )
