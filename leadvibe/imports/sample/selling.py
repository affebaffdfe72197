"""From the first form to the trial and the deal."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from leadvibe.imports.sample.journey import Journey, Window
from leadvibe.imports.sample.mailings import TRIAL_TIPS, send_sequence
from leadvibe.imports.sample.people import Person
from leadvibe.imports.sample.rhythm import DAY, HOUR
from leadvibe.imports.sample.types import Metadata
from leadvibe.imports.sample.visits import SITE, new_session_id
from leadvibe.imports.sample.webinars import form_fields

TRIAL_DAYS = 14
_CALL_OUTCOMES = ("interested", "interested", "left_message", "no_answer", "not_interested")
_FEATURES = (
    *("flow_editor", "flow_editor", "approvals", "approvals", "approvals", "reporting"),
    *("import_data", "templates", "comments", "audit_trail", "mobile_app", "permissions"),
)
_INTEGRATIONS = ("chat", "calendar", "accounting", "crm", "warehouse", "single_sign_on")
_BOOKS = ("operations-benchmark", "approval-playbook", "buyers-guide", "security-white-paper")
_PLANS = ((50, "starter", 39), (500, "business", 29), (10**9, "enterprise", 24))
_MONTHS_PER_YEAR = 12
_EXPECTED_SHARE = 0.2
CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class Deal:
    deal_id: str
    owner: str
    plan: str
    seats: int
    amount: int

    def describe(self) -> Metadata:
        return {
            "channel": "crm",
            "deal_id": self.deal_id,
            "owner": self.owner,
            "plan": self.plan,
            "amount": self.amount,
            "currency": CURRENCY,
        }


def open_deal(journey: Journey, number: int) -> Deal:
    """Size a deal by the company: a tenth to a third of the staff get a seat."""
    share = journey.rng.uniform(0.1, 0.33)
    plan, seats, amount = _quote(journey.person, share)
    return Deal(f"deal-{number:05d}", pick_owner(journey), plan, seats, amount)


def expected_amount(person: Person) -> int:
    """Return what a deal with the company would come to before anybody has counted seats."""
    return _quote(person, _EXPECTED_SHARE)[2]


def _quote(person: Person, share: float) -> tuple[str, int, int]:
    """Return plan, seats and what they cost a year when such a share of the staff gets a seat."""
    staff = person.company.employee_count if person.company else 1
    _, plan, monthly = next(entry for entry in _PLANS if staff <= entry[0])
    seats = max(2, min(2_000, int(staff * share)))
    return plan, seats, seats * monthly * _MONTHS_PER_YEAR


def submit_form(journey: Journey, at: float) -> None:
    metadata: Metadata = {
        "channel": "web",
        "url": f"{SITE}/subscribe",
        "form": journey.rng.choice(("newsletter", "newsletter", "contact", "checklist")),
        **form_fields(journey),
    }
    journey.add(at, "form_submit", journey.person.on_web, metadata)


def answer_lead_ad(journey: Journey, at: float) -> None:
    """Fill in the form of an ad on a social network: a handle comes along with the address."""
    metadata: Metadata = {
        "channel": "web",
        "form": "lead-ad",
        "utm_source": "network",
        "utm_medium": "paid_social",
        **form_fields(journey),
    }
    person = journey.person
    aliases = (*person.on_web, ("social", person.handle))
    journey.add(at, "form_submit", aliases, metadata)


def download(journey: Journey, at: float) -> None:
    book = journey.rng.choice(_BOOKS)
    metadata: Metadata = {
        "channel": "web",
        "url": f"{SITE}/library/{book}",
        "asset": book,
        **form_fields(journey),
    }
    journey.add(at, "content_download", journey.person.on_web, metadata)


def start_trial(journey: Journey, at: float) -> None:
    """Open an account, try the product for two weeks and get the tips that come with it."""
    metadata: Metadata = {
        "channel": "web",
        "url": f"{SITE}/signup",
        "plan": "trial",
        "workspace": _workspace(journey),
        **form_fields(journey),
    }
    aliases = (*journey.person.on_web, journey.person.in_product[0])
    journey.add(at, "trial_signup", aliases, metadata)
    journey.product = Window(at + 90, at + TRIAL_DAYS * DAY)
    use_product(journey, at + 90, longest=6)
    send_sequence(journey, at + 120, TRIAL_TIPS, gap=(4, 6))


def end_trial(journey: Journey) -> None:
    if journey.product and journey.customer_since == inf:
        metadata: Metadata = {"channel": "system", "plan": "trial", "reason": "not converted"}
        journey.add(journey.product.closes, "trial_expired", journey.person.in_product, metadata)


def use_product(journey: Journey, at: float, *, longest: int = 12) -> None:
    """Sign in and work for a while."""
    rng, aliases = journey.rng, journey.person.in_product
    surroundings: Metadata = {
        "channel": "web",
        "surface": "app",
        "workspace": _workspace(journey),
        "plan": "paid" if at >= journey.customer_since else "trial",
        "session_id": new_session_id(journey),
    }
    journey.add(at, "product_login", aliases, {**surroundings, "method": "password"})
    for _ in range(min(1 + int(rng.expovariate(0.3)), longest) - 1):
        at += 10 + rng.expovariate(1 / 150)
        event_type, details = _deed(journey)
        journey.add(at, event_type, aliases, {**surroundings, **details})


def _deed(journey: Journey) -> tuple[str, Metadata]:
    rng = journey.rng
    luck = rng.random() / (0.4 + journey.interest)
    if luck < 0.01:  # noqa: PLR2004  # the rarest and strongest signs first
        return "integration_connected", {"integration": rng.choice(_INTEGRATIONS)}
    if luck < 0.02:  # noqa: PLR2004
        return "teammate_invited", {"invited": rng.randint(1, 4)}
    if luck < 0.09:  # noqa: PLR2004
        return "report_exported", {"format": rng.choice(("csv", "pdf"))}
    return "feature_used", {"feature": rng.choice(_FEATURES)}


def _workspace(journey: Journey) -> str:
    company = journey.person.company
    return company.domain.removesuffix(".example") if company else "personal"


def request_demo(journey: Journey, at: float) -> None:
    company = journey.person.company
    metadata: Metadata = {
        "channel": "web",
        "url": f"{SITE}/demo",
        **form_fields(journey),
        "team_size": min(company.employee_count, 500) if company else 1,
    }
    # The form asks for a telephone number, which ties it to the browser and the address.
    aliases = tuple(dict.fromkeys((*journey.person.on_web, *journey.person.in_crm)))
    journey.add(at, "demo_request", aliases, metadata)


def log_call(journey: Journey, at: float, *, owner: str, outcome: str) -> None:
    """Note a call, as the list of calls does when a member logs one."""
    has_talked = outcome not in {"no_answer", "left_message"}
    minutes = 4 + int(journey.rng.expovariate(0.08)) if has_talked else 1
    metadata: Metadata = {
        "channel": "crm",
        "by": owner,
        "direction": "outbound",
        "outcome": outcome,
        "duration_minutes": minutes,
    }
    journey.add(at, "call_logged", journey.person.in_crm, metadata)


def pick_call_outcome(journey: Journey) -> str:
    return journey.rng.choice(_CALL_OUTCOMES)


def pick_owner(journey: Journey) -> str:
    return journey.rng.choice(journey.reps)


def book_meeting(journey: Journey, at: float, *, owner: str, kind: str) -> None:
    metadata: Metadata = {
        "channel": "crm",
        "owner": owner,
        "meeting": kind,
        "duration_minutes": journey.rng.choice((30, 30, 45, 60)),
        "starts_in_hours": round((DAY * journey.rng.uniform(0.8, 5)) / HOUR),
    }
    journey.add(at, "meeting_booked", journey.person.in_crm, metadata)


def view_proposal(journey: Journey, at: float, deal: Deal) -> None:
    metadata: Metadata = {
        **deal.describe(),
        "url": f"{SITE}/proposals/{deal.deal_id}",
        "pages_viewed": journey.rng.randint(2, 11),
        "duration_seconds": 30 + int(journey.rng.lognormvariate(4.8, 0.9)),
    }
    journey.add(at, "proposal_viewed", journey.person.on_web, metadata)


def win(journey: Journey, at: float, deal: Deal) -> None:
    """Sign; the account lives on to the end of the year and beyond."""
    if at >= journey.rhythm.end:
        return
    journey.add(at, "deal_won", journey.person.in_crm, {**deal.describe(), "seats": deal.seats})
    opened = journey.product.opens if journey.product else at
    journey.product = Window(opened, journey.rhythm.end)
    journey.customer_since = at
    upgrade: Metadata = {"channel": "web", "surface": "app", "plan": deal.plan, "seats": deal.seats}
    journey.add(at + 2 * HOUR, "plan_upgraded", journey.person.in_product, upgrade)


def lose(journey: Journey, at: float, deal: Deal) -> None:
    reasons = ("price", "no decision", "went with another tool", "missing feature", "bad timing")
    lost: Metadata = {**deal.describe(), "lost_reason": journey.rng.choice(reasons)}
    journey.add(at, "deal_lost", journey.person.in_crm, lost)
