"""Things in the database: pass only what the test is about. Nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from leadvibe.engine.policies import SURGE_OFF, Policies, SurgePolicy
from leadvibe.engine.triggers import Filters, FireMode, Shape, TriggerKind, to_json
from leadvibe.events.types import Arrival
from leadvibe.identity import queries, service
from leadvibe.identity.security import Security
from leadvibe.identity.types import (
    Member,
    NewCredential,
    Organization,
    OrgRole,
    Principal,
    Scope,
    Unit,
    UnitRole,
    Via,
)
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import driver, session
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import intake, setup
from leadvibe.pipeline.intake import IncomingEvent
from leadvibe.scoring import items, policies
from leadvibe.scoring import queries as scoring_queries
from leadvibe.scoring import service as scoring
from leadvibe.scoring.types import ConfigItem, ItemKind, Rule, Ruleset
from leadvibe.segments import service as segments
from leadvibe.segments.types import RuleDraft, Segment
from leadvibe.triggers import queries as trigger_queries
from leadvibe.triggers.models import TriggerRow
from leadvibe.triggers.queries import RECIPIENTS
from leadvibe.triggers.types import Recipients, Trigger

_numbers = count(1)


# Identity


def make_organization(name: str = "Acme") -> Organization:
    return service.create_organization(name, now=utc_now())


def make_unit(
    organization: Organization | None = None, name: str = "Sales", *, is_default: bool = False
) -> Unit:
    """Make a unit, or return the default one that came with the organisation."""
    owner = organization or make_organization()
    if is_default:
        return queries.get_default_unit(owner.org_id)
    return service.create_unit(owner.org_id, name=name, now=utc_now())


def make_member(
    organization: Organization,
    email: str | None = None,
    *,
    security: Security,
    role: OrgRole = OrgRole.MEMBER,
    password: str | None = None,
) -> Member:
    address = email or f"member{next(_numbers)}@acme.test"
    return service.create_member(
        organization.org_id,
        email=address,
        first_name=address.partition("@")[0].title(),
        role=role,
        password=password,
        security=security,
        now=utc_now(),
    )


def make_credential(unit: Unit, name: str = "Website") -> NewCredential:
    return service.create_credential(unit.scope, name=name, created_by=None, now=utc_now())


# Events and what they score


def make_scope(organization: Organization | None = None, *, surges: bool = False) -> Scope:
    """Make a unit that is ready to score: it has levels and a primary ruleset without rules.

    Unless it `surges`, an event is worth its rule's weight wherever it stands in a session.
    """
    owner = organization or make_organization()
    scope = setup.create_unit(
        owner.org_id, name=f"Unit {next(_numbers)}", by="test", now=utc_now()
    ).scope
    if not surges:
        set_surge(scope, SURGE_OFF)
    return scope


def set_surge(scope: Scope, policy: SurgePolicy) -> None:
    body = Policies(surge=policy).to_json()["surge"]
    items.put_item(
        make_principal(scope), scope, ItemKind.SURGE_POLICY, scope.unit_id, body,
        summary="Changed surge", now=utc_now(),
    )  # fmt: skip


def make_decay(
    scope: Scope, inactive_for: int = 1, unit: str = "days", decrease: int = 10
) -> ConfigItem:
    fields = {"inactive_for": inactive_for, "unit": unit, "decrease": decrease}
    return policies.create_decay(make_principal(scope), scope, fields, now=utc_now())


def make_velocity_filter(
    scope: Scope,
    threshold: int = 2,
    seconds: float = 60,
    *,
    event_type: str = "page_view",
    group_events: bool = False,
) -> ConfigItem:
    fields = {
        "event_type": event_type,
        "count_threshold": threshold,
        "time_window_ms": int(seconds * 1000),
        "group_events": group_events,
    }
    return policies.create_velocity_filter(make_principal(scope), scope, fields, now=utc_now())


def make_metadata_filter(
    scope: Scope, *conditions: tuple[str, str, Any], event_type: str = "", enabled: bool = True
) -> ConfigItem:
    """Make a filter of (key, operator, value) conditions."""
    fields = {
        "name": f"Filter {next(_numbers)}",
        "event_type": event_type,
        "conditions": [
            dict(zip(("key", "operator", "value"), it, strict=True)) for it in conditions
        ],
        "enabled": enabled,
    }
    return policies.create_metadata_filter(make_principal(scope), scope, fields, now=utc_now())


def make_principal(scope: Scope) -> Principal:
    """Return an admin of the unit's organisation who is nobody in particular."""
    return Principal(
        org_id=scope.org_id,
        via=Via.COMMAND,
        org_role=OrgRole.ADMIN,
        unit_id=scope.unit_id,
        label="test",
    )


