"""Clients of both products over the same leads, at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from leadvibe.identity.api_keys import KeyKind
from tests.dialects.conftest import Program

OCTANIST, NEXUS = "/api/leads", "/api/v1/leads"


@pytest.fixture
def octanist(program, make_key) -> Program:
    return program(X_API_KEY=make_key(KeyKind.OCTANIST).text)


@pytest.fixture
def new_nexus(program, make_key) -> Callable[[], Program]:
    key = make_key(KeyKind.NEXUS).text
    return lambda: program(Authorization=f"Bearer {key}")


@pytest.fixture
def nexus(new_nexus) -> Program:
    return new_nexus()


@pytest.fixture
def ours(program, people) -> Program:
    return program(**people.owner.bearer)


def make(nexus: Program, name: str, **fields: Any) -> str:
    body = {"name": name, "email": f"{name.lower()}@acme.test", **fields}
    made = nexus.post(NEXUS, body)
    assert made.status_code == 201, made.text
    return made.json["id"]


def test_what_one_has_noted_the_other_may_write_back(octanist, nexus):
    lead_id = octanist.post(OCTANIST, {"name": "Ann", "note": "n" * 50_000}).json["data"]["id"]
    notes = nexus.get(f"{NEXUS}/{lead_id}").json["notes"]

    assert nexus.patch(f"{NEXUS}/{lead_id}", {"notes": notes}).json["notes"] == "n" * 50_000


def test_of_two_who_claim_a_lead_at_the_same_time_one_gets_it(
    fresh_database, new_nexus, people, nexus
):
    leads = [make(nexus, f"L{number}") for number in range(4)]
    members = [str(it.member.org_member_id) for it in (people.owner, people.operator)]
    clients = [new_nexus() for _ in members]
    together = Barrier(len(members))

    def claim(number: int) -> list[int]:
        statuses = []
        for lead_id in leads:
            together.wait()
            body = {"memberId": members[number]}
            answer = clients[number].post(f"{NEXUS}/{lead_id}/claim", body)
            statuses.append(answer.status_code)
        return statuses

    with ThreadPoolExecutor(len(members)) as pool:
        first, second = pool.map(claim, range(len(members)))

    assert [sorted(it) for it in zip(first, second, strict=True)] == [[200, 409]] * len(leads)
    for lead_id, status in zip(leads, first, strict=True):
        holder = nexus.get(f"{NEXUS}/{lead_id}").json["assignedToId"]
        assert holder == members[0 if status == 200 else 1]


def test_of_two_who_make_the_same_person_at_once_there_is_one(fresh_database, new_nexus, nexus):
    clients = [new_nexus() for _ in range(2)]
    together = Barrier(len(clients))

    def create(client: Program) -> Any:
        together.wait()
        return client.post(NEXUS, {"name": "Ann", "email": "ann@acme.test"})

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(create, clients))

    assert sorted(it.status_code for it in answers) == [200, 201]
    assert len({it.json["id"] for it in answers}) == 1
    assert nexus.get(NEXUS).json["pagination"]["total"] == 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("NOT_CONTACTED", "open"),
        ("CONTACTED", "open"),
        ("QUALIFIED", "qualified"),
        ("CONVERTED", "won"),
        ("LOST", "lost"),
    ],
)
def test_what_nexus_writes_octanist_and_our_api_show_at_once(nexus, octanist, ours, written, shown):
    lead_id = make(nexus, "Ann", phone="+4740000010")

    changes = {"status": written, "notes": "Call back", "company": "Acme"}
    assert nexus.patch(f"{NEXUS}/{lead_id}", changes).status_code == 200

    lead = octanist.get(f"{OCTANIST}/{lead_id}").json["data"]
    assert (lead["status"], lead["note"], lead["phone"]) == (shown, "Call back", "+4740000010")
    assert octanist.get(OCTANIST, f"status={shown}").json["data"] == [lead]
    metadata = ours.get(f"/lead/{lead_id}").json["metadata"]
    assert (metadata["notes"], metadata["company"]) == ("Call back", "Acme")


@pytest.mark.parametrize(
    ("written", "shown"), [("qualified", "QUALIFIED"), ("won", "CONVERTED"), ("lost", "LOST")]
)
def test_what_octanist_writes_nexus_and_our_api_show_at_once(nexus, octanist, ours, written, shown):
    body = {"name": "Ann", "email": "Ann+1@Acme.test"}
    lead_id = octanist.post(OCTANIST, body).json["data"]["id"]

    changes = {"email": "ann+1@acme.test", "status": written, "note": "Call back", "value": "12.5"}
    assert octanist.patch(OCTANIST, changes).json["data"]["leadId"] == lead_id

    lead = nexus.get(f"{NEXUS}/{lead_id}").json
    assert (lead["status"], lead["notes"]) == (shown, "Call back")
    assert lead["emails"] == ["ann+1@acme.test"]
    assert nexus.get(NEXUS, f"status={shown}").json["data"] == [lead]
    assert ours.get(f"/lead/{lead_id}").json["metadata"]["value"] == 12.5


def test_what_our_api_writes_both_show_at_once(nexus, octanist, ours):
    body = {"id": "crm/1", "metadata": {"name": "Ann", "notes": "Hello", "value": 7}}
    assert ours.post("/leads", body).status_code == 201

    assert nexus.get(f"{NEXUS}/crm/1").json["notes"] == "Hello"
    assert octanist.get(f"{OCTANIST}/crm/1").json["data"]["value"] == 7
    assert ours.send("DELETE", "/lead/crm/1").status_code < 300
    assert nexus.get(f"{NEXUS}/crm/1").status_code == 404
    assert octanist.get(f"{OCTANIST}/crm/1").status_code == 404


@pytest.mark.parametrize("sort", ["createdAt:asc", "createdAt:desc"])
def test_nobody_is_passed_over_while_leads_are_added(octanist, sort):
    known = {octanist.post(OCTANIST, {"name": f"L{n}"}).json["data"]["id"] for n in range(7)}

    seen, page, is_more = [], 1, True
    while is_more and page < 20:
        answer = octanist.get(OCTANIST, f"limit=3&page={page}&sort={sort}").json
        seen += [lead["id"] for lead in answer["data"]]
        if page <= 3:
            octanist.post(OCTANIST, {"name": "New"})
        is_more, page = answer["meta"]["pagination"]["hasMore"], page + 1

    assert known <= set(seen)
    if sort == "createdAt:asc":
        assert len(seen) == len(set(seen)) == 9


def test_nobody_of_nexus_is_passed_over_while_leads_are_added(nexus):
    known = {make(nexus, f"L{n}", nextCallAt=f"2026-12-0{n + 1}T10:00:00Z") for n in range(7)}

    seen, page, is_more = [], 1, True
    while is_more and page < 20:
        answer = nexus.get(NEXUS, f"pageSize=3&page={page}").json
        seen += [lead["id"] for lead in answer["data"]]
        if page <= 3:
            make(nexus, f"New{page}")
        is_more, page = answer["pagination"]["hasNextPage"], page + 1

    assert known <= set(seen)


@pytest.mark.parametrize(
    "text", ["+47 400 00 010", "+47 (400) 00-010", "0047 40000010", "400 00 010"]
)
def test_a_phone_number_is_found_however_it_is_spaced(nexus, octanist, text):
    lead_id = make(nexus, "Ann", phone="+47 400 00 010")

    found = nexus.send("GET", NEXUS, query_string={"search": text}).json["data"]
    also = octanist.send("GET", OCTANIST, query_string={"search": text}).json["data"]

    assert [it["id"] for it in found] == [it["id"] for it in also] == [lead_id]


def test_who_is_known_by_two_addresses_is_found_by_both(octanist, nexus):
    lead_id = make(nexus, "Ann", emails=["ann@x.test"], phones=["+4740000010", "+4740000011"])

    for text in ("ann@acme", "ann@x", "40000010", "40000011"):
        found = octanist.send("GET", OCTANIST, query_string={"search": text}).json["data"]
        assert [it["id"] for it in found] == [lead_id]


@pytest.mark.parametrize("address", ["none", "ann@", "@acme.test", "a nn@acme.test"])
def test_what_is_no_address_makes_nobody_known(octanist, address):
    refused = octanist.post(OCTANIST, {"name": "Ann", "email": address})

    assert refused.status_code == 400
    assert list(refused.json["error"]["details"]) == ["email"]


@pytest.mark.parametrize("at", [5, 1.5, True, "5", "1767225600", "2026-05-02", []])
def test_a_next_call_is_text_with_a_day_and_a_time(nexus, at):
    lead_id = make(nexus, "Ann")

    refused = nexus.patch(f"{NEXUS}/{lead_id}", {"nextCallAt": at})

    assert refused.status_code == 400
    assert refused.json["error"].startswith("nextCallAt must be a time such as")


def test_text_that_is_too_long_is_told_in_characters(octanist):
    refused = octanist.post(OCTANIST, {"name": "n" * 2_001})

    assert refused.json["error"]["message"].startswith("name is too long: give at most 2000 char")


@pytest.mark.parametrize("path", [OCTANIST, NEXUS, f"{OCTANIST}/x", f"{NEXUS}/x"])
def test_options_say_which_methods_there_are(program, path):
    answer = program().send("OPTIONS", path)

    assert answer.status_code == 200
    assert "GET" in answer.headers["Allow"]


def test_both_documents_are_linked_from_the_reference(program):
    page = program().get("/docs").text

    assert 'href="/api/openapi.json"' in page
    assert 'href="/api/v1/openapi.json"' in page
