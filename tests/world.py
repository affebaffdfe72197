"""Things that happen in a unit, through the same doors as in life: intake, pipeline, services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadvibe.events import service as events
from leadvibe.events.types import Arrival
from leadvibe.identity.types import OrgRole, Principal, Scope, Via
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import intake, process
from leadvibe.scoring import queries, service
from leadvibe.scoring.types import Rule, Ruleset
from tests.people import People
from tests.scenes import Scenes


@dataclass(frozen=True, slots=True)
class World:
    """One unit and what can happen in it. Everything is committed at once."""

    scope: Scope

    @property
    def principal(self) -> Principal:
        return Principal(
            org_id=self.scope.org_id,
            via=Via.COMMAND,
            org_role=OrgRole.ADMIN,
            unit_id=self.scope.unit_id,
            label="setup",
        )

    @property
    def primary(self) -> Ruleset:
        primary = queries.find_primary(self.scope)
        assert primary is not None
        return primary

    def add_rule(self, event_type: str, weight: int, ruleset: Ruleset | None = None) -> Rule:
        rule = service.create_rule(
            self.principal,
            self.scope,
            (ruleset or self.primary).ruleset_id,
            {"event_type": event_type, "weight": weight},
            now=utc_now(),
        )
        commit()
        return rule

    def add_ruleset(self, name: str, **fields: Any) -> Ruleset:
        ruleset = service.create_ruleset(
            self.principal, self.scope, {"name": name, **fields}, now=utc_now()
        )
        commit()
        return ruleset

    def happen(
        self,
        event_type: str,
        lead_id: str | None = None,
        *,
        email: str | None = None,
        at: datetime | None = None,
        ago: timedelta = timedelta(0),
        **metadata: Any,
    ) -> UUID:
        """Let an event happen and be scored; returns its id."""
        aliases = [{"alias_kind": "email", "raw_value": email}] if email else []
        incoming = intake.IncomingEvent.model_validate(
            {
                "event_type": event_type,
                "lead_id": lead_id,
                "aliases": aliases,
                "timestamp": at or utc_now() - ago,
                "metadata": metadata,
            }
        )
        [arrival] = intake.accept(self.scope, [incoming], source="api", now=utc_now())
        commit()
        process.drain(self.scope)
        return arrival.event_id

    def score_leads(self, **scores: int) -> None:
        """Give leads, named by their ids, a score each by one event of a type of its own."""
        for lead_id, score in scores.items():
            self.add_rule(f"worth_{lead_id}", score)
            self.happen(f"worth_{lead_id}", lead_id)

    def fail(self, payload: str = '{"event_type": "broken"}', source: str = "api") -> None:
        """Let an event come in that the pipeline cannot process."""
        arrival = Arrival(new_id(), utc_now(), source, None, payload)
        events.post_arrivals(self.scope, [arrival], version=0)
        commit()
        process.drain(self.scope)


@pytest.fixture
def world(scenes: Scenes, people: People) -> World:
    """Return Acme's unit, ready to score; the stranger's is, too."""

    def make() -> World:
        for scope in (people.scope, people.stranger.scope):
            service.install_defaults(scope, by="setup", now=utc_now())
        return World(people.scope)

    return scenes.set("world", make)


@pytest.fixture
def elsewhere(people: People, world: World) -> World:
    """Return the stranger's unit."""
    return World(people.stranger.scope)
