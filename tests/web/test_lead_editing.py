"""What members change on a lead's page, and how two of them do not lose each other's work."""

from __future__ import annotations

import re

import pytest

from leadvibe.leads import notes, queries, service, watching
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline.editing import state_of
from tests.web.pages import htmx

PAGE = "/app/leads/ann"
POSTS = ["owner", "notes", "aliases", "property", "properties", "merge", "unmerge", "dismiss"]
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def ann(world):
    world.happen("page_view", "ann", email="ann@acme.test")
    service.patch_metadata(world.scope, "ann", {"plan": "pro", "seats": 5}, now=utc_now())
    commit()
    return world


@pytest.fixture
def browser(browse, people, ann):
    return browse(people.owner)


def lead(world):
    return queries.get_lead(world.scope, "ann")


def notes_about(world):
    return [it.text for it in notes.list_notes(world.scope, "ann", limit=9)]


@pytest.mark.parametrize("what", [*POSTS, "delete"])
def test_a_viewer_may_not_change_it_and_sees_no_way_to(browse, people, ann, what):
    viewer = browse(people.viewer)

    assert viewer.post(f"{PAGE}/{what}", {}).status_code == 403
    assert f'action="{PAGE}/{what}"' not in viewer.get(PAGE).text


@pytest.mark.parametrize("what", [*POSTS, "delete", "watch"])
def test_a_stranger_finds_no_such_lead(browse, people, ann, what):
    sent = {"source_lead_id": "ann", "target_lead_id": "bo"}

    assert browse(people.stranger).post(f"{PAGE}/{what}", sent).status_code == 404


def test_an_owner_is_chosen_among_the_members_and_let_go(browser, people, ann):
    member = people.operator.member

    browser.post(f"{PAGE}/owner", {"owner_id": str(member.org_member_id)})

    assert lead(ann).owner_id == member.org_member_id
    page = browser.get(PAGE).text
    assert f'value="{member.org_member_id}" selected>{member.name}' in page
    browser.post(f"{PAGE}/owner", {"owner_id": ""})
    assert lead(ann).owner_id is None


@pytest.mark.parametrize("owner_id", ["x", NOBODY])
def test_nobody_else_becomes_its_owner(browser, ann, owner_id):
    assert browser.post(f"{PAGE}/owner", {"owner_id": owner_id}).status_code == 400


def test_every_member_watches_for_themselves(browse, people, ann):
    viewer = browse(people.viewer)

    answer = viewer.post(f"{PAGE}/watch", {"watch": "1"}, headers=htmx("header#lead-head"))

    assert answer.location == PAGE
    assert watching.is_watched(ann.scope, people.viewer.member.org_member_id, "ann")
    assert 'aria-pressed="true"' in viewer.get(PAGE, headers=htmx("header#lead-head")).text
    assert 'aria-pressed="false"' in browse(people.owner).get(PAGE).text
    for _ in range(2):
        assert viewer.post(f"{PAGE}/watch", {"watch": "0"}).status_code == 303
    assert not watching.is_watched(ann.scope, people.viewer.member.org_member_id, "ann")


def test_a_note_is_written_into_the_timeline(browser, ann):
    answer = browser.post(f"{PAGE}/notes", {"text": " Called.\nWants <b>more</b>. "})

    assert answer.location == f"{PAGE}#lead-history"
    assert "Called.\nWants &lt;b&gt;more&lt;/b&gt;.</p>" in browser.get(PAGE).text


@pytest.mark.parametrize("text", ["", " ", "x" * 10_001])
def test_a_refused_note_is_shown_as_it_was_sent(browser, ann, text):
    answer = browser.post(f"{PAGE}/notes", {"text": text}, headers=htmx("section#lead-history"))

    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert "<html" not in answer.text
    assert text.strip() in answer.text
    assert notes_about(ann) == []


def test_only_the_author_may_edit_or_delete_a_note(browse, browser, people, ann):
    note = notes.write_note(ann.scope, people.owner.member, "ann", "Mine", now=utc_now())
    commit()
    operator, url = browse(people.operator), f"{PAGE}/notes/{note.note_id}"

    assert url not in operator.get(PAGE).text
    assert operator.post(url, {"text": "Theirs"}).status_code == 403
    assert operator.post(f"{url}/delete").status_code == 403
    assert browser.post(url, {"text": "Still mine"}).status_code == 303
    assert notes_about(ann) == ["Still mine"]
    assert browser.post(f"{url}/delete").status_code == 303
    assert notes_about(ann) == []


def test_a_note_changed_in_two_windows_is_not_lost(browser, people, ann):
    note = notes.write_note(ann.scope, people.owner.member, "ann", "First", now=utc_now())
    commit()
    url, seen = f"{PAGE}/notes/{note.note_id}", note.updated_at.isoformat()
    browser.post(url, {"text": "Second", "state": seen})

    refused = browser.post(url, {"text": "Third", "state": seen})

    assert refused.status_code == 409
    assert "note was changed since you opened it" in refused.text
    assert "Third</textarea>" in refused.text
    assert notes_about(ann) == ["Second"]
    again = re.search(rf'{note.note_id}".*?name="state" value="([^"]+)"', refused.text, re.DOTALL)
    assert browser.post(url, {"text": "Third", "state": again[1]}).status_code == 303
    assert notes_about(ann) == ["Third"]


