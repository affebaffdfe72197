"""Every link of every page leads somewhere, for everybody who may see it."""

from __future__ import annotations

import re

import pytest

from tests.furnishing import furnish, upload_by
from tests.walking import Found, walk

STARTS = ("/app/", "/app/home", "/docs")
ICON = re.compile(r'<use href="[^"#]*#([^"]+)"')


@pytest.fixture
def furnished(world, people, security, browse):
    furnish(world, people, security=security, upload=upload_by(browse(people.operator)))
    return world


def opened_by(browser):
    def open_page(path):
        answer = browser.get(path)
        is_text = answer.content_type.startswith("text/")
        return Found(
            answer.status_code,
            answer.content_type,
            answer.text if is_text else "",
            answer.location or "",
        )

    return open_page


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_no_link_of_any_page_is_broken(app, browse, people, furnished, name):
    walked = walk(opened_by(browse(people[name])), app.url_map, *STARTS)

    assert walked.broken == []
    assert len(walked.documents) > 25


def test_every_icon_that_a_page_shows_is_drawn(app, browse, people, furnished):
    walked = walk(opened_by(browse(people.admin)), app.url_map, *STARTS)
    symbols = browse(people.admin).get("/static/icons.svg").text
    drawn = set(re.findall(r'<symbol id="([^"]+)"', symbols))
    shown = {icon for path in walked.documents for icon in ICON.findall(walked.pages[path].text)}

    assert shown - drawn == set()
