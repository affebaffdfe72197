"""Forms of a website: what becomes of them, and what a stranger cannot do with them."""

from __future__ import annotations

from secrets import randbelow

import pytest

from leadvibe.identity.api_keys import KeyKind
from leadvibe.lib.db import driver

FORM = {
    "name": "Ann", "email": "ann@x.test", "phone": "+31 6 12345678", "your-subject": "Price?",
    "password": "secret", "_wpcf7": "12", "g-recaptcha-response": "abc", "octanist_id": "me",
    "empty": "", "domain": "x.test", "path": "/contact",
    "cookies": {
        "_ga": "GA1.1.12.34", "_gcl_aw": "GCL.1700000000.Cj0", "_fbp": "fb.1.2.3", "other": "x",
    },
}  # fmt: skip


@pytest.fixture
def token(make_key):
    return make_key(KeyKind.WORDPRESS).text


@pytest.fixture
def post(program, token):
    visitor = f"127.{randbelow(256)}.{randbelow(256)}.{1 + randbelow(254)}"

    def send(form=FORM, path=None):
        path = path or f"/api/integrations/incoming/wp/{token}/"
        return program().send("POST", path, json=form, environ_base={"REMOTE_ADDR": visitor})

    return send


def test_a_form_becomes_a_lead(post, octanist):
    made = post()

    lead = octanist.get(f"/api/leads/{made.json['data']['id']}").json["data"]
    known = {key: it for key, it in lead.items() if it and key not in {"createdAt", "updatedAt"}}
    assert known == {
        "id": made.json["data"]["id"], "name": "Ann", "email": "ann@x.test",
        "phone": "+31612345678", "status": "open", "custom": '{"your-subject":"Price?"}',
        "source": "wordpress", "website": "x.test", "path": "/contact", "gclid": "Cj0",
        "ga4cid": "12.34", "fbp": "fb.1.2.3",
    }  # fmt: skip
    assert octanist.get("/api/leads", "source=wordpress").json["meta"]["pagination"]["total"] == 1


def test_a_form_about_somebody_known_takes_nothing_away(post, octanist, add):
    lead_id = add("Ann Lee", email="ann@x.test", gclid="first", ad_storage=True)

    assert post({**FORM, "ad_storage": "denied"}).json["data"]["id"] == lead_id

    lead = octanist.get(f"/api/leads/{lead_id}").json["data"]
    assert (lead["name"], lead["gclid"], lead["ad_storage"]) == ("Ann Lee", "first", True)
    assert lead["path"] == "/contact"


def test_a_number_that_is_none_does_not_cost_the_lead(post, octanist):
    made = post({"name": "Ann", "phone": "call me"})

    lead = octanist.get(f"/api/leads/{made.json['data']['id']}").json["data"]
    assert (lead["name"], lead["phone"]) == ("Ann", None)
    assert lead["custom"] == '{"phone":"call me"}'


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_fields_that_mean_the_same_neither_is_lost(post, octanist, turned):
    fields = {"name": "Ann", "message": "Hello", "note": "Call me", "octa_sid": "s1"}
    made = post(dict(reversed(fields.items())) if turned else fields)

    lead = octanist.get(f"/api/leads/{made.json['data']['id']}").json["data"]
    assert (lead["note"], lead["custom"]) == ("Call me", '{"message":"Hello"}')


def test_browsers_of_any_website_may_post(program, token, post):
    path = f"/api/integrations/incoming/wp/{token}/"
    preflight = program(Origin="https://x.test").send("OPTIONS", path)

    assert (preflight.status_code, preflight.content_type) == (204, None)
    for answer in (preflight, post(), post({}), post(path=path.replace(token, "wrong"))):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_address_works_without_its_last_slash(post, token):
    assert post(path=f"/api/integrations/incoming/wp/{token}").status_code == 200


@pytest.mark.parametrize("form", [{}, {"path": "/x"}, [], {"name": ["x"]}, {"name": "a\x00"}])
def test_forms_about_nobody_are_refused(post, form):
    refused = post(form)

    assert (refused.status_code, refused.json["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_only_its_own_kind_of_key_is_taken_and_it_opens_nothing_else(
    post, program, token, octanist
):
    key = octanist.headers["X-API-KEY"]

    assert post(path=f"/api/integrations/incoming/wp/{key}/").status_code == 401
    assert program(X_API_KEY=token).get("/api/leads").status_code == 401
    assert octanist.post("/api/integrations/incoming/wp/x/", FORM).status_code == 401


def test_a_flood_is_stopped_and_the_key_is_in_no_audit(post, token):
    answers = [post({"name": "Ann"}).status_code for _ in range(25)]

    assert answers[:20] == [200] * 20
    assert 429 in answers
    paths = {it for (it,) in driver().execute("SELECT path FROM audit_log")}
    assert "/api/integrations/incoming/wp/…/" in paths
    assert not any(token in it for it in paths)
