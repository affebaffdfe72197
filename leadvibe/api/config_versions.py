"""Versions of the scoring configuration: looking, comparing, going back, and carrying it along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadvibe.api.answers import Counted
from leadvibe.api.config_documents import ConfigDocument
from leadvibe.api.fields import PageQuery, VersionNumber
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import queries, versions
from leadvibe.scoring.changes import Change, ChangeKind
from leadvibe.scoring.types import AppliedConfig, ConfigVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionItem:
    version: int
    summary: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDetail(VersionItem):
    """A version with its whole configuration, as import takes it."""

    config: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeItem:
    """One thing that is different; `before` is null for a new one, `after` for one that is gone."""

    kind: ChangeKind
    name: str
    before: str | None
    after: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The version that is in force now; without changes none was made."""

    version: int
    changes: list[str]


def list_versions(principal: Principal, query: PageQuery) -> Counted[VersionItem]:
    """The unit's versions, newest first: every change of the configuration made one."""
    page = versions.search_versions(principal.scope, query.request)
    return Counted([_item(version) for version in page.items], page.total.count)


def get_version(principal: Principal, version: VersionNumber) -> VersionDetail:
    """A version with the configuration that it stands for."""
    scope = principal.scope
    found = versions.get_version(scope, version)
    return VersionDetail(
        version=found.version,
        summary=found.summary,
        created_at=found.created_at,
        created_by=found.created_by,
        config=queries.get_config(scope, version).to_json(),
    )


def compare_versions(
    principal: Principal, version: VersionNumber, other: VersionNumber
) -> list[ChangeItem]:
    """What the second version has otherwise than the first, in words."""
    return change_items(versions.compare_versions(principal.scope, version, other))


def restore_version(principal: Principal, version: VersionNumber) -> Applied:
    """Go back to a version, as a new version; settings of the organisation stay as they are."""
    return applied_item(
        versions.restore_version(principal, principal.scope, version, now=utc_now())
    )


def export_config(principal: Principal) -> dict[str, Any]:
    """The current configuration, to keep or to carry to another unit."""
    return queries.read_config(principal.scope).to_json()


def import_config(principal: Principal, body: ConfigDocument) -> Applied:
    """Replace the configuration by one from elsewhere, as a new version; all of it or nothing."""
    config = body.to_config()
    return applied_item(versions.import_config(principal, principal.scope, config, now=utc_now()))


def change_items(changes: list[Change]) -> list[ChangeItem]:
    return [
        ChangeItem(
            kind=it.kind, name=it.name, before=it.before, after=it.after, sentence=it.sentence
        )
        for it in changes
    ]


def applied_item(applied: AppliedConfig) -> Applied:
    return Applied(version=applied.version, changes=list(applied.sentences))


def _item(version: ConfigVersion) -> VersionItem:
    return VersionItem(
        version=version.version,
        summary=version.summary,
        created_at=version.created_at,
        created_by=version.created_by,
    )
