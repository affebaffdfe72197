"""What every page must be at any size and in either theme: whole, and usable by everybody."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug.exceptions import InternalServerError

from leadvibe.lib.errors import ForbiddenError
from tests.browser.barriers import barriers
from tests.furnishing import LONG, furnish, upload_by
from tests.walking import distinct, opened_by, page_shape, walk

SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
PARTS = 2
"""Into how many tests the pages are divided, for as many processes."""
SCREENSHOTS = os.environ.get("SCREENSHOTS_OF_ALL")
"""The folder where pictures of all pages are kept, if they are wanted: that takes a minute more."""
OPEN_ALL = "document.querySelectorAll('main details').forEach(it => { it.open = true })"
CLOSE_MENUS = """document
  .querySelectorAll(".drop:has(> .menu-panel, > .lead-menu)")
  .forEach(it => { it.open = false })
"""
"""An open menu covers what it belongs to, where there is no room beside it."""
OVERHANG = """async () => {
  const root = document.documentElement;
  for (let frame = 0; frame < 30 && root.scrollWidth > root.clientWidth; frame++)
    await new Promise(requestAnimationFrame);
  return root.scrollWidth - root.clientWidth;
}"""
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
def test_every_page_is_whole_and_bars_nobody(furnished, app, browse, part):
    admin = furnished.people.admin
    walked = walk(opened_by(browse(admin)), app.url_map, "/app/home", "/docs", shape=page_shape)
    pages = [*distinct(walked.documents, app.url_map), *UNLINKED]
    page = furnished.visit(admin, reduced_motion="reduce")

    problems = []
    for path in pages[part::PARTS]:
        page.goto(path)
        page.evaluate(OPEN_ALL)
        problems += [f"{path}: {problem}" for problem in look_at(page, path)]

    assert not problems, "\n".join(problems)


def look_at(page: Page, path: str) -> list[str]:
    """Return what is wrong with a page, loaded once: all when wide, then what can differ."""
    found = [] if page.locator("h1").count() == 1 else ["has not one heading"]
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        if pixels := overhang(page):
            found.append(f"{pixels} px too wide, {size}")
        if size == "wide":
            found += barriers(page, "light")
        else:
            page.evaluate(CLOSE_MENUS)
            found += barriers(page, "dark", rules="layout and colours")
        keep_pictures(page, path, size)
    return found


def overhang(page: Page) -> int:
    """Return by how many pixels a page stays wider than its window, once it has settled in it."""
    return int(page.evaluate(OVERHANG))


def keep_pictures(page: Page, path: str, size: str) -> None:
    """Keep how a page looks in both themes, for people to look at."""
    if SCREENSHOTS is None:
        return
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")[:80]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        look = f"{size}-{scheme}"
        page.screenshot(path=Path(SCREENSHOTS) / look / f"{name}.png", full_page=True)


def test_the_menu_of_a_narrow_screen_leads_everywhere(furnished):
    page = furnished.visit(furnished.people.viewer, viewport=SIZES["narrow"])

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Scoring", exact=True).click()

    page.wait_for_url("**/app/scoring")


@pytest.mark.parametrize("who", ["viewer", None])
def test_a_page_that_says_what_went_wrong_bars_nobody(site, app, monkeypatch, who):
    page = site.visit(getattr(site.people, who) if who else None, "/docs", reduced_motion="reduce")
    problems = []

    for error in (ForbiddenError("You may not."), InternalServerError()):
        monkeypatch.setitem(app.view_functions, "docs", partial(fail, error))
        page.goto("/docs")
        assert page.get_by_text(re.compile("Error (403|500)")).count() == 1
        problems += [f"{error!r}: {problem}" for problem in look_at(page, f"/docs {error!r}")]

    assert not problems, "\n".join(problems)


def fail(error: Exception) -> None:
    raise error


NAVIGATED = (
    "home", "leads", "segments", "events", "accounts", "scoring", "scoring/levels", "triggers",
    "deliveries", "imports", "dead-letters", "settings", "settings/notifications", "quick-start",
)  # fmt: skip


def test_a_unit_where_nothing_is_yet_bars_nobody(site):
    page = site.visit(site.people.owner, reduced_motion="reduce")
    problems = []
    for name in NAVIGATED:
        page.goto(f"/app/{name}")
        found = [*barriers(page, "light"), *barriers(page, "dark", rules="colours")]
        problems += [f"{name}: {problem}" for problem in found]

    assert not problems, "\n".join(problems)


def test_what_lies_over_a_page_bars_nobody(site):
    site.world.score_leads(ann=80, bob=30)
    site.world.happen("webinar", "ann")
    page = site.visit(site.people.owner, reduced_motion="reduce")
    problems = []

    def look(state: str) -> None:
        found = [*barriers(page, "light"), *barriers(page, "dark", rules="colours")]
        problems.extend(f"{state}: {problem}" for problem in found)

    page.keyboard.press("?")
    look("keys")
    page.keyboard.press("Escape")
    page.get_by_label("Choose ann").check()
    page.locator(".bulk-bar").get_by_role("button", name="Delete").click()
    page.locator("#lead-dialog[open]").wait_for()
    look("deletion of chosen leads")
    page.goto("/app/leads?level=Cold")
    page.locator("summary", has_text="Save view").click()
    look("view")
    page.get_by_role("button", name="Your account").click()
    look("account")
    page.goto("/app/credentials")
    page.get_by_label("Name").fill("CRM")
    page.get_by_role("button", name="Create credential").click()
    page.get_by_role("button", name="Delete CRM").click()
    look("confirmation")
    assert page.request.get("/app/nothing").status == 404
    page.goto("/app/nothing")
    look("not found")
    page.context.clear_cookies()
    page.goto("/app/login")
    page.get_by_label("E-mail").fill("nobody@acme.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").first.wait_for()
    look("refused")

    assert not problems, "\n".join(problems)
