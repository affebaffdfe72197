"""One request for every operation that succeeds for somebody who may do everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from io import BytesIO
from itertools import count
from typing import Any
from uuid import UUID

from leadvibe.api.operations import Operation
from leadvibe.engine.rules import LevelKind
from leadvibe.events import queries as events
from leadvibe.identity import personal_tokens, signing_in, warrants
from leadvibe.identity import service as identity
from leadvibe.identity.api_keys import KeyKind, create_api_key
from leadvibe.identity.archiving import archive_unit
from leadvibe.identity.queries import find_member_principal
from leadvibe.identity.types import OrgRole, UnitRole, Via
from leadvibe.imports import lead_uploads
from leadvibe.imports import service as imports
from leadvibe.imports.types import LeadPlan
from leadvibe.leads import notes, watching
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import deletion, editing, merging, ordering, type_deletion
from leadvibe.pipeline.setup import create_unit
from leadvibe.rescoring import previewing
from leadvibe.rescoring import queries as rescores
from leadvibe.rescoring import service as rescoring
from leadvibe.rescoring.types import PreviewKind
from leadvibe.scoring import drafts, levels, policies, service, settings
from leadvibe.scoring import queries as scoring
from tests.api.attribute_examples import ATTRIBUTE_EXAMPLES
from tests.api.bulk_examples import BULK_EXAMPLES
from tests.api.lead_view_examples import LEAD_VIEW_EXAMPLES
from tests.api.notification_examples import NOTIFICATION_EXAMPLES
from tests.api.quick_start_examples import QUICK_START_EXAMPLES
from tests.api.segment_examples import SEGMENT_EXAMPLES
from tests.api.slack_examples import SLACK_EXAMPLES
from tests.api.trigger_examples import TRIGGER_EXAMPLES
from tests.people import PASSWORD, People
from tests.world import World

LEAD = "ld_ada"
EVENT = {"event_type": "page_view", "lead_id": LEAD}
PROFILE = {"first_name": "Ada", "last_name": "Lovelace", "company": "Acme", "plan": "pro"}
LEVEL = {"name": "Freezing", "min_score": -100, "max_score": -1}
DECAY = {"inactive_for": 30, "unit": "days", "decrease": 25}
VELOCITY_FILTER = {
    "event_type": "email_open", "count_threshold": 5, "time_window_ms": 10_000,
    "group_events": True,
}  # fmt: skip
METADATA_FILTER = {
    "name": "Bots", "event_type": "", "enabled": True,
    "conditions": [{"key": "agent", "operator": "contains", "value": "bot"}],
}  # fmt: skip
SURGE = {"mode": "custom", "bands": [{"min_events": 2, "multiplier": 1.25}]}
NEW_MEMBER = {
    "first_name": "Grace", "last_name": "Hopper", "email": "grace@acme.test",
    "password": "a long password", "role": "member",
}  # fmt: skip
CSV_FILE = b"event_type,email\npage_view,ada@acme.test\n,bo@acme.test\n"
LEAD_FILE = b"""\
E-mail,Company,Phone
ada@acme.test,Acme,+44 20 7946 0018
bo@acme.test,Acme,
n/a,Acme,
"""
LEAD_PLAN = {
    "primary_identifier": {"column": "E-mail", "kind": "email"},
    "field_mappings": {"Company": "company"},
    "alias_mappings": {"Phone": "phone"},
}


numbers = count(1)
"""For names that nobody has yet."""


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
    caller: str = "admin"
    """Who sends the examples, by their name in the cast: some things are everybody's own."""

    def refresh_token(self) -> str:
        member = self.people.owner.member
        tokens = signing_in.issue_tokens(member, security=self.people.owner.security, now=utc_now())
        commit()
        return tokens.refresh_token

    def order(self) -> None:
        """Let the lead have ordered something."""
        ordering.record_order(
            self.world.scope,
            order_id="or_1001",
            lead_id=LEAD,
            aliases=(),
            amount=Decimal("49.90"),
            currency="EUR",
            status="completed",
            ordered_at=utc_now(),
            items=[{"sku": "pro-monthly", "quantity": 1}],
            now=utc_now(),
        )
        commit()

    def decay_id(self) -> UUID:
        return self._made(policies.create_decay, DECAY).item_id

    def filter_id(self) -> UUID:
        return self._made(policies.create_velocity_filter, VELOCITY_FILTER).item_id

    def metadata_filter_id(self) -> UUID:
        named = METADATA_FILTER | {"name": f"Bots {next(numbers)}"}
        return self._made(policies.create_metadata_filter, named).item_id

    def level_id(self, kind: LevelKind) -> UUID:
        return levels.list_stored_levels(self.world.scope, kind)[-1].level.level_id

    def version(self) -> int:
        return scoring.current_version(self.world.scope)

    def draft_id(self) -> UUID:
        return self._made(drafts.create_draft, f"Plan {next(numbers)}").draft_id

    def stream_token(self) -> str:
        viewer = self.people.viewer
        found = find_member_principal(
            viewer.member.org_member_id,
            session_epoch=viewer.member.session_epoch,
            via=Via.BEARER,
            wanted_unit_id=self.unit_id,
        )
        assert found is not None
        warrant = warrants.issue_warrant(found)
        return warrants.sign_warrant(warrant, security=viewer.security, now=utc_now()).token

    def _made(self, create: Callable[..., Any], *what: Any) -> Any:
        made = create(self.world.principal, self.world.scope, *what, now=utc_now())
        commit()
        return made

    def preview_id(self) -> UUID:
        scope = self.world.scope
        asked = rescoring.request_preview(
            self.world.principal,
            scope,
            scoring.get_config(scope, self.version()),
            kind=PreviewKind.ENGAGEMENT,
            subject="the current configuration",
            queue=JobQueue(self.broker),
            now=utc_now(),
        )
        commit()
        return asked.walk_id

    def finished_preview_id(self) -> UUID:
        """Return a preview of what a rule that has changed would do to the lead's score."""
        service.update_rule(
            self.world.principal, self.world.scope, self.rule_id, {"weight": 8}, now=utc_now()
        )
        commit()
        preview_id = self.preview_id()
        previewing.advance_preview(self.world.scope, preview_id)
        commit()
        return preview_id

    def rescore_id(self) -> UUID:
        running = rescores.find_running_rescore(self.world.scope)
        if running is not None:
            return running.walk_id
        asked = rescoring.request_rescore(
            self.world.principal, self.world.scope, queue=JobQueue(self.broker), now=utc_now()
        )
        commit()
        return asked.walk_id

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
        self._work(started.import_id)
        return started.import_id

    def lead_file_id(self) -> UUID:
        uploaded = lead_uploads.upload_leads(
            self.world.principal,
            self.world.scope,
            filename="leads.csv",
            stream=BytesIO(LEAD_FILE),
            now=utc_now(),
        )
        commit()
        return uploaded.file.import_id

    def lead_import_id(self) -> UUID:
        plan = LeadPlan(
            primary_column="E-mail", primary_kind=AliasKind.EMAIL, properties={}, aliases={}
        )
        started = lead_uploads.start_leads(
            self.world.principal,
            self.world.scope,
            self.lead_file_id(),
            plan,
            queue=JobQueue(self.broker),
            now=utc_now(),
        )
        commit()
        self._work(started.import_id)
        return started.import_id

    def _work(self, import_id: UUID) -> None:
        imports.advance_import(
            self.world.scope, import_id, ring=lambda: None, is_stopping=lambda: False
        )
        commit()

    def watched_lead(self) -> str:
        """Return a lead that everybody watches who may look at it."""
        for person in (self.people.admin, self.people.owner, self.people.viewer):
            watching.watch(
                self.world.scope,
                person.member.org_member_id,
                LEAD,
                prediction="will_convert",
                notes="Asked for a quote.",
                now=utc_now(),
            )
        commit()
        return LEAD

    def note(self) -> dict[str, Any]:
        """Return where a note is that the caller wrote."""
        author, text = self.people[self.caller].member, "Asked for a quote."
        made = notes.write_note(self.world.scope, author, LEAD, text, now=utc_now())
        commit()
        return {"leadID": LEAD, "noteId": made.note_id}

    def alias(self) -> dict[str, Any]:
        """Return where an alias is that somebody added."""
        name = f"crm-{len(lead_queries.list_aliases(self.world.scope, LEAD))}"
        added = make_alias(AliasKind.EXTERNAL_ID, name)
        editing.add_alias(self.world.scope, LEAD, added, now=utc_now())
        commit()
        known = lead_queries.list_aliases(self.world.scope, LEAD)
        [made] = [it for it in known if it.value == added.value]
        return {"leadID": LEAD, "aliasId": made.alias_id}

    def credential_id(self) -> UUID:
        made = identity.create_credential(
            self.world.scope, name="Old", created_by=None, now=utc_now()
        )
        commit()
        return made.credential.secret_id

    def key_id(self) -> UUID:
        made = create_api_key(
            self.world.scope, KeyKind.NEXUS, name="ERP", created_by="test", now=utc_now()
        )
        commit()
        return made.key.key_id

    def member_id(self) -> UUID:
        member = identity.create_member(
            self.people.organization.org_id,
            email=f"member{next(numbers)}@acme.test",
            role=OrgRole.MEMBER,
            password=None,
            security=self.people.owner.security,
            now=utc_now(),
        )
        commit()
        return member.org_member_id

    def unit_member_id(self) -> UUID:
        member_id = self.member_id()
        identity.set_membership(self.world.scope, member_id, role=UnitRole.VIEWER, now=utc_now())
        commit()
        return member_id

    def token_id(self) -> UUID:
        member = self.people[self.caller].member
        made = personal_tokens.create_token(
            replace(self.world.principal, member_id=member.org_member_id),
            name="Script",
            expires_at=None,
            now=utc_now(),
        )
        commit()
        return made.stored.token_id

    def other_lead(self) -> str:
        """Return a new lead that an event of the first has named as well."""
        other = f"ld_bo{next(numbers)}"
        self.world.happen("page_view", other, email=f"{other}@acme.test")
        self.world.happen("unscored", LEAD, email=f"{other}@acme.test")
        return other

    def merged_lead(self) -> str:
        """Return a lead that another was merged into."""
        other = self.other_lead()
        merging.merge(self.world.principal, self.world.scope, LEAD, [other], now=utc_now())
        commit()
        return LEAD

    def deleted_lead(self) -> str:
        deletion.request_deletion(
            self.world.principal,
            self.world.scope,
            LEAD,
            queue=JobQueue(self.broker),
            now=utc_now(),
        )
        commit()
        return LEAD

    def deleted_type(self) -> str:
        self.world.happen("unscored", LEAD)
        type_deletion.delete_type(
            self.world.principal,
            self.world.scope,
            "unscored",
            queue=JobQueue(self.broker),
            now=utc_now(),
            patience_seconds=60,
        )
        return "unscored"


