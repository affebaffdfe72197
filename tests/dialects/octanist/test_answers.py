"""What every answer of the Octanist API has in common, and who gets one."""

from __future__ import annotations

import logging
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from leadvibe.dialects.octanist import leads
from leadvibe.http import rate_limits
from leadvibe.identity.api_keys import KeyKind, delete_api_key
from leadvibe.identity.types import KeyBy, LimitMode, Rate, RequestLimit
from leadvibe.lib.db import commit, driver
from tests.dialects.conftest import Program
from tests.people import basic

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
REQUEST_ID = re.compile(r"req_[0-9a-f]{12}")
EVERYTHING = [
    ("POST", "/api/check"), ("GET", "/api/leads"), ("GET", "/api/leads/x"), ("POST", "/api/leads"),
    ("PATCH", "/api/leads"), ("POST", "/api/stats"), ("POST", "/api/ad-spend"),
    ("PUT", "/api/ad-spend/rows"),
]  # fmt: skip
REFUSED = "Invalid or missing API key"


def masked(response):
    """Return the text of an answer without what differs each time."""
    return TIME.sub("<time>", REQUEST_ID.sub("<id>", response.text))


class TestForm:
    def test_a_good_key_is_told_so_without_an_envelope(self, octanist):
        assert octanist.send("POST", "/api/check").text == '{"success":true}'

    def test_an_empty_list_is_the_documented_one(self, octanist):
        assert masked(octanist.get("/api/leads", "limit=50")) == (
            '{"success":true,"data":[],"meta":{"pagination":{"limit":50,"page":1,"totalPages":0,'
            '"total":0,"hasMore":false},"requestId":"<id>","timestamp":"<time>"}}'
        )

    def test_an_error_is_the_documented_one(self, octanist):
        refused = octanist.get("/api/leads", "limit=0")

        assert masked(refused) == (
            '{"success":false,"error":{"code":"VALIDATION_ERROR","message":"limit must be a whole'
            ' number from 1 to 100.","details":{"limit":"must be a whole number from 1 to 100"}},'
            '"meta":{"requestId":"<id>","timestamp":"<time>"}}'
        )
        assert refused.mimetype == "application/json"

    def test_the_request_id_is_in_the_header_and_the_log_as_well(self, octanist, monkeypatch):
        seen = []

        def break_down(*_args, **_kwargs):
            record = logging.LogRecord("x", 20, "x", 1, "x", None, None)
            for handler in logging.getLogger().handlers:
                for each in handler.filters:
                    each.filter(record)
            seen.append(getattr(record, "request_id", None))
            raise ZeroDivisionError

        monkeypatch.setattr(leads, "list_records", break_down)
        broken = octanist.get("/api/leads")

        assert (broken.status_code, broken.json["error"]["code"]) == (500, "INTERNAL_ERROR")
        assert REQUEST_ID.fullmatch(broken.json["meta"]["requestId"])
        assert broken.headers["X-Request-Id"] == broken.json["meta"]["requestId"] == seen[0]
        assert "ZeroDivision" not in broken.text

    def test_clients_may_name_their_requests_in_the_same_form(self, octanist):
        def named(name):
            answer = octanist.send("GET", "/api/leads", headers={"X-Request-Id": name})
            return answer.json["meta"]["requestId"]

        assert named("req_0123456789ab") == "req_0123456789ab"
        assert REQUEST_ID.fullmatch(named("mine"))

    @pytest.mark.parametrize(
        ("sent", "options", "status", "code"),
        [
            ("GET /api", {}, 404, "NOT_FOUND"),
            ("GET /api/nothing", {}, 404, "NOT_FOUND"),
            ("GET /api/leads/", {}, 404, "NOT_FOUND"),
            ("DELETE /api/leads", {}, 405, "VALIDATION_ERROR"),
            ("PATCH /api/leads/x", {}, 405, "VALIDATION_ERROR"),
            ("POST /api/leads", {"data": "{", "content_type": "application/json"}, 400,
             "VALIDATION_ERROR"),
            ("POST /api/leads", {}, 400, "VALIDATION_ERROR"),
            ("POST /api/leads", {"data": "a=1"}, 415, "VALIDATION_ERROR"),
            ("POST /api/leads", {"json": {"custom": "x" * 2**20}}, 413, "VALIDATION_ERROR"),
            ("POST /api/leads", {"json": {"custom": "x" * 200_000}}, 400, "VALIDATION_ERROR"),
        ],
    )  # fmt: skip
    def test_whatever_goes_wrong_has_the_form(self, octanist, sent, options, status, code):
        refused = octanist.send(*sent.split(), **options)

        assert refused.status_code == status
        assert refused.json["success"] is False
        assert refused.json["error"]["code"] == code
        assert set(refused.json["error"]) == {"code", "message", "details"}
        assert set(refused.json["meta"]) == {"requestId", "timestamp"}

    def test_what_lies_below_v1_has_another_form(self, octanist):
        assert "meta" not in octanist.get("/api/v1/nothing").json

    def test_a_wrong_method_says_which_are_right(self, octanist):
        assert "PATCH" in octanist.send("DELETE", "/api/leads").headers["Allow"]

    def test_too_many_requests_are_told_when_to_come_back(self, octanist, monkeypatch):
        limit = RequestLimit(LimitMode.ENFORCE, KeyBy.CLIENT, Rate(1, 1))
        monkeypatch.setattr(rate_limits.limiter(), "limit", limit)

        answers = [octanist.get("/api/leads") for _ in range(2)]

        assert [it.status_code for it in answers] == [200, 429]
        assert answers[1].json["error"]["code"] == "RATE_LIMITED"
        assert int(answers[1].headers["Retry-After"]) >= 1


