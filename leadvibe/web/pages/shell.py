"""The frame around every signed-in page: navigation, organisation unit, member.

Built once a request by the renderer and given to templates as `shell`, beside `page`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    label: str
    url: str
    icon: str
    """A symbol of static/icons.svg."""
    is_current: bool = False
    count: str = ""
    """Shown beside the label when something waits there, such as dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavGroup:
    label: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    id: str
    name: str
    is_active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    member_name: str
    member_email: str
    member_initials: str
    role: str
    """Owner, Operator or Viewer, in the active unit."""
    org_name: str
    units: tuple[Unit, ...]
    """Every unit the member may enter; the switcher shows when there are several."""
    unit_name: str
    nav: tuple[NavGroup, ...]
    version: str
    home_url: str = "/app/home"
    switch_unit_url: str = "/app/unit"
    """POST with `unit_id` and `next`."""
    account_url: str = "/app/account/password"
    sign_out_url: str = "/app/logout"
    """POST."""


def navigation(
    current: str,
    *,
    dead_letters: int = 0,
    can_own: bool = True,
    can_administer: bool = True,
    has_accounts: bool = False,
    can_configure: bool = False,
    is_started: bool = True,
) -> tuple[NavGroup, ...]:
    """Lay out the sidebar; `current` is the URL of the section the page belongs to.

    Nobody is led to pages that would turn them away.
    """

    def item(label: str, url: str, icon: str, count: str = "") -> NavItem:
        return NavItem(label=label, url=url, icon=icon, is_current=url == current, count=count)

    waiting = f"{dead_letters:,}" if dead_letters else ""
    keys = (item("API credentials", "/app/credentials", "key-round"),) if can_own else ()
    audit = (item("Audit log", "/app/settings/audit", "file-text"),) if can_own else ()
    members = (item("Members", "/app/members", "building-2"),) if can_administer else ()
    accounts = (item("Accounts", "/app/accounts", "building"),) if has_accounts else ()
    start = (item("Quick start", "/app/quick-start", "zap"),) if can_configure else ()
    first, later = ((), start) if is_started else (start, ())
    return (
        NavGroup(
            label="Analyze",
            items=(
                *first,
                item("Home", "/app/home", "house"),
                item("Leads", "/app/leads", "users"),
                *accounts,
                item("Segments", "/app/segments", "list-filter"),
                item("Events", "/app/events", "activity"),
            ),
        ),
        NavGroup(
            label="Configure",
            items=(
                item("Scoring", "/app/scoring", "gauge"),
                item("Triggers", "/app/triggers", "zap"),
                item("Deliveries", "/app/deliveries", "send"),
            ),
        ),
        NavGroup(
            label="Data",
            items=(
                item("Imports", "/app/imports", "file-up"),
                item("Dead letters", "/app/dead-letters", "inbox", waiting),
            ),
        ),
        NavGroup(
            label="Settings",
            items=(
                item("General", "/app/settings", "cog"),
                *later,
                *members,
                item("Event types", "/app/settings/events", "tags"),
                item("Scoring settings", "/app/settings/scoring", "sliders-horizontal"),
                item("Integrations", "/app/settings/integrations", "plug"),
                item("Notifications", "/app/settings/notifications", "bell"),
                *keys,
                *audit,
                item("Usage", "/app/settings/usage", "gauge"),
                item("Access tokens", "/app/account/tokens", "lock"),
                item("Account", "/app/account/password", "user"),
            ),
        ),
    )


def initials(name: str) -> str:
    """Take the first letters of the first and last name: "Ana Maria Silva" is AS."""
    words = name.split()
    if not words:
        return "?"
    return "".join(
        word[0] for word in (words if len(words) == 1 else (words[0], words[-1]))
    ).upper()
