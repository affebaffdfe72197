"""Writes of the scoring configuration, each of which makes a config version, and of scores.

Changing a rule never rewrites history: events keep the version they were scored under. A rescore
is a step of its own (pipeline.rescore).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update

from leadvibe.engine.facts import Entry, Standing
from leadvibe.identity.types import Principal, Scope
from leadvibe.leads import accounts
from leadvibe.lib.db import NULL_IN_COPY, as_copy_text, copy_lines, driver, session, write
from leadvibe.lib.ids import new_id
from leadvibe.scoring import ledger_sums, profiles, queries
from leadvibe.scoring.defaults import DEFAULT_LEVELS, DEFAULT_RULESET_NAME
from leadvibe.scoring.errors import BadWindowError, RuleExistsError, RulesetExistsError
from leadvibe.scoring.models import ConfigVersionRow, LevelRow, RuleRow, RulesetRow
from leadvibe.scoring.types import Rule, Ruleset
from leadvibe.scoring.wording import signed

ENTRY_COLUMNS = (
    "unit_id", "lead_id", "ruleset_id", "seq", "event_id", "rule_id", "version", "kind",
    "weight", "multiplier_percent", "before", "delta", "after", "occurred_at",
)  # fmt: skip

RULESET_FIELDS = frozenset({"name", "score_column", "is_primary", "active", "start_at", "end_at"})
RULE_FIELDS = frozenset({"event_type", "weight", "icon", "active", "start_at", "end_at"})


def install_defaults(scope: Scope, *, by: str, now: datetime) -> None:
    """Give a new unit levels of every kind and one primary ruleset without rules."""
    rows: list[dict[str, Any]] = []
    for kind, levels in groupby(DEFAULT_LEVELS, key=lambda level: level.kind):
        rows += (
            {**level._asdict(), "kind": kind.value, "order": order, "level_id": new_id()}
            for order, level in enumerate(levels)
        )
    who = {"unit_id": scope.unit_id, "created_by": by, "updated_by": by}
    session().execute(insert(LevelRow), [{**row, **who} for row in rows])
    _insert_ruleset(scope, {"name": DEFAULT_RULESET_NAME, "is_primary": True}, by=by, now=now)
    record_version(scope, summary="Set up the unit", by=by, now=now)


def create_ruleset(
    principal: Principal, scope: Scope, fields: Mapping[str, Any], *, now: datetime
) -> Ruleset:
    """Make a ruleset. A new primary takes the place of the old one.

    Raises RulesetExistsError for a name that is taken and BadWindowError when it would end before
    it starts.
    """
    lock_configuration(scope)
    _check_ruleset_name(scope, fields["name"])
    _check_window(fields.get("start_at"), fields.get("end_at"))
    ruleset_id = _insert_ruleset(scope, fields, by=principal.label, now=now)
    if fields.get("is_primary"):
        mark_headlines_stale(scope, now=now)
    record_version(scope, summary=f"Added ruleset {fields['name']}", by=principal.label, now=now)
    return queries.get_ruleset(scope, ruleset_id)


def update_ruleset(
    principal: Principal,
    scope: Scope,
    ruleset_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> Ruleset:
    """Change the fields that are given (RULESET_FIELDS). Raises as create_ruleset does."""
    lock_configuration(scope)
    current = queries.get_ruleset(scope, ruleset_id)
    kept = {key: value for key, value in changes.items() if key in RULESET_FIELDS}
    if kept.get("name", current.name) != current.name:
        _check_ruleset_name(scope, kept["name"])
    _check_window(kept.get("start_at", current.start_at), kept.get("end_at", current.end_at))
    if kept.get("is_primary"):
        _clear_primary(scope)
    if kept.keys() & {"is_primary", "active"}:
        mark_headlines_stale(scope, now=now)
    session().execute(
        update(RulesetRow)
        .where(RulesetRow.unit_id == scope.unit_id, RulesetRow.ruleset_id == ruleset_id)
        .values(**kept, updated_at=now, updated_by=principal.label)
    )
    record_version(scope, summary=f"Changed ruleset {current.name}", by=principal.label, now=now)
    return queries.get_ruleset(scope, ruleset_id)


def delete_ruleset(principal: Principal, scope: Scope, ruleset_id: UUID, *, now: datetime) -> None:
    """Delete a ruleset with its rules. What it scored stays in the ledger, and shows no more."""
    lock_configuration(scope)
    current = queries.get_ruleset(scope, ruleset_id)
    mark_headlines_stale(scope, now=now)
    session().execute(
        delete(RulesetRow).where(
            RulesetRow.unit_id == scope.unit_id, RulesetRow.ruleset_id == ruleset_id
        )
    )
    record_version(scope, summary=f"Deleted ruleset {current.name}", by=principal.label, now=now)


def create_rule(
    principal: Principal,
    scope: Scope,
    ruleset_id: UUID,
    fields: Mapping[str, Any],
    *,
    now: datetime,
) -> Rule:
    """Make a rule; later events of its type score by it.

    Raises RulesetNotFoundError, RuleExistsError when the ruleset scores that event type already,
    and BadWindowError.
    """
    lock_configuration(scope)
    ruleset = queries.get_ruleset(scope, ruleset_id)
    _check_event_type_free(scope, ruleset, fields["event_type"])
    _check_window(fields.get("start_at"), fields.get("end_at"))
    values: dict[str, Any] = {"icon": None, "active": True, "start_at": None, "end_at": None}
    values |= {key: value for key, value in fields.items() if key in RULE_FIELDS}
    rule_id = new_id()
    session().execute(
        insert(RuleRow).values(
            unit_id=scope.unit_id,
            rule_id=rule_id,
            ruleset_id=ruleset_id,
            created_at=now,
            updated_at=now,
            created_by=principal.label,
            updated_by=principal.label,
            **values,
        )
    )
    summary = f"{ruleset.name}: {fields['event_type']} is worth {signed(fields['weight'])}"
    record_version(scope, summary=summary, by=principal.label, now=now)
    return queries.get_rule(scope, rule_id)


def update_rule(
    principal: Principal,
    scope: Scope,
    rule_id: UUID,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> Rule:
    """Change the fields that are given (RULE_FIELDS). Raises as create_rule does."""
    lock_configuration(scope)
    current = queries.get_rule(scope, rule_id)
    ruleset = queries.get_ruleset(scope, current.ruleset_id)
    kept = {key: value for key, value in changes.items() if key in RULE_FIELDS}
    if kept.get("event_type", current.event_type) != current.event_type:
        _check_event_type_free(scope, ruleset, kept["event_type"])
    _check_window(kept.get("start_at", current.start_at), kept.get("end_at", current.end_at))
    session().execute(
        update(RuleRow)
        .where(RuleRow.unit_id == scope.unit_id, RuleRow.rule_id == rule_id)
        .values(**kept, updated_at=now, updated_by=principal.label)
    )
    changed = queries.get_rule(scope, rule_id)
    record_version(
        scope, summary=_rule_change(ruleset, current, changed), by=principal.label, now=now
    )
    return changed


def delete_rule(principal: Principal, scope: Scope, rule_id: UUID, *, now: datetime) -> None:
    """Delete a rule; what it gave so far stays."""
    lock_configuration(scope)
    current = queries.get_rule(scope, rule_id)
    ruleset = queries.get_ruleset(scope, current.ruleset_id)
    session().execute(
        delete(RuleRow).where(RuleRow.unit_id == scope.unit_id, RuleRow.rule_id == rule_id)
    )
    summary = f"{ruleset.name}: {current.event_type} gives no points any more"
    record_version(scope, summary=summary, by=principal.label, now=now)


def record_version(scope: Scope, *, summary: str, by: str, now: datetime) -> int:
    """Snapshot the whole configuration as the next version, in this transaction.

    Scores by attributes that it makes stale are noted for a worker: those follow rules at once.
    """
    session().flush()
    lock_configuration(scope)  # or two changes at once would take the same number
    before = queries.read_latest(scope)
    version = before.version + 1
    config = queries.read_config(scope)
    session().execute(
        insert(ConfigVersionRow).values(
            unit_id=scope.unit_id,
            version=version,
            config=config.to_json() | {"version": version},
            summary=summary,
            created_at=now,
            created_by=by,
        )
    )
    profiles.mark_stale(scope, before.policies, config.policies, now=now)
    return version


def lock_configuration(scope: Scope) -> None:
    """Make changes to the unit's configuration queue; held until the commit."""
    driver().execute("SELECT 1 FROM units WHERE unit_id = %s FOR NO KEY UPDATE", (scope.unit_id,))


