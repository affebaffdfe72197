"""Every example of the vendors' pages, byte for byte but for ids and times of our own."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from leadvibe.identity.api_keys import KeyKind
from leadvibe.lib.db import commit, driver

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUEST_ID = re.compile(r"req_[0-9a-f]{12}")
META = '"meta":{"requestId":"req_a1b2c3d4e5f6","timestamp":"2026-03-10T12:00:00.000Z"}'
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def written(response):
    """Return an answer with the vendor's request id and time for ours."""
    return TIME.sub("2026-03-10T12:00:00.000Z", REQUEST_ID.sub("req_a1b2c3d4e5f6", response.text))


@pytest.fixture
def octanist(program, make_key):
    return program(X_API_KEY=make_key(KeyKind.OCTANIST).text)


@pytest.fixture
def nexus(program, make_key):
    return program(Authorization=f"Bearer {make_key(KeyKind.NEXUS).text}")


@pytest.fixture
def fill(world):
    """Return what makes many leads."""

    def make(count):
        bound = {"unit": world.scope.unit_id, "at": NOON, "count": count}
        driver().execute(
            """
            INSERT INTO lead_records (unit_id, lead_id, intake, created_at, updated_at)
            SELECT %(unit)s, 'l' || n, 'api', %(at)s, %(at)s FROM generate_series(1, %(count)s) n
            """,
            bound,
        )
        driver().execute(
            """
            INSERT INTO leads (unit_id, lead_id, name, metadata, source, created_at, updated_at)
            SELECT unit_id, lead_id, lead_id, '{}', 'api', created_at, updated_at FROM lead_records
            WHERE unit_id = %(unit)s
            """,
            bound,
        )
        driver().execute("INSERT INTO lead_tallies VALUES (%(unit)s, %(count)s)", bound)
        commit()

    return make


def test_octanists_check_of_a_key(program, octanist):
    assert octanist.post("/api/check").text == '{"success":true}'
    assert program().post("/api/check").text == '{"error":"Invalid or missing API key"}'


def test_octanists_pagination(octanist, fill):
    fill(234)

    answer = octanist.get("/api/leads", "fields=id&sort=createdAt:desc")

    assert len(answer.json["data"]) == 50
    assert written(answer).endswith(
        '"meta":{"pagination":{"limit":50,"page":1,"totalPages":5,"total":234,"hasMore":true},'
        '"requestId":"req_a1b2c3d4e5f6","timestamp":"2026-03-10T12:00:00.000Z"}}'
    )


def test_octanists_choice_of_fields(octanist):
    body = {"name": "Ann Lee", "email": "ann@x.test"}
    lead_id = octanist.post("/api/leads", body).json["data"]["id"]

    answer = octanist.get("/api/leads", "fields=id,name,email,status,value&sort=value:asc")

    assert answer.text.startswith(
        f'{{"success":true,"data":[{{"id":"{lead_id}","name":"Ann Lee","email":"ann@x.test",'
        '"status":"open","value":null}],"meta":{'
    )


@pytest.mark.parametrize(
    "query",
    [
        "status=won",
        "value[gte]=100",
        "value[gt]=100",
        "value[lte]=1000",
        "value[lt]=1000",
        "gclid[exists]=true",
        "updated_after=2026-03-10",
        "sort=updated_at:desc",
    ],
)
def test_octanists_table_of_operators_and_old_names(octanist, query):
    lead_id = octanist.post("/api/leads", {"name": "Ann", "gclid": "g"}).json["data"]["id"]
    octanist.patch("/api/leads", {"id": lead_id, "status": "won", "value": 100})

    answer = octanist.get("/api/leads", f"fields=value&{query}")

    found = "" if "[gt]" in query else f'{{"id":"{lead_id}","value":100}}'
    assert answer.text.startswith(f'{{"success":true,"data":[{found}],"meta":{{"pagination":{{')


def test_octanists_answers_to_a_new_and_a_changed_lead(octanist):
    made = octanist.post("/api/leads", {"name": "Ann", "custom": {"plan": "pro"}})
    lead_id = made.json["data"]["id"]
    changed = octanist.patch("/api/leads", {"id": lead_id, "status": "won", "value": "1250"})

    assert written(made) == (
        f'{{"success":true,"data":{{"id":"{lead_id}","message":"Lead added"}},{META}}}'
    )
    assert written(changed) == (
        f'{{"success":true,"data":{{"leadId":"{lead_id}","leadsUpdated":1,'
        f'"message":"Lead updated successfully"}},{META}}}'
    )


@pytest.mark.parametrize(
    ("method", "query", "status", "code"),
    [
        ("GET", "limit=101", 400, "VALIDATION_ERROR"),
        ("GET", "foo=1", 400, "INVALID_FILTER"),
        ("GET", "createdAt[gte]=soon", 400, "INVALID_DATE"),
    ],
)
def test_octanists_form_of_an_error(octanist, method, query, status, code):
    answer = octanist.send(method, "/api/leads", query_string=query)
    error = answer.json["error"]

    assert answer.status_code == status
    assert written(answer) == (
        f'{{"success":false,"error":{{"code":"{code}","message":{json.dumps(error["message"])},'
        f'"details":{json.dumps(error["details"], separators=(",", ":"))}}},{META}}}'
    )


def test_the_walk_over_pages_of_nexus(nexus, fill):
    fill(137)

    answer = nexus.get("/api/v1/leads")

    assert len(answer.json["data"]) == 50
    assert answer.text.endswith(
        '],"pagination":{"page":1,"pageSize":50,"total":137,"totalPages":3,"hasNextPage":true,'
        '"hasPrevPage":false}}'
    )


def test_the_form_of_an_error_of_nexus(nexus):
    assert nexus.get("/api/v1/leads/none").text == '{"error":"There is no such lead."}'
