"""From a draft to what is live: previews, publishing, history and templates on their pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from leadvibe.engine.triggers import Milestone
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.paging import PageRequest
from leadvibe.rescoring import queries as rescoring
from leadvibe.rescoring import service as rescores
from leadvibe.rescoring.types import PreviewKind, WalkState
from leadvibe.scoring import drafts, levels, queries, versions
from leadvibe.scoring.settings import update_settings
from leadvibe.scoring.templates import TEMPLATES
from leadvibe.web import scoring_previews
from tests.factories import make_trigger
from tests.rescoring.walks import SilentQueue
from tests.web.pages import htmx
from tests.web.scoring_pages import (
    SCORING,
    config_of,
    draft_url,
    find_rule,
    make_draft,
    rule_url,
    rules_of,
)


@pytest.fixture
def scored(world):
    """Ann and Bob have 2 points for each of their views, and Ann a demo request for 10."""
    world.add_rule("page_view", 2)
    world.add_rule("demo_request", 10)
    for _ in range(3):
        world.happen("page_view", "ann")
    world.happen("demo_request", "ann")
    world.happen("page_view", "bob")
    return world


@pytest.fixture
def draft(scored):
    return make_draft(scored)


def set_points(browser, world, draft, event_type, points):
    rule = find_rule(config_of(world.scope, draft), event_type)
    browser.post(rule_url(draft, rule.rule_id), {"weight": str(points)})


def seen(draft, world):
    return queries.get_draft(world.scope, draft.draft_id).updated_at.isoformat()


def newest_version(world):
    return queries.get_config_version(world.scope, queries.current_version(world.scope))


# Previews


def test_a_draft_without_changes_says_what_to_do_first(browse, people, draft):
    page = browse(people.operator).get(draft_url(draft)).text

    assert "Change some points or add a rule" in page
    assert draft_url(draft, "/preview") + '" hx-post' not in page


def test_a_preview_says_who_moves_and_why(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)

    answer = browser.post(draft_url(draft, "/preview"), {"next": draft_url(draft)})
    assert (answer.status_code, answer.location) == (303, draft_url(draft))
    panel = browser.get(draft_url(draft)).text
    whole = browser.get(draft_url(draft, "/preview")).text

    assert "1 of 2 leads would get another score, 1 another level." in panel
    assert re.search(r'href="/app/leads/ann">ann</a>', panel)
    assert "demo_request" in whole[whole.index("Who moves") :]
    assert re.search(r"demo_request <span[^>]*>\+1\d →</span> <span[^>]*>\+7\d</span>", whole)
    assert [it.event_type for it in queries.list_rules(scored.scope)] == [
        "demo_request",
        "page_view",
    ]


def test_movers_are_listed_by_where_they_go(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "page_view", 1)
    set_points(browser, scored, draft, "demo_request", 60)
    browser.post(draft_url(draft, "/preview"))

    def movers(query):
        page = browser.get(draft_url(draft, "/preview") + query).text
        return re.findall(r'class="row-name" href="/app/leads/(\w+)"', page)

    assert movers("") == ["ann", "bob"]
    assert movers("?engagement=up") == ["ann"]
    assert movers("?engagement=down") == ["bob"]
    assert movers("?engagement=level") == ["ann"]
    assert movers("?engagement=sideways&engagement_page=x") == ["ann", "bob"]


def test_a_preview_of_profile_rules_names_the_rules(browse, people, scored, draft):
    browser = browse(people.operator)
    browser.post(draft_url(draft, "/profile/rulesets"), {"name": "Fit"})
    [fit] = config_of(scored.scope, draft).policies.profile_rulesets
    browser.post(
        draft_url(draft, f"/profile/rulesets/{fit.ruleset_id}/rules"),
        {"key": "country", "operator": "not_exists", "value": "", "weight": "30"},
    )

    browser.post(draft_url(draft, "/preview"))
    page = browser.get(draft_url(draft, "/preview")).text

    assert "2 of 2 leads would get another score" in page
    assert "country is empty" in page
    assert "result-profile" in page
    assert "result-engagement" not in page


def test_account_rules_go_from_a_draft_by_a_preview_to_what_is_live(browse, people, scored):
    update_settings(scored.principal, scored.scope, {"abm_enabled": True}, now=utc_now())
    scored.happen("page_view", email="ann@acme.test")
    draft, browser = make_draft(scored), browse(people.operator)
    browser.post(draft_url(draft, "/account/rulesets"), {"name": "Firms"})
    [firms] = config_of(scored.scope, draft).policies.account_rulesets
    browser.post(
        draft_url(draft, f"/account/rulesets/{firms.ruleset_id}/rules"),
        {"key": "country", "operator": "not_exists", "value": "", "weight": "30"},
    )

    browser.post(draft_url(draft, "/preview"))
    page = browser.get(draft_url(draft, "/preview")).text
    answer = browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored)})

    assert answer.location == f"{SCORING}/account"
    assert "1 of 1 account would get another score" in page
    assert 'href="/app/accounts/acme.test"' in page
    [live] = queries.read_config(scored.scope).policies.account_rulesets
    assert [rule.weight for rule in live.rules] == [30]


def test_the_preview_tab_starts_a_preview_where_there_is_none(browse, people, scored, draft):
    browser, tab = browse(people.operator), draft_url(draft, "/preview")
    starts = 'hx-trigger="load, submit"'
    assert starts not in browser.get(tab).text

    set_points(browser, scored, draft, "demo_request", 60)
    assert starts in browser.get(tab).text
    assert starts not in browser.get(draft_url(draft)).text
    assert starts not in browse(people.viewer).get(tab).text

    browser.post(tab)
    assert starts not in browser.get(tab).text


def test_a_preview_tells_which_triggers_leads_would_come_past(browse, people, scored, draft):
    make_trigger(scored.scope, Milestone(50), name="Hot lead")
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)

    browser.post(draft_url(draft, "/preview"))
    page = browser.get(draft_url(draft, "/preview")).text

    assert "Hot lead" in page
    assert "1 more lead would have 50 points or more, and none would drop below." in page


def test_a_preview_of_an_older_state_says_so(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    browser.post(draft_url(draft, "/preview"))
    assert "Something has changed since" not in browser.get(draft_url(draft)).text

    set_points(browser, scored, draft, "demo_request", 70)

    assert "Something has changed since" in browser.get(draft_url(draft)).text


def test_a_preview_that_runs_asks_again_until_its_end(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    asked = rescores.request_preview(
        scored.principal,
        scored.scope,
        config_of(scored.scope, draft),
        kind=PreviewKind.ENGAGEMENT,
        subject="draft Next year",
        queue=SilentQueue(),
        now=utc_now(),
    )
    commit()

    running = browser.get(draft_url(draft), headers=htmx("section#what-changes")).text
    browser.post(draft_url(draft, "/preview/cancel"), {"next": draft_url(draft)})
    ended = browser.get(draft_url(draft), headers=htmx("section#what-changes")).text

    assert "every 1s" in running
    assert "Waiting for a worker" in running
    assert "every 1s" not in ended
    assert rescoring.get_preview(scored.scope, asked.walk_id).state is WalkState.CANCELLED


def test_previews_that_are_too_many_are_explained(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    for number in range(rescores.MOST_UNFINISHED):
        rescores.request_preview(
            scored.principal,
            scored.scope,
            config_of(scored.scope, draft),
            kind=PreviewKind.ENGAGEMENT,
            subject=f"something {number}",
            queue=SilentQueue(),
            now=utc_now(),
        )
    commit()

    answer = browser.post(draft_url(draft, "/preview"), follow_redirects=True)

    assert "Several previews of this unit are under way" in answer.text


def test_htmx_gets_the_panel_where_the_preview_was_asked_for(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)

    answer = browser.post(
        draft_url(draft, "/preview"),
        {"next": draft_url(draft)},
        headers=htmx("section#what-changes"),
    )

    assert answer.text.lstrip().startswith('<section class="card panel-card')
    assert "would get another score" in answer.text
    assert scoring_previews.PATIENCE_SECONDS < 1


# Publishing


def test_publishing_says_what_changes_and_keeps_the_note(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    page = browser.get(draft_url(draft, "/publish")).text
    assert "Rule demo_request in Engagement: +60 points instead of +10 points." in page
    assert "You have not previewed these changes" in page

    answer = browser.post(
        draft_url(draft, "/publish"),
        {"seen": seen(draft, scored), "note": "  More for\ndemos ", "rescore": "y"},
    )

    [rescore] = rescoring.search_rescores(scored.scope, PageRequest()).items
    assert (answer.status_code, answer.location) == (303, f"{SCORING}?rescore={rescore.walk_id}")
    assert newest_version(scored).summary == "Published draft Next year: More for demos"
    assert newest_version(scored).created_by == "operator@acme.test"
    assert queries.list_drafts(scored.scope) == []
    live = browser.get(answer.location).text
    assert "is live as version" in live
    assert "waiting for a worker" in live
    assert "every 1s" in live


def test_points_of_the_past_stay_unless_a_rescore_is_wanted(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)

    answer = browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored)})

    assert answer.location == SCORING
    assert rescoring.search_rescores(scored.scope, PageRequest()).total.count == 0


def test_who_looked_at_an_older_draft_is_shown_the_new_one(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    old = seen(draft, scored)
    set_points(browse(people.owner), scored, draft, "demo_request", 70)

    answer = browser.post(draft_url(draft, "/publish"), {"seen": old})

    assert answer.status_code == 409
    assert "owner@acme.test has changed this draft since you opened this page" in answer.text
    assert "+70 points instead of +10 points" in answer.text
    assert len(queries.list_drafts(scored.scope)) == 1


def test_changes_of_others_are_told_and_brought_in(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    scored.add_rule("login", 5)

    page = browser.get(draft_url(draft, "/publish")).text
    assert "The live rules have changed since this draft was made" in page
    assert "Added rule login in Engagement" in page
    refused = browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored)})
    assert refused.status_code == 409

    browser.post(draft_url(draft, "/catch-up"))
    browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored)})

    live = queries.read_config(scored.scope)
    assert rules_of(live) == {
        "page_view": (2, True), "demo_request": (60, True), "login": (5, True),
    }  # fmt: skip


def test_who_insists_replaces_what_others_changed(browse, people, scored, draft):
    browser = browse(people.operator)
    set_points(browser, scored, draft, "demo_request", 60)
    scored.add_rule("login", 5)

    browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored), "force": "1"})

    assert "login" not in rules_of(queries.read_config(scored.scope))


def test_changes_that_do_not_go_together_are_explained(browse, people, scored, draft):
    browser, scope = browse(people.operator), scored.scope
    browser.post(f"{SCORING}/templates/saas", {"draft": str(draft.draft_id)})
    *_, highest = queries.list_levels(scope)
    kind, who = highest.kind, scored.principal
    levels.update_level(who, scope, kind, highest.level_id, {"max_score": 199}, now=utc_now())
    blazing = {"name": "Blazing", "min_score": 200, "max_score": None}
    levels.create_level(who, scope, kind, blazing, now=utc_now())
    commit()

    answer = browser.post(draft_url(draft, "/catch-up"), follow_redirects=True)

    assert answer.status_code == 200
    assert "do not go together as they are, so nothing was brought in" in answer.text
    assert "overlaps with" in answer.text


def test_a_draft_without_changes_cannot_be_published(browse, people, scored, draft):
    version = queries.current_version(scored.scope)
    browser = browse(people.operator)

    assert "There is nothing to publish" in browser.get(draft_url(draft, "/publish")).text
    browser.post(draft_url(draft, "/publish"), {"seen": seen(draft, scored)})

    assert queries.current_version(scored.scope) == version


def test_a_rescore_is_asked_for_once(browse, people, scored):
    browser = browse(people.operator)

    first = browser.post(f"{SCORING}/rescores").location
    second = browser.post(f"{SCORING}/rescores").location

    assert first == second
    assert "rescore=" in first


# History


def test_history_tells_who_changed_what_and_compares_any_two(browse, people, scored):
    browser = browse(people.viewer)

    page = browser.get(f"{SCORING}/history").text
    first = browser.get(f"{SCORING}/history/1").text
    second = browser.get(f"{SCORING}/history/2").text
    span = browser.get(f"{SCORING}/history/3?with=1").text

    assert "Engagement: demo_request is worth +10" in page
    assert "Added ruleset Engagement: primary." in first
    assert "Added rule page_view in Engagement: +2 points." in second
    assert "From version 1 to version 3" in span
    assert "demo_request" in span
    assert browser.get(f"{SCORING}/history/99").status_code == 404
    assert browser.get(f"{SCORING}/history/3?with=99").status_code == 404
    assert browser.get(f"{SCORING}/history/3?with=x").status_code == 200
    assert browser.get(f"{SCORING}/history?page=9").status_code == 200


def test_going_back_makes_a_version_or_a_draft(browse, people, scored):
    browser = browse(people.operator)

    answer = browser.post(f"{SCORING}/history/1/draft")
    [draft] = queries.list_drafts(scored.scope)
    assert answer.location == draft_url(draft, "/changes")
    assert draft.name == "Back to version 1"
    assert rules_of(config_of(scored.scope, draft)) == {}

    browser.post(f"{SCORING}/history/1/restore")

    assert queries.list_rules(scored.scope) == []
    assert newest_version(scored).summary == "Went back to version 1"


def test_history_is_paged(browse, people, scored):
    for number in range(30):
        versions.restore_version(
            scored.principal, scored.scope, 1 + number % 3, now=utc_now() + timedelta(hours=number)
        )
    commit()

    page = browse(people.viewer).get(f"{SCORING}/history").text

    assert "1\N{EN DASH}25 of" in page
    assert f"{SCORING}/history?page=2" in page


# Templates


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.key)
def test_a_template_goes_into_a_draft_and_nowhere_else(browse, people, scored, template):
    version = queries.current_version(scored.scope)
    browser = browse(people.operator)
    assert template.name in browser.get(f"{SCORING}/templates").text

    answer = browser.post(f"{SCORING}/templates/{template.key}")

    [draft] = queries.list_drafts(scored.scope)
    assert answer.location == draft_url(draft)
    assert draft.name == template.name
    assert rules_of(config_of(scored.scope, draft)).keys() >= {
        it.event_type for it in template.rules
    }
    assert queries.current_version(scored.scope) == version


def test_a_template_goes_into_the_draft_that_one_comes_from(browse, people, scored, draft):
    browser = browse(people.operator)
    page = browser.get(f"{SCORING}/templates?draft={draft.draft_id}").text
    assert f'name="draft" value="{draft.draft_id}"' in page

    answer = browser.post(f"{SCORING}/templates/saas", {"draft": str(draft.draft_id)})

    assert answer.location == draft_url(draft)
    assert len(queries.list_drafts(scored.scope)) == 1
    assert rules_of(config_of(scored.scope, draft))["demo_request"] == (40, True)


def test_a_template_that_there_is_not_is_not_found(browse, people, scored):
    assert browse(people.operator).post(f"{SCORING}/templates/none").status_code == 404


def test_too_many_drafts_are_explained_on_the_templates(browse, people, scored):
    for number in range(drafts.MOST_DRAFTS):
        make_draft(scored, f"Draft {number}")

    answer = browse(people.operator).post(f"{SCORING}/templates/saas", follow_redirects=True)

    assert "publish or delete one first" in answer.text
