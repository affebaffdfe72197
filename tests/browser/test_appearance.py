"""What every page must be at any size and in either theme: whole, and free of complaints."""

from __future__ import annotations

import pytest

from leadvibe.engine.conditions import Joiner
from leadvibe.engine.policies import FieldTest
from leadvibe.engine.triggers import Step, TriggerKind
from leadvibe.imports import queries, service
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.paging import PageRequest
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.queries import list_channels, list_deliveries
from leadvibe.notifications.types import DeliveryFilter
from leadvibe.pipeline import process
from leadvibe.segments import service as segments
from leadvibe.segments.queries import list_segments
from leadvibe.segments.types import RuleDraft, RuleType
from leadvibe.triggers.queries import list_triggers
from tests.api.notification_examples import add_channel, attempt
from tests.api.trigger_examples import add_trigger, emit
from tests.factories import make_member
from tests.notifications.posting import post

SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
LONG = "a-very-long-identifier-that-nobody-broke-into-words-" * 3


@pytest.fixture
def furnished(site, security):
    """A unit where every page has something to show, some of it longer than it should be."""
    world = site.world
    world.add_rule("page_view", 3)
    world.add_rule(LONG[:150], -2, world.add_ruleset("Product usage of our own people"))
    world.happen("page_view", LONG, email=f"{'x' * 60}@acme.test", title=LONG, nested={"a": [LONG]})
    world.happen(LONG[:150], LONG)
    world.fail()
    make_member(site.people.organization, f"{'x' * 60}@{'y' * 60}.test", security=security)
    upload(site, f"event_type,email\n{LONG},\n")
    add_segments(world)
    add_deliveries(world, LONG)
    add_triggers(world)
    return site


def add_triggers(world):
    """Make a sequence whose words are long, with all there can be about it, that has fired."""
    step = Step(LONG[:150], (FieldTest(LONG, "contains", LONG),))
    trigger = add_trigger(
        world, TriggerKind.SEQUENCE, name=LONG[:100], steps=(step, Step("page_view")),
        attribute_tests=(FieldTest(LONG, "equals", LONG),), emails=(f"{'x' * 60}@acme.test",),
        slack_target_id="C" * 60, email_message=LONG,
    )  # fmt: skip
    emit(world, trigger, lead_id=LONG, summary=LONG)


def add_segments(world):
    """Make a segment with a rule of each kind, and one that nobody is in."""
    rules = [
        RuleDraft(rule_type=RuleType.EVENT_METADATA, event_type="page_view", field="title",
                  operator="exists", order=0),
        RuleDraft(rule_type=RuleType.LEAD_METADATA, field=LONG, operator="contains", value=LONG,
                  logic_op=Joiner.OR, order=1, active=False),
        RuleDraft(rule_type=RuleType.ENGAGEMENT_LEVEL, operator="equals", value="Cold",
                  logic_op=Joiner.OR, group=1, order=2),
    ]  # fmt: skip
    for name, of_it in ((LONG[:100], rules), ("Empty", [])):
        fields = {"name": name, "description": LONG, "active": True}
        segments.save_segment(world.principal, world.scope, None, fields, of_it, now=utc_now())
    commit()


def add_deliveries(world, lead_id):
    """Tell a notice to a long address, where it is refused at length."""
    refused = TransportError("no", reason=LONG, is_temporary=True, request=LONG, response=LONG)
    post(world.scope, f"https://hooks.acme.test/{LONG}?token={LONG}", lead_id=lead_id)
    attempt(refused)
    add_channel(world, "webhook", url=f"https://hooks.acme.test/{LONG}")


