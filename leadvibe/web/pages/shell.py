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
    icon: str = ""
    """Of a group that is folded up until somebody is on one of its pages, or wants to be."""

    @property
    def is_open(self) -> bool:
        return any(item.is_current for item in self.items)


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
    own: tuple[NavItem, ...]
    """What is the member's own, in the menu with their name."""
    recents_key: str
    """Names who works in which unit: what they opened last is nobody else's."""
    version: str
    home_url: str = "/app/home"
    switch_unit_url: str = "/app/unit"
    """POST with `unit_id` and `next`."""
    search_url: str = "/app/search"
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
    members = (item("Members", "/app/members", "user-plus"),) if can_administer else ()
    accounts = (item("Accounts", "/app/accounts", "building"),) if has_accounts else ()
    start = (item("Quick start", "/app/quick-start", "rocket"),) if can_configure else ()
    first, later = ((), start) if is_started else (start, ())
    return (
        NavGroup(
            label="Analyze",
            items=(
                *first,
                item("Home", "/app/home", "house"),
                item("Leads", "/app/leads", "users"),
                item("Calls", "/app/calls", "phone"),
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
            icon="cog",
            items=(
                item("General", "/app/settings", "building-2"),
                *members,
                item("Scoring settings", "/app/settings/scoring", "sliders-horizontal"),
                item("Event types", "/app/settings/events", "tags"),
                item("Integrations", "/app/settings/integrations", "plug"),
                item("Notifications", "/app/settings/notifications", "bell"),
                *keys,
                *audit,
                item("Usage", "/app/settings/usage", "chart-column"),
                *later,
            ),
        ),
    )


def own_pages(current: str) -> tuple[NavItem, ...]:
    """Lay out the pages in the menu with the member's name."""
    return tuple(
        NavItem(label=label, url=url, icon=icon, is_current=url == current)
        for label, url, icon in (
            ("Password and sign-in", "/app/account/password", "lock"),
            ("Access tokens", "/app/account/tokens", "key-round"),
            ("Help", "/app/help", "circle-question-mark"),
        )
    )


def initials(name: str) -> str:
    """Take the first letters of the first and last name: "Ana Maria Silva" is AS."""
    words = name.split()
    if not words:
        return "?"
    return "".join(
        word[0] for word in (words if len(words) == 1 else (words[0], words[-1]))
    ).upper()
