"""What every page must be at any size and in either theme: whole, and usable by everybody."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.furnishing import LONG, furnish, upload_by
from tests.walking import Found, distinct, walk

SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
PARTS = 2
"""Into how many tests the pages are divided, for as many processes."""
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""The folder where pictures of all pages are kept, if they are wanted."""
SETTLED = """async () => {
  await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  for (const it of document.getAnimations()) if (it instanceof CSSTransition) it.finish();
}"""
"""Ends what is fading into another theme."""
UNLINKED = (
    "/app/leads/nobody", "/app/leads?sort=colour", f"/app/leads/{LONG}?window=7d",
    f"/app/events?q={LONG}&m0={LONG}", f"/app/settings/events/delete?type={LONG[:150]}",
    "/app/home?from=x&to=y", "/app/accounts?level=Low&q=x&min_score=0",
)  # fmt: skip


@pytest.fixture
def furnished(site, security, browse):
    upload = upload_by(browse(site.people.operator))
    furnish(site.world, site.people, security=security, upload=upload)
    return site


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_whole_and_bars_nobody(furnished, app, size, part):
    page = furnished.visit(furnished.people.admin, viewport=SIZES[size], reduced_motion="reduce")
    walked = walk(lambda path: open_quietly(page, path), app.url_map, "/app/home", "/docs", alike=1)
    pages = [*distinct(walked.documents, app.url_map), *UNLINKED]

    problems = []
    for path in pages[part::PARTS]:
        page.goto(path)
        for closed in page.locator("main details").all():
            closed.evaluate("element => element.open = true")
        found = [f"{overhang(page)} px too wide"] if overhang(page) else []
        if page.locator("h1").count() != 1:
            found.append("has not one heading")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLED)
            keep_picture(page, path, f"{size}-{scheme}")
            if size == "wide" or scheme == "light":
                found += barriers(page)
        problems += [f"{path}: {problem}" for problem in found]

    assert not problems, "\n".join(problems)


def open_quietly(page: Page, path: str) -> Found:
    answer = page.request.get(path, max_redirects=0)
    content_type = answer.headers.get("content-type", "")
    text = answer.text() if content_type.startswith("text/html") else ""
    return Found(answer.status, content_type, text, answer.headers.get("location", ""))


def overhang(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return int(wide)


def barriers(page: Page) -> list[str]:
    """Return what axe finds in a page, each with the places."""
    found = Axe().run(page).response["violations"]
    return [f"{it['id']}: {_place(node)}" for it in found for node in it["nodes"]]


def _place(node: dict[str, Any]) -> str:
    return f"{node['failureSummary']} {node['html'][:200]}"


def keep_picture(page: Page, path: str, look: str) -> None:
    """Keep how a page looks, for people to look at."""
    if SCREENSHOTS is None:
        return
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")[:80]
    page.screenshot(path=Path(SCREENSHOTS) / look / f"{name}.png", full_page=True)


def test_the_menu_of_a_narrow_screen_leads_everywhere(furnished):
    page = furnished.visit(furnished.people.viewer, viewport=SIZES["narrow"])

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Scoring", exact=True).click()

    page.wait_for_url("**/app/scoring")
