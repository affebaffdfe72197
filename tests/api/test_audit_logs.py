"""Looking through the audit: what is found, in which order, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.audit import service
from leadvibe.audit.types import Entry
from leadvibe.lib.db import commit
from tests.factories import make_unit

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def record(people, world):
    """Return what writes an entry of Acme's unit."""

    def make(minute=0, **fields):
        entry = {
            "created_at": NOW + timedelta(minutes=minute),
            "actor": "anna@acme.test",
            "method": "POST",
            "path": "/leads",
            "status": 201,
            "latency_ms": 3,
            "ip": "10.0.0.1",
            "org_id": people.organization.org_id,
            "unit_id": people.unit.unit_id,
            **fields,
        }
        service.record(Entry(**entry))
        commit()

    return make


@pytest.fixture
def various(record):
    """Write three entries that differ in everything."""
    record(0, actor="anna@acme.test", path="/leads", latency_ms=30)
    record(
        1, actor="Bert", method="PUT", path="/Rules/100%", status=404, ip="192.168.7.9",
        latency_ms=10,
    )  # fmt: skip
    record(
        2, actor="carl@acme.test", method="DELETE", path="/secrets/1", status=500, ip=None,
        latency_ms=20,
    )  # fmt: skip


def found(caller, **query):
    response = caller.get("/admin/audit-logs", **query)
    assert response.status_code == 200, response.text
    return [it["latency_ms"] for it in response.json["items"]]


def test_the_latest_come_first_with_all_that_is_known(call_as, various):
    answer = call_as("owner").get("/admin/audit-logs").json

    assert (answer["limit"], answer["offset"]) == (100, 0)
    assert [it["status"] for it in answer["items"]] == [500, 404, 201]
    assert answer["items"][1] == {
        "created_at": "2026-03-02T12:01:00Z",
        "user_email": "Bert",
        "method": "PUT",
        "path": "/Rules/100%",
        "status": 404,
        "ip": "192.168.7.9",
        "latency_ms": 10,
        "unit_id": answer["items"][0]["unit_id"],
        "via": None,
        "token_name": None,
        "request_id": None,
    }


def test_a_page_is_cut_out_by_limit_and_offset(call_as, various):
    owner = call_as("owner")

    assert found(owner, limit=2) == [20, 10]
    assert found(owner, limit=2, offset=2) == [30]
    assert found(owner, offset=2_147_483_647) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"method": "PUT"}, [10]),
        ({"method": "GET"}, []),
        ({"status_min": 404}, [20, 10]),
        ({"status_max": 404}, [10, 30]),
        ({"status_min": 404, "status_max": 404}, [10]),
        ({"user_email": "anna@acme.test"}, [30]),
        ({"user_email": "ANNA@acme.test"}, [30]),
        ({"user_email": "anna"}, []),
        ({"search": "ACME"}, [20, 30]),
        ({"search": "rules"}, [10]),
        ({"search": "168.7"}, [10]),
        ({"search": "0%"}, [10]),
        ({"search": "_"}, []),
        ({"search": "\\"}, []),
        ({"search": "  "}, [20, 10, 30]),
        ({"search": "acme", "method": "DELETE", "status_min": 500}, [20]),
    ],
)
def test_filters_leave_out_the_rest(call_as, various, query, expected):
    assert found(call_as("owner"), **query) == expected


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("created_at", [30, 10, 20]),
        ("method", [20, 30, 10]),
        ("status", [30, 10, 20]),
        ("ip", [20, 30, 10]),
        ("latency_ms", [10, 20, 30]),
    ],
)
def test_entries_are_sorted_either_way(call_as, various, column, ascending):
    owner = call_as("owner")

    assert found(owner, sort_by=column, sort_order="ASC") == ascending
    assert found(owner, sort_by=column) == ascending[::-1]


@pytest.mark.parametrize(("column", "field"), [("user_email", "user_email"), ("path", "path")])
def test_texts_are_sorted_as_the_database_does(call_as, various, column, field):
    items = call_as("owner").get("/admin/audit-logs", sort_by=column, sort_order="ASC").json

    values = [it[field] for it in items["items"]]
    assert values == sorted(values, key=str.lower) or values == sorted(values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 501),
        ("offset", -1),
        ("method", "HEAD"),
        ("status_min", "x"),
        ("sort_by", "actor"),
        ("sort_order", "down"),
        ("search", "\x00"),
    ],
)
def test_what_is_wrong_is_said_by_field(call_as, field, value):
    response = call_as("owner").get("/admin/audit-logs", **{field: value})

    assert (response.status_code, list(response.json["fields"])) == (400, [field])


class TestPlaces:
    """Which entries are there for whom."""

    @pytest.fixture
    def spread(self, people, record):
        """Write an entry of the unit (1), of another (2), of none (3), and of others (4)."""
        sales = make_unit(people.organization, "Sales")
        record(1, latency_ms=1)
        record(2, latency_ms=2, unit_id=sales.unit_id)
        record(3, latency_ms=3, unit_id=None)
        record(4, latency_ms=4, org_id=people.stranger.member.org_id, unit_id=None)
        return sales

    def test_an_owner_sees_their_unit(self, call_as, spread):
        assert found(call_as("owner")) == [1]

    def test_an_admin_sees_the_active_unit_and_what_belongs_to_none(self, call_as, spread):
        admin = call_as("admin")
        assert found(admin) == [3, 1]

        admin.post("/org-units/active", {"ouId": str(spread.unit_id)})

        assert found(admin, sort_order="ASC", limit=2) == [2, 3]

    def test_an_admin_may_see_all_units(self, call_as, spread):
        assert found(call_as("admin"), all_units=True) == [3, 2, 1]

    def test_nobody_else_may(self, call_as, spread):
        response = call_as("owner").get("/admin/audit-logs", all_units=True)

        assert (response.status_code, response.json["code"]) == (403, "forbidden")

    def test_another_organisation_sees_its_own(self, call_as, spread):
        assert found(call_as("stranger"), all_units=True) == [4]

    @pytest.mark.parametrize("name", ["operator", "viewer"])
    def test_it_is_not_for_everybody(self, call_as, name):
        assert call_as(name).get("/admin/audit-logs").status_code == 403


def test_every_new_way_to_change_something_is_audited(call_as, people):
    admin = call_as("admin")
    member_id = people.viewer.member.org_member_id
    in_unit = f"/org-units/{people.unit.unit_id}/members/{member_id}"
    admin.put(in_unit, {"role": "Operator"})
    admin.delete(in_unit)
    admin.put(f"/members/{member_id}", {"first_name": "Vi"})
    admin.delete(f"/members/{member_id}")
    admin.delete(f"/members/{member_id}")

    items = admin.get("/audit-logs", user_email=people.admin.email).json["items"]

    assert [(it["method"], it["path"], it["status"]) for it in reversed(items)] == [
        ("PUT", in_unit, 200),
        ("DELETE", in_unit, 204),
        ("PUT", f"/members/{member_id}", 204),
        ("DELETE", f"/members/{member_id}", 204),
        ("DELETE", f"/members/{member_id}", 404),
    ]
    assert {it["via"] for it in items} == {"bearer"}


def test_a_sign_in_says_no_way_in_because_it_is_one(app, call_as, people):
    login = {"email": people.viewer.email, "password": "a wrong guess"}
    call_as("anybody").post("/auth/login", login)

    [item] = call_as("admin").get("/admin/audit-logs", search="/auth/login").json["items"]

    assert (item["user_email"], item["status"], item["via"]) == (people.viewer.email, 401, None)
