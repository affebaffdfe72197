"""How members want to be told of their own leads, in each unit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic_core import to_json

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.notifications.types import Happening

CHOICES = (
    Happening.MILESTONE_REACHED,
    Happening.MILESTONE_EXITED,
    Happening.SEQUENCE_COMPLETED,
    Happening.PATTERN_MATCHED,
    Happening.SURGE_DETECTED,
)
"""What can be muted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a member chose; with `digest` at most one message per lead and hour."""

    enabled: bool = True
    muted: frozenset[Happening] = field(default_factory=frozenset)
    digest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a member can be told, and what they want to be told of."""

    email: str
    slack_user_id: str | None
    preferences: Preferences

    def wants(self, event: Happening) -> bool:
        return self.preferences.enabled and event not in self.preferences.muted


def get_preferences(scope: Scope, member_id: UUID) -> Preferences:
    """Return what a member chose in the unit, or what holds until they choose."""
    row = (
        driver()
        .execute(
            "SELECT enabled, muted, digest FROM notification_preferences"
            " WHERE unit_id = %s AND org_member_id = %s",
            (scope.unit_id, member_id),
        )
        .fetchone()
    )
    return _preferences(row) if row else Preferences()


def save_preferences(
    scope: Scope, member_id: UUID, preferences: Preferences, *, now: datetime
) -> None:
    """Store what a member chose in the unit."""
    driver().execute(
        """
        INSERT INTO notification_preferences
            (unit_id, org_member_id, enabled, muted, digest, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (unit_id, org_member_id) DO UPDATE SET
            enabled = excluded.enabled, muted = excluded.muted, digest = excluded.digest,
            updated_at = excluded.updated_at
        """,
        (
            scope.unit_id, member_id, preferences.enabled,
            to_json(sorted(preferences.muted)).decode(), preferences.digest, now,
        ),
    )  # fmt: skip


def find_reach(scope: Scope, member_id: UUID) -> Reach | None:
    """Return how a member is told of a lead of the unit; None when they cannot see it any more."""
    row = (
        driver()
        .execute(
            """
            SELECT m.email, s.slack_user_id, coalesce(p.enabled, true),
                   coalesce(p.muted, '[]'), coalesce(p.digest, false)
            FROM members m
            LEFT JOIN memberships u ON u.unit_id = %(unit)s AND u.org_member_id = m.org_member_id
            LEFT JOIN notification_preferences p
                ON p.unit_id = %(unit)s AND p.org_member_id = m.org_member_id
            LEFT JOIN slack_identities s
                ON s.unit_id = %(unit)s AND s.org_member_id = m.org_member_id
            WHERE m.org_id = %(org)s AND m.org_member_id = %(member)s
              AND (u.unit_id IS NOT NULL OR m.role = 'admin')
            """,
            {"unit": scope.unit_id, "org": scope.org_id, "member": member_id},
        )
        .fetchone()
    )
    if row is None:
        return None
    email, slack_user_id, *chosen = row
    return Reach(email=email, slack_user_id=slack_user_id, preferences=_preferences(chosen))


def _preferences(columns: Collection[object]) -> Preferences:
    enabled, muted, digest = columns
    known = {each.value for each in CHOICES}
    return Preferences(
        enabled=bool(enabled),
        muted=frozenset(Happening(it) for it in muted if it in known),  # type: ignore[attr-defined]
        digest=bool(digest),
    )
