"""What a worker has read ahead decides nothing: whoever takes part, in whichever order."""

from __future__ import annotations

import random
from itertools import count

import pytest

from leadvibe.engine.policies import SURGE_STANDARD
from leadvibe.events import service as events
from leadvibe.events.types import Arrival
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import process, rescore
from leadvibe.pipeline.claims import ReadAhead
from tests.factories import make_event, make_metadata_filter, make_rule, make_scope, send, set_surge

TABLES = ("inbox", "events", "dead_letters")


def receipts(claimed):
    return [arrival.receipt for arrival in claimed]


def send_many(scope, number):
    send(scope, *(make_event(lead_id=f"lead{each % 7}") for each in range(number)))
    commit()


def claim(ahead, scope, *, limit):
    claimed = receipts(ahead.claim(scope, limit=limit))
    rollback()
    return claimed


def fresh_claim(scope, *, limit):
    claimed = receipts(events.claim_arrivals(scope, limit=limit))
    rollback()
    return claimed


def test_what_was_read_ahead_is_what_is_claimed_next(app, fresh_database):
    scope, ahead = make_scope(), ReadAhead()
    send_many(scope, 40)
    process.process_batch(scope, limit=20, ahead=ahead)
    read_ahead = receipts(ahead._arrivals[scope.unit_id])

    claimed = claim(ahead, scope, limit=20)

    assert claimed == read_ahead == fresh_claim(scope, limit=20)
    assert len(claimed) == 20


@pytest.mark.parametrize("taken", [1, 19, 20, 35])
def test_what_another_worker_took_is_not_claimed_again(app, fresh_database, taken):
    scope, ahead = make_scope(), ReadAhead()
    send_many(scope, 60)
    process.process_batch(scope, limit=20, ahead=ahead)

    process.process_batch(scope, limit=taken)

    assert claim(ahead, scope, limit=20) == fresh_claim(scope, limit=20)


def test_what_came_in_meanwhile_waits_its_turn(app, fresh_database):
    scope, ahead = make_scope(), ReadAhead()
    send_many(scope, 25)
    process.process_batch(scope, limit=20, ahead=ahead)

    send_many(scope, 30)
    process.process_batch(scope, limit=20, ahead=ahead)

    assert len(fresh_claim(scope, limit=100)) == 30
    assert process.drain(scope) == 30


@pytest.mark.parametrize("seed", range(6))
def test_three_workers_that_read_ahead_lose_and_double_nothing(app, fresh_database, seed):
    """In any order, with changes of the rules and broken events between."""
    chance, numbers = random.Random(seed), count()
    scope = make_scope()
    make_rule(scope, "page_view", 3)
    make_metadata_filter(scope, ("agent", "contains", "bot"))
    commit()
    workers = [ReadAhead(), ReadAhead(), None]
    sent = broken = 0

    for _ in range(40):
        step = chance.random()
        if step < 0.3:
            size = chance.randrange(1, 60)
            send(
                scope,
                *(
                    make_event(
                        chance.choice(["page_view", "email_bounced"]),
                        lead_id=f"lead{chance.randrange(9)}",
                        message_id=f"m{next(numbers)}",
                        metadata={"agent": chance.choice(["a person", "a bot"])},
                    )
                    for _ in range(size)
                ),
            )
            sent += size
        elif step < 0.4:
            make_rule(scope, f"rule{next(numbers)}", 1)
            set_surge(scope, SURGE_STANDARD)
        elif step < 0.5:
            arrival = Arrival(new_id(), utc_now(), "test", None, '{"event_type": "broken"}')
            events.post_arrivals(scope, [arrival], version=1)
            broken += 1
        commit()
        for _ in range(chance.randrange(3)):
            limit = chance.choice([5, 20, 50])
            process.process_batch(scope, limit=limit, ahead=chance.choice(workers))
    process.drain(scope)

    counts = [driver().execute(f"SELECT count(*) FROM {it}").fetchone()[0] for it in TABLES]
    rollback()
    assert counts == [0, sent, broken]
    assert [one for step in rescore.verify(scope) for one in step.found] == []
