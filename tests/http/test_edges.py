"""What surrounds every request: its transaction, headers, id, errors, outages and static files."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest
from flask import Flask, request
from sqlalchemy import func, select, text

from leadvibe.http import headers, request_id
from leadvibe.identity.queries import find_organization
from leadvibe.lib import db, idle_connections
from tests.probes import ERRORS, is_leadvibe_error


class TestTransaction:
    def test_a_success_is_stored_and_then_has_its_effects(self, probe):
        assert probe.post("/probe/write?name=Stored").status_code == 200

        assert find_organization("Stored") is not None
        assert probe.application.config["effects"] == ["Stored"]

    def test_a_redirect_is_a_success(self, probe):
        probe.post("/probe/write?name=Stored&status=303")

        assert find_organization("Stored") is not None

    @pytest.mark.parametrize("how", ["status=400", "status=503", *(f"raise={e}" for e in ERRORS)])
    def test_a_failure_leaves_nothing_behind(self, probe, how):
        assert probe.post(f"/probe/write?name=Lost&{how}").status_code >= 400

        assert find_organization("Lost") is None
        assert probe.application.config["effects"] == []

    def test_a_commit_that_fails_is_not_answered_with_success(self, probe_app, fresh_database, app):
        with probe_app.app_context():
            db.session().execute(text(DEFERRED_REFUSAL))
            db.commit()
        try:
            answer = probe_app.test_client().post("/probe/write?name=Refused")
        finally:
            db.session().execute(text("DROP TRIGGER refuse ON organizations"))
            db.session().execute(text("DROP FUNCTION refuse"))
            db.commit()

        assert answer.status_code == 500
        assert find_organization("Refused") is None
        assert "inner detail" not in answer.text


DEFERRED_REFUSAL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'inner detail'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
"""


class TestErrors:
    @pytest.mark.parametrize("name", ERRORS)
    def test_json_errors_have_one_shape(self, probe, name):
        answer = probe.get(f"/probe/fail/{name}")

        assert answer.status_code >= 400
        assert {"error", "code", "request_id"} <= set(answer.json)
        assert set(answer.json) <= {"error", "code", "fields", "request_id"}
        assert answer.json["request_id"] == answer.headers[request_id.HEADER]
        assert answer.json["error"]

    @pytest.mark.parametrize("name", ERRORS)
    def test_pages_say_the_same_to_people(self, probe, name):
        page, json = (probe.get(f"{prefix}/fail/{name}") for prefix in ("/app/probe", "/probe"))

        assert page.status_code == json.status_code
        assert page.mimetype == "text/html"
        assert page.headers[request_id.HEADER] in page.text
        if is_leadvibe_error(name):
            assert json.json["error"] in page.text

    @pytest.mark.parametrize("path", ["/probe/fail/bug", "/app/probe/fail/bug"])
    def test_nothing_internal_reaches_a_client(self, probe, path):
        answer = probe.get(path)

        assert answer.status_code == 500
        assert "inner detail" not in answer.text
        assert "Traceback" not in answer.text

    @pytest.mark.parametrize("prefix", ["/probe", "/app/probe"])
    def test_a_throttled_answer_says_when_to_come_back(self, probe, prefix):
        answer = probe.get(f"{prefix}/fail/throttled")

        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")

    def test_fields_are_named(self, probe):
        assert probe.get("/probe/fail/field").json["fields"] == {"name": "Give a name."}

    def test_unknown_addresses_are_json_outside_the_pages(self, probe):
        assert probe.get("/nowhere").json["code"] == "not_found"
        assert probe.get("/app/nowhere").mimetype == "text/html"

    def test_a_wrong_method_says_which_are_right(self, probe):
        answer = probe.delete("/probe/who")

        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/probe/who", "/probe/fail/bug", "/app/login", "/nowhere", "/static/css/base.css"]
    )
    def test_every_answer_is_protected(self, probe, path):
        answer = probe.get(path)

        assert answer.headers["Content-Security-Policy"] == headers.CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")

    def test_the_policy_allows_no_inline_code_and_no_other_site(self):
        policy = headers.CONTENT_SECURITY_POLICY

        assert "unsafe" not in policy
        assert "*" not in policy
        assert "http" not in policy
        for source in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert source in policy

    def test_http_alone_is_not_declared_strict(self, client):
        assert "Strict-Transport-Security" not in client.get("/app/login").headers

    def test_answers_are_not_kept_by_shared_caches(self, probe):
        assert "private" in probe.get("/probe/who").headers["Cache-Control"]