def append_entries(scope: Scope, ledgers: Iterable[tuple[str, Sequence[Entry]]]) -> None:
    """Add ledger rows, given by lead."""
    ends: list[tuple[str, UUID, int]] = []
    copy_lines("score_entries", ENTRY_COLUMNS, _ledger_lines(scope, ledgers, ends))
    ledger_sums.sum_blocks(scope, ends)


def _ledger_lines(
    scope: Scope,
    ledgers: Iterable[tuple[str, Sequence[Entry]]],
    ends: list[tuple[str, UUID, int]],
) -> Iterator[str]:
    """Write entries out for COPY, and note in `ends` which of them complete a block."""
    unit = scope.unit_id.hex
    names: dict[UUID | None, str] = {None: NULL_IN_COPY}
    event_id, event, at = None, "", ""
    for lead_id, entries in ledgers:
        lead = as_copy_text(lead_id)
        for entry in entries:
            ruleset_id, seq, its_event_id, rule_id, version, *numbers, occurred_at = entry
            kind, weight, percent, before, delta, after = numbers
            if ledger_sums.is_block_end(seq):
                ends.append((lead_id, ruleset_id, seq))
            if its_event_id is not event_id:  # the entries of one event follow one another
                event_id, event, at = its_event_id, its_event_id.hex, str(occurred_at)
            ruleset = names.get(ruleset_id) or names.setdefault(ruleset_id, ruleset_id.hex)
            rule = names.get(rule_id) or names.setdefault(rule_id, rule_id.hex if rule_id else "")
            yield (
                f"{unit}\t{lead}\t{ruleset}\t{seq}\t{event}\t{rule}\t{version}\t{kind}"
                f"\t{weight}\t{percent}\t{before}\t{delta}\t{after}\t{at}\n"
            )


