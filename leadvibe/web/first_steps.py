"""The first steps of a unit: each is done when what it leads to is there, whoever did it."""

from __future__ import annotations

from collections.abc import Iterator

from leadvibe.events.queries import list_sources
from leadvibe.events.usage import SAMPLE_SOURCE
from leadvibe.identity.first_steps import are_hidden
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.queries import list_members
from leadvibe.identity.types import Principal
from leadvibe.imports.queries import SOURCE_PREFIX, count_imports, find_sample
from leadvibe.leadlist.queries import has_leads
from leadvibe.notifications.slack import find_connection
from leadvibe.scoring.queries import list_rules
from leadvibe.web.pages.display import share
from leadvibe.web.pages.home import FirstStep, FirstSteps
from leadvibe.web.redirects import CREDENTIALS, IMPORTS, INTEGRATIONS, MEMBERS, SAMPLE

QUICK_START = "/app/quick-start"
DOCS = "/docs/events"
HIDE = "/app/home/first-steps"


def build_first_steps(principal: Principal) -> FirstSteps | None:
    """Return what is done and what is not; None when all is, or the member has put it away."""
    is_member, is_new = principal.member_id is not None, not has_leads(principal.scope)
    if not is_new and (
        principal.member_id is None or are_hidden(principal.scope, principal.member_id)
    ):
        return None
    steps = tuple(_steps(principal))
    done = sum(step.is_done for step in steps)
    if done == len(steps) and not is_new:
        return None
    return FirstSteps(
        steps=steps,
        done=f"{done} of {len(steps)} done",
        share=share(done, len(steps)),
        hide_url="" if is_new or not is_member else HIDE,
    )


def _steps(principal: Principal) -> Iterator[FirstStep]:
    scope, sources = principal.scope, list_sources(principal.scope)
    sample = find_sample(scope)
    writes, owns = can(principal, Permission.WRITE_DATA), can(principal, Permission.OWN)
    yield FirstStep(
        title="Send an event",
        text="Create a key, then post what people do on your site or in your product.",
        is_done=any(not it.startswith((SOURCE_PREFIX, SAMPLE_SOURCE)) for it in sources),
        url=CREDENTIALS if owns else DOCS,
        action="Create a key" if owns else "Read how",
    )
    yield FirstStep(
        title="Import what you have",
        text="A CSV of past events or of leads gives you scores from the first day.",
        is_done=count_imports(scope) > 0,
        url=IMPORTS if writes else "",
        action="Import a CSV",
    )
    yield FirstStep(
        title="Look around in sample data",
        text="A year of a software company, wiped again with one click.",
        is_done=sample is not None and sample.is_complete,
        url=SAMPLE if owns and sample is None else IMPORTS if sample else "",
        action="Load sample data" if sample is None else "See its progress",
        is_post=sample is None,
    )
    yield FirstStep(
        title="Say what counts",
        text="Rules say how many points an event is worth. Without them every score is 0.",
        is_done=bool(list_rules(scope)),
        url=QUICK_START if can(principal, Permission.CONFIGURE) else "",
        action="Quick start",
    )
    yield FirstStep(
        title="Invite colleagues",
        text="Sales works from the list and the explanations; marketing steers the rules.",
        is_done=len(list_members(scope)) > 1,
        url=MEMBERS if can(principal, Permission.ADMINISTER) else "",
        action="Invite",
    )
    connection = find_connection(scope)
    yield FirstStep(
        title="Connect Slack",
        text="Hear of hot leads where your team talks.",
        is_done=connection is not None and connection.is_connected,
        url=INTEGRATIONS if owns else "",
        action="Connect",
    )
