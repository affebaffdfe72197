"""Files of leads over the API: looked at, told what their columns mean, and imported."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from leadvibe.imports import lead_file, lead_uploads, service
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.ids import parse_id

HEADER = "E-mail;First name;Company;Phone;Employees\n"
FILE = (
    HEADER
    + "ana@x.test;Ana;Acme;+44 20 7946 0018;120\n"
    + 'bo@y.test;Bo;"Bo; Sons";;8\n'
)  # fmt: skip
PLAN = {
    "primary_identifier": {"column": "E-mail", "kind": "email"},
    "field_mappings": {"First name": "first_name", "Company": "company", "Employees": "employees"},
    "alias_mappings": {"Phone": "phone"},
}


@pytest.fixture
def operator(call_as):
    return call_as("operator")


def preview(caller, content, name="leads.csv", kind="text/csv"):
    data = content if isinstance(content, bytes) else content.encode()
    boundary, body = encode_multipart(
        {"file": FileStorage(io.BytesIO(data), name, content_type=kind)}
    )
    return caller.send(
        "POST",
        "/leads/import/preview",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def start(caller, content, **changes):
    file_id = preview(caller, content).json["file_id"]
    return caller.post("/leads/import/start", {"file_id": file_id, **PLAN, **changes})


def work(people, job_id, *, is_stopping=lambda: False):
    """Do what a worker would."""
    service.advance_import(
        people.scope, parse_id(job_id), ring=lambda: None, is_stopping=is_stopping
    )


@pytest.fixture
def import_leads(operator, people):
    """Return what imports a file to its end, and what is said of it then."""

    def go(content, **changes):
        started = start(operator, content, **changes)
        assert started.status_code == 202, started.text
        work(people, started.json["job_id"])
        return operator.get(f"/leads/import/{started.json['job_id']}").json

    return go


def found_by(caller, alias):
    [found] = caller.get("/leads/search", q=alias).json
    return found["id"]


def test_a_preview_says_what_a_file_holds_and_imports_nothing(operator):
    seen = preview(operator, FILE).json

    assert seen["file_name"] == "leads.csv"
    assert seen["headers"] == ["E-mail", "First name", "Company", "Phone", "Employees"]
    assert seen["row_count"] == 2
    assert seen["sample_rows"] == [
        ["ana@x.test", "Ana", "Acme", "+44 20 7946 0018", "120"],
        ["bo@y.test", "Bo", "Bo; Sons", "", "8"],
    ]
    assert seen["auto_detected_identifiers"] == {
        "email_columns": ["E-mail"],
        "phone_columns": ["Phone"],
    }
    assert operator.get("/leads").json == []
    assert operator.get("/imports").json == []


def test_identifiers_are_told_by_values_where_names_say_little(operator):
    content = "a,b,E-mail opt-in,When\n+1 555 010 0199,x@y.test,yes,2026-01-02\n"

    seen = preview(operator, content).json["auto_detected_identifiers"]

    assert seen == {"email_columns": ["b"], "phone_columns": ["a"]}


def test_a_sample_is_five_rows_and_broken_ones_are_counted(operator):
    seen = preview(operator, HEADER + "a@b.c;A;;;\n" * 7 + '"a"b;\n\n').json

    assert len(seen["sample_rows"]) == 5
    assert seen["row_count"] == 8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_file_may_be_packed_and_in_any_encoding_of_event_files(operator, people, encoding):
    content = gzip.compress((HEADER + "zoe@x.test;Zoë;Müller;;\n").encode(encoding))
    seen = preview(operator, content, "leads.csv.gz", "application/gzip").json
    job = operator.post("/leads/import/start", {"file_id": seen["file_id"], **PLAN}).json

    work(people, job["job_id"])

    lead_id = found_by(operator, "zoe@x.test")
    assert operator.get(f"/leads/{lead_id}/profile").json["first_name"] == "Zoë"


def test_leads_are_made_with_their_properties_and_aliases(operator, import_leads):
    done = import_leads(FILE)

    assert (done["status"], done["percent"], done["errors"]) == ("finished", 100, [])
    counts = [done[name] for name in ("processed", "created", "updated", "skipped")]
    assert counts == [2, 2, 0, 0]
    lead_id = found_by(operator, "+44 20 7946 0018")
    lead = operator.get(f"/lead/{lead_id}").json
    assert lead["metadata"] == {"first_name": "Ana", "company": "Acme", "employees": "120"}
    aliases = {(it["kind"], it["value"]) for it in operator.get(f"/lead/{lead_id}/aliases").json}
    assert aliases == {("email", "ana@x.test"), ("phone", "+442079460018")}


def test_a_lead_that_is_known_gets_more_and_keeps_what_the_file_does_not_say(
    operator, import_leads, world
):
    world.happen("page_view", "ld_ana", email="ana@x.test")
    operator.send("PATCH", "/leads/ld_ana", json={"company": "Old", "plan": "pro"})

    done = import_leads(HEADER + "ANA@x.test ;Ana;;;\nana@x.test;;Acme;;\n")

    assert (done["created"], done["updated"]) == (0, 2)
    metadata = operator.get("/leads/ld_ana/profile").json
    assert metadata == {"company": "Acme", "plan": "pro", "first_name": "Ana"}
    assert len(operator.get("/leads").json) == 1


def test_the_same_file_twice_doubles_nothing(operator, import_leads):
    import_leads(FILE)

    again = import_leads(FILE)

    assert (again["created"], again["updated"]) == (0, 2)
    assert len(operator.get("/leads").json) == 2


def test_the_same_person_twice_in_a_file_is_one_lead(operator, import_leads):
    done = import_leads(HEADER + "ana@x.test;Ana;;;\nANA@X.TEST;;Acme;;\n")

    assert (done["created"], done["updated"]) == (1, 1)
    assert [it["lead_id"] for it in operator.get("/leads").json] == [
        found_by(operator, "ana@x.test")
    ]


def test_the_primary_identifier_decides_before_the_others(operator, import_leads, world):
    world.happen("page_view", "ld_mail", email="ana@x.test")
    operator.post(
        "/ingest",
        {
            "event_type": "call",
            "lead_id": "ld_crm",
            "aliases": [{"alias_kind": "external_id", "raw_value": "7"}],
        },
    )
    world.happen("page_view", "ld_mail")

    import_leads("Mail,CRM,Name\nana@x.test,7,Ana\n", primary_identifier={
        "column": "Mail", "kind": "email"
    }, alias_mappings={"CRM": "external_id"}, field_mappings={"Name": "name"})  # fmt: skip

    assert operator.get("/leads/ld_mail/profile").json == {"name": "Ana"}
    assert operator.get("/leads/ld_crm/profile").json == {}
    [suggested] = operator.get("/leads/merge-suggestions").json
    assert {suggested["lead_id"], suggested["other_lead_id"]} == {"ld_mail", "ld_crm"}


def test_an_anonymous_visitor_that_a_row_names_is_folded_in(operator, import_leads, world):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ld_ana", email="ana@x.test")
    operator.post(
        "/ingest",
        {"event_type": "page_view", "aliases": [{"alias_kind": "cookie", "raw_value": "c1"}]},
    )
    world.happen("page_view", "ld_ana")

    import_leads("Mail,Cookie\nana@x.test,c1\n", primary_identifier={
        "column": "Mail", "kind": "email"
    }, alias_mappings={"Cookie": "cookie"}, field_mappings={})  # fmt: skip

    [lead] = operator.get("/leads").json
    assert lead["lead_id"] == "ld_ana"
    assert [it["event_type"] for it in operator.get("/events/ld_ana").json] == ["page_view"] * 3


def test_profile_scores_follow_at_once(operator, import_leads):
    ruleset = operator.post("/profile-scoring/rulesets", {"name": "Fit", "is_primary": True}).json
    operator.post(
        f"/profile-scoring/rulesets/{ruleset['id']}/rules",
        {"profile_property": "employees", "condition": "gt", "comparison_value": "100",
         "weight": 30},
    )  # fmt: skip

    import_leads(FILE)

    scores = {
        it["lead_id"]: it["profile_scores"].get(ruleset["id"], 0)
        for it in operator.get("/leads").json
    }
    assert scores == {found_by(operator, "ana@x.test"): 30, found_by(operator, "bo@y.test"): 0}


def test_a_bad_row_is_told_and_stops_nothing(operator, import_leads):
    done = import_leads(
        HEADER
        + ";No;;;\n"
        + "n/a;No;;;\n"
        + "ana@x.test;Ana;Acme\n"
        + '"bo@x.test"x;Bo;;;\n'
        + f"{'c' * 600}@x.test;Cy;;;\n"
        + "dee@x.test;Dee;;none;\n"
        + f"eve@x.test;{'e' * 103_000};;;\n"
        + "\n"
        + "fay@x.test;Fay;;;\n"
    )

    assert (done["processed"], done["created"], done["skipped"]) == (8, 1, 7)
    messages = [(it["row"], it["message"]) for it in done["errors"]]
    assert [row for row, _ in messages] == [2, 3, 4, 5, 6, 7, 8]
    assert messages[0][1] == "E-mail is empty, and so the row names no lead"
    assert messages[1][1] == "E-mail 'n/a' is not an e-mail address"
    assert "3 values" in messages[2][1]
    assert messages[4][1] == "E-mail is longer than 512 characters"
    assert messages[5][1] == "Phone 'none' is not a phone number"
    assert "at most" in messages[6][1]
    assert len(operator.get("/leads").json) == 1


def test_bytes_that_are_no_text_make_only_their_row_fail(import_leads, operator):
    content = HEADER.encode() + "zoë@x.test;Zoë;é;;\n".encode() + b"bo@x.test;\xff;;;\n"

    done = import_leads(content)

    assert [(it["row"], it["message"]) for it in done["errors"]] == [
        (3, "First name is not valid UTF-8")
    ]


def test_who_would_know_too_much_is_refused_without_any_effect(operator, import_leads, world):
    world.happen("page_view", "ld_ana", email="ana@x.test")
    operator.send("PATCH", "/leads/ld_ana", json={"notes": "n" * 90_000})

    done = import_leads(HEADER + f"ana@x.test;{'x' * 20_000};;+1555010;\nbo@x.test;Bo;;;\n")

    assert (done["created"], done["updated"], done["skipped"]) == (1, 0, 1)
    assert done["errors"][0]["row"] == 2
    assert "metadata" in done["errors"][0]["message"]
    assert [it["kind"] for it in operator.get("/lead/ld_ana/aliases").json] == ["email"]
    assert "first_name" not in operator.get("/leads/ld_ana/profile").json


def test_refused_rows_can_be_had_as_a_file(operator, import_leads):
    done = import_leads(HEADER + ";=1+1;;;\n")

    response = operator.get(f"/leads/import/{done['job_id']}/errors")

    assert list(csv.reader(io.StringIO(response.text))) == [
        ["row", "reason", "content"],
        ["2", "E-mail is empty, and so the row names no lead", ";=1+1;;;"],
    ]


def test_an_import_goes_on_where_it_was_stopped(operator, people, monkeypatch):
    monkeypatch.setattr(lead_file, "ROWS_AT_ONCE", 2)
    rows = "".join(f"lead{number}@x.test;L;;;\n" for number in range(7))
    job_id = start(operator, HEADER + rows + ";No;;;\n").json["job_id"]
    stops = iter([False, False, True])

    work(people, job_id, is_stopping=lambda: next(stops))
    halfway = operator.get(f"/leads/import/{job_id}").json
    work(people, job_id)

    assert (halfway["status"], halfway["processed"], halfway["created"]) == ("running", 4, 4)
    done = operator.get(f"/leads/import/{job_id}").json
    assert (done["status"], done["created"], done["updated"]) == ("finished", 7, 0)
    assert done["errors"] == [
        {"row": 9, "message": "E-mail is empty, and so the row names no lead"}
    ]


def test_a_worker_that_dies_in_a_batch_leaves_nothing_of_it(operator, people, monkeypatch):
    monkeypatch.setattr(lead_file, "ROWS_AT_ONCE", 2)
    rows = "".join(f"lead{number}@x.test;L;;;\n" for number in range(5))
    job_id = start(operator, HEADER + rows).json["job_id"]

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service, "copy_rows", die)
        with pytest.raises(KeyboardInterrupt):
            work(people, job_id)
    rollback()
    assert operator.get("/leads").json == []
    work(people, job_id)

    done = operator.get(f"/leads/import/{job_id}").json
    assert (done["created"], done["updated"]) == (5, 0)


def test_a_file_is_started_once(operator):
    file_id = preview(operator, FILE).json["file_id"]

    first = operator.post("/leads/import/start", {"file_id": file_id, **PLAN})
    second = operator.post("/leads/import/start", {"file_id": file_id, **PLAN})

    assert (first.status_code, first.json["status"]) == (202, "queued")
    assert first.headers["Location"] == f"/leads/import/{first.json['job_id']}"
    assert (second.status_code, second.json["code"]) == (409, "lead_file_started")


def test_a_file_is_forgotten_after_an_hour(operator):
    file_id = preview(operator, FILE).json["file_id"]
    hour = timedelta(hours=1)
    driver().execute("UPDATE imports SET created_at = created_at - %s", (hour,))
    commit()

    late = operator.post("/leads/import/start", {"file_id": file_id, **PLAN})
    service.forget_unstarted_files(now=utc_now())

    assert (late.status_code, late.json["code"]) == (404, "lead_file_not_found")
    assert driver().execute("SELECT count(*) FROM imports").fetchone() == (0,)
    assert driver().execute("SELECT count(*) FROM import_chunks").fetchone() == (0,)


def test_files_that_are_started_or_young_are_kept(operator):
    preview(operator, FILE)
    start(operator, FILE)
    driver().execute(
        "UPDATE imports SET created_at = now() - interval '2 hours' WHERE plan <> '{}'"
    )
    commit()

    service.forget_unstarted_files(now=utc_now())

    assert driver().execute("SELECT count(*) FROM imports").fetchone() == (2,)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"primary_identifier": {"column": "Mail", "kind": "email"}}, "primary_identifier.column"),
        ({"primary_identifier": {"column": "E-mail", "kind": "fax"}}, "primary_identifier.kind"),
        ({"primary_identifier": None}, "primary_identifier"),
        ({"field_mappings": {"Nothing": "x"}}, "field_mappings"),
        ({"field_mappings": {"Company": " "}}, "field_mappings.Company"),
        ({"field_mappings": {"Company": "x", "First name": "x"}}, "field_mappings"),
        ({"alias_mappings": {"Nothing": "phone"}}, "alias_mappings"),
        ({"alias_mappings": {"Phone": "fax"}}, "alias_mappings.Phone"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_its_field(operator, changes, field):
    response = start(operator, FILE, **changes)

    assert response.status_code == 400
    assert list(response.json["fields"]) == [field]


@pytest.mark.parametrize(
    ("content", "name", "kind", "status"),
    [
        ("", "leads.csv", "text/csv", 400),
        (" \n , \n", "leads.csv", "text/csv", 400),
        ("Mail,Mail\nx,y\n", "leads.csv", "text/csv", 400),
        ("%PDF-1.7", "leads.pdf", "application/pdf", 415),
        ("{}", "leads.csv", "text/csv", 415),
    ],
)
def test_a_file_that_is_no_list_of_leads_is_refused(operator, content, name, kind, status):
    response = preview(operator, content, name, kind)

    assert response.status_code == status
    assert "file" in response.json["fields"]


def test_a_file_beyond_ten_megabytes_is_refused_packed_or_not(operator, monkeypatch):
    monkeypatch.setattr(lead_uploads, "MAX_BYTES", 1024**2)
    long = (HEADER + "ana@x.test;Ana;Acme;;\n" * 50_000).encode()

    for content in (long, gzip.compress(long), long * 3):
        response = preview(operator, content)
        assert (response.status_code, response.json["code"]) == (413, "file_too_large")
        assert "1 MB" in response.json["error"]


def test_files_of_leads_and_of_events_are_not_mistaken_for_each_other(operator, api):
    job_id = start(operator, FILE).json["job_id"]
    waiting = preview(operator, FILE).json["file_id"]

    assert api.get(f"/import/{job_id}").status_code == 404
    assert api.get("/imports").json == []
    assert operator.get(f"/leads/import/{waiting}").status_code == 404
    body = {"file_id": str(uuid4()), **PLAN}
    assert operator.post("/leads/import/start", body).status_code == 404


def test_a_file_of_another_unit_is_not_there(operator, call_as):
    file_id = preview(operator, FILE).json["file_id"]

    response = call_as("stranger").post("/leads/import/start", {"file_id": file_id, **PLAN})

    assert response.status_code == 404


def test_a_column_says_who_looks_after_the_lead(operator, import_leads, people):
    content = f"E-mail,Rep\nana@x.test,{people.owner.email}\n"

    import_leads(content, field_mappings={}, alias_mappings={}, owner_column="Rep")

    lead = get_lead(people.scope, found_by(operator, "ana@x.test"))
    assert lead.owner_id == people.owner.member.org_member_id


def test_an_owner_column_that_the_file_lacks_is_named(operator):
    answer = start(operator, "E-mail\nana@x.test\n", field_mappings={}, alias_mappings={},
                   owner_column="Rep")  # fmt: skip

    assert answer.status_code == 400
    assert "owner_column" in answer.text
