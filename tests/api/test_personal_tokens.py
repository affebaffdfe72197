"""Personal access tokens: programs that act as a member."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from leadvibe.audit.queries import list_entries
from leadvibe.identity import member_links, personal_tokens, service, signing_in
from leadvibe.identity.types import Principal, UnitRole, Via
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, session
from tests.api.conftest import Caller
from tests.factories import make_unit
from tests.people import PASSWORD

NOBODYS = "00000000-0000-0000-0000-000000000000"


def with_token(app, token):
    return Caller(app.test_client(), {"Authorization": f"Bearer {token}"})


@pytest.fixture
def program_of(app, call_as):
    """Return a maker of programs with a new token of somebody's."""

    def make(person, name="Script"):
        made = call_as(person).post("/me/tokens", {"name": name})
        assert made.status_code == 201, made.text
        return with_token(app, made.json["token"])

    return make


def principal_of(person):
    return Principal(
        org_id=person.member.org_id,
        via=Via.BEARER,
        org_role=person.member.role,
        member_id=person.member.org_member_id,
    )


def test_a_token_is_shown_once_and_not_stored(call_as):
    viewer = call_as("viewer")

    made = viewer.post("/me/tokens", {"name": " CI "}).json

    assert made["token"].startswith("lv_pat_")
    assert len(made["token"]) > 40
    assert (made["name"], made["expires_at"], made["last_used_at"]) == ("CI", None, None)
    [listed] = viewer.get("/me/tokens").json
    assert listed == {key: value for key, value in made.items() if key != "token"}
    stored = session().execute(text("SELECT * FROM personal_tokens")).one()
    assert made["token"] not in repr(stored)


def test_a_token_acts_as_its_member(program_of, people):
    program = program_of("operator")

    assert program.get("/auth/me").json["email"] == people.operator.email
    assert program.post("/leads", {"id": "ld_1"}).status_code == 201
    assert program.get("/secrets").status_code == 403
    assert program_of("viewer").post("/leads", {"id": "ld_2"}).status_code == 403
    assert program_of("admin").post("/org-units", {"name": "Sales"}).status_code == 201


def test_a_token_sends_events(program_of):
    event = {"event_type": "page_view", "lead_id": "ld_1"}

    assert program_of("operator").post("/ingest", event).status_code == 202


def test_a_token_has_the_roles_that_its_member_has_now(call_as, program_of, people):
    program = program_of("operator")
    path = f"/org-units/{people.unit.unit_id}/members/{people.operator.member.org_member_id}"

    call_as("owner").put(path, {"role": "Viewer"})

    assert program.post("/leads", {"id": "ld_1"}).status_code == 403


def test_a_token_works_in_the_active_unit_as_its_member_would(program_of, people):
    sales = make_unit(people.organization, "Sales")
    member_id = people.viewer.member.org_member_id
    service.set_membership(sales.scope, member_id, role=UnitRole.OPERATOR, now=utc_now())
    commit()
    program = program_of("viewer")

    assert program.post("/org-units/active", {"ouId": str(sales.unit_id)}).status_code == 200

    assert program.post("/leads", {"id": "ld_1"}).json["unit_id"] == str(sales.unit_id)


def test_a_revoked_token_is_refused_at_once(call_as, program_of):
    viewer, program = call_as("viewer"), program_of("viewer")
    [listed] = viewer.get("/me/tokens").json
    assert program.get("/leads").status_code == 200

    assert viewer.delete(f"/me/tokens/{listed['token_id']}").status_code == 204

    refused = program.get("/leads")
    assert (refused.status_code, refused.json["code"]) == (401, "token_refused")
    assert viewer.get("/me/tokens").json == []
    assert viewer.delete(f"/me/tokens/{listed['token_id']}").status_code == 404


def test_a_token_is_refused_once_it_has_expired(call_as, people):
    now = utc_now()
    made = personal_tokens.create_token(
        principal_of(people.viewer), name="CI", expires_at=now + timedelta(hours=1), now=now
    )
    commit()

    personal_tokens.authenticate_token(made.token, now=now + timedelta(minutes=59))
    with pytest.raises(personal_tokens.TokenRefusedError):
        personal_tokens.authenticate_token(made.token, now=now + timedelta(hours=1))

    service.forget_expired(now=now + timedelta(hours=1))
    assert call_as("viewer").get("/me/tokens").json == []


def test_an_expiry_is_kept_in_utc(call_as):
    at = (utc_now() + timedelta(days=30)).replace(microsecond=0)
    body = {"name": "CI", "expires_at": at.isoformat()}

    made = call_as("viewer").post("/me/tokens", body).json

    assert made["expires_at"] == at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "CI", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "CI", "expires_at": "soon"}, "expires_at"),
    ],
)
def test_what_is_wrong_is_said_by_field(call_as, body, field):
    response = call_as("viewer").post("/me/tokens", body)

    assert (response.status_code, list(response.json["fields"])) == (400, [field])


