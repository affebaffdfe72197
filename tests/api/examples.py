"""One request for every operation that succeeds for somebody who may do everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import UUID

from leadvibe.api.operations import Operation
from leadvibe.events import queries as events
from leadvibe.identity import service as identity
from leadvibe.identity import signing_in
from leadvibe.imports import service as imports
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue
from tests.people import PASSWORD, People
from tests.web.world import World

LEAD = "ld_ada"
EVENT = {"event_type": "page_view", "lead_id": LEAD}
CSV_FILE = b"event_type,email\npage_view,ada@acme.test\n"


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands in the unit when the examples are sent."""

    people: People
    world: World
    broker: Any
    event_id: UUID
    rule_id: UUID
    ruleset_id: UUID
    unit_id: UUID

    def refresh_token(self) -> str:
        member = self.people.owner.member
        tokens = signing_in.issue_tokens(member, security=self.people.owner.security, now=utc_now())
        commit()
        return tokens.refresh_token

    def dead_letter(self) -> int:
        self.world.fail()
        return events.list_dead_letters(self.world.scope, limit=1)[0].receipt

    def import_id(self) -> UUID:
        started = imports.start_import(
            self.world.principal,
            self.world.scope,
            filename="events.csv",
            stream=BytesIO(CSV_FILE),
            max_bytes=1024,
            queue=JobQueue(self.broker),
            now=utc_now(),
        )
        commit()
        return started.import_id

    def credential_id(self) -> UUID:
        made = identity.create_credential(
            self.world.scope, name="Old", created_by=None, now=utc_now()
        )
        commit()
        return made.credential.secret_id


def set_stage(people: People, world: World, broker: Any) -> Stage:
    """Let a lead visit a page that gives points."""
    rule = world.add_rule("page_view", 5)
    event_id = world.happen("page_view", LEAD, email="ada@acme.test", plan="pro")
    world.happen("unscored", LEAD)
    return Stage(
        people, world, broker, event_id, rule.rule_id, rule.ruleset_id, people.unit.unit_id
    )


@dataclass(frozen=True, slots=True)
class Example:
    """What to send, as keywords of a test client; `path` fills in the operation's path."""

    path: dict[str, object] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)


def example_of(operation: Operation, stage: Stage) -> Example:
    make = EXAMPLES.get(f"{operation.method} {operation.path}")
    return make(stage) if make else Example(_path(operation, stage))


def _path(operation: Operation, stage: Stage) -> dict[str, object]:
    known = {"leadID": LEAD, "eventID": stage.event_id}
    return {name: known[name] for name in operation.path_names}


def _body(document: Any, **path: object) -> Example:
    return Example(path, {"json": document})


EXAMPLES: dict[str, Callable[[Stage], Example]] = {
    "POST /auth/login": lambda it: _body({"email": it.people.owner.email, "password": PASSWORD}),
    "POST /auth/refresh": lambda it: _body({"refresh_token": it.refresh_token()}),
    "POST /auth/logout": lambda it: _body({"refresh_token": it.refresh_token()}),
    "POST /ingest": lambda _: _body(EVENT),
    "POST /ingest/batch": lambda _: _body({"events": [EVENT, {"event_type": "page_view"}]}),
    "POST /import": lambda _: Example(
        sent={"data": {"file": (BytesIO(CSV_FILE), "events.csv", "text/csv")}}
    ),
    "GET /import/{jobId}": lambda it: Example({"jobId": it.import_id()}),
    "GET /import/{jobId}/errors": lambda it: Example({"jobId": it.import_id()}),
    "DELETE /events/batch": lambda it: _body({"ids": [str(it.event_id)]}),
    "POST /dead-letters/{receipt}/retry": lambda it: Example({"receipt": it.dead_letter()}),
    "DELETE /dead-letters/{receipt}": lambda it: Example({"receipt": it.dead_letter()}),
    "POST /scores/batch": lambda _: _body({"lead_ids": [LEAD]}),
    "POST /leads": lambda _: _body({"id": "ld_new", "metadata": {"plan": "pro"}}),
    "POST /lead": lambda _: _body({"id": "ld_new"}),
    "GET /leads/search": lambda _: Example(sent={"query_string": {"q": "ada"}}),
    "GET /rulesets/{id}/rules": lambda it: Example({"id": it.ruleset_id}),
    "POST /rules": lambda _: _body({"event_type": "demo_request", "weight": 50}),
    "PUT /rules/{id}": lambda it: _body({"weight": 6}, id=it.rule_id),
    "DELETE /rules/{id}": lambda it: Example({"id": it.rule_id}),
    "POST /rulesets": lambda _: _body({"name": "Marketing"}),
    "PUT /rulesets/{id}": lambda it: _body({"name": "Renamed"}, id=it.ruleset_id),
    "DELETE /rulesets/{id}": lambda it: Example({"id": it.ruleset_id}),
    "POST /org-units": lambda _: _body({"name": "Sales"}),
    "PUT /org-units/{id}": lambda it: _body({"name": "Renamed"}, id=it.unit_id),
    "POST /org-units/active": lambda it: _body({"ouId": str(it.unit_id)}),
    "POST /secrets": lambda _: _body({"name": "Website"}),
    "DELETE /secrets/{id}": lambda it: Example({"id": it.credential_id()}),
}
