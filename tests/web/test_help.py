"""The words of the field are explained where they are met, and all together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadvibe.web.terms import TERMS

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
USED = {
    key for path in TEMPLATES.rglob("*.html")
    for key in re.findall(r'\bterm\("([^"]+)"', path.read_text())
}  # fmt: skip


def test_every_word_that_a_page_explains_is_in_the_glossary():
    assert USED - set(TERMS) == set()


def test_every_word_of_the_glossary_is_explained_on_some_page():
    assert set(TERMS) - USED == set()


def test_the_help_page_explains_every_word_and_leads_to_where_it_is_met(browse, people, world):
    browser = browse(people.viewer)

    page = browser.get("/app/help").text

    for key, (name, _, url) in TERMS.items():
        said = f'<a class="link" href="{url}">{name}</a>' if url else name
        assert f'<div id="{key}"><dt>{said}</dt>' in page
        assert not url or browser.get(url).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["home?show=all", "leads", "segments", "triggers", "events", "deliveries", "dead-letters",
     "scoring",
     "scoring/levels", "scoring/decay", "scoring/filters", "scoring/surge", "scoring/mapping",
     "scoring/history", "leads/ann"],
)  # fmt: skip
def test_a_main_page_explains_its_word_without_scripts(browse, people, world, path):
    world.add_rule("page_view", 5)
    world.happen("page_view", "ann")

    page = browse(people.viewer).get(f"/app/{path}").text

    opened = re.findall(r'class="term" type="button" popovertarget="([^"]+)"', page)
    assert opened
    for id_ in opened:
        assert page.count(f'id="{id_}" popover') == 1
