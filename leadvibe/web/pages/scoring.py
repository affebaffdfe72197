"""Rulesets and their rules: templates/scoring/page.html, and _rulesets.html alone for htmx.

Every form posts to a URL of its own, targets #rulesets, and works without JavaScript as a post
that redirects back. After a mistake the answer is the same page or fragment with the errors, 422.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    id: str
    event_type: str
    weight: int
    """As stored: it is the value of the inline form's number field."""
    weight_label: str
    """Signed, for members who may not edit."""
    direction: str
    """up, down, or flat."""
    is_active: bool
    seen: str
    """How many events of this type the unit has, grouped by thousands."""
    period: str = ""
    """"from 1 Dec 2025", "until 31 Jan 2026"; empty when always."""
    error: str = ""
    """What was wrong with the weight just sent."""
    update_url: str
    """POST `weight`, or `active` with 1 or 0."""
    delete_url: str
    """POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetCard:
    id: str
    name: str
    is_primary: bool
    is_active: bool
    period: str = ""
    """"1 Dec 2025 to 31 Jan 2026"; empty when it always applies."""
    rules: tuple[RuleRow, ...]
    rules_label: str
    """"12 rules"."""
    rule_form: Form
    """event_type, weight; bound, with errors, after a failed attempt in this ruleset."""
    add_rule_url: str
    """POST event_type, weight."""
    update_url: str
    """POST `active` with 1 or 0, or `primary` with 1."""
    delete_url: str
    """POST; empty when it may not be deleted, as the primary one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPage:
    rulesets: tuple[RulesetCard, ...]
    ruleset_form: Form
    """name, start_at, end_at; open with its errors after a failed attempt."""
    create_ruleset_url: str = "/app/scoring/rulesets"
    event_types: tuple[str, ...] = ()
    """Known types, offered while typing."""
    version: str
    """"12": number of the configuration in force."""
    changed_by: str = ""
    changed_at: Moment | None = None
    can_edit: bool = True
    alert: Alert | None = None
