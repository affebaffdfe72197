"""What a browser makes of the pages: their weight, when they show, and how they answer a click.

Chromium runs beside the server, on the same cores. Each page is loaded with an empty cache.
Without Chromium the group is left out, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench import data
from bench.lines import Line

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
PAGES = {
    "home": "/app/home",
    "leads": "/app/leads",
    "a lead": "/app/leads/bench_1",
    "calls": "/app/calls?of=all",
    "sources": "/app/calls/sources",
    "events": "/app/events",
    "segments": "/app/segments",
    "scoring": "/app/scoring",
    "levels": "/app/scoring/levels",
    "triggers": "/app/triggers",
    "imports": "/app/imports",
    "quick start": "/app/quick-start",
}
MOST_KIB, MOST_LCP_MS, MOST_ANSWER_MS = 120, 1_000, 100
TRIES = 3
PATIENCE_SECONDS = 1.0
QUIET_SECONDS = 0.3
"""What loads after the page, and the last candidate for its largest part, come within this."""

WATCH = """
  window.seen = { lcp: 0, shift: 0, painted: 0 };
  function watch(type, see) {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(see));
    observer.observe({ type, buffered: true });
  }
  watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
  watch("layout-shift", (entry) => { seen.shift += entry.value; });
"""
"""Every shift counts, also what moves right after a click, which browsers leave out."""

CLOCK = """(id) => {
  const target = document.getElementById(id);
  seen.shift = seen.painted = 0;
  const begin = ({ timeStamp }) => {
    const stop = () => { seen.painted = performance.now() - timeStamp; };
    const observer = new MutationObserver(() => {
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(stop));
    });
    const changes = { childList: true, subtree: true, characterData: true };
    observer.observe(target.parentElement, changes);
  };
  for (const type of ["click", "change"]) {
    document.addEventListener(type, begin, { capture: true, once: true });
  }
}"""
"""Measures from the event of a click to the first frame with what it brought."""

PAINTED = "async () => { while (!seen.painted) await new Promise(requestAnimationFrame); }"


def measure(address: tuple[str, int]) -> Iterator[Line]:
    """Yield the lines of all pages, and of what is done in the list of leads."""
    if not CHROMIUM.exists():
        print(f"pages in a browser: left out, {CHROMIUM} is missing (apt-get install chromium)")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        open_context = _signed_in(browser, f"http://{address[0]}:{address[1]}")
        for name, path in PAGES.items():
            kib, lcp_ms, shift = _load(open_context(), path)
            yield Line(f"{name}, first load", kib, "KiB", "KiB at most", MOST_KIB)
            yield Line("  is there after", lcp_ms, "ms", "ms at most", MOST_LCP_MS)
            yield Line("  shifts its layout by", shift * 1_000, "thousandths")
        yield from _answers(open_context().new_page())
        browser.close()


def _signed_in(browser: Browser, url: str) -> Callable[[], BrowserContext]:
    viewport = {"width": 1440, "height": 900}
    page = browser.new_page(base_url=url, viewport=viewport)
    page.goto("/app/login")
    page.get_by_label("E-mail").fill(data.EMAIL)
    page.get_by_label("Password").fill(data.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/app/home")
    session = page.context.storage_state()

    def open_context() -> BrowserContext:
        context = browser.new_context(base_url=url, viewport=viewport, storage_state=session)
        context.add_init_script(WATCH)
        return context

    return open_context


def _load(context: BrowserContext, path: str) -> tuple[float, float, float]:
    """Load a page with nothing in the cache: KiB on the wire, milliseconds, layout shift."""
    page = context.new_page()
    sizes: list[int] = []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path)
    page.wait_for_timeout(QUIET_SECONDS * 1_000)
    seen: dict[str, Any] = page.evaluate("seen")
    context.close()
    return sum(sizes) / 1_024, seen["lcp"], seen["shift"]


def _answers(page: Page) -> Iterator[Line]:
    page.goto("/app/leads")
    level = page.get_by_label("Level", exact=True)
    doings: dict[str, tuple[str, Callable[[int], object]]] = {
        "filter leads": ("lead-list", lambda _: level.press("ArrowDown")),
        "sort leads": (
            "lead-list",
            lambda _: page.get_by_role("link", name="Score", exact=True).click(),
        ),
        "next page of leads": (
            "lead-list",
            lambda _: page.get_by_role("link", name="Next").click(),
        ),
        "look at a lead": ("lead-peek", lambda n: page.locator(".c-peek button").nth(n).click()),
    }
    for name, (target, do) in doings.items():
        page.goto("/app/leads")
        times, shift = [], 0.0
        for number in range(TRIES):
            page.evaluate(CLOCK, target)
            do(number)
            page.evaluate(PAINTED)
            page.wait_for_timeout(QUIET_SECONDS * 1_000)
            seen = page.evaluate("seen")
            times.append(seen["painted"])
            shift = max(shift, seen["shift"])
        yield Line(name, median(times), "ms", "ms at most", MOST_ANSWER_MS)
        yield Line("  shifts the layout by", shift * 1_000, "thousandths")
    yield Line("back and forward", _walk_back(page), "of 6 steps right")


def _walk_back(page: Page) -> int:
    """Filter, sort and turn the page, go back and forward; count the steps that come out right."""
    page.goto("/app/leads")
    states = [_state(page)]
    level = page.get_by_label("Level", exact=True)
    for do in (
        lambda: level.select_option("Cold"),
        page.get_by_role("link", name="Score", exact=True).click,
        page.get_by_role("link", name="Next").click,
    ):
        do()
        page.wait_for_timeout(PATIENCE_SECONDS * 1_000)
        states.append(_state(page))
    right = 0
    for expected in reversed(states[:-1]):
        page.go_back()
        right += _comes_to(page, expected)
    for expected in states[1:]:
        page.go_forward()
        right += _comes_to(page, expected)
    return right


def _comes_to(page: Page, expected: tuple[str, str]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (is_there := _state(page) == expected) is False and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return is_there


def _state(page: Page) -> tuple[str, str]:
    return page.url, page.locator(".row-link").first.inner_text()
