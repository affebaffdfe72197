"""What the browser loads is exactly what the manifest and the content security policy allow."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ENTRIES = json.loads((VENDOR / "manifest.json").read_text())["files"]

INLINE_CODE = re.compile(
    r"\sstyle=|\son[a-z]+=|\shx-on|javascript:|<style|<script(?![^>]*\ssrc=)", re.IGNORECASE
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_vendored_file_is_the_one_the_manifest_names(entry):
    digest = hashlib.sha256((STATIC / entry["file"]).read_bytes()).hexdigest()

    assert digest == entry["sha256"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_vendored_file_says_where_it_is_from_and_comes_with_its_licence(entry):
    assert all(entry[key] for key in ("name", "version", "licence", "source"))
    assert "permission" in (STATIC / entry["licence_file"]).read_text().lower()


def test_nothing_unlisted_is_vendored():
    listed = {"vendor/manifest.json"}
    listed |= {entry["file"] for entry in ENTRIES} | {entry["licence_file"] for entry in ENTRIES}

    present = {path.relative_to(STATIC).as_posix() for path in VENDOR.rglob("*") if path.is_file()}

    assert present <= listed


def test_every_icon_the_pages_name_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    pages = "\n".join(path.read_text() for path in TEMPLATES)
    named = set(re.findall(r'\b(?:icon|empty)\("([a-z0-9-]+)"', pages))

    assert named
    assert named <= sprite


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_holds_no_inline_style_or_script(path):
    """The content security policy would refuse them in the browser."""
    assert not INLINE_CODE.search(path.read_text())


def test_the_style_sheets_load_nothing_from_elsewhere():
    sheets = "\n".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    local = {f"../vendor/{path.name}" for path in VENDOR.iterdir()}

    assert set(re.findall(r"""url\(["']?([^"')]+)""", sheets)) <= local
    assert "@import" not in sheets
