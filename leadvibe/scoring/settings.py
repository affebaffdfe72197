"""Writes of the scoring settings: some are a unit's own, others the whole organisation's.

Reading them is queries.get_settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver, session
from leadvibe.scoring import queries
from leadvibe.scoring.models import OrgScoringSettingsRow, UnitScoringSettingsRow
from leadvibe.scoring.service import lock_configuration, record_version
from leadvibe.scoring.types import ConfigVersion

ORG_SETTINGS = frozenset({"allow_negative_scores", "abm_enabled"})


def differing_settings(scope: Scope, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the settings that are not so already."""
    current = queries.get_settings(scope)
    return {name: value for name, value in wanted.items() if value != getattr(current, name)}


def update_settings(
    principal: Principal, scope: Scope, wanted: Mapping[str, Any], *, now: datetime
) -> None:
    """Change the settings that are given and differ.

    A setting of the organisation (ORG_SETTINGS) makes a version in each of its units. Whoever
    calls has seen to it that the principal may change those.
    """
    changes = differing_settings(scope, wanted)
    if changes.keys() & ORG_SETTINGS:
        units = lock_settings(scope)
        of_org = {name: changes[name] for name in sorted(changes.keys() & ORG_SETTINGS)}
        _save_org_settings(scope, of_org)
    else:
        lock_configuration(scope)
        units, of_org = [scope], {}
    minutes = changes.get("session_timeout_minutes")
    if minutes is not None:
        save_session_timeout(scope, minutes)
    for unit in units:
        summary = _summary(of_org, minutes if unit == scope else None)
        if summary and queries.current_version(unit):  # a unit without any is being set up
            record_version(unit, summary=summary, by=principal.label, now=now)


def last_changes(scope: Scope) -> dict[str, ConfigVersion]:
    """Return the version that changed each setting last; none for one that never changed."""
    statement = """
        SELECT version, summary, created_at, created_by, said, lag(said) OVER (ORDER BY version)
        FROM (
            SELECT version, summary, created_at, created_by, jsonb_build_object(
                'allow_negative_scores', config -> 'allow_negative_scores',
                'abm_enabled', config #> '{policies,abm_enabled}',
                'session_timeout_minutes', config -> 'session_timeout_seconds'
            ) AS said
            FROM config_versions WHERE unit_id = %s
        ) AS versions ORDER BY version
    """
    changes: dict[str, ConfigVersion] = {}
    for *version, said, before in driver().execute(statement, (scope.unit_id,)):
        for name in said if before is not None else ():
            if said[name] != before[name]:
                changes[name] = ConfigVersion(*version)
    return changes


def save_session_timeout(scope: Scope, minutes: int) -> None:
    """Store how long a lead may pause within a session. Does not make a version."""
    statement = insert(UnitScoringSettingsRow).values(
        unit_id=scope.unit_id, session_timeout_minutes=minutes
    )
    session().execute(
        statement.on_conflict_do_update(
            index_elements=["unit_id"], set_={"session_timeout_minutes": minutes}
        )
    )


def _save_org_settings(scope: Scope, changes: Mapping[str, Any]) -> None:
    statement = insert(OrgScoringSettingsRow).values(org_id=scope.org_id, **changes)
    session().execute(statement.on_conflict_do_update(index_elements=["org_id"], set_=changes))


def lock_settings(scope: Scope) -> list[Scope]:
    """Make changes to any unit's configuration queue, and new units wait; return all units.

    Always in this order, the organisation first, so that two of these cannot block one another.
    """
    driver().execute("SELECT 1 FROM organizations WHERE org_id = %s FOR UPDATE", (scope.org_id,))
    statement = "SELECT unit_id FROM units WHERE org_id = %s ORDER BY unit_id FOR NO KEY UPDATE"
    rows = driver().execute(statement, (scope.org_id,)).fetchall()
    return [Scope(scope.org_id, unit_id) for (unit_id,) in rows]


def _summary(of_org: Mapping[str, Any], minutes: int | None) -> str:
    told = [_WORDS[name, value] for name, value in of_org.items()]
    if minutes is not None:
        told.append(f"a session ends after {minutes} minutes without an event")
    text = "; ".join(told)
    return text[:1].upper() + text[1:]


_WORDS = {
    ("allow_negative_scores", True): "scores may go below 0, in the whole organisation",
    ("allow_negative_scores", False): "no score goes below 0, in the whole organisation",
    ("abm_enabled", True): "accounts are scored, in the whole organisation",
    ("abm_enabled", False): "accounts are not scored, in the whole organisation",
}