def set_stage(people: People, world: World, broker: Any) -> Stage:
    """Let a lead visit a page that gives points."""
    for scope in (people.scope, people.stranger.scope):
        settings.update_settings(
            World(scope).principal, scope, {"abm_enabled": True}, now=utc_now()
        )
    rule = world.add_rule("page_view", 5)
    event_id = world.happen("page_view", LEAD, email="ada@acme.test", plan="pro")
    world.happen("unscored", LEAD)
    editing.patch_lead(people.scope, LEAD, PROFILE, now=utc_now())
    commit()
    return Stage(
        people, world, broker, event_id, rule.rule_id, rule.ruleset_id, people.unit.unit_id
    )


@dataclass(frozen=True, slots=True)
class Example:
    """What to send, as keywords of a test client; `path` fills in the operation's path."""

    path: dict[str, object] = field(default_factory=dict)
    sent: dict[str, Any] = field(default_factory=dict)


EXAMPLES_OF_WORLD = {
    **ATTRIBUTE_EXAMPLES,
    **NOTIFICATION_EXAMPLES,
    **QUICK_START_EXAMPLES,
    **SEGMENT_EXAMPLES,
    **SLACK_EXAMPLES,
    **TRIGGER_EXAMPLES,
}

EXAMPLES_OF_STAGE = {**BULK_EXAMPLES, **LEAD_VIEW_EXAMPLES}
"""What depends on who asks."""