def erase_ledger(scope: Scope, lead_ids: Sequence[str]) -> None:
    """Forget all points of the leads; only a replay that writes them anew may do so."""
    bound = (scope.unit_id, list(lead_ids))
    ledger_sums.forget_sums(scope, lead_ids)
    write("DELETE FROM score_entries WHERE unit_id = %s AND lead_id = ANY(%s)", bound)
    write("DELETE FROM lead_scores WHERE unit_id = %s AND lead_id = ANY(%s)", bound)


def save_standings(
    scope: Scope, standings: Iterable[tuple[str, UUID, Standing]], *, now: datetime
) -> None:
    """Store where leads stand in rulesets."""
    rows = [(lead_id, ruleset_id, *standing) for lead_id, ruleset_id, standing in standings]
    if not rows:
        return
    statement = """
        INSERT INTO lead_scores (unit_id, lead_id, ruleset_id, score, seq, updated_at)
        SELECT %s, new.*, %s
        FROM unnest(%s::text[], %s::uuid[], %s::int[], %s::int[])
            AS new (lead_id, ruleset_id, score, seq)
        ON CONFLICT (unit_id, lead_id, ruleset_id) DO UPDATE SET
            score = excluded.score, seq = excluded.seq, updated_at = excluded.updated_at
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    write(statement, (scope.unit_id, now, *columns))


def refresh_headlines(scope: Scope, *, after: str, limit: int) -> str | None:
    """Show on leads the score of the ruleset that stands for them now, some leads at a time.

    Goes on after a lead id and returns the last one seen, or None when there are no more.
    """
    last = driver().execute(_REFRESH_HEADLINES, {
        "unit": scope.unit_id, "after": after, "limit": limit,
    }).fetchone()  # fmt: skip
    assert last is not None
    accounts.refresh_roll_ups(scope, last[1])
    return None if last[0] is None else str(last[0])


def mark_headlines_stale(scope: Scope, *, now: datetime) -> None:
    """Note that another ruleset may stand for leads now; the pipeline catches up."""
    statement = """
        INSERT INTO stale_headlines (unit_id, since) VALUES (%s, %s)
        ON CONFLICT (unit_id) DO UPDATE SET since = greatest(
            excluded.since, stale_headlines.since + interval '1 microsecond'
        )
    """
    driver().execute(statement, (scope.unit_id, now))


def settle_headlines(scope: Scope, *, since: datetime | None) -> None:
    """Note that the unit's leads show the right score again, unless they were marked since."""
    driver().execute(
        "DELETE FROM stale_headlines WHERE unit_id = %s AND since = %s", (scope.unit_id, since)
    )


