"""The numbered states of a unit's configuration: looking at them, comparing and going back.

Going back makes a new version, like every change; none is ever taken away.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from leadvibe.engine.rules import Config
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.scoring import queries
from leadvibe.scoring.applying import apply_config
from leadvibe.scoring.changes import Change, changes_between
from leadvibe.scoring.checks import check_config
from leadvibe.scoring.errors import VersionNotFoundError
from leadvibe.scoring.models import ConfigVersionRow
from leadvibe.scoring.types import AppliedConfig, ConfigVersion


def search_versions(scope: Scope, request: PageRequest) -> Page[ConfigVersion]:
    """Return the unit's versions, newest first."""
    statement = (
        select(
            ConfigVersionRow.version,
            ConfigVersionRow.summary,
            ConfigVersionRow.created_at,
            ConfigVersionRow.created_by,
        )
        .where(ConfigVersionRow.unit_id == scope.unit_id)
        .order_by(ConfigVersionRow.version.desc())
        .limit(request.size)
        .offset(request.offset)
    )
    count = (
        select(func.count())
        .select_from(ConfigVersionRow)
        .where(ConfigVersionRow.unit_id == scope.unit_id)
    )
    found = [ConfigVersion(*row) for row in session().execute(statement)]
    return Page(found, Total(session().scalar(count) or 0), request)


def get_version(scope: Scope, number: int) -> ConfigVersion:
    """Return who made a version, when, and what it changed. Raises VersionNotFoundError."""
    found = queries.get_config_version(scope, number) if number <= _LAST_NUMBER else None
    if found is None:
        raise VersionNotFoundError(f"There is no version '{number}' in this unit.")
    return found


def get_version_config(scope: Scope, number: int) -> Config:
    """Return the configuration of a version. Raises VersionNotFoundError."""
    return queries.get_config(scope, get_version(scope, number).version)


def compare_versions(scope: Scope, before: int, after: int) -> list[Change]:
    """Return what one version has otherwise than another. Raises VersionNotFoundError."""
    return changes_between(get_version_config(scope, before), get_version_config(scope, after))


def restore_version(
    principal: Principal, scope: Scope, number: int, *, now: datetime
) -> AppliedConfig:
    """Go back to what a version says, with the same ids. Raises VersionNotFoundError."""
    config = get_version_config(scope, number)
    summary = f"Went back to version {number}"
    return apply_config(principal, scope, config, summary=summary, now=now)


def import_config(
    principal: Principal, scope: Scope, config: Config, *, now: datetime
) -> AppliedConfig:
    """Put a configuration from elsewhere into the place of the current one.

    Raises BadConfigError that names everything wrong with it.
    """
    fitted = queries.fit_config(scope, config)
    check_config(fitted)
    return apply_config(principal, scope, fitted, summary="Imported a configuration", now=now)


_LAST_NUMBER = 2**31 - 1
"""Of the column."""


def list_before(
    scope: Scope,
    version: int | None,
    *,
    by: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
) -> list[ConfigVersion]:
    """Return versions below a number, newest first; those that one person made, or of a time."""
    statement = (
        select(
            ConfigVersionRow.version,
            ConfigVersionRow.summary,
            ConfigVersionRow.created_at,
            ConfigVersionRow.created_by,
        )
        .where(ConfigVersionRow.unit_id == scope.unit_id)
        .order_by(ConfigVersionRow.version.desc())
        .limit(limit)
    )
    if version is not None:
        statement = statement.where(ConfigVersionRow.version < version)
    if by is not None:
        statement = statement.where(ConfigVersionRow.created_by == by)
    if since is not None:
        statement = statement.where(ConfigVersionRow.created_at >= since)
    if until is not None:
        statement = statement.where(ConfigVersionRow.created_at < until)
    return [ConfigVersion(*row) for row in session().execute(statement)]