def example_of(operation: Operation, stage: Stage) -> Example:
    name = f"{operation.method} {operation.path}"
    if name in EXAMPLES_OF_WORLD:
        sent = EXAMPLES_OF_WORLD[name](stage.world)
        return Example(sent.pop("path", {}), sent)
    if name in EXAMPLES_OF_STAGE:
        sent = EXAMPLES_OF_STAGE[name](stage)
        return Example(sent.pop("path", {}), sent)
    make = EXAMPLES.get(name)
    return make(stage) if make else Example(_path(operation, stage))


def _path(operation: Operation, stage: Stage) -> dict[str, object]:
    known = {"leadID": LEAD, "eventID": stage.event_id, "eventType": "page_view"}
    return {name: known[name] for name in operation.path_names}


def _body(document: Any, **path: object) -> Example:
    return Example(path, {"json": document})


def _other_unit(stage: Stage, *, archived: bool = False) -> UUID:
    """Make another unit, which may be put away."""
    world = stage.world
    unit = create_unit(world.scope.org_id, name="Old", by="test", now=utc_now())
    if archived:
        archive_unit(world.principal, unit.scope, now=utc_now())
    commit()
    return unit.unit_id


def _having(make: Callable[[Stage], object]) -> Callable[[Stage], Example]:
    """Return what makes something, for an example that would otherwise show an empty list."""

    def example(stage: Stage) -> Example:
        make(stage)
        return Example()

    return example


