"""What axe finds in a page: that somebody could not see, hear, reach or understand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

SETTLED = """async () => {
  while (document.querySelector(".htmx-request")) await new Promise((it) => setTimeout(it, 20));
  const fading = () => document.getAnimations().filter((it) => it instanceof CSSTransition);
  for (let some = fading(); some.length; some = fading()) some.forEach((it) => it.finish());
}"""
"""Waits for what is on its way, which dims what it will replace, and ends what is fading.

What inherits the colour of what is fading into another theme begins when that has ended.

Asking for animations brings styles up to date; a frame would have the whole page painted.
"""

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_OPTIONS = {"resultTypes": ["violations"], "preload": False}
_LAYOUT = [
    "target-size", "scrollable-region-focusable", "button-name", "link-name", "label",
    "select-name", "summary-name", "aria-hidden-focus", "nested-interactive", "heading-order",
    "empty-heading",
]  # fmt: skip
"""What can be wrong at one size alone, where others hide what they show or show it elsewhere."""

_OF_RULES = {
    "all": _OPTIONS,
    "colours": {**_OPTIONS, "runOnly": ["color-contrast"]},
    "layout and colours": {**_OPTIONS, "runOnly": [*_LAYOUT, "color-contrast"]},
}


def barriers(page: Page, scheme: str, *, rules: str = "all") -> list[str]:
    """Return what is wrong in a theme, each with its place.

    A theme changes no more than `colours`, a size of the window no more than the layout.
    """
    page.emulate_media(color_scheme=scheme)
    page.evaluate(SETTLED)
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate("options => axe.run(options)", _OF_RULES[rules])["violations"]
    return [f"{scheme}: {it['id']}: {_place(node)}" for it in found for node in it["nodes"]]


def _place(node: dict[str, Any]) -> str:
    return f"{node['failureSummary']} {node['html'][:200]}"