def test_an_alias_is_added_in_its_normal_form_and_removed(browser, ann):
    browser.post(f"{PAGE}/aliases", {"kind": "email", "value": " Ann@Home.Test "})

    [added] = [it for it in queries.list_aliases(ann.scope, "ann") if it.value == "ann@home.test"]
    assert "Ann@Home.Test" in browser.get(PAGE).text
    browser.post(f"{PAGE}/aliases/{added.alias_id}/remove")
    assert [it.value for it in queries.list_aliases(ann.scope, "ann")] == ["ann@acme.test"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "Type what the lead is known by."),
        ("ann@acme.test", "is known by this already"),
        ("bo@acme.test", "belongs to bo@acme.test: merge the two"),
    ],
)
def test_an_alias_that_cannot_be_hers_is_refused(browser, ann, value, why):
    ann.happen("page_view", "bo", email="bo@acme.test")

    refused = browser.post(
        f"{PAGE}/aliases", {"kind": "email", "value": value}, headers=htmx("#lead-aliases")
    )

    assert refused.status_code == 422
    assert why in refused.text
    assert '<details class="aside-form no-print" open>' in refused.text


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", " free ", "free"), ("number", "12", 12), ("number", "1.5", 1.5),
        ("flag", "Yes", True), ("json", '{"a": [1]}', {"a": [1]}),
    ],
)  # fmt: skip
def test_a_property_is_set_as_its_type(browser, ann, kind, value, stored):
    sent = {"name": "plan", "kind": kind, "value": value, "state": state_of("pro")}

    assert browser.post(f"{PAGE}/property", sent).status_code == 303

    assert lead(ann).metadata["plan"] == stored
    assert type(lead(ann).metadata["plan"]) is type(stored)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", " "), ("number", "x"), ("number", "nan"), ("number", "1e999"), ("flag", "maybe"),
        ("json", "{"), ("json", "NaN"), ("json", "null"), ("json", "[" * 5000), ("text", "a\0b"),
        ("x", "y"),
    ],
)  # fmt: skip
def test_a_value_that_is_none_is_refused_where_it_was_typed(browser, ann, kind, value):
    sent = {"name": "plan", "kind": kind, "value": value, "state": state_of("pro")}

    refused = browser.post(f"{PAGE}/property", sent, headers=htmx("#lead-properties"))

    assert refused.status_code == 422
    assert "field-error" in refused.text
    assert lead(ann).metadata["plan"] == "pro"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("value", "much", "value must be a number, such as 1200"),
        ("next_call_at", "tomorrow", "next_call_at must be a day or a time, such as 2026"),
        ("ad_storage", "perhaps", "ad_storage must be true or false"),
    ],
)
def test_a_recorded_field_that_would_be_of_another_kind_is_refused(browser, ann, name, value, says):
    sent = {"name": name, "kind": "text", "value": value, "state": state_of(None)}
    document = {"document": f'{{"{name}": "{value}"}}', "state": state_of(lead(ann).metadata)}

    one = browser.post(f"{PAGE}/property", sent, headers=htmx("#lead-properties"))
    all_of_them = browser.post(f"{PAGE}/properties", document, headers=htmx("#lead-properties"))

    for refused in (one, all_of_them):
        assert refused.status_code == 422
        assert says in refused.text
        assert value in refused.text
    assert lead(ann).metadata["plan"] == "pro"
    assert name not in lead(ann).metadata


def test_a_property_is_added_and_removed(browser, ann):
    new = {"name": "budget", "kind": "number", "value": "9", "state": state_of(None)}
    browser.post(f"{PAGE}/property", new)
    assert lead(ann).metadata["budget"] == 9

    gone = {"name": "budget", "do": "remove", "state": state_of(9)}
    browser.post(f"{PAGE}/property", gone)

    assert "budget" not in lead(ann).metadata


def test_of_two_who_change_a_property_the_second_is_told(browser, ann):
    sent = {"name": "plan", "kind": "text", "value": "mine", "state": state_of("pro")}
    service.patch_metadata(ann.scope, "ann", {"plan": "theirs", "seats": 6}, now=utc_now())
    commit()

    refused = browser.post(f"{PAGE}/property", sent, headers=htmx("#lead-properties"))

    assert refused.status_code == 409
    assert "changed since you opened this" in refused.text
    assert "mine</textarea>" in refused.text
    assert lead(ann).metadata["plan"] == "theirs"
    [again] = re.findall(r'name="state" value="([^"]+)"', refused.text)
    assert browser.post(f"{PAGE}/property", {**sent, "state": again}).status_code == 303
    assert lead(ann).metadata == {"plan": "mine", "seats": 6}


def test_another_property_may_change_meanwhile(browser, ann):
    sent = {"name": "plan", "kind": "text", "value": "mine", "state": state_of("pro")}
    service.patch_metadata(ann.scope, "ann", {"seats": 6}, now=utc_now())
    commit()

    assert browser.post(f"{PAGE}/property", sent).status_code == 303


def test_all_properties_are_edited_as_json(browser, ann):
    page = browser.get(f"{PAGE}?edit=%7B%7D").text
    assert "&#34;plan&#34;: &#34;pro&#34;" in page
    state = state_of(lead(ann).metadata)

    done = browser.post(f"{PAGE}/properties", {"document": '{"a": {"b": 1}}', "state": state})
    stale = browser.post(f"{PAGE}/properties", {"document": "{}", "state": state})
    wrong = browser.post(f"{PAGE}/properties", {"document": "[1]", "state": state})

    assert [done.status_code, stale.status_code, wrong.status_code] == [303, 409, 422]
    assert lead(ann).metadata == {"a": {"b": 1}}


def test_too_much_is_refused_and_nothing_is_lost(browser, ann):
    sent = {"name": "plan", "kind": "text", "value": "x" * 110_000, "state": state_of("pro")}

    refused = browser.post(f"{PAGE}/property", sent)

    assert refused.status_code == 422
    assert lead(ann).metadata["plan"] == "pro"


def test_a_property_says_which_mapping_it_comes_from(browser, ann):
    page = browser.get(PAGE, headers=htmx("#lead-properties")).text

    assert 'title="Set by hand, ' in page
    assert "From " not in page
