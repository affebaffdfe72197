"""The front door, signs of life, and what monitoring reads."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from leadvibe.lib.db import commit, driver, session
from leadvibe.lib.queue import JobQueue, open_queue
from leadvibe.metrics import service
from tests.api.notification_examples import REFUSED, add_delivery, attempt

UNREACHABLE = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1"
NO_BROKER = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("path", "document"), [("/", {"status": "ok"}), ("/home", {"status": "ok", "page": "home"})]
)
def test_programs_hear_that_all_is_well_and_browsers_are_led_to_the_pages(client, path, document):
    assert client.get(path).json == document
    assert client.get(path, headers={"Accept": "application/json"}).json == document

    browser = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert browser.status_code == 302
    assert browser.headers["Location"] == "/app"
    assert "Accept" in browser.headers["Vary"]


def test_a_ready_server_says_what_it_stands_on(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json["database"] == "reachable"
    assert response.json["redis"] == "reachable"


def test_a_server_is_not_ready_before_the_migrations(client):
    session().execute(text("UPDATE alembic_version SET version_num = '0000'"))
    commit()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "leadvibe db upgrade" in response.json["error"]
    assert list(response.json["fields"]) == ["migrations"]


def test_a_server_is_not_ready_without_any_tables(client):
    session().execute(text("DROP TABLE alembic_version"))
    commit()

    assert client.get("/readyz").json["code"] == "unavailable"


def test_without_a_database_a_server_lives_and_is_not_ready(make_app):
    client = make_app(database_url=UNREACHABLE).test_client()

    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")
    assert response.status_code == 503
    assert list(response.json["fields"]) == ["database"]
    assert "127.0.0.1" not in response.text


def test_without_a_broker_a_server_is_ready_and_says_so(make_app, fresh_database):
    response = make_app(redis_url=NO_BROKER).test_client().get("/readyz")

    assert (response.status_code, response.json["redis"]) == (200, "unreachable")


def series(client):
    response = client.get("/metrics")
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return response.text


def value(metrics, name):
    found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_metrics_have_the_names_of_the_contract(client):
    metrics = series(client)

    for name, kind in {
        "events_ingested_total": "counter",
        "queue_depth": "gauge",
        "event_to_slack_latency_seconds": "histogram",
        "http_requests_total": "counter",
    }.items():
        assert f"# HELP {name} " in metrics
        assert f"# TYPE {name} {kind}\n" in metrics
    assert re.findall(r"^(?!#)(\w+)", metrics, re.MULTILINE)[:2] == [
        "events_ingested_total",
        "queue_depth",
    ]
    assert "_created" not in metrics


def test_metrics_count_what_comes_in_and_what_waits(api, client):
    before = series(client)
    api.post("/ingest", {"event_type": "page_view", "lead_id": "ld_1"})

    after = series(client)

    assert value(after, "events_ingested_total") == value(before, "events_ingested_total") + 1
    assert value(after, "queue_depth") == value(before, "queue_depth") + 1


def test_metrics_count_requests_by_code_and_method(client):
    name = 'http_requests_total{code="404",method="GET"}'
    other = 'http_requests_total{code="404",method="OTHER"}'
    before = series(client)
    client.get("/nowhere")
    client.open("/nowhere", method="BREW")

    after = series(client)

    assert value(after, name) == value(before, name) + 1
    assert value(after, other) == value(before, other) + 1
    assert "BREW" not in after


def families(client):
    return {it.name: it for it in text_string_to_metric_families(series(client))}


def samples(family):
    return {(it.name, *sorted(it.labels.values())): it.value for it in family.samples}


def test_metrics_are_what_prometheus_reads(client):
    client.get("/healthz")

    found = families(client)

    assert {name: family.type for name, family in found.items()} == {
        "events_ingested": "counter",
        "queue_depth": "gauge",
        "event_to_slack_latency_seconds": "histogram",
        "http_requests": "counter",
        "http_request_duration_seconds": "histogram",
        "live_streams_open": "gauge",
        "pipeline_lag_seconds": "gauge",
        "dead_letters": "gauge",
        "notification_deliveries": "counter",
        "deliveries_waiting": "gauge",
        "jobs_queued": "gauge",
    }
    assert all(family.documentation for family in found.values())


def test_requests_are_timed_by_route_and_not_by_address(client, people):
    for number in range(3):
        client.get(f"/leads/ld_{number}/score", headers=people.viewer.bearer)
        client.get(f"/nowhere/{number}")
    client.open("/nowhere", method="BREW")

    counts = samples(families(client)["http_request_duration_seconds"])
    name = "http_request_duration_seconds_count"
    routes = {key[1:] for key in counts if key[0] == name}

    assert counts[name, "/leads/{leadID}/score", "GET"] >= 3
    assert counts[name, "GET", "none"] >= 3
    assert ("OTHER", "none") in routes
    assert not [route for route in routes if "ld_" in str(route) or "nowhere" in str(route)]


def test_the_pipelines_lag_is_the_age_of_what_waits_longest(api, client):
    assert families(client)["pipeline_lag_seconds"].samples[0].value == 0
    api.post("/ingest", {"event_type": "page_view", "lead_id": "ld_1"})
    driver().execute("UPDATE inbox SET received_at = received_at - interval '1 hour'")
    commit()

    [lag] = families(client)["pipeline_lag_seconds"].samples

    assert 3600 <= lag.value < 3700


def test_dead_letters_are_counted(client, world):
    world.fail()

    assert families(client)["dead_letters"].samples[0].value == 1


def test_waiting_jobs_are_counted_while_the_broker_is_there(app, client, make_app):
    before = families(client)["jobs_queued"].samples[0].value
    JobQueue(app.extensions["leadvibe.redis"]).send("nothing", job_id="a-job-of-this-test")

    assert families(client)["jobs_queued"].samples[0].value == before + 1
    assert "jobs_queued" not in families(make_app(redis_url=NO_BROKER).test_client())
    open_queue(app.extensions["leadvibe.redis"]).remove("a-job-of-this-test")


def test_latency_to_slack_is_a_histogram_before_and_after_the_first_delivery(client):
    name = "event_to_slack_latency_seconds"
    empty = samples(families(client)[name])
    assert (empty[f"{name}_count",], empty[f"{name}_sum",]) == (0, 0)
    assert empty[f"{name}_bucket", "+Inf"] == 0

    for seconds in (0.4, 3, 3.5, 4_000, -1):
        service.note_slack_latencies([seconds])
    commit()

    counted = samples(families(client)[name])
    assert counted[f"{name}_bucket", "0.5"] == 2
    assert counted[f"{name}_bucket", "5.0"] == 4
    assert counted[f"{name}_bucket", "600.0"] == 4
    assert counted[f"{name}_bucket", "+Inf"] == counted[f"{name}_count",] == 5
    assert counted[f"{name}_sum",] == pytest.approx(4006.9)


def test_requests_are_summed_across_the_processes_of_a_server(tmp_path):
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    script = """
from leadvibe.metrics import service
from tests.api.notification_examples import REFUSED, add_delivery, attempt
from leadvibe.metrics.types import Figures
for _ in range(3):
    service.note_request(method="GET", status=200, route="/x", seconds=0.1)
print(service.render(Figures(0, 0)).decode())
"""

    said = [
        subprocess.run(
            [sys.executable, "-c", script], env=environ, capture_output=True, check=True, text=True
        ).stdout
        for _ in range(2)
    ]

    name = 'http_requests_total{code="200",method="GET"}'
    assert [value(metrics, name) for metrics in said] == [3, 6]


def test_metrics_count_deliveries_by_how_they_ended(client, world):
    add_delivery(world)
    attempt()
    add_delivery(world)
    attempt(REFUSED)

    found = families(client)

    assert samples(found["notification_deliveries"]) == {
        ("notification_deliveries_total", "delivered", "webhook"): 1,
        ("notification_deliveries_total", "temporary", "webhook"): 1,
    }
    assert samples(found["deliveries_waiting"]) == {("deliveries_waiting",): 1}


def test_metrics_know_deliveries_before_there_are_any(client):
    metrics = series(client)

    assert "# TYPE notification_deliveries_total counter" in metrics
    assert value(metrics, "deliveries_waiting") == 0
