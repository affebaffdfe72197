"""One row for each request that writes and each sign-in, whether it succeeded or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.audit import service
from leadvibe.audit.queries import list_entries
from leadvibe.audit.types import Entry
from leadvibe.identity import member_links
from leadvibe.jobs import schedule
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.conftest import Browser
from tests.people import PASSWORD, basic

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)


def _entries(organization):
    return list_entries(organization.org_id if organization else None, limit=50)


def test_entries_come_back_the_latest_first_and_of_one_organisation(people):
    def entry(organization, minute):
        return Entry(
            created_at=NOW + timedelta(minutes=minute),
            actor="anna@acme.test",
            method="POST",
            path="/leads",
            status=201,
            latency_ms=3,
            org_id=organization.org_id,
        )

    made = [entry(people.organization, minute) for minute in range(3)]
    for each in made:
        service.record(each)

    assert list_entries(people.organization.org_id, limit=2) == made[:0:-1]
    assert list_entries(people.organization.org_id, limit=2, offset=2) == made[:1]
    assert list_entries(people.stranger.member.org_id, limit=10) == []


class TestRequests:
    @pytest.mark.parametrize("status", [200, 201, 303])
    def test_a_write_leaves_one_entry(self, probe, people, status):
        headers = people.operator.bearer | {"X-Request-Id": "order-7"}

        probe.post(f"/probe/write?name=Sales&status={status}", headers=headers)

        [entry] = _entries(people.organization)
        assert (entry.actor, entry.method, entry.path) == (
            people.operator.email,
            "POST",
            "/probe/write",
        )
        assert (entry.status, entry.request_id) == (status, "order-7")
        assert (entry.unit_id, entry.ip) == (people.unit.unit_id, "127.0.0.1")
        assert utc_now() - entry.created_at < timedelta(minutes=1)
        assert entry.latency_ms >= 0

    @pytest.mark.parametrize(
        ("how", "status"),
        [("status=404", 404), ("raise=conflict", 409), ("raise=bug", 500), ("raise=outage", 503)],
    )
    def test_a_failed_write_leaves_one_as_well(self, probe, people, how, status):
        probe.post(f"/probe/write?name=Sales&{how}", headers=people.operator.bearer)

        assert [entry.status for entry in _entries(people.organization)] == [status]

    def test_credentials_are_named_by_their_client_id(self, probe, people):
        probe.delete("/probe/write?name=Sales", headers=basic(people.credential))

        [entry] = _entries(people.organization)
        assert (entry.actor, entry.method) == (people.credential.credential.client_id, "DELETE")

    def test_a_refused_write_of_nobody_is_kept_too(self, probe, people):
        probe.post("/probe/write?name=x", headers={"Authorization": "Bearer rubbish"})

        [entry] = _entries(None)
        assert (entry.actor, entry.status) == ("", 401)

    def test_reading_leaves_nothing(self, probe, people):
        probe.get("/probe/write?name=Sales", headers=people.operator.bearer)

        assert _entries(people.organization) == []

    def test_the_query_string_is_not_kept(self, probe, people):
        probe.post("/probe/write?name=a-secret-in-the-query", headers=people.operator.bearer)

        assert "secret" not in repr(_entries(people.organization))

    def test_the_secret_of_a_link_is_not_kept(self, probe, people):
        probe.post("/probe/secret/s3cr3t?name=Sales", headers=people.operator.bearer)

        assert [entry.path for entry in _entries(people.organization)] == ["/probe/secret/…"]

    def test_a_path_that_no_database_can_store_is_kept_readable(self, probe, people):
        probe.post("/probe/write/no%00thing%0A?name=Sales", headers=people.operator.bearer)

        assert [entry.path for entry in _entries(people.organization)] == ["/probe/write/nothing"]

    def test_an_address_that_is_not_ours_leaves_nothing(self, probe, people):
        probe.post("/wp-login.php", headers=people.operator.bearer)

        assert _entries(people.organization) == _entries(None) == []

    @pytest.mark.parametrize("path", ["/ingest", "/ingest/batch"])
    def test_the_intake_of_events_leaves_nothing(self, client, people, path):
        client.post(path, headers=basic(people.credential), json={})
        client.post(path, headers={"Authorization": "Bearer rubbish"}, json={})

        assert _entries(people.organization) == _entries(None) == []

    def test_an_audit_that_fails_does_not_undo_what_was_done(self, probe, people, monkeypatch):
        headers = people.operator.bearer

        def fail(_entry):
            raise RuntimeError("the audit is full")

        monkeypatch.setattr(service, "record", fail)
        answer = probe.post("/probe/write?name=Done", headers=headers)

        assert answer.status_code == 200
        assert probe.application.config["effects"] == ["Done"]


class TestSignIns:
    def _sign_in(self, browse, email, password):
        return browse().post("/app/login", {"email": email, "password": password}).status_code

    def test_a_sign_in_is_kept_with_the_member(self, browse, people):
        assert self._sign_in(browse, people.viewer.email, PASSWORD) == 303

        [entry] = _entries(people.organization)
        assert (entry.actor, entry.path, entry.status) == (people.viewer.email, "/app/login", 303)

    def test_a_failed_one_is_shown_to_the_members_organisation(self, browse, people):
        assert self._sign_in(browse, people.viewer.email, "a wrong guess") == 401

        [entry] = _entries(people.organization)
        assert (entry.actor, entry.status) == (people.viewer.email, 401)
        assert "a wrong guess" not in repr(entry)

    def test_one_of_an_unknown_address_belongs_to_nobody(self, browse, people):
        self._sign_in(browse, "nobody@acme.test", "a wrong guess")

        assert [entry.actor for entry in _entries(None)] == ["nobody@acme.test"]

    def test_signing_out_says_who(self, browse, people):
        browse(people.viewer).post("/app/logout")

        assert [entry.actor for entry in _entries(people.organization)] == [people.viewer.email]


def test_a_reset_leaves_no_token_behind(browse, people, security):
    link = member_links.create_reset_link(people.viewer.member, now=utc_now())
    commit()

    form = {"password": "another password", "confirmation": "another password"}
    assert browse().post(f"/app/reset/{link.token}", form).status_code == 303

    assert [entry.path for entry in _entries(people.organization)] == ["/app/reset/…"]


def test_a_browser_without_its_token_is_kept_as_a_failure(probe, people):
    Browser(probe, people.viewer).client.post("/probe/write?name=Sales")

    assert [entry.status for entry in _entries(people.organization)] == [403]


class TestRetention:
    @pytest.fixture
    def record(self, people):
        def make(age_days):
            entry = Entry(
                created_at=NOW - timedelta(days=age_days),
                actor="anna@acme.test",
                method="POST",
                path="/leads",
                status=201,
                latency_ms=age_days,
                org_id=people.organization.org_id,
            )
            service.record(entry)

        return make

    def test_the_oldest_go_first_and_no_more_than_asked(self, people, record):
        for age_days in (400, 10, 500, 366):
            record(age_days)

        before = NOW - timedelta(days=365)

        assert service.forget_entries(before=before, limit=2) == 2
        assert [it.latency_ms for it in _entries(people.organization)] == [10, 366]
        assert service.forget_entries(before=before, limit=2) == 1
        assert service.forget_entries(before=before, limit=2) == 0

    def test_the_schedule_keeps_entries_for_as_long_as_it_is_set(
        self, app, people, record, monkeypatch
    ):
        monkeypatch.setitem(app.config, "AUDIT_RETENTION_DAYS", 30)
        monkeypatch.setattr(schedule, "AUDIT_BATCH_SIZE", 1)
        for age_days in (40, 31, 29):
            record(age_days)

        schedule.forget_old_audit(NOW)

        assert [it.latency_ms for it in _entries(people.organization)] == [29]

    def test_what_it_does_in_one_go_is_bounded(self, people, record, monkeypatch):
        monkeypatch.setattr(schedule, "AUDIT_BATCH_SIZE", 2)
        monkeypatch.setattr(schedule, "AUDIT_BATCHES", 1)
        for _ in range(3):
            record(400)

        schedule.forget_old_audit(NOW)

        assert len(_entries(people.organization)) == 1
