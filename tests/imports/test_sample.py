from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from statistics import mean, median

import pytest

from leadvibe.imports.sample import SAMPLE_RULESETS, SampleEvent, SampleYear, generate
from leadvibe.lib.errors import InvalidError

END = datetime(2026, 6, 17, 10, 30, tzinfo=UTC)
YEAR = timedelta(days=365)
LEADS, EVENTS = 1_500, 45_000

EventsByLead = dict[int, list[SampleEvent]]


@pytest.fixture(scope="module")
def year() -> SampleYear:
    return generate(seed=11, leads=LEADS, events=EVENTS, end=END)


@pytest.fixture(scope="module")
def by_lead(year) -> EventsByLead:
    owner = {alias: number for number, lead in enumerate(year.leads) for alias in lead.aliases}
    grouped: EventsByLead = defaultdict(list)
    for event in year.events:
        grouped[owner[event.aliases[0]]].append(event)
    return grouped


def times(events: list[SampleEvent], *event_types: str) -> list[datetime]:
    return [event.occurred_at for event in events if event.event_type in event_types]


def leads_with(by_lead: EventsByLead, event_type: str) -> set[int]:
    return {lead for lead, events in by_lead.items() if times(events, event_type)}


def people_behind(events: tuple[SampleEvent, ...]) -> set[frozenset[tuple[str, str]]]:
    """Resolve identities as the pipeline does: aliases seen in one event belong together."""
    groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for aliases in dict.fromkeys(event.aliases for event in events):
        merged = set(aliases).union(*(groups.get(alias, ()) for alias in aliases))
        groups.update(dict.fromkeys(merged, merged))
    return {frozenset(group) for group in groups.values()}


def fingerprint(year: SampleYear) -> str:
    return sha256(repr(year).encode()).hexdigest()


def score(events: list[SampleEvent]) -> int:
    weights = {rule.event_type: rule.weight for rule in SAMPLE_RULESETS[0].rules}
    points = 0
    for event in events:
        points = max(0, points + weights.get(event.event_type, 0))
    return points


def test_a_seed_always_gives_the_same_year():
    first = generate(seed=3, leads=120, events=2_400, end=END)
    second = generate(seed=3, leads=120, events=2_400, end=END)
    other = generate(seed=4, leads=120, events=2_400, end=END)

    assert first == second
    assert first != other
    assert first.leads[-1] != other.leads[-1]