class TestRequestId:
    def test_a_callers_id_comes_back(self, probe):
        answer = probe.get("/probe/who", headers={request_id.HEADER: "order-7.b_C"})

        assert answer.headers[request_id.HEADER] == "order-7.b_C"

    @pytest.mark.parametrize("given", ["", "with space", "x" * 65, "semi;colon", "ümlaut"])
    def test_an_id_that_could_trick_a_log_is_replaced(self, probe, given):
        answer = probe.get("/probe/who", headers={request_id.HEADER: given})

        assert answer.headers[request_id.HEADER] != given
        assert len(answer.headers[request_id.HEADER]) == 32

    def test_a_log_line_of_a_request_carries_its_id(self, probe, caplog):
        caplog.handler.addFilter(request_id.RequestIdFilter())

        probe.get("/probe/fail/bug", headers={request_id.HEADER: "order-7"})
        logging.getLogger("leadvibe").warning("between requests")

        ids = {record.message: record.request_id for record in caplog.records}
        assert ids["Exception on /probe/fail/bug [GET]"] == "order-7"
        assert ids["between requests"] == "-"


FORWARDED = {
    "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "leads.example.com",
}


class TestProxies:
    def test_a_trusted_proxy_tells_the_clients_address(self, probe):
        seen = probe.get("/probe/ip", headers=FORWARDED).json

        assert seen == {"ip": "203.0.113.9", "url": "https://leads.example.com/probe/ip"}

    def test_nobody_is_believed_by_default(self, app, make_app):
        direct = make_app()
        direct.add_url_rule("/probe/ip", view_func=lambda: {"ip": request.remote_addr})

        assert direct.test_client().get("/probe/ip", headers=FORWARDED).json == {"ip": "127.0.0.1"}


class TestAssets:
    def test_an_assets_address_changes_with_its_content_and_may_be_kept(self, client, app):
        with app.test_request_context():
            address = app.jinja_env.globals["asset"]("css/base.css")

        answer = client.get(address)

        assert "?v=" in address
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")

    @pytest.mark.parametrize("query", ["", "?v=", "?v=stale"])
    def test_an_address_of_other_content_is_asked_for_again(self, client, query):
        answer = client.get(f"/static/css/base.css{query}")

        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert (
            client.get(
                f"/static/css/base.css{query}", headers={"If-None-Match": answer.headers["ETag"]}
            ).status_code
            == 304
        )

    def test_vendored_files_carry_their_version_in_the_name(self, client):
        answer = client.get("/static/vendor/inter-5.3.0-latin.woff2")

        assert "immutable" in answer.headers["Cache-Control"]

    def test_files_outside_the_folder_are_not_served(self, client):
        assert client.get("/static/../pyproject.toml").status_code == 404


class TestOutages:
    def test_a_restart_of_the_database_is_not_noticed_once_it_is_back(
        self, probe_app, app, fresh_database, monkeypatch
    ):
        _end(_fill_pool(probe_app, connections=3))
        monkeypatch.setattr(idle_connections, "IDLE_SECONDS", 0)
        client = probe_app.test_client()

        statuses = [client.get("/app/login").status_code for _ in range(4)]

        assert statuses == [302, 302, 302, 302]

    def test_connections_dropped_between_two_uses_cost_one_answer_and_no_more(
        self, probe_app, app, fresh_database, monkeypatch
    ):
        monkeypatch.setattr(idle_connections, "IDLE_SECONDS", 3600)
        _end(_fill_pool(probe_app, connections=3))
        client = probe_app.test_client()

        statuses = [client.get("/app/login").status_code for _ in range(4)]

        assert statuses == [503, 302, 302, 302]

    def test_a_connection_that_dies_in_the_middle_is_replaced(self, probe_app, fresh_database):
        client = probe_app.test_client()

        assert client.get("/probe/break").status_code == 503
        assert client.get("/app/login").status_code == 302

    @pytest.mark.parametrize(("path", "kind"), [("/probe/who", "json"), ("/app/login", "html")])
    def test_without_a_database_the_answer_is_a_clear_503(self, make_app, path, kind):
        away = make_app(database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
        away.add_url_rule("/probe/who", view_func=lambda: {"is": str(find_organization("x"))})

        answer = away.test_client().get(path)

        assert answer.status_code == 503
        assert kind in answer.mimetype
        assert "127.0.0.1" not in answer.text


def _fill_pool(app: Flask, *, connections: int) -> list[int]:
    """Leave so many connections idle in the pool; returns the server's process of each."""
    with app.app_context(), ExitStack() as stack:
        opened = [stack.enter_context(db.db.engine.connect()) for _ in range(connections)]
        return [each.scalar(select(func.pg_backend_pid())) for each in opened]


def _end(processes: list[int]) -> None:
    """End connections by the server's process of each, and wait until they have gone."""
    for pid in processes:
        db.session().execute(select(func.pg_terminate_backend(pid, 5000)))
