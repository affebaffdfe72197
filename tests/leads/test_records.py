"""What is recorded of leads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from leadvibe.leads import records, statuses
from leadvibe.leads.fields import LONGEST_RECORDED, as_recorded
from leadvibe.leads.models import NARROWED_BY
from leadvibe.leads.records import Told
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.db import driver

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_no_lead_is_changed_before_it_is_made_by_a_clock_that_goes_wrong(people):
    scope, early = people.scope, NOON - timedelta(minutes=5)

    for change in (
        lambda: records.write_records(scope, [Told("ann", "Ann", "api", NOON, {}, ())], now=early),
        lambda: statuses.change_status(scope, "ann", Outcome.WON, by="x", via="x", now=early),
        lambda: records.write_records(
            scope, [Told("ann", "Ann", "api", NOON, {"value": 5}, ())], now=early
        ),
    ):
        change()
        assert changed_at(scope) == NOON

    statuses.change_status(
        scope, "ann", Outcome.LOST, by="x", via="x", now=NOON + timedelta(minutes=1)
    )
    assert changed_at(scope) == NOON + timedelta(minutes=1)


def test_the_longest_texts_of_any_script_are_recorded(people):
    random = Random(1)
    lead_id, name, address, long = (
        "".join(chr(random.randrange(0x1F300, 0x1FAF0)) for _ in range(length))
        for length in (200, 200, 512, 2_000)
    )
    texts = dict.fromkeys(NARROWED_BY, long) | {"first_name": name, "last_name": name}
    aliases = (("email", address), ("phone", address))

    records.write_records(
        people.scope, [Told(lead_id, name, "api", NOON, texts, aliases)], now=NOON
    )

    [(website, emails)] = driver().execute("SELECT website, emails FROM lead_records").fetchall()
    assert website == as_recorded(long) == long[: len(website)]
    assert len(website.encode()) > LONGEST_RECORDED - 4
    assert emails == [address]


def changed_at(scope):
    statement = "SELECT updated_at FROM lead_records WHERE unit_id = %s"
    [at] = driver().execute(statement, (scope.unit_id,)).fetchone()
    return at