def test_a_seed_gives_the_same_year_in_another_process():
    code = (
        "from datetime import UTC, datetime; from hashlib import sha256\n"
        "from leadvibe.imports.sample import generate\n"
        "year = generate(seed=3, leads=90, events=1_500, end=datetime(2026, 6, 17, tzinfo=UTC))\n"
        "print(sha256(repr(year).encode()).hexdigest())"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    # A fixed hash seed differs from this process's own, so the order of sets cannot leak in.
    environment = {**os.environ, "PYTHONHASHSEED": "20", "PYTHONPATH": paths}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    here = generate(seed=3, leads=90, events=1_500, end=datetime(2026, 6, 17, tzinfo=UTC))

    assert answer.stdout.strip() == fingerprint(here)


def test_the_global_dice_are_left_alone():
    before = random.getstate()

    generate(seed=3, leads=20, events=100, end=END)

    assert random.getstate() == before


@pytest.mark.parametrize(
    ("leads", "events", "end"),
    [
        (1, 1, END),
        (1, 300, END),
        (7, 9, END),
        (150, 150, END),
        (150, 451, END),
        (400, 2_000, datetime(2025, 1, 1, tzinfo=UTC)),
        (410, 9_001, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        (12, 6_000, datetime(2025, 12, 27, 4, tzinfo=UTC)),
    ],
)
def test_there_are_exactly_as_many_people_and_events_as_asked_for(leads, events, end):
    year = generate(seed=5, leads=leads, events=events, end=end)

    assert len(year.events) == events
    assert len(year.leads) == leads
    assert people_behind(year.events) == {frozenset(lead.aliases) for lead in year.leads}
    assert all(end - YEAR <= event.occurred_at < end for event in year.events)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"leads": 0, "events": 10, "end": END}, "leads"),
        ({"leads": 10, "events": 9, "end": END}, "events"),
        ({"leads": 10, "events": 10, "end": END.replace(tzinfo=None)}, "end"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(arguments, field):
    with pytest.raises(InvalidError) as refusal:
        generate(seed=1, **arguments)

    assert list(refusal.value.fields) == [field]


def test_each_alias_belongs_to_one_lead(year):
    owners = Counter(alias for lead in year.leads for alias in lead.aliases)

    assert set(owners.values()) == {1}
    assert people_behind(year.events) == {frozenset(lead.aliases) for lead in year.leads}
    assert {kind for kind, _ in owners} == {"email", "phone", "external_id", "cookie", "social"}


def test_events_come_in_order_within_the_year(year):
    moments = [event.occurred_at for event in year.events]

    assert moments == sorted(moments)
    assert moments[0] >= END - YEAR
    assert moments[-1] < END
    assert moments[-1] > END - timedelta(hours=6)
    assert {moment.tzinfo for moment in moments} == {UTC}


def test_only_reserved_domains_and_fictional_numbers_appear(year):
    everything = json.dumps([year.leads, [event[2:] for event in year.events]])
    hosts = set(re.findall(r"://([^/\s\"?)]+)", everything))
    hosts |= set(re.findall(r"@([a-z0-9-]+(?:\.[a-z0-9-]+)+)", everything))
    hosts |= {str(lead.metadata["domain"]) for lead in year.leads if "domain" in lead.metadata}
    phones = {value for lead in year.leads for kind, value in lead.aliases if kind == "phone"}

    assert hosts
    assert all(re.search(r"\.(example|test)$", host) for host in hosts)
    assert phones
    assert all(re.fullmatch(r"\+1\d{3}55501\d{2}", phone) for phone in phones)


def test_metadata_is_plain_json_with_a_channel(year):
    for event in year.events:
        assert json.loads(json.dumps(event.metadata)) == event.metadata
        assert event.metadata["channel"] in {"web", "email", "webinar", "crm", "system"}
    for lead in year.leads:
        assert json.loads(json.dumps(lead.metadata)) == lead.metadata


def test_no_two_events_share_their_metadata(year):
    assert len({id(event.metadata) for event in year.events}) == EVENTS


def test_known_people_have_a_profile_and_strangers_have_none(year):
    profile = {
        *("first_name", "last_name", "company", "domain", "title", "industry", "country"),
        "employee_count",
    }
    for lead in year.leads:
        kinds = dict(lead.aliases)
        if "email" not in kinds:
            assert not {"first_name", "company", "title"} & lead.metadata.keys()
        elif kinds["email"].endswith(".example"):
            assert profile <= lead.metadata.keys()
            assert kinds["email"].endswith(f"@{lead.metadata['domain']}")


def test_colleagues_share_a_company(year):
    staff = Counter(lead.metadata["company"] for lead in year.leads if "company" in lead.metadata)

    assert max(staff.values()) >= 5
    assert len(staff) > LEADS / 5


def test_weekends_are_quiet(year):
    days = Counter(event.occurred_at.weekday() for event in year.events)

    assert max(days[5], days[6]) < 0.4 * min(days[day] for day in range(5))


def test_the_days_from_christmas_to_new_year_are_quiet(year):
    # People, not events: a single crawler reads more than all of them on such a day.
    days = Counter(day for day, _ in {(e.occurred_at.date(), e.aliases) for e in year.events})
    holidays = mean(days[date(2025, 12, 24) + timedelta(days=n)] for n in range(8))
    weeks_before = mean(days[date(2025, 12, 8) + timedelta(days=n)] for n in range(14))

    assert holidays < 0.5 * weeks_before


def test_the_year_grows(year):
    first = sum(event.occurred_at < END - YEAR / 2 for event in year.events)

    assert EVENTS - first > 1.2 * first


def test_most_leads_do_little_and_a_few_do_very_much(by_lead):
    counts = sorted((len(events) for events in by_lead.values()), reverse=True)

    assert median(counts) < 0.7 * mean(counts)
    assert sum(counts[: LEADS // 20]) > 0.25 * EVENTS
    assert min(counts) >= 1


def test_most_leads_are_cold_and_some_are_very_hot(by_lead):
    scores = [score(events) for events in by_lead.values()]

    assert 0.45 < sum(points < 25 for points in scores) / LEADS < 0.8
    assert 0.05 < sum(points >= 75 for points in scores) / LEADS < 0.3


def test_winners_scored_higher(by_lead):
    winners = leads_with(by_lead, "deal_won")
    scores = {lead: score(events) for lead, events in by_lead.items()}
    losers = leads_with(by_lead, "deal_lost")

    assert len(winners) > 10
    assert median(scores[lead] for lead in winners) > 5 * median(
        points for lead, points in scores.items() if lead not in winners
    )
    assert mean(scores[lead] for lead in winners) > mean(scores[lead] for lead in losers)


def test_winners_were_ahead_before_they_signed(by_lead):
    winners = leads_with(by_lead, "deal_won")
    until_signed = [
        [
            event
            for event in by_lead[lead]
            if event.occurred_at < times(by_lead[lead], "deal_won")[0]
        ]
        for lead in winners
    ]
    others = [score(events) for lead, events in by_lead.items() if lead not in winners]

    assert median(map(score, until_signed)) > 3 * median(others)


def test_fitting_companies_win_more_often(year, by_lead):
    def win_rate(smallest: int, largest: int) -> float:
        staff = [
            lead
            for lead in by_lead
            if smallest <= int(year.leads[lead].metadata.get("employee_count", 0)) <= largest
        ]
        return sum(lead in winners for lead in staff) / len(staff)

    winners = leads_with(by_lead, "deal_won")

    assert win_rate(51, 1_000) > 1.5 * win_rate(1, 10)


def test_anonymous_visitors_are_later_tied_to_an_address(by_lead):
    tied = 0
    for events in by_lead.values():
        alone = [event.aliases[0] for event in events if len(event.aliases) == 1]
        cookies = {alias for alias in alone if alias[0] == "cookie"}
        tied += any(
            cookies & set(event.aliases) and event.aliases[0][0] == "email" for event in events
        )

    assert tied > LEADS / 10


def test_some_strangers_never_say_who_they_are(year):
    strangers = [lead for lead in year.leads if {kind for kind, _ in lead.aliases} == {"cookie"}]

    assert LEADS / 10 < len(strangers) < LEADS / 3


def test_a_newsletter_reaches_a_crowd_within_minutes(year):
    sent = Counter(
        event.metadata["campaign"] for event in year.events if event.event_type == "email_sent"
    )
    newsletters = {campaign: n for campaign, n in sent.items() if campaign.startswith("newsletter")}
    largest = max(newsletters, key=newsletters.__getitem__)
    moments = [
        event.occurred_at
        for event in year.events
        if event.event_type == "email_sent" and event.metadata["campaign"] == largest
    ]

    assert newsletters[largest] > LEADS / 4
    assert moments[-1] - moments[0] <= timedelta(minutes=4)


def test_webinars_gather_people_at_the_same_time(year):
    joined = defaultdict(list)
    for event in year.events:
        if event.event_type == "webinar_attended":
            joined[event.metadata["webinar_id"]].append(event.occurred_at)

    assert len(joined) >= 8
    assert max(map(len, joined.values())) >= 8
    assert all(moments[-1] - moments[0] < timedelta(hours=1) for moments in joined.values())


def test_mail_scanners_open_and_click_everything_at_once(by_lead):
    scanned = 0
    for events in by_lead.values():
        for sent in times(events, "email_sent"):
            second = [e for e in events if sent <= e.occurred_at <= sent + timedelta(seconds=1)]
            opened = len(times(second, "email_opened"))
            scanned += opened == 1 and len(times(second, "email_clicked")) >= 3

    assert scanned > 20


def test_crawlers_read_hundreds_of_pages_in_minutes(by_lead):
    crawls = [
        events
        for events in by_lead.values()
        if len(events) > 100
        and events[-1].occurred_at - events[0].occurred_at < timedelta(minutes=10)
    ]

    assert len(crawls) == LEADS // 400
    assert {kind for events in crawls for e in events for kind, _ in e.aliases} == {"cookie"}


def test_spam_signups_come_in_runs_and_are_not_mailed(by_lead):
    spammers = leads_with(by_lead, "marked_as_spam")
    signups = sorted(times(by_lead[lead], "trial_signup")[0] for lead in spammers)
    gaps = [later - earlier for earlier, later in pairwise(signups)]

    assert len(spammers) > 10
    assert sum(gap < timedelta(seconds=10) for gap in gaps) > len(gaps) / 3
    assert not any(times(by_lead[lead], "email_sent") for lead in spammers)


def test_nobody_is_mailed_after_unsubscribing_or_bouncing(by_lead):
    left = leads_with(by_lead, "email_unsubscribed") | leads_with(by_lead, "email_bounced")

    assert leads_with(by_lead, "email_unsubscribed")
    assert leads_with(by_lead, "email_bounced")
    for lead in left:
        gone = times(by_lead[lead], "email_unsubscribed", "email_bounced")
        assert len(gone) == 1
        assert max(times(by_lead[lead], "email_sent")) <= gone[0]


def test_some_go_silent_for_months_and_come_back(by_lead):
    returned = 0
    for events in by_lead.values():
        own = times(events, "page_view", "docs_view", "pricing_page_view")
        gaps = [later - earlier for earlier, later in pairwise(own)]
        returned += any(gap > timedelta(days=60) for gap in gaps)

    assert returned > LEADS / 50


def test_buying_committees_wake_up_together(year, by_lead):
    first_days = defaultdict(list)
    for lead, events in by_lead.items():
        if times(events, "proposal_viewed"):
            first_days[year.leads[lead].metadata["company"]].append(events[0].occurred_at)
    committees = [days for days in first_days.values() if len(days) >= 3]

    assert committees
    assert median(max(days) - min(days) for days in committees) < timedelta(days=30)


def test_each_journey_makes_sense(by_lead):
    for events in by_lead.values():
        won = times(events, "deal_won")
        assert len(won) + len(times(events, "deal_lost")) <= 1
        if won:
            assert times(events, "meeting_booked")[0] < won[0]
        for signup in times(events, "trial_signup"):
            logins = times(events, "product_login")
            assert not logins or signup < logins[0]
        for attended in times(events, "webinar_attended"):
            assert times(events, "webinar_registered")[0] < attended
        opened = times(events, "email_opened")
        assert not opened or times(events, "email_sent")[0] < opened[0]
        clicked = times(events, "email_clicked")
        assert not clicked or opened[0] < clicked[0]


def test_the_rulesets_score_what_happens_in_the_year(year):
    happened = {event.event_type for event in year.events}

    assert [ruleset.is_primary for ruleset in SAMPLE_RULESETS] == [True, False]
    for ruleset in SAMPLE_RULESETS:
        event_types = [rule.event_type for rule in ruleset.rules]
        assert len(set(event_types)) == len(event_types)
        assert set(event_types) <= happened
        assert not {"deal_won", "deal_lost"} & set(event_types)
