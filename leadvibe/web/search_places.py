"""Pages that one may go to and things that one may do, found by how their words begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leadvibe.engine.triggers import TriggerKind
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.scoring.queries import list_drafts
from leadvibe.web.lead_paths import LEADS
from leadvibe.web.pages.search import Hit
from leadvibe.web.pages.shell import own_pages
from leadvibe.web.redirects import CREDENTIALS, IMPORTS, INTEGRATIONS, MEMBERS, SETTINGS
from leadvibe.web.rendering import navigation_of
from leadvibe.web.scoring_paths import SCORING, draft_path
from leadvibe.web.scoring_tabs import TABS
from leadvibe.web.segment_paths import NEW_SEGMENT
from leadvibe.web.session import account_of
from leadvibe.web.trigger_paths import HISTORY, new_path

_SMALL_WORDS = frozenset({"a", "an", "and", "or", "to"})


@dataclass(frozen=True, slots=True)
class Place:
    """A hit, and words that it is also found by."""

    hit: Hit
    words: str = ""

    def is_meant_by(self, query: str) -> bool:
        """Say whether each word of the query begins a word of the place; nothing means all."""
        known = set(f"{self.hit.label} {self.hit.detail} {self.words}".lower().split())
        known -= _SMALL_WORDS
        return all(any(it.startswith(word) for it in known) for word in query.lower().split())


def list_pages(principal: Principal) -> list[Place]:
    """Return every page that stands in the navigation, or in the tabs over the scoring."""
    if principal.unit_id is None:
        return list(_own(principal))
    return [*_in_sidebar(principal), *_in_tabs(principal), *_own(principal)]


def list_actions(principal: Principal) -> list[Place]:
    """Return what the principal may do, the most usual first."""
    found = _to_configure(principal) if can(principal, Permission.CONFIGURE) else ()
    return [*found, *_to_run(principal), *_to_leave(principal)]


def _in_sidebar(principal: Principal) -> Iterator[Place]:
    for group in navigation_of(principal):
        for item in group.items:
            detail = group.label if group.icon else ""
            yield Place(Hit(label=item.label, detail=detail, icon=item.icon, url=item.url))


def _in_tabs(principal: Principal) -> Iterator[Place]:
    for label, url in TABS:
        yield Place(Hit(label=label, detail="Scoring", icon="gauge", url=url), "rules rulesets")
    yield Place(Hit(label="Trigger history", detail="What fired", icon="zap", url=HISTORY), "fired")
    if can(principal, Permission.READ):
        hit = Hit(label="API reference", detail="For developers", icon="braces", url="/docs")
        yield Place(hit, "docs documentation openapi")


def _own(principal: Principal) -> Iterator[Place]:
    words = "glossary terms shortcuts what is account profile sign-out sessions"
    for item in own_pages("") if principal.is_member else ():
        yield Place(Hit(label=item.label, detail="You", icon=item.icon, url=item.url), words)


def _to_configure(principal: Principal) -> Iterator[Place]:
    yield Place(Hit(label="New segment", icon="plus", url=NEW_SEGMENT), "create add")
    drafts = list_drafts(principal.scope)
    rules = draft_path(drafts[0].draft_id) if drafts else SCORING
    yield Place(Hit(label="Add a rule", icon="plus", url=rules), "new create points scoring")
    for kind in TriggerKind:
        hit = Hit(label=f"New {kind} trigger", icon="plus", url=new_path(kind))
        yield Place(hit, "create add alert notification")


def _to_run(principal: Principal) -> Iterator[Place]:
    if can(principal, Permission.WRITE_DATA):
        yield Place(Hit(label="Import events", icon="file-up", url=IMPORTS), "csv upload")
        yield Place(Hit(label="Import leads", icon="file-up", url=f"{IMPORTS}/leads"), "csv upload")
    if can(principal, Permission.READ):
        export = Hit(label="Export all leads", icon="download", url=f"{LEADS}/export")
        yield Place(export, "csv download")
    if can(principal, Permission.ADMINISTER):
        yield Place(Hit(label="Invite a member", icon="user-plus", url=MEMBERS), "add new user")
        unit = Hit(label="New organisation unit", icon="building-2", url=f"{SETTINGS}#units-title")
        yield Place(unit, "create add")
    if can(principal, Permission.OWN):
        yield Place(Hit(label="Create an API key", icon="key-round", url=CREDENTIALS), "new add")
        slack = Hit(label="Connect Slack or HubSpot", icon="plug", url=INTEGRATIONS)
        yield Place(slack, "integration")


def _to_leave(principal: Principal) -> Iterator[Place]:
    if not principal.is_member:
        return
    for unit in account_of(principal).units:
        if unit.unit_id != principal.unit_id:
            yield Place(
                Hit(
                    label=f"Switch to {unit.name}",
                    detail="Organisation unit",
                    icon="building-2",
                    form="switch-unit",
                    value=str(unit.unit_id),
                ),
                "change",
            )
    yield Place(Hit(label="Sign out", icon="log-out", form="sign-out"), "log logout")


def choose(places: Iterable[Place], query: str) -> tuple[Hit, ...]:
    """Return the hits that a query means, those first whose own words begin so."""
    found = [place.hit for place in places if place.is_meant_by(query)]
    return tuple(sorted(found, key=lambda hit: not hit.label.lower().startswith(query.lower())))
