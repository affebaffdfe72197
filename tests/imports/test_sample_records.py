from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median

import pytest

from leadvibe.imports.sample import SAMPLE_RULESETS, SampleRecord, SampleYear, generate
from leadvibe.imports.sample.planning import Prospect, plan_calls
from leadvibe.imports.sample.rhythm import DAY, HOUR, Rhythm
from leadvibe.leads.fields import BY_NAME, CLICK_IDS, read_fields
from leadvibe.leads.statuses import Status
from leadvibe.pipeline.calling import CallOutcome

END = datetime(2026, 6, 17, 10, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 18, tzinfo=UTC)
LEADS, EVENTS = 900, 9_000
OPEN = {Status.NOT_CONTACTED, Status.CONTACTED, Status.QUALIFIED}


def make_year(**changes) -> SampleYear:
    return generate(**{"seed": 11, "leads": LEADS, "events": EVENTS, "end": END} | changes)


@pytest.fixture(scope="module")
def year() -> SampleYear:
    return make_year()


def status_of(record: SampleRecord) -> Status:
    return record.changes[-1].status if record.changes else Status.NOT_CONTACTED


def calls_of(year: SampleYear) -> list[datetime]:
    times = [it.fields.get("next_call_at") for it in year.records]
    return [datetime.fromisoformat(str(it)) for it in times if it]


def test_every_status_occurs_and_the_better_the_score_the_further_it_is(year):
    weights = {rule.event_type: rule.weight for rule in SAMPLE_RULESETS[0].rules}
    points: Counter[tuple[str, str]] = Counter()
    for event in year.events:
        points[event.aliases[0]] += weights.get(event.event_type, 0)
    scores = defaultdict(list)
    for lead, record in zip(year.leads, year.records, strict=True):
        scores[status_of(record)].append(sum(points[it] for it in lead.aliases))

    typical = {status: median(found) for status, found in scores.items()}

    assert set(typical) == set(Status)
    assert typical[Status.CONVERTED] > typical[Status.QUALIFIED] > typical[Status.CONTACTED]
    assert typical[Status.CONTACTED] > typical[Status.NOT_CONTACTED]


def test_each_change_of_status_follows_from_the_one_before(year):
    first_seen: dict[tuple[str, str], datetime] = {}
    for event in year.events:
        for alias in event.aliases:
            first_seen.setdefault(alias, event.occurred_at)
    for lead, record in zip(year.leads, year.records, strict=True):
        steps = record.changes
        assert [it.before for it in steps] == [Status.NOT_CONTACTED, *(it.status for it in steps)][
            : len(steps)
        ]
        assert all(it.status is not it.before and it.by for it in steps)
        assert all(one.at <= other.at for one, other in pairwise(steps))
        born = min(first_seen[alias] for alias in lead.aliases)
        assert all(born <= it.at < END for it in steps)


def test_what_is_lost_has_a_reason_and_nothing_else_has(year):
    for record in year.records:
        assert ("loss_reason" in record.fields) is (status_of(record) is Status.LOST)


def test_a_deal_is_counted_once_and_what_is_won_is_worth_something(year):
    worth = [it.fields["value"] for it in year.records if status_of(it) is Status.CONVERTED
             and "value" in it.fields]  # fmt: skip
    deals = {it.metadata["deal_id"] for it in year.events if it.event_type == "deal_won"}

    assert len(worth) >= len(deals)
    assert all(value > 0 for value in worth)
    assert {it.fields["currency"] for it in year.records if "value" in it.fields} == {"USD"}


def test_records_say_what_the_fields_can_hold(year):
    for record in year.records:
        assert record.fields.keys() <= BY_NAME.keys()
        assert read_fields(record.fields).keys() == record.fields.keys()


def test_strangers_have_no_record(year):
    for lead, record in zip(year.leads, year.records, strict=True):
        if "email" not in dict(lead.aliases):
            assert record == SampleRecord({})


def test_leads_come_from_everywhere_and_ids_are_kept_only_of_who_consented(year):
    sources = Counter(it.fields.get("source") for it in year.records)
    clicked = [it.fields for it in year.records if {"gclid", "fbc"} & it.fields.keys()]

    assert {"Organic search", "Google Ads", "Meta Ads", "Webinar", "Outreach", "Referral"} < set(
        sources
    )
    assert clicked
    assert all(it["ad_storage"] for it in clicked)
    for record in year.records:
        if record.fields.get("analytics_storage") is False:
            assert not {"ga4cid", "ga4sid"} & record.fields.keys()
        if "ad_storage" not in record.fields:
            assert not record.fields.keys() & set(CLICK_IDS)


def test_calls_are_overdue_due_today_and_due_later(year):
    calls = calls_of(year)

    assert sum(at < END for at in calls) >= 3
    assert sum(END < at < MIDNIGHT for at in calls) >= 3
    assert sum(MIDNIGHT < at < END + timedelta(days=7) for at in calls) >= 3
    assert all(END - timedelta(days=3) <= at < END + timedelta(days=22) for at in calls)
    planned = [it for it in year.records if "next_call_at" in it.fields]
    assert {status_of(it) for it in planned} <= OPEN
    assert {it.rep is None for it in planned} == {True, False}


def test_who_has_left_a_number_is_called_first():
    rhythm = Rhythm(Random(1), END)
    days = [END.timestamp() - number * DAY for number in range(59)]
    prospects = [Prospect("Europe/London", at, number % 2 == 0) for number, at in enumerate(days)]

    called = [prospects[number] for number in plan_calls(rhythm, prospects)]

    assert [it.has_phone for it in called].count(True) > 0.9 * 30
    assert [it.has_phone for it in called].count(False) > 3


def test_a_call_is_overdue_even_if_sales_has_had_to_do_with_everybody_since():
    touched = [END.timestamp() - hours * HOUR for hours in (3, 9, 20, 40)]
    prospects = [Prospect("Europe/London", at, has_phone=True) for at in touched]

    planned = plan_calls(Rhythm(Random(1), END), prospects)

    overdue = {number: at for number, at in planned.items() if at < END.timestamp()}
    assert overdue
    assert all(at > touched[number] for number, at in overdue.items())


@pytest.mark.parametrize("hour", [0, 6, 16, 22, 23])
def test_some_calls_are_due_today_at_whatever_hour_the_year_ends(hour):
    end = datetime(2026, 6, 17, hour, 29, tzinfo=UTC)

    calls = calls_of(make_year(leads=200, events=2_000, end=end))

    assert any(end < at < MIDNIGHT for at in calls)
    assert any(at < end for at in calls)


def test_calls_of_the_past_are_told_as_members_log_them(year):
    calls = [it.metadata for it in year.events if it.event_type == "call_logged"]

    assert {it["outcome"] for it in calls} <= set(CallOutcome)
    assert all(it["by"] for it in calls)


def test_who_sells_changes_no_more_than_names():
    few = {"leads": 200, "events": 2_000}
    one, other = make_year(**few), make_year(**few, reps=["Zoe"])

    assert {it.rep for it in other.records} == {"Zoe", None}
    assert [it[:3] for it in other.events] == [it[:3] for it in one.events]
    assert [it.fields for it in other.records] == [it.fields for it in one.records]
