"""Event types: seen by all, hidden and deleted by those who may."""

from __future__ import annotations

import pytest

from leadvibe.events.queries import list_event_types
from leadvibe.scoring import event_types
from tests.web.pages import htmx

TYPES = "/app/settings/events"
DELETE = f"{TYPES}/delete"


@pytest.fixture
def operator(browse, people):
    return browse(people.operator)


@pytest.fixture
def viewer(browse, people):
    return browse(people.viewer)


@pytest.fixture(autouse=True)
def _some_types(world):
    world.add_rule("page_view", 2)
    world.happen("page_view", "ann")
    world.happen("chat", "ann")


def known(world, name):
    return event_types.get_known_type(world.scope, name)


def test_types_stand_with_their_counts_and_rules(viewer):
    page = viewer.get(TYPES).text

    assert "page_view" in page
    assert "+2</a>" in page
    assert "An active rule scores it" in page
    assert "1 counted event in 30 days" in page


@pytest.mark.parametrize(
    ("query", "shown", "left_out"),
    [("q=PAGE", "page_view", "chat"), ("state=unscored", "chat", "page_view")],
)
def test_types_are_narrowed_by_the_address(viewer, query, shown, left_out):
    page = viewer.get(f"{TYPES}?{query}", headers=htmx("section#type-list")).text

    assert f">{shown}" in page
    assert f">{left_out}" not in page


def test_a_type_is_hidden_and_shown_again(operator, world):
    operator.post(TYPES, {"type": "chat", "visible": "0"})
    assert known(world, "chat").hidden

    answer = operator.post(TYPES, {"type": "chat", "visible": "1"})

    assert answer.status_code == 303
    assert not known(world, "chat").hidden


def test_how_far_a_type_reaches_is_chosen(operator, world):
    operator.post(TYPES, {"type": "chat", "reach": "observe"})

    assert known(world, "chat").reach == "observe"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"type": "chat"}, 400), ({"type": "chat", "visible": "maybe"}, 400),
        ({"type": "chat", "reach": "everywhere"}, 400), ({"type": "never", "visible": "0"}, 404),
        ({"type": "DECAY", "visible": "0"}, 404),
    ],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(operator, sent, status):
    assert operator.post(TYPES, sent).status_code == status


def test_a_deletion_says_first_what_goes_and_asks_for_the_name(operator, world):
    page = operator.get(f"{DELETE}?type=chat").text
    refused = operator.post(DELETE, {"type": "chat", "confirm": "cat"})

    assert "What goes for good" in page
    assert refused.status_code == 303
    assert known(world, "chat").event_count == 1


def test_all_events_of_a_type_are_deleted_and_it_is_said(operator, world):
    operator.post(DELETE, {"type": "chat", "confirm": "chat"})

    page = operator.get(f"{DELETE}?type=chat").text

    assert "chat" not in {it.name for it in list_event_types(world.scope)}
    assert "Its events were deleted" in page


def test_a_type_that_a_rule_scores_is_kept(operator, world):
    page = operator.get(f"{DELETE}?type=page_view").text
    answer = operator.post(DELETE, {"type": "page_view", "confirm": "page_view"})

    assert "An active rule scores this type" in page
    assert answer.status_code == 409
    assert known(world, "page_view").event_count == 1


def test_a_viewer_sees_all_and_may_change_nothing(viewer, world):
    page = viewer.get(TYPES).text
    main = page[page.index("<main") :]

    assert 'role="switch"' not in main
    assert DELETE not in main
    assert viewer.post(TYPES, {"type": "chat", "visible": "0"}).status_code == 403
    assert viewer.get(f"{DELETE}?type=chat").status_code == 403
    assert viewer.post(DELETE, {"type": "chat", "confirm": "chat"}).status_code == 403
    assert not known(world, "chat").hidden


def test_a_type_of_another_unit_is_not_found(browse, people):
    stranger = browse(people.stranger)

    assert stranger.get(f"{DELETE}?type=chat").status_code == 404
    assert stranger.post(TYPES, {"type": "chat", "visible": "0"}).status_code == 404
