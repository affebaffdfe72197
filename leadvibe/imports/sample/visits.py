"""Visits to the website: pages, referrers, campaigns."""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.imports.sample.journey import Journey
from leadvibe.imports.sample.people import Source
from leadvibe.imports.sample.types import Aliases, Metadata

SITE = "https://www.flowharbor.example"
_DOCS = "https://docs.flowharbor.example"


class Page(NamedTuple):
    event_type: str
    url: str
    title: str


def _page(path: str, title: str) -> Page:
    return Page("page_view", f"{SITE}{path}", title)


def _docs(path: str, title: str) -> Page:
    return Page("docs_view", f"{_DOCS}{path}", title)


HOME = _page("/", "Flowharbor: operations that run themselves")
PRICING = Page("pricing_page_view", f"{SITE}/pricing", "Plans and pricing")
FEATURES = (
    _page("/product", "Product tour"),
    _page("/product/automations", "Automations"),
    _page("/product/approvals", "Approvals"),
    _page("/product/reporting", "Reporting"),
    _page("/product/integrations", "Integrations"),
    _page("/security", "Security and compliance"),
    _page("/compare/spreadsheets", "Flowharbor or spreadsheets?"),
)
ARTICLES = (
    _page("/blog/approval-bottlenecks", "Seven approval bottlenecks and how to clear them"),
    _page("/blog/purchase-orders", "Purchase orders without the paper chase"),
    _page("/blog/onboarding-checklist", "The onboarding checklist we use ourselves"),
    _page("/blog/handover-notes", "Handover notes that people read"),
    _page("/blog/month-end-close", "Closing the month in three days"),
    _page("/blog/incident-runbooks", "Runbooks for the day everything breaks"),
    _page("/blog/ops-metrics", "Nine numbers an operations team should know"),
    _page("/blog/vendor-reviews", "Vendor reviews in an hour"),
)
STORIES = (
    _page("/customers", "Customer stories"),
    _page("/customers/harbour-freight-line", "How a freight line cut handovers by half"),
    _page("/customers/clinic-network", "A clinic network goes paperless"),
    _page("/customers/robot-maker", "A robot maker scales without chaos"),
)
COMPANY = (_page("/about", "About us"), _page("/careers", "Careers"), _page("/status", "Status"))
MANUAL = (
    _docs("/getting-started", "Getting started"),
    _docs("/concepts/flows", "Flows"),
    _docs("/guides/first-automation", "Build your first automation"),
    _docs("/guides/import-data", "Bring your data"),
    _docs("/guides/single-sign-on", "Single sign-on"),
    _docs("/api/authentication", "API: authentication"),
    _docs("/api/webhooks", "API: webhooks"),
    _docs("/reference/limits", "Limits"),
)
# What a person looks at, in proportion; evaluating ones come back to the price again and again.
STROLL = (HOME, HOME, *ARTICLES, *ARTICLES, *FEATURES, *STORIES[:2], *COMPANY)
CURIOUS = (HOME, *ARTICLES, *FEATURES, *FEATURES, *STORIES, *COMPANY[:1], PRICING)
EVALUATION = (HOME, *FEATURES, *STORIES, *MANUAL, *MANUAL[:4], PRICING, PRICING, PRICING)
STUDY = (*MANUAL, *MANUAL, *FEATURES[:4])

_ENTRIES: dict[Source, tuple[Metadata, ...]] = {
    Source.ORGANIC: (
        {"referrer": "https://search.example/"},
        {"referrer": "https://search.example/"},
        {"referrer": "https://answers.example/best-workflow-tools"},
        {},
    ),
    Source.PAID: (
        {
            "referrer": "https://search.example/",
            "utm_source": "search",
            "utm_medium": "cpc",
            "utm_campaign": "brand-terms",
        },
        {
            "referrer": "https://search.example/",
            "utm_source": "search",
            "utm_medium": "cpc",
            "utm_campaign": "approval-software",
        },
        {
            "referrer": "https://network.example/feed",
            "utm_source": "network",
            "utm_medium": "paid_social",
            "utm_campaign": "ops-leaders",
        },
    ),
    Source.WEBINAR: (
        {"utm_source": "partner", "utm_medium": "event", "utm_campaign": "webinar-series"},
    ),
    Source.OUTBOUND: (
        {"utm_source": "outreach", "utm_medium": "email", "utm_campaign": "sales-sequence"},
    ),
    Source.REFERRAL: (
        {"referrer": "https://reviews.example/flowharbor", "utm_source": "reviews"},
        {"referrer": "https://partner-hub.example/", "utm_source": "partner"},
    ),
}
_DEVICES = ("desktop", "desktop", "desktop", "desktop", "mobile", "tablet")
_LONGEST_VISIT = 15


def new_session_id(journey: Journey) -> str:
    return f"ses_{journey.rng.getrandbits(48):012x}"


def taste(journey: Journey) -> tuple[Page, ...]:
    """Return the pages this person picks from."""
    if journey.is_evaluating:
        return EVALUATION
    return CURIOUS if journey.chance(journey.interest) else STROLL


def _entry(journey: Journey, at: float) -> Metadata:
    """Return what brought them: the source at first, later mostly a bookmark."""
    if at >= journey.known_at and journey.chance(0.65):
        return {}
    return journey.rng.choice(_ENTRIES[journey.person.source])


def visit(
    journey: Journey,
    at: float,
    *,
    pages: tuple[Page, ...] = (),
    aliases: Aliases = (),
    entry: Metadata | None = None,
    longest: int = _LONGEST_VISIT,
) -> None:
    """Read a few pages, one after the other, in one session."""
    rng = journey.rng
    pages = pages or taste(journey)
    aliases = aliases or journey.web_aliases(at)
    entry = _entry(journey, at) if entry is None else entry
    session_id, device = new_session_id(journey), rng.choice(_DEVICES)
    for number in range(min(1 + int(rng.expovariate(0.45)), longest)):
        page = rng.choice(pages)
        seconds = 3 + int(rng.lognormvariate(3.7, 1.0))
        metadata: Metadata = {
            "channel": "web",
            "url": page.url,
            "page_title": page.title,
            "session_id": session_id,
            "duration_seconds": seconds,
            "device": device,
        }
        if number == 0:
            metadata.update(entry)
        journey.add(at, page.event_type, aliases, metadata)
        at += seconds + rng.random()


def glance_at(journey: Journey, page: Page, at: float) -> None:
    """Open exactly one page."""
    visit(journey, at, pages=(page,), longest=1)


def chat(journey: Journey, at: float) -> None:
    metadata: Metadata = {
        "channel": "web",
        "url": PRICING.url,
        "topic": journey.rng.choice(("pricing", "security", "integrations", "migration")),
        "duration_seconds": 60 + int(journey.rng.expovariate(1 / 240)),
    }
    journey.add(at, "chat_started", journey.person.on_web, metadata)
