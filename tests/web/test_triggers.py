"""Triggers on their pages: listed, built, tried and looked back at, by those who may."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from leadvibe.engine.policies import FieldTest, Reach
from leadvibe.engine.triggers import (
    Count,
    Filters,
    FireMode,
    Milestone,
    Step,
    TriggerKind,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, session
from leadvibe.lib.paging import PageRequest
from leadvibe.notifications.models import ChannelRow
from leadvibe.notifications.queries import list_destinations
from leadvibe.notifications.types import Happening
from leadvibe.scoring.event_types import decide_event_type
from leadvibe.triggers import queries, service
from leadvibe.triggers.types import EmittedFilter
from tests.api.slack_examples import CHANNEL, connect
from tests.api.trigger_examples import DAY, HOOK, add_trigger, emit
from tests.web.pages import htmx, links_in

TRIGGERS = "/app/triggers"
HISTORY = f"{TRIGGERS}/history"
COMMON = {"fire_mode": "once", "cooldown": "", "cooldown_unit": "days"}
SENT = {
    TriggerKind.MILESTONE: {**COMMON, "score_threshold": "80", "emails": "a@acme.test"},
    TriggerKind.SEQUENCE: {
        **COMMON, "steps-0-event_type": "pricing_view", "steps-1-event_type": "demo_request",
        "ordered": "y", "window": "2", "window_unit": "days", "webhook_url": HOOK,
    },
    TriggerKind.PATTERN: {
        **COMMON, "steps-0-event_type": "page_view", "steps-0-min_count": "3", "window": "1",
        "window_unit": "hours",
    },
    TriggerKind.SURGE: {
        **COMMON, "fire_mode": "always", "threshold_count": "10", "window": "15",
        "window_unit": "minutes", "emails": "a@acme.test",
    },
}  # fmt: skip


def new_path(kind):
    return f"{TRIGGERS}/{kind}/new"


def path_of(trigger, end=""):
    return f"{TRIGGERS}/{trigger.kind}/{trigger.trigger_id}{end}"


def typed(page):
    """Return what a form holds, as a browser would send it."""
    form = page[page.index('<form class="loadable stack"') :]
    form = form[: form.index("</form>")]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_off = found.get("type") in {"checkbox", "radio"} and not re.search(r"\bchecked", tag)
        if "name" in found and not is_off:
            sent.setdefault(found["name"], []).append(unescape(found.get("value", "")))
    selects = re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL)
    for name, options in selects:
        chosen = re.search(r'<option selected value="([^"]*)"|value="([^"]*)" selected', options)
        first = re.search(r'value="([^"]*)"', options)
        picked = chosen or first
        value = next(it for it in picked.groups() if it is not None) if picked else ""
        sent[name] = [unescape(value)]
    sent["email_message"] = [
        unescape(it).removeprefix("\r\n")
        for it in re.findall(r"<textarea[^>]*>(.*?)</textarea>", form, re.DOTALL)
    ]
    del sent["csrf_token"]
    return sent


def save(browser, path, sent, **headers):
    return browser.post(path, {**sent, "do": "save"}, headers=headers)


def only(world, kind):
    [trigger] = queries.list_triggers(world.scope, kind)
    return trigger


@pytest.mark.parametrize("kind", TriggerKind)
def test_an_empty_list_says_what_the_kind_is_for(browse, people, world, kind):
    page = browse(people.operator).get(f"{TRIGGERS}?kind={kind}").text

    assert f"No {kind}s yet" in page
    assert links_in(page, new_path(kind))
    assert not links_in(browse(people.viewer).get(f"{TRIGGERS}?kind={kind}").text, "/new")


def test_without_any_all_kinds_are_offered(browse, people, world):
    page = browse(people.operator).get(f"{TRIGGERS}?kind=odd").text

    assert "No triggers yet" in page
    assert all(links_in(page, new_path(kind)) for kind in TriggerKind)
    assert not links_in(browse(people.viewer).get(TRIGGERS).text, "/new")


def test_triggers_of_all_kinds_stand_in_one_list(browse, people, world):
    made = [add_trigger(world, kind) for kind in TriggerKind]
    browser = browse(people.operator)

    page = browser.get(TRIGGERS).text

    assert all(f'id="trigger-{it.trigger_id}"' in page for it in made)
    assert "Sequence: " in page
    surges = browser.get(f"{TRIGGERS}?kind=surge").text
    assert [f'id="trigger-{it.trigger_id}"' in surges for it in made] == [False] * 3 + [True]
    answer = browser.post(f"{path_of(made[3], '/active')}?list=all", {"active": "0"})
    assert answer.location == TRIGGERS


def test_the_list_says_when_it_fired_last_and_how_often_in_a_week(browse, people, world):
    trigger, now = add_trigger(world, TriggerKind.MILESTONE), utc_now()
    browser = browse(people.viewer)
    assert "Never" in browser.get(TRIGGERS).text
    for days in (1, 2, 9):
        emit(world, trigger, fired_at=now - timedelta(days=days))

    page = browser.get(TRIGGERS).text

    assert ">2 times</a>" in page
    assert f'<time datetime="{(now - timedelta(days=1)).isoformat()[:19]}Z">' in page


def test_a_destination_that_fails_stands_at_its_trigger(browse, people, world):
    add_trigger(world, TriggerKind.SURGE)
    [destination] = list_destinations(world.scope, PageRequest(1, 5))
    browser = browse(people.viewer)
    settled = {"now": utc_now(), "id": destination.destination_id}
    assert "Arrives" not in browser.get(TRIGGERS).text

    driver().execute(
        "UPDATE destinations SET last_delivered_at = %(now)s WHERE destination_id = %(id)s", settled
    )
    commit()
    assert "Arrives" in browser.get(TRIGGERS).text

    driver().execute(
        "UPDATE destinations SET failures = 2, problem = 'it answered 500'"
        " WHERE destination_id = %(id)s",
        settled,
    )
    commit()
    page = browser.get(TRIGGERS).text
    assert "Failing" in page
    assert "it answered 500" in page
    assert links_in(page, f"/app/deliveries?destination_id={destination.destination_id}")


def test_a_list_takes_as_many_statements_however_long_it_is(browse, people, world, statements):
    browser = browse(people.viewer)
    add_trigger(world, TriggerKind.SURGE)
    add_trigger(world, TriggerKind.MILESTONE)
    browser.get(TRIGGERS)
    statements.clear()
    browser.get(TRIGGERS)
    few = len(statements)
    for kind in TriggerKind:
        add_trigger(world, kind)
    statements.clear()

    browser.get(TRIGGERS)

    assert len(statements) == few


def test_a_copy_opens_in_its_form_and_is_paused(browse, people, world):
    trigger, browser = (
        add_trigger(world, TriggerKind.PATTERN, name="Eager"),
        browse(people.operator),
    )

    answer = browser.post(path_of(trigger, "/copy"))

    copied = next(
        it for it in queries.list_triggers(world.scope) if it.trigger_id != trigger.trigger_id
    )
    assert answer.location == path_of(copied)
    assert (copied.name, copied.active, copied.shape) == ("Eager copy", False, trigger.shape)
    assert "It is paused until you make it active." in browser.get(answer.location).text
    assert browse(people.viewer).post(path_of(trigger, "/copy")).status_code == 403
    assert browse(people.stranger).post(path_of(trigger, "/copy")).status_code in {403, 404}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (TriggerKind.MILESTONE, "Score reaches 80 in Engagement on any event"),
        (TriggerKind.SEQUENCE, "pricing_view, then demo_request within 2 days"),
        (TriggerKind.PATTERN, "page_view 3 times within 1 hour"),
        (TriggerKind.SURGE, "Anything 10 times within 15 minutes"),
    ],
)
def test_a_trigger_of_each_kind_is_made_without_scripts(browse, people, world, kind, words):
    browser = browse(people.operator)
    assert browser.get(new_path(kind)).status_code == 200

    answer = save(browser, new_path(kind), SENT[kind])

    assert answer.status_code == 303
    page = unescape(browser.get(answer.location).text)
    assert words.replace("Engagement", world.primary.name) in page
    assert "is saved." in page
    assert only(world, kind).created_by == people.operator.email


def test_the_list_says_for_whom_who_is_told_and_how_often(browse, people, world):
    level = "Hot"
    trigger = add_trigger(
        world, TriggerKind.MILESTONE, name="Ready", score_threshold=80, emails=("a@acme.test",),
        webhook_url=HOOK, fire_mode=FireMode.ALWAYS, cooldown_seconds=2 * DAY,
        engagement_levels=(level,), attribute_tests=(FieldTest("country", "equals", "DE"),),
    )  # fmt: skip
    for _ in range(3):
        emit(world, trigger)

    page = unescape(browse(people.viewer).get(TRIGGERS).text)

    assert "If engagement level is Hot and country is DE" in page
    assert "the webhook at example.com and a@acme.test" in page
    assert "Each time, at most once in 2 days" in page
    assert (
        f'href="{HISTORY}?trigger_id={trigger.trigger_id}" title="Show when, and for whom">3 times'
        in page
    )


def test_what_is_hidden_held_back_or_gone_is_warned_of(browse, people, world):
    world.happen("page_view", "ann")
    world.happen("demo", "ann")
    add_trigger(world, TriggerKind.SEQUENCE, steps=(Step("page_view"), Step("demo")))
    decide_event_type(world.principal, world.scope, "page_view", hidden=True, now=utc_now())
    decide_event_type(world.principal, world.scope, "demo", reach=Reach.DECIDE, now=utc_now())

    page = unescape(browse(people.viewer).get(f"{TRIGGERS}?kind=sequence").text)

    assert "Triggers do not hear “page_view”: that event type is hidden." in page
    assert "Triggers do not hear “demo”: that event type is held back from them." in page


def test_a_trigger_that_tells_nobody_says_so(browse, people, world):
    add_trigger(world, TriggerKind.MILESTONE)

    assert "It tells nobody" in browse(people.viewer).get(TRIGGERS).text


def test_it_is_switched_off_and_on(browse, people, world):
    trigger, browser = add_trigger(world, TriggerKind.SURGE), browse(people.operator)

    answer = browser.post(path_of(trigger, "/active"), {"active": "0"})

    assert answer.location == f"{TRIGGERS}?kind=surge"
    assert not only(world, TriggerKind.SURGE).active
    assert browser.post(path_of(trigger, "/active"), {"active": "2"}).status_code == 400
    browser.post(path_of(trigger, "/active"), {"active": "1"})
    assert only(world, TriggerKind.SURGE).active


def test_a_deleted_trigger_leaves_its_history(browse, people, world):
    trigger, browser = add_trigger(world, TriggerKind.MILESTONE), browse(people.operator)
    emit(world, trigger)

    browser.post(path_of(trigger, "/delete"))

    assert queries.list_triggers(world.scope) == []
    page = browser.get(f"{HISTORY}?trigger_id={trigger.trigger_id}").text
    assert "reached 5 points" in page
    assert "First points (deleted)" in page


FULL = {
    TriggerKind.MILESTONE: {
        "name": "Ready", "description": "For sales", "score_threshold": 80,
        "event_type": "demo_request", "email_subject": "Look", "email_preheader": "Now",
        "email_message": "Call\nthem", "emails": ("a@acme.test", "b@acme.test"),
        "teams_target_id": "https://teams.example.com/flow", "hubspot_sync": True,
        "notify_owner": True, "slack_target_kind": "user", "slack_target_id": "U1",
        "profile_tests": (FieldTest("size", "gt", 50), FieldTest("tags", "in", ["a", "b"])),
        "attribute_tests": (FieldTest("country", "exists"),), "engagement_levels": ("Hot", "Cold"),
    },
    TriggerKind.SEQUENCE: {
        "steps": (Step("a", (FieldTest("n", "gte", 5), FieldTest("ok", "equals", True))), Step("")),
        "window_seconds": 3 * DAY, "ordered": True, "webhook_url": HOOK,
        "fire_mode": FireMode.ALWAYS, "cooldown_seconds": 90,
    },
    TriggerKind.PATTERN: {
        "counts": (Count(Step("a", (FieldTest("x", "not_exists"),)), 7), Count(Step("b"), 2)),
        "window_seconds": 5_400, "window_unit": "seconds", "profile_levels": ("Unclassified",),
    },
    TriggerKind.SURGE: {
        "threshold_count": 12, "window_seconds": 600, "window_unit": "minutes",
        "event_type": "click", "webhook_url": HOOK, "active": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", TriggerKind)
def test_saving_an_untouched_form_changes_nothing(browse, people, world, kind):
    trigger = service.create_trigger(world.principal, world.scope, kind, FULL[kind], now=utc_now())
    browser = browse(people.operator)

    answer = save(browser, path_of(trigger), typed(browser.get(path_of(trigger)).text))

    assert answer.status_code == 303
    after = queries.get_trigger(world.scope, kind, trigger.trigger_id)
    assert (after.shape, after.filters) == (trigger.shape, trigger.filters)
    assert (after.recipients, after.pace, after.active) == (
        trigger.recipients, trigger.pace, trigger.active,
    )  # fmt: skip
    assert (after.name, after.description) == (trigger.name, trigger.description)


def test_a_name_that_nobody_gave_follows_the_trigger(browse, people, world):
    browser = browse(people.operator)
    save(browser, new_path("milestone"), SENT[TriggerKind.MILESTONE])
    trigger = only(world, TriggerKind.MILESTONE)
    sent = typed(browser.get(path_of(trigger)).text)

    save(browser, path_of(trigger), {**sent, "score_threshold": "90"})

    assert only(world, TriggerKind.MILESTONE).name == "Score reaches 90"


def test_all_fields_are_stored(browse, people, world):
    second = world.add_ruleset("Second")
    channel = add_channel(world)
    sent = {
        **SENT[TriggerKind.MILESTONE], "name": "Ready", "event_type": "demo",
        "ruleset_id": str(second.ruleset_id), "fire_mode": "always", "cooldown": "3",
        "cooldown_unit": "hours", "emails": "B@acme.test; c@acme.test", "webhook_url": HOOK,
        "engagement_levels": ["Hot"], "channel_ids": [str(channel)], "notify_owner": "y",
        "hubspot_sync": "y", "teams_target_id": "https://teams.example.com/x",
        "slack_target_kind": "channel", "slack_target_id": "C1", "email_message": "Hello\r\nthere",
        "conditions-0-key": "country", "conditions-0-operator": "in",
        "conditions-0-value": "DE, AT", "conditions-1-key": "", "conditions-1-operator": "equals",
        "conditions-1-value": "",
    }  # fmt: skip

    assert save(browse(people.owner), new_path("milestone"), sent).status_code == 303

    made = only(world, TriggerKind.MILESTONE)
    assert made.shape == Milestone(80, "demo", second.ruleset_id)
    assert made.filters == Filters(
        engagement_levels=("Hot",), attribute_tests=(FieldTest("country", "in", "DE, AT"),)
    )
    assert (made.fire_mode, made.cooldown_seconds) == (FireMode.ALWAYS, 3 * 3_600)
    told = made.recipients
    assert told.emails == ("b@acme.test", "c@acme.test")
    assert (told.slack_target_kind, told.slack_target_id) == ("channel", "C1")
    assert (told.channel_ids, told.email_message) == ((channel,), "Hello\nthere")
    assert told.notify_owner
    assert told.hubspot_sync


def add_channel(world, name="Sales alerts"):
    channel_id = uuid4()
    session().add(
        ChannelRow(
            unit_id=world.scope.unit_id, channel_id=channel_id, name=name, type="email",
            config={"to": "x@acme.test"}, created_at=utc_now(), updated_at=utc_now(),
            created_by="test", updated_by="test",
        )
    )  # fmt: skip
    commit()
    return channel_id


def test_steps_and_conditions_are_added_moved_and_removed_without_scripts(browse, people, world):
    browser, path = browse(people.operator), new_path("sequence")
    sent = {
        **SENT[TriggerKind.SEQUENCE], "steps-0-conditions-0-key": "plan",
        "steps-0-conditions-0-operator": "contains", "steps-0-conditions-0-value": "pro",
    }  # fmt: skip

    def press(do, sent):
        return typed(browser.post(path, {**sent, "do": do}).text)

    moved = press("down:0", sent)
    assert moved["steps-0-event_type"] == ["demo_request"]
    assert moved["steps-1-event_type"] == ["pricing_view"]
    assert moved["steps-1-conditions-0-key"] == ["plan"]
    assert press("up:1", moved)["steps-0-event_type"] == ["pricing_view"]
    grown = press("add-step", moved)
    assert grown["steps-2-event_type"] == [""]
    assert press("add-condition:2", grown)["steps-2-conditions-0-key"] == [""]
    assert "steps-1-conditions-0-key" not in press("remove-condition:1:0", moved)
    assert press("add-condition", moved)["conditions-0-operator"] == ["equals"]
    assert "steps-1-event_type" not in press("remove-step:0", moved)
    for odd in (
        "up:0",
        "down:9",
        "remove-step:x",
        "nothing",
        "add-condition:7",
        "down:-1",
        "up:0:0",
    ):
        assert press(odd, moved) == press("refresh", moved)
    assert queries.list_triggers(world.scope) == []


WRONG = [
    ("milestone", {"score_threshold": ""}, "Give the score to reach."),
    ("milestone", {"score_threshold": "many"}, "Type a whole number"),
    ("milestone", {"webhook_url": "nonsense"}, "This cannot be used"),
    ("milestone", {"webhook_url": "http://127.0.0.1/x"}, "it leads to a private address"),
    ("milestone", {"emails": "a@acme.test, nobody"}, "is not an e-mail address"),
    ("milestone", {"engagement_levels": "Tepid"}, "names no level of that kind"),
    ("milestone", {"ruleset_id": str(uuid4())}, "names no ruleset"),
    ("milestone", {"channel_ids": str(uuid4())}, "names no notification channel"),
    ("milestone", {"teams_target_id": "nonsense"}, "This cannot be used"),
    ("milestone", {"fire_mode": "sometimes"}, "Not a valid choice"),
    ("milestone", {"cooldown": "400"}, "Choose at most 365 days."),
    ("milestone", {"name": "x" * 101}, "Use at most 100 characters."),
    ("milestone", {"name": "a\0b"}, "Leave out line breaks and control characters."),
    ("milestone", {"conditions-0-key": "", "conditions-0-value": "x"}, "Name the property."),
    ("milestone", {"conditions-0-key": "x", "conditions-0-value": ""}, "Give a value"),
    ("sequence", {"steps-1-event_type": ""}, "Name an event type, or write * for any."),
    ("sequence", {"webhook_url": ""}, "This is missing: give one, or another destination"),
    ("sequence", {"window": "0"}, "Give at least 1."),
    ("sequence", {"window": "91"}, "Choose at most 90 days."),
    ("pattern", {"steps-0-min_count": "0"}, "Give a number from 1 to 10,000."),
    ("surge", {"webhook_url": HOOK}, "give one of the two."),
    ("surge", {"emails": ""}, "give one of the two."),
    ("surge", {"threshold_count": "0"}, "Choose from 1 to 10,000."),
]


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_explained_and_kept(browse, people, world, case):
    kind, wrong, words = case
    sent = {**SENT[TriggerKind(kind)], "description": "What I wrote", **wrong}

    answer = save(browse(people.operator), new_path(kind), sent)

    assert answer.status_code == 422
    page = unescape(answer.text)
    assert words in page
    assert 'value="What I wrote"' in page
    for value in wrong.values():
        assert not value or value == "sometimes" or f'value="{value}"' in page
    assert queries.list_triggers(world.scope) == []


def test_a_mistake_in_a_row_stands_in_it(browse, people, world):
    sent = {
        **SENT[TriggerKind.SEQUENCE], "steps-1-conditions-0-key": "n",
        "steps-1-conditions-0-operator": "gt", "steps-1-conditions-0-value": "many",
    }  # fmt: skip

    page = save(browse(people.operator), new_path("sequence"), sent).text

    assert 'id="steps-1-conditions-0-value-error"' in page
    assert "Give a number, such as 50." in page


def test_a_trigger_without_steps_is_none(browse, people, world):
    sent = {k: v for k, v in SENT[TriggerKind.PATTERN].items() if not k.startswith("steps")}

    assert "Add at least one step." in save(browse(people.operator), new_path("pattern"), sent).text


def test_somebody_elses_change_is_not_lost(browse, people, world):
    browser = browse(people.operator)
    trigger = add_trigger(world, TriggerKind.MILESTONE)
    sent = typed(browser.get(path_of(trigger)).text) | {"description": ["Mine"]}
    save(browse(people.owner), path_of(trigger), sent | {"description": ["Theirs"]})

    answer = save(browser, path_of(trigger), sent)

    assert answer.status_code == 409
    assert "has changed since you opened it, last by" in answer.text
    assert typed(answer.text)["description"] == ["Mine"]
    assert only(world, TriggerKind.MILESTONE).description == "Theirs"
    save(browser, path_of(trigger), typed(answer.text))
    assert only(world, TriggerKind.MILESTONE).description == "Mine"


@pytest.mark.parametrize("seen", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_form_that_names_no_state_is_stale(browse, people, world, seen):
    browser, trigger = browse(people.operator), add_trigger(world, TriggerKind.MILESTONE)

    sent = typed(browser.get(path_of(trigger)).text) | {"seen": [seen]}

    assert save(browser, path_of(trigger), sent).status_code == 409


def test_it_is_said_in_words_while_it_is_written(browse, people, world):
    browser, wanted = browse(people.operator), htmx("section#trigger-says")

    whole = browser.post(new_path("sequence"), SENT[TriggerKind.SEQUENCE], headers=wanted).text
    half = browser.post(
        new_path("sequence"), {**SENT[TriggerKind.SEQUENCE], "window": ""}, headers=wanted
    ).text

    assert whole.lstrip().startswith("<section")
    assert (
        "When a lead does pricing_view, then demo_request within 2 days, tell the webhook" in whole
    )
    assert "at example.com: once per lead." in whole
    assert "Say within which time." in half


def test_a_saved_form_leads_htmx_to_the_list(browse, people, world):
    sent = {**SENT[TriggerKind.SURGE], "do": "save"}

    answer = browse(people.operator).post(
        new_path("surge"), sent, headers=htmx("form#trigger-form")
    )

    assert answer.headers["HX-Redirect"] == f"{TRIGGERS}?kind=surge"


@pytest.fixture
def visited(world):
    world.happen("pricing_view", "ann", email="ann@acme.test")
    world.happen("demo_request", "ann")
    world.happen("pricing_view", "bob", email="bob@acme.test")
    return world


def attempt(browser, **sent):
    sent = {**SENT[TriggerKind.SEQUENCE], "webhook_url": "", "days": "30", "do": "try", **sent}
    headers = htmx("section#trigger-trial")
    return unescape(browser.post(new_path("sequence"), sent, headers=headers).text)


def test_a_draft_is_tried_on_the_last_days_and_sends_nothing(browse, people, visited):
    page = attempt(browse(people.operator))

    assert page.lstrip().startswith("<section")
    assert "It would have fired for 1 lead in the last 30 days." in page
    assert 'href="/app/leads/ann">ann@acme.test</a>' in page
    assert "Nothing is sent or saved." in page
    assert queries.list_triggers(visited.scope) == []
    assert queries.list_emitted(visited.scope, None, *everything()) == []


def everything():
    return EmittedFilter(), PageRequest()


def test_a_draft_is_tried_on_one_lead(browse, people, visited):
    browser = browse(people.operator)

    assert "It would have fired for ann@acme.test" in attempt(browser, lead="ann")
    assert "It would not have fired for bob@acme.test" in attempt(browser, lead="bob@acme")
    assert "There is no lead “nobody”" in attempt(browser, lead="nobody")
    assert "finds several leads, such as" in attempt(browser, lead="acme")
    assert "There is no lead" in attempt(browser, lead="\0")


@pytest.mark.parametrize("days", ["", "0", "366", "many", "9" * 30])
def test_days_that_are_none_are_explained(browse, people, visited, days):
    assert "Look back from 1 to 365 days." in attempt(browse(people.operator), days=days)


def test_what_is_not_whole_is_not_tried(browse, people, visited):
    page = attempt(browse(people.operator), **{"steps-0-event_type": ""})

    assert "It is not complete yet. Name an event type" in page


def test_it_is_tried_without_scripts(browse, people, visited):
    sent = {**SENT[TriggerKind.SEQUENCE], "days": "7", "do": "try"}

    page = browse(people.operator).post(new_path("sequence"), sent).text

    assert "<h1>New sequence</h1>" in page
    assert "in the last 7 days" in page
    assert typed(page)["window"] == ["2"]


def test_leads_are_offered_while_somebody_types(browse, people, visited):
    answer = browse(people.viewer).get(
        f"{TRIGGERS}/leads?lead=ann", headers=htmx("datalist#lead-offers")
    )

    assert answer.text == (
        '<datalist id="lead-offers"><option value="ann">ann@acme.test</option></datalist>'
    )
    assert "ann@acme.test" not in browse(people.stranger).get(f"{TRIGGERS}/leads?lead=ann").text


def test_the_form_does_not_wait_for_slack(browse, people, world, slack):
    connect(world)
    browser = browse(people.operator)

    page = browser.get(new_path("milestone")).text
    assert slack.calls == []
    [url] = re.findall(r'hx-get="([^"]*slack-channels[^"]*)"', page)
    picker = browser.get(f"{url}?chosen={CHANNEL}", headers=htmx("div#slack-target")).text

    assert f'<option value="{CHANNEL}" selected>#sales</option>' in picker


def test_a_channel_can_be_named_while_slack_is_away(browse, people, world, slack):
    connect(world)
    slack.fail_next("", status=502)

    picker = browse(people.operator).get(f"{TRIGGERS}/slack-channels?chosen=C1").text

    assert "try again in a moment" in picker
    assert 'name="slack_target_id" value="C1"' in picker


def test_the_history_holds_what_fired_of_all_kinds(browse, people, world):
    made = {kind: add_trigger(world, kind, name=f"My {kind}") for kind in TriggerKind}
    world.happen("page_view", "ann", email="ann@acme.test")
    for trigger in made.values():
        emit(world, trigger, lead_id="ann", summary=f"did {trigger.kind}")
    surge = made[TriggerKind.SURGE]
    browser = browse(people.viewer)

    whole = browser.get(HISTORY).text
    assert all(f"did {kind}" in whole for kind in TriggerKind)
    assert 'href="/app/leads/ann">ann@acme.test</a>' in whole
    assert "/app/leads/ann?event=" in whole
    sent = f"/app/deliveries?trigger_id={surge.trigger_id}&lead_id=ann"
    assert sent in links_in(whole, "/app/deliveries?")
    assert "/app/triggers/surge/" not in whole
    assert path_of(surge) in browse(people.operator).get(HISTORY).text
    of_kind = browser.get(f"{HISTORY}?kind=surge").text
    assert "did surge" in of_kind
    assert "did pattern" not in of_kind
    of_one = browser.get(f"{HISTORY}?trigger_id={surge.trigger_id}").text
    assert "did surge" in of_one
    assert "did milestone" not in of_one
    assert "Nothing fired that fits" in browser.get(f"{HISTORY}?lead_id=bob").text
    assert "did surge" in browser.get(f"{HISTORY}?lead_id=ann&kind=odd&trigger_id=odd&page=0").text


def test_leaving_a_milestone_is_no_firing(browse, people, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE)
    emit(world, trigger, event=Happening.MILESTONE_EXITED, summary="fell below 1")

    assert "Nothing fired yet" in browse(people.viewer).get(HISTORY).text
    assert "Never" in browse(people.viewer).get(TRIGGERS).text


def test_a_long_history_is_paged(browse, people, world, monkeypatch):
    monkeypatch.setattr("leadvibe.web.trigger_history.SIZE", 2)
    trigger = add_trigger(world, TriggerKind.MILESTONE)
    for number in range(3):
        emit(world, trigger, summary=f"time {number}")
    browser = browse(people.viewer)

    first = browser.get(HISTORY).text
    [older] = links_in(first, "page=2")
    second = browser.get(older).text

    assert "time 2" in first
    assert "time 1" in first
    assert "time 0" in second
    assert links_in(second, "page=3") == []


def test_the_history_is_exported(browse, people, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE, name="=Ready")
    emit(world, trigger, lead_id="ann")
    emit(world, add_trigger(world, TriggerKind.SURGE), lead_id="bob")

    answer = browse(people.viewer).get(f"{HISTORY}.csv?kind=milestone")

    header, line, end = answer.text.split("\r\n")
    assert header.startswith("fired_at,occurred_at,kind,trigger_id,trigger_name,lead_id,score")
    assert "milestone" in line
    assert "'=Ready,ann,5,reached 5 points" in line
    assert end == ""
    assert "trigger-history.csv" in answer.headers["Content-Disposition"]


def test_a_lead_shows_what_fired_for_it(browse, people, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE)
    world.happen("other", "ann")
    world.happen("other", "bob")
    for number in range(12):
        emit(world, trigger, lead_id="ann", summary=f"time {number}.")
    browser = browse(people.viewer)

    [url] = set(links_in(browser.get("/app/leads/ann").text, HISTORY))
    part = browser.get(url, headers=htmx("p#lead-triggers")).text

    assert part.lstrip().startswith('<div id="lead-triggers">')
    assert part.count("<li>") == 10
    assert "time 11." in part
    assert "time 1." not in part
    none = browser.get(f"{HISTORY}?lead_id=bob", headers=htmx("p#lead-triggers")).text
    assert "No trigger has fired for this lead." in none


def test_lists_take_as_many_statements_however_long_they_are(browse, people, world, statements):
    browser = browse(people.viewer)

    def count(path):
        statements.clear()
        browser.get(path)
        return len(statements)

    emit(world, add_trigger(world, TriggerKind.MILESTONE), lead_id="a")
    browser.get(TRIGGERS)  # the configuration is read once
    before = [count(TRIGGERS), count(HISTORY)]
    for number in range(5):
        emit(world, add_trigger(world, TriggerKind.MILESTONE), lead_id=f"lead-{number}")

    assert [count(TRIGGERS), count(HISTORY)] == before


@pytest.mark.parametrize("name", ["admin", "owner", "operator"])
def test_who_may_configure_builds_triggers(browse, people, world, name):
    trigger = add_trigger(world, TriggerKind.MILESTONE)

    page = browse(people[name]).get(TRIGGERS).text

    assert links_in(page, path_of(trigger))
    assert browse(people[name]).get(path_of(trigger)).status_code == 200


def every_change(trigger):
    return [
        (new_path("milestone"), {**SENT[TriggerKind.MILESTONE], "do": "save"}),
        (path_of(trigger), {**SENT[TriggerKind.MILESTONE], "do": "save"}),
        (path_of(trigger), {"do": "try"}),
        (path_of(trigger, "/active"), {"active": "0"}),
        (path_of(trigger, "/delete"), {}),
    ]


def test_a_viewer_reads_and_changes_nothing(browse, people, world):
    trigger, browser = add_trigger(world, TriggerKind.MILESTONE), browse(people.viewer)

    page = browser.get(TRIGGERS).text

    assert "First points" in page
    assert "/delete" not in page.replace(path_of(trigger, "/active"), "")
    assert browser.get(path_of(trigger)).status_code == 403
    assert browser.get(new_path("milestone")).status_code == 403
    assert browser.get(f"{TRIGGERS}/slack-channels").status_code == 403
    assert [browser.post(*it).status_code for it in every_change(trigger)] == [403] * 5
    assert only(world, TriggerKind.MILESTONE) == trigger


def test_a_stranger_finds_nothing(browse, people, world):
    trigger, browser = add_trigger(world, TriggerKind.MILESTONE), browse(people.stranger)
    emit(world, trigger)

    assert "First points" not in browser.get(TRIGGERS).text
    assert "First points" not in browser.get(f"{HISTORY}?trigger_id={trigger.trigger_id}").text
    assert "First points" not in browser.get(f"{HISTORY}.csv").text
    assert browser.get(path_of(trigger)).status_code == 404
    assert [browser.post(*it).status_code for it in every_change(trigger)[1:]] == [404] * 4
    assert only(world, TriggerKind.MILESTONE) == trigger


def test_a_trigger_is_not_found_under_another_kind(browse, people, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE)

    browser = browse(people.operator)

    assert browser.get(f"{TRIGGERS}/surge/{trigger.trigger_id}").status_code == 404
    assert browser.get(f"{TRIGGERS}/odd/{trigger.trigger_id}").status_code == 404
    assert browser.get(f"{TRIGGERS}/milestone/{uuid4()}").status_code == 404


def test_forms_without_a_token_are_refused(browse, people, world):
    trigger = add_trigger(world, TriggerKind.MILESTONE)

    forged = browse(people.owner).client.post(path_of(trigger, "/delete"))
    assert forged.status_code == 403
    assert only(world, TriggerKind.MILESTONE) == trigger


def test_everybody_finds_the_page(browse, people, world):
    for name in ("owner", "viewer"):
        assert links_in(browse(people[name]).get("/app/leads").text, TRIGGERS)
