"""Members of the organisation: who sees them, who changes them, and who has to stay."""

from __future__ import annotations

import re

import pytest

from leadvibe.identity import member_links, queries, service, signing_in
from leadvibe.identity.types import LinkPurpose, OrgRole, UnitRole
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications.queries import list_link_mails
from tests.api.conftest import Caller
from tests.conftest import Browser
from tests.factories import make_member, make_unit
from tests.mailbox import send_due_mails
from tests.people import PASSWORD

NOBODYS = "00000000-0000-0000-0000-000000000000"
GRACE = {
    "first_name": "Grace", "last_name": "Hopper", "email": "Grace@Acme.test",
    "password": "a long password", "role": "member",
}  # fmt: skip


def path_of(person):
    return f"/members/{person.member.org_member_id}"


def listed(caller):
    return {it["email"]: it for it in caller.get("/members").json}


def log_in(app, email, password):
    login = {"email": email, "password": password}
    return Caller(app.test_client(), {}).post("/auth/login", login)


class TestListing:
    def test_everybody_is_listed_with_where_they_belong(self, call_as, people):
        seen = listed(call_as("admin"))

        assert list(seen) == sorted(seen)
        assert set(seen) == {f"{it}@acme.test" for it in ("admin", "owner", "operator", "viewer")}
        viewer = seen["viewer@acme.test"]
        assert set(viewer) == {
            "org_member_id",
            "first_name",
            "last_name",
            "email",
            "role",
            "ou_memberships",
            "created_at",
        }
        assert (viewer["role"], seen["admin@acme.test"]["role"]) == ("member", "admin")
        assert viewer["ou_memberships"] == [
            {"unit_id": str(people.unit.unit_id), "unit_name": "Default", "role": "Viewer"}
        ]

    @pytest.mark.parametrize(
        ("name", "status"), [("owner", 200), ("operator", 200), ("viewer", 403)]
    )
    def test_those_who_manage_a_unit_see_whom_they_could_let_in(self, call_as, name, status):
        assert call_as(name).get("/members").status_code == status

    def test_where_others_belong_is_told_of_units_one_may_enter(self, call_as, people):
        hidden = make_unit(people.organization, "Hidden")
        member_id = people.viewer.member.org_member_id
        service.set_membership(hidden.scope, member_id, role=UnitRole.OWNER, now=utc_now())
        commit()

        def units(name):
            memberships = listed(call_as(name))["viewer@acme.test"]["ou_memberships"]
            return [it["unit_name"] for it in memberships]

        assert units("operator") == ["Default"]
        assert units("admin") == ["Default", "Hidden"]

    def test_a_long_list_takes_no_more_statements_than_a_short_one(
        self, call_as, people, security, statements
    ):
        def count():
            admin = call_as("admin")
            statements.clear()
            admin.get("/members")
            return len(statements)

        few = count()
        for _ in range(5):
            member = make_member(people.organization, security=security)
            service.set_membership(
                people.scope, member.org_member_id, role=UnitRole.VIEWER, now=utc_now()
            )
        commit()

        assert count() == few


class TestCreating:
    def test_a_new_member_may_sign_in_at_once_and_belongs_to_no_unit(self, app, call_as):
        response = call_as("admin").post("/members", GRACE)

        assert response.status_code == 201
        assert set(response.json) == {"org_member_id", "first_name", "last_name", "email", "role"}
        assert (response.json["email"], response.json["role"]) == ("grace@acme.test", "member")
        signed_in = log_in(app, "grace@acme.test", "a long password").json
        grace = Caller(app.test_client(), {"Authorization": f"Bearer {signed_in['token']}"})
        assert grace.get("/org-units").json["units"] == []
        assert grace.get("/leads").status_code == 400

    @pytest.mark.parametrize(
        ("given", "role"),
        [("admin", "admin"), ("member", "member"), ("editor", "member"), ("viewer", "member")],
    )
    def test_older_roles_are_taken_for_members(self, call_as, given, role):
        assert call_as("admin").post("/members", {**GRACE, "role": given}).json["role"] == role

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("first_name", ""),
            ("first_name", None),
            ("last_name", "x" * 101),
            ("last_name", "a\nb"),
            ("email", "grace"),
            ("email", 5),
            ("password", "short"),
            ("password", "grace@acme.test"),
            ("password", None),
            ("role", "owner"),
            ("role", None),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, call_as, field, value):
        response = call_as("admin").post("/members", {**GRACE, field: value})

        assert response.status_code == 400
        assert list(response.json["fields"]) == [field]

    def test_all_that_is_missing_is_named(self, call_as):
        response = call_as("admin").post("/members", {})

        assert set(response.json["fields"]) == set(GRACE)

    @pytest.mark.parametrize("email", ["VIEWER@acme.test", "stranger@elsewhere.test"])
    def test_an_address_belongs_to_one_member_anywhere(self, call_as, email):
        response = call_as("admin").post("/members", {**GRACE, "email": email})

        assert (response.status_code, response.json["code"]) == (409, "member_exists")
        assert list(response.json["fields"]) == ["email"]

    @pytest.mark.parametrize("name", ["owner", "operator", "viewer"])
    def test_only_admins_make_change_and_remove_members(self, call_as, people, name):
        caller, path = call_as(name), path_of(people.viewer)

        assert caller.post("/members", GRACE).status_code == 403
        assert caller.put(path, {"role": "admin"}).status_code == 403
        assert caller.delete(path).status_code == 403

    def test_without_a_mail_server_nothing_is_mailed(self, call_as, people):
        call_as("admin").post("/members", GRACE)

        assert list_link_mails(people.organization.org_id) == {}


