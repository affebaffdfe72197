"""The guide for members: its pictures are there and light, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guide.md").read_text()
MOST_BYTES = 150_000


def test_every_picture_is_there_and_shown():
    shown = set(re.findall(r"\]\((images/[\w-]+\.png)\)", GUIDE))

    assert shown == {f"images/{path.name}" for path in (DOCS / "images").glob("*.png")}


def test_no_picture_is_heavy():
    assert [it.name for it in (DOCS / "images").iterdir() if it.stat().st_size > MOST_BYTES] == []


def test_every_link_within_the_guide_leads_to_a_heading():
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= anchors
