"""The bar over every page of a draft: what it is, what it would change, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.scoring import queries, versions
from leadvibe.scoring.changes import Change, ChangeKind, changes_between
from leadvibe.scoring.types import Draft
from leadvibe.web.forms.scoring import DraftForm
from leadvibe.web.pages.display import Choice, Moment, counted
from leadvibe.web.pages.scoring import ChangeGroup, DraftBar
from leadvibe.web.scoring_paths import draft_path

BAR = "draft-bar"
OTHERS_SHOWN = 5

_GROUPS: tuple[tuple[str, frozenset[ChangeKind]], ...] = (
    ("Engagement", frozenset({ChangeKind.RULESET, ChangeKind.RULE})),
    ("Profile", frozenset({ChangeKind.PROFILE_RULESET, ChangeKind.PROFILE_RULE})),
    ("Account", frozenset({ChangeKind.ACCOUNT_RULESET, ChangeKind.ACCOUNT_RULE})),
    ("Levels", frozenset({ChangeKind.LEVEL})),
    ("Decay and surge", frozenset({ChangeKind.DECAY, ChangeKind.SURGE_POLICY})),
    ("Filters", frozenset({ChangeKind.VELOCITY_FILTER, ChangeKind.METADATA_FILTER})),
    ("Mapping", frozenset({ChangeKind.PROFILE_MAPPING, ChangeKind.ACCOUNT_MAPPING})),
    ("Settings", frozenset({ChangeKind.SETTING, ChangeKind.EVENT_TYPE})),
)


@dataclass(frozen=True)
class Drafted:
    """A draft beside what is in force."""

    principal: Principal
    draft: Draft

    @classmethod
    def find(cls, principal: Principal, draft_id: UUID) -> Drafted:
        """Return a draft of the unit. Raises DraftNotFoundError."""
        return cls(principal, queries.get_draft(principal.scope, draft_id))

    @property
    def draft_id(self) -> UUID:
        return self.draft.draft_id

    @cached_property
    def live(self) -> Config:
        scope = self.principal.scope
        return queries.get_config(scope, queries.current_version(scope))

    @cached_property
    def config(self) -> Config:
        """What publishing the draft would make of the unit."""
        return queries.get_draft_config(self.principal.scope, self.draft_id)

    @cached_property
    def changes(self) -> list[Change]:
        return changes_between(self.live, self.config)

    @property
    def can_edit(self) -> bool:
        return can(self.principal, Permission.CONFIGURE)

    @property
    def is_outdated(self) -> bool:
        return self.draft.base_version != self.live.version

    @cached_property
    def others_changes(self) -> list[Change]:
        """What others have changed of the rules in force since the draft was made."""
        if not self.is_outdated:
            return []
        scope = self.principal.scope
        base, current = self.draft.base_version, self.live.version
        return versions.compare_versions(scope, base, current) if base else []

    def bar(self, tab: str, *, url: str, form: DraftForm | None = None) -> DraftBar:
        """Return the bar; `tab` says where in the draft the page is."""
        draft, count = self.draft, len(self.changes)
        others = tuple(change.sentence for change in self.others_changes)
        more = len(others) - OTHERS_SHOWN
        return DraftBar(
            name=draft.name,
            changes=count,
            changes_label=counted(count, "change") if count else "No changes yet",
            edited_by=draft.updated_by,
            edited_at=Moment.of(draft.updated_at),
            url=url,
            changes_url=self.path("/changes"),
            publish_url=self.path("/publish"),
            name_form=form or DraftForm(data={"name": draft.name}),
            name_url=self.path("/name"),
            discard_url=self.path("/discard"),
            tab=tab,
            tabs=self._tabs(tab),
            outdated=(
                f"The live rules have changed since this draft was made (version"
                f" {draft.base_version} then, {self.live.version} now)."
                if others
                else ""
            ),
            others=(*others[:OTHERS_SHOWN], *((f"… and {more} more",) if more > 0 else ())),
            catch_up_url=self.path("/catch-up"),
            can_edit=self.can_edit,
        )

    def path(self, end: str) -> str:
        return draft_path(self.draft_id, end)

    def _tabs(self, current: str) -> tuple[Choice, ...]:
        tabs = [
            *((kind.value.capitalize(), kind.value) for kind in LevelKind),
            (f"Changes ({len(self.changes)})", "changes"),
            ("Preview", "preview"),
        ]
        return tuple(
            Choice(label, value, value == current, url=self.path(f"/{value}"))
            for label, value in tabs
        )


def group_changes(changes: Sequence[Change]) -> tuple[ChangeGroup, ...]:
    """Return changes in words, by what they are about."""
    found = (
        ChangeGroup(
            label=label,
            sentences=tuple(f"{change.sentence}." for change in changes if change.kind in kinds),
        )
        for label, kinds in _GROUPS
    )
    return tuple(group for group in found if group.sentences)
