"""What tests of profiles and accounts share: a unit that describes its leads, and a look at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from leadvibe.engine.policies import FieldTest
from leadvibe.identity.types import Scope
from leadvibe.leads import accounts, documents
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import attributes as rescoring
from leadvibe.pipeline import process
from leadvibe.scoring import attributes, profiles, settings
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ConfigItem
from tests.factories import make_event, make_principal, send

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Describing:
    """A unit, and what somebody who sets it up does there. Everything is committed at once."""

    scope: Scope

    def enable_accounts(self) -> None:
        principal = make_principal(self.scope)
        settings.update_settings(principal, self.scope, {"abm_enabled": True}, now=utc_now())
        commit()
        self.rescore()

    def map(
        self,
        source: str,
        target: str,
        behavior: str = "always_latest",
        *,
        side: Side = Side.PROFILE,
    ) -> ConfigItem:
        fields = {
            "source_field": source,
            "target_property": target,
            "update_behavior": behavior,
        }
        made = attributes.create_mapping(
            make_principal(self.scope), self.scope, side, fields, now=utc_now()
        )
        commit()
        return made

    def add_set(
        self,
        name: str = "Fit",
        *,
        side: Side = Side.PROFILE,
        is_primary: bool = True,
        enabled: bool = True,
    ) -> UUID:
        fields = {"name": name, "is_primary": is_primary, "enabled": enabled}
        made = attributes.create_ruleset(
            make_principal(self.scope), self.scope, side, fields, now=utc_now()
        )
        commit()
        return made.item_id

    def add_rule(
        self,
        ruleset_id: UUID,
        key: str,
        operator: str,
        value: object = None,
        *,
        weight: int = 10,
        side: Side = Side.PROFILE,
    ) -> UUID:
        """Make a rule, and let the scores that it makes stale be made anew."""
        made = attributes.create_rule(
            make_principal(self.scope),
            self.scope,
            side,
            ruleset_id,
            test=FieldTest(key, operator, value),
            weight=weight,
            order=0,
            now=utc_now(),
        )
        commit()
        self.rescore()
        return made.item_id

    def rescore(self, *, limit: int = rescoring.AT_ONCE) -> None:
        while rescoring.rescore_some(self.scope, now=utc_now(), limit=limit):
            commit()
        commit()

    def happen(self, lead_id: str | None = None, *, hours: float = 0, **fields: Any) -> None:
        """Let one event happen; keywords that are no aliases are its metadata."""
        self.take_in([self.event(lead_id, hours=hours, **fields)])

    def event(self, lead_id: str | None = None, *, hours: float = 0, **fields: Any) -> Any:
        aliases = {kind: fields.pop(kind) for kind in ("email", "cookie") if kind in fields}
        named = {"lead_id": lead_id} if lead_id else {}
        return make_event(timestamp=after(hours), metadata=fields, **named, **aliases)

    def take_in(self, events: Iterable[Any]) -> None:
        """Let events come in together."""
        send(self.scope, *events)
        commit()
        process.drain(self.scope)

    def metadata(self, lead_id: str) -> dict[str, Any]:
        return dict(documents.load(self.scope, [lead_id])[lead_id].document.properties)

    def account_of(self, lead_id: str) -> str | None:
        return accounts.accounts_of(self.scope, [lead_id]).get(lead_id)

    def account(self, account_id: str) -> accounts.Account:
        return accounts.get_account(self.scope, account_id)

    def scores(self, subject: str, side: Side = Side.PROFILE) -> dict[UUID, int]:
        return profiles.list_scores(self.scope, side, [subject]).get(subject, {})

    def wrong_roll_ups(self) -> list[Any]:
        ids = accounts.list_ids(self.scope, after="", limit=1_000)
        return list(accounts.compare_roll_ups(self.scope, ids))
