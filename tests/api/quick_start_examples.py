"""Requests for the operations of a quick start that succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.world import World

ANSWERS = {
    "industry": "saas",
    "event_types": ["demo_request", "pricing_page_view"],
    "sensitivity": "balanced",
    "off": ["filter:Robots"],
    "weights": {"rule:demo_request": 50},
}

QUICK_START_EXAMPLES: dict[str, Callable[[World], dict[str, Any]]] = {
    "POST /quick-start/plan": lambda _: {"json": ANSWERS},
    "POST /quick-start/apply": lambda _: {"json": ANSWERS},
}
