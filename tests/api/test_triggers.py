"""Triggers through the API: what they are given, what is refused and what a change does."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select

from leadvibe.engine.triggers import TriggerKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from leadvibe.triggers import service
from leadvibe.triggers.models import TriggerMemoryRow
from tests.api.trigger_examples import (
    BODIES,
    HOOK,
    MILESTONE,
    PATHS,
    SEQUENCE,
    add_trigger,
    emit,
    make_channel,
)

EACH_KIND = pytest.mark.parametrize(("path", "body"), BODIES.items(), ids=BODIES)
MAILED = {path: body for path, body in BODIES.items() if path != "/surge-triggers"}


@pytest.fixture
def owner(call_as, world):
    return call_as("owner")


def make(owner, path, body=None, **fields):
    made = owner.post(path, {**(body or BODIES[path]), **fields})
    assert made.status_code == 201, made.text
    return made.json


def remember(world, trigger_id, lead_id="ld_ada"):
    now = utc_now()
    session().execute(
        insert(TriggerMemoryRow).values(
            unit_id=world.scope.unit_id, trigger_id=trigger_id, lead_id=lead_id,
            fired_at=now, boundary_at=now, boundary_receipt=1,
        )
    )  # fmt: skip
    commit()


def count_memories():
    return session().scalar(select(func.count()).select_from(TriggerMemoryRow))


class TestMaking:
    @EACH_KIND
    def test_what_is_answered_means_itself_when_sent_again(self, owner, path, body):
        made = make(owner, path)

        again = owner.put(f"{path}/{made['trigger_id']}", made)

        assert again.status_code in {200, 204}, again.text
        now = owner.get(f"{path}/{made['trigger_id']}").json
        assert {**now, "updated_at": None, "etag": None} == {
            **made, "updated_at": None, "etag": None,
        }  # fmt: skip

    @EACH_KIND
    def test_all_fields_that_kinds_share_are_kept(self, owner, world, path, body):
        level = owner.get("/engagement-levels").json[0]["name"]
        given = {
            "name": "Mine",
            "description": "Why",
            "active": False,
            "fire_mode": "always",
            "cooldown_seconds": 3600,
            "engagement_levels": [level, "Unclassified"],
            "profile_levels": ["Unclassified"],
            "profile_filters": [{"field": "plan", "operator": "exists", "value": None}],
            "lead_attribute_filters": [{"field": "score", "operator": "gte", "value": 10}],
            "slack_target_kind": "user",
            "slack_target_id": "U0123",
            "channel_ids": [make_channel(world.scope)],
            "notify_owner": True,
        }

        made = make(owner, path, **given)

        assert {name: made[name] for name in given} == given
        assert owner.get(path).json == [made]

    @EACH_KIND
    def test_nobody_has_to_think_of_a_name(self, owner, path, body):
        made = make(owner, path, name=" ")

        assert made["name"]

    def test_a_name_that_nobody_gave_keeps_saying_what_it_is(self, owner):
        made = make(owner, "/triggers", {"score_threshold": 80})
        assert made["name"] == "Score reaches 80"
        address = f"/triggers/{made['trigger_id']}"

        assert owner.put(address, {"score_threshold": 90}).json["name"] == "Score reaches 90"
        owner.put(address, {"name": "Hot"})
        assert owner.put(address, {"score_threshold": 95}).json["name"] == "Hot"

    @pytest.mark.parametrize(
        ("path", "fields", "expected"),
        [
            ("/sequences", {"name": ""}, "pricing_view, then demo_request"),
            ("/sequences", {"ordered": False}, "pricing_view and demo_request"),
            ("/pattern-triggers", {"name": ""}, "page_view, 3 times and email_click"),
            ("/surge-triggers", {"event_type": "*"}, "any event, 10 times"),
            ("/triggers", {"name": "", "event_type": "quote"}, "Score reaches 80 through quote"),
        ],
    )
    def test_names_are_readable(self, owner, path, fields, expected):
        assert make(owner, path, **fields)["name"] == expected

    def test_long_names_are_cut(self, owner):
        made = make(owner, "/sequences", event_types=["a_rather_long_event_type"] * 10)

        assert len(made["name"]) == 100

    @pytest.mark.parametrize("event_type", ["*", "any", "Any", ""])
    def test_any_event_is_said_in_many_ways_and_answered_in_one(self, owner, event_type):
        assert make(owner, "/triggers", event_type=event_type)["event_type"] == "*"
        assert make(owner, "/surge-triggers", event_type=event_type)["event_type"] == "*"

    def test_a_milestone_is_about_any_event_unless_one_is_named(self, owner):
        made = make(owner, "/triggers", {"score_threshold": 1})

        assert (made["event_type"], made["ruleset_id"]) == ("*", None)

    @EACH_KIND
    def test_surges_fire_always_and_others_once(self, owner, path, body):
        expected = "always" if path == "/surge-triggers" else "once"

        assert make(owner, path)["fire_mode"] == expected

    def test_a_sequence_answers_its_steps_in_both_ways(self, owner):
        steps = [
            {"event_type": "page_view", "filters": [
                {"field": "path", "operator": "starts_with", "value": "/pricing"}
            ]},
            {"event_type": "*", "filters": []},
        ]  # fmt: skip
        body = {name: value for name, value in SEQUENCE.items() if name != "event_types"}

        made = make(owner, "/sequences", body, event_steps=steps)

        assert made["event_steps"] == steps
        assert made["event_types"] == ["page_view", "*"]

    def test_addresses_are_kept_once_and_in_lower_case(self, owner):
        made = make(owner, "/triggers", emails=["Ada@Acme.test", " ada@acme.test", "bo@acme.test"])

        assert made["emails"] == ["ada@acme.test", "bo@acme.test"]

    def test_a_slack_target_is_a_channel_unless_it_says_otherwise(self, owner):
        made = make(owner, "/triggers", slack_target_id="C0123")

        assert made["slack_target_kind"] == "channel"

    def test_a_milestone_may_be_about_another_ruleset(self, owner, world):
        second = str(world.add_ruleset("Second").ruleset_id)

        assert make(owner, "/triggers", ruleset_id=second)["ruleset_id"] == second

    def test_a_unit_has_so_many_triggers_and_no_more(self, owner, monkeypatch):
        monkeypatch.setattr(service, "MOST_TRIGGERS", 1)
        make(owner, "/triggers")

        answer = owner.post("/sequences", SEQUENCE)

        assert answer.status_code == 409
        assert answer.json["code"] == "too_many_triggers"

    def test_levels_of_accounts_need_accounts(self, owner):
        answer = owner.post("/triggers", {**MILESTONE, "account_levels": ["Unclassified"]})

        assert answer.status_code == 403
        assert answer.json["code"] == "abm_disabled"


class TestDestinations:
    def test_a_sequence_may_do_without_a_webhook_when_somebody_else_is_told(self, owner):
        made = make(owner, "/sequences", webhook_url="", emails=["ada@acme.test"])

        assert made["webhook_url"] == ""

    def test_a_surge_changes_from_one_destination_to_the_other(self, owner):
        address = f"/surge-triggers/{make(owner, '/surge-triggers')['trigger_id']}"

        assert owner.put(address, {"emails": ["ada@acme.test"]}).status_code == 204
        changed = owner.get(address).json
        assert (changed["webhook_url"], changed["emails"]) == ("", ["ada@acme.test"])

        assert owner.put(address, {"webhook_url": HOOK}).status_code == 204
        changed = owner.get(address).json
        assert (changed["webhook_url"], changed["emails"]) == (HOOK, [])

    def test_a_surge_cannot_lose_its_only_destination(self, owner):
        address = f"/surge-triggers/{make(owner, '/surge-triggers')['trigger_id']}"

        assert owner.put(address, {"webhook_url": ""}).status_code == 400

    def test_a_workflow_or_a_channel_is_a_target_in_teams(self, owner, world):
        for target in ("https://prod.logic.azure.com/workflows/1", make_channel(world.scope)):
            made = make(owner, "/triggers", teams_target_id=target)

            assert (made["teams_target_kind"], made["teams_target_id"]) == ("channel", target)


class TestChanging:
    @pytest.mark.parametrize(("path", "body"), MAILED.items(), ids=MAILED)
    def test_what_is_left_out_stays(self, owner, path, body):
        made = make(owner, path, description="Why", cooldown_seconds=60)

        changed = owner.put(f"{path}/{made['trigger_id']}", {"email_subject": "New"}).json

        kept = {"email_subject", "updated_at", "etag"}
        assert {k: v for k, v in changed.items() if k not in kept} == {
            k: v for k, v in made.items() if k not in kept
        }
        assert changed["email_subject"] == "New"

    @pytest.mark.parametrize(
        ("changes", "left"),
        [
            ({"emails": ["ada@acme.test"]}, 1),
            ({"name": "Other", "active": False, "cooldown_seconds": 5}, 1),
            ({"score_threshold": 80}, 1),
            ({"score_threshold": 81}, 0),
            ({"event_type": "page_view"}, 0),
            ({"engagement_levels": ["Unclassified"]}, 0),
            ({"lead_attribute_filters": []}, 0),
        ],
    )
    def test_it_starts_anew_when_it_looks_for_something_else(self, owner, world, changes, left):
        made = make(owner, "/triggers")
        remember(world, made["trigger_id"])
        remember(world, make(owner, "/triggers")["trigger_id"], "of another")

        owner.put(f"/triggers/{made['trigger_id']}", changes)

        assert count_memories() == left + 1

    def test_what_it_names_and_is_gone_does_not_keep_others_from_being_changed(self, owner, world):
        second = str(world.add_ruleset("Second").ruleset_id)
        made = make(owner, "/triggers", ruleset_id=second)
        assert owner.delete(f"/rulesets/{second}").status_code == 204

        changed = owner.put(f"/triggers/{made['trigger_id']}", {"name": "Still"})

        assert (changed.status_code, changed.json["ruleset_id"]) == (200, second)

    @EACH_KIND
    def test_a_change_of_somebody_quicker_is_not_undone(self, owner, path, body):
        made = make(owner, path)
        address, headers = f"{path}/{made['trigger_id']}", {"If-Match": f'"{made["etag"]}"'}
        assert owner.put(address, {"name": "Quick"}).status_code in {200, 204}

        late = owner.send("PUT", address, json={"name": "Late"}, headers=headers)

        assert late.status_code == 412
        assert owner.get(address).json["name"] == "Quick"

    def test_a_trigger_of_another_kind_is_not_there(self, owner):
        made = make(owner, "/triggers")

        assert owner.get(f"/sequences/{made['trigger_id']}").status_code == 404
        assert owner.delete(f"/pattern-triggers/{made['trigger_id']}").status_code == 404

    def test_what_it_emitted_stays_when_it_goes(self, owner, world):
        trigger = add_trigger(world, TriggerKind.MILESTONE)
        remember(world, trigger.trigger_id)
        emitted = emit(world, trigger)

        assert owner.delete(f"/triggers/{trigger.trigger_id}").status_code == 204

        assert owner.get("/triggers").json == []
        assert [it["id"] for it in owner.get("/milestone-events").json] == [str(emitted)]
        assert count_memories() == 0


@EACH_KIND
def test_a_copy_is_the_same_and_rests_at_first(call_as, owner, path, body):
    made = make(owner, path)
    [kind] = {kind for kind, it in PATHS.items() if f"/{it}" == path}
    address = f"/triggers/{kind}/{made['trigger_id']}/copy"

    copied = owner.post(address)

    assert copied.status_code == 201
    assert copied.json["name"] == f"{made['name']} copy"
    copy = owner.get(f"{path}/{copied.json['trigger_id']}").json
    own = {"trigger_id", "name", "active", "created_at", "updated_at", "etag"}
    assert {k: v for k, v in copy.items() if k not in own} == {
        k: v for k, v in made.items() if k not in own
    }
    assert not copy["active"]
    assert owner.post(address).json["name"] == f"{made['name']} copy 2"
    assert call_as("viewer").post(address).status_code == 403
    assert call_as("stranger").post(address).status_code == 404


def test_a_kind_that_there_is_not_has_no_copies(owner):
    made = make(owner, "/triggers")

    assert owner.post(f"/triggers/odd/{made['trigger_id']}/copy").status_code == 404
    assert owner.post(f"/triggers/surge/{made['trigger_id']}/copy").status_code == 404


@EACH_KIND
def test_a_viewer_looks_and_tries_and_an_operator_sets_up(call_as, owner, path, body):
    address = f"{path}/{make(owner, path)['trigger_id']}"
    viewer, operator = call_as("viewer"), call_as("operator")

    assert len(viewer.get(path).json) == 1
    assert viewer.post(f"{address}/simulate", {}).status_code == 200
    assert viewer.put(address, {"name": "No"}).status_code == 403
    assert viewer.post(path, body).status_code == 403
    assert viewer.delete(address).status_code == 403

    assert operator.post(path, body).status_code == 201
    assert operator.put(address, {"name": "Yes"}).status_code in {200, 204}
    assert operator.delete(address).status_code == 204


@EACH_KIND
def test_a_stranger_sees_none_of_it(call_as, owner, path, body):
    address = f"{path}/{make(owner, path)['trigger_id']}"
    stranger = call_as("stranger")

    assert stranger.get(path).json == []
    assert stranger.get(address).status_code == 404
    assert stranger.put(address, {"name": "Mine"}).status_code == 404
    assert stranger.delete(address).status_code == 404
    assert stranger.post(f"{address}/simulate", {}).status_code == 404


def test_a_list_takes_as_many_statements_however_long_it_is(owner, statements):
    make(owner, "/triggers")
    statements.clear()
    owner.get("/triggers")
    few = len(statements)
    for _ in range(3):
        make(owner, "/triggers")
    statements.clear()

    assert len(owner.get("/triggers").json) == 4

    assert len(statements) == few
