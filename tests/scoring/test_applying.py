"""A whole configuration in the place of the current one: versions, drafts, import and export."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from leadvibe.engine.policies import (
    SURGE_GENTLE,
    AttributeRule,
    AttributeRuleset,
    EventTypePolicy,
    FieldTest,
    Reach,
)
from leadvibe.engine.rules import Level, LevelKind, Rule, Ruleset
from leadvibe.events import queries as events
from leadvibe.events import service as events_service
from leadvibe.lib.db import session
from leadvibe.lib.paging import PageRequest
from leadvibe.scoring import drafts, levels, policies, queries, service, versions
from leadvibe.scoring.applying import apply_config
from leadvibe.scoring.changes import changes_between
from leadvibe.scoring.errors import (
    BadConfigError,
    DraftExistsError,
    DraftNotFoundError,
    DraftOutdatedError,
    TooManyDraftsError,
    VersionNotFoundError,
)
from leadvibe.scoring.settings import update_settings
from leadvibe.scoring.types import ItemKind
from tests.effort import examples
from tests.factories import make_organization, make_principal, make_rule, make_scope
from tests.scoring.strategies import whole_configs

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DECAY = {"inactive_for": 30, "unit": "days", "decrease": 25}
FIRST = 1
"""The version that a unit is set up with."""


@pytest.fixture
def scope(app):
    return make_scope(surges=True)


@pytest.fixture
def ana(scope):
    return replace(make_principal(scope), label="ana@acme.test")


@pytest.fixture
def ben(scope):
    return replace(make_principal(scope), label="ben@acme.test")


def apply(ana, scope, config, now=NOW):
    return apply_config(ana, scope, config, summary="Applied", now=now)


@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=whole_configs(), second=whole_configs())
def test_what_is_applied_is_what_is_read(ana, scope, first, second):
    for config in (first, second, first):
        apply(ana, scope, config)

        read = queries.read_config(scope)
        assert changes_between(config, read) == []
        assert changes_between(queries.get_config(scope, read.version), read) == []


def test_applying_what_is_there_makes_no_version(ana, scope):
    current = queries.read_config(scope)

    applied = apply(ana, scope, current)

    assert (applied.version, applied.sentences) == (current.version, ())
    assert queries.current_version(scope) == current.version


def test_applying_tells_the_version_and_what_it_changed(ana, scope):
    current = queries.read_config(scope)

    applied = apply(ana, scope, replace(current, session_timeout_seconds=2700))

    assert applied.version == queries.current_version(scope) == current.version + 1
    assert applied.sentences == ("Setting session time-out: 2700 s instead of 1800 s",)
    assert queries.get_config_version(scope, applied.version).created_by == "ana@acme.test"


def test_names_may_change_places(ana, scope):
    config = queries.read_config(scope)
    a, b = Ruleset(UUID(int=1), "A"), Ruleset(UUID(int=2), "B", is_primary=True)
    apply(ana, scope, replace(config, rulesets=(a, b)))

    swapped = replace(a, name="B", is_primary=True), replace(b, name="A", is_primary=False)
    apply(ana, scope, replace(config, rulesets=swapped))

    assert [(it.ruleset_id, it.name) for it in queries.list_rulesets(scope)] == [
        (a.ruleset_id, "B"),
        (b.ruleset_id, "A"),
    ]


def test_who_made_and_changed_something_is_kept_where_nothing_changes(ana, ben, scope):
    primary = queries.find_primary(scope).ruleset_id
    fields = {"event_type": "x", "weight": 1}
    kept = service.create_rule(ana, scope, primary, fields, now=NOW)
    decay = policies.create_decay(ana, scope, DECAY, now=NOW)
    config = queries.read_config(scope)
    [ruleset] = config.rulesets

    new = Rule(UUID(int=9), "y", 2)
    apply(
        ben,
        scope,
        replace(config, rulesets=(replace(ruleset, rules=(*ruleset.rules, new)),)),
        LATER,
    )

    assert queries.get_rule(scope, kept.rule_id) == kept
    assert queries.get_item(scope, ItemKind.DECAY, decay.item_id) == decay
    added = queries.get_rule(scope, new.rule_id)
    assert (added.created_by, added.created_at) == ("ben@acme.test", LATER)


def test_who_changed_something_last_is_noted_where_something_changes(ana, ben, scope):
    filter_id = policies.create_velocity_filter(
        ana,
        scope,
        {"event_type": "x", "count_threshold": 5, "time_window_ms": 9, "group_events": False},
        now=NOW,
    ).item_id
    config = queries.read_config(scope)
    [one] = config.policies.velocity_filters

    changed = replace(config.policies, velocity_filters=(replace(one, group_events=True),))
    apply(ben, scope, replace(config, policies=changed), LATER)

    item = queries.get_item(scope, ItemKind.VELOCITY_FILTER, filter_id)
    assert (item.created_by, item.created_at) == ("ana@acme.test", NOW)
    assert (item.updated_by, item.updated_at) == ("ben@acme.test", LATER)


def test_what_another_unit_has_stays(ana, scope):
    elsewhere = make_scope()
    make_rule(elsewhere)
    before = queries.read_config(elsewhere)

    apply(ana, scope, replace(queries.read_config(scope), rulesets=()))

    assert queries.list_rulesets(scope) == []
    assert queries.read_config(elsewhere) == before


def test_a_kind_of_level_that_is_missing_stays(ana, scope):
    config = queries.read_config(scope)
    only = Level(UUID(int=1), LevelKind.PROFILE, "Any", 0)

    apply(ana, scope, replace(config, levels=(only,)))

    assert [it.level for it in levels.list_stored_levels(scope, LevelKind.PROFILE)] == [only]
    for kind in (LevelKind.ENGAGEMENT, LevelKind.ACCOUNT):
        assert len(levels.list_stored_levels(scope, kind)) > 1


def test_settings_of_the_organisation_stay(ana, scope):
    config = queries.read_config(scope)
    update_settings(ana, scope, {"allow_negative_scores": True, "abm_enabled": True}, now=NOW)

    apply(ana, scope, replace(config, session_timeout_seconds=60))

    read = queries.read_config(scope)
    assert read.allow_negative_scores
    assert read.policies.abm_enabled
    assert read.session_timeout_seconds == 60


def test_leads_get_another_headline_when_another_ruleset_stands_for_them(ana, scope):
    config = queries.read_config(scope)
    other = Ruleset(UUID(int=1), "Other", is_primary=True)
    was = replace(config.rulesets[0], is_primary=False)

    apply(ana, scope, replace(config, session_timeout_seconds=60))
    assert queries.units_with_stale_headlines() == []

    apply(ana, scope, replace(config, rulesets=(was, other)))
    assert queries.units_with_stale_headlines() == [scope.unit_id]


def test_choices_about_event_types_are_replaced_and_counts_stay(ana, scope):
    events_service.register_types(scope, {"a": 3, "b": 2}, now=NOW)
    config = queries.read_config(scope)

    def choose(**choices):
        chosen = replace(config.policies, event_types=choices)
        apply(ana, scope, replace(config, policies=chosen))
        return {
            it.name: (it.hidden, it.max_processing_scope, it.event_count)
            for it in events.list_event_types(scope)
        }

    hidden = EventTypePolicy(hidden=True)
    assert choose(a=hidden, new=EventTypePolicy(reach=Reach.OBSERVE)) == {
        "a": (True, "activate", 3),
        "b": (False, "activate", 2),
        "new": (False, "observe", 0),
    }
    assert choose(b=hidden) == {"a": (False, "activate", 3), "b": (True, "activate", 2)}


# Versions


def test_going_back_brings_everything_back_with_its_ids(ana, scope):
    rule = make_rule(scope, "demo", 50)
    decay = policies.create_decay(ana, scope, DECAY, now=NOW)
    policies.set_surge_policy(ana, scope, SURGE_GENTLE, now=NOW)
    number = queries.current_version(scope)
    service.delete_ruleset(ana, scope, rule.ruleset_id, now=LATER)
    policies.delete_decay(ana, scope, decay.item_id, now=LATER)

    applied = versions.restore_version(ana, scope, number, now=LATER)

    assert applied.version == queries.current_version(scope) > number
    assert versions.compare_versions(scope, number, applied.version) == []
    assert queries.get_rule(scope, rule.rule_id).weight == 50
    assert queries.get_item(scope, ItemKind.DECAY, decay.item_id).created_at == NOW
    summary = versions.get_version(scope, applied.version).summary
    assert summary == f"Went back to version {number}"


def test_a_version_from_before_there_were_policies_can_be_gone_back_to(ana, scope):
    statement = "UPDATE config_versions SET config = config - 'policies' WHERE unit_id = :unit"
    session().execute(text(statement), {"unit": scope.unit_id})
    policies.create_decay(ana, scope, DECAY, now=NOW)

    versions.restore_version(ana, scope, FIRST, now=LATER)

    assert queries.list_items(scope, ItemKind.DECAY) == []
    assert policies.get_surge_policy(scope).mode == "off"


def test_versions_are_listed_newest_first_a_page_at_a_time(ana, scope):
    for weight in range(1, 5):
        make_rule(scope, f"type {weight}", weight)

    page = versions.search_versions(scope, PageRequest(page=2, size=2))

    assert [it.version for it in page.items] == [3, 2]
    assert page.total.count == 5
    assert page.items[0].summary == "Engagement: type 2 is worth +2"


@pytest.mark.parametrize("number", [0, 2, 2**31, 2**62])
def test_a_version_that_is_not_there_is_not_found(ana, scope, number):
    with pytest.raises(VersionNotFoundError, match="There is no version"):
        versions.get_version(scope, number)
    with pytest.raises(VersionNotFoundError):
        versions.restore_version(ana, scope, number, now=NOW)
    with pytest.raises(VersionNotFoundError):
        versions.compare_versions(scope, FIRST, number)


def test_a_configuration_can_be_carried_to_another_unit(ana, scope):
    make_rule(scope, "demo", 50)
    policies.create_decay(ana, scope, DECAY, now=NOW)
    elsewhere = make_scope(make_organization("Elsewhere"))

    versions.import_config(
        make_principal(elsewhere), elsewhere, queries.read_config(scope), now=NOW
    )

    assert changes_between(queries.read_config(scope), queries.read_config(elsewhere)) == []


def test_an_import_that_is_wrong_changes_nothing(ana, scope):
    before = queries.read_config(scope)
    twice = before.rulesets * 2

    with pytest.raises(BadConfigError):
        versions.import_config(ana, scope, replace(before, rulesets=twice), now=NOW)

    assert queries.read_config(scope) == before


# Drafts


def test_a_draft_is_a_copy_without_effect(ana, scope):
    make_rule(scope, "demo", 50)
    before = queries.read_config(scope)
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    assert drafts.compare_draft(scope, draft.draft_id) == []

    changed = drafts.update_draft(
        ana, scope, draft.draft_id, config=replace(before, rulesets=()), now=LATER
    )

    assert queries.read_config(scope) == before
    assert (changed.base_version, changed.updated_at) == (before.version, LATER)
    assert queries.get_draft_config(scope, draft.draft_id).rulesets == ()
    sentences = [it.sentence for it in drafts.compare_draft(scope, draft.draft_id)]
    assert sentences == [
        "Removed ruleset Engagement (primary)",
        "Removed rule demo in Engagement (+50 points)",
    ]


def test_publishing_makes_a_draft_the_configuration_and_ends_it(ana, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    wanted = replace(queries.read_config(scope), session_timeout_seconds=60)
    drafts.update_draft(ana, scope, draft.draft_id, config=wanted, now=NOW)

    applied = drafts.publish_draft(ana, scope, draft.draft_id, now=LATER)

    assert queries.get_settings(scope).session_timeout_minutes == 1
    assert queries.get_config_version(scope, applied.version).summary == "Published draft Next year"
    with pytest.raises(DraftNotFoundError):
        queries.get_draft(scope, draft.draft_id)


def test_a_draft_that_is_outdated_is_published_only_by_force(ana, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    make_rule(scope, "demo", 50)

    with pytest.raises(DraftOutdatedError, match="copy of version 1, and version 2 is in force"):
        drafts.publish_draft(ana, scope, draft.draft_id, now=LATER)
    drafts.publish_draft(ana, scope, draft.draft_id, force=True, now=LATER)

    assert queries.list_rules(scope) == []


def test_a_draft_catches_up_with_what_others_changed(ana, ben, scope):
    make_rule(scope, "login", 2)
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    drafts.edit_draft(ana, scope, draft.draft_id, without_rules, now=NOW)
    make_rule(scope, "demo", 50)

    caught_up = drafts.catch_up(ben, scope, draft.draft_id, now=LATER)

    assert (caught_up.base_version, caught_up.updated_by) == (3, "ben@acme.test")
    drafts.publish_draft(ana, scope, draft.draft_id, note="No logins", now=LATER)
    assert [rule.event_type for rule in queries.list_rules(scope)] == ["demo"]
    version = queries.get_config_version(scope, queries.current_version(scope))
    assert version.summary == "Published draft Next year: No logins"


def without_rules(config):
    return replace(config, rulesets=tuple(replace(it, rules=()) for it in config.rulesets))


def test_a_draft_may_begin_with_a_change(ana, scope):
    make_rule(scope, "login", 2)

    draft = drafts.create_draft(ana, scope, "Next year", change=without_rules, now=NOW)

    sentences = [it.sentence for it in drafts.compare_draft(scope, draft.draft_id)]
    assert sentences == ["Removed rule login in Engagement (+2 points)"]


def test_an_edit_that_changes_nothing_is_nobodys(ana, ben, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)

    same = drafts.edit_draft(ben, scope, draft.draft_id, lambda config: config, now=LATER)

    assert same == draft


def test_a_free_name_is_numbered_where_it_is_taken(ana, scope):
    assert drafts.free_name(scope, "Next year") == "Next year"
    drafts.create_draft(ana, scope, "Next year", now=NOW)
    assert drafts.free_name(scope, "Next year") == "Next year (2)"


def test_a_draft_follows_what_the_organisation_decides(ana, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)

    update_settings(ana, scope, {"allow_negative_scores": True}, now=NOW)

    config = queries.get_draft_config(scope, draft.draft_id)
    assert config.allow_negative_scores
    assert config.version == queries.current_version(scope) + 1


def test_a_wrong_configuration_is_not_drafted(ana, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    rules = (AttributeRule(UUID(int=1), FieldTest("size", "resembles", 1), 5),)
    wrong = (AttributeRuleset(UUID(int=1), "Fit", rules=rules),)
    config = queries.read_config(scope)
    config = replace(config, policies=replace(config.policies, profile_rulesets=wrong))

    with pytest.raises(BadConfigError) as caught:
        drafts.update_draft(ana, scope, draft.draft_id, config=config, now=NOW)

    assert set(caught.value.fields) == {"config.policies.profile_rulesets.0.rules.0.test.operator"}


def test_drafts_have_names_of_their_own_and_are_few(ana, scope):
    for number in range(drafts.MOST_DRAFTS):
        last = drafts.create_draft(ana, scope, f"Draft {number}", now=NOW)

    with pytest.raises(TooManyDraftsError):
        drafts.create_draft(ana, scope, "One more", now=NOW)
    with pytest.raises(DraftExistsError):
        drafts.update_draft(ana, scope, last.draft_id, name="Draft 0", now=NOW)
    drafts.delete_draft(scope, last.draft_id)
    with pytest.raises(DraftExistsError):
        drafts.create_draft(ana, scope, "Draft 0", now=NOW)
    assert len(queries.list_drafts(scope)) == drafts.MOST_DRAFTS - 1


def test_a_draft_of_another_unit_is_not_there(ana, scope):
    draft = drafts.create_draft(ana, scope, "Next year", now=NOW)
    elsewhere = make_scope()

    assert queries.list_drafts(elsewhere) == []
    for use in (queries.get_draft, queries.get_draft_config, drafts.delete_draft):
        with pytest.raises(DraftNotFoundError):
            use(elsewhere, draft.draft_id)