class TestInvitations:
    """What a new member is mailed where there is a mail server."""

    @pytest.fixture
    def mailing_app(self, make_app, serve, app, world):
        return make_app(smtp_url=f"smtp://127.0.0.1:{serve()}", mail_from="leadvibe@acme.test")

    def test_a_new_member_is_invited_to_choose_a_password_of_their_own(
        self, mailing_app, people, mailbox
    ):
        Caller(mailing_app.test_client(), people.admin.bearer).post("/members", GRACE)

        assert send_due_mails(mailing_app) == 1

        [(_, [to], mail)] = mailbox.arrived
        assert to == "grace@acme.test"
        assert mail["subject"] == "Join Acme on Leadvibe"
        path = re.search(r"/app/invitation/\S+", mail.get_body(("plain",)).get_content())[0]
        form = {"name": "Grace Hopper", "password": PASSWORD, "confirmation": PASSWORD}
        assert Browser(mailing_app.test_client(), None).post(path, form).status_code == 303
        assert log_in(mailing_app, "grace@acme.test", "a long password").status_code == 401
        user = log_in(mailing_app, "grace@acme.test", PASSWORD).json["user"]
        assert (user["first_name"], user["verified"]) == ("Grace", True)

    def test_a_member_who_was_refused_is_mailed_nothing(self, mailing_app, people):
        caller = Caller(mailing_app.test_client(), people.admin.bearer)

        caller.post("/members", {**GRACE, "email": people.viewer.email})

        assert send_due_mails(mailing_app) == 0


class TestChanging:
    def test_only_what_is_given_changes(self, call_as, people):
        admin = call_as("admin")

        assert admin.put(path_of(people.viewer), {"last_name": "Ng"}).status_code == 204
        assert admin.put(path_of(people.viewer), {}).status_code == 204

        viewer = listed(admin)["viewer@acme.test"]
        assert (viewer["first_name"], viewer["last_name"]) == ("Viewer", "Ng")

    def test_a_new_role_holds_from_the_next_request_on(self, call_as, people):
        viewer = call_as("viewer")
        assert viewer.post("/org-units", {"name": "Sales"}).status_code == 403

        call_as("admin").put(path_of(people.viewer), {"role": "admin"})

        assert viewer.post("/org-units", {"name": "Sales"}).status_code == 201

    def test_a_new_address_is_the_one_to_sign_in_with_and_not_proved_yet(
        self, app, call_as, people
    ):
        admin = call_as("admin")

        assert admin.put(path_of(people.viewer), {"email": "New@acme.test"}).status_code == 204

        assert log_in(app, people.viewer.email, PASSWORD).status_code == 401
        assert log_in(app, "new@acme.test", PASSWORD).json["user"]["verified"] is False

    def test_an_address_of_somebody_else_is_refused(self, call_as, people):
        response = call_as("admin").put(path_of(people.viewer), {"email": people.owner.email})

        assert (response.status_code, response.json["code"]) == (409, "member_exists")
        assert "viewer@acme.test" in listed(call_as("admin"))

    @pytest.mark.parametrize(
        ("field", "value"),
        [("first_name", ""), ("last_name", None), ("email", "x"), ("email", None), ("role", "x")],
    )
    def test_what_is_wrong_is_said_by_field(self, call_as, people, field, value):
        response = call_as("admin").put(path_of(people.viewer), {field: value})

        assert response.status_code == 400
        assert list(response.json["fields"]) == [field]

    def test_the_last_admin_stays_one(self, call_as, people):
        admin = call_as("admin")

        response = admin.put(path_of(people.admin), {"role": "member"})

        assert (response.status_code, response.json["code"]) == (409, "last_admin")
        assert "make another member admin first" in response.json["error"]
        assert admin.put(path_of(people.admin), {"role": "admin"}).status_code == 204

    def test_an_admin_may_step_down_once_there_is_another(self, call_as, people):
        admin = call_as("admin")
        admin.put(path_of(people.owner), {"role": "admin"})

        assert admin.put(path_of(people.admin), {"role": "member"}).status_code == 204
        assert admin.get("/members").status_code == 400  # a member of no unit by now