class TestWhoMayCome:
    @pytest.fixture
    def strangers(self, program, people, make_key, browse):
        """Everybody who has a key to something else, or none."""
        gone = make_key(KeyKind.OCTANIST)
        delete_api_key(people.scope, gone.key.key_id)
        commit()
        nexus, good = make_key(KeyKind.NEXUS).text, make_key(KeyKind.OCTANIST).text
        return [
            program(),
            program(X_API_KEY=""),
            program(X_API_KEY="oct_aaaaaaaa_" + "a" * 32),
            program(X_API_KEY=good[:-1] + ("a" if good[-1] != "a" else "b")),
            program(X_API_KEY=gone.text),
            program(X_API_KEY=nexus),
            program(X_API_KEY=make_key(KeyKind.WORDPRESS).text),
            program(Authorization=f"Bearer {good}"),
            program(**basic(people.credential)),
            program(**people.owner.bearer),
            Program(browse(people.owner).client, {}),
        ]

    @pytest.mark.parametrize(("method", "path"), EVERYTHING)
    def test_without_a_good_key_nobody_does(self, strangers, method, path):
        for stranger in strangers:
            answer = stranger.send(method, path, json={})
            assert answer.status_code == 401
            if path == "/api/check":
                assert answer.json == {"error": REFUSED}
            else:
                assert answer.json["error"] == {
                    "code": "UNAUTHORIZED", "message": REFUSED, "details": {},
                }  # fmt: skip

    def test_a_key_opens_neither_our_api_nor_another_unit(
        self, octanist, foreign_octanist, add, program
    ):
        lead_id = add("Ann", email="ann@x.test")
        key = octanist.headers["X-API-KEY"]

        assert program(X_API_KEY=key).get("/leads").status_code == 401
        assert program(Authorization=f"Bearer {key}").get("/leads").status_code == 401
        assert foreign_octanist.get("/api/leads").json["data"] == []
        assert foreign_octanist.get(f"/api/leads/{lead_id}").status_code == 404
        for named in ({"id": lead_id}, {"email": "ann@x.test"}):
            body = {**named, "status": "won"}
            assert foreign_octanist.patch("/api/leads", body).status_code == 404

    def test_an_archived_unit_is_forbidden(self, octanist, world):
        driver().execute(
            "UPDATE units SET archived_at = now() WHERE unit_id = %s", (world.scope.unit_id,)
        )
        commit()

        refused = octanist.get("/api/leads")

        assert (refused.status_code, refused.json["error"]["code"]) == (403, "FORBIDDEN")


class TestAudit:
    def test_writes_are_audited_and_reads_are_not(self, octanist, add, world):
        add("Ann", value=1)
        for path in ("/api/check", "/api/stats"):
            assert octanist.post(path, {}).status_code == 200

        statement = "SELECT method, path, actor FROM audit_log ORDER BY created_at"
        rows = driver().execute(statement).fetchall()
        key = octanist.headers["X-API-KEY"]
        assert rows == [
            ("POST", "/api/leads", key[:12]), ("PATCH", "/api/leads", key[:12]),
        ]  # fmt: skip


class TestDocument:
    def test_it_is_valid_and_describes_every_route(self, program, shared_app):
        document = program().get("/api/openapi.json").json

        validate(document)
        described = {
            (method.upper(), re.sub(r"{\w+}", "", path))
            for path, methods in document["paths"].items()
            for method in methods
        }
        routed = {
            (method, re.sub(r"<[^>]*>", "", rule.rule))
            for rule in shared_app.url_map.iter_rules()
            if rule.endpoint.startswith("octanist.") and rule.endpoint != "octanist.document"
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
        assert described == routed

    def test_answers_are_as_it_says(self, octanist, add):
        document = octanist.get("/api/openapi.json").json
        lead_id = add("Ann", email="ann@x.test", value=5, status="lost")
        spent = {"startDate": "2026-03-01", "endDate": "2026-03-31"}
        row = {"date": "2026-03-01", "platform": "google", "spend": 1}
        answers = [
            ("post", "/api/check", octanist.send("POST", "/api/check")),
            ("get", "/api/leads", octanist.get("/api/leads")),
            ("get", "/api/leads", octanist.get("/api/leads", "foo=1")),
            ("get", "/api/leads/{id}", octanist.get(f"/api/leads/{lead_id}")),
            ("get", "/api/leads/{id}", octanist.get("/api/leads/none")),
            ("post", "/api/leads", octanist.post("/api/leads", {"name": "Bo"})),
            ("patch", "/api/leads", octanist.patch("/api/leads", {"id": lead_id, "value": 1})),
            ("post", "/api/stats", octanist.post("/api/stats", {})),
            ("put", "/api/ad-spend/rows",
             octanist.send("PUT", "/api/ad-spend/rows", json={"rows": [row]})),
            ("post", "/api/ad-spend", octanist.post("/api/ad-spend", spent)),
        ]  # fmt: skip

        for method, path, answer in answers:
            responses = document["paths"][path][method]["responses"]
            schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
            rooted = {**schema, "components": document["components"]}
            Draft202012Validator(rooted).validate(answer.json)

    def test_it_is_linked_from_the_reference(self, program):
        assert 'href="/api/openapi.json"' in program().get("/docs").text
