"""What steers scoring: templates/scoring/page.html shows the rules in force, or those of a draft.

Fragments for htmx: the rulesets (_rulesets.html, #rulesets), one rule (_rule.html, #rule-ID), the
draft's bar (_bar.html, #draft-bar) and what it would change (_panel.html, #what-changes). Each is
asked for at the page's own URL; after a mistake it comes with the errors, 422, and 409 when
somebody else was quicker.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wtforms import Form

from leadvibe.web.pages.display import Alert, Choice, Link, Moment
from leadvibe.web.pages.scoring_previews import Panel


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    id: str
    subject: str
    """The event type, or "seniority is one of director, vp"."""
    effect: str
    """"Each one adds 20 points"."""
    weight: str
    """What stands in the field: as stored, or as it was just typed and refused."""
    weight_label: str
    """Signed, where it cannot be edited."""
    direction: str
    """up, down, or flat."""
    has_switch: bool
    """Rules about events can be paused, those about properties cannot."""
    is_active: bool
    seen: str = ""
    """How many events of this type the unit has, grouped by thousands."""
    is_unseen: bool = False
    period: str = ""
    """"from 1 Dec 2025", "until 31 Jan 2026"; empty when always."""
    mark: str = ""
    """"New" or "was +5": how a draft differs from what is in force."""
    state: str = ""
    """Sent along with changes, to notice those of others."""
    error: str = ""
    """What was wrong with the weight just sent."""
    form: Form | None = None
    """Opened for editing."""
    update_url: str = ""
    edit_url: str = ""
    delete_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetCard:
    id: str
    name: str
    is_primary: bool
    is_active: bool
    period: str = ""
    mark: str = ""
    state: str = ""
    rules: tuple[RuleRow, ...]
    rules_label: str
    """"12 rules"."""
    rule_form: Form
    """event_type or key, operator and value; weight. With errors after a failed attempt."""
    offers: tuple[Choice, ...] = ()
    """Event types that come in and give no points here, with their counts; each opens the form."""
    form: Form | None = None
    """Opened for editing."""
    url: str = ""
    """POST changes of the ruleset; empty where it cannot be edited."""
    edit_url: str = ""
    add_rule_url: str = ""
    delete_url: str = ""
    """Empty when it may not be deleted, as the primary one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftBar:
    name: str
    changes: int
    changes_label: str
    """"3 changes"."""
    edited_by: str
    edited_at: Moment
    url: str
    """The page that the bar is on."""
    changes_url: str
    publish_url: str
    name_form: Form
    name_url: str
    discard_url: str
    tab: str = ""
    """edit, changes, preview or publish: where in the draft the page is."""
    tabs: tuple[Choice, ...] = ()
    outdated: str = ""
    """What has happened to the rules in force since; empty when nothing has."""
    others: tuple[str, ...] = ()
    """What others changed, in sentences."""
    catch_up_url: str = ""
    can_edit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    name: str
    url: str
    edited_by: str
    edited_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreCard:
    """How far the rescore of all leads is."""

    text: str
    percent: int
    is_running: bool
    is_failed: bool = False
    url: str
    """Where it is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPage:
    kind: str
    """engagement, profile or account."""
    url: str = ""
    """Of a draft's page, with nothing opened."""
    intro: str
    tabs: tuple[Choice, ...]
    rulesets: tuple[RulesetCard, ...] = ()
    empty_title: str = ""
    empty_text: str = ""
    can_edit: bool = False
    """The page can be edited: a draft, and a member who may."""
    bar: DraftBar | None = None
    """None where the rules in force are shown."""
    panel: Panel | None = None
    ruleset_form: Form
    create_url: str = ""
    suggestions: tuple[str, ...] = ()
    """Event types or properties, offered while typing."""
    version: str = ""
    """"12": number of the configuration in force."""
    changed_by: str = ""
    changed_at: Moment | None = None
    can_draft: bool = False
    start_url: str = ""
    """POST `kind`: makes a draft."""
    drafts: tuple[DraftRow, ...] = ()
    rescore: RescoreCard | None = None
    rescore_url: str = ""
    alert: Alert | None = None
    accounts_switch: Choice | None = None
    """POST `abm`: switches account scoring on, or off where that is what is left to do."""
    remedy: Link | None = None
    """Where to go on instead, where there is nothing to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    label: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """templates/scoring/changes.html and publish.html."""

    bar: DraftBar
    groups: tuple[ChangeGroup, ...]
    form: Form
    publish_url: str = ""
    back_url: str = ""
    preview_url: str = ""
    preview_text: str = ""
    """What the preview has found; empty when there is none of the draft as it is."""
    can_rescore: bool = False
    """Something changes that scores of past events rest on."""
    alert: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    number: str
    summary: str
    by: str
    at: Moment
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """templates/scoring/history.html."""

    tabs: tuple[Choice, ...]
    versions: tuple[VersionRow, ...]
    pager: object | None = None
    """A Pager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """templates/scoring/version.html."""

    version: VersionRow
    other: str
    """The number that it is compared with."""
    title: str
    """"What version 12 changed", "From version 9 to version 12"."""
    groups: tuple[ChangeGroup, ...]
    views: tuple[Choice, ...] = ()
    """What to compare with."""
    numbers: tuple[Choice, ...] = ()
    can_restore: bool = False
    restore_url: str = ""
    draft_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    subject: str
    weight_label: str
    direction: str
    reason: str = ""
    is_seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCard:
    key: str
    name: str
    audience: str
    description: str
    facts: tuple[str, ...]
    """"15 rules", "4 levels"."""
    seen: str
    """"12 of its 15 event types come in here already"."""
    rules: tuple[TemplateRow, ...]
    fit: tuple[TemplateRow, ...] = ()
    accounts: tuple[TemplateRow, ...] = ()
    levels: tuple[tuple[str, tuple[object, ...]], ...] = ()
    """By kind, with level badges."""
    decays: tuple[str, ...] = ()
    use_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesPage:
    """templates/scoring/templates.html."""

    tabs: tuple[Choice, ...] = ()
    cards: tuple[TemplateCard, ...]
    can_edit: bool
    has_accounts: bool
    draft_name: str = ""
    """Of the draft that a template is put into; empty for a new one."""
    draft_id: str = ""
    back: Link | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)
