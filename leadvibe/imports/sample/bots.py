"""Machines that look like people: crawlers and spam sign-ups (mail scanners: see mailings)."""

from __future__ import annotations

from random import Random

from leadvibe.imports.sample import visits
from leadvibe.imports.sample.journey import Journey
from leadvibe.imports.sample.people import Cast, Person, Source
from leadvibe.imports.sample.rhythm import HOUR, Rhythm
from leadvibe.imports.sample.types import Metadata

_AGENT = "PatientCrawler/2.1 (+https://crawler.example/about)"
_CRAWLED = (visits.HOME, *visits.FEATURES, *visits.ARTICLES, *visits.STORIES, *visits.COMPANY)
_LARGEST_SPAM_RUN = 6
_CONSONANTS, _VOWELS = "bcdfghklmnprstvxz", "aeiou"


def crawl(rng: Random, rhythm: Rhythm, cast: Cast) -> Journey:
    """Fetch hundreds of pages in a few minutes, at any hour."""
    person = Person(zone="America/New_York", cookie=cast.new_cookie(), source=Source.ORGANIC)
    journey = Journey(rng, rhythm, person)
    at = rng.uniform(rhythm.start, rhythm.end - HOUR)
    session_id = visits.new_session_id(journey)
    for number in range(rng.randint(120, 320)):
        page = _CRAWLED[number % len(_CRAWLED)]
        metadata: Metadata = {
            "channel": "web",
            "url": f"{page.url}?page={1 + number // len(_CRAWLED)}",
            "page_title": page.title,
            "session_id": session_id,
            "duration_seconds": 0,
            "user_agent": _AGENT,
        }
        journey.add(at, page.event_type, person.by_cookie, metadata)
        at += rng.uniform(0.3, 1.4)
    return journey


def spam(rng: Random, rhythm: Rhythm, cast: Cast, count: int) -> list[Journey]:
    """Sign up that many made-up people, in runs of a few within seconds."""
    journeys: list[Journey] = []
    while len(journeys) < count:
        at = rng.uniform(rhythm.start, rhythm.end)
        domain = f"{_babble(rng)}{len(journeys)}.test"
        for _ in range(min(rng.randint(1, _LARGEST_SPAM_RUN), count - len(journeys))):
            at = min(at + rng.uniform(0.5, 9), rhythm.end - 1)
            journeys.append(_spam_signup(Journey(rng, rhythm, _spammer(rng, cast, domain)), at))
    return journeys


def _spammer(rng: Random, cast: Cast, domain: str) -> Person:
    cookie, first_name = cast.new_cookie(), _babble(rng)
    return Person(
        zone="Europe/London",
        cookie=cookie,
        source=Source.ORGANIC,
        email=f"{first_name}{cookie[:5]}@{domain}",
        profile={"first_name": first_name, "last_name": _babble(rng), "domain": domain},
    )


def _spam_signup(journey: Journey, at: float) -> Journey:
    person = journey.person
    journey.known_at = journey.tied_at = journey.mail_until = at
    form: Metadata = {"channel": "web", "url": f"{visits.SITE}/signup", "plan": "trial"}
    names: Metadata = {key: person.profile[key] for key in ("first_name", "last_name")}
    journey.add(at, "trial_signup", person.on_web, {**form, **names})
    found_at = journey.rhythm.when_awake("America/New_York", at + 6 * HOUR)
    verdict: Metadata = {"channel": "crm", "reason": "disposable address"}
    journey.add(found_at, "marked_as_spam", person.by_email, verdict)
    return journey


def _babble(rng: Random) -> str:
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.randint(3, 5)))