class TestRemoving:
    def test_a_removed_member_is_out_at_once_with_all_they_had(self, app, call_as, people):
        viewer, admin = call_as("viewer"), call_as("admin")
        refresh_token = log_in(app, people.viewer.email, PASSWORD).json["refresh_token"]
        token = viewer.post("/me/tokens", {"name": "Script"}).json["token"]
        program = Caller(app.test_client(), {"Authorization": f"Bearer {token}"})
        assert program.get("/leads").status_code == 200

        assert admin.delete(path_of(people.viewer)).status_code == 204

        assert viewer.get("/leads").status_code == 401
        assert program.get("/leads").status_code == 401
        refreshed = admin.post("/auth/refresh", {"refresh_token": refresh_token})
        assert refreshed.status_code == 401
        assert log_in(app, people.viewer.email, PASSWORD).status_code == 401
        members = admin.get(f"/org-units/{people.unit.unit_id}/members").json
        assert "viewer@acme.test" not in {it["email"] for it in members}
        assert admin.delete(path_of(people.viewer)).status_code == 404

    def test_a_removed_members_browser_is_signed_out(self, browse, call_as, people):
        browser = browse(people.viewer)

        call_as("admin").delete(path_of(people.viewer))

        assert browser.get("/app/leads").status_code in {302, 303}

    def test_the_last_admin_stays(self, call_as, people):
        response = call_as("admin").delete(path_of(people.admin))

        assert (response.status_code, response.json["code"]) == (409, "last_admin")
        assert call_as("admin").get("/members").status_code == 200

    def test_an_admin_who_has_not_joined_yet_does_not_count(self, call_as, people, security):
        make_member(people.organization, role=OrgRole.ADMIN, security=security)
        commit()

        assert call_as("admin").delete(path_of(people.admin)).json["code"] == "last_admin"

    def test_an_admin_may_leave_once_there_is_another(self, call_as, people):
        admin = call_as("admin")
        admin.put(path_of(people.owner), {"role": "admin"})

        assert admin.delete(path_of(people.admin)).status_code == 204
        assert admin.get("/members").status_code == 401

    def test_an_only_owner_can_be_removed_because_admins_own_every_unit(self, call_as, people):
        assert call_as("admin").delete(path_of(people.owner)).status_code == 204
        assert call_as("admin").get("/secrets").status_code == 200


@pytest.mark.parametrize("member_id", ["om_1", NOBODYS])
def test_a_member_that_is_not_there_is_not_found(call_as, member_id):
    admin, path = call_as("admin"), f"/members/{member_id}"

    for response in (admin.put(path, {"role": "member"}), admin.delete(path)):
        assert (response.status_code, response.json["code"]) == (404, "member_not_found")


def test_members_of_another_organisation_are_not_there(call_as, people):
    admin = call_as("admin")

    assert people.stranger.email not in listed(admin)
    assert admin.put(path_of(people.stranger), {"role": "member"}).status_code == 404
    assert admin.delete(path_of(people.stranger)).status_code == 404


def test_links_to_an_old_address_are_void(call_as, people):
    link = member_links.create_reset_link(people.viewer.member, now=utc_now())
    commit()

    call_as("admin").put(path_of(people.viewer), {"email": "new@acme.test"})

    assert queries.find_link_member(link.token, LinkPurpose.RESET, now=utc_now()) is None


def test_a_password_of_many_words_is_no_problem(app, call_as, security):
    password = "correct horse battery staple " * 8

    call_as("admin").post("/members", {**GRACE, "password": password})

    member = signing_in.sign_in(
        "grace@acme.test", password, ip=None, security=security, now=utc_now()
    )
    assert member.name == "Grace Hopper"