def _level_examples(noun: str, kind: LevelKind) -> dict[str, Callable[[Stage], Example]]:
    return {
        f"POST /{noun}": lambda _: _body(LEVEL),
        f"PUT /{noun}/{{id}}": lambda it: _body({"color": "#123456"}, id=it.level_id(kind)),
        f"DELETE /{noun}/{{id}}": lambda it: Example({"id": it.level_id(kind)}),
    }


EXAMPLES: dict[str, Callable[[Stage], Example]] = {
    "POST /auth/login": lambda it: _body({"email": it.people.owner.email, "password": PASSWORD}),
    "POST /auth/refresh": lambda it: _body({"refresh_token": it.refresh_token()}),
    "POST /auth/logout": lambda it: _body({"refresh_token": it.refresh_token()}),
    "POST /ingest": lambda _: _body(EVENT),
    "POST /ingest/batch": lambda _: _body({"events": [EVENT, {"event_type": "page_view"}]}),
    "POST /import": lambda _: Example(
        sent={"data": {"file": (BytesIO(CSV_FILE), "events.csv", "text/csv")}}
    ),
    "GET /imports": _having(Stage.import_id),
    "GET /orders": _having(Stage.order),
    "GET /dead-letters": _having(Stage.dead_letter),
    "GET /leads/merge-suggestions": _having(Stage.other_lead),
    "GET /scoring/previews": _having(Stage.finished_preview_id),
    "GET /scoring/rescores": _having(Stage.rescore_id),
    "GET /scoring/drafts": _having(Stage.draft_id),
    "GET /decays": _having(Stage.decay_id),
    "GET /filters": _having(Stage.filter_id),
    "GET /metadata-filters": _having(Stage.metadata_filter_id),
    "GET /watched-leads": _having(Stage.watched_lead),
    "GET /import/{jobId}": lambda it: Example({"jobId": it.import_id()}),
    "GET /import/{jobId}/errors": lambda it: Example({"jobId": it.import_id()}),
    "POST /leads/import/preview": lambda _: Example(
        sent={"data": {"file": (BytesIO(LEAD_FILE), "leads.csv", "text/csv")}}
    ),
    "GET /imports/{jobId}/undo": lambda it: Example({"jobId": it.import_id()}),
    "POST /imports/{jobId}/undo": lambda it: Example({"jobId": it.import_id()}),
    "POST /leads/import/start": lambda it: _body({"file_id": str(it.lead_file_id()), **LEAD_PLAN}),
    "GET /leads/import/{jobId}": lambda it: Example({"jobId": it.lead_import_id()}),
    "GET /leads/import/{jobId}/errors": lambda it: Example({"jobId": it.lead_import_id()}),
    "GET /leads/{leadID}/notes": lambda it: Example({"leadID": it.note()["leadID"]}),
    "POST /leads/{leadID}/aliases": lambda _: _body(
        {"alias_kind": "external_id", "raw_value": "hubspot-8"}, leadID=LEAD
    ),
    "DELETE /leads/{leadID}/aliases/{aliasId}": lambda it: Example(it.alias()),
    "POST /leads/{leadID}/notes": lambda _: _body({"text": "Asked for a quote."}, leadID=LEAD),
    "PUT /leads/{leadID}/notes/{noteId}": lambda it: _body({"text": "Signed."}, **it.note()),
    "DELETE /leads/{leadID}/notes/{noteId}": lambda it: Example(it.note()),
    "POST /leads/{leadID}/watch": lambda _: _body({"prediction": "will_convert"}, leadID=LEAD),
    "DELETE /leads/{leadID}/watch": lambda it: Example({"leadID": it.watched_lead()}),
    "DELETE /events/batch": lambda it: _body({"ids": [str(it.event_id)]}),
    "POST /dead-letters/{receipt}/retry": lambda it: Example({"receipt": it.dead_letter()}),
    "DELETE /dead-letters/{receipt}": lambda it: Example({"receipt": it.dead_letter()}),
    "POST /scores/batch": lambda _: _body({"lead_ids": [LEAD]}),
    "GET /leads": lambda _: Example(sent={"query_string": {"page": 1, "limit": 25}}),
    "POST /leads": lambda _: _body({"id": "ld_new", "metadata": {"plan": "pro"}}),
    "POST /lead": lambda _: _body({"id": "ld_new"}),
    "POST /orders": lambda _: _body({"lead_id": LEAD, "amount": 49.9, "currency": "EUR"}),
    "PATCH /leads/{leadID}": lambda _: _body({"plan": "team"}, leadID=LEAD),
    "PATCH /lead/{leadID}/metadata": lambda _: _body({"plan": None}, leadID=LEAD),
    "PUT /lead/{leadID}": lambda _: _body({"metadata": {"plan": "team"}}, leadID=LEAD),
    "GET /lead/{leadID}/deletion-status": lambda it: Example({"leadID": it.deleted_lead()}),
    "POST /leads/merge/preview": lambda it: _body(
        {"targetLeadId": LEAD, "sourceLeadIds": [it.other_lead()]}
    ),
    "POST /leads/merge": lambda it: _body(
        {"targetLeadId": LEAD, "sourceLeadIds": [it.other_lead()]}
    ),
    "POST /leads/{leadID}/unmerge": lambda it: _body({}, leadID=it.merged_lead()),
    "POST /leads/merge-suggestions/dismiss": lambda it: _body(
        {"lead_id": LEAD, "other_lead_id": it.other_lead()}
    ),
    "DELETE /settings/ou/event-types/{eventType}/events": lambda _: Example(
        {"eventType": "unscored"}
    ),
    "GET /settings/ou/event-types/{eventType}/events/deletion-status": lambda it: Example(
        {"eventType": it.deleted_type()}
    ),
    "GET /stream": lambda it: Example(
        sent={"query_string": {"token": it.stream_token()}, "buffered": False}
    ),
    "GET /api/v1/ou/{ouId}/surge/metrics": lambda it: Example(
        {"ouId": it.unit_id},
        {"query_string": {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}},
    ),
    "GET /leads/search": lambda _: Example(sent={"query_string": {"q": "ada"}}),
    "GET /rulesets/{id}/rules": lambda it: Example({"id": it.ruleset_id}),
    "POST /rules": lambda _: _body({"event_type": "demo_request", "weight": 50}),
    "PUT /rules/{id}": lambda it: _body({"weight": 6}, id=it.rule_id),
    "DELETE /rules/{id}": lambda it: Example({"id": it.rule_id}),
    "POST /api/v1/ou/{ouId}/scoring-rules/test": lambda it: _body(
        {"lead_id": LEAD, "rule": {"event_type": "page_view", "weight": 7}},
        ouId=it.people.unit.unit_id,
    ),
    "POST /api/v1/ou/{ouId}/scoring/rescore-preview": lambda it: _body(
        {"thresholds": [5]}, ouId=it.people.unit.unit_id
    ),
    "POST /api/v1/ou/{ouId}/profile-scoring/rescore-preview": lambda it: _body(
        {}, ouId=it.people.unit.unit_id
    ),
    "POST /api/v1/ou/{ouId}/account-scoring/rescore-preview": lambda it: _body(
        {}, ouId=it.people.unit.unit_id
    ),
    "GET /scoring/previews/{id}": lambda it: Example({"id": it.finished_preview_id()}),
    "GET /scoring/previews/{id}/leads": lambda it: Example({"id": it.finished_preview_id()}),
    "DELETE /scoring/previews/{id}": lambda it: Example({"id": it.preview_id()}),
    "GET /scoring/rescores/{id}": lambda it: Example({"id": it.rescore_id()}),
    "POST /rulesets": lambda _: _body({"name": "Marketing"}),
    "PUT /rulesets/{id}": lambda it: _body({"name": "Renamed"}, id=it.ruleset_id),
    "DELETE /rulesets/{id}": lambda it: Example({"id": it.ruleset_id}),
    "POST /decays": lambda _: _body(DECAY),
    "PUT /decays/{id}": lambda it: _body({"decrease": -30}, id=it.decay_id()),
    "DELETE /decays/{id}": lambda it: Example({"id": it.decay_id()}),
    "POST /filters": lambda _: _body(VELOCITY_FILTER),
    "PUT /filters/{id}": lambda it: _body({"group_events": False}, id=it.filter_id()),
    "DELETE /filters/{id}": lambda it: Example({"id": it.filter_id()}),
    "POST /metadata-filters": lambda _: _body(METADATA_FILTER),
    "PUT /metadata-filters/{id}": lambda it: _body({"enabled": False}, id=it.metadata_filter_id()),
    "DELETE /metadata-filters/{id}": lambda it: Example({"id": it.metadata_filter_id()}),
    "PUT /settings/ou/event-types/{eventType}": lambda _: _body(
        {"hidden": True, "max_processing_scope": "observe"}, eventType="page_view"
    ),
    "PUT /settings/ou/surge-policy": lambda _: _body(SURGE),
    **_level_examples("engagement-levels", LevelKind.ENGAGEMENT),
    **_level_examples("stages", LevelKind.ENGAGEMENT),
    **_level_examples("profile-levels", LevelKind.PROFILE),
    **_level_examples("account-levels", LevelKind.ACCOUNT),
    "PUT /settings/scoring": lambda _: _body({"session_timeout_minutes": 45}),
    "GET /scoring/versions/{version}": lambda it: Example({"version": it.version()}),
    "GET /scoring/versions/{version}/diff/{otherVersion}": lambda it: Example(
        {"version": 1, "otherVersion": it.version()}
    ),
    "POST /scoring/versions/{version}/restore": lambda it: Example({"version": it.version()}),
    "POST /scoring/import": lambda it: _body(scoring.read_config(it.world.scope).to_json()),
    "POST /scoring/drafts": lambda _: _body({"name": "Next year"}),
    "GET /scoring/drafts/{id}": lambda it: Example({"id": it.draft_id()}),
    "PUT /scoring/drafts/{id}": lambda it: _body(
        {"config": scoring.read_config(it.world.scope).to_json()}, id=it.draft_id()
    ),
    "DELETE /scoring/drafts/{id}": lambda it: Example({"id": it.draft_id()}),
    "GET /scoring/drafts/{id}/diff": lambda it: Example({"id": it.draft_id()}),
    "POST /scoring/drafts/{id}/publish": lambda it: _body({}, id=it.draft_id()),
    "POST /org-units": lambda _: _body({"name": "Sales"}),
    "PUT /org-units/{id}": lambda it: _body({"name": "Renamed"}, id=it.unit_id),
    "POST /org-units/{id}/archive": lambda it: Example({"id": _other_unit(it)}),
    "POST /org-units/{id}/restore": lambda it: Example({"id": _other_unit(it, archived=True)}),
    "GET /org-units/archived": _having(lambda it: _other_unit(it, archived=True)),
    "GET /org-units/{id}/leads.csv": lambda it: Example({"id": it.unit_id}),
    "GET /org-units/{id}/events.csv": lambda it: Example({"id": it.unit_id}),
    "PUT /settings/org/rate-limit": lambda _: _body(
        {"mode": "observe", "key_by": "unit", "rps": 50, "burst": 200}
    ),
    "PUT /secrets/{id}/rate-limit": lambda it: _body(
        {"rps": 5, "burst": 20}, id=it.credential_id()
    ),
    "DELETE /secrets/{id}/rate-limit": lambda it: Example({"id": it.credential_id()}),
    "POST /org-units/active": lambda it: _body({"ouId": str(it.unit_id)}),
    "GET /api-keys": _having(lambda it: it.key_id()),
    "POST /api-keys": lambda _: _body({"name": "ERP", "kind": "nexus", "scopes": ["leads.read"]}),
    "DELETE /api-keys/{id}": lambda it: Example({"id": it.key_id()}),
    "POST /secrets": lambda _: _body({"name": "Website"}),
    "PUT /secrets/{id}": lambda it: _body({"trust_upstream_consent": True}, id=it.credential_id()),
    "POST /members": lambda _: _body(NEW_MEMBER),
    "PUT /members/{id}": lambda it: _body({"first_name": "Grace"}, id=it.member_id()),
    "DELETE /members/{id}": lambda it: Example({"id": it.member_id()}),
    "GET /org-units/{id}/members": lambda it: Example({"id": it.unit_id}),
    "POST /org-units/{id}/members": lambda it: _body(
        {"org_member_id": str(it.member_id()), "role": "Operator"}, id=it.unit_id
    ),
    "PUT /org-units/{id}/members/{memberId}": lambda it: _body(
        {"role": "Operator"}, id=it.unit_id, memberId=it.unit_member_id()
    ),
    "DELETE /org-units/{id}/members/{memberId}": lambda it: Example(
        {"id": it.unit_id, "memberId": it.unit_member_id()}
    ),
    "POST /me/tokens": lambda _: _body({"name": "Script"}),
    "DELETE /me/tokens/{id}": lambda it: Example({"id": it.token_id()}),
    "DELETE /secrets/{id}": lambda it: Example({"id": it.credential_id()}),
}
