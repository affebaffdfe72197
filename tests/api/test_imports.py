"""Uploading event files and watching what becomes of them."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from leadvibe.identity.types import Scope
from leadvibe.imports import service
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline import process

HEADER = b"event_type,email,timestamp\n"
GOOD = HEADER + b"page_view,ada@acme.test,2026-01-01T00:00:00Z\n"


def upload(caller, content, name="events.csv", kind="text/csv", field="file", **query):
    file = FileStorage(io.BytesIO(content), name, content_type=kind)
    boundary, body = encode_multipart({field: file})
    return caller.send(
        "POST",
        "/import",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        query_string=query,
    )


def work(scope: Scope, job_id: str) -> None:
    """Do what the workers would."""
    import_id = parse_id(job_id)
    assert import_id is not None
    service.advance_import(scope, import_id, ring=lambda: None, is_stopping=lambda: False)
    process.drain(scope)


def test_a_file_is_taken_at_once_and_watched_to_its_last_score(api, people, world):
    world.add_rule("page_view", 5)
    started = upload(api, GOOD)
    assert started.status_code == 202
    job_id = started.json["job_id"]
    assert started.headers["Location"] == f"/import/{job_id}"
    assert (started.json["imported"], started.json["errors"]) == (0, 0)
    assert api.get(f"/import/{job_id}").json["status"] == "queued"

    work(people.scope, job_id)

    done = api.get(f"/import/{job_id}").json
    assert (done["status"], done["percent"]) == ("finished", 100)
    assert (done["rows_read"], done["imported"], done["errors"], done["scored"]) == (1, 1, 0, 1)
    assert done["filename"] == "events.csv"
    assert api.get("/leads").json[0]["score"] == 5


def test_a_bad_row_is_kept_with_its_number_and_reason(api, people):
    content = HEADER + b"page_view,a@acme.test,\n,b@acme.test,\n=x,,\n"
    job_id = upload(api, content).json["job_id"]
    work(people.scope, job_id)

    progress = api.get(f"/import/{job_id}").json
    response = api.get(f"/import/{job_id}/errors")

    assert (progress["imported"], progress["errors"]) == (1, 2)
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["row"] for row in rows] == ["3", "4"]
    assert rows[0]["reason"]
    assert f"import-{job_id}-errors.csv" in response.headers["Content-Disposition"]


def test_a_packed_file_is_read_as_well(api, people):
    job_id = upload(api, gzip.compress(GOOD), "events.csv.gz", "application/gzip").json["job_id"]
    work(people.scope, job_id)

    assert api.get(f"/import/{job_id}").json["imported"] == 1


def test_imports_are_listed_the_latest_first(api):
    for name in ("first.csv", "second.csv", "third.csv"):
        upload(api, GOOD, name)

    response = api.get("/imports", limit=2)

    assert [it["filename"] for it in response.json] == ["third.csv", "second.csv"]
    assert response.headers["X-Total-Count"] == "3"


def test_triggers_can_be_left_out(api):
    job_id = upload(api, GOOD, skip_triggers="true").json["job_id"]

    assert api.get(f"/import/{job_id}").json["skip_triggers"] is True


@pytest.mark.parametrize(
    ("content", "name", "kind", "status"),
    [
        (b"", "events.csv", "text/csv", 400),
        (b"name,colour\nada,red\n", "events.csv", "text/csv", 400),
        (b"%PDF-1.7 ...", "events.pdf", "application/pdf", 415),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "events.csv", "text/csv", 415),
        (b"\x1f\x8b\x08 damaged", "events.csv.gz", "application/gzip", 400),
    ],
)
def test_a_file_that_is_no_list_of_events_is_refused(api, content, name, kind, status):
    response = upload(api, content, name, kind)

    assert response.status_code == status
    assert "file" in response.json["fields"]
    assert api.get("/imports").json == []


def test_a_request_without_a_file_says_how_to_send_one(api):
    nothing = upload(api, GOOD, field="upload")
    plain = api.send("POST", "/import", data=GOOD, content_type="text/csv")
    bad_query = upload(api, GOOD, skip_triggers="perhaps")

    assert nothing.status_code == 400
    assert list(nothing.json["fields"]) == ["file"]
    assert plain.status_code == 415
    assert "multipart/form-data" in plain.json["error"]
    assert list(bad_query.json["fields"]) == ["skip_triggers"]


def test_a_file_beyond_the_limit_is_refused_packed_or_not(app, api, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_UPLOAD_MB", 1)
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 2 * 1024 * 1024)
    long = GOOD + b"page_view,ada@acme.test,\n" * 45_000
    very_long = long * 3

    for content in (long, gzip.compress(long), very_long):
        response = upload(api, content)
        assert response.status_code == 413
        assert response.json["code"] == "file_too_large"
        assert "1 MB" in response.json["error"]
