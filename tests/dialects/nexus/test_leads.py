"""Leads over the Nexus ERP lead API, as its documentation describes them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from leadvibe.identity.api_keys import DELETE_LEADS, SCOPES
from leadvibe.leads import ownership
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import editing
from tests.dialects.nexus.conftest import LEADS

JANE = {
    "name": "Acme Co - Jane Doe",
    "phones": ["+1 (415) 555-0101"],
    "emails": ["Jane@Acme.com"],
    "contactId": "65f0a000a000a000a000a002",
    "company": "Acme Co",
    "source": "website",
    "status": "QUALIFIED",
    "nextCallAt": "2026-05-02T12:30:00+02:00",
}
EXAMPLE = """\
{
  "data": [
    {
      "id": "ID",
      "name": "Acme Co - Jane Doe",
      "phones": [
        "+14155550101"
      ],
      "emails": [
        "jane@acme.com"
      ],
      "primaryPhone": "+14155550101",
      "primaryEmail": "jane@acme.com",
      "contactId": "65f0a000a000a000a000a002",
      "company": "Acme Co",
      "source": "website",
      "status": "QUALIFIED",
      "notes": null,
      "nextCallAt": "2026-05-02T10:30:00.000Z",
      "createdAt": "2026-04-21T09:00:00.000Z",
      "updatedAt": "2026-04-28T16:14:00.000Z",
      "assignedToId": "MEMBER",
      "clientId": null
    }
  ],
  "pagination": {
    "page": 1,
    "pageSize": 50,
    "total": 1,
    "totalPages": 1,
    "hasNextPage": false,
    "hasPrevPage": false
  }
}"""


def test_the_example_of_the_documentation_is_answered_byte_for_byte(nexus, people):
    member = people.owner.member.org_member_id
    lead_id = nexus.create(**JANE, assignedToId=str(member)).json["id"]
    driver().execute(
        """
        UPDATE lead_records
        SET created_at = '2026-04-21T09:00:00Z', updated_at = '2026-04-28T16:14:00Z'
        """
    )

    answer = nexus.list()

    expected = json.loads(EXAMPLE.replace("ID", lead_id).replace("MEMBER", str(member)))
    assert answer.content_type == "application/json"
    assert answer.text == json.dumps(expected, separators=(",", ":"))


def test_what_is_empty_is_null_and_a_name_is_never_missing(nexus, world):
    world.happen("page_view", "a visitor/1")

    lead = nexus.get("a visitor/1").json

    assert lead | {"createdAt": "", "updatedAt": ""} == {
        "id": "a visitor/1",
        "name": "a visitor/1",
        "phones": [],
        "emails": [],
        "primaryPhone": None,
        "primaryEmail": None,
        "contactId": "a visitor/1",
        "company": None,
        "source": None,
        "status": "NOT_CONTACTED",
        "notes": None,
        "nextCallAt": None,
        "createdAt": "",
        "updatedAt": "",
        "assignedToId": None,
        "clientId": None,
    }


def test_nothing_at_all_has_no_pages(nexus):
    answer = nexus.list().json

    assert answer == {
        "data": [],
        "pagination": {
            "page": 1,
            "pageSize": 50,
            "total": 0,
            "totalPages": 0,
            "hasNextPage": False,
            "hasPrevPage": False,
        },
    }


@pytest.fixture
def book(nexus, people):
    """Six leads: three to call, the others not."""
    member = str(people.owner.member.org_member_id)
    nexus.make("Old", status="CONTACTED")
    nexus.make("Later", nextCallAt="2026-05-03T10:00:00Z", company="Globex")
    nexus.make("Newer", status="LOST", phone="+49 30 1234567")
    nexus.make("Sooner", nextCallAt="2026-05-02T10:00:00.000Z", assignedToId=member)
    nexus.make("Same", nextCallAt="2026-05-03T10:00:00Z", assignedToId=member)
    nexus.make("Newest")
    return nexus


ALL = ["Sooner", "Same", "Later", "Newest", "Newer", "Old"]


def test_calls_come_first_and_then_the_newest(book):
    assert book.names() == ALL


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 100])
def test_walking_pages_of_any_size_finds_everybody_once(book, size):
    names, page, more = [], 1, True
    while more:
        answer = book.list(page=page, pageSize=size).json
        names += [lead["name"] for lead in answer["data"]]
        pagination = answer["pagination"]
        assert pagination["totalPages"] == -(-6 // size)
        assert pagination["hasPrevPage"] is (page > 1)
        more, page = pagination["hasNextPage"], page + 1

    assert names == ALL
    beyond = book.list(page=99, pageSize=size).json
    assert (beyond["data"], beyond["pagination"]["hasNextPage"]) == ([], False)


def test_a_lead_that_comes_in_meanwhile_repeats_nobody_who_is_to_be_called(book):
    first = book.names(pageSize=2)
    book.make("Latest")

    assert first + book.names(pageSize=2, page=2)[:1] == ALL[:3]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "NOT_CONTACTED"}, ["Sooner", "Same", "Later", "Newest"]),
        ({"status": "CONTACTED"}, ["Old"]),
        ({"status": "LOST"}, ["Newer"]),
        ({"status": "CONVERTED"}, []),
        ({"search": "NEW"}, ["Newest", "Newer"]),
        ({"search": "later@ACME"}, ["Later"]),
        ({"search": "globex"}, ["Later"]),
        ({"search": "+49301234567"}, ["Newer"]),
        ({"search": "1234567"}, ["Newer"]),
        ({"search": "a%e"}, []),
        ({"search": "_"}, []),
        ({"search": " sooner "}, ["Sooner"]),
        ({"search": ""}, ALL),
        ({"search": "s"}, ["Sooner", "Same", "Newest"]),
        ({"search": "nobody"}, []),
        ({"assignedToId": "OWNER"}, ["Sooner", "Same"]),
        ({"assignedToId": "unassigned"}, ["Later", "Newest", "Newer", "Old"]),
        ({"assignedToId": "65e0a000a000a000a000a000"}, []),
        ({"assignedToId": "00000000-0000-0000-0000-000000000000"}, []),
        ({"assignedToId": ""}, ALL),
        ({"assignedToId": "unassigned", "status": "NOT_CONTACTED"}, ["Later", "Newest"]),
        ({"assignedToId": "OWNER", "search": "same"}, ["Same"]),
        ({"somethingElse": "1"}, ALL),
    ],
)
def test_leads_are_narrowed(book, people, query, names):
    member = str(people.owner.member.org_member_id)
    wanted = {name: value.replace("OWNER", member) for name, value in query.items()}

    answer = book.list(**wanted).json

    assert [lead["name"] for lead in answer["data"]] == names
    assert answer["pagination"]["total"] == len(names)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "qualified"}, "status"),
        ({"status": ""}, "status"),
        ({"status": "LOST,CONTACTED"}, "status"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "one"}, "page"),
        ({"page": "9" * 30}, "page"),
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "101"}, "pageSize"),
        ({"pageSize": "1.5"}, "pageSize"),
        ({"search": "a\x00b"}, "search"),
        ({"assignedToId": "a\x00b"}, "assignedToId"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(nexus, query, field):
    answer = nexus.list(**query)

    assert answer.status_code == 400
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(f"{field} ")


def test_a_lead_of_our_own_api_is_read_and_the_other_way_round(nexus, client, people):
    bearer = people.owner.bearer
    client.post("/leads", json={"id": "crm/1", "metadata": {"name": "Ann"}}, headers=bearer)
    lead_id = nexus.make("Bob", notes="Likes tea")

    nexus.change("crm/1", notes="Call back", company="Globex")
    client.patch(f"/leads/{lead_id}/metadata", json={"notes": None}, headers=bearer)

    assert client.get("/leads/crm/1/profile", headers=bearer).json["notes"] == "Call back"
    assert nexus.get("crm/1").json["company"] == "Globex"
    assert nexus.get(lead_id).json["notes"] is None


def test_a_new_lead_may_say_null_for_what_it_has_not(nexus):
    made = nexus.create(name="Jane", phone="+14155550101", status=None, company=None)

    assert made.status_code == 201
    assert (made.json["status"], made.json["company"]) == ("NOT_CONTACTED", None)


def test_a_known_address_is_the_same_lead(nexus):
    lead_id = nexus.make("Jane", phone="+14155550101")

    again = nexus.create(name="Jane Doe", phone="+1 415 555 0101", company="Acme Co")

    assert again.status_code == 200
    assert (again.json["id"], again.json["name"]) == (lead_id, "Jane Doe")
    assert nexus.list().json["pagination"]["total"] == 1


def test_phones_and_emails_keep_the_order_they_are_given_in(nexus):
    lead_id = nexus.make("Jane", phones=["+14155550109", "+14155550101"], emails=["z@a.co"])
    nexus.change(lead_id, emails=["z@a.co", "a@a.co"])
    before = nexus.get(lead_id).json
    nexus.change(lead_id, phones=["+14155550101", "+14155550109"], emails=["b@a.co", "z@a.co"])
    after = nexus.get(lead_id).json

    assert (before["primaryPhone"], before["primaryEmail"]) == ("+14155550109", "z@a.co")
    assert after["phones"] == ["+14155550101", "+14155550109"]
    assert after["emails"] == ["b@a.co", "z@a.co"]


def test_a_change_leaves_alone_what_it_does_not_name_and_null_empties(nexus):
    lead_id = nexus.create(**JANE).json["id"]

    changed = nexus.change(lead_id, company=None, nextCallAt=None, status="CONVERTED").json

    assert (changed["company"], changed["nextCallAt"]) == (None, None)
    assert changed["status"] == "CONVERTED"
    assert (changed["source"], changed["name"]) == ("website", JANE["name"])


def test_a_whole_name_reaches_a_lead_that_is_called_by_its_parts(nexus, world, client, people):
    parts = {"first_name": "Ann", "last_name": "Lee"}
    client.post("/leads", json={"id": "ann", "metadata": parts}, headers=people.owner.bearer)

    assert nexus.change("ann", name="Ann Marie Lee").json["name"] == "Ann Marie Lee"
    assert nexus.change("ann", name="Annie").json["name"] == "Annie"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"status": "won"}, "status"),
        ({"status": None}, "status"),
        ({"nextCallAt": "tomorrow"}, "nextCallAt"),
        ({"nextCallAt": "2026-05-02T10:30:00"}, "nextCallAt"),
        ({"phones": ["none"]}, "phones"),
        ({"phones": "+14155550101"}, "phones"),
        ({"phones": ["0612345678"]}, "phones must be a phone number"),
        ({"emails": ["a@"]}, "emails"),
        ({"emails": None}, "emails"),
        ({"emails": []}, "A lead needs a phone or an email"),
        ({"assignedToId": "nobody"}, "assignedToId"),
        ({"company": "a\x00"}, "company"),
        ({"company": 5}, "company"),
        ({"id": "other"}, "id"),
        ({"createdAt": "2026-05-02T10:30:00Z"}, "createdAt"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(nexus, changes, problem):
    lead_id = nexus.make("Jane")
    before = nexus.get(lead_id).json

    answer = nexus.change(lead_id, **changes)

    assert answer.status_code == 400, answer.text
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(problem)
    assert nexus.get(lead_id).json == before


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "name is missing"),
        ({"name": "Jane"}, "A phone or an email is required."),
        ({"name": "Jane", "phones": [], "emails": []}, "A phone or an email is required."),
        ({"email": "a@b.co"}, "name is missing"),
        ({"name": " ", "email": "a@b.co"}, "name must not be empty"),
        ({"name": "Jane", "phone": "none"}, "phone must be a phone number"),
        ({"name": "Jane", "phone": "+12"}, "phone must be a phone number"),
        ({"name": "Jane", "phones": ["+123456789012345678"]}, "phones"),
        ({"name": "Jane", "email": "a b@c.co"}, "email must be an e-mail address"),
        ({"name": "Jane", "email": "a@b.co", "status": "NEW"}, "status must be one of"),
        ({"name": "Jane", "email": "a@b.co", "assignedToId": "x"}, "assignedToId is no member"),
        ({"name": "Jane", "email": "a@b.co", "score": 5}, "score is not known here"),
    ],
)
def test_a_lead_that_makes_no_sense_is_not_made(nexus, fields, problem):
    answer = nexus.create(**fields)

    assert answer.status_code == 400
    assert answer.json["error"].startswith(problem)
    assert nexus.list().json["pagination"]["total"] == 0


def test_a_number_that_came_in_otherwise_is_written_back_as_it_is_read(nexus, people):
    lead_id = nexus.make("Ann")
    local = make_alias(AliasKind.PHONE, "0612345678")
    editing.add_alias(people.scope, lead_id, local, now=utc_now())
    commit()

    assert nexus.change(lead_id, phones=[local.value, "+14155550101"]).status_code == 200
    assert nexus.get(lead_id).json["phones"] == ["+0612345678", "+14155550101"]


def test_somebody_elses_address_is_a_conflict(nexus):
    lead_id = nexus.make("Jane")
    nexus.make("Bob")

    answer = nexus.change(lead_id, emails=["bob@acme.com"])

    assert answer.status_code == 409
    assert "Bob" in answer.json["error"]
    assert nexus.get(lead_id).json["emails"] == ["jane@acme.com"]


def test_a_claimed_lead_falls_back_into_the_pool_after_a_day(nexus, people, client):
    lead_id, member = nexus.make("Jane"), str(people.operator.member.org_member_id)

    claimed = nexus.claim(lead_id, member)
    again = nexus.claim(lead_id, people.owner.member.org_member_id)

    assert (claimed.status_code, claimed.json["assignedToId"]) == (200, member)
    assert again.status_code == 409
    assert "has this lead until" in again.json["error"]
    assert nexus.names(assignedToId=member) == ["Jane"]
    detail = client.get(f"/leads/{lead_id}", headers=people.owner.bearer).json
    assert detail["lead"]["owner_id"] == member

    driver().execute("UPDATE lead_records SET claimed_until = now() - interval '1 second'")

    assert nexus.get(lead_id).json["assignedToId"] is None
    assert nexus.names(assignedToId=member) == []
    assert nexus.names(assignedToId="unassigned") == ["Jane"]
    assert nexus.claim(lead_id, member).status_code == 200


def test_leads_given_to_a_member_in_bulk_are_theirs_until_that_is_undone(nexus, people, client):
    member, bearer = str(people.operator.member.org_member_id), people.owner.bearer
    claimed, free = nexus.make("Jane"), nexus.make("Bob")
    nexus.claim(claimed, member)

    body = {"action": "assign_owner", "lead_ids": [claimed, free], "owner_id": member}
    done = client.post("/leads/bulk", json=body, headers=bearer).json

    assert nexus.names(assignedToId=member) == ["Bob", "Jane"]
    assert ownership.units_with_ended_claims(now=utc_now() + timedelta(days=2)) == []

    client.post(f"/leads/bulk/{done['action_id']}/undo", headers=bearer)

    assert nexus.names(assignedToId="unassigned") == ["Bob"]


def test_an_owner_for_good_ends_a_claim(nexus, people):
    lead_id, member = nexus.make("Jane"), str(people.operator.member.org_member_id)
    nexus.claim(lead_id, member)

    nexus.change(lead_id, assignedToId=member)

    later = utc_now() + timedelta(days=2)
    assert ownership.units_with_ended_claims(now=later) == []
    assert nexus.claim(lead_id, member).status_code == 409


def test_a_claim_that_has_ended_is_released(nexus, people):
    lead_id, member = nexus.make("Jane"), people.operator.member.org_member_id
    kept = nexus.make("Bob", assignedToId=str(member))
    nexus.claim(lead_id, member)
    later = utc_now() + ownership.CLAIM_LASTS

    assert ownership.units_with_ended_claims(now=later) == [people.scope.unit_id]
    assert ownership.release_claims(people.scope, now=later) == 1

    commit()
    assert ownership.owners_of(people.scope, [lead_id, kept]) == {lead_id: None, kept: member}
    assert ownership.units_with_ended_claims(now=later) == []


@pytest.mark.parametrize("body", [{}, {"memberId": "x"}, {"memberId": 5}, {"who": "me"}])
def test_who_claims_must_be_a_member(nexus, body):
    lead_id = nexus.make("Jane")

    answer = nexus.send("POST", f"{LEADS}/{lead_id}/claim", json=body)

    assert answer.status_code == 400
    assert nexus.get(lead_id).json["assignedToId"] is None


def test_merged_and_deleted_leads_are_not_there(nexus, client, people):
    bearer = people.owner.bearer
    target, source, gone = nexus.make("Jane"), nexus.make("Janet"), nexus.make("Bob")
    merge = {"targetLeadId": target, "sourceLeadIds": [source]}
    assert client.post("/leads/merge", json=merge, headers=bearer).status_code < 300
    assert client.delete(f"/lead/{gone}", headers=bearer).status_code < 300

    assert nexus.names() == ["Jane"]
    for lead_id in (source, gone, "nobody", "a/claim"):
        assert nexus.get(lead_id).status_code == 404
        assert nexus.change(lead_id, notes="x").status_code == 404
        assert nexus.claim(lead_id, people.owner.member.org_member_id).status_code == 404


def test_a_deleted_lead_is_gone_at_once_and_for_good(nexus, nexus_with, people, client):
    eraser = nexus_with(people.scope, DELETE_LEADS)
    bob, ann = nexus.make("Bob"), nexus.make("Ann")

    answer = eraser.delete(bob)

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert nexus.names() == ["Ann"]
    assert nexus.list().json["pagination"]["total"] == 1
    status = client.get(f"/lead/{bob}/deletion-status", headers=people.owner.bearer)
    assert status.json["status"] == "pending"
    again = [eraser.delete(bob), eraser.delete("nobody"), eraser.delete("a%00b")]
    assert [it.status_code for it in again] == [404, 404, 404]
    assert nexus.get(ann).status_code == 200
    assert nexus.make("Bob") != bob


def test_a_lead_that_was_merged_into_another_is_not_deleted(nexus, nexus_with, people, client):
    target, source = nexus.make("Jane"), nexus.make("Janet")
    merge = {"targetLeadId": target, "sourceLeadIds": [source]}
    assert client.post("/leads/merge", json=merge, headers=people.owner.bearer).status_code < 300

    assert nexus_with(people.scope, *SCOPES).delete(source).status_code == 404
    assert nexus.names() == ["Jane"]
