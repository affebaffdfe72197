"""Rows to measure with: a unit, its keys, and as many leads as wanted, written by SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from leadvibe.engine.triggers import Count, Step, TriggerKind
from leadvibe.identity import queries as identity_queries
from leadvibe.identity import service as identity
from leadvibe.identity.security import Security
from leadvibe.identity.types import OrgRole, Principal, Scope, UnitRole, Via
from leadvibe.leads import service as leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, db, driver
from leadvibe.pipeline import setup
from leadvibe.scoring import items
from leadvibe.scoring import queries as scoring_queries
from leadvibe.scoring import service as scoring
from leadvibe.scoring.types import ItemKind
from leadvibe.triggers import service as triggers

EVERYTHING: tuple[tuple[ItemKind, dict[str, object]], ...] = (
    (ItemKind.VELOCITY_FILTER, {
        "event_type": "event_03", "count_threshold": 5, "time_window_ms": 60_000,
        "group_events": False,
    }),
    (ItemKind.VELOCITY_FILTER, {
        "event_type": "event_04", "count_threshold": 3, "time_window_ms": 600_000,
        "group_events": True,
    }),
    (ItemKind.METADATA_FILTER, {
        "name": "Our own", "event_type": "", "enabled": True,
        "conditions": [{"key": "path", "operator": "equals", "value": "/page/49"}],
    }),
    (ItemKind.PROFILE_MAPPING, {
        "source_field": "path", "target_property": "last_path", "update_behavior": "always_latest",
    }),
    (ItemKind.PROFILE_MAPPING, {
        "source_field": "utm_source", "target_property": "campaign", "update_behavior": "set_once",
    }),
    (ItemKind.DECAY, {"inactive_for": 7, "unit": "days", "decrease": 5}),
)  # fmt: skip

EMAIL, PASSWORD = "bench@leadvibe.example", "a long bench password"
EVENT_TYPES = [f"event_{number:02d}" for number in range(24)]

FILL_LEADS = """
    INSERT INTO leads (unit_id, lead_id, name, detail, metadata, source, created_at, updated_at,
                       score, ruleset_id, last_event_at, last_event_type, event_count,
                       session_count)
    SELECT %(unit)s, 'bench_' || n, 'Person ' || n, 'Company ' || n %% 5000,
           jsonb_strip_nulls(jsonb_build_object(
               'company', 'Company ' || n %% 5000, 'source', 'source ' || n %% 7,
               'value', nullif(n %% 3, 0) * 1000, 'currency', 'EUR',
               'next_call_at', CASE WHEN n %% 10 = 1
                   THEN to_char(now() - n %% 999 * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
               END)), 'bench',
           now() - n * interval '1 minute', now(),
           (abs(hashint4(n)) %% 1000 * (abs(hashint4(n + 1)) %% 1000)) / 5000, %(ruleset)s,
           now() - (abs(hashint4(n + 2)) %% 100000) * interval '1 minute',
           'event_' || lpad((n %% 24)::text, 2, '0'), n %% 40, n %% 9
    FROM generate_series(1, %(count)s) n
"""
FILL_RECORDS = """
    INSERT INTO lead_records (unit_id, lead_id, intake, created_at, updated_at, status, outcome,
                              name, email, company, source, value, currency, next_call_at)
    SELECT unit_id, lead_id, 'inbound', created_at, now(), said.status, said.outcome,
           name, lead_id || '@bench.example', metadata->>'company', metadata->>'source',
           (metadata->>'value')::float8, metadata->>'currency',
           (metadata->>'next_call_at')::timestamptz
    FROM leads, LATERAL (VALUES
        (0, 'not_contacted', 'open'), (1, 'contacted', 'open'), (2, 'qualified', 'qualified'),
        (3, 'converted', 'won'), (4, 'lost', 'lost')
    ) said (number, status, outcome)
    WHERE unit_id = %(unit)s AND number = greatest(0, abs(hashtext(lead_id)) %% 9 - 4)
"""
FILL_SCORES = """
    INSERT INTO lead_scores (unit_id, lead_id, ruleset_id, score, seq, updated_at)
    SELECT unit_id, lead_id, ruleset_id, score, 1, now() FROM leads WHERE unit_id = %(unit)s
"""
FILL_SEARCH = """
    INSERT INTO lead_search (unit_id, lead_id, text, grams)
    SELECT unit_id, lead_id, lower(content), search_terms(unit_id, content)
    FROM leads, concat(name, E'\\n', detail) AS content WHERE unit_id = %(unit)s
"""


@dataclass(frozen=True)
class Place:
    scope: Scope
    principal: Principal
    client_id: str
    client_secret: str


def make_place(security: Security, name: str = "Bench", email: str = EMAIL) -> Place:
    """Make an organisation with an admin, API credentials, and two rulesets of 24 rules."""
    now = utc_now()
    organization = setup.ensure_organization(name, by="bench", now=now)
    unit = identity_queries.get_default_unit(organization.org_id)
    member = identity.create_member(
        organization.org_id, email=email, role=OrgRole.ADMIN, password=PASSWORD,
        security=security, now=now,
    )  # fmt: skip
    identity.set_membership(unit.scope, member.org_member_id, role=UnitRole.OWNER, now=now)
    principal = Principal(
        org_id=organization.org_id, via=Via.COMMAND, org_role=OrgRole.ADMIN,
        unit_id=unit.unit_id, label="bench",
    )  # fmt: skip
    made = identity.create_credential(unit.scope, name="bench", created_by=None, now=now)
    first = scoring_queries.find_primary(unit.scope)
    second = scoring.create_ruleset(principal, unit.scope, {"name": "Second"}, now=now)
    for number, event_type in enumerate(EVENT_TYPES):
        for ruleset in (first, second):
            rule = {"event_type": event_type, "weight": number % 9 - 2}
            scoring.create_rule(principal, unit.scope, ruleset.ruleset_id, rule, now=now)
    commit()
    return Place(unit.scope, principal, made.credential.client_id, made.client_secret)


def switch_everything_on(place: Place) -> None:
    """Give the unit surge, three filters, two mappings, a profile ruleset and a decay rule."""
    for kind, body in EVERYTHING:
        items.create_item(place.principal, place.scope, kind, body, summary="Bench", now=utc_now())
    ruleset = items.create_item(
        place.principal, place.scope, ItemKind.PROFILE_RULESET,
        {"name": "Fit", "enabled": True, "is_primary": True}, summary="Bench", now=utc_now(),
    )  # fmt: skip
    for order, (key, value) in enumerate((("last_path", "/page/7"), ("campaign", "bench"))):
        body = {
            "ruleset_id": str(ruleset.item_id), "weight": 10, "order": order,
            "test": {"key": key, "operator": "equals", "value": value},
        }  # fmt: skip
        items.create_item(
            place.principal,
            place.scope,
            ItemKind.PROFILE_RULE,
            body,
            summary="Bench",
            now=utc_now(),
        )
    commit()


def add_triggers(place: Place) -> None:
    """Give the unit ten triggers of all kinds, whose sequences and surges most events belong to."""
    hour = 3_600
    wanted: list[tuple[TriggerKind, dict[str, object]]] = [
        *((TriggerKind.MILESTONE, {"score_threshold": score}) for score in (20, 50, 80)),
        *(
            (TriggerKind.SEQUENCE, {
                "steps": (Step(f"event_0{number}"), Step(f"event_1{number}")),
                "window_seconds": 24 * hour, "ordered": number != 1, "hubspot_sync": True,
            })
            for number in (1, 2, 3)
        ),
        *(
            (TriggerKind.PATTERN, {
                "counts": (Count(Step(f"event_0{number}"), 3), Count(Step("event_11"))),
                "window_seconds": 24 * hour,
            })
            for number in (4, 5)
        ),
        (TriggerKind.SURGE, {
            "threshold_count": 8, "window_seconds": hour, "webhook_url": "https://a.example",
        }),
        (TriggerKind.SURGE, {
            "threshold_count": 20, "window_seconds": 24 * hour,
            "webhook_url": "https://b.example",
        }),
    ]  # fmt: skip
    for kind, given in wanted:
        triggers.create_trigger(place.principal, place.scope, kind, given, now=utc_now())
    commit()


def fill_leads(scope: Scope, count: int) -> None:
    ruleset = scoring_queries.find_primary(scope)
    bound = {"unit": scope.unit_id, "ruleset": ruleset.ruleset_id, "count": count}
    for statement in (FILL_LEADS, FILL_RECORDS, FILL_SCORES, FILL_SEARCH):
        driver().execute(statement, bound)
    commit()
    leads.recount_listed(scope)
    commit()
    settle()


def settle() -> None:
    """Do what autovacuum would do in a minute, so that it does not run while we measure."""
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")


def make_events(count: int, *, people: int, seed: int = 7) -> list[dict[str, object]]:
    """Return events in order of time, as a sender would write them."""
    random = Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        {
            "event_type": random.choice(EVENT_TYPES),
            "aliases": [
                {"alias_kind": "email", "raw_value": f"p{random.randrange(people)}@bench.example"}
            ],
            "timestamp": (start + timedelta(seconds=30 * number)).isoformat(),
            "metadata": {"path": f"/page/{number % 50}", "utm_source": "bench", "n": number},
        }
        for number in range(count)
    ]


def as_body(events: object) -> bytes:
    return json.dumps(events).encode()
