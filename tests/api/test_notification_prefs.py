"""How members want to be told: by the contract's names, each for themselves, in each unit."""

from __future__ import annotations

import pytest

from leadvibe.api.notification_prefs import HAPPENINGS
from leadvibe.lib.db import commit
from leadvibe.notifications.preferences import CHOICES, get_preferences
from leadvibe.notifications.types import Happening
from tests.api.conftest import CREDENTIAL
from tests.factories import make_unit

PATH = "/me/notification-prefs"


@pytest.fixture
def owner(call_as):
    return call_as("owner")


def muted(answer):
    return {it["event_type"] for it in answer.json["prefs"] if it["muted"]}


def test_everything_is_told_until_somebody_chooses(owner):
    answer = owner.get(PATH)

    assert answer.json == {
        "notifications_enabled": True,
        "slack_user_id": None,
        "prefs": [
            {"event_type": name, "muted": False}
            for name in (
                "milestone.entered", "milestone.exited", "sequence.completed", "surge.fired",
                "pattern.matched",
            )
        ],
        "digest": False,
    }  # fmt: skip


def test_every_choice_has_a_name_on_the_wire():
    assert set(HAPPENINGS.values()) == set(CHOICES)


def test_the_contracts_names_mean_what_happens(owner, people):
    for name in ("milestone.entered", "surge.fired"):
        owner.put(PATH, {"prefs": [{"event_type": name, "muted": True}]})

    stored = get_preferences(people.scope, people.owner.member.org_member_id)

    assert stored.muted == {Happening.MILESTONE_REACHED, Happening.SURGE_DETECTED}
    assert muted(owner.get(PATH)) == {"milestone.entered", "surge.fired"}


def test_what_is_left_out_stays(owner):
    owner.put(PATH, {"prefs": [{"event_type": "surge.fired", "muted": True}], "digest": True})

    owner.put(PATH, {"notifications_enabled": False})
    answer = owner.put(PATH, {"prefs": [{"event_type": "pattern.matched", "muted": True}]})

    assert muted(answer) == {"surge.fired", "pattern.matched"}
    assert (answer.json["notifications_enabled"], answer.json["digest"]) == (False, True)


def test_what_was_muted_is_told_again(owner):
    owner.put(PATH, {"prefs": [{"event_type": "surge.fired", "muted": True}]})

    answer = owner.put(PATH, owner.get(PATH).json | {"prefs": [
        {"event_type": "surge.fired", "muted": False}
    ]})  # fmt: skip

    assert muted(answer) == set()


@pytest.mark.parametrize(
    "body",
    [
        {"prefs": [{"event_type": "milestone.reached", "muted": True}]},
        {"prefs": [{"event_type": "surge.fired"}]},
        {"prefs": None},
        {"digest": "yes"},
        {"notifications_enabled": None},
    ],
)
def test_what_is_no_choice_is_refused(owner, body):
    assert owner.put(PATH, body).status_code == 400


def test_each_member_chooses_for_themselves(call_as):
    call_as("viewer").put(PATH, {"notifications_enabled": False})

    assert call_as("viewer").get(PATH).json["notifications_enabled"] is False
    assert call_as("owner").get(PATH).json["notifications_enabled"] is True
    assert call_as(CREDENTIAL).get(PATH).status_code == 403


def test_each_unit_has_choices_of_its_own(call_as, people):
    other = make_unit(people.organization, name="Other")
    commit()
    admin = call_as("admin")
    admin.put(PATH, {"digest": True})

    elsewhere = call_as("admin")
    elsewhere._client.set_cookie("activeOu", str(other.unit_id))

    assert elsewhere.get(PATH).json["digest"] is False
    assert admin.get(PATH).json["digest"] is True
