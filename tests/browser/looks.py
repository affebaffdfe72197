"""How a journey looks: on which screen, in which theme, and with or without scripts.

Each journey is gone three times: on a wide screen in light, on a narrow one in the dark, and
without scripts. Pictures are taken in both themes on the way, if they are wanted.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.barriers import barriers
from tests.browser.conftest import WIDE, Site
from tests.people import Person

NARROW = {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": WIDE, "color_scheme": "light"},
    "narrow": {"viewport": NARROW, "color_scheme": "dark"},
    "plain": {"viewport": WIDE, "color_scheme": "light", "java_script_enabled": False},
}
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""The folder where pictures are kept, if they are wanted."""


@dataclass(frozen=True)
class Journey:
    """One way through the pages, in one look."""

    site: Site
    name: str
    look: str

    @property
    def runs_scripts(self) -> bool:
        return self.look != "plain"

    @property
    def is_narrow(self) -> bool:
        return self.look == "narrow"

    def visit(self, person: Person | None, path: str) -> Page:
        return self.site.visit(person, path, reduced_motion="reduce", **LOOKS[self.look])

    def keep(self, page: Page, stage: str) -> None:
        """Look at where the journey has come to: nothing sticks out or bars anybody."""
        page.wait_for_load_state()
        if self.runs_scripts:
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) == 0, f"{page.url} is wider than its window"
        if self.look == "wide":
            found = [*barriers(page, "dark", rules="colours"), *barriers(page, "light")]
            assert not found, "\n".join([f"{self.name}, {stage}", *found])
        if SCREENSHOTS is None:
            return
        folder = Path(SCREENSHOTS) / self.look
        name = re.sub(r"[^a-z0-9]+", "-", f"{self.name} {stage}".lower()).strip("-")
        # The theme that the journey is gone in comes last, and so stays.
        for scheme in sorted(("light", "dark"), key=LOOKS[self.look]["color_scheme"].__eq__):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{name}-{scheme}.png", animations="disabled")

    def unfold_filters(self, page: Page) -> None:
        """Open the filters where they are folded: a narrow screen folds more of them."""
        if page.locator("details.folds:not([open])").count():
            page.locator("details.folds > summary").click()

    def search(self, page: Page, text: str) -> None:
        page.locator("#lead-search").fill(text)
        page.locator("#lead-search").press("Enter")
