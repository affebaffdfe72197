"""A real browser before a real server: commits are real, and nothing may go wrong unseen."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from werkzeug.serving import make_server

from leadvibe.engine.policies import SURGE_OFF
from leadvibe.lib.clock import utc_now
from leadvibe.scoring import service as scoring
from tests.factories import set_surge
from tests.people import People, Person
from tests.world import World

CHROMIUM = Path("/usr/bin/chromium")
# The last list of features counts, so the first ones are those that Playwright would do without.
# The popups of the address bar are pages of their own, which each window would load before ours.
WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
)  # fmt: skip
# Containers give neither root nor a plain user the namespaces of its sandbox, nor much shared
# memory; it sees no pages but our own. A processor of graphics would only be played by this one.
ARGUMENTS = [
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    f"--disable-features={','.join(WITHOUT)}",
]  # fmt: skip
COOKIE = "leadvibe_session"
WIDE = {"width": 1440, "height": 900}
# Answers that a journey provokes on purpose; the page itself must not break over them.
EXPECTED_NOISE = "Failed to load resource"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; without it skip, but never where the tests decide."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing: install the package chromium")
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Site:
    """A running server, the people who use it, and the browsers they open."""

    url: str
    people: People
    world: World
    open_context: Callable[..., BrowserContext]
    session_of: Callable[[Person], str]

    def visit(self, person: Person | None, path: str = "/app/leads", **options: Any) -> Page:
        """Open a page in a browser of its own, where somebody has signed in before."""
        context = self.open_context(**options)
        if person is not None:
            session = self.session_of(person)
            context.add_cookies([{"name": COOKIE, "value": session, "url": self.url}])
        page = context.new_page()
        page.goto(path)
        if options.get("java_script_enabled", True):
            _await_htmx(page)
        return page


def _await_htmx(page: Page) -> None:
    """Wait until htmx has the page, which is a moment after it is loaded.

    What is pressed before loads the whole page, as without JavaScript, and keys that follow are
    pressed on a page which is on its way out.
    """
    expect(page.locator(":is([hx-get], [hx-post]):not([data-htmx-powered])")).to_have_count(0)


@pytest.fixture
def _server_url(app, fresh_database) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def session_of(browse) -> Callable[[Person], str]:
    """Return a maker of the cookie that a browser has once somebody signed in with it."""

    def make(person: Person) -> str:
        cookie = browse(person).client.get_cookie(COOKIE)
        assert cookie is not None
        return cookie.value

    return make


@pytest.fixture
def site(chromium: Browser, _server_url: str, people: People, scenes, session_of) -> Iterator[Site]:
    def make() -> World:
        scoring.install_defaults(people.scope, by="setup", now=utc_now())
        set_surge(people.scope, SURGE_OFF)
        return World(people.scope)

    world = scenes.set("site", make)
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_context(**options: Any) -> BrowserContext:
        context = chromium.new_context(**{"base_url": _server_url, "viewport": WIDE, **options})
        context.set_default_timeout(10_000)
        context.on("console", lambda message: _note(message, complaints))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield Site(_server_url, people, world, open_context, session_of)
    for context in contexts:
        context.close()
    assert complaints == []


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    """Keep what the console complains about: broken scripts, and violations of the policy."""
    if message.type in {"error", "warning"} and EXPECTED_NOISE not in message.text:
        complaints.append(f"{message.page.url if message.page else ''}: {message.text}")