def make_ruleset(scope: Scope, name: str = "Second") -> Ruleset:
    return scoring.create_ruleset(make_principal(scope), scope, {"name": name}, now=utc_now())


def make_rule(
    scope: Scope, event_type: str = "page_view", weight: int = 1, *, ruleset: Ruleset | None = None
) -> Rule:
    """Make a rule in the primary ruleset, or in another."""
    target = ruleset or scoring_queries.find_primary(scope)
    assert target is not None
    fields = {"event_type": event_type, "weight": weight}
    return scoring.create_rule(
        make_principal(scope), scope, target.ruleset_id, fields, now=utc_now()
    )


def make_event(event_type: str = "page_view", **fields: Any) -> IncomingEvent:
    """Make an event as a sender would: `email`, `cookie` and the like are its aliases."""
    aliases = [
        {"alias_kind": kind, "raw_value": fields.pop(kind)} for kind in AliasKind if kind in fields
    ]
    if not aliases and "lead_id" not in fields:
        fields["lead_id"] = "lead"
    return IncomingEvent.model_validate({"event_type": event_type, "aliases": aliases, **fields})


def send(scope: Scope, *events: IncomingEvent, source: str = "test") -> list[Arrival]:
    """Put events into the inbox of a unit."""
    return intake.accept(scope, events, source=source, now=utc_now())


# Triggers


def make_segment(scope: Scope, rules: Sequence[RuleDraft], name: str = "Segment") -> Segment:
    """Name an audience."""
    fields = {"name": name, "description": "", "active": True}
    return segments.save_segment(make_principal(scope), scope, None, fields, rules, now=utc_now())


def make_trigger(
    scope: Scope,
    shape: Shape,
    *,
    name: str = "",
    created_at: datetime | None = None,
    filters: Filters | None = None,
    fire_mode: FireMode = FireMode.ONCE,
    cooldown_seconds: int = 0,
    active: bool = True,
    **recipients: Any,
) -> Trigger:
    """Make a trigger that has been there for long; it tells a webhook unless it is told whom."""
    kind = TriggerKind(type(shape).__name__.lower())
    trigger_id, at = new_id(), created_at or datetime(2020, 1, 1, tzinfo=UTC)
    told = Recipients(**(recipients or {"webhook_url": "https://hooks.example.com/leads"}))
    session().add(
        TriggerRow(
            unit_id=scope.unit_id, trigger_id=trigger_id, kind=kind, name=name or f"{kind} trigger",
            description="", active=active, fire_mode=fire_mode, cooldown_seconds=cooldown_seconds,
            window_unit="seconds", shape=to_json(shape), filters=to_json(filters or Filters()),
            recipients=RECIPIENTS.dump_python(told, mode="json"), created_at=at, updated_at=at,
            created_by="test", updated_by="test",
        )
    )  # fmt: skip
    session().flush()
    return trigger_queries.get_trigger(scope, kind, trigger_id)


def make_member_reachable(scope: Scope, member: Member, role: UnitRole = UnitRole.OPERATOR) -> None:
    """Let a member see the unit, so that they can be told of its leads."""
    driver().execute(
        "INSERT INTO memberships (unit_id, org_member_id, role, created_at)"
        " VALUES (%s, %s, %s, %s)",
        (scope.unit_id, member.org_member_id, role.value, utc_now()),
    )
