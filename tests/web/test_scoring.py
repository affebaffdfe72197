"""The rules in force on their pages, and a draft of them that is edited in place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from leadvibe.engine.policies import AttributeRuleset, FieldTest
from leadvibe.engine.rules import LevelKind
from leadvibe.scoring import drafts, editing, queries
from leadvibe.web.scoring_rules import period
from tests.web.pages import htmx
from tests.web.scoring_pages import (
    SCORING,
    config_of,
    draft_url,
    find_rule,
    make_draft,
    rule_url,
    rules_of,
    ruleset_url,
    rulesets_of,
)


@pytest.fixture
def rule(world):
    return world.add_rule("page_view", 2)


@pytest.fixture
def draft(world, rule):
    return make_draft(world)


def every_change(world, rule, draft):
    """Return each request that changes something, with what it sends."""
    other = world.add_ruleset("Other")
    return [
        (f"{SCORING}/drafts", {"kind": "engagement"}),
        (f"{SCORING}/rescores", {}),
        (f"{SCORING}/history/1/restore", {}),
        (f"{SCORING}/history/1/draft", {}),
        (f"{SCORING}/templates/saas", {}),
        *every_change_of_a_draft(world, rule, draft, other),
    ]


def every_change_of_a_draft(world, rule, draft, other):
    return [
        (draft_url(draft, "/engagement/rulesets"), {"name": "New"}),
        (ruleset_url(draft, world.primary.ruleset_id), {"active": "0"}),
        (ruleset_url(draft, other.ruleset_id, "/delete"), {}),
        (ruleset_url(draft, other.ruleset_id, "/rules"), {"event_type": "x", "weight": "5"}),
        (rule_url(draft, rule.rule_id), {"weight": "9"}),
        (rule_url(draft, rule.rule_id, "/delete"), {}),
        (draft_url(draft, "/name"), {"name": "Mine"}),
        (draft_url(draft, "/catch-up"), {}),
        (draft_url(draft, "/preview"), {}),
        (draft_url(draft, "/preview/cancel"), {}),
        (draft_url(draft, "/publish"), {}),
        (draft_url(draft, "/discard"), {}),
    ]


# What is live


@pytest.mark.parametrize("name", ["admin", "owner", "operator"])
def test_who_may_configure_is_led_to_edit_a_draft(browse, people, rule, name):
    page = browse(people[name]).get(SCORING).text

    assert "page_view" in page
    assert "Each one adds 2 points" in page
    assert 'name="weight"' not in page
    assert 'name="kind" value="engagement"' in page


@pytest.mark.parametrize("path", ["", "/profile", "/account", "/templates", "/history"])
def test_a_viewer_sees_everything_and_can_press_nothing(browse, people, rule, path):
    page = browse(people.viewer).get(f"{SCORING}{path}").text
    main = page[page.index("<main") :]

    assert re.findall(r'<button (?!class="term")', main) == []
    assert "<form" not in main


@pytest.mark.parametrize("end", ["/engagement", "/profile", "/account", "/changes", "/preview"])
def test_a_viewer_sees_a_draft_and_can_press_nothing(browse, people, draft, end):
    page = browse(people.viewer).get(draft_url(draft, end)).text
    main = page[page.index("<main") :]

    assert "Next year" in main
    assert re.findall(r"<button", main) == []
    assert "<form" not in main


def test_a_viewer_may_change_nothing(browse, people, world, rule, draft):
    changes = every_change(world, rule, draft)
    version = queries.current_version(world.scope)
    browser = browse(people.viewer)

    statuses = [browser.post(path, data).status_code for path, data in changes]

    assert set(statuses) == {403}
    assert browser.get(draft_url(draft, "/publish")).status_code == 403
    assert queries.current_version(world.scope) == version
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (2, True)}


def test_a_stranger_finds_no_draft(browse, people, world, rule, draft):
    browser, other = browse(people.stranger), world.add_ruleset("Other")
    changes = every_change_of_a_draft(world, rule, draft, other)

    assert {browser.post(path, data).status_code for path, data in changes} == {404}
    for end in ("", "/engagement", "/changes", "/preview", "/publish"):
        assert browser.get(draft_url(draft, end)).status_code == 404
    assert "page_view" not in browser.get(SCORING).text


def test_nobody_is_led_to_the_sign_in(browse, world, rule, draft):
    assert "/app/login" in browse(None).get(SCORING).location
    assert "/app/login" in browse(None).post(rule_url(draft, rule.rule_id), {}).location


def test_a_form_without_its_token_is_refused(browse, people, world, rule, draft):
    browser = browse(people.owner)

    for path, data in every_change(world, rule, draft):
        assert browser.client.post(path, data=data).status_code == 403


def test_the_page_says_which_version_is_live_and_who_made_it(browse, people, world, rule):
    page = browse(people.operator).get(SCORING).text

    assert f"Version {queries.current_version(world.scope)}</a>, changed by setup" in page


def test_one_click_makes_a_draft_and_the_next_goes_on_with_it(browse, people, world, rule):
    browser = browse(people.operator)

    answer = browser.post(f"{SCORING}/drafts", {"kind": "profile"})
    [draft] = queries.list_drafts(world.scope)

    assert (answer.status_code, answer.location) == (303, draft_url(draft, "/profile"))
    assert draft.created_by == "operator@acme.test"
    assert f'href="{draft_url(draft)}"' in browser.get(SCORING).text


def test_drafts_begun_on_one_day_have_names_of_their_own(browse, people, world):
    browser = browse(people.operator)

    for _ in range(2):
        browser.post(f"{SCORING}/drafts", {"kind": "engagement"})

    names = {draft.name for draft in queries.list_drafts(world.scope)}
    assert len(names) == 2


def test_more_drafts_than_a_unit_may_have_are_explained(browse, people, world):
    for number in range(drafts.MOST_DRAFTS):
        make_draft(world, f"Draft {number}")
    browser = browse(people.operator)

    answer = browser.post(f"{SCORING}/drafts", {"kind": "engagement"}, follow_redirects=True)

    assert "publish or delete one first" in answer.text


def test_account_rules_say_how_to_switch_accounts_on(browse, people, world):
    page = browse(people.operator).get(f"{SCORING}/account").text
    assert "Account scoring is off" in page
    assert "An admin of your organisation can switch it on" in page

    assert browse(people.operator).post(f"{SCORING}/account", {"abm": "1"}).status_code == 403
    assert browse(people.admin).post(f"{SCORING}/account", {"abm": "x"}).status_code == 400
    browse(people.admin).post(f"{SCORING}/account", {"abm": "1"})

    assert queries.get_settings(world.scope).abm_enabled
    assert "Account scoring is off" not in browse(people.operator).get(f"{SCORING}/account").text


# Editing


def test_rules_show_how_many_events_they_would_meet(browse, people, world, draft):
    for _ in range(3):
        world.happen("page_view", "ann")
    world.happen("unscored_type", "ann")

    page = browse(people.operator).get(draft_url(draft)).text

    assert '<td class="num faint c-seen">3</td>' in page
    assert '<option value="unscored_type">' in page
    assert "unscored_type (1)" in page


def test_an_event_that_gives_no_points_is_offered_in_the_form(browse, people, world, draft):
    world.happen("login", "ann")
    url = draft_url(draft) + f"?add=login&to={world.primary.ruleset_id}"

    page = browse(people.operator).get(url).text

    assert re.search(r'name="event_type"[^>]*value="login"', page)


def test_a_rule_is_added_to_the_draft_alone(browse, people, world, draft):
    url = ruleset_url(draft, world.primary.ruleset_id, "/rules")
    browser = browse(people.operator)

    answer = browser.post(url, {"event_type": " login ", "weight": "-5"})

    assert (answer.status_code, answer.location) == (303, draft_url(draft))
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (2, True), "login": (-5, True)}
    assert [it.event_type for it in queries.list_rules(world.scope)] == ["page_view"]
    page = browser.get(draft_url(draft)).text
    assert "1 change ·" in page
    assert '<span class="badge badge-ok">New</span>' in page


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"event_type": "page_view", "weight": "5"}, "scores &#39;page_view&#39; already"),
        ({"event_type": "", "weight": "5"}, "Name the event type"),
        ({"event_type": "x" * 201, "weight": "5"}, "Use at most 200 characters"),
        ({"event_type": "a\0b", "weight": "5"}, "Leave out line breaks"),
        ({"event_type": "login", "weight": ""}, "Say how many points"),
        ({"event_type": "login", "weight": "1.5"}, "Type a whole number"),
        ({"event_type": "login", "weight": "10001"}, "Choose from -10,000 to 10,000"),
        ({"event_type": "login", "weight": "9" * 5000}, "Type a whole number"),
    ],
)
@pytest.mark.usefixtures("draft")
def test_a_rule_that_makes_no_sense_is_explained_in_its_form(
    browse, people, world, sent, complaint
):
    [draft] = queries.list_drafts(world.scope)
    url = ruleset_url(draft, world.primary.ruleset_id, "/rules")

    answer = browse(people.operator).post(url, sent)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (2, True)}


def test_points_are_changed_in_place_and_the_row_says_what_they_were(
    browse, people, world, rule, draft
):
    answer = browse(people.operator).post(
        rule_url(draft, rule.rule_id), {"weight": "9"}, headers=htmx(f"tr#rule-{rule.rule_id}")
    )

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith(f'<tr id="rule-{rule.rule_id}"')
    assert "was +2" in answer.text
    assert 'value="9"' in answer.text
    assert "draft-changed" in answer.headers["HX-Trigger"]
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (9, True)}


def test_points_that_make_no_sense_are_explained_at_their_rule(browse, people, rule, draft):
    answer = browse(people.operator).post(rule_url(draft, rule.rule_id), {"weight": "x"})

    assert answer.status_code == 422
    assert f'id="weight-{rule.rule_id}-error"' in answer.text
    assert 'value="x"' in answer.text


def test_who_was_quicker_is_told_and_nothing_typed_is_lost(browse, people, world, rule, draft):
    seen = editing.state_of(find_rule(config_of(world.scope, draft), "page_view"))
    browse(people.owner).post(rule_url(draft, rule.rule_id), {"weight": "5", "state": seen})
    browser = browse(people.operator)

    answer = browser.post(rule_url(draft, rule.rule_id), {"weight": "7", "state": seen})

    assert answer.status_code == 409
    assert "owner@acme.test has changed this to +5 since you opened it" in answer.text
    assert 'value="7"' in answer.text
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (5, True)}
    now_seen = editing.state_of(find_rule(config_of(world.scope, draft), "page_view"))
    assert f'value="{now_seen}"' in answer.text
    browser.post(rule_url(draft, rule.rule_id), {"weight": "7", "state": now_seen})
    assert rules_of(config_of(world.scope, draft)) == {"page_view": (7, True)}


def test_a_rule_is_opened_and_edited_whole(browse, people, world, rule, draft):
    browser = browse(people.operator)
    opened = browser.get(draft_url(draft) + f"?rule={rule.rule_id}").text
    assert f'id="edit-{rule.rule_id}-weight"' in opened

    browser.post(
        rule_url(draft, rule.rule_id),
        {"event_type": "view", "weight": "3", "start_at": "2026-12-01", "end_at": "2026-12-31"},
    )

    changed = find_rule(config_of(world.scope, draft), "view")
    assert (changed.rule_id, changed.weight) == (rule.rule_id, 3)
    assert changed.start_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert changed.end_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert "1 Dec 2026 to 31 Dec 2026" in browser.get(draft_url(draft)).text


def test_a_rule_is_paused_and_deleted(browse, people, world, rule, draft):
    browser = browse(people.operator)

    browser.post(rule_url(draft, rule.rule_id), {"active": "0"})
    paused = rules_of(config_of(world.scope, draft))
    browser.post(rule_url(draft, rule.rule_id, "/delete"))

    assert paused == {"page_view": (2, False)}
    assert rules_of(config_of(world.scope, draft)) == {}


@pytest.mark.parametrize("sent", [{}, {"active": "maybe"}])
def test_a_change_of_nothing_is_refused(browse, people, rule, draft, sent):
    assert browse(people.operator).post(rule_url(draft, rule.rule_id), sent).status_code == 400


def test_who_edits_a_draft_that_was_discarded_reads_so(browse, people, rule, draft):
    browser, url = browse(people.operator), rule_url(draft, rule.rule_id)
    browser.post(draft_url(draft, "/discard"))

    page = browser.get(draft_url(draft, "/engagement"))
    part = browser.post(url, {"weight": "9"}, headers=htmx(f"tr#rule-{rule.rule_id}"))

    assert page.status_code == part.status_code == 404
    assert "This draft is gone" in page.text
    assert "published or discarded" in part.headers["HX-Trigger"]


@pytest.mark.parametrize("end", ["", "/delete"])
def test_a_rule_that_is_gone_is_not_found(browse, people, draft, end):
    answer = browse(people.operator).post(rule_url(draft, uuid4(), end), {"weight": "1"})

    assert answer.status_code == 404


def test_a_ruleset_is_created_with_its_days_included(browse, people, world, draft):
    answer = browse(people.operator).post(
        draft_url(draft, "/engagement/rulesets"),
        {"name": " Winter ", "start_at": "2026-12-01", "end_at": "2027-01-31"},
    )

    made = next(it for it in config_of(world.scope, draft).rulesets if it.name == "Winter")
    assert answer.status_code == 303
    assert made.start_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert made.end_at == datetime(2027, 2, 1, tzinfo=UTC)
    assert not made.is_primary


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"name": ""}, "Name the ruleset"),
        ({"name": "Engagement"}, "A ruleset &#39;Engagement&#39; exists already"),
        ({"name": "New", "start_at": "soon"}, "Not a valid date"),
        (
            {"name": "New", "start_at": "2026-02-02", "end_at": "2026-02-01"},
            "The last day is before the first",
        ),
    ],
)
@pytest.mark.usefixtures("draft")
def test_a_ruleset_that_makes_no_sense_is_explained_in_its_form(
    browse, people, world, sent, complaint
):
    [draft] = queries.list_drafts(world.scope)
    answer = browse(people.operator).post(draft_url(draft, "/engagement/rulesets"), sent)

    assert answer.status_code == 422
    assert complaint in answer.text
    assert '<dialog class="dialog" id="new-ruleset" open' in answer.text


def test_a_ruleset_is_renamed_made_primary_paused_and_deleted(browse, people, world):
    other = world.add_ruleset("Other")
    draft, browser, scope = make_draft(world), browse(people.operator), world.scope
    url = ruleset_url(draft, other.ruleset_id)

    browser.post(url, {"name": "Usage"})
    browser.post(url, {"primary": "1"})
    browser.post(url, {"active": "0"})

    assert rulesets_of(config_of(scope, draft)) == {
        "Engagement": (False, True),
        "Usage": (True, False),
    }
    browser.post(f"{url}/delete")
    assert rulesets_of(config_of(scope, draft)) == {"Engagement": (False, True)}


def test_the_primary_ruleset_offers_no_deletion(browse, people, world, draft):
    page = browse(people.owner).get(draft_url(draft)).text

    assert ruleset_url(draft, world.primary.ruleset_id, "/delete") not in page


@pytest.mark.parametrize("kind", ["profile", "account"])
def test_rules_about_properties_are_made_edited_and_deleted(browse, people, world, draft, kind):
    browser, shelf = browse(people.operator), LevelKind(kind)
    browser.post(draft_url(draft, f"/{kind}/rulesets"), {"name": "Fit"})
    [fit] = editing.rulesets_of(config_of(world.scope, draft), shelf)
    assert fit.is_primary
    browser.post(
        draft_url(draft, f"/{kind}/rulesets/{fit.ruleset_id}/rules"),
        {"key": "country", "operator": "in", "value": "DE, AT", "weight": "10"},
    )
    [fit] = editing.rulesets_of(config_of(world.scope, draft), shelf)
    [rule] = fit.rules
    assert (rule.test, rule.weight) == (FieldTest("country", "in", "DE, AT"), 10)
    assert "country is one of DE, AT" in browser.get(draft_url(draft, f"/{kind}")).text

    url = draft_url(draft, f"/{kind}/rules/{rule.rule_id}")
    browser.post(url, {"key": "country", "operator": "exists", "value": "x", "weight": "7"})

    [fit] = editing.rulesets_of(config_of(world.scope, draft), shelf)
    assert (fit.rules[0].test, fit.rules[0].weight) == (FieldTest("country", "exists"), 7)
    browser.post(f"{url}/delete")
    browser.post(draft_url(draft, f"/{kind}/rulesets/{fit.ruleset_id}"), {"active": "0"})
    [fit] = editing.rulesets_of(config_of(world.scope, draft), shelf)
    assert fit == AttributeRuleset(fit.ruleset_id, "Fit", enabled=False, is_primary=True)


def test_a_comparison_that_makes_no_sense_is_explained(browse, people, world, draft):
    browser = browse(people.operator)
    browser.post(draft_url(draft, "/profile/rulesets"), {"name": "Fit"})
    [fit] = editing.rulesets_of(config_of(world.scope, draft), LevelKind.PROFILE)

    answer = browser.post(
        draft_url(draft, f"/profile/rulesets/{fit.ruleset_id}/rules"),
        {"key": "country", "operator": "in", "value": "", "weight": "10"},
    )

    assert answer.status_code == 422
    assert "needs at least one value" in answer.text


def test_a_draft_is_renamed_and_discarded(browse, people, world, draft):
    browser = browse(people.operator)

    browser.post(draft_url(draft, "/name"), {"name": "Mine"})
    assert [it.name for it in queries.list_drafts(world.scope)] == ["Mine"]
    make_draft(world, "Taken")
    answer = browser.post(draft_url(draft, "/name"), {"name": "Taken"})
    assert answer.status_code == 422
    assert "There is a draft &#39;Taken&#39; already" in answer.text
    browser.post(draft_url(draft, "/discard"))

    assert [it.name for it in queries.list_drafts(world.scope)] == ["Taken"]


def test_the_bar_and_the_panel_are_asked_for_alone(browse, people, draft):
    browser = browse(people.operator)

    bar = browser.get(draft_url(draft), headers=htmx("section#draft-bar")).text
    panel = browser.get(draft_url(draft), headers=htmx("section#what-changes")).text

    assert bar.lstrip().startswith('<section class="draft-bar"')
    assert 'id="what-changes"' in panel
    assert 'id="rulesets"' not in bar + panel


def test_the_page_costs_the_same_number_of_statements_for_any_rules(
    browse, people, world, statements
):
    draft, browser, counts = make_draft(world), browse(people.viewer), []
    for batch in range(2):
        for number in range(5):
            ruleset = world.add_ruleset(f"Set {batch} {number}")
            world.add_rule("page_view", 1, ruleset)
        for path in (SCORING, draft_url(draft)):
            browser.get(path)  # the first time, snapshots are read that stay in memory
            statements.clear()
            browser.get(path)
            counts.append(len(statements))

    assert counts[:2] == counts[2:]
    assert counts[0] <= 11
    assert counts[1] <= 20


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
