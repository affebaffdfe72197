"""`make bench`: what Leadvibe does, beside what the bare parts do in the same run.

Machines differ and are noisy, so the ratio says more than the rate. Prints a table and writes
bench.json. The database is durable, as in production; everything shares this machine's cores,
the load generator included.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.cookiejar import CookieJar
from pathlib import Path

from bench import data, load, pages, rescore
from bench.lines import Line
from leadvibe.app import create_app
from leadvibe.cli.wiring import with_embedded
from leadvibe.http.principal import security
from leadvibe.lib import embedded, memory, migrate
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import intake, process
from leadvibe.settings import Settings

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
LEADS = int(os.environ.get("BENCH_LEADS", "100000"))
EVENTS = 100_000
RESCORED = int(os.environ.get("BENCH_RESCORED", "1000000"))
PEOPLE = 5_000
BATCH = 1_000
CONNECTIONS = 32
PAGE_CONNECTIONS = 8


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lvb", dir="/tmp") as folder:
        home = Path(folder) / "home"
        Path(folder).chmod(0o755)  # the servers may run as another account
        settings = Settings.from_environment({"LEADVIBE_HOME": str(home), "LOG_LEVEL": "warning"})
        with embedded.start(home):
            settings = with_embedded(settings)
            migrate.upgrade(settings.database_url)
            app = create_app(settings)
            with app.app_context():
                place = data.make_place(security())
                busy = data.make_place(security(), "Busy", "busy@leadvibe.example")
                data.switch_everything_on(busy)
                alert = data.make_place(security(), "Alert", "alert@leadvibe.example")
                data.add_triggers(alert)
                history = data.make_place(security(), "History", "history@leadvibe.example")
                lines = [
                    *over_http(settings, place, str(home)),
                    *in_process(place, busy, alert),
                    *rescoring(history),
                ]
    report(lines)


def over_http(settings: Settings, place: data.Place, home: str) -> Iterator[Line]:
    """Measure requests, with web server and load generator on the same cores."""
    dsn = settings.database_url.replace("postgresql+psycopg", "postgresql")
    driver().execute("CREATE TABLE bench_rows (id bigint GENERATED ALWAYS AS IDENTITY, body text)")
    commit()
    data.fill_leads(place.scope, LEADS)
    with server(["-m", "gunicorn", "-k", "gthread", "-w", "2", "--threads", "64",
                 "--reuse-port", "--no-control-socket", "--log-level", "warning", "-b", "{bind}",
                 "bench.bare:app"], BENCH_DSN=dsn, BENCH_UNIT=str(place.scope.unit_id),
                probe="/noop") as bare, \
         server(["-m", "leadvibe.cli", "serve", "--home", home, "--port", "{port}"],
                LOG_LEVEL="warning", probe="/healthz") as web:  # fmt: skip
        noop = hit(bare, load.request_bytes("GET", "/noop"), 200)
        one = data.as_body(data.make_events(1, people=1)[0])
        insert = hit(bare, load.request_bytes("POST", "/insert", body=one), 202)
        yield line("/ingest", ingest_one(web, place), "requests/s", "INSERT + COMMIT", insert)
        yield batches(web, place)
        data.settle()  # those batches would be vacuumed while pages are measured
        yield line("leads page", leads_page(web), "requests/s", "no-op route", noop)
        rows = hit(bare, load.request_bytes("GET", "/rows"), 200, connections=PAGE_CONNECTIONS)
        leads = leads_api(web, place)
        yield line("GET /leads", leads, "requests/s", "no-op route", noop)
        yield line("  the same", leads, "requests/s", "25 rows as JSON", rows)
        yield from pages.measure(web)


def in_process(place: data.Place, busy: data.Place, alert: data.Place) -> Iterator[Line]:
    """Measure what workers do, in this one process: plainly, and with all that scoring can do."""
    driver().execute("TRUNCATE inbox")
    commit()
    incoming = [
        intake.IncomingEvent.model_validate(event)
        for event in data.make_events(EVENTS, people=PEOPLE)
    ]
    memory.settle()  # as workers do
    accepted = rate(EVENTS, lambda: accept_all(place, incoming))
    processed = rate(EVENTS, lambda: process.drain(place.scope))
    inbox_copy, event_copy = copy_rates()
    yield Line("import rows (accept)", accepted, "rows/s", "COPY of the rows", inbox_copy)
    yield Line("pipeline, 2 rulesets", processed, "events/s", "COPY of the rows", event_copy)
    accept_all(busy, incoming)
    processed = rate(EVENTS, lambda: process.drain(busy.scope))
    yield Line("pipeline, everything on", processed, "events/s", "COPY of the rows", event_copy)
    accept_all(alert, incoming)
    processed = rate(EVENTS, lambda: process.drain(alert.scope))
    yield Line("pipeline, ten triggers", processed, "events/s", "COPY of the rows", event_copy)


def rescoring(place: data.Place) -> Iterator[Line]:
    """Measure going over history again: the ratio's bare limit reads it and writes its ledger."""
    rescore.fill(place, RESCORED)
    seconds = rescore.rescore_all(place)
    peak_mb = rescore.peak_memory_mb()
    bare = rescore.bare_seconds(place)
    yield Line("rescore", RESCORED / seconds, "events/s", "read + COPY of ledger", RESCORED / bare)
    yield Line("  its memory at most", peak_mb, "MB")
    yield Line("replay of 1,000 events", rescore.one_long_lead_ms(place), "ms")


def accept_all(place: data.Place, incoming: list[intake.IncomingEvent]) -> None:
    for start in range(0, len(incoming), BATCH):
        intake.accept(place.scope, incoming[start : start + BATCH], source="bench", now=utc_now())
        commit()


