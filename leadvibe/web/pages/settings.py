"""General settings, access and usage: templates/settings/page.html, tokens.html and usage.html."""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Choice, Fact, Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    name: str
    slug: str
    role: str
    is_active: bool
    is_default: bool
    rename_url: str
    archive_url: str
    """POST; empty for the only one."""
    dialog_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedUnitRow:
    name: str
    by: str
    at: Moment
    restore_url: str
    leads_url: str
    events_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitPage:
    """The organisation's rate limit: templates/settings/rate_limit.html."""

    form: Form
    """mode, key_by, rps, burst."""
    is_own: bool
    facts: tuple[Fact, ...]
    of_all: tuple[Fact, ...]
    """The installation's."""
    can_edit: bool
    post_url: str
    drop_url: str
    credentials_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    org_name: str
    units: tuple[UnitRow, ...]
    can_edit: bool
    problem: str = ""
    limits: tuple[Fact, ...] = ()
    limits_note: str = ""
    limits_url: str
    archived: tuple[ArchivedUnitRow, ...] = ()
    has_sample: bool = False
    can_sample: bool = False
    org_url: str
    units_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    name: str
    created_at: Moment
    expires_at: Moment | None
    is_expired: bool
    last_used_at: Moment | None
    revoke_url: str
    dialog_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensPage:
    tokens: tuple[TokenRow, ...]
    lifetimes: tuple[Choice, ...]
    created_name: str = ""
    created_token: str = ""
    problem: str = ""
    name: str = ""
    action_url: str
    sessions_url: str
    email: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart, in the units of its viewBox."""

    x: float
    y: float
    width: float
    height: float
    title: str
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    id: str
    title: str
    total: str
    bars: tuple[Bar, ...]
    limit_y: float | None = None
    first: str
    last: str
    top: str
    """The value at the upper edge."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    org_name: str
    unit_name: str
    figures: tuple[Fact, ...]
    percent: int | None
    is_over: bool
    months: Chart
    days: tuple[Chart, ...]
