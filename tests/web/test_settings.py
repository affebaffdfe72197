"""Settings on their pages: organisation and units, members, tokens, usage and the audit log."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from leadvibe.identity import queries
from leadvibe.lib.clock import utc_now
from tests.people import basic
from tests.web.pages import links_in

SETTINGS = "/app/settings"
AUDIT = f"{SETTINGS}/audit"
TOKENS = "/app/account/tokens"
PAGES = (SETTINGS, f"{SETTINGS}/usage", TOKENS)


@pytest.fixture
def admin(browse, people):
    return browse(people.admin)


@pytest.mark.parametrize("path", PAGES)
def test_everybody_in_the_unit_sees_them_and_nobody_else(browse, people, path):
    assert browse(people.viewer).get(path).status_code == 200
    assert "/app/login" in browse(None).get(path).location


def test_an_admin_renames_the_organisation_and_keeps_its_units(admin, people):
    admin.post(f"{SETTINGS}/organisation", {"name": "Acme Ltd"})
    admin.post(f"{SETTINGS}/units", {"name": "EMEA"})
    [unit] = [it for it in people_units(people) if it.name == "EMEA"]
    admin.post(f"{SETTINGS}/units/{unit.unit_id}", {"name": "Europe"})
    page = admin.get(SETTINGS).text

    assert 'value="Acme Ltd"' in page
    assert 'value="Europe"' in page
    assert admin.post(f"{SETTINGS}/units", {"name": " "}).status_code == 422
    assert admin.post(f"{SETTINGS}/organisation", {"name": ""}).status_code == 422


def people_units(people):
    account = queries.find_account(
        people.admin.member.org_member_id, session_epoch=people.admin.member.session_epoch
    )
    return account.units


def test_others_are_offered_nothing_that_they_may_not_do(browse, people):
    owner = browse(people.owner)

    assert f'action="{SETTINGS}/' not in owner.get(SETTINGS).text
    assert owner.post(f"{SETTINGS}/organisation", {"name": "X"}).status_code == 403
    assert owner.post(f"{SETTINGS}/units", {"name": "X"}).status_code == 403
    assert owner.get(f"/app/members/{people.viewer.member.org_member_id}").status_code == 403
    assert browse(people.operator).get(AUDIT).status_code == 403


def test_another_organisations_unit_is_not_found(admin, people):
    other = queries.get_default_unit(people.stranger.scope.org_id).unit_id

    assert admin.post(f"{SETTINGS}/units/{other}", {"name": "X"}).status_code == 404


def test_a_token_is_shown_once_works_and_is_revoked(browse, people):
    browser = browse(people.viewer)
    made = browser.post(TOKENS, {"name": "Report", "days": "30"})
    token = re.search(r'id="new-token">(lv_pat_[^<]+)<', made.text)[1]
    again = browser.get(TOKENS).text
    [revoke] = re.findall(rf'action="({TOKENS}/[^"]+/delete)"', again)

    assert made.headers["Cache-Control"] == "no-store"
    assert token not in again
    assert "Report" in again
    assert browser.post(TOKENS, {"name": ""}).status_code == 422
    assert browse(people.admin).post(revoke).status_code == 404
    assert browser.post(revoke).status_code == 303
    assert "No tokens yet" in browser.get(TOKENS).text


def test_other_sessions_end_and_this_one_goes_on(browse, people):
    here, there = browse(people.viewer), browse(people.viewer)

    assert here.post("/app/account/sessions").status_code == 303
    assert here.get(TOKENS).status_code == 200
    assert "/app/login" in there.get(TOKENS).location


def test_roles_are_changed_and_members_removed(admin, people):
    path = f"/app/members/{people.viewer.member.org_member_id}"
    assert '<option value="viewer" selected>' in admin.get(path).text

    for role in ("operator", "owner", "admin", "none", "viewer"):
        admin.post(f"{path}/role", {"role": role})
        assert f'<option value="{role}" selected>' in admin.get(path).text
    assert admin.post(f"{path}/role", {"role": "king"}).status_code == 400
    assert admin.post(f"{path}/delete").location == "/app/members"
    assert admin.get(path).status_code == 404


def test_the_last_admin_stays(admin, people):
    path = f"/app/members/{people.admin.member.org_member_id}"

    admin.post(f"{path}/role", {"role": "viewer"})
    admin.post(f"{path}/delete")

    assert '<option value="admin" selected>' in admin.get(path).text
    assert 'popovertarget="remove-member"' not in admin.get(path).text


def test_a_stranger_to_the_organisation_is_not_found(admin, people):
    assert admin.get(f"/app/members/{people.stranger.member.org_member_id}").status_code == 404


def audit(**params):
    return f"{AUDIT}?{urlencode(params)}"


def sentences(page):
    found = re.findall(r"<p><b>(.*?)</p>", page)
    return [re.sub(r"<[^>]+>", "", it).strip() for it in found]


def test_changes_are_told_in_sentences_with_before_and_after(admin, world):
    rule = world.add_rule("page_view", 5)
    admin.post(TOKENS, {"name": "Report"})
    admin.post(f"{SETTINGS}/organisation", {"name": "Acme Ltd"})
    page = admin.get(AUDIT).text

    assert [it for it in sentences(page) if "renamed the organisation" in it]
    assert [it for it in sentences(page) if "made a personal access token" in it]
    assert "changed scoring: " in page
    assert "Before and after" in page
    assert rule.event_type in page


def test_the_audit_is_filtered_and_paged(admin, world):
    for number in range(45):
        admin.post(TOKENS, {"name": f"Token {number}"})
    world.add_rule("page_view", 5)
    first = admin.get(audit(kind="Access")).text
    [older] = links_in(first, "before=")
    second = admin.get(older).text
    tomorrow = (utc_now() + timedelta(days=1)).date().isoformat()

    assert len(sentences(first)) == 40
    assert sentences(second)[:5] == sentences(first)[:5]
    assert "changed scoring" not in first
    assert "Nothing matches" in admin.get(audit(day=tomorrow)).text
    assert admin.get(audit(day="x", kind="y", before="z")).status_code == 200
    assert "changed scoring" in admin.get(audit(kind="Scoring")).text
    requests = admin.get(audit(view="requests")).text
    assert "POST /app/account/tokens" in requests
    assert admin.get(links_in(requests, "before=")[0]).status_code == 200


def test_the_audit_is_exported(admin, world):
    world.add_rule("page_view", 5)
    admin.post(TOKENS, {"name": "Report"})

    assert "made a personal access token" in admin.get(f"{AUDIT}.csv").text
    assert "/app/account/tokens,422" not in admin.get(f"{AUDIT}.csv?view=requests").text
    assert "POST,/app/account/tokens,200" in admin.get(f"{AUDIT}.csv?view=requests").text


def test_usage_counts_events_and_leads(admin, world):
    world.happen("page_view", "ana")
    world.happen("page_view", "bo")

    page = admin.get(f"{SETTINGS}/usage").text

    assert "<dt>Events this month</dt><dd>2</dd>" in page
    assert "New leads" in page
    assert 'aria-label="New leads' in page


class TestArchiving:
    def test_a_unit_is_archived_exported_and_restored(self, admin, people, world):
        world.happen("page_view", "ada", plan="pro")
        admin.post(f"{SETTINGS}/units", {"name": "EMEA"})
        url = f"{SETTINGS}/units/{people.scope.unit_id}"
        assert f'action="{url}/archive"' in admin.get(SETTINGS).text

        answer = admin.post(f"{url}/archive")
        page = admin.get(answer.location).text

        assert "Archived units" in page
        assert f'action="{url}/restore"' in page
        assert "ada" in admin.get(f"{url}/leads.csv").text
        assert "page_view" in admin.get(f"{url}/events.csv").text
        assert "archived an organisation unit" in admin.get(AUDIT).text
        admin.post(f"{url}/restore")
        assert "Archived units" not in admin.get(SETTINGS).text

    def test_the_only_unit_is_not_archived(self, admin, people):
        url = f"{SETTINGS}/units/{people.scope.unit_id}/archive"

        assert url not in admin.get(SETTINGS).text
        refused = admin.post(url)
        assert refused.status_code == 422
        assert "is the last unit" in refused.text

    def test_its_credentials_are_refused_and_why(self, admin, people, client):
        admin.post(f"{SETTINGS}/units", {"name": "EMEA"})
        admin.post(f"{SETTINGS}/units/{people.scope.unit_id}/archive")

        event = {"event_type": "page_view", "lead_id": "ada"}
        refused = client.post("/ingest", json=event, headers=basic(people.credential))

        assert (refused.status_code, refused.json["code"]) == (403, "unit_archived")
        wrong = client.post(
            "/ingest", json=event, auth=(people.credential.credential.client_id, "x")
        )
        assert wrong.status_code == 401

    def test_only_admins_and_only_their_own(self, browse, people):
        for end in ("archive", "restore"):
            url = f"{SETTINGS}/units/{people.scope.unit_id}/{end}"
            assert browse(people.owner).post(url).status_code == 403
            assert browse(people.stranger).post(url).status_code == 404
        url = f"{SETTINGS}/units/{people.scope.unit_id}/leads.csv"
        assert browse(people.owner).get(url).status_code == 403
        assert browse(people.stranger).get(url).status_code == 404


class TestRateLimit:
    def test_an_admin_sets_it_and_drops_it(self, admin):
        path = f"{SETTINGS}/rate-limit"
        assert "installation" in admin.get(path).text

        form = {"mode": "enforce", "key_by": "unit", "rps": "50", "burst": "200"}
        page = admin.get(admin.post(path, form).location).text
        assert "Your own" in page
        assert 'value="50"' in page
        assert "Enforced" in admin.get(SETTINGS).text

        admin.post(f"{path}/drop")
        assert "Your own" not in admin.get(path).text

    @pytest.mark.parametrize(
        ("rps", "burst", "complaint"),
        [
            ("0", "10", "Choose from 1 to 100,000"),
            ("x", "10", "Type a whole number"),
            ("20", "10", "Choose at least 20"),
            ("", "", "Say how many"),
        ],
    )
    def test_bounds_are_told_at_the_field(self, admin, rps, burst, complaint):
        form = {"mode": "enforce", "key_by": "org", "rps": rps, "burst": burst}

        refused = admin.post(f"{SETTINGS}/rate-limit", form)

        assert refused.status_code == 422
        assert complaint in refused.text

    def test_others_see_it_and_change_nothing(self, browse, people):
        viewer, path = browse(people.viewer), f"{SETTINGS}/rate-limit"

        assert f'action="{path}"' not in viewer.get(path).text
        assert viewer.post(path, {}).status_code == 403
        assert viewer.post(f"{path}/drop").status_code == 403
