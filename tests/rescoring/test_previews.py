"""What a configuration would make of history: exact, and without a trace."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from leadvibe.engine.policies import SURGE_STANDARD, DecayRule, DecayUnit
from leadvibe.engine.rules import Config, Level, LevelKind
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.ids import new_id
from leadvibe.lib.paging import PageRequest
from leadvibe.pipeline import process
from leadvibe.pipeline import rescore as replaying
from leadvibe.rescoring import comparing, previewing, queries, service
from leadvibe.rescoring.errors import TooManyPreviewsError
from leadvibe.rescoring.previewing import advance_preview
from leadvibe.rescoring.types import PreviewKind, WalkState
from leadvibe.scoring import drafts, policies, versions
from leadvibe.scoring import queries as scoring
from leadvibe.scoring import service as rules
from tests.factories import (
    make_event,
    make_metadata_filter,
    make_principal,
    make_rule,
    make_ruleset,
    make_scope,
    make_velocity_filter,
    send,
    set_surge,
)
from tests.rescoring.walks import affected, ask_preview, checksums, current_config, preview, rescore

RESULTS = frozenset({"scoring_previews", "scoring_preview_leads"})
SPRING = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def scope(app) -> Scope:
    """Return a unit in which four leads have some history."""
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    make_rule(scope, "demo", 40)
    for number, lead_id in enumerate(("ana", "bo", "cy", "di"), start=1):
        visits = (make_event(lead_id=lead_id, timestamp=at(minute)) for minute in range(number))
        send(scope, *visits, make_event("demo", lead_id=lead_id, timestamp=at(100)))
    send(scope, make_event("other", lead_id="ed"))
    commit()
    process.drain(scope)
    return scope


def at(minute: float) -> datetime:
    return SPRING + timedelta(minutes=minute)


def with_weight(config: Config, event_type: str, weight: int) -> Config:
    """Return a configuration in which events of a type have another weight."""
    rulesets = tuple(
        replace(
            ruleset,
            rules=tuple(
                replace(rule, weight=weight) if rule.event_type == event_type else rule
                for rule in ruleset.rules
            ),
        )
        for ruleset in config.rulesets
    )
    return replace(config, rulesets=rulesets, version=config.version + 1)


def with_policies(config: Config, **changes) -> Config:
    return replace(config, policies=replace(config.policies, **changes))


def stored(scope: Scope) -> dict[str, int]:
    """Return the scores that leads have, by their names, which outlast their ids."""
    rows = driver().execute(
        "SELECT name, score FROM leads WHERE unit_id = %s AND merged_into IS NULL",
        (scope.unit_id,),
    )
    return dict(rows.fetchall())


def test_a_preview_of_the_current_configuration_finds_nothing_to_change(scope):
    found = preview(scope)

    assert found.state is WalkState.FINISHED
    assert (found.leads_total, found.leads_done, found.percent) == (5, 5, 100)
    assert (found.findings.leads, found.findings.affected) == (5, 0)
    assert affected(scope, found) == []


def test_a_preview_counts_what_goes_up_and_down_and_by_how_much(scope):
    config = with_weight(with_weight(current_config(scope), "page_view", 10), "demo", 25)

    found = preview(scope, config).findings

    # 45, 50, 55, 60, 0 become 35, 45, 55, 65, 0.
    assert (found.movement.increases, found.movement.decreases, found.movement.total) == (1, 2, -10)
    assert found.old_levels == {"Warm": 1, "Hot": 3, "Cold": 1}
    assert found.new_levels == {"Warm": 2, "Hot": 2, "Cold": 1}
    assert found.level_changes == 1
    assert found.buckets() == [
        (0, 4, 1, 1), (35, 39, 0, 1), (45, 49, 1, 1), (50, 54, 1, 0), (55, 59, 1, 1),
        (60, 64, 1, 0), (65, 69, 0, 1),
    ]  # fmt: skip


def test_the_leads_that_change_most_come_first_page_by_page(scope):
    found = preview(scope, with_weight(current_config(scope), "page_view", 6))

    def page(number):
        request = PageRequest(number, 2)
        leads = queries.search_preview_leads(scope, found.walk_id, request)
        assert leads.total.count == 4
        return [(it.lead_id, it.old_score, it.new_score) for it in leads.items]

    assert page(1) == [("di", 60, 64), ("cy", 55, 58)]
    assert page(2) == [("bo", 50, 52), ("ana", 45, 46)]
    assert page(3) == []


def test_a_change_of_level_alone_is_a_change(scope):
    config = current_config(scope)
    split = Level(new_id(), LevelKind.ENGAGEMENT, "Everybody", -1000, None)
    others = tuple(it for it in config.levels if it.kind is not LevelKind.ENGAGEMENT)

    found = preview(scope, replace(config, levels=(split, *others)))

    assert (found.findings.affected, found.findings.level_changes) == (0, 5)
    assert {(it.new_level, it.change) for it in affected(scope, found)} == {("Everybody", 0)}


def test_each_ruleset_is_counted_by_itself(scope):
    second = make_ruleset(scope)
    make_rule(scope, "demo", 7, ruleset=second)
    commit()

    found = preview(scope)

    [moved] = [it for key, it in found.findings.rulesets.items() if key == second.ruleset_id]
    assert (moved.increases, moved.decreases, moved.total) == (4, 0, 28)
    assert found.findings.affected == 0


def test_milestones_are_counted_over_the_whole_history(scope):
    config = with_weight(current_config(scope), "demo", 20)

    found = preview(scope, config, thresholds=[20, 5, 50]).findings.milestones

    # Now 45, 50, 55, 60; then 25, 30, 35, 40.
    assert {key: (it.times, it.leads, it.entering, it.leaving) for key, it in found.items()} == {
        5: (4, 4, 0, 0),
        20: (4, 4, 0, 0),
        50: (0, 0, 0, 3),
    }


def test_a_preview_writes_nothing_but_its_own_result(scope):
    make_metadata_filter(scope, ("agent", "contains", "bot"))
    send(scope, make_event(email="eve@acme.test", metadata={"agent": "bot"}))
    commit()
    process.drain(scope)
    before = checksums(but=RESULTS)

    found = preview(scope, with_policies(current_config(scope), metadata_filters=()))

    assert found.findings.new_leads == 1
    assert checksums(but=RESULTS) == before


def make_draft(scope: Scope) -> UUID:
    """Make a draft with something of everything that steers engagement scores."""
    principal = make_principal(scope)
    draft = drafts.create_draft(principal, scope, "Bold", now=utc_now())
    make_velocity_filter(scope, 3, 600)
    fading = DecayRule(new_id(), 8, DecayUnit.WEEKS, 1, SPRING)
    bold = with_weight(with_weight(current_config(scope), "page_view", 9), "demo", -30)
    bold = with_policies(bold, surge=SURGE_STANDARD, metadata_filters=(), decays=(fading,))
    drafts.update_draft(principal, scope, draft.draft_id, config=bold, now=utc_now())
    commit()
    return draft.draft_id


def test_a_preview_of_a_draft_is_what_publishing_and_rescoring_gives_lead_by_lead(scope):
    make_metadata_filter(scope, ("agent", "contains", "bot"))
    send(
        scope,
        make_event(email="eve@acme.test", metadata={"agent": "bot"}, timestamp=at(1)),
        make_event("demo", email="eve@acme.test", metadata={"agent": "bot"}, timestamp=at(2)),
        make_event(email="fay@acme.test", cookie="c-1", metadata={"agent": "bot"}),
        make_event(cookie="c-1", metadata={"agent": "bot"}, timestamp=at(3)),
    )
    commit()
    process.drain(scope)
    draft_id = make_draft(scope)
    before = stored(scope)

    found = preview(scope, scoring.get_draft_config(scope, draft_id), thresholds=[50])
    leads = affected(scope, found)
    drafts.publish_draft(make_principal(scope), scope, draft_id, force=True, now=utc_now())
    commit()
    done = rescore(scope)
    process.drain(scope)
    after = stored(scope)

    assert found.findings.events_returning == done.events_returned == 4
    assert found.findings.new_leads == len(after) - len(before) == 2
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert len(changed) >= 4
    assert changed == {it.lead_id: (it.old_score, it.new_score) for it in leads if not it.is_new}
    made = sorted(after[name] for name in after.keys() - before.keys())
    assert made == sorted(it.new_score for it in leads if it.is_new)
    levels = {it.lead_id: it.new_level for it in leads}
    cut = comparing.LevelCut(current_config(scope).levels_of(LevelKind.ENGAGEMENT))
    assert all(levels[name] == cut.name_of(after[name]) for name in changed)
    assert [one for step in replaying.verify(scope) for one in step.found] == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_history_and_the_configurations_a_preview_is_what_a_rescore_gives(app, seed):
    chance = random.Random(seed)
    scope = make_scope(surges=chance.random() < 0.5)
    for _ in range(3):
        happen_at_random(scope, chance)
        decide_at_random(scope, chance)
    before = stored(scope)

    found = preview(scope)
    leads = {it.lead_id: it.new_score for it in affected(scope, found)}
    rescore(scope)

    assert stored(scope) == before | leads
    assert leads
    assert [one for step in replaying.verify(scope) for one in step.found] == []


def happen_at_random(scope: Scope, chance: random.Random) -> None:
    send(
        scope,
        *(
            make_event(
                chance.choice(["page_view", "demo", "spam"]),
                lead_id=chance.choice(["ana", "bo", "cy", "di"]),
                timestamp=at(chance.choice([1, 7, 60, 3000]) * chance.randrange(40)),
                metadata={"agent": chance.choice(["bot", "browser"]), "n": chance.randrange(3)},
            )
            for _ in range(60)
        ),
    )
    commit()
    process.drain(scope)


def decide_at_random(scope: Scope, chance: random.Random) -> None:
    """Change something of the configuration, mostly its rules."""
    known = {rule.event_type: rule for rule in scoring.list_rules(scope)}
    for event_type in ("page_view", "demo", "spam"):
        weight = chance.randrange(-20, 40)
        if event_type not in known:
            make_rule(scope, event_type, weight)
        elif chance.random() < 0.5:
            rules.update_rule(
                make_principal(scope), scope, known[event_type].rule_id, {"weight": weight},
                now=utc_now(),
            )  # fmt: skip
    chance.choice(
        [
            lambda: make_velocity_filter(
                scope, 2, 3600, event_type=chance.choice(["demo", "spam"])
            ),
            lambda: make_metadata_filter(scope, ("agent", "equals", "bot"), event_type="page_view"),
            lambda: set_surge(scope, SURGE_STANDARD),
            lambda: make_ruleset(scope, f"Set {chance.random()}"),
        ]
    )()
    commit()


def test_events_without_a_lead_that_come_back_go_to_who_has_their_alias_by_now(scope):
    make_metadata_filter(scope, ("agent", "contains", "bot"))
    send(scope, make_event(email="ana@acme.test", metadata={"agent": "bot"}, timestamp=at(5)))
    commit()
    process.drain(scope)
    send(scope, make_event("other", lead_id="ana", email="ana@acme.test"))
    commit()
    process.drain(scope)
    bare = with_policies(current_config(scope), metadata_filters=())

    found = preview(scope, bare)

    assert (found.findings.events_returning, found.findings.new_leads) == (1, 0)
    assert found.findings.leads == found.leads_total == 5
    [lead] = affected(scope, found)
    assert (lead.lead_id, lead.old_score, lead.new_score) == ("ana", 45, 50)


def test_a_merged_lead_is_no_lead_of_its_own(scope):
    send(scope, make_event(cookie="c-9"))
    commit()
    process.drain(scope)
    send(scope, make_event(cookie="c-9", lead_id="ana"))
    commit()
    process.drain(scope)

    found = preview(scope, with_weight(current_config(scope), "page_view", 6))

    assert found.findings.leads == 5
    assert "ana" in {lead.lead_id for lead in affected(scope, found)}


def test_a_preview_goes_on_where_its_worker_died(scope, monkeypatch):
    monkeypatch.setattr(previewing, "LEADS_AT_ONCE", 2)
    config = with_weight(current_config(scope), "page_view", 6)
    asked = ask_preview(scope, config)
    looks = iter([False, False, True])
    advance_preview(scope, asked.walk_id, is_stopping=lambda: next(looks))
    halfway = queries.get_preview(scope, asked.walk_id)
    assert (halfway.state, halfway.leads_done, halfway.attempts) == (WalkState.RUNNING, 4, 0)

    advance_preview(scope, asked.walk_id)

    found = queries.get_preview(scope, asked.walk_id)
    whole = preview(scope, config)
    assert replace(found.findings, seconds=0) == replace(whole.findings, seconds=0)
    assert affected(scope, found) == affected(scope, whole)


def test_a_cancelled_preview_ends_at_its_next_step_and_keeps_nothing(scope, monkeypatch):
    monkeypatch.setattr(previewing, "LEADS_AT_ONCE", 2)
    asked = ask_preview(scope, with_weight(current_config(scope), "page_view", 6))
    steps = []

    def cancel_at_the_second() -> bool:
        steps.append(1)
        if len(steps) == 2:
            service.cancel_preview(scope, asked.walk_id, now=utc_now())
            commit()
        return False

    advance_preview(scope, asked.walk_id, is_stopping=cancel_at_the_second)

    cancelled = queries.get_preview(scope, asked.walk_id)
    assert (cancelled.state, len(steps)) == (WalkState.CANCELLED, 2)
    assert affected(scope, cancelled) == []
    advance_preview(scope, asked.walk_id)
    assert queries.get_preview(scope, asked.walk_id) == cancelled


def test_cancelling_a_finished_preview_leaves_it_as_it_is(scope):
    found = preview(scope, with_weight(current_config(scope), "page_view", 6))

    assert service.cancel_preview(scope, found.walk_id, now=utc_now()) == found
    assert len(affected(scope, found)) == 4


def test_a_preview_that_kills_its_workers_is_given_up(scope, monkeypatch):
    asked = ask_preview(scope)
    monkeypatch.setattr(previewing, "_Walk", lambda *_: 1 / 0)

    for _ in range(service.MOST_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            advance_preview(scope, asked.walk_id)
    advance_preview(scope, asked.walk_id)

    given_up = queries.get_preview(scope, asked.walk_id)
    assert given_up.state is WalkState.FAILED
    assert "ZeroDivisionError" in given_up.error


def test_old_previews_are_forgotten_with_their_leads(scope):
    old = preview(scope, with_weight(current_config(scope), "page_view", 6))
    week = service.KEEP_PREVIEWS
    assert service.forget_old_previews(now=utc_now() + week - timedelta(minutes=1)) == 0

    assert service.forget_old_previews(now=utc_now() + week) == 1

    assert queries.find_preview(scope, old.walk_id) is None
    assert affected(scope, old) == []


def test_a_preview_that_nobody_works_on_is_found(scope):
    asked = ask_preview(scope)
    later = utc_now() + timedelta(seconds=10)

    assert [it.walk_id for it in queries.due_previews(now=later)] == [asked.walk_id]
    advance_preview(scope, asked.walk_id)
    assert queries.due_previews(now=later) == []


def test_a_lead_that_changes_while_it_is_looked_at_is_looked_at_again(
    app, fresh_database, monkeypatch
):
    scope = make_scope()
    make_rule(scope, "page_view", 5)
    send(scope, make_event(lead_id="ana"), make_event(lead_id="bo"))
    commit()
    process.drain(scope)
    replay_under, replayed = replaying.replay_under, []

    def meanwhile() -> None:
        with app.app_context():
            send(scope, make_event(lead_id="ana"))
            commit()
            process.drain(scope)

    def interrupted(scope, lead_ids, *args, **kwargs):
        found = replay_under(scope, lead_ids, *args, **kwargs)
        replayed.append(list(lead_ids))
        if len(replayed) == 1:
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return found

    monkeypatch.setattr(comparing.rescore, "replay_under", interrupted)

    found = preview(scope, with_weight(current_config(scope), "page_view", 6))

    assert replayed == [["ana", "bo"], ["ana"]]
    leads = {it.lead_id: (it.old_score, it.new_score) for it in affected(scope, found)}
    assert leads == {"ana": (10, 12), "bo": (5, 6)}


def test_an_older_version_can_be_looked_at(scope):
    earlier = scoring.current_version(scope)
    policies.create_decay(
        make_principal(scope), scope, {"inactive_for": 1, "unit": "days", "decrease": 10},
        now=utc_now(),
    )  # fmt: skip
    make_rule(scope, "other", 3)
    commit()

    now_, then = preview(scope), preview(scope, versions.get_version_config(scope, earlier))

    assert (now_.findings.affected, then.findings.affected) == (1, 0)


def test_a_profile_preview_counts_profile_scores(scope):
    rollback()
    found = preview(scope, kind=PreviewKind.PROFILE)

    assert found.state is WalkState.FINISHED
    assert found.findings.leads == 5
    assert found.findings.new_levels == {"Poor Fit": 5}


def test_a_unit_has_few_previews_under_way(scope):
    for _ in range(service.MOST_UNFINISHED):
        asked = ask_preview(scope)

    with pytest.raises(TooManyPreviewsError, match="wait for one of them"):
        ask_preview(scope)
    advance_preview(scope, asked.walk_id)

    assert ask_preview(scope).state is WalkState.QUEUED


def test_the_oldest_previews_make_room_for_new_ones(scope, monkeypatch):
    monkeypatch.setattr(service, "MOST_PREVIEWS", 2)
    config = with_weight(current_config(scope), "page_view", 6)

    made = [preview(scope, config) for _ in range(3)]

    kept = queries.search_previews(scope, PageRequest()).items
    assert [it.walk_id for it in kept] == [made[2].walk_id, made[1].walk_id]
    assert affected(scope, made[0]) == []
