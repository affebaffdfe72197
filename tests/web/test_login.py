"""Signing in and out, the first run, passwords and one-time links, as a browser sees them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from leadvibe.http.principal import ACTIVE_UNIT_COOKIE
from leadvibe.identity import member_links, queries, service, signing_in
from leadvibe.identity.types import OrgRole, UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from leadvibe.notifications.queries import list_link_mails
from leadvibe.web.redirects import local_path
from tests.factories import make_member, make_unit
from tests.people import PASSWORD

NEW_PASSWORD = "a wholly different one"
HOME = "/app/home"
ACCOUNT = "/app/account/password"
NAMES = ["admin", "owner", "operator", "viewer", "stranger"]


def _sign_in(browser, person, **fields):
    form = {"email": person.email, "password": PASSWORD, **fields}
    return browser.post("/app/login", form)


def _is_signed_in(browser) -> bool:
    return browser.get(ACCOUNT).status_code == 200


class TestSignIn:
    @pytest.mark.parametrize("name", NAMES)
    def test_everybody_signs_in_with_their_password(self, browse, people, name):
        browser = browse()

        answer = _sign_in(browser, people[name])

        assert (answer.status_code, answer.location) == (303, HOME)
        assert _is_signed_in(browser)

    def test_the_form_on_the_page_works_as_it_stands(self, client, people):
        page = client.get("/app/login")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]

        form = {"csrf_token": token, "email": people.viewer.email, "password": PASSWORD}

        assert client.post("/app/login", data=form).status_code == 303

    def test_a_wrong_password_says_so_and_keeps_the_address(self, browse, people):
        browser = browse()

        answer = _sign_in(browser, people.viewer, password="a wrong guess")

        assert answer.status_code == 401
        assert "password is wrong" in answer.text
        assert people.viewer.email in answer.text
        assert "a wrong guess" not in answer.text
        assert not _is_signed_in(browser)

    @pytest.mark.parametrize("missing", ["email", "password"])
    def test_a_missing_field_is_named(self, browse, people, missing):
        answer = _sign_in(browse(), people.viewer, **{missing: ""})

        assert answer.status_code == 400
        assert f'id="{missing}-error"' in answer.text

    def test_signing_in_begins_a_new_session(self, browse, people):
        browser = browse()
        with browser.client.session_transaction() as session:
            session["left_by"] = "somebody before"

        _sign_in(browser, people.viewer)

        with browser.client.session_transaction() as session:
            assert "left_by" not in session
            assert session.get("csrf_token") is None

    def test_without_the_pages_token_nobody_signs_in(self, browse, people):
        browser = browse()

        answer = browser.client.post(
            "/app/login", data={"email": people.viewer.email, "password": PASSWORD}
        )

        assert answer.status_code == 403
        assert "Reload the page" in answer.text

    def test_somebody_signed_in_is_led_on(self, browse, people):
        answer = browse(people.viewer).get("/app/login?next=/app/imports")

        assert (answer.status_code, answer.location) == (302, "/app/imports")

    def test_cookies_are_out_of_reach_of_scripts_and_other_sites(self, browse, people):
        cookie = _sign_in(browse(), people.viewer).headers["Set-Cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie

    def test_under_https_cookies_are_secure(self, app, make_app, people):
        client = make_app(public_url="https://leads.example.com").test_client()

        assert "Secure" in client.get("/app/login").headers["Set-Cookie"]

    def test_too_many_failures_say_when_to_come_back(self, browse, people, fresh_database):
        for _ in range(5):
            assert _sign_in(browse(), people.viewer, password="a wrong guess").status_code == 401

        answer = _sign_in(browse(), people.viewer)

        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 2
        assert "try again in" in answer.text


class TestWhereTo:
    def test_a_page_leads_through_the_sign_in_and_back(self, browse, people):
        browser = browse()

        refused = browser.get("/app/account/password?from=mail")
        assert refused.status_code == 302
        login = browser.get(refused.location)
        after = re.search(r'name="next" value="([^"]+)"', login.text)[1]

        assert _sign_in(browser, people.viewer, next=after).location == (
            "/app/account/password?from=mail"
        )

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "app/leads",
            "/\n",
            "",
        ],
    )
    def test_nobody_is_led_to_another_site(self, browse, people, elsewhere):
        assert _sign_in(browse(), people.viewer, next=elsewhere).location == HOME

    def test_paths_of_ours_are_kept_whole(self):
        assert local_path("/app/leads?q=a%2Fb&page=2#top") == "/app/leads?q=a%2Fb&page=2#top"

    def test_htmx_is_told_to_load_the_sign_in_rather_than_put_it_into_a_fragment(self, client):
        answer = client.get(
            ACCOUNT,
            headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/app/leads?page=2"},
        )

        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/app/login?next=%2Fapp%2Fleads%3Fpage%3D2"

    def test_the_front_door_leads_to_the_leads(self, browse, people):
        assert browse(people.viewer).get("/app/").location == HOME


class TestSignOut:
    def test_signing_out_forgets_who_it_was(self, browse, people):
        browser = browse(people.viewer)

        answer = browser.post("/app/logout")

        assert (answer.status_code, answer.location) == (303, "/app/login")
        assert not _is_signed_in(browser)

    def test_a_link_cannot_sign_anybody_out(self, browse, people):
        browser = browse(people.viewer)

        assert browser.get("/app/logout").status_code == 405
        assert browser.client.post("/app/logout").status_code == 403
        assert _is_signed_in(browser)


FIRST_RUN = {
    "organization": "Acme",
    "name": "Ana Maria Silva",
    "email": "ana@acme.test",
    "password": PASSWORD,
}


class TestFirstRun:
    def test_before_there_is_a_member_everything_leads_to_the_first_run(self, client):
        assert client.get("/app/login").location == "/app/setup"
        assert client.get("/setup?token=abc").location == "/app/setup?token=abc"

    def test_the_address_from_the_log_fills_in_the_token(self, client, security):
        page = client.get(f"/app/setup?token={security.setup_token}")

        assert page.status_code == 200
        assert f'value="{security.setup_token}"' in page.text

    def test_setting_up_signs_the_first_admin_in(self, browse, security):
        browser = browse()

        answer = browser.post("/app/setup", {**FIRST_RUN, "token": security.setup_token})

        assert (answer.status_code, answer.location) == (303, HOME)
        assert _is_signed_in(browser)
        member = queries.find_member_by_email("ana@acme.test")
        assert (member.first_name, member.last_name) == ("Ana Maria", "Silva")
        assert member.role is OrgRole.ADMIN

    def test_a_wrong_token_makes_nothing(self, browse):
        answer = browse().post("/app/setup", {**FIRST_RUN, "token": "guessed"})

        assert answer.status_code == 403
        assert "log" in answer.text
        assert not queries.has_members()

    @pytest.mark.parametrize(
        ("field", "value"),
        [("password", "short"), ("email", "nonsense"), ("organization", ""), ("name", "")],
    )
    def test_what_is_wrong_stands_at_its_field(self, browse, security, field, value):
        form = {**FIRST_RUN, "token": security.setup_token, field: value}

        answer = browse().post("/app/setup", form)

        assert answer.status_code == 400
        assert f'id="{field}-error"' in answer.text
        assert not queries.has_members()

    def test_afterwards_it_is_closed(self, browse, people, security):
        form = {**FIRST_RUN, "token": security.setup_token}

        assert browse().get("/app/setup").location == "/app/login"
        assert browse().post("/app/setup", form).location == "/app/login"
        assert queries.find_member_by_email("ana@acme.test") is None


class TestPasswords:
    def _change(self, browser, **fields):
        form = {
            "current_password": PASSWORD,
            "password": NEW_PASSWORD,
            "confirmation": NEW_PASSWORD,
            **fields,
        }
        return browser.post(ACCOUNT, form)

    @pytest.mark.parametrize("name", NAMES)
    def test_everybody_changes_their_own(self, browse, people, name):
        browser = browse(people[name])

        assert self._change(browser).status_code == 303
        assert _is_signed_in(browser)
        assert _sign_in(browse(), people[name], password=NEW_PASSWORD).status_code == 303
        assert _sign_in(browse(), people[name]).status_code == 401

    def test_every_other_session_ends(self, browse, people):
        here, there = browse(people.viewer), browse(people.viewer)
        assert _is_signed_in(there)

        self._change(here)

        assert not _is_signed_in(there)

    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({"current_password": "a wrong guess"}, "current_password"),
            ({"password": "short", "confirmation": "short"}, "password"),
            ({"confirmation": "something else"}, "confirmation"),
        ],
    )
    def test_what_is_wrong_stands_at_its_field(self, browse, people, fields, where):
        browser = browse(people.viewer)

        answer = self._change(browser, **fields)

        assert answer.status_code == 400
        assert f'id="{where}-error"' in answer.text
        assert _is_signed_in(browser)

    def test_nobody_else_sees_the_page(self, client):
        assert client.get(ACCOUNT).location.startswith("/app/login?next=")

    def test_password_managers_find_the_page(self, client):
        assert client.get("/.well-known/change-password").location == ACCOUNT


class TestLinks:
    def _reset(self, browser, token, **fields):
        form = {"password": NEW_PASSWORD, "confirmation": NEW_PASSWORD, **fields}
        return browser.post(f"/app/reset/{token}", form)

    @pytest.fixture
    def link(self, people):
        made = member_links.create_reset_link(people.viewer.member, now=utc_now())
        commit()
        return made

    def test_a_reset_link_sets_a_new_password_and_signs_in(self, browse, people, link):
        browser = browse()
        assert people.viewer.email in browser.get(f"/app/reset/{link.token}").text

        assert self._reset(browser, link.token).status_code == 303

        assert _is_signed_in(browser)
        assert _sign_in(browse(), people.viewer, password=NEW_PASSWORD).status_code == 303

    def test_a_weak_password_leaves_the_link_good(self, browse, link):
        browser = browse()

        assert self._reset(browser, link.token, password="x", confirmation="x").status_code == 400
        assert self._reset(browser, link.token).status_code == 303

    def test_a_spent_or_made_up_link_says_so(self, browse, link):
        self._reset(browse(), link.token)

        for token in (link.token, "made-up"):
            for answer in (browse().get(f"/app/reset/{token}"), self._reset(browse(), token)):
                assert answer.status_code == 410
                assert "expired or was used" in answer.text

    def test_an_old_link_has_expired(self, browse, people):
        link = member_links.create_reset_link(
            people.viewer.member, now=utc_now() - timedelta(hours=1, seconds=1)
        )

        assert browse().get(f"/app/reset/{link.token}").status_code == 410

    def test_an_invitation_is_taken_with_a_name_and_a_password(self, browse, people, security):
        member = make_member(people.organization, "new@acme.test", security=security)
        service.set_membership(
            people.scope, member.org_member_id, role=UnitRole.VIEWER, now=utc_now()
        )
        link = member_links.invite(member, now=utc_now())
        browser = browse()
        assert people.organization.name in browser.get(f"/app/invitation/{link.token}").text

        answer = browser.post(
            f"/app/invitation/{link.token}", {"name": "Nina Ek", "password": NEW_PASSWORD}
        )

        assert answer.status_code == 303
        assert _is_signed_in(browser)
        assert queries.get_member(member.org_member_id).name == "Nina Ek"
        assert browse().get(f"/app/invitation/{link.token}").status_code == 410

    def test_pages_of_links_tell_no_other_site_where_they_were(self, browse, link):
        answer = browse().get(f"/app/reset/{link.token}")

        assert answer.headers["Referrer-Policy"] == "same-origin"


class TestForgotten:
    def test_without_a_mail_server_the_page_says_whom_to_ask(self, browse, people):
        page = browse().get("/app/forgot")
        sent = browse().post("/app/forgot", {"email": people.viewer.email})

        assert "administrator" in page.text
        assert "/app/reset/" not in sent.text
        assert list_link_mails(people.organization.org_id) == {}


class TestUnits:
    def _switch(self, browser, unit, **fields):
        return browser.post("/app/unit", {"unit_id": str(unit.unit_id), **fields})

    def test_a_member_of_two_units_works_in_the_chosen_one(self, browse, people):
        sales = make_unit(people.organization, "Sales")
        service.set_membership(
            sales.scope, people.viewer.member.org_member_id, role=UnitRole.OWNER, now=utc_now()
        )
        browser = browse(people.viewer)

        answer = self._switch(browser, sales, next="/app/imports")

        assert (answer.status_code, answer.location) == (303, "/app/imports")
        assert answer.headers["X-OU-Id"] == str(sales.unit_id)
        assert answer.headers["X-OU-Role"] == "Owner"
        assert browser.client.get_cookie(ACTIVE_UNIT_COOKIE).value == str(sales.unit_id)
        assert re.search(r'aria-current="true"[^>]*><span[^>]*>Sales', browser.get(ACCOUNT).text)

    def test_units_of_others_are_refused(self, browse, people):
        hidden = make_unit(people.organization, "Hidden")
        browser = browse(people.viewer)

        assert self._switch(browser, hidden).status_code == 403
        assert self._switch(browser, people.stranger.unit).status_code == 404
        assert browser.post("/app/unit", {"unit_id": "nonsense"}).status_code == 404
        assert browser.client.get_cookie(ACTIVE_UNIT_COOKIE) is None

    def test_a_name_beyond_ascii_travels_in_a_header(self, browse, people):
        unit = make_unit(people.organization, "Zürich 東京")

        answer = self._switch(browse(people.admin), unit)

        assert answer.headers["X-OU-Name"] == "Z%C3%BCrich%20%E6%9D%B1%E4%BA%AC"


def test_a_session_ends_with_its_member(browse, people, security):
    tokens = signing_in.issue_tokens(people.viewer.member, security=security, now=utc_now())
    browser = browse(people.viewer)

    session().execute(
        text("DELETE FROM members WHERE org_member_id = :id"),
        {"id": people.viewer.member.org_member_id},
    )

    assert not _is_signed_in(browser)
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    assert browser.client.get(ACCOUNT, headers=headers).status_code == 302
