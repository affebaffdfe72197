"""Two people edit one thing: who says what they have seen does not undo what the other did."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from leadvibe.api.routes import OPERATIONS
from leadvibe.identity.permissions import Permission
from tests.api.examples import METADATA_FILTER, example_of

EDITS = [pytest.param(it, id=f"{it.method} {it.path}") for it in OPERATIONS if it.edits is not None]


def send_if(caller, tag, operation, example):
    path = operation.path.format(**example.path)
    headers = {"If-Match": tag}
    return caller.send(operation.method, path, headers=headers, **example.sent)


@pytest.mark.parametrize("operation", EDITS)
def test_what_has_changed_is_left_alone_and_what_has_not_is_changed(call_as, stage, operation):
    admin, example = call_as("admin"), example_of(operation, stage)

    refused = send_if(admin, '"another state"', operation, example)
    [tag] = re.findall(r'"(\w+)"', refused.json["fields"]["If-Match"])

    assert (refused.status_code, refused.json["code"]) == (412, "precondition_failed")
    assert send_if(admin, f'W/"{tag}"', operation, example).status_code == 412
    assert send_if(admin, f'"other", "{tag}"', operation, example).status_code == operation.success


@pytest.mark.parametrize("operation", EDITS)
def test_any_state_will_do_when_the_client_says_so(call_as, stage, operation):
    example = example_of(operation, stage)

    response = send_if(call_as("admin"), "*", operation, example)

    assert response.status_code == operation.success


@pytest.mark.parametrize("operation", EDITS)
def test_who_may_not_edit_learns_nothing_of_the_state(call_as, stage, operation):
    example = example_of(operation, stage)

    # What a member keeps for themselves is not there for another.
    is_own = operation.permission is Permission.READ
    refusal = 404 if is_own else 403
    assert send_if(call_as("viewer"), '"x"', operation, example).status_code == refusal
    if operation.path_names and "eventType" not in operation.path_names:
        assert send_if(call_as("stranger"), '"x"', operation, example).status_code == 404


@pytest.mark.parametrize(
    ("path", "key", "change"),
    [
        ("/rules", "rule_id", {"weight": 6}),
        ("/rulesets", "ruleset_id", {"name": "Renamed"}),
        ("/engagement-levels", "stage_id", {"color": "#123456"}),
        ("/profile-levels", "level_id", {"color": "#123456"}),
        ("/scoring/drafts", "draft_id", {"name": "Renamed"}),
    ],
)
def test_a_list_says_the_state_of_each_and_an_answer_the_new_one(api, stage, path, key, change):
    stage.draft_id()
    item = api.get(path).json[0]
    address = f"{path}/{item[key]}"

    changed = api.send("PUT", address, json=change, headers={"If-Match": f'"{item["etag"]}"'})
    [now] = [it for it in api.get(path).json if it[key] == item[key]]

    assert changed.status_code == 200
    assert changed.json["etag"] != item["etag"]
    assert changed.headers["ETag"] == f'"{now["etag"]}"'
    stale = api.send("DELETE", address, headers={"If-Match": f'"{item["etag"]}"'})
    assert stale.status_code == 412


def test_what_is_made_says_its_state(api, world):
    made = api.post("/rules", {"event_type": "page_view", "weight": 5})

    assert made.headers["ETag"] == f'"{api.get("/rules").json[0]["etag"]}"'


def test_settings_say_their_state_although_their_change_has_no_body(api, world):
    before = api.get("/settings/scoring")
    changed = api.send(
        "PUT", "/settings/scoring", json={"session_timeout_minutes": 45},
        headers={"If-Match": before.headers["ETag"]},
    )  # fmt: skip

    assert changed.status_code == 204
    assert changed.headers["ETag"] == api.get("/settings/scoring").headers["ETag"]
    assert changed.headers["ETag"] != before.headers["ETag"]


def test_the_refusal_says_who_was_quicker(api, call_as, stage):
    tag = api.get("/rules").json[0]["etag"]
    call_as("operator").put(f"/rules/{stage.rule_id}", {"weight": 9})

    response = api.send(
        "PUT", f"/rules/{stage.rule_id}", json={"weight": 6}, headers={"If-Match": f'"{tag}"'}
    )

    assert re.search(r"operator@acme\.test changed it last, on \d{4}-", response.json["error"])
    assert api.get("/rules").json[0]["weight"] == 9


def test_a_change_of_something_else_in_the_same_row_counts(api, world):
    """A new primary ruleset takes that from the old one."""
    tag = api.get("/rulesets").json[0]["etag"]
    api.post("/rulesets", {"name": "Other", "is_primary": True})

    old = next(it for it in api.get("/rulesets").json if not it["is_primary"])

    assert old["etag"] != tag


def test_what_changes_by_itself_is_no_edit(api, call_as, world):
    call_as("admin").post("/metadata-filters", METADATA_FILTER)
    before = call_as("admin").get("/metadata-filters").json[0]
    world.happen("page_view", "ada", agent="a bot")
    after = call_as("admin").get("/metadata-filters").json[0]

    assert (before["suppressed_count"], after["suppressed_count"]) == (0, 1)
    assert before["etag"] == after["etag"]


def test_a_draft_that_others_made_outdated_was_not_edited(api, stage):
    draft_id = stage.draft_id()
    tag = api.get(f"/scoring/drafts/{draft_id}").json["etag"]
    api.put(f"/rules/{stage.rule_id}", {"weight": 9})

    draft = api.get(f"/scoring/drafts/{draft_id}").json

    assert draft["is_outdated"]
    assert draft["etag"] == tag


def test_the_configuration_of_a_draft_is_part_of_its_state(api, stage):
    draft_id = stage.draft_id()
    draft = api.get(f"/scoring/drafts/{draft_id}").json
    config = draft["config"] | {"session_timeout_seconds": 7200}

    changed = api.put(f"/scoring/drafts/{draft_id}", {"config": config})

    assert changed.json["etag"] != draft["etag"]


def test_what_is_not_there_is_not_found(api, stage):
    headers = {"If-Match": '"x"'}

    response = api.send("DELETE", f"/rules/{stage.unit_id}", headers=headers)

    assert response.status_code == 404


@pytest.mark.parametrize(
    ("address", "changes"),
    [
        ("/rules/{rule_id}", ({"weight": 6}, {"weight": 7})),
        ("/settings/scoring", ({"abm_enabled": False}, {"session_timeout_minutes": 45})),
    ],
)
def test_of_two_at_once_one_comes_too_late(fresh_database, call_as, stage, address, changes):
    path = address.format(rule_id=stage.rule_id)
    admins = [call_as("admin") for _ in changes]
    refused = admins[0].send("PUT", path, json={}, headers={"If-Match": '"x"'})
    [tag] = re.findall(r'"(\w+)"', refused.json["fields"]["If-Match"])
    together = Barrier(len(changes))

    def send(number):
        together.wait()
        headers = {"If-Match": f'"{tag}"'}
        return admins[number].send("PUT", path, json=changes[number], headers=headers).status_code

    with ThreadPoolExecutor(len(changes)) as pool:
        statuses = sorted(pool.map(send, range(len(changes))))

    assert statuses[0] in {200, 204}
    assert statuses[1] == 412


def test_the_document_tells_of_states(shared_app):
    paths = shared_app.test_client().get("/openapi.json").json["paths"]

    for operation in (it for it in OPERATIONS if it.edits is not None):
        published = paths[operation.path][operation.method.lower()]
        assert "If-Match" in [it["name"] for it in published["parameters"]]
    assert "ETag" in paths["/rules"]["post"]["responses"]["201"]["headers"]
    assert "ETag" in paths["/settings/scoring"]["put"]["responses"]["204"]["headers"]
