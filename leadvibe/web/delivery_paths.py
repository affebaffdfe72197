"""Addresses of deliveries and of their destinations."""

from __future__ import annotations

from uuid import UUID

from leadvibe.web.pages.display import Choice

DELIVERIES = "/app/deliveries"
DESTINATIONS = f"{DELIVERIES}/destinations"


def delivery_path(delivery_id: UUID, end: str = "") -> str:
    return f"{DELIVERIES}/{delivery_id}{end}"


def destination_path(destination_id: UUID, end: str) -> str:
    return f"{DESTINATIONS}/{destination_id}{end}"


def tabs(current: str) -> tuple[Choice, ...]:
    """Return the two lists that belong together; `current` is the one that is shown."""
    lists = (("Deliveries", DELIVERIES), ("Destinations", DESTINATIONS))
    return tuple(Choice(label, url=url, is_selected=url == current) for label, url in lists)
