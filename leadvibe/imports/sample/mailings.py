"""Mails: newsletters to everyone at once, nurture sequences one by one, and what comes back."""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.imports.sample.journey import Journey
from leadvibe.imports.sample.rhythm import HOUR, Rhythm
from leadvibe.imports.sample.types import Aliases, Metadata
from leadvibe.imports.sample.visits import SITE, visit

_SCANNED_SHARE = 0.25
_MAIL_CLIENTS = ("web mail", "web mail", "desktop", "phone", "phone")


class Mail(NamedTuple):
    campaign: str
    subject_id: str
    subject: str
    links: tuple[str, ...]


class Newsletter(NamedTuple):
    at: float
    mail: Mail


_LINKS = (
    f"{SITE}/blog/ops-metrics",
    f"{SITE}/customers/robot-maker",
    f"{SITE}/product/automations",
    f"{SITE}/pricing",
)
_TOPICS = (
    "What 400 operations teams told us",
    "Approvals, now from your phone",
    "The quiet cost of handovers",
    "New: reports that write themselves",
    "How a clinic network went paperless",
    "Three flows to copy this week",
    "Your questions about single sign-on, answered",
    "Inside our busiest day of the year",
    "Budget season without the spreadsheet",
    "A roadmap you can vote on",
    "Plan the next quarter in an afternoon",
    "Our year in numbers",
)
NURTURE = tuple(
    Mail("nurture-welcome", f"nw-{number}", subject, _LINKS[:3])
    for number, subject in enumerate(
        (
            "Welcome aboard: start here",
            "Five minutes to your first flow",
            "How others set up approvals",
            "Which of these sounds like you?",
            "Shall we keep in touch?",
        ),
        start=1,
    )
)
OUTREACH = tuple(
    Mail("outbound-ops-leaders", f"ob-{number}", subject, _LINKS[1:])
    for number, subject in enumerate(
        (
            "Handovers at your company",
            "Following up",
            "Worth fifteen minutes?",
            "Last note from me",
        ),
        start=1,
    )
)
UPDATES = tuple(
    Mail("product-updates", f"pu-{number:02d}", subject, _LINKS)
    for number, subject in enumerate(
        (
            "What shipped this week",
            "Faster imports for large teams",
            "Reports: ten new templates",
            "A better phone app",
            "Permissions, simplified",
            "See who is waiting for whom",
            "Webhooks for every flow",
            "A calendar that knows your approvals",
        ),
        start=1,
    )
)
TRIAL_TIPS = tuple(
    Mail("trial-tips", f"tt-{number}", subject, _LINKS[2:])
    for number, subject in enumerate(
        ("Your trial is ready", "Invite your team", "Your trial ends in three days"), start=1
    )
)


