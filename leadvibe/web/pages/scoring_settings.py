"""Scoring settings: templates/scoring_settings/page.html, and _rescore.html alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Alert, Moment
from leadvibe.web.pages.live import LiveNote


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    by: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreCard:
    is_running: bool
    percent: int
    sentence: str
    """How far it is, or how the last one went."""
    cost: str
    """What another would take."""
    error: str = ""
    at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringSettingsPage:
    form: Form
    changes: Mapping[str, LastChange]
    can_edit: bool
    can_administer: bool
    live: LiveNote
    rescore: RescoreCard
    url: str = "/app/settings/scoring"
    alert: Alert | None = None
