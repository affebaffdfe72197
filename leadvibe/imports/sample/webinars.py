"""Webinars: days on which many people do the same thing in the same minutes."""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.imports.sample.journey import Journey
from leadvibe.imports.sample.people import Source
from leadvibe.imports.sample.rhythm import DAY, HOUR, Rhythm
from leadvibe.imports.sample.types import Metadata
from leadvibe.imports.sample.visits import SITE

LENGTH_MINUTES = 45
_COUNT = 10
_TITLES = (
    "Approvals without the wait",
    "Operations at two hundred people",
    "From spreadsheet to flow in one hour",
    "Ask the security team",
    "Month-end in three days",
)
# Mostly Wednesdays and Thursdays, late enough for America and early enough for Europe.
_WEEKDAYS = (2, 3, 2, 1, 3)
_UTC_HOUR = 15.0


class Webinar(NamedTuple):
    at: float
    webinar_id: str
    title: str


def plan_webinars(rhythm: Rhythm) -> list[Webinar]:
    planned = (
        Webinar(
            rhythm.workday(_WEEKDAYS[n % 5], days_in=12 + n * 345 // _COUNT, utc_hour=_UTC_HOUR),
            f"wb-{n + 1:02d}",
            _TITLES[n % len(_TITLES)],
        )
        for n in range(_COUNT)
    )
    return [webinar for webinar in planned if webinar.at + HOUR < rhythm.end]


def find_webinar(webinars: list[Webinar], *, after: float, within_days: float) -> Webinar | None:
    """Return the next one that starts between an hour and so many days after an instant."""
    opens, closes = after + HOUR, after + within_days * DAY
    return next((webinar for webinar in webinars if opens <= webinar.at < closes), None)


def register(journey: Journey, at: float, webinar: Webinar) -> None:
    metadata: Metadata = {
        **_about(webinar),
        "url": f"{SITE}/webinars/{webinar.webinar_id}",
        "utm_medium": "event" if journey.person.source is Source.WEBINAR else "web",
        **form_fields(journey),
    }
    journey.add(at, "webinar_registered", journey.person.on_web, metadata)


def attend(journey: Journey, webinar: Webinar) -> None:
    """Join around the start, a few late; leave when the interest ends."""
    late = max(-240.0, journey.rng.gauss(60, 240))
    minutes = LENGTH_MINUTES * min(1.0, 0.25 + journey.interest * journey.rng.uniform(0.5, 1.6))
    metadata: Metadata = {
        **_about(webinar),
        "minutes_attended": round(minutes),
        "asked_question": journey.chance(0.15 * journey.interest),
    }
    journey.add(webinar.at + late, "webinar_attended", journey.person.by_email, metadata)


def _about(webinar: Webinar) -> Metadata:
    return {"channel": "webinar", "webinar_id": webinar.webinar_id, "webinar": webinar.title}


def form_fields(journey: Journey) -> Metadata:
    """Return what people write about themselves in a form."""
    profile = journey.person.profile
    return {key: profile[key] for key in ("first_name", "last_name", "company", "title", "country")}
