"""Drafts: configurations that somebody works on, without effect until they are published.

Reading them is in queries; queries.get_draft_config says what one would make of the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update

from leadvibe.engine.rules import Config
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import session
from leadvibe.lib.ids import new_id
from leadvibe.scoring import queries
from leadvibe.scoring.applying import apply_config
from leadvibe.scoring.changes import Change, changes_between
from leadvibe.scoring.checks import check_config
from leadvibe.scoring.errors import DraftExistsError, DraftOutdatedError, TooManyDraftsError
from leadvibe.scoring.merging import merge_configs
from leadvibe.scoring.models import DraftRow
from leadvibe.scoring.service import lock_configuration
from leadvibe.scoring.types import AppliedConfig, Draft

MOST_DRAFTS = 10
"""Of a unit: as many as a team can keep apart."""


def create_draft(
    principal: Principal,
    scope: Scope,
    name: str,
    *,
    change: Callable[[Config], Config] | None = None,
    now: datetime,
) -> Draft:
    """Copy the current configuration to work on, with a first `change` of it if there is one.

    Raises DraftExistsError, TooManyDraftsError, and BadConfigError when the change breaks it.
    """
    lock_configuration(scope)
    drafts = queries.list_drafts(scope)
    _check_name(name, drafts)
    if len(drafts) >= MOST_DRAFTS:
        raise TooManyDraftsError(
            f"The unit has {MOST_DRAFTS} drafts already: publish or delete one first."
        )
    config = queries.read_config(scope)
    if change is not None:
        config = replace(queries.fit_config(scope, change(config)), version=config.version)
        check_config(config)
    draft_id = new_id()
    session().execute(
        insert(DraftRow).values(
            unit_id=scope.unit_id,
            draft_id=draft_id,
            name=name,
            base_version=config.version,
            config=config.to_json(),
            created_at=now,
            updated_at=now,
            created_by=principal.label,
            updated_by=principal.label,
        )
    )
    return queries.get_draft(scope, draft_id)


def update_draft(
    principal: Principal,
    scope: Scope,
    draft_id: UUID,
    *,
    name: str | None = None,
    config: Config | None = None,
    now: datetime,
) -> Draft:
    """Rename a draft or replace its configuration; None leaves either as it is.

    Raises DraftNotFoundError, DraftExistsError, and BadConfigError that names everything wrong.
    """
    lock_configuration(scope)
    draft = queries.get_draft(scope, draft_id)
    changes: dict[str, Any] = {}
    if name is not None and name != draft.name:
        _check_name(name, queries.list_drafts(scope))
        changes["name"] = name
    if config is not None:
        fitted = replace(queries.fit_config(scope, config), version=draft.base_version)
        check_config(fitted, prefix="config.")
        changes["config"] = fitted.to_json()
    if changes:
        _save(scope, draft_id, {**changes, "updated_at": now, "updated_by": principal.label})
    return queries.get_draft(scope, draft_id)


def edit_draft(
    principal: Principal,
    scope: Scope,
    draft_id: UUID,
    change: Callable[[Config], Config],
    *,
    now: datetime,
) -> Draft:
    """Change something of a draft's configuration (editing), as it is at this moment.

    Two who change different things at once keep both. Raises DraftNotFoundError, BadConfigError,
    and whatever `change` raises.
    """
    lock_configuration(scope)
    draft = queries.get_draft(scope, draft_id)
    config = Config.from_json(draft.config)
    changed = change(config)
    if changed == config:
        return draft
    return update_draft(principal, scope, draft_id, config=changed, now=now)


def catch_up(principal: Principal, scope: Scope, draft_id: UUID, *, now: datetime) -> Draft:
    """Bring what others have changed since into a draft, which keeps its own changes.

    Raises DraftNotFoundError, and BadConfigError when both together make no sense.
    """
    lock_configuration(scope)
    draft, current = queries.get_draft(scope, draft_id), queries.read_config(scope)
    base = queries.get_config(scope, draft.base_version)
    merged = merge_configs(base, current, Config.from_json(draft.config))
    check_config(merged)
    _save(
        scope,
        draft_id,
        {
            "config": merged.to_json(),
            "base_version": current.version,
            "updated_at": now,
            "updated_by": principal.label,
        },
    )
    return queries.get_draft(scope, draft_id)


def free_name(scope: Scope, wanted: str) -> str:
    """Return a name that no draft of the unit has yet: the wanted one, or it with a number."""
    taken = {draft.name for draft in queries.list_drafts(scope)}
    names = (wanted if number == 1 else f"{wanted} ({number})" for number in count(1))
    return next(name for name in names if name not in taken)


def delete_draft(scope: Scope, draft_id: UUID) -> None:
    """Throw a draft away. Raises DraftNotFoundError."""
    queries.get_draft(scope, draft_id)
    _delete(scope, draft_id)


def compare_draft(scope: Scope, draft_id: UUID) -> list[Change]:
    """Return what publishing a draft would change. Raises DraftNotFoundError."""
    return changes_between(queries.read_config(scope), queries.get_draft_config(scope, draft_id))


def publish_draft(
    principal: Principal,
    scope: Scope,
    draft_id: UUID,
    *,
    note: str = "",
    force: bool = False,
    now: datetime,
) -> AppliedConfig:
    """Make a draft the current configuration, as a new version; the draft is gone then.

    The history says it with the `note`, if there is one.
    Raises DraftNotFoundError, and DraftOutdatedError when the configuration has changed since the
    draft was copied from it, unless forced: then the draft takes the place of those changes.
    """
    lock_configuration(scope)
    draft = queries.get_draft(scope, draft_id)
    current = queries.current_version(scope)
    if current != draft.base_version and not force:
        raise DraftOutdatedError(
            f"The configuration has changed since this draft was made: it is a copy of version"
            f" {draft.base_version}, and version {current} is in force. Look at what would change,"
            " then publish with force to replace what others changed.",
            fields={"force": f"is needed to replace version {current}"},
        )
    config = queries.get_draft_config(scope, draft_id)
    summary = f"Published draft {draft.name}" + (f": {note}" if note else "")
    applied = apply_config(principal, scope, config, summary=summary, now=now)
    _delete(scope, draft_id)
    return applied


def _check_name(name: str, drafts: list[Draft]) -> None:
    if any(draft.name == name for draft in drafts):
        raise DraftExistsError(
            f"There is a draft '{name}' already. Choose another name.",
            fields={"name": "exists already"},
        )


def _save(scope: Scope, draft_id: UUID, values: Mapping[str, Any]) -> None:
    session().execute(
        update(DraftRow)
        .where(DraftRow.unit_id == scope.unit_id, DraftRow.draft_id == draft_id)
        .values(**values)
    )


def _delete(scope: Scope, draft_id: UUID) -> None:
    session().execute(
        delete(DraftRow).where(DraftRow.unit_id == scope.unit_id, DraftRow.draft_id == draft_id)
    )
