"""Rulesets and rules on their page: seen by all, changed by those who may."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from leadvibe.scoring import queries
from leadvibe.web.scoring import period
from tests.web.pages import htmx

SCORING = "/app/scoring"


@pytest.fixture
def rule(world):
    return world.add_rule("page_view", 2)


def rule_path(rule, end=""):
    return f"{SCORING}/rules/{rule.rule_id}{end}"


def ruleset_path(ruleset, end=""):
    return f"{SCORING}/rulesets/{ruleset.ruleset_id}{end}"


def rules_of(world):
    return {rule.event_type: (rule.weight, rule.active) for rule in queries.list_rules(world.scope)}


def rulesets_of(world):
    return {
        it.name: (it.is_primary, it.active, it.start_at, it.end_at)
        for it in queries.list_rulesets(world.scope)
    }


def every_change(world, rule):
    """Return each request that changes something, with what it sends."""
    other = world.add_ruleset("Other")
    return [
        (f"{SCORING}/rulesets", {"name": "New"}),
        (ruleset_path(other), {"active": "0"}),
        (ruleset_path(other), {"primary": "1"}),
        (ruleset_path(other, "/delete"), {}),
        (ruleset_path(other, "/rules"), {"event_type": "login", "weight": "5"}),
        (rule_path(rule), {"weight": "9"}),
        (rule_path(rule), {"active": "0"}),
        (rule_path(rule, "/delete"), {}),
    ]


@pytest.mark.parametrize("name", ["admin", "owner", "operator"])
def test_who_may_configure_sees_forms(browse, people, rule, name):
    page = browse(people[name]).get(SCORING).text

    assert "page_view" in page
    assert 'name="weight"' in page
    assert "New ruleset" in page


def test_a_viewer_sees_everything_and_can_press_nothing(browse, people, rule):
    page = browse(people.viewer).get(SCORING).text
    main = page[page.index("<main") :]

    assert "page_view" in main
    assert "+2</b>" in main
    assert "New ruleset" not in main
    assert 'name="weight"' not in main
    assert "Delete" not in main
    assert len(re.findall(r"<button(?![^>]* disabled)", main)) == 0


def test_a_viewer_may_change_nothing(browse, people, world, rule):
    before = rules_of(world)
    browser = browse(people.viewer)

    statuses = [browser.post(path, data).status_code for path, data in every_change(world, rule)]

    assert set(statuses) == {403}
    assert rules_of(world) == before


def test_a_stranger_finds_nothing_to_change(browse, people, world, rule):
    browser = browse(people.stranger)
    changes = [change for change in every_change(world, rule) if change[0] != f"{SCORING}/rulesets"]

    statuses = {browser.post(path, data).status_code for path, data in changes}

    assert statuses == {404}
    assert "page_view" not in browser.get(SCORING).text


def test_nobody_is_led_to_the_sign_in(browse, world, rule):
    assert "/app/login" in browse(None).get(SCORING).location
    assert "/app/login" in browse(None).post(rule_path(rule), {"weight": "9"}).location
    assert rules_of(world) == {"page_view": (2, True)}


def test_a_form_without_its_token_is_refused(browse, people, world, rule):
    browser = browse(people.owner)

    for path, data in every_change(world, rule):
        assert browser.client.post(path, data=data).status_code == 403
    assert rules_of(world) == {"page_view": (2, True)}


def test_the_page_says_which_version_is_current_and_who_made_it(browse, people, world, rule):
    browser = browse(people.operator)
    browser.post(rule_path(rule), {"weight": "9"})

    page = browser.get(SCORING).text

    version = queries.current_version(world.scope)
    assert f"Version {version}, changed by operator@acme.test" in page


def test_rules_show_how_many_events_they_would_meet(browse, people, world, rule):
    for _ in range(3):
        world.happen("page_view", "ann")
    world.happen("unscored_type", "ann")

    page = browse(people.viewer).get(SCORING).text

    assert '<td class="num faint">3</td>' in page
    assert '<option value="unscored_type">' in page


def test_a_rule_is_added(browse, people, world):
    browser = browse(people.operator)

    answer = browser.post(
        ruleset_path(world.primary, "/rules"), {"event_type": " login ", "weight": "-5"}
    )

    assert (answer.status_code, answer.location) == (303, SCORING)
    assert rules_of(world) == {"login": (-5, True)}
    assert "Engagement: login is worth -5." in browser.get(SCORING).text


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"event_type": "page_view", "weight": "5"}, "scores &#39;page_view&#39; already"),
        ({"event_type": "", "weight": "5"}, "Name the event type"),
        ({"event_type": "  ", "weight": "5"}, "Name the event type"),
        ({"event_type": "x" * 201, "weight": "5"}, "Use at most 200 characters"),
        ({"event_type": "a\nb", "weight": "5"}, "Leave out line breaks"),
        ({"event_type": "a\0b", "weight": "5"}, "Leave out line breaks"),
        ({"event_type": "login", "weight": ""}, "Say how many points"),
        ({"event_type": "login", "weight": "lots"}, "Type a whole number"),
        ({"event_type": "login", "weight": "1.5"}, "Type a whole number"),
        ({"event_type": "login", "weight": "10001"}, "Choose from -10,000 to 10,000"),
        ({"event_type": "login", "weight": "9" * 5000}, "Type a whole number"),
    ],
)
@pytest.mark.usefixtures("rule")
def test_a_rule_that_makes_no_sense_is_explained_in_its_form(
    browse, people, world, sent, complaint
):
    answer = browse(people.operator).post(ruleset_path(world.primary, "/rules"), sent)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert rules_of(world) == {"page_view": (2, True)}


def test_a_weight_is_changed_in_place(browse, people, world, rule):
    answer = browse(people.operator).post(rule_path(rule), {"weight": "9"})

    assert answer.status_code == 303
    assert rules_of(world) == {"page_view": (9, True)}


def test_a_weight_that_makes_no_sense_is_explained_at_its_rule(browse, people, world, rule):
    answer = browse(people.operator).post(rule_path(rule), {"weight": "x"})

    assert answer.status_code == 422
    assert f'id="weight-{rule.rule_id}-error"' in answer.text
    assert "Type a whole number" in answer.text


def test_a_rule_is_paused_and_goes_on(browse, people, world, rule):
    browser = browse(people.operator)

    browser.post(rule_path(rule), {"active": "0"})
    paused = rules_of(world)
    browser.post(rule_path(rule), {"active": "1"})

    assert paused == {"page_view": (2, False)}
    assert rules_of(world) == {"page_view": (2, True)}


@pytest.mark.parametrize("sent", [{}, {"active": "maybe"}])
def test_a_change_of_nothing_is_refused(browse, people, world, rule, sent):
    assert browse(people.operator).post(rule_path(rule), sent).status_code == 400


def test_a_rule_is_deleted(browse, people, world, rule):
    answer = browse(people.operator).post(rule_path(rule, "/delete"))

    assert answer.status_code == 303
    assert rules_of(world) == {}


@pytest.mark.parametrize("end", ["", "/delete"])
def test_a_rule_that_is_gone_is_not_found(browse, people, world, end):
    answer = browse(people.operator).post(f"{SCORING}/rules/{uuid4()}{end}", {"weight": "1"})

    assert answer.status_code == 404


def test_a_ruleset_is_created_with_its_days_included(browse, people, world):
    answer = browse(people.operator).post(
        f"{SCORING}/rulesets",
        {"name": " Winter ", "start_at": "2026-12-01", "end_at": "2027-01-31"},
    )

    assert answer.status_code == 303
    assert rulesets_of(world)["Winter"] == (
        False,
        True,
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 2, 1, tzinfo=UTC),
    )
    assert "1 Dec 2026 to 31 Jan 2027" in browse(people.viewer).get(SCORING).text


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"name": ""}, "Name the ruleset"),
        ({"name": "Engagement"}, "A ruleset &#39;Engagement&#39; exists already"),
        ({"name": "x" * 101}, "Use at most 100 characters"),
        ({"name": "New", "start_at": "soon"}, "Not a valid date"),
        (
            {"name": "New", "start_at": "2026-02-02", "end_at": "2026-02-01"},
            "The last day is before the first",
        ),
    ],
)
def test_a_ruleset_that_makes_no_sense_is_explained_in_its_form(
    browse, people, world, sent, complaint
):
    answer = browse(people.operator).post(f"{SCORING}/rulesets", sent)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert '<dialog class="dialog" id="new-ruleset" open' in answer.text
    assert list(rulesets_of(world)) == ["Engagement"]


def test_another_ruleset_becomes_primary(browse, people, world):
    other = world.add_ruleset("Other")

    browse(people.operator).post(ruleset_path(other), {"primary": "1"})

    assert {name: it[0] for name, it in rulesets_of(world).items()} == {
        "Other": True,
        "Engagement": False,
    }


def test_a_ruleset_is_paused_and_deleted(browse, people, world):
    other, browser = world.add_ruleset("Other"), browse(people.operator)

    browser.post(ruleset_path(other), {"active": "0"})
    paused = rulesets_of(world)["Other"][1]
    browser.post(ruleset_path(other, "/delete"))

    assert paused is False
    assert "Other" not in rulesets_of(world)


def test_the_primary_ruleset_offers_no_deletion(browse, people, world):
    page = browse(people.owner).get(SCORING).text

    assert ruleset_path(world.primary, "/delete") not in page


def test_deletion_asks_first_without_any_script(browse, people, world, rule):
    page = browse(people.owner).get(SCORING).text

    assert f'popovertarget="delete-rule-{rule.rule_id}"' in page
    assert f'<form method="post" action="{rule_path(rule, "/delete")}"' in page


def test_htmx_follows_to_the_fragment_and_shows_what_was_done(browse, people, rule):
    answer = browse(people.operator).post(
        rule_path(rule), {"weight": "9"}, headers=htmx("div#rulesets"), follow_redirects=True
    )

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'value="9"' in answer.text
    assert "page_view is worth +9 instead of +2." in answer.headers["HX-Trigger"]


def test_htmx_gets_the_fragment_with_what_was_wrong(browse, people, rule):
    answer = browse(people.operator).post(
        rule_path(rule), {"weight": "x"}, headers=htmx("div#rulesets")
    )

    assert answer.status_code == 422
    assert answer.text.lstrip().startswith('<div class="stack loadable" id="rulesets"')


def test_the_page_costs_the_same_number_of_statements_for_any_rules(
    browse, people, world, statements
):
    browser, counts = browse(people.viewer), []
    for batch in range(2):
        for number in range(5):
            ruleset = world.add_ruleset(f"Set {batch} {number}")
            world.add_rule("page_view", 1, ruleset)
        statements.clear()
        browser.get(SCORING)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert counts[0] <= 9


@pytest.mark.parametrize(
    ("start_at", "end_at", "expected"),
    [
        (None, None, ""),
        (datetime(2026, 1, 2, tzinfo=UTC), None, "from 2 Jan 2026"),
        (None, datetime(2026, 3, 1, tzinfo=UTC), "until 28 Feb 2026"),
        (None, datetime(2026, 3, 1, 12, tzinfo=UTC), "until 1 Mar 2026"),
    ],
)
def test_an_end_at_midnight_means_the_day_before(start_at, end_at, expected):
    assert period(start_at, end_at) == expected
