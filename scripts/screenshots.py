#!/usr/bin/env python3
"""Take the pictures of docs/guide.md anew: `make screenshots`.

Starts a demo of its own in a scratch folder, goes through it as a member would, and writes
docs/images. The sample year is drawn from a fixed seed and ends now, so names and numbers stay
much the same while dates move on.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Page, expect, sync_playwright
from small_png import shrink

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
READY_WITHIN_SECONDS = 600
STOP_WITHIN_SECONDS = 30
PATIENCE_MILLISECONDS = 60_000
# What moves once a page is there: a swap, a counter, a chart that finds its width.
SETTLE_MILLISECONDS = 400

GUESTS = """email,first_name,last_name,company,job_title
mara.lind@fjord-foods.example,Mara,Lind,Fjord Foods,Head of Operations
tomas.reyes@mesa-logistics.example,Tomás,Reyes,Mesa Logistics,Buyer
"""


@dataclass(frozen=True)
class Demo:
    url: str
    email: str
    password: str


def main() -> int:
    """Take all pictures; the exit code is 1 when one is too heavy for the repository."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with running_demo() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        page = browser.new_page(
            base_url=demo.url,
            viewport={"width": 1440, "height": 900},
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        _visit(page, demo)
        browser.close()
    heavy = [it for it in IMAGES.glob("*.png") if it.stat().st_size > MOST_BYTES]
    for image in heavy:
        sys.stderr.write(f"{image.name} is over {MOST_BYTES:,} bytes: show less of the page\n")
    return 1 if heavy else 0


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Run a demo in a scratch folder until its sample data is scored, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="leadvibe-pictures-") as scratch:
        # When root asks, the embedded servers run as nobody, who must get past this folder.
        Path(scratch).chmod(0o711)
        log, port = Path(scratch) / "log", _free_port()
        env = {**os.environ, "LEADVIBE_HOME": f"{scratch}/home", "PORT": str(port)}
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "leadvibe.cli", "demo"], cwd=ROOT, env=env, stdout=out
            )
        try:
            email, password = _wait_for_login(process, log)
            url = f"http://127.0.0.1:{port}"
            _wait_for_answer(f"{url}/app/login")
            yield Demo(url, email, password)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_WITHIN_SECONDS)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for_login(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """Return what the demo prints when it is ready."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"E-mail\s+(\S+)\s+Password\s+(\S+)", log.read_text())
        if found:
            return found[1], found[2]
        time.sleep(1)
    raise SystemExit(f"The demo did not get ready:\n{log.read_text()}")


def _wait_for_answer(url: str) -> None:
    for _ in range(STOP_WITHIN_SECONDS):
        try:
            urlopen(url).close()  # noqa: S310 - our own address
        except URLError:
            time.sleep(1)
        else:
            return


def take(page: Page, name: str) -> None:
    """Write the visible part of the page to docs/images/NAME.png."""
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    (IMAGES / f"{name}.png").write_bytes(shrink(page.screenshot()))
    sys.stdout.write(f"{name}\n")


def _visit(page: Page, demo: Demo) -> None:
    _sign_in(page, demo)
    _leads(page)
    _calls(page)
    _scoring(page)
    _reacting(page)
    _data(page)
    _administration(page)


def _sign_in(page: Page, demo: Demo) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill(demo.email)
    page.get_by_label("Password").fill(demo.password)
    take(page, "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/app/home")
    take(page, "home")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or go to").fill("sco")
    page.wait_for_load_state("networkidle")
    take(page, "palette")
    page.keyboard.press("Escape")
    page.goto("/app/quick-start")
    for _ in range(3):
        page.get_by_role("button", name="Continue").click()
        page.wait_for_load_state()
    take(page, "quick-start")


def _leads(page: Page) -> None:
    page.goto("/app/leads")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("link", name="Open lead")).to_be_visible()
    take(page, "leads")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    take(page, "keys")
    page.goto("/app/events?type=demo_request&range=7d")
    page.locator("a[href^='/app/leads/']").first.click()
    page.wait_for_url("**/app/leads/*")
    page.locator(".fall-group summary").first.click()
    take(page, "lead")


def _calls(page: Page) -> None:
    page.goto("/app/calls")
    page.locator(".call", has_text="Qualified").locator(".row-name").first.click()
    page.wait_for_url("**/app/leads/*")
    take(page, "deal")
    page.goto("/app/calls")
    page.locator(".call-log summary").first.click()
    page.get_by_label("Outcome").first.select_option("interested")
    take(page, "calls")


def _scoring(page: Page) -> None:
    page.goto("/app/scoring")
    page.get_by_role("button", name="Edit").click()
    points = page.get_by_role("spinbutton", name="Points for demo_request")
    points.fill("120")
    points.press("Enter")
    expect(page.get_by_text("was +100")).to_be_visible()
    page.get_by_role("button", name="Preview changes").click()
    detail = page.get_by_role("link", name="In detail: who moves, and why")
    expect(detail).to_be_visible()
    take(page, "scoring-draft")
    detail.click()
    page.wait_for_url("**/preview*")
    take(page, "scoring-preview")
    page.goto("/app/scoring/levels")
    take(page, "levels")
    page.goto("/app/scoring/decay")
    page.get_by_label("After").fill("14")
    page.get_by_label("Points to take").fill("10")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("10 points").first).to_be_visible()
    take(page, "decay")


def _reacting(page: Page) -> None:
    page.goto("/app/segments")
    page.get_by_role("link", name="Decision makers who warm up", exact=True).click()
    expect(page.get_by_role("heading", name="Members")).to_be_visible()
    take(page, "segment")
    page.goto("/app/triggers")
    page.get_by_role("link", name="Ready for sales", exact=True).click()
    page.get_by_role("button", name="Try it").click()
    page.wait_for_load_state("networkidle")
    take(page, "trigger")
    page.goto("/app/settings/integrations")
    take(page, "slack")


def _data(page: Page) -> None:
    page.goto("/app/events?range=7d")
    take(page, "events")
    _import_events(page)
    page.goto("/app/imports/leads")
    page.locator("input[type=file]").set_input_files(
        files=[{"name": "webinar-guests.csv", "mimeType": "text/csv", "buffer": GUESTS.encode()}]
    )
    for _ in range(3):
        page.get_by_role("link", name="Continue").or_(
            page.get_by_role("button", name="Continue")
        ).click()
        page.wait_for_load_state()
    take(page, "import")
    page.get_by_role("button", name=re.compile("^Import")).click()
    page.get_by_role("link", name="Undo").click()
    take(page, "import-undo")
    page.goto("/app/deliveries")
    take(page, "deliveries")


def _import_events(page: Page) -> None:
    """Somebody looks at the prices and asks for a demo, which makes a trigger fire."""
    now = datetime.now(UTC)
    rows = [
        f"{kind},{(now - timedelta(minutes=ago)):%Y-%m-%dT%H:%M:%SZ},mara.lind@fjord-foods.example"
        for kind, ago in (("pricing_page_view", 9), ("demo_request", 4))
    ]
    page.goto("/app/imports")
    page.locator("input[type=file]").set_input_files(
        files=[
            {
                "name": "website.csv",
                "mimeType": "text/csv",
                "buffer": "\n".join(["event_type,timestamp,email", *rows, ""]).encode(),
            }
        ]
    )
    expect(page.get_by_text("Finished").first).to_be_visible()


def _administration(page: Page) -> None:
    page.goto("/app/credentials")
    page.get_by_label("Name").fill("ERP sync")
    page.get_by_label("Used by").select_option(label="Nexus ERP client")
    take(page, "clients")
    page.goto("/app/members")
    page.get_by_label("E-mail").fill("jonas.berg@acme.example")
    page.get_by_label("Role").select_option(label="Operator")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("jonas.berg@acme.example").first).to_be_visible()
    take(page, "members")


if __name__ == "__main__":
    sys.exit(main())
