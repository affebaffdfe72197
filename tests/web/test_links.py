"""Every link of every page leads somewhere, for everybody who may see it."""

from __future__ import annotations

import re

import pytest

from tests.furnishing import furnish, upload_by
from tests.walking import full_shape, opened_by, page_shape, walk

STARTS = ("/app/", "/app/home", "/docs")
ICON = re.compile(r'<use href="[^"#]*#([^"]+)"')


@pytest.fixture
def furnished(world, people, security, browse):
    furnish(world, people, security=security, upload=upload_by(browse(people.operator)))
    return world


@pytest.mark.parametrize("name", ["admin", "owner", "operator", "viewer"])
def test_no_link_of_any_page_is_broken_and_every_icon_is_drawn(
    app, browse, people, furnished, name
):
    browser = browse(people[name])
    # An admin may see all there is. What others see differs by what a page shows them, not by
    # how a list of it is filtered.
    shape = full_shape if name == "admin" else page_shape

    walked = walk(opened_by(browser), app.url_map, *STARTS, shape=shape)

    assert walked.broken == []
    assert len(walked.documents) > 25
    drawn = set(re.findall(r'<symbol id="([^"]+)"', browser.get("/static/icons.svg").text))
    shown = {icon for path in walked.documents for icon in ICON.findall(walked.pages[path].text)}
    assert shown - drawn == set()
