"""Leads and accounts as files that people open in spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from leadvibe.engine.levels import UNCLASSIFIED, LevelCut
from leadvibe.engine.rules import Config, Level, LevelKind
from leadvibe.identity.types import Scope
from leadvibe.leadlist.facts import FactReader, Facts
from leadvibe.leadlist.queries import stream_leads, stream_members
from leadvibe.leadlist.types import LeadFilter, LeadLine, Sort
from leadvibe.leads.accounts import FACTS, Account, find_fact
from leadvibe.leadviews.types import Column
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.scoring import queries as scoring
from leadvibe.segments.membership import Audience

COLUMNS = (
    "lead_id", "name", "detail", "score", "owner_name", "last_event_at", "last_event_type",
    "event_count", "session_count", "created_at",
)  # fmt: skip

LEADS_AT_ONCE = 500
"""Leads of which is read at once what columns show beside their rows."""

_HEADS: dict[Column, tuple[str, ...]] = {
    Column.LAST_ACTIVE: ("last_event_at", "last_event_type"),
    Column.CREATED: ("created_at",),
}


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


def write_all_leads(scope: Scope) -> Iterator[str]:
    """Yield CSV text of all leads of a unit, with all that a list can show."""
    config = scoring.get_config(scope, scoring.current_version(scope))
    return write_leads(scope, config, Column, LeadFilter(), Sort())


def write_leads(
    scope: Scope, config: Config, columns: Iterable[Column], wanted: LeadFilter, sort: Sort
) -> Iterator[str]:
    """Yield CSV text of a list of leads, with the columns that it shows, as it is read."""
    reader = FactReader(scope, config, columns)
    shown = [column for column in Column if column in reader.columns]
    header = ["lead_id", "name"]
    for column in shown:
        header += _head(column, reader)
    return write_csv(header, _rows(reader, config, shown, stream_leads(scope, wanted, sort)))


def _head(column: Column, reader: FactReader) -> Sequence[str]:
    if column is Column.RULESETS:
        return [f"score: {ruleset.name}" for ruleset in reader.rulesets]
    return _HEADS.get(column, (column.value,))


def _rows(
    reader: FactReader, config: Config, columns: Sequence[Column], lines: Iterator[LeadLine]
) -> Iterator[Sequence[object]]:
    levels = LevelCut(config.levels_of(LevelKind.ENGAGEMENT))
    while some := list(islice(lines, LEADS_AT_ONCE)):
        facts = reader.read([line.lead_id for line in some])
        for line in some:
            row: list[object] = [line.lead_id, line.name]
            for column in columns:
                of_lead = facts[line.lead_id]
                if column.is_recorded:
                    row.append(of_lead.recorded.get(column))
                else:
                    row += _CELLS[column](line, of_lead, levels)
            yield row


def _name(level: Level | None) -> str:
    return level.name if level else UNCLASSIFIED


_CELLS: Mapping[Column, Callable[[LeadLine, Facts, LevelCut], Sequence[object]]] = {
    Column.ALIASES: lambda _, facts, __: ["; ".join(facts.aliases)],
    Column.SCORE: lambda line, _, __: [line.score],
    Column.LEVEL: lambda line, _, levels: [levels.name_of(line.score)],
    Column.PROFILE_SCORE: lambda _, facts, __: [facts.profile_score],
    Column.PROFILE_LEVEL: lambda _, facts, __: [_name(facts.profile_level)],
    Column.RULESETS: lambda _, facts, __: facts.ruleset_scores,
    Column.OWNER: lambda line, _, __: [line.owner_name or ""],
    Column.ACCOUNT: lambda _, facts, __: [facts.account],
    Column.ACCOUNT_SCORE: lambda _, facts, __: [facts.account_score if facts.account else ""],
    Column.ACCOUNT_LEVEL: lambda _, facts, __: [
        _name(facts.account_level) if facts.account else ""
    ],
    Column.TITLE: lambda _, facts, __: [facts.title],
    Column.COMPANY: lambda _, facts, __: [facts.company],
    Column.LAST_ACTIVE: lambda line, _, __: [line.last_event_at, line.last_event_type],
    Column.EVENTS: lambda line, _, __: [line.event_count],
    Column.SESSIONS: lambda line, _, __: [line.session_count],
    Column.CREATED: lambda line, _, __: [line.created_at],
}