def copy_rates() -> tuple[float, float]:
    """Copy the very rows again into tables of the same shape: the inbox's, and the pipeline's."""
    rates = []
    inbox_shape = (
        "SELECT unit_id, receipt, event_id, received_at, source, message_id, metadata, version"
        " FROM events"
    )
    shapes = {
        "inbox": inbox_shape, "events": "TABLE events", "score_entries": "TABLE score_entries"
    }  # fmt: skip
    for tables in (("inbox",), ("events", "score_entries")):
        seconds = 0.0
        for table in tables:
            driver().execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            with driver().cursor().copy(f"COPY ({shapes[table]}) TO STDOUT") as out:
                rows = b"".join(bytes(piece) for piece in out)
            started = time.perf_counter()
            with driver().cursor().copy(f"COPY bench_{table} FROM STDIN") as into:
                into.write(rows)
            commit()
            seconds += time.perf_counter() - started
        rates.append(EVENTS / seconds)
    return rates[0], rates[1]


def ingest_one(web: tuple[str, int], place: data.Place) -> load.Report:
    bodies = [data.as_body(event) for event in data.make_events(2_000, people=PEOPLE)]
    headers = json_headers(place)
    requests = [load.request_bytes("POST", "/ingest", headers=headers, body=it) for it in bodies]
    return hit(web, lambda number: requests[number % len(requests)], 202)


def batches(web: tuple[str, int], place: data.Place) -> Line:
    events = data.make_events(20 * BATCH, people=PEOPLE)
    headers = json_headers(place)
    requests = [
        load.request_bytes(
            "POST", "/ingest/batch", headers=headers,
            body=data.as_body({"events": events[start : start + BATCH]}),
        )
        for start in range(0, len(events), BATCH)
    ]  # fmt: skip
    report = hit(web, lambda number: requests[number % len(requests)], 202, connections=4)
    return Line(
        "/ingest/batch of 1,000", report.rate * BATCH, "events/s",
        p50_ms=report.percentile_ms(50), p95_ms=report.percentile_ms(95),
    )  # fmt: skip


def leads_page(web: tuple[str, int]) -> load.Report:
    cookie = sign_in(web)
    request = load.request_bytes("GET", "/app/leads", headers={"Cookie": cookie})
    return hit(web, request, 200, connections=PAGE_CONNECTIONS)


def leads_api(web: tuple[str, int], place: data.Place) -> load.Report:
    request = load.request_bytes("GET", "/leads?page=1&limit=25", headers=json_headers(place))
    return hit(web, request, 200, connections=PAGE_CONNECTIONS)


def hit(
    address: tuple[str, int],
    request: bytes | Callable[[int], bytes],
    status: int,
    *,
    connections: int = CONNECTIONS,
) -> load.Report:
    make = request if callable(request) else lambda _number: request
    load.run(address, make, connections=connections, seconds=min(1.0, SECONDS))  # warm-up
    return load.run(address, make, connections=connections, seconds=SECONDS).only(status)


def line(what: str, report: load.Report, unit: str, bare: str, limit: load.Report) -> Line:
    return Line(
        what, report.rate, unit, bare, limit.rate,
        report.percentile_ms(50), report.percentile_ms(95),
    )  # fmt: skip


def rate(count: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def json_headers(place: data.Place) -> dict[str, str]:
    token = base64.b64encode(f"{place.client_id}:{place.client_secret}".encode()).decode()
    return {"Authorization": f"Basic {token}", "Content-Type": "application/json"}


def sign_in(address: tuple[str, int]) -> str:
    """Sign in as a browser does and return the cookies."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    url = f"http://{address[0]}:{address[1]}/app/login"
    form = browser.open(url).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    fields = {"csrf_token": token.group(1), "email": data.EMAIL, "password": data.PASSWORD}
    browser.open(url, urllib.parse.urlencode(fields).encode())
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@contextmanager
def server(command: list[str], *, probe: str, **environment: str) -> Iterator[tuple[str, int]]:
    """Run a web server on a free port for as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    filled = [part.format(bind=f"127.0.0.1:{port}", port=port) for part in command]
    process_ = subprocess.Popen([sys.executable, *filled], env=os.environ | environment)
    try:
        wait_for(f"http://127.0.0.1:{port}{probe}", process_)
        yield "127.0.0.1", port
    finally:
        process_.terminate()
        process_.wait()


def wait_for(url: str, process_: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process_.poll() is not None:
            raise SystemExit(f"the server of {url} ended at once")
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def report(lines: list[Line]) -> None:
    print(f"\n{'what':26}{'measured':>22}{'p50 ms':>9}{'p95 ms':>9}  {'bare limit':32}{'ratio':>6}")
    for it in lines:
        measured = f"{it.measured:,.0f} {it.unit}"
        bare = f"{it.bare_measured:,.0f} {it.bare}" if it.bare else ""
        ratio = f"{it.ratio:.2f}" if it.ratio else ""
        p50, p95 = (f"{ms:.1f}" if ms is not None else "" for ms in (it.p50_ms, it.p95_ms))
        print(f"{it.what:26}{measured:>22}{p50:>9}{p95:>9}  {bare:32}{ratio:>6}")
    stored = {"at": utc_now().isoformat(), "cores": os.cpu_count(), "leads": LEADS,
              "lines": [asdict(it) | {"ratio": it.ratio} for it in lines]}  # fmt: skip
    Path("bench.json").write_text(json.dumps(stored, indent=2) + "\n")
    print("\nwritten to bench.json")


if __name__ == "__main__":
    main()
