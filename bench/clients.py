"""`make bench-clients`: first pages of lists of leads as clients of other products ask for them.

Every filter, every order, and pairs of these, over BENCH_LEADS leads (a million unless said). Each
group of requests is sent BENCH_RUNS times (20) with other values, in this process, through the
whole application. Groups whose p95 is above MOST_MS are named again at the end. With BENCH_HOME,
the leads are kept in that folder, and made only once.

Machines that are shared lose half of their pace for minutes. So the same work is timed beside each
group (BARE), and groups are judged at the pace that the machine had for the quickest tenth of them.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from math import ceil
from pathlib import Path
from random import Random
from typing import NamedTuple

from flask import Flask
from werkzeug.test import Client

from bench import client_data, client_requests, data
from leadvibe.app import create_app
from leadvibe.cli.wiring import with_embedded
from leadvibe.http.principal import security
from leadvibe.identity.api_keys import KeyKind, create_api_key
from leadvibe.identity.types import Scope
from leadvibe.lib import embedded, memory, migrate
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, db, driver
from leadvibe.settings import Settings

LEADS = int(os.environ.get("BENCH_LEADS", "1000000"))
RUNS = int(os.environ.get("BENCH_RUNS", "20"))
ONLY = os.environ.get("BENCH_ONLY", "")
MOST_MS = 80
BARE = "SELECT count(*) FROM generate_series(1, 200000) n WHERE n %% 7 = %s"


class Measured(NamedTuple):
    """What requests of a group took by the clock, and of processors, here and in the database.

    The latter leaves out what helpers of the database do for it meanwhile, in long statements.
    `bare_ms` is what BARE took beside them.
    """

    name: str
    times_ms: list[float]
    busy_ms: list[float]
    worst: str
    bare_ms: float = 0.0

    def at_pace(self, bare_ms: float) -> Measured:
        """Return what it would have taken where BARE takes so long."""
        pace = bare_ms / self.bare_ms
        scaled = ([ms * pace for ms in times] for times in (self.times_ms, self.busy_ms))
        return Measured(self.name, *scaled, self.worst, bare_ms)


def share_of(times_ms: list[float], share: float) -> float:
    """Return the time that such a share of the requests took at most (nearest rank)."""
    return times_ms[max(ceil(len(times_ms) * share), 1) - 1]


def main() -> None:
    with _home() as home:
        settings = Settings.from_environment({"LEADVIBE_HOME": str(home), "LOG_LEVEL": "warning"})
        with embedded.start(home):
            settings = with_embedded(settings)
            migrate.upgrade(settings.database_url)
            app = create_app(settings)
            with app.app_context():
                scope = _find_filled() or _fill()
                keys = _make_keys(scope)
                values = client_requests.read_values(scope)
                db.session.remove()
            memory.settle()  # as web processes do
            report([_measure(app, keys, group) for group in client_requests.groups(values, ONLY)])


@contextmanager
def _home() -> Iterator[Path]:
    kept = os.environ.get("BENCH_HOME")
    if kept:
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="lvb", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # the servers may run as another account
        yield Path(folder) / "home"


def _find_filled() -> Scope | None:
    row = (
        driver()
        .execute(
            "SELECT org_id, unit_id FROM units JOIN lead_tallies USING (unit_id) WHERE listed = %s",
            (LEADS,),
        )
        .fetchone()
    )
    return Scope(*row) if row else None


def _fill() -> Scope:
    started = time.perf_counter()
    place = data.make_place(security(), f"Clients {LEADS}", f"clients{LEADS}@leadvibe.example")
    members = client_data.make_members(place.scope, security())
    client_data.fill(place.scope, LEADS, members=members)
    print(f"filled with {LEADS:,} leads in {time.perf_counter() - started:,.0f} s")
    return place.scope


def _make_keys(scope: Scope) -> dict[str, dict[str, str]]:
    """Return the headers of each dialect, by its path."""
    keys = [
        create_api_key(
            scope, kind, name="bench", lasts=timedelta(days=1), created_by=None, now=utc_now()
        ).text
        for kind in (KeyKind.OCTANIST, KeyKind.NEXUS)
    ]
    commit()
    return {
        client_requests.OCTANIST: {"X-API-KEY": keys[0]},
        client_requests.NEXUS: {"Authorization": f"Bearer {keys[1]}"},
    }


def _measure(app: Flask, keys: dict[str, dict[str, str]], group: client_requests.Group) -> Measured:
    client, random, times = Client(app), Random(group.name), []
    bare_ms = _bare_ms(app)
    for number in range(RUNS + 1):
        query = group.make(random)
        busy_before, started = _busy_ms(app), time.perf_counter()
        response = client.get(group.path, query_string=query, headers=keys[group.path])
        body = response.data
        took_ms = (time.perf_counter() - started) * 1_000
        busy_ms = _busy_ms(app) - busy_before
        if response.status_code != HTTPStatus.OK:
            raise SystemExit(f"{group.path} {query}: {response.status_code} {body!r}")
        if number:  # the first one opens connections and reads what others find in memory
            times.append((busy_ms, took_ms, "&".join(f"{k}={v}" for k, v in query.items())))
    times.sort()
    measured = Measured(
        group.name,
        sorted(ms for _, ms, _ in times),
        [ms for ms, _, _ in times],
        times[-1][2],
        min(bare_ms, _bare_ms(app)),
    )
    _print(measured)
    return measured


def _bare_ms(app: Flask) -> float:
    """Return what work takes now that is always the same: the quicker of two times."""
    took: list[float] = []
    with app.app_context():
        for number in range(2):
            started = time.perf_counter()
            driver().execute(BARE, (number,)).fetchone()
            took.append((time.perf_counter() - started) * 1_000)
        db.session.remove()
    return min(took)


def _busy_ms(app: Flask) -> float:
    """Return what this process, and those of the database that serve it, have used so far."""
    with app.app_context():
        backends = [pid for (pid,) in driver().execute(BACKENDS)]
        db.session.remove()
    used = [Path(f"/proc/{pid}/schedstat") for pid in backends]
    in_database = sum(int(it.read_text().split()[0]) for it in used if it.exists())
    return time.process_time() * 1_000 + in_database / 1e6


BACKENDS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"


def _print(it: Measured) -> None:
    figures = [
        share_of(times, share) for times in (it.times_ms, it.busy_ms) for share in (0.5, 0.95, 1)
    ]
    print(
        f"{it.name:58}"
        + "".join(f"{ms:8.1f}" for ms in (*figures, it.bare_ms))
        + f"  {it.worst[:90]}",
        flush=True,
    )


def report(measured: list[Measured]) -> None:
    paces = sorted(it.bare_ms for it in measured)
    quick = share_of(paces, 0.1)
    print(
        f"\nBARE took {quick:.1f} ms beside the quickest tenth of groups, {paces[-1]:.1f} at most."
    )
    print("At the pace of the former:")
    at_pace = [it.at_pace(quick) for it in measured]
    slow = [it for it in at_pace if share_of(it.times_ms, 0.95) > MOST_MS]
    print(f"{len(measured)} groups, {len(slow)} of them with a p95 above {MOST_MS} ms:")
    heads = ("p50 ms", "p95", "worst", "p50 busy", "p95", "worst", "BARE")
    print(f"{'what':58}" + "".join(f"{it:>8}" for it in heads))
    for it in sorted(slow, key=lambda it: -share_of(it.times_ms, 0.95)):
        _print(it)
    _print(_together("all requests", at_pace, quick))
    _print(_together("all requests, as they were timed", measured, share_of(paces, 0.5)))


def _together(name: str, measured: list[Measured], bare_ms: float) -> Measured:
    times = sorted(ms for it in measured for ms in it.times_ms)
    return Measured(name, times, sorted(ms for it in measured for ms in it.busy_ms), "", bare_ms)


if __name__ == "__main__":
    main()
