"""Pages about what steers scoring beside rules: who may change what, mistakes, and two editors."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest

from leadvibe.engine.policies import SurgeMode
from leadvibe.engine.rules import LevelKind
from leadvibe.lib.db import commit
from leadvibe.scoring import attributes, policies, queries
from leadvibe.scoring.profiles import Side
from leadvibe.scoring.types import ItemKind
from tests.factories import make_decay, make_metadata_filter, make_velocity_filter
from tests.web.pages import htmx

LEVELS = "/app/scoring/levels"
DECAY = "/app/scoring/decay"
FILTERS = "/app/scoring/filters"
SURGE = "/app/scoring/surge"
MAPPING = "/app/scoring/mapping"
SETTINGS = "/app/settings/scoring"
NOBODYS = UUID(int=1)

BURST = {"event_type": "email_click", "count_threshold": "2", "window": "5", "unit": "minutes",
         "group_events": "1", "enabled": "y", "do": "save"}  # fmt: skip
OFFICE = {"name": "Office", "event_type": "", "enabled": "y", "conditions-0-key": "ip",
          "conditions-0-operator": "equals", "conditions-0-value": "10.0.0.1",
          "do": "save"}  # fmt: skip
TITLE = {"source_field": "job_title", "target_property": "title",
         "update_behavior": "set_once", "do": "save"}  # fmt: skip


def state_in(page):
    return re.search(r'name="state"[^>]* value="([0-9a-f]+)"', page)[1]


def levels_form(page, **changes):
    """Return what the form of levels sends as it stands, with some of it changed."""
    sent = dict(re.findall(r'name="(levels-\d+-\w+)"(?:[^>]*?) value="([^"]*)"', page))
    return {**sent, "state": state_in(page), "do": "save", **changes}


def starts(world, kind=LevelKind.ENGAGEMENT):
    return {it.name: it.min_score for it in queries.list_levels(world.scope, kind)}


def bodies(world, kind):
    return [it.body for it in queries.list_items(world.scope, kind)]


@pytest.fixture
def everything(world):
    """A unit with one of each policy; returns addresses of all that can be changed."""
    decay = make_decay(world.scope).item_id
    velocity = make_velocity_filter(world.scope).item_id
    metadata = make_metadata_filter(world.scope, ("ip", "equals", "1")).item_id
    mapping = attributes.create_mapping(
        world.principal, world.scope, Side.PROFILE,
        {"source_field": "a", "target_property": "b", "update_behavior": "append"},
        now=queries.get_item(world.scope, ItemKind.DECAY, decay).created_at,
    ).item_id  # fmt: skip
    commit()
    return [
        f"{DECAY}/{decay}", f"{DECAY}/{decay}/delete",
        f"{FILTERS}/velocity/{velocity}", f"{FILTERS}/velocity/{velocity}/delete",
        f"{FILTERS}/metadata/{metadata}", f"{FILTERS}/metadata/{metadata}/delete",
        f"{FILTERS}/metadata/{metadata}/active",
        f"{MAPPING}/profile/{mapping}", f"{MAPPING}/profile/{mapping}/delete",
    ]  # fmt: skip


LISTS = [
    LEVELS, f"{LEVELS}/profile", f"{LEVELS}/account", DECAY, FILTERS, SURGE, MAPPING,
    f"{MAPPING}/account", SETTINGS,
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_sees_the_page_and_no_way_to_change_it(browse, people, everything, path):
    answer = browse(people.viewer).get(path)
    main = answer.text[answer.text.index("<main") :]

    assert answer.status_code == 200
    assert 'value="save"' not in main
    assert "Delete" not in main
    assert "Rescore</button>" not in main


@pytest.mark.parametrize("path", LISTS)
def test_the_page_is_there_before_anything_is_set_up(browse, people, world, path):
    assert browse(people.operator).get(path).status_code == 200


def test_a_viewer_may_change_nothing(browse, people, everything):
    browser = browse(people.viewer)
    paths = [*everything, LEVELS, DECAY, f"{FILTERS}/velocity/new", f"{FILTERS}/metadata/new",
             MAPPING, f"{MAPPING}/backfill", SETTINGS, f"{SETTINGS}/rescore"]  # fmt: skip

    statuses = {browser.post(path, {"do": "save"}).status_code for path in paths}

    assert statuses == {403}
    assert browser.post(SURGE, {"do": "save", "mode": "off"}).status_code == 403


def test_a_stranger_finds_nothing_to_change(browse, people, everything):
    browser = browse(people.stranger)

    statuses = {path: browser.post(path, {"active": "0"}).status_code for path in everything}

    assert set(statuses.values()) == {404}


@pytest.mark.parametrize("path", [f"{LEVELS}/other", f"{MAPPING}/other", f"{DECAY}/{NOBODYS}"])
def test_what_is_not_there_is_not_found(browse, people, world, path):
    assert browse(people.operator).get(path).status_code == 404


# Levels


def test_levels_show_how_many_leads_each_has(browse, people, world):
    world.score_leads(ann=80, bob=10, cem=30)

    page = browse(people.viewer).get(LEVELS).text

    assert re.findall(r"data-count>([^<]*)<", page) == ["1", "1", "0", "1"]
    assert "10 to 10: 1 leads" not in page


def test_levels_are_cut_anew_and_say_who_moved(browse, people, world):
    world.score_leads(ann=80, bob=30)
    browser = browse(people.operator)
    page = browser.get(LEVELS).text

    answer = browser.post(LEVELS, levels_form(page, **{"levels-1-start": "31"}))

    assert (answer.status_code, answer.location) == (303, LEVELS)
    assert starts(world) == {"Cold": 0, "Warm": 31, "Hot": 50, "Very Hot": 75}
    assert "1 lead goes from Warm to Cold." in browser.get(LEVELS).text
    levels = queries.list_levels(world.scope)
    assert [it.max_score for it in levels] == [30, 49, 74, None]


def test_what_would_move_is_said_before_saving(browse, people, world):
    world.score_leads(ann=80, bob=30)
    browser = browse(people.operator)
    sent = levels_form(browser.get(LEVELS).text, **{"levels-3-start": "90", "do": "preview"})

    part = browser.post(LEVELS, sent, headers=htmx("section#level-moves")).text

    assert "1 lead goes from Very Hot to Hot." in part
    assert "<html" not in part
    assert starts(world)["Very Hot"] == 75


def test_levels_are_added_removed_and_renamed_together(browse, people, world):
    browser = browse(people.operator)
    added = browser.post(LEVELS, levels_form(browser.get(LEVELS).text, do="add")).text
    assert 'value="100"' in added

    sent = levels_form(added, **{"levels-4-name": "Boiling", "levels-0-name": "Icy"})
    kept = {name: value for name, value in sent.items() if not name.startswith("levels-1-")}
    browser.post(LEVELS, kept)

    assert starts(world) == {"Icy": 0, "Hot": 50, "Very Hot": 75, "Boiling": 100}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"levels-1-start": "x"}, "Type a whole number"),
        ({"levels-1-start": "50"}, "Two levels begin here"),
        ({"levels-1-start": "9" * 30}, "Type a whole number"),
        ({"levels-1-name": ""}, "Name the level"),
        ({"levels-1-name": "Hot"}, "Two levels have this name"),
        ({"levels-1-color": "red"}, "Choose a colour"),
    ],
)
def test_levels_that_make_no_sense_are_explained(browse, people, world, changes, complaint):
    browser = browse(people.operator)
    before = starts(world)

    answer = browser.post(LEVELS, levels_form(browser.get(LEVELS).text, **changes))

    assert answer.status_code == 422
    assert complaint in answer.text
    assert starts(world) == before


def test_levels_that_somebody_else_changed_are_not_overwritten_unseen(browse, people, world):
    browser = browse(people.operator)
    page = browser.get(LEVELS).text
    browse(people.owner).post(LEVELS, levels_form(page, **{"levels-1-start": "20"}))

    answer = browser.post(LEVELS, levels_form(page, **{"levels-1-start": "30"}))
    assert answer.status_code == 409
    assert "has changed since you opened it" in answer.text
    assert starts(world)["Warm"] == 20

    assert browser.post(LEVELS, levels_form(answer.text)).status_code == 303
    assert starts(world)["Warm"] == 30


# Decay


def test_a_decay_rule_is_added_changed_and_deleted(browse, people, world):
    browser = browse(people.operator)
    rule = {"inactive_for": "2", "unit": "weeks", "decrease": "10", "do": "save"}

    assert browser.post(DECAY, rule).location == DECAY
    [item] = queries.list_items(world.scope, ItemKind.DECAY)
    url = f"{DECAY}/{item.item_id}"
    state = state_in(browser.get(url).text)
    browser.post(url, {**rule, "decrease": "5", "state": state})
    [changed] = bodies(world, ItemKind.DECAY)
    stale = browser.post(url, {**rule, "decrease": "7", "state": state})
    browser.post(f"{url}/delete")

    assert changed == {"inactive_for": 2, "unit": "weeks", "decrease": 5}
    assert stale.status_code == 409
    assert bodies(world, ItemKind.DECAY) == []


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"inactive_for": "0"}, "Choose from 1 to 100,000"),
        ({"inactive_for": ""}, "Say after how long"),
        ({"decrease": "-3"}, "Choose from 1 to 10,000 points"),
        ({"unit": "years"}, "Not a valid choice"),
    ],
)
def test_a_decay_rule_that_makes_no_sense_is_explained(browse, people, world, sent, complaint):
    rule = {"inactive_for": "2", "unit": "weeks", "decrease": "10", "do": "save"}

    answer = browse(people.operator).post(DECAY, {**rule, **sent})

    assert answer.status_code == 422
    assert complaint in answer.text
    assert bodies(world, ItemKind.DECAY) == []


def test_what_becomes_of_a_score_is_shown_while_typing(browse, people, world):
    sent = {"inactive_for": "10", "unit": "days", "decrease": "30", "score": "80", "days": "30"}

    part = browse(people.operator).post(DECAY, sent, headers=htmx("section#decay-curve")).text

    assert "Hot after 10 days, at 50." in part
    assert "Nothing is left after 30 days." in part
    assert bodies(world, ItemKind.DECAY) == []


@pytest.mark.parametrize("score", ["", "0", "-5", "x", "9" * 40])
def test_a_score_that_is_none_is_not_drawn(browse, people, world, score):
    answer = browse(people.viewer).get(DECAY, query_string={"score": score, "days": "x"})

    assert answer.status_code == 200
    assert "Type a score from 1" in answer.text


# Filters


def test_a_velocity_filter_is_made_and_shows_what_it_took_out(browse, people, world):
    browser = browse(people.operator)

    assert browser.post(f"{FILTERS}/velocity/new", BURST).location == FILTERS
    for number in range(4):
        world.happen("email_click", "ann", ago=timedelta(seconds=60 - 10 * number), n=number)
    page = browser.get(FILTERS).text
    [link] = re.findall(rf'href="({FILTERS}/velocity/[^"]*/events)"', page)

    assert bodies(world, ItemKind.VELOCITY_FILTER) == [
        {"enabled": True, "event_type": "email_click", "count_threshold": 2,
         "time_window_ms": 300_000,
         "group_events": True}
    ]  # fmt: skip
    assert "Of more than 2 within 5 minutes, the first counts" in page
    assert "Part of a burst" in browser.get(link).text


def test_a_velocity_filter_is_tried_on_the_past(browse, people, world):
    for number in range(5):
        world.happen("email_click", "ann", ago=timedelta(minutes=6, seconds=-10 * number), n=number)
    sent = {**BURST, "do": "preview"}
    browser = browse(people.operator)

    answer = browser.post(f"{FILTERS}/velocity/new", sent, headers=htmx("section#filter-preview"))

    assert "4 of 5 events (80 %) would not have counted." in answer.text
    assert bodies(world, ItemKind.VELOCITY_FILTER) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"event_type": " "}, "Name the event type"),
        ({"count_threshold": "-1"}, "Choose from 0 to"),
        ({"window": "0"}, "Choose 1 or more"),
        ({"window": "8000", "unit": "hours"}, "Choose a week at most"),
        ({"window": "9" * 30}, "Choose a week at most"),
    ],
)
def test_a_velocity_filter_that_makes_no_sense_is_explained(
    browse, people, world, changes, complaint
):
    answer = browse(people.operator).post(f"{FILTERS}/velocity/new", {**BURST, **changes})

    assert answer.status_code == 422
    assert complaint in answer.text


def test_a_property_filter_is_made_tried_and_switched_off(browse, people, world):
    world.happen("page_view", "ann", ip="10.0.0.1")
    browser = browse(people.operator)
    new = f"{FILTERS}/metadata/new"

    tried = browser.post(new, {**OFFICE, "do": "preview"}, headers=htmx("section#filter-preview"))
    assert "1 of 1 event (100 %) would not have counted." in tried.text
    assert browser.post(new, OFFICE).location == FILTERS
    world.happen("page_view", "ann", ip="10.0.0.1")
    [item] = queries.list_items(world.scope, ItemKind.METADATA_FILTER)
    url = f"{FILTERS}/metadata/{item.item_id}"
    assert "Any event where ip is 10.0.0.1" in browser.get(FILTERS).text
    assert "Matched a filter by property" in browser.get(f"{url}/events").text
    browser.post(f"{url}/active", {"active": "0"})

    assert bodies(world, ItemKind.METADATA_FILTER) == [
        {"name": "Office", "event_type": "", "enabled": False,
         "conditions": [{"key": "ip", "operator": "equals", "value": "10.0.0.1"}]}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "Name the filter"),
        ({"conditions-0-key": ""}, "Name the property"),
        ({"conditions-0-value": ""}, "Give a value"),
        ({"conditions-0-key": "", "conditions-0-value": ""}, "Add at least one condition"),
        ({"conditions-0-key": "a\0"}, "field-error"),
    ],
)
def test_a_property_filter_that_makes_no_sense_is_explained(
    browse, people, world, changes, complaint
):
    answer = browse(people.operator).post(f"{FILTERS}/metadata/new", {**OFFICE, **changes})

    assert answer.status_code == 422
    assert complaint in answer.text
    assert bodies(world, ItemKind.METADATA_FILTER) == []


def test_conditions_that_nobody_touched_stay_as_they_are(browse, people, world):
    item = make_metadata_filter(world.scope, ("n", "equals", 5), ("ok", "equals", True))
    commit()
    browser, url = browse(people.operator), f"{FILTERS}/metadata/{item.item_id}"
    sent = {**OFFICE, "state": state_in(browser.get(url).text), "conditions-0-key": "n",
            "conditions-0-value": "5", "conditions-1-key": "ok",
            "conditions-1-operator": "equals", "conditions-1-value": "true"}  # fmt: skip

    assert browser.post(url, sent).status_code == 303

    [body] = bodies(world, ItemKind.METADATA_FILTER)
    assert [it["value"] for it in body["conditions"]] == [5, True]


# Surge


def test_a_surge_policy_is_chosen(browse, people, world):
    browser = browse(people.operator)
    state = state_in(browser.get(SURGE).text)

    assert browser.post(SURGE, {"mode": "gentle", "do": "save", "state": state}).location == SURGE
    stale = browser.post(SURGE, {"mode": "off", "do": "save", "state": state})

    assert policies.get_surge_policy(world.scope).mode is SurgeMode.GENTLE
    assert stale.status_code == 409


def test_own_steps_are_stored_as_written(browse, people, world):
    browser = browse(people.operator)
    sent = {"mode": "custom", "do": "save", "state": state_in(browser.get(SURGE).text),
            "idle": "10", "cap": "2.5", "bands-0-start": "2", "bands-0-times": "1.5"}  # fmt: skip

    assert browser.post(SURGE, sent).status_code == 303

    policy = policies.get_surge_policy(world.scope)
    assert (policy.idle_reset_seconds, policy.cap_percent) == (600, 250)
    assert [(it.min_events, it.multiplier_percent) for it in policy.bands] == [(2, 150)]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"bands-0-start": "1.5"}, "Choose a whole number"),
        ({"bands-0-times": "0.5"}, "Choose from 1 to 100"),
        ({"bands-1-start": "2", "bands-1-times": "2"}, "must be more than that of the band before"),
        ({"idle": "-1"}, "Choose up to"),
        ({"cap": "4"}, "Choose from 1 to 3"),
    ],
)
def test_steps_that_make_no_sense_are_explained(browse, people, world, changes, complaint):
    browser = browse(people.operator)
    sent = {"mode": "custom", "do": "save", "state": state_in(browser.get(SURGE).text),
            "idle": "10", "cap": "2.5", "bands-0-start": "2", "bands-0-times": "1.5"}  # fmt: skip

    answer = browser.post(SURGE, {**sent, **changes})

    assert answer.status_code == 422
    assert complaint in answer.text


def test_a_session_is_counted_by_the_engine(browse, people, world):
    world.add_rule("page_view", 10)
    sent = {"mode": "standard", "add": "page_view"}
    for number, gap in enumerate(["0", "1", "1", "1", "31"]):
        sent |= {f"session-{number}-type": "page_view", f"session-{number}-gap": gap}

    page = browse(people.viewer).post(SURGE, sent).text

    assert re.findall(r'<td class="num"><b>([^<]*)</b>', page) == [
        "+10", "+10", "+13", "+13", "+10", "+10",
    ]  # fmt: skip
    assert "+66 points" in page
    assert "+60 without surge" in page


def test_who_surges_now_is_named(browse, people, world):
    for seconds in (90, 60, 30):
        world.happen("page_view", "ann", ago=timedelta(seconds=seconds))
    world.happen("page_view", "bob")

    main = browse(people.viewer).get(SURGE).text

    assert "/app/leads/ann" in main
    assert "/app/leads/bob" not in main


# Mapping


def test_keys_of_events_are_shown_with_what_they_hold(browse, people, world):
    world.happen("form", "ann", job_title="CTO", company={"size": 50}, vip=True)
    world.happen("form", "bob", job_title="CEO")

    page = browse(people.viewer).get(MAPPING).text

    assert "<code>company.size</code>" in page
    assert "CEO, CTO" in page
    assert "2 (100 %)" in page
    assert "yes or no" in page


def test_keys_that_bear_the_name_of_a_property_come_first_and_many_are_folded(
    browse, people, world
):
    browser = browse(people.operator)
    browser.post(MAPPING, {**TITLE, "source_field": "key_07"})
    world.happen("form", "ann", **{f"key_{number:02}": "x" for number in range(20)}, title="CTO")

    page = browser.get(MAPPING).text

    keys = re.findall(r"<td><code>(\w+)</code></td>\s+<td><span", page)
    assert keys[:2] == ["title", "key_00"]
    assert "9 more keys" in page


def test_a_mapping_is_previewed_made_changed_and_deleted(browse, people, world):
    world.happen("form", "ann", job_title="CTO")
    browser = browse(people.operator)

    part = browser.post(
        MAPPING, {**TITLE, "do": "preview"}, headers=htmx("section#mapping-preview")
    ).text
    assert "1 of the latest 1 event would fill it" in part
    assert "<b>CTO</b>" in part
    assert "It would change for 1 of 1 lead." in part
    assert browser.post(MAPPING, TITLE).location == MAPPING
    world.happen("form", "ann", job_title="CTO")
    same = browser.post(
        MAPPING, {**TITLE, "do": "preview"}, headers=htmx("section#mapping-preview")
    )
    assert "It would change nothing" in same.text
    assert "<b>CTO</b>" not in same.text
    twice = browser.post(MAPPING, TITLE)
    [item] = queries.list_items(world.scope, ItemKind.PROFILE_MAPPING)
    url = f"{MAPPING}/profile/{item.item_id}"
    state = state_in(browser.get(url).text)
    browser.post(url, {**TITLE, "update_behavior": "append", "state": state})
    [changed] = bodies(world, ItemKind.PROFILE_MAPPING)
    stale = browser.post(url, {**TITLE, "state": state})
    browser.post(f"{url}/delete")

    assert twice.status_code == 422
    assert "exists already" in twice.text
    assert changed["update_behavior"] == "append"
    assert stale.status_code == 409
    assert bodies(world, ItemKind.PROFILE_MAPPING) == []


def test_mappings_are_applied_to_past_events_in_the_background(browse, people, world):
    browser = browse(people.operator)
    browser.post(MAPPING, TITLE)

    assert browser.post(f"{MAPPING}/backfill").location == MAPPING
    assert "Applying to past events, 0 %" in browser.get(MAPPING).text


# Settings


def test_an_operator_changes_what_is_the_units_own(browse, people, world):
    browser = browse(people.operator)
    state = state_in(browser.get(SETTINGS).text)
    sent = {"session_timeout_minutes": "45", "allow_negative_scores": "y", "abm_enabled": "y"}

    assert browser.post(SETTINGS, {**sent, "state": state}).location == SETTINGS
    stale = browser.post(SETTINGS, {**sent, "session_timeout_minutes": "50", "state": state})
    page = browser.get(SETTINGS).text

    found = queries.get_settings(world.scope)
    assert found.session_timeout_minutes == 45
    assert (found.allow_negative_scores, found.abm_enabled) == (False, False)
    assert stale.status_code == 409
    assert "Last changed by operator@acme.test" in page


def test_an_admin_changes_what_is_the_organisations(browse, people, world):
    browser = browse(people.admin)
    sent = {"session_timeout_minutes": "30", "allow_negative_scores": "y",
            "state": state_in(browser.get(SETTINGS).text)}  # fmt: skip

    browser.post(SETTINGS, sent)

    assert queries.get_settings(world.scope).allow_negative_scores


@pytest.mark.parametrize("minutes", ["", "0", "1441", "x"])
def test_a_time_out_that_makes_no_sense_is_explained(browse, people, world, minutes):
    answer = browse(people.operator).post(SETTINGS, {"session_timeout_minutes": minutes})

    assert answer.status_code == 422
    assert queries.get_settings(world.scope).session_timeout_minutes == 30


def test_a_rescore_is_asked_for_once_and_followed(browse, people, world):
    world.score_leads(ann=80)
    browser = browse(people.operator)

    answers = [browser.post(f"{SETTINGS}/rescore") for _ in range(2)]
    part = browser.get(SETTINGS, headers=htmx("section#rescore")).text

    assert {answer.status_code for answer in answers} == {303}
    assert "0 %: 0 of 1 lead" in part
    assert 'hx-trigger="every 2s"' in part


def test_pages_ask_no_more_of_many_leads(browse, people, world, statements):
    world.score_leads(ann=80)
    browser = browse(people.operator)

    def count(path):
        browser.get(path)
        statements.clear()
        browser.get(path)
        return len(statements)

    before = [count(path) for path in LISTS]
    world.score_leads(bob=30, cem=40, dee=50)

    assert [count(path) for path in LISTS] == before


def test_a_velocity_filter_is_switched_off_and_on(browse, people, world):
    browser = browse(people.operator)
    browser.post(f"{FILTERS}/velocity/new", BURST)
    [path] = re.findall(rf'action="({FILTERS}/velocity/[^"]*/active)"', browser.get(FILTERS).text)

    browser.post(path, {"active": "0"})
    assert 'aria-checked="false"' in browser.get(FILTERS).text
    for number in range(4):
        world.happen("email_click", "ann", ago=timedelta(seconds=60 - 10 * number), n=number)
    assert "/events" not in browser.get(FILTERS).text.partition('id="velocity-title"')[2]

    browser.post(path, {"active": "1"})
    world.happen("email_click", "ann", n=5)
    assert re.search(rf"{FILTERS}/velocity/[^\"]*/events", browser.get(FILTERS).text)
    assert browser.post(path, {"active": "maybe"}).status_code == 400
    assert browse(people.viewer).post(path, {"active": "0"}).status_code == 403
