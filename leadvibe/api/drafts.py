"""Drafts of the scoring configuration: worked on without effect, then published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from leadvibe.api.config_documents import ConfigDocument
from leadvibe.api.config_versions import Applied, ChangeItem, applied_item, change_items
from leadvibe.api.editing import Editable
from leadvibe.api.fields import LEFT_OUT, Changes, DraftId, Name
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import drafts, queries
from leadvibe.scoring.types import Draft


class NewDraft(BaseModel):
    """A draft begins as a copy of the current configuration."""

    name: Name = Field(description="Its name, unique in the unit.")


class DraftChanges(Changes):
    """What to change of a draft; what is left out stays as it is."""

    name: Name = Field(LEFT_OUT, description="Its name, unique in the unit.")
    config: ConfigDocument = Field(LEFT_OUT, description="Takes the place of its configuration.")


class Publishing(BaseModel):
    """How to publish."""

    force: StrictBool = Field(
        False, description="Whether to replace what others changed since the draft was made."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem(Editable):
    """A draft; it is outdated when the configuration has changed since it was copied."""

    # A list leaves the configuration out; `updated_at` tells when it changes.
    not_edited: ClassVar[frozenset[str]] = frozenset({"is_outdated", "config"})

    draft_id: UUID
    name: str
    base_version: int
    is_outdated: bool
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDetail(DraftItem):
    """A draft with its whole configuration."""

    config: dict[str, Any]


def list_drafts(principal: Principal) -> list[DraftItem]:
    """The unit's drafts, by name."""
    scope = principal.scope
    current = queries.current_version(scope)
    return [DraftItem(**_facts(draft, current)) for draft in queries.list_drafts(scope)]


def create_draft(principal: Principal, body: NewDraft) -> DraftDetail:
    """Copy the current configuration to work on it. A unit has ten drafts at most."""
    scope = principal.scope
    return _detail(scope, drafts.create_draft(principal, scope, body.name, now=utc_now()))


def get_draft(principal: Principal, draft_id: DraftId) -> DraftDetail:
    """A draft with its configuration."""
    return _detail(principal.scope, queries.get_draft(principal.scope, draft_id))


def update_draft(principal: Principal, draft_id: DraftId, body: DraftChanges) -> DraftDetail:
    """Rename a draft or replace its configuration, which is checked whole; nothing is scored."""
    scope, given = principal.scope, body.model_fields_set
    changed = drafts.update_draft(
        principal,
        scope,
        draft_id,
        name=body.name if "name" in given else None,
        config=body.config.to_config() if "config" in given else None,
        now=utc_now(),
    )
    return _detail(scope, changed)


def delete_draft(principal: Principal, draft_id: DraftId) -> None:
    """Throw a draft away."""
    drafts.delete_draft(principal.scope, draft_id)


def compare_draft(principal: Principal, draft_id: DraftId) -> list[ChangeItem]:
    """What publishing a draft would change now, in words."""
    return change_items(drafts.compare_draft(principal.scope, draft_id))


def publish_draft(principal: Principal, draft_id: DraftId, body: Publishing) -> Applied:
    """Make a draft the current configuration, as a new version; the draft is gone then."""
    scope = principal.scope
    return applied_item(
        drafts.publish_draft(principal, scope, draft_id, force=body.force, now=utc_now())
    )


def _detail(scope: Scope, draft: Draft) -> DraftDetail:
    facts = _facts(draft, queries.current_version(scope))
    return DraftDetail(**facts, config=dict(draft.config))


def _facts(draft: Draft, current: int) -> Mapping[str, Any]:
    return {
        "draft_id": draft.draft_id,
        "name": draft.name,
        "base_version": draft.base_version,
        "is_outdated": draft.base_version != current,
        "created_at": draft.created_at,
        "updated_at": draft.updated_at,
        "created_by": draft.created_by,
        "updated_by": draft.updated_by,
    }
