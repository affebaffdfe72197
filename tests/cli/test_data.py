"""`leadvibe import` and `leadvibe scores`, each as a process of its own."""

from __future__ import annotations

import gzip
import json
import os
from datetime import timedelta

import pytest

from leadvibe.imports import queries as import_queries
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import setup
from leadvibe.scoring import queries as scoring_queries
from leadvibe.scoring import service as scoring
from tests.factories import make_principal, make_rule
from tests.forking import run_command

FILE = "event_type,email\npage_view,ana@example.com\npage_view,\npage_view,bo@example.com\n"


@pytest.fixture
def leadvibe(app, fresh_database, settings):
    """Return a way to run the command on this test's database, in which there is an Acme."""
    app.extensions["leadvibe.redis"].flushdb()
    organization = setup.ensure_organization("Acme", by="test", now=utc_now())
    make_rule(setup.default_scope(organization.org_id), "page_view", 5)
    commit()
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "LEADVIBE_HOME": str(settings.home),
    }

    def run(*arguments, stdin=""):
        return run_command([str(it) for it in arguments], environment, stdin=stdin)

    return run


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(FILE.encode()))
    return path


def test_a_file_is_imported_proved_broken_and_repaired(leadvibe, csv_file):
    imported = leadvibe("import", "events", csv_file, "--org", "Acme", "--ou", "default", "--wait")
    verified = leadvibe("scores", "verify", "--org", "Acme")
    driver().execute("UPDATE lead_scores SET score = 999")
    commit()
    found = leadvibe("scores", "verify", "--org", "Acme", "--ou", "default")
    rebuilt = leadvibe("scores", "rebuild", "--org", "Acme")
    repaired = leadvibe("scores", "verify", "--org", "Acme")

    told = json.loads(imported.stdout)
    assert (told["stage"], told["accepted"], told["failed"], told["scored"]) == (
        "finished",
        2,
        1,
        2,
    )
    assert "row 3: the row names no lead" in imported.stderr
    assert (verified.returncode, "2 leads" in verified.stdout) == (0, True)
    assert found.returncode == 1
    assert "scores rebuild" in found.stderr
    assert (rebuilt.returncode, repaired.returncode) == (0, 0)
    assert driver().execute("SELECT score FROM lead_scores").fetchall() == [(5,), (5,)]


def test_without_waiting_the_file_is_left_to_the_workers(leadvibe, app):
    imported = leadvibe("import", "events", "-", "--org", "Acme", stdin=FILE)

    told = json.loads(imported.stdout)
    assert told["stage"] == "queued"
    assert app.extensions["leadvibe.redis"].keys("rq:job:*") == [
        f"rq:job:import-{told['import_id']}".encode()
    ]
    [one] = import_queries.due_imports(now=utc_now() + timedelta(days=1))
    assert str(one.import_id) == told["import_id"]


def test_what_is_wrong_is_said_in_one_line(leadvibe, csv_file):
    unknown = leadvibe("import", "events", csv_file, "--org", "Nobody")
    no_csv = leadvibe("import", "events", "-", "--org", "Acme", stdin="%PDF-1.7")

    assert (unknown.returncode, no_csv.returncode) == (1, 1)
    assert 'There is no organisation "Nobody"' in unknown.stderr
    assert "This is a PDF, not CSV" in no_csv.stderr
    assert no_csv.stderr.count("\n") == 1


def test_all_leads_are_rescored_and_proved(leadvibe, csv_file):
    leadvibe("import", "events", csv_file, "--org", "Acme", "--wait")
    acme = setup.ensure_organization("Acme", by="test", now=utc_now())
    scope = setup.default_scope(acme.org_id)
    [rule] = scoring_queries.list_rules(scope)
    scoring.update_rule(make_principal(scope), scope, rule.rule_id, {"weight": 9}, now=utc_now())
    commit()

    rescored = leadvibe("scores", "rescore", "--org", "Acme")
    verified = leadvibe("scores", "verify", "--org", "Acme")

    version = scoring_queries.current_version(scope)
    assert rescored.stdout == f"2 leads are scored under version {version}\n"
    assert verified.returncode == 0
    assert driver().execute("SELECT score FROM lead_scores").fetchall() == [(9,), (9,)]


def test_a_difference_is_told_by_the_place_where_it_is(leadvibe, csv_file):
    leadvibe("import", "events", csv_file, "--org", "Acme", "--wait")
    driver().execute("UPDATE events SET suppression_reason = 'inorganic'")
    driver().execute("DELETE FROM lead_sessions")
    commit()

    found = leadvibe("scores", "verify", "--org", "Acme").stdout

    assert found.count("Verdict(reason='inorganic'") == 2
    assert found.count("sessions no. 1 is missing, a replay says Session(") == 2
