"""Triggers: templates/triggers/page.html (the list), edit.html (one) and history.html.

Fragments for htmx: the list (_list.html), the form (_form.html), the trigger in words (_says.html),
what it would have done (_trial.html), the channels of Slack (_slack.html), leads that a text finds
(_leads.html), the history (_history.html) and a lead's part of it (_of_lead.html). Each is asked
for at the page's own URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wtforms import Form

from leadvibe.web.pages.deliveries import Place
from leadvibe.web.pages.display import Alert, Choice, Link, Moment, Pager, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A destination that is not reached: "example.com", "Paused", and why."""

    place: Place
    state: str
    tone: Tone
    problem: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether what a trigger tells gets there; neither is set where nothing was sent yet."""

    troubles: tuple[Trouble, ...] = ()
    is_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    id: str
    name: str
    kind: str
    """"Milestone"; empty in a list of one kind alone."""
    icon: str
    looks_for: str
    """"pricing_view, then demo_request within 2 days"; empty where its name says so."""
    whom: str
    """"engagement level is Hot"; empty for everybody."""
    told: str
    """Empty for nobody."""
    health: Health
    often: str
    last_fired: Moment | None
    fired: str
    """How often in the last 7 days: "12 times"; empty for never."""
    is_active: bool
    warnings: tuple[str, ...] = ()
    edit_url: str = ""
    """Empty for those who may not."""
    history_url: str
    switch_url: str
    """POST `active` with 1 or 0."""
    copy_url: str
    """POST."""
    delete_url: str
    """POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCard:
    """A kind of trigger, and what it is good for."""

    icon: str
    label: str
    """"Milestone"."""
    none: str
    """"No milestones yet"."""
    text: str
    new_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggersPage:
    tabs: tuple[Choice, ...]
    kind: str
    """"milestone"; empty for all."""
    kinds: tuple[KindCard, ...]
    """Those that are listed: one, or all."""
    triggers: tuple[TriggerRow, ...]
    history_url: str
    can_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRow:
    """A condition of the form; its controls are named `PREFIX-key` and so on."""

    prefix: str
    label: str
    """"Condition 2 of step 1", for screen readers."""
    key: str
    operators: tuple[Choice, ...]
    value: str
    has_value: bool
    is_of_profile: bool
    key_list: str
    """Id of the suggestions for the property; empty for none."""
    remove: str
    """What the button does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    number: int
    label: str
    event_type: str
    min_count: str
    conditions: tuple[ConditionRow, ...]
    can_move_up: bool
    can_move_down: bool
    can_add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckList:
    """Levels, or channels, to choose any of."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    id: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackField:
    """Where in Slack; with `choices` a list of channels, else an id to be typed."""

    target_id: str
    choices: tuple[Choice, ...] = ()
    pick_url: str = ""
    """Where the channels are to be asked for; empty when they need not."""
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPick:
    """The page of a SlackField alone."""

    slack: SlackField


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The trigger as it stands in the form, in words; or what is missing yet."""

    sentence: str = ""
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    name: str
    url: str
    at: Moment
    event_type: str
    times: str
    """"3 times"; empty for once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the trigger would have done; `message` is empty until somebody asks."""

    days: str = "30"
    lead: str = ""
    message: str = ""
    would_fire: bool = False
    problem: str = ""
    rows: tuple[TrialRow, ...] = ()
    note: str = ""
    leads_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPage:
    title: str
    kind: str
    form: Form
    steps: tuple[StepRow, ...] = ()
    conditions: tuple[ConditionRow, ...] = ()
    can_add_step: bool = True
    can_add_condition: bool = True
    levels: tuple[CheckList, ...] = ()
    channels: CheckList | None = None
    slack: SlackField | None = None
    suggestions: tuple[Suggestions, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    """Of rows and of choices, by the name of the control."""
    focus: str = ""
    """The control that was just added, or the button of the step that was moved."""
    is_refused: bool = False
    """Whether it was to be saved, and is not."""
    nobody: str = ""
    """Who is told when nobody is named."""
    post_url: str
    """POST everything with `do`: save, try, or what is to happen to a row."""
    list_url: str
    list_label: str
    history_url: str = ""
    deliveries_url: str = ""
    copy_url: str = ""
    """POST, as the next; all of these are empty for a new one."""
    delete_url: str = ""
    says: Says | None = None
    trial: Trial | None = None
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLead:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLeads:
    leads: tuple[OfferedLead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedRow:
    at: Moment
    lead: Link
    trigger: Link
    """Its URL is empty when it is deleted, or not for this member to edit."""
    kind: str
    why: str
    event_type: str
    event_url: str
    """The lead's timeline at the event; empty when that was no single event."""
    deliveries_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    url: str
    kinds: tuple[Choice, ...]
    triggers: tuple[Choice, ...]
    lead: Link | None = None
    """Whose history it is alone."""
    lead_id: str = ""
    lead_url: str = ""
    """The same history, whole."""
    everybody_url: str
    rows: tuple[EmittedRow, ...]
    pager: Pager | None = None
    export_url: str
    is_narrowed: bool
    list_url: str
