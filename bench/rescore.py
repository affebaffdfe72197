"""A whole unit's history gone over again, beside reading it and writing its ledger bare.

The events are put into their table at once, as the pipeline would have left them: what is measured
is the rescore.
"""

from __future__ import annotations

import resource
import tempfile
import time
from statistics import median

from bench import data
from leadvibe.leads import queries as leads
from leadvibe.leads.service import lock_identities
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.pipeline import rescore

EVENTS_PER_LEAD = 20
LONG_LEAD_EVENTS = 1_000
TRIES = 9

FILL_LEADS = """
    INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at, last_event_at)
    SELECT %(unit)s, 'r' || n, 'r' || n, 'bench', now(), now(), now()
    FROM generate_series(1, %(leads)s) AS n
"""
FILL_EVENTS = """
    INSERT INTO events (unit_id, event_id, lead_id, receipt, occurred_at, received_at, version,
                        event_type, channel, source, metadata)
    SELECT %(unit)s, gen_random_uuid(), 'r' || n %% %(leads)s + 1, n,
           timestamptz '2026-01-01' + n * interval '20 seconds', now(), 1,
           'event_' || lpad((n %% 20 + 1)::text, 2, '0'), 'web', 'bench',
           jsonb_build_object('path', '/page/' || n %% 50, 'n', n)
    FROM generate_series(1, %(events)s) AS n
"""
READ = """
    SELECT lead_id, event_id, event_type, occurred_at, receipt, version FROM events
    WHERE unit_id = %s ORDER BY lead_id, occurred_at, receipt
"""


def fill(place: data.Place, events: int) -> None:
    bound = {
        "unit": place.scope.unit_id,
        "events": events,
        "leads": max(1, events // EVENTS_PER_LEAD),
    }
    for statement in (FILL_LEADS, FILL_EVENTS):
        driver().execute(statement, bound)
    commit()
    data.settle()


def rescore_all(place: data.Place) -> float:
    """Rescore every lead of the unit twice, the second time with a ledger to replace; seconds."""
    _walk(place)
    data.settle()
    started = time.perf_counter()
    _walk(place)
    return time.perf_counter() - started


def _walk(place: data.Place) -> None:
    after = ""
    while True:
        lock_identities(place.scope)
        chunk = leads.list_ids(place.scope, after=after, limit=rescore.LEADS_AT_ONCE)
        if not chunk:
            break
        rescore.rescore_leads(place.scope, chunk, now=utc_now())
        commit()
        after = chunk[-1]


def bare_seconds(place: data.Place) -> float:
    """Read the events in order, and copy the ledger's very rows into a table of its shape."""
    started = time.perf_counter()
    with driver().cursor(name="bare") as cursor:
        cursor.itersize = 10_000
        for _ in cursor.execute(READ, (place.scope.unit_id,)):
            pass
    seconds = time.perf_counter() - started
    driver().execute("CREATE TABLE bench_ledger (LIKE score_entries INCLUDING ALL)")
    with tempfile.TemporaryFile() as rows:
        with driver().cursor().copy("COPY score_entries TO STDOUT") as out:
            for piece in out:
                rows.write(piece)
        rows.seek(0)
        started = time.perf_counter()
        with driver().cursor().copy("COPY bench_ledger FROM STDIN") as into:
            while piece := rows.read(1_000_000):
                into.write(piece)
        commit()
    return seconds + time.perf_counter() - started


def one_long_lead_ms(place: data.Place) -> float:
    """Replay one lead with a thousand events and store what comes of it; the median of a few."""
    bound = {"unit": place.scope.unit_id, "events": LONG_LEAD_EVENTS}
    driver().execute(
        "INSERT INTO leads (unit_id, lead_id, name, source, created_at, updated_at)"
        " VALUES (%(unit)s, 'long', 'long', 'bench', now(), now())",
        bound,
    )
    driver().execute(
        """
        INSERT INTO events (unit_id, event_id, lead_id, receipt, occurred_at, received_at, version,
                            event_type, channel, source, metadata)
        SELECT %(unit)s, gen_random_uuid(), 'long', 1000000000 + n,
               timestamptz '2026-01-01' + n * interval '1 hour', now(), 1,
               'event_' || lpad((n %% 20 + 1)::text, 2, '0'), 'web', 'bench', '{}'
        FROM generate_series(1, %(events)s) AS n
        """,
        bound,
    )
    commit()
    times = []
    for _ in range(TRIES):
        lock_identities(place.scope)
        started = time.perf_counter()
        rescore.replay_leads(place.scope, ["long"], now=utc_now())
        times.append(time.perf_counter() - started)
        commit()
    return median(times) * 1000


def peak_memory_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