@pytest.mark.parametrize("token", ["lv_pat_", "lv_pat_unknown", "lv_pat_" + "x" * 5000])
def test_a_wrong_token_is_refused(app, world, token):
    response = app.test_client().get("/leads", headers={"Authorization": f"Bearer {token}"})

    assert (response.status_code, response.json["code"]) == (401, "token_refused")


def test_a_token_makes_and_revokes_no_tokens(call_as, program_of):
    program = program_of("admin")
    [listed] = program.get("/me/tokens").json

    for refused in (
        program.post("/me/tokens", {"name": "Another"}),
        program.delete(f"/me/tokens/{listed['token_id']}"),
    ):
        assert (refused.status_code, refused.json["code"]) == (403, "token_needs_person")
    assert call_as("admin").get("/me/tokens").json == [
        {**listed, "last_used_at": call_as("admin").get("/me/tokens").json[0]["last_used_at"]}
    ]


def test_tokens_of_others_are_not_there(call_as, program_of):
    program = program_of("viewer")
    [listed] = call_as("viewer").get("/me/tokens").json
    path = f"/me/tokens/{listed['token_id']}"

    for name in ("admin", "owner", "stranger"):
        assert call_as(name).get("/me/tokens").json == []
        refused = call_as(name).delete(path)
        assert (refused.status_code, refused.json["code"]) == (404, "token_not_found")
    assert program.get("/leads").status_code == 200


@pytest.mark.parametrize("token_id", ["pat_1", NOBODYS])
def test_a_token_that_is_not_there_is_not_found(call_as, token_id):
    response = call_as("viewer").delete(f"/me/tokens/{token_id}")

    assert (response.status_code, response.json["code"]) == (404, "token_not_found")


def test_a_new_password_ends_all_tokens(program_of, people, security):
    changed, reset = program_of("owner"), program_of("viewer")
    signing_in.change_password(
        people.owner.member.org_member_id,
        current_password=PASSWORD,
        password="another password",
        ip=None,
        security=security,
        now=utc_now(),
    )
    link = member_links.create_reset_link(people.viewer.member, now=utc_now())
    member_links.reset_password(
        link.token, password="another password", security=security, now=utc_now()
    )
    commit()

    assert changed.get("/leads").status_code == reset.get("/leads").status_code == 401


def test_signing_out_leaves_tokens_alone(call_as, program_of):
    program = program_of("viewer")

    call_as("viewer").post("/auth/logout", {})

    assert program.get("/leads").status_code == 200


class TestLastUse:
    def test_it_is_noted_although_the_request_fails(self, fresh_database, call_as, program_of):
        program_of("viewer").post("/leads", {"id": "ld_1"})  # which a viewer may not

        [listed] = call_as("viewer").get("/me/tokens").json
        assert listed["last_used_at"] is not None

    def test_it_is_not_written_with_each_request(self, program_of, statements):
        program = program_of("viewer")
        program.get("/leads")
        statements.clear()

        program.get("/leads")

        assert not [it for it in statements if "UPDATE" in it]

    def test_it_is_written_again_after_a_while(self, call_as, people):
        start = utc_now()
        made = personal_tokens.create_token(
            principal_of(people.viewer), name="CI", expires_at=None, now=start
        )

        def last_used(minutes):
            now = start + timedelta(minutes=minutes)
            personal_tokens.authenticate_token(made.token, now=now)
            session().expire_all()
            [stored] = personal_tokens.list_tokens(principal_of(people.viewer))
            return round((stored.last_used_at - start).total_seconds() / 60)

        assert [last_used(minutes) for minutes in (0, 14, 15, 29, 40)] == [0, 0, 15, 15, 40]


def test_the_audit_names_the_member_and_their_token(program_of, people):
    program_of("operator", "Nightly sync").post("/leads", {"id": "ld_1"})

    entry = list_entries(people.organization.org_id, limit=1)[0]
    assert (entry.actor, entry.path) == (people.operator.email, "/leads")
    assert (entry.via, entry.token_name) == ("personal_token", "Nightly sync")


def test_the_description_publishes_the_scheme(app):
    document = app.test_client().get("/openapi.json").json

    assert document["components"]["securitySchemes"]["personalTokenAuth"]["scheme"] == "bearer"
    assert {"personalTokenAuth": []} in document["paths"]["/leads"]["get"]["security"]
    assert {"personalTokenAuth": []} in document["paths"]["/members"]["get"]["security"]
