"""Put a year together: who is in it, what they do, and exactly as many events as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from operator import attrgetter, itemgetter
from random import Random

from leadvibe.imports.sample.bots import crawl, spam
from leadvibe.imports.sample.filler import appetite, fill
from leadvibe.imports.sample.journey import Draft, Journey
from leadvibe.imports.sample.mailings import plan_newsletters, receive_newsletter
from leadvibe.imports.sample.people import Cast, Person
from leadvibe.imports.sample.recording import tell_records
from leadvibe.imports.sample.rhythm import Rhythm
from leadvibe.imports.sample.stages import Story
from leadvibe.imports.sample.types import Aliases, Metadata, SampleEvent, SampleLead, SampleYear
from leadvibe.imports.sample.webinars import plan_webinars
from leadvibe.lib.errors import InvalidError

REPS = ("Amira", "Ben", "Carla", "Dev", "Elena")
REPS_AT_WORK = len(REPS)
_LEADS_PER_CRAWLER = 400
_LEADS_PER_SPAMMER = 70
_ANONYMOUS_SHARE = 0.22
_MOST_NEWSLETTERS = 12
_EVENTS_PER_NEWSLETTER = 3

# When events are scarce, these stay: they are what a journey is about.
_MILESTONES = frozenset(
    {
        *("form_submit", "content_download", "webinar_registered", "webinar_attended"),
        *("trial_signup", "demo_request", "meeting_booked", "proposal_viewed"),
        *("deal_won", "deal_lost", "email_unsubscribed", "email_bounced", "marked_as_spam"),
    }
)


def generate(
    *, seed: int, leads: int, events: int, end: datetime, reps: Sequence[str] = REPS
) -> SampleYear:
    """Make up the 365 days before `end` with exactly so many leads and events, in order of time.

    `reps` are who sells; of more than REPS_AT_WORK the others have the year off.
    The same arguments always give the same year. Every lead has at least one event, and the
    aliases of one lead hang together: whoever resolves them finds exactly `leads` people.
    Raises InvalidError when the numbers cannot be met or `end` is naive.
    """
    _check(leads=leads, events=events, end=end)
    rng = Random(seed)  # noqa: S311  # made-up people, no secrets
    rhythm = Rhythm(rng, end)
    journeys = _write_journeys(rng, rhythm, leads, _at_work(reps))
    _mail_newsletters(rhythm, journeys, min(_MOST_NEWSLETTERS, events // leads // 3))
    _meet(journeys, events)
    for journey in journeys:
        _tie_cookies(journey)
    return SampleYear(
        leads=tuple(_as_lead(journey) for journey in journeys),
        records=tell_records(rng, rhythm, journeys),
        events=_in_order(journeys),
    )


def _check(*, leads: int, events: int, end: datetime) -> None:
    fields = {}
    if leads < 1:
        fields["leads"] = "ask for at least one lead"
    if events < leads:
        fields["events"] = "ask for at least as many events as leads: each lead has one"
    if end.tzinfo is None:
        fields["end"] = "give a time zone, such as UTC"
    if fields:
        raise InvalidError("This sample year cannot be made.", fields=fields)


def _at_work(reps: Sequence[str]) -> tuple[str, ...]:
    """Return always as many, some of them twice or more: the dice fall the same for any team."""
    return tuple(islice(cycle(reps), REPS_AT_WORK))


def _write_journeys(
    rng: Random, rhythm: Rhythm, leads: int, reps: tuple[str, ...]
) -> list[Journey]:
    cast = Cast(rng)
    story = Story(rng, rhythm, plan_webinars(rhythm), reps=reps)
    crawlers, spammers = leads // _LEADS_PER_CRAWLER, leads // _LEADS_PER_SPAMMER
    anonymous = int(leads * _ANONYMOUS_SHARE)
    journeys = [crawl(rng, rhythm, cast) for _ in range(crawlers)]
    journeys += spam(rng, rhythm, cast, spammers)
    journeys += [story.wander_by(cast.anonymous_visitor()) for _ in range(anonymous)]
    for team in cast.teams(leads - len(journeys)):
        journeys += story.tell(team)
    return journeys


def _mail_newsletters(rhythm: Rhythm, journeys: list[Journey], count: int) -> None:
    for newsletter in plan_newsletters(rhythm, count):
        for journey in journeys:
            receive_newsletter(journey, newsletter)


def _meet(journeys: list[Journey], events: int) -> None:
    """Bring the journeys to exactly so many events: add everyday ones, or leave some out."""
    for journey in journeys:
        if not journey.drafts:  # All that was told of them lies before or after the year.
            fill(journey, 1)
    written = sum(len(journey.drafts) for journey in journeys)
    if written > events:
        _leave_out(journeys, events)
        return
    weights = [int(appetite(journey) * 1_000) for journey in journeys]
    for journey, count in zip(journeys, _split(events - written, weights), strict=True):
        fill(journey, count)


def _leave_out(journeys: list[Journey], events: int) -> None:
    """Keep the milestones and the earliest of the rest; without room for that, the earliest."""
    for journey in journeys:
        journey.drafts.sort(key=_at)
    kept = [_milestones(journey.drafts) for journey in journeys]
    if sum(map(len, kept)) > events:
        kept = [drafts[:1] for drafts in kept]
    chosen = [set(map(id, drafts)) for drafts in kept]
    others = [
        [draft for draft in journey.drafts if id(draft) not in ids]
        for journey, ids in zip(journeys, chosen, strict=True)
    ]
    room = _split(events - sum(map(len, kept)), [len(drafts) for drafts in others])
    for journey, keep, rest, count in zip(journeys, kept, others, room, strict=True):
        journey.drafts = [*keep, *rest[:count]]


def _milestones(drafts: list[Draft]) -> list[Draft]:
    return [draft for draft in drafts if draft.event_type in _MILESTONES] or drafts[:1]


def _split(total: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number in proportion, giving what is left over to the largest remainders."""
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: total * weights[index] % whole, reverse=True
    )
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _tie_cookies(journey: Journey) -> None:
    """Make sure that no browser of a known person stays a stranger to the address.

    The event that ties them may be the one that was left out, or lie beyond the end of the year.
    """
    drafts = journey.drafts
    seen = dict.fromkeys(draft.aliases for draft in drafts)
    tied = {alias for aliases in seen if len(aliases) > 1 for alias in aliases}
    email = ("email", journey.person.email)
    if not any(email in aliases for aliases in seen):
        return
    loose = {aliases for aliases in seen if aliases[0][0] == "cookie" and aliases[0] not in tied}
    if loose:
        journey.drafts = [
            draft._replace(aliases=(email, *draft.aliases)) if draft.aliases in loose else draft
            for draft in drafts
        ]


def _as_lead(journey: Journey) -> SampleLead:
    seen: dict[Aliases, None] = dict.fromkeys(draft.aliases for draft in journey.drafts)
    aliases = dict.fromkeys(alias for together in seen for alias in together)
    return SampleLead(tuple(aliases), _describe(journey.person, aliases))


def _describe(person: Person, aliases: dict[tuple[str, str], None]) -> Metadata:
    """Return what is known of a person: next to nothing of one who left no address."""
    about: Metadata = {"lead_source": person.source.value}
    if person.country:
        about["country"] = person.country
    is_known = ("email", person.email) in aliases
    return {**person.profile, **about} if is_known else about


_at = attrgetter("at")


def _in_order(journeys: list[Journey]) -> tuple[SampleEvent, ...]:
    drafts = [draft for journey in journeys for draft in journey.drafts]
    drafts.sort(key=itemgetter(0))
    fromtimestamp = datetime.fromtimestamp
    return tuple(
        SampleEvent(event_type, fromtimestamp(at, UTC), aliases, metadata)
        for at, event_type, aliases, metadata in drafts
    )
