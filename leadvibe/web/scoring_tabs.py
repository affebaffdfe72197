"""The tabs over all pages about scoring."""

from __future__ import annotations

from leadvibe.web.pages.display import Choice

LEVELS = "/app/scoring/levels"
DECAY = "/app/scoring/decay"
FILTERS = "/app/scoring/filters"
SURGE = "/app/scoring/surge"
MAPPING = "/app/scoring/mapping"

TABS = (
    ("Engagement", "/app/scoring"),
    ("Profile", "/app/scoring/profile"),
    ("Account", "/app/scoring/account"),
    ("Levels", LEVELS),
    ("Decay", DECAY),
    ("Filters", FILTERS),
    ("Surge", SURGE),
    ("Mapping", MAPPING),
    ("Templates", "/app/scoring/templates"),
    ("History", "/app/scoring/history"),
)


def scoring_tabs(current: str) -> tuple[Choice, ...]:
    """Return the tabs; `current` is the address of the one that the page belongs to."""
    return tuple(Choice(label, url=url, is_selected=url == current) for label, url in TABS)
