"""One lead: templates/leads/lead.html, with _why.html, _timeline.html and _segments.html for htmx.

The fragments are rendered with a `LeadPage` too and read its `why`, `timeline` or `segments`; the
others may then be None. They are asked for at the page's own URL: with `before` it is the timeline,
else (`window`, `ruleset`) the explanation. `event` opens the timeline around that event, and `show`
with "segments" lists these in the page itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Alert, Fact, Level, Moment
from leadvibe.web.pages.explanation import Explanation
from leadvibe.web.pages.segments import SegmentsOfLead
from leadvibe.web.pages.timeline import Timeline

ALIAS_ICONS = {
    "email": "at-sign",
    "phone": "phone",
    "external_id": "fingerprint",
    "cookie": "cookie",
    "social": "users",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRow:
    kind: str
    value: str
    icon: str
    """`alias_icon(kind)`."""
    created_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetScore:
    name: str
    score: str
    url: str
    """The lead's page with this ruleset explained."""
    is_primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    id: str
    name: str
    detail: str = ""
    """Company or title, when known."""
    level: Level
    score: str
    rulesets: tuple[RulesetScore, ...] = ()
    """Primary first; shown when there are several."""
    events: str = "0"
    sessions: str = "0"
    last_active: Moment | None = None
    created_at: Moment
    owner: str = ""
    aliases: tuple[AliasRow, ...] = ()
    metadata: tuple[Fact, ...] = ()
    why: Explanation | None = None
    timeline: Timeline | None = None
    segments: SegmentsOfLead | None = None
    alert: Alert | None = None
    """Such as "Merged into …", or "Being deleted"."""
    triggers_url: str = ""
    """What triggers emitted about the lead: a page, or the fragment `lead-triggers`."""
    list_url: str = "/app/leads"
    """Back to the list, with its filters when the member came from there."""


def alias_icon(kind: str) -> str:
    return ALIAS_ICONS.get(kind, "fingerprint")
