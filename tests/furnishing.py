"""A unit where every page has something to show, some of it longer than it should be."""

from __future__ import annotations

import io
from collections.abc import Callable

from leadvibe.engine.conditions import Joiner
from leadvibe.engine.policies import AttributeRule, AttributeRuleset, FieldTest
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import Step, TriggerKind
from leadvibe.identity.security import Security
from leadvibe.imports import queries, service
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.ids import new_id
from leadvibe.notifications.errors import TransportError
from leadvibe.pipeline import editing, process
from leadvibe.scoring import drafts
from leadvibe.scoring import editing as editing_rules
from leadvibe.scoring.queries import get_draft_config
from leadvibe.scoring.settings import update_settings
from leadvibe.scoring.templates import TEMPLATES, apply_template
from leadvibe.segments.types import RuleDraft, RuleType
from tests.api.notification_examples import add_channel, attempt
from tests.api.trigger_examples import add_trigger, emit
from tests.factories import make_member, make_segment
from tests.notifications.posting import post
from tests.people import People
from tests.rescoring.walks import preview
from tests.world import World

LONG = "a-very-long-identifier-that-nobody-broke-into-words-" * 3
"""Also the id of a lead."""

Upload = Callable[[bytes, str], object]
"""Imports a file of events, given its content and name, as a member would."""


def furnish(world: World, people: People, *, security: Security, upload: Upload) -> None:
    world.add_rule("page_view", 3)
    world.add_rule(LONG[:150], -2, world.add_ruleset("Product usage of our own people"))
    world.happen("page_view", LONG, email=f"{'x' * 60}@acme.test", title=LONG, nested={"a": [LONG]})
    world.happen(LONG[:150], LONG)
    world.fail()
    make_member(people.organization, f"{'x' * 60}@{'y' * 60}.test", security=security)
    commit()
    upload(f"event_type,email\n{LONG},\n".encode(), f"{LONG}.csv")
    _read_upload(world)
    _add_segments(world)
    _add_deliveries(world)
    _add_triggers(world)
    _add_account(world)
    _add_draft(world)


def upload_by(browser) -> Upload:
    """Return an upload in the name of whom a browser of the test belongs to."""

    def upload(content: bytes, filename: str) -> None:
        answer = browser.post("/app/imports", {"file": (io.BytesIO(content), filename)})
        assert answer.status_code == 303

    return upload


def _read_upload(world: World) -> None:
    [progress] = queries.list_progress(world.scope, limit=1, now=utc_now())
    service.advance_import(
        world.scope, progress.file.import_id, ring=lambda: None, is_stopping=lambda: False
    )
    process.drain(world.scope)
    commit()


def _add_triggers(world: World) -> None:
    """Make a sequence whose words are long, with all there can be about it, that has fired."""
    step = Step(LONG[:150], (FieldTest(LONG, "contains", LONG),))
    trigger = add_trigger(
        world, TriggerKind.SEQUENCE, name=LONG[:100], steps=(step, Step("page_view")),
        attribute_tests=(FieldTest(LONG, "equals", LONG),), emails=(f"{'x' * 60}@acme.test",),
        slack_target_id="C" * 60, email_message=LONG,
    )  # fmt: skip
    emit(world, trigger, lead_id=LONG, summary=LONG)


def _add_segments(world: World) -> None:
    """Make a segment with a rule of each kind, and one that nobody is in."""
    rules = [
        RuleDraft(rule_type=RuleType.EVENT_METADATA, event_type="page_view", field="title",
                  operator="exists", order=0),
        RuleDraft(rule_type=RuleType.LEAD_METADATA, field=LONG, operator="contains", value=LONG,
                  logic_op=Joiner.OR, order=1, active=False),
        RuleDraft(rule_type=RuleType.ENGAGEMENT_LEVEL, operator="equals", value="Cold",
                  logic_op=Joiner.OR, group=1, order=2),
    ]  # fmt: skip
    make_segment(world.scope, rules, LONG[:100])
    make_segment(world.scope, [], "Empty")
    commit()


def _add_account(world: World) -> None:
    """Make an account of a long name, with a long property, that the lead belongs to."""
    update_settings(world.principal, world.scope, {"abm_enabled": True}, now=utc_now())
    editing.move_lead(world.scope, LONG, LONG, now=utc_now())
    editing.patch_account(world.scope, LONG, {"name": LONG, LONG: LONG}, now=utc_now())
    commit()


def _add_draft(world: World) -> None:
    """Draft rules with long names, about events and about leads, and preview them."""

    def change(config: Config) -> Config:
        fit = AttributeRuleset(new_id(), LONG[:100])
        config = editing_rules.add_ruleset(config, LevelKind.PROFILE, fit)
        rule = AttributeRule(new_id(), FieldTest(LONG, "contains", LONG), 10)
        config = editing_rules.add_rule(config, LevelKind.PROFILE, fit.ruleset_id, rule)
        return apply_template(config, TEMPLATES[0], now=utc_now())

    draft = drafts.create_draft(
        world.principal, world.scope, LONG[:100], change=change, now=utc_now()
    )
    config = get_draft_config(world.scope, draft.draft_id)
    preview(world.scope, config, subject=f"draft {draft.name}")
    commit()


def _add_deliveries(world: World) -> None:
    """Tell a notice to a long address, where it is refused at length."""
    refused = TransportError("no", reason=LONG, is_temporary=True, request=LONG, response=LONG)
    post(world.scope, f"https://hooks.acme.test/{LONG}?token={LONG}", lead_id=LONG)
    attempt(refused)
    add_channel(world, "webhook", url=f"https://hooks.acme.test/{LONG}")
