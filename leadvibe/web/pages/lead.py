"""One lead: templates/leads/lead.html, put together from fragments that htmx replaces one by one.

Each fragment is rendered with a `LeadPage` too and reads its own part; the others may be None then.
All are asked for at the page's own URL, whose query is web.lead_state; `event` opens the history
around that event, `fired` names what a trigger told somebody of, `edit` opens a property for
editing, `show` with "segments" lists these in the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from leadvibe.web.forms.deal import DealForm
from leadvibe.web.forms.lead import AliasForm, DocumentForm, NoteForm, PropertyForm
from leadvibe.web.pages.display import Alert, Choice, Fact, Level, Link, Moment
from leadvibe.web.pages.explanation import Explanation
from leadvibe.web.pages.segments import SegmentsOfLead
from leadvibe.web.pages.timeline import Timeline
from leadvibe.web.pages.why_now import WhyNow

ALIAS_ICONS = {
    "email": "at-sign",
    "phone": "phone",
    "external_id": "fingerprint",
    "cookie": "cookie",
    "social": "users",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRow:
    id: str
    kind: str
    value: str
    icon: str
    """`alias_icon(kind)`."""
    created_at: Moment
    remove_url: str
    """Empty for who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    lead_id: str
    rows: tuple[AliasRow, ...]
    form: AliasForm | None = None
    """None for who may not add any."""
    add_url: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetScore:
    name: str
    score: str
    level: Level | None = None
    """Of the primary one alone: levels are cut for it."""
    url: str
    """The lead's page with this ruleset explained; empty for a profile ruleset."""
    is_primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHead:
    name: str
    detail: str = ""
    """Company or title, when known."""
    level: Level
    score: str
    rulesets: tuple[RulesetScore, ...] = ()
    """Primary first; shown when there are several."""
    profile_score: str = ""
    """Empty without a profile ruleset."""
    profile_level: Level | None = None
    badges: tuple[Fact, ...] = ()
    """Tone and text: surging, anonymous."""
    events: str = "0"
    sessions: str = "0"
    last_active: Moment | None = None
    created_at: Moment
    source: str
    account: Link | None = None
    owner: str = ""
    owners: tuple[Choice, ...] = ()
    """Members to give it to; none for who may not."""
    owner_url: str
    is_watched: bool = False
    watch_url: str = ""
    """Empty for who is no member."""
    merge_url: str = ""
    delete_url: str = ""
    """Both empty for who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyRow:
    name: str
    value: str
    origin: str
    """Where it comes from: "Set by hand, 3 Nov 2026", "From form.company, 3 Nov 2026"."""
    is_mapped: bool
    """It comes from an event, which is worth saying beside it."""
    edit_url: str = ""
    form: PropertyForm | None = None
    """While it is edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    url: str
    """The lead's page, without anything being edited."""
    rows: tuple[PropertyRow, ...]
    is_in_deal: bool = False
    """There are properties, but the card of the deal has them all."""
    more: str = ""
    """How many are not shown."""
    can_edit: bool = False
    save_url: str
    add_url: str = ""
    new: PropertyForm | None = None
    document_url: str = ""
    document_save_url: str = ""
    document: DocumentForm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReason:
    label: str
    weight: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileScore:
    """A score by what the lead is, and the rules it meets."""

    name: str
    score: str
    note: str = ""
    reasons: tuple[ProfileReason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRow:
    lead_id: str
    note: str
    """Who merged it, and what was left out."""
    unmerge_id: str = ""
    """Of the dialog that asks first; empty for who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedRow:
    lead: Link
    why: str
    merge_url: str
    lead_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merges:
    """Leads that are part of it, and those that may be."""

    merged: tuple[MergedRow, ...] = ()
    suggested: tuple[SuggestedRow, ...] = ()
    unmerge_url: str = ""
    dismiss_url: str = ""
    can_merge: bool = False


class RecordedFact(NamedTuple):
    label: str
    value: str | Moment
    edit_url: str = ""
    """Where it is changed as the property it is; empty for who may not."""


class RecordGroup(NamedTuple):
    title: str
    facts: tuple[RecordedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What is recorded of the lead: a form for who may change it, else `facts`."""

    status: str
    facts: tuple[RecordedFact, ...]
    groups: tuple[RecordGroup, ...]
    form: DealForm | None
    save_url: str
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    id: str
    name: str
    head: LeadHead | None = None
    why_now: WhyNow | None = None
    why: Explanation | None = None
    timeline: Timeline | None = None
    aliases: Aliases | None = None
    properties: Properties | None = None
    deal: Deal | None = None
    profile: tuple[ProfileScore, ...] = ()
    merges: Merges | None = None
    segments: SegmentsOfLead | None = None
    alert: Alert | None = None
    """Such as "Merged into ...", or "Being deleted"."""
    triggers_url: str = ""
    """What triggers emitted about the lead: a page, or the fragment `lead-triggers`."""
    list_url: str = "/app/leads"
    """Back to the list, with its filters when the member came from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Forms that were sent and refused, to be shown as they were sent."""

    note: NoteForm | None = None
    note_id: str = ""
    """The note that was edited; empty for a new one."""
    alias: AliasForm | None = None
    property: PropertyForm | None = None
    document: DocumentForm | None = None
    deal: DealForm | None = None
    alert: Alert | None = field(default=None)


NO_DRAFTS = Drafts()


def alias_icon(kind: str) -> str:
    return ALIAS_ICONS.get(kind, "fingerprint")
