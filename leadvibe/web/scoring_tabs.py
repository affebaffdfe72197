"""The tabs over all pages about scoring."""

from __future__ import annotations

from leadvibe.web.pages.display import Choice

TABS = (
    ("Engagement", "/app/scoring"),
    ("Profile", "/app/scoring/profile"),
    ("Account", "/app/scoring/account"),
    ("Templates", "/app/scoring/templates"),
    ("History", "/app/scoring/history"),
)


def scoring_tabs(current: str) -> tuple[Choice, ...]:
    """Return the tabs; `current` is the address of the one that the page belongs to."""
    return tuple(Choice(label, url=url, is_selected=url == current) for label, url in TABS)
