"""Notes about leads: written, changed and deleted by their authors, read by everybody."""

from __future__ import annotations

import pytest

from leadvibe.leads.notes import LONGEST_NOTE
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import merging


@pytest.fixture
def _leads(world):
    for lead_id in ("ann", "bo"):
        world.happen("page_view", lead_id)


pytestmark = pytest.mark.usefixtures("_leads")


def write(api, text="Wants a demo.", lead_id="ann"):
    made = api.post(f"/leads/{lead_id}/notes", {"text": text})
    assert made.status_code == 201, made.text
    return made.json


def texts(api, lead_id="ann"):
    return [note["text"] for note in api.get(f"/leads/{lead_id}/notes").json]


def test_notes_are_listed_the_newest_first_with_their_authors(call_as):
    write(call_as("owner"))
    write(call_as("operator"), "  Met at the fair.\nLikes tea. ")

    found = call_as("viewer").get("/leads/ann/notes").json

    assert [note["text"] for note in found] == ["Met at the fair.\nLikes tea.", "Wants a demo."]
    assert len({note["author_id"] for note in found}) == 2


@pytest.mark.parametrize("text", ["", "  ", "x" * (LONGEST_NOTE + 1), "a\0b"])
def test_a_note_that_says_nothing_or_too_much_is_refused(call_as, text):
    refused = call_as("owner").post("/leads/ann/notes", {"text": text})

    assert refused.status_code == 400
    assert "text" in refused.json["fields"]


def test_an_author_changes_and_deletes_a_note(call_as):
    owner = call_as("owner")
    note = write(owner)
    path = f"/leads/ann/notes/{note['note_id']}"

    changed = owner.put(path, {"text": "Has had a demo."})

    assert changed.json["text"] == "Has had a demo."
    assert changed.json["updated_at"] > note["updated_at"]
    assert owner.delete(path).status_code == 204
    assert texts(owner) == []


def test_nobody_else_changes_a_note(call_as):
    path = f"/leads/ann/notes/{write(call_as('owner'))['note_id']}"
    other = call_as("operator")

    assert other.put(path, {"text": "Mine"}).json["code"] == "not_your_note"
    assert other.delete(path).status_code == 403
    assert texts(other) == ["Wants a demo."]


def test_a_note_about_another_lead_is_not_found(call_as):
    note = write(call_as("owner"))

    answer = call_as("owner").delete(f"/leads/bo/notes/{note['note_id']}")

    assert answer.json["code"] == "note_not_found"


def test_a_note_goes_along_with_a_merge_and_back(call_as, world):
    owner = call_as("owner")
    write(owner, "About Bo", "bo")
    write(owner, "About Ann")

    merging.merge(world.principal, world.scope, "ann", ["bo"], now=utc_now())
    commit()

    assert texts(owner) == texts(owner, "bo") == ["About Ann", "About Bo"]

    merging.unmerge(world.principal, world.scope, "ann", now=utc_now())
    commit()

    assert texts(owner) == ["About Ann"]
    assert texts(owner, "bo") == ["About Bo"]


def test_a_note_about_a_visitor_goes_to_who_it_turns_out_to_be(call_as, world):
    driver().execute("UPDATE leads SET has_own_id = false WHERE lead_id = 'bo'")
    owner = call_as("owner")
    write(owner, "Looks keen", "bo")
    driver().execute(
        """
        INSERT INTO lead_aliases SELECT unit_id, 'cookie', 'c', 'c', lead_id, gen_random_uuid(),
            now() FROM leads WHERE lead_id = 'bo'
        """
    )
    commit()
    sent = owner.post(
        "/ingest",
        {
            "event_type": "page_view",
            "lead_id": "ann",
            "aliases": [{"alias_kind": "cookie", "raw_value": "c"}],
        },
    )
    assert sent.status_code == 202
    world.happen("page_view", "ann")

    assert texts(owner) == ["Looks keen"]


def test_an_owner_moderates_what_others_write(call_as, people):
    note = write(call_as("operator"))
    path = f"/leads/ann/notes/{note['note_id']}"
    assert note["edited_by"] is None

    changed = call_as("owner").put(path, {"text": "Wants a demo, politely."}).json

    assert changed["author_id"] == note["author_id"]
    assert changed["edited_by"] == people.owner.member.name
    mended = call_as("operator").put(path, {"text": "Wants a demo."}).json
    assert mended["edited_by"] is None
    assert call_as("admin").delete(path).status_code == 204