def upload(site, text):
    """Import a file as a member would, and read it."""
    page = site.visit(site.people.operator, "/app/imports")
    content = {"name": f"{LONG}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.locator("input[type=file]").set_input_files(content)
    page.wait_for_url("**/app/imports/*-*")
    page.goto("about:blank")
    [progress] = queries.list_progress(site.world.scope, limit=1, now=utc_now())
    service.advance_import(
        site.world.scope, progress.file.import_id, ring=lambda: None, is_stopping=lambda: False
    )
    process.drain(site.world.scope)
    commit()


def pages_of_notifications(scope):
    """Return the pages of what is sent, and of where it goes."""
    [delivery] = list_deliveries(scope, DeliveryFilter(), PageRequest())
    [channel] = list_channels(scope)
    settings = "/app/settings/notifications"
    return [
        "/app/deliveries", f"/app/deliveries?destination_id={delivery.destination_id}",
        f"/app/deliveries/{delivery.delivery_id}", "/app/deliveries/destinations",
        f"/app/deliveries/destinations/{delivery.destination_id}/secret", settings,
        f"{settings}/channels/new/email", f"{settings}/channels/new/slack",
        f"{settings}/channels/{channel.channel_id}", "/app/settings/integrations",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_its_window_nor_complains(furnished, size, scheme):
    page = furnished.visit(furnished.people.admin, viewport=SIZES[size], color_scheme=scheme)
    [progress] = queries.list_progress(furnished.world.scope, limit=1, now=utc_now())
    [trigger] = list_triggers(furnished.world.scope)
    [long_one] = [it for it in list_segments(furnished.world.scope) if it.name != "Empty"]
    segment = f"/app/segments/{long_one.segment_id}"
    paths = [
        "/app/leads", "/app/leads?level=Cold&min_score=1&q=x", "/app/leads?sort=colour",
        f"/app/leads/{LONG}", f"/app/leads/{LONG}?window=7d", "/app/scoring", "/app/imports",
        f"/app/imports/{progress.file.import_id}", "/app/dead-letters", "/app/credentials",
        "/app/account/password", "/app/leads/nobody", "/app/members", "/docs", "/docs/leads",
        "/app/triggers", "/app/triggers?kind=sequence",
        "/app/triggers/pattern/new", f"/app/triggers/sequence/{trigger.trigger_id}",
        "/app/triggers/history", f"/app/triggers/history?lead_id={LONG}",
        "/docs/configuration", "/app/segments", "/app/segments/new", segment, f"{segment}/edit",
        f"{segment}/members/{LONG}", *pages_of_notifications(furnished.world.scope),
    ]  # fmt: skip

    for path in paths:
        page.goto(path)
        for closed in page.locator("main details").all():
            closed.evaluate("element => element.open = true")

        too_wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert (path, too_wide) == (path, 0)
        assert page.locator("h1").count() == 1


def test_the_menu_of_a_narrow_screen_leads_everywhere(furnished):
    page = furnished.visit(furnished.people.viewer, viewport=SIZES["narrow"])

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Scoring", exact=True).click()

    page.wait_for_url("**/app/scoring")


def test_everything_on_a_page_has_a_name_for_screen_readers(furnished):
    page = furnished.visit(furnished.people.owner)

    [trigger] = list_triggers(furnished.world.scope)
    [long_one] = [it for it in list_segments(furnished.world.scope) if it.name != "Empty"]
    segment = f"/app/segments/{long_one.segment_id}"
    for path in (
        "/app/leads", f"/app/leads/{LONG}", "/app/scoring", "/app/imports", "/docs/leads",
        "/app/segments", segment, f"{segment}/edit",
        *pages_of_notifications(furnished.world.scope),
        "/app/triggers?kind=sequence", f"/app/triggers/sequence/{trigger.trigger_id}",
        "/app/triggers/history",
    ):  # fmt: skip
        page.goto(path)
        nameless = page.evaluate("""() => [...document.querySelectorAll(
            "button, a[href], input:not([type=hidden]), select, textarea, summary")]
          .filter(element => !(element.textContent.trim() || element.ariaLabel || element.title
            || element.labels?.length || element.ariaLabelledByElements?.length))
          .map(element => element.outerHTML.slice(0, 200))""")
        assert (path, nameless) == (path, [])