def plan_newsletters(rhythm: Rhythm, count: int) -> list[Newsletter]:
    """Spread them over the year, in the middle of the week and of the European afternoon."""
    newsletters = []
    for number in range(count):
        weekday, utc_hour = 1 + number % 3, 12.0 + number % 5
        at = rhythm.workday(weekday, days_in=15 + number * 345 // count, utc_hour=utc_hour)
        if at < rhythm.end:
            topic = _TOPICS[number % len(_TOPICS)]
            mail = Mail(f"newsletter-{number + 1:02d}", f"nl-{number + 1:02d}", topic, _LINKS)
            newsletters.append(Newsletter(at, mail))
    return newsletters


def send(journey: Journey, at: float, mail: Mail) -> None:
    """Deliver a mail, and let machines and then the person react to it."""
    if at < journey.rhythm.start:  # Nobody answers in the year what was sent before it.
        return
    person = journey.person
    about: Metadata = {
        "channel": "email",
        "campaign": mail.campaign,
        "subject_id": mail.subject_id,
        "subject": mail.subject,
    }
    journey.add(at, "email_sent", person.by_email, about)
    if person.company and person.company.scans_mail and journey.chance(_SCANNED_SHARE):
        _scan(journey, at, mail, about)
    if journey.chance(0.1 + 0.38 * journey.interest):
        _open(journey, at, mail, about)


def _scan(journey: Journey, at: float, mail: Mail, about: Metadata) -> None:
    """A mail gateway fetches the pixel and follows every link within a second of delivery."""
    rng, address = journey.rng, journey.person.by_email
    at += 0.15 + 0.2 * rng.random()
    agent: Metadata = {**about, "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}
    journey.add(at, "email_opened", address, {**agent})
    for link in mail.links:
        at += 0.01 + 0.09 * rng.random()
        journey.add(at, "email_clicked", address, {**agent, "url": link})


def _open(journey: Journey, at: float, mail: Mail, about: Metadata) -> None:
    rng, person = journey.rng, journey.person
    # Half of those who open do so within two hours; they do not get up at night for it.
    at = journey.rhythm.when_awake(person.zone, at + 40 + rng.lognormvariate(8.9, 1.3))
    client = rng.choice(_MAIL_CLIENTS)
    journey.add(at, "email_opened", person.by_email, {**about, "client": client})
    if journey.chance(0.06 + 0.3 * journey.interest):
        at += 5 + rng.expovariate(1 / 60)
        link = rng.choice(mail.links)
        journey.add(at, "email_clicked", person.by_email, {**about, "client": client, "url": link})
        journey.tied_at = min(journey.tied_at, at)
        _land(journey, at + 2, mail)


def _land(journey: Journey, at: float, mail: Mail) -> None:
    """The tracked link ties the browser to the address."""
    visit(journey, at, aliases=journey.person.on_web, entry=_campaign_entry(mail), longest=4)


def _campaign_entry(mail: Mail) -> Metadata:
    return {"utm_source": "mail", "utm_medium": "email", "utm_campaign": mail.campaign}


def receive_newsletter(journey: Journey, newsletter: Newsletter) -> None:
    """Everyone gets it within four minutes; a few have had enough of us."""
    at = newsletter.at + 240 * journey.rng.random()
    if not (journey.is_subscribed and journey.has_mail_at(at)):
        return
    send(journey, at, newsletter.mail)
    if journey.chance(0.012 * (1.2 - journey.interest)):
        _unsubscribe(journey, at, newsletter.mail)


def _unsubscribe(journey: Journey, sent_at: float, mail: Mail) -> None:
    delay = HOUR * (0.5 + journey.rng.expovariate(0.3))
    at = journey.rhythm.when_awake(journey.person.zone, sent_at + delay)
    about: Metadata = {
        "channel": "email",
        "campaign": mail.campaign,
        "reason": journey.rng.choice(("too many mails", "not relevant", "changed jobs", "")),
    }
    journey.stop_mail(at)
    journey.add(at, "email_unsubscribed", journey.person.by_email, about)


def send_sequence(
    journey: Journey, start: float, mails: tuple[Mail, ...], *, gap: tuple[float, float]
) -> None:
    """Send mails some days apart until the sequence, the year or the consent ends."""
    at = start
    for mail in mails:
        if journey.has_mail_at(at):
            send(journey, at, mail)
        at = journey.later(at, days=gap)


def click_elsewhere(journey: Journey, at: float, mail: Mail, aliases: Aliases) -> None:
    """Get a mail and follow its link on a device that was not known until then."""
    if at < journey.rhythm.start or not journey.has_mail_at(at):
        return
    person = journey.person
    about: Metadata = {"channel": "email", "campaign": mail.campaign, "subject_id": mail.subject_id}
    journey.add(at, "email_sent", person.by_email, {**about, "subject": mail.subject})
    at = journey.rhythm.when_awake(person.zone, at + 40 + journey.rng.lognormvariate(8.9, 1.3))
    journey.add(at, "email_opened", person.by_email, {**about, "client": "phone"})
    link: Metadata = {"client": "phone", "url": mail.links[0]}
    journey.add(at + 15, "email_clicked", person.by_email, {**about, **link})
    visit(journey, at + 17, aliases=aliases, entry=_campaign_entry(mail), longest=3)


def bounce(journey: Journey, at: float, mail: Mail) -> None:
    """Write to an address that no longer exists, once."""
    person = journey.person
    about: Metadata = {"channel": "email", "campaign": mail.campaign, "subject_id": mail.subject_id}
    journey.add(at, "email_sent", person.by_email, {**about, "subject": mail.subject})
    returned: Metadata = {**about, "bounce_type": "hard", "reason": "550 no such mailbox"}
    journey.add(at + 1 + 4 * journey.rng.random(), "email_bounced", person.by_email, returned)
    journey.mail_until = at