_REFRESH_HEADLINES = """
    WITH chosen AS (
        SELECT lead_id FROM leads WHERE unit_id = %(unit)s AND lead_id > %(after)s
        ORDER BY lead_id LIMIT %(limit)s
    ), primary_set AS (
        SELECT ruleset_id FROM rulesets WHERE unit_id = %(unit)s AND is_primary
    ), candidates AS (
        SELECT ruleset_id FROM rulesets WHERE unit_id = %(unit)s
          AND CASE WHEN EXISTS (SELECT FROM primary_set) THEN is_primary ELSE active END
    ), scored AS (
        SELECT DISTINCT ON (s.lead_id) s.lead_id, s.score, s.ruleset_id,
               count(*) OVER (PARTITION BY s.lead_id) AS rulesets
        FROM lead_scores s JOIN candidates USING (ruleset_id)
        WHERE s.unit_id = %(unit)s AND s.lead_id IN (SELECT lead_id FROM chosen)
        ORDER BY s.lead_id, s.score DESC, s.ruleset_id
    ), headlines AS (
        SELECT lead_id, score, ruleset_id FROM scored
        WHERE score >= 0 OR rulesets = (SELECT count(*) FROM candidates)
    ), refreshed AS (
        UPDATE leads SET score = coalesce(h.score, 0), ruleset_id = h.ruleset_id
        FROM chosen LEFT JOIN headlines h USING (lead_id)
        WHERE leads.unit_id = %(unit)s AND leads.lead_id = chosen.lead_id
          AND (leads.score, leads.ruleset_id)
              IS DISTINCT FROM (coalesce(h.score, 0), h.ruleset_id)
        RETURNING leads.account_id
    )
    SELECT max(lead_id), (SELECT coalesce(array_agg(DISTINCT account_id), '{}') FROM refreshed)
    FROM chosen
"""


def _insert_ruleset(scope: Scope, fields: Mapping[str, Any], *, by: str, now: datetime) -> UUID:
    values: dict[str, Any] = {
        "score_column": "total_score",
        "is_primary": False,
        "active": True,
        "start_at": None,
        "end_at": None,
    }
    values |= {key: value for key, value in fields.items() if key in RULESET_FIELDS}
    if values["is_primary"]:
        _clear_primary(scope)
    ruleset_id = new_id()
    session().execute(
        insert(RulesetRow).values(
            unit_id=scope.unit_id,
            ruleset_id=ruleset_id,
            created_at=now,
            updated_at=now,
            created_by=by,
            updated_by=by,
            **values,
        )
    )
    return ruleset_id


def _clear_primary(scope: Scope) -> None:
    session().execute(
        update(RulesetRow)
        .where(RulesetRow.unit_id == scope.unit_id, RulesetRow.is_primary)
        .values(is_primary=False)
    )


def _check_ruleset_name(scope: Scope, name: str) -> None:
    taken = exists().where(RulesetRow.unit_id == scope.unit_id, RulesetRow.name == name)
    if session().scalar(select(taken)):
        raise RulesetExistsError(
            f"A ruleset '{name}' exists already. Choose another name.",
            fields={"name": "exists already"},
        )


def _check_event_type_free(scope: Scope, ruleset: Ruleset, event_type: str) -> None:
    taken = exists().where(
        RuleRow.unit_id == scope.unit_id,
        RuleRow.ruleset_id == ruleset.ruleset_id,
        RuleRow.event_type == event_type,
    )
    if session().scalar(select(taken)):
        raise RuleExistsError(
            f"{ruleset.name} scores '{event_type}' already. Change that rule instead.",
            fields={"event_type": "is scored already in this ruleset"},
        )


def _check_window(start_at: datetime | None, end_at: datetime | None) -> None:
    if start_at and end_at and end_at <= start_at:
        raise BadWindowError(
            "The end must come after the start.", fields={"end_at": "is not after start_at"}
        )


def _rule_change(ruleset: Ruleset, before: Rule, after: Rule) -> str:
    if before.active != after.active:
        state = "scores again" if after.active else "is paused"
        return f"{ruleset.name}: {after.event_type} {state}"
    if before.weight != after.weight:
        return (
            f"{ruleset.name}: {after.event_type} is worth {signed(after.weight)}"
            f" instead of {signed(before.weight)}"
        )
    return f"{ruleset.name}: changed the rule for {before.event_type}"
