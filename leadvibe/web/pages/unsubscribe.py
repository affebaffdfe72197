"""Ending personal notifications: templates/unsubscribe/page.html, on the bare frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribePage:
    """Without a `unit_name` the link is no good. `about` is empty when it ends everything."""

    unit_name: str = ""
    about: str = ""
    action_url: str = ""
    app_url: str = "/app"
    is_done: bool = False
